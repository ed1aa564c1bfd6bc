//! Servers over a store.

use crate::bridge::Bridge;
use crate::error::thrown;
use crate::queue::{Callback, Queue};
use crate::reply::Reply;
use futures_util::future::BoxFuture;
use mailtide::server::{AppPassword, ServerOptions, ServerTls, ServerUser, TokenCheck, Users};
use mailtide::{Code, MailError, Result, Secret};
use napi_derive::napi;
use serde_json::{Value, json};
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
    /// Further ones: name and password in turn.
    pub users: Vec<String>,
    /// Whether there is TLS; with a self-signed certificate unless files are given.
    pub tls: bool,
    pub certificate: Option<String>,
    pub key: Option<String>,
    pub starttls: bool,
    pub token_callback: Option<u32>,
    pub append_limit: Option<u32>,
}

impl ServeInput {
    /// The engine's options for a server over that store. The callback is taken first, so that it is released whatever is
    /// wrong with the rest.
    pub fn into_options(self, store: &Path, queue: &Arc<Queue>) -> napi::Result<ServerOptions> {
        let check = self.token_callback.map(|id| Check(queue.callback(id)));
        let options = ServerOptions::default().with_address(&self.address);
        let options = options.and_then(|options| options.with_login(self.user, self.password.map(Secret::from)));
        let options = options.map_err(|e| thrown(&e))?;
        let files = self.certificate.zip(self.key).map(|(certificate, key)| (certificate.into(), key.into()));
        let tls = ServerTls::chosen(store, self.tls, files).map_err(|e| thrown(&e))?;
        let mut options = options.with_tls(tls, self.starttls);
        options.tokens = check.map(|check| -> Arc<dyn TokenCheck> { Arc::new(check) });
        for pair in self.users.chunks_exact(2) {
            let [name, password] = pair else { continue };
            options.users.push((name.clone(), Secret::from(password.as_str())));
        }
        options.append_limit = self.append_limit.unwrap_or(options.append_limit);
        Ok(options)
    }
}

/// `tokens`: a function that knows tokens.
struct Check(Arc<Callback>);

impl TokenCheck for Check {
    fn allows<'a>(&'a self, user: &'a str, token: &'a Secret) -> BoxFuture<'a, Result<bool>> {
        let question = json!({ "user": user, "token": token.reveal() });
        Box::pin(async move {
            // What went wrong is told without what was said of it, which may hold the token.
            let failed = |_| MailError::new(Code::AuthMissing, "The check of a token failed");
            self.0.ask(&question).await.map(|answer| answer == "true").map_err(failed)
        })
    }
}

/// Serves the store in a file.
#[napi]
pub fn serve(bridge: &Bridge, id: u32, path: String, options: ServeInput) -> napi::Result<()> {
    let queue = bridge.queue();
    let options = options.into_options(path.as_ref(), &queue)?;
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
    pub fn users(&self, id: u32) {
        let list = |users: Vec<ServerUser>| {
            let one = |user: &ServerUser| json!({ "name": user.name, "disabled": user.disabled });
            Reply::json(&users.iter().map(one).collect::<Value>())
        };
        self.on_users(id, async move |users| users.all().await.map(list));
    }

    #[napi]
    pub fn set_user(&self, id: u32, name: String, password: String) {
        let password = Secret::from(password);
        self.on_users(id, async move |users| users.set(&name, password).await.map(Reply::from));
    }

    #[napi]
    pub fn disable_user(&self, id: u32, name: String, disabled: bool) {
        self.on_users(id, async move |users| users.disable(&name, disabled).await.map(Reply::from));
    }

    #[napi]
    pub fn remove_user(&self, id: u32, name: String) {
        self.on_users(id, async move |users| users.remove(&name).await.map(Reply::from));
    }

    /// Times are in milliseconds.
    #[napi]
    pub fn app_passwords(&self, id: u32, user: String) {
        let list = |passwords: Vec<AppPassword>| {
            let one = |one: &AppPassword| json!({ "label": one.label, "created": one.created.saturating_mul(1000) });
            Reply::json(&passwords.iter().map(one).collect::<Value>())
        };
        self.on_users(id, async move |users| users.app_passwords(&user).await.map(list));
    }

    #[napi]
    pub fn add_app_password(&self, id: u32, user: String, label: String) {
        self.on_users(id, async move |users| {
            Ok(Reply::Text(users.add_app_password(&user, &label).await?.reveal().to_owned()))
        });
    }

    #[napi]
    pub fn revoke_app_password(&self, id: u32, user: String, label: String) {
        self.on_users(id, async move |users| users.revoke_app_password(&user, &label).await.map(Reply::from));
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

    fn on_users<F>(&self, id: u32, call: impl FnOnce(Users) -> F)
    where
        F: Future<Output = Result<Reply>> + Send + 'static,
    {
        self.queue.start(id, call(self.inner.users()));
    }
}
