//! Servers over a store.

use crate::bridge::Bridge;
use crate::error::thrown;
use crate::queue::Queue;
use crate::reply::Reply;
use mailtide::Secret;
use mailtide::server::{ServerOptions, ServerTls};
use napi_derive::napi;
use std::path::Path;
use std::sync::Arc;

/// A running server.
#[napi]
pub struct Server {
    queue: Arc<Queue>,
    inner: Arc<mailtide::server::Server>,
}

/// What a server is started with.
#[napi(object)]
pub struct ServeInput {
    pub address: String,
    pub user: Option<String>,
    pub password: Option<String>,
    /// Whether there is TLS; with a self-signed certificate unless files are given.
    pub tls: bool,
    pub certificate: Option<String>,
    pub key: Option<String>,
    pub append_limit: Option<u32>,
}

impl ServeInput {
    /// The engine's options for a server over that store.
    pub fn into_options(self, store: &Path) -> napi::Result<ServerOptions> {
        let options = ServerOptions::default().with_address(&self.address);
        let options = options.and_then(|options| options.with_login(self.user, self.password.map(Secret::from)));
        let mut options = options.map_err(|e| thrown(&e))?;
        options.tls = match self.certificate.zip(self.key) {
            Some((certificate, key)) => Some(ServerTls::read(certificate, key).map_err(|e| thrown(&e))?),
            None => self.tls.then(|| ServerTls::beside(store)),
        };
        options.append_limit = self.append_limit.unwrap_or(options.append_limit);
        Ok(options)
    }
}

/// Serves the store in a file.
#[napi]
pub fn serve(bridge: &Bridge, id: u32, path: String, options: ServeInput) -> napi::Result<()> {
    let (options, queue) = (options.into_options(path.as_ref())?, bridge.queue());
    bridge.queue().start(id, async move {
        Ok(Reply::Server(mailtide::server::Server::open(path.as_ref(), options).await?.into(), queue))
    });
    Ok(())
}

#[napi]
impl Server {
    #[napi(getter)]
    pub fn url(&self) -> String {
        self.inner.url()
    }

    #[napi(getter)]
    pub fn host(&self) -> String {
        self.inner.address().ip().to_string()
    }

    #[napi(getter)]
    pub fn port(&self) -> u16 {
        self.inner.address().port()
    }

    #[napi(getter)]
    pub fn user(&self) -> Option<String> {
        self.inner.user().map(str::to_owned)
    }

    #[napi(getter)]
    pub fn password(&self) -> Option<String> {
        self.inner.password().map(|password| password.reveal().to_owned())
    }

    #[napi(getter)]
    pub fn certificate(&self) -> Option<String> {
        self.inner.certificate().map(str::to_owned)
    }

    #[napi]
    pub fn close(&self, id: u32) {
        let server = Arc::clone(&self.inner);
        self.queue.start(id, async move {
            server.close().await;
            Ok(Reply::Null)
        });
    }
}

impl Server {
    pub fn new(queue: Arc<Queue>, inner: Arc<mailtide::server::Server>) -> Self {
        Self { queue, inner }
    }
}
