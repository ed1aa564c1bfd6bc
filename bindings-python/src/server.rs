//! `Server`: a store, or a `Mail`, for other mail clients.

use crate::call::Call;
use crate::errors::OrRaise;
use crate::runtime::Owned;
use mailtide::Secret;
use mailtide::server::{Server, ServerOptions, ServerTls};
use pyo3::prelude::*;
use std::path::{Path, PathBuf};

/// A running server's handle.
#[pyclass(frozen, module = "mailtide._native")]
pub struct NativeServer(Owned<std::sync::Arc<Server>>);

/// `address`, `user`, `password`, whether there is TLS, its certificate and key in files, and `append_limit`, as the
/// Python layer passes them.
#[derive(FromPyObject)]
pub struct ServeArguments(String, Option<String>, Option<String>, bool, Option<(PathBuf, PathBuf)>, Option<u32>);

impl ServeArguments {
    /// The engine's options for a server over that store.
    pub fn read(self, py: Python<'_>, store: &Path) -> PyResult<ServerOptions> {
        let Self(address, user, password, has_tls, files, append_limit) = self;
        let options = ServerOptions::default().with_address(&address);
        let options = options.and_then(|options| options.with_login(user, password.map(Secret::from)));
        let mut options = options.or_raise(py)?;
        options.tls = match files {
            Some((certificates, key)) => Some(ServerTls::read(certificates, key).or_raise(py)?),
            None => has_tls.then(|| ServerTls::beside(store)),
        };
        options.append_limit = append_limit.unwrap_or(options.append_limit);
        Ok(options)
    }
}

/// Serves the store in a file; gives a `NativeServer`.
#[pyfunction]
pub fn serve(py: Python<'_>, path: PathBuf, options: ServeArguments) -> PyResult<Call> {
    let options = options.read(py, &path)?;
    Ok(Call::then(async move { Server::open(&path, options).await }, NativeServer::create))
}

impl NativeServer {
    pub fn create(py: Python<'_>, server: Server) -> PyResult<Py<PyAny>> {
        Py::new(py, Self(Owned::new(server.into()))).map(Py::into_any)
    }
}

#[pymethods]
impl NativeServer {
    #[getter]
    fn url(&self) -> String {
        self.0.peek().url()
    }

    /// Host and port.
    #[getter]
    fn address(&self) -> (String, u16) {
        let address = self.0.peek().address();
        (address.ip().to_string(), address.port())
    }

    #[getter]
    fn user(&self) -> Option<&str> {
        self.0.peek().user()
    }

    #[getter]
    fn password(&self) -> Option<&str> {
        self.0.peek().password().map(Secret::reveal)
    }

    #[getter]
    fn certificate(&self) -> Option<&str> {
        self.0.peek().certificate()
    }

    fn close(&self, py: Python<'_>) -> PyResult<Call> {
        let server = self.0.get().or_raise(py)?.clone();
        Ok(Call::done(async move {
            server.close().await;
            Ok(())
        }))
    }
}
