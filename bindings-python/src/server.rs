//! `Server`: a store, or a `Mail`, for other mail clients.

use crate::call::Call;
use crate::callback::{Home, kind};
use crate::errors::OrRaise;
use crate::runtime::Owned;
use crate::{dates, info};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use mailtide::imap::InternalDate;
use mailtide::server::{AppPassword, Server, ServerOptions, ServerTls, ServerUser, TokenCheck, Users};
use mailtide::{Code, MailError, Result, Secret};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A running server's handle.
#[pyclass(frozen, module = "mailtide._native")]
pub struct NativeServer(Owned<Arc<Server>>);

/// What a server is started with, as the Python layer passes it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct ServeArguments {
    address: String,
    user: Option<String>,
    password: Option<String>,
    users: Vec<(String, String)>,
    tls: bool,
    /// The certificate and its key.
    files: Option<(PathBuf, PathBuf)>,
    starttls: bool,
    tokens: Option<Py<PyAny>>,
    append_limit: Option<u32>,
}

impl ServeArguments {
    /// The engine's options for a server over that store.
    pub fn read(self, py: Python<'_>, store: &Path) -> PyResult<ServerOptions> {
        let options = ServerOptions::default().with_address(&self.address);
        let options = options.and_then(|options| options.with_login(self.user, self.password.map(Secret::from)));
        let (options, tls) = (options.or_raise(py)?, ServerTls::chosen(store, self.tls, self.files).or_raise(py)?);
        let mut options = options.with_tls(tls, self.starttls);
        options.users = self.users.into_iter().map(|(name, password)| (name, password.into())).collect();
        if let Some(check) = self.tokens {
            options.tokens = Some(Arc::new(Check { home: Home::current(py)?, check: Arc::new(check) }));
        }
        options.append_limit = self.append_limit.unwrap_or(options.append_limit);
        Ok(options)
    }
}

/// `tokens=`: a function that knows tokens, called where the server was started.
struct Check {
    home: Home,
    check: Arc<Py<PyAny>>,
}

impl TokenCheck for Check {
    fn allows<'a>(&'a self, user: &'a str, token: &'a Secret) -> BoxFuture<'a, Result<bool>> {
        let given = (user.to_owned(), token.reveal().to_owned());
        self.home.ask(&self.check, move |py| given.into_py_any(py), verdict).boxed()
    }
}

/// Nothing that is only like `True` lets anybody in.
fn verdict(answer: PyResult<Bound<'_, PyAny>>) -> Result<bool> {
    answer.and_then(|answer| answer.extract::<bool>()).map_err(|error| {
        let text = format!("The check of a token raised {}", kind(&error));
        MailError::new(Code::AuthMissing, text)
    })
}

/// Serves the store in a file; gives a `NativeServer`.
#[pyfunction]
pub fn serve(py: Python<'_>, path: PathBuf, options: ServeArguments) -> PyResult<Call> {
    let options = options.read(py, &path)?;
    Ok(Call::then(async move { Server::open(&path, options).await.map(Arc::new) }, NativeServer::create))
}

impl NativeServer {
    pub fn create(py: Python<'_>, server: Arc<Server>) -> PyResult<Py<PyAny>> {
        Py::new(py, Self(Owned::new(server))).map(Py::into_any)
    }

    fn store_users(&self, py: Python<'_>) -> PyResult<Users> {
        Ok(self.0.get().or_raise(py)?.users())
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

    fn users(&self, py: Python<'_>) -> PyResult<Call> {
        let users = self.store_users(py)?;
        Ok(Call::then(async move { users.all().await }, user_list))
    }

    fn set_user(&self, py: Python<'_>, name: String, password: String) -> PyResult<Call> {
        let (users, password) = (self.store_users(py)?, Secret::from(password));
        Ok(Call::done(async move { users.set(&name, password).await }))
    }

    fn disable_user(&self, py: Python<'_>, name: String, disabled: bool) -> PyResult<Call> {
        let users = self.store_users(py)?;
        Ok(Call::done(async move { users.disable(&name, disabled).await }))
    }

    fn remove_user(&self, py: Python<'_>, name: String) -> PyResult<Call> {
        let users = self.store_users(py)?;
        Ok(Call::done(async move { users.remove(&name).await }))
    }

    fn app_passwords(&self, py: Python<'_>, user: String) -> PyResult<Call> {
        let users = self.store_users(py)?;
        Ok(Call::then(async move { users.app_passwords(&user).await }, app_password_list))
    }

    fn add_app_password(&self, py: Python<'_>, user: String, label: String) -> PyResult<Call> {
        let users = self.store_users(py)?;
        Ok(Call::new(async move { Ok(users.add_app_password(&user, &label).await?.reveal().to_owned()) }))
    }

    fn revoke_app_password(&self, py: Python<'_>, user: String, label: String) -> PyResult<Call> {
        let users = self.store_users(py)?;
        Ok(Call::done(async move { users.revoke_app_password(&user, &label).await }))
    }

    fn close(&self, py: Python<'_>) -> PyResult<Call> {
        let server = self.0.get().or_raise(py)?.clone();
        Ok(Call::done(async move {
            server.close().await;
            Ok(())
        }))
    }
}

fn user_list(py: Python<'_>, users: Vec<ServerUser>) -> PyResult<Py<PyAny>> {
    let class = info::class(py, "ServerUser")?;
    let users = users.into_iter().map(|user| class.call1((user.name, user.disabled)));
    users.collect::<PyResult<Vec<_>>>()?.into_py_any(py)
}

fn app_password_list(py: Python<'_>, passwords: Vec<AppPassword>) -> PyResult<Py<PyAny>> {
    let class = info::class(py, "AppPassword")?;
    let one = |password: AppPassword| {
        let created = dates::to_py(py, InternalDate { seconds: password.created, offset: 0 })?;
        class.call1((password.label, created))
    };
    passwords.into_iter().map(one).collect::<PyResult<Vec<_>>>()?.into_py_any(py)
}
