//! The server for tests.

use crate::account::Cause;
use crate::call::{Call, blocking};
use crate::errors::OrRaise;
use crate::mail::NativeMail;
use crate::runtime::Owned;
use crate::server::NativeServer;
use crate::{bytes, draft, flags, target};
use mailtide::testing::{Fault, FaultKind, Letter, Server, TestOptions};
use mailtide::{Code, MailError};
use pyo3::prelude::*;
use std::sync::Arc;
use std::time::Duration;

/// A running server's handle.
#[pyclass(frozen, module = "mailtide._native")]
pub struct NativeTestServer {
    server: Owned<Arc<Server>>,
    blocking: bool,
}

type Object<'a, 'py> = &'a Bound<'py, PyAny>;

/// Starts a server for tests; gives a `NativeTestServer`.
#[pyfunction]
pub fn start_test_server(
    mail: Vec<(String, Vec<Bound<'_, PyAny>>)>,
    without: Vec<String>,
    quirks: Vec<String>,
    user: String,
    password: String,
) -> PyResult<Call> {
    let mut options = TestOptions::default();
    for (mailbox, letters) in mail {
        options.mail.push((mailbox, letters.iter().map(letter).collect::<PyResult<_>>()?));
    }
    (options.without, options.quirks) = (without, quirks);
    (options.user, options.password) = (user, password.into());
    let blocking = blocking();
    Ok(Call::then(async move { Server::start(options).await }, move |py, server| {
        Py::new(py, NativeTestServer { server: Owned::new(Arc::new(server)), blocking }).map(Py::into_any)
    }))
}

#[pymethods]
impl NativeTestServer {
    /// The server itself.
    #[getter]
    fn server(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        NativeServer::create(py, self.server.get().or_raise(py)?.server().clone())
    }

    #[getter]
    fn commands(&self) -> Vec<String> {
        self.server.peek().commands()
    }

    fn deliver(
        &self,
        mailbox: Object<'_, '_>,
        message: Object<'_, '_>,
        flags: Option<Object<'_, '_>>,
    ) -> PyResult<Call> {
        let server = self.server.get().or_raise(mailbox.py())?.clone();
        let (mailbox, letter, flags) = (target::from_py(mailbox)?, letter(message)?, flags::from_py(flags)?);
        Ok(Call::new(async move { server.deliver(mailbox, letter, &flags).await }))
    }

    /// The mailbox behind it.
    #[getter]
    fn mail(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let mail = self.server.get().or_raise(py)?.mail().clone();
        NativeMail::create(py, mail, Cause::default(), self.blocking)
    }

    /// `value` is a text, seconds or bytes, by what happens.
    fn fault(
        &self,
        py: Python<'_>,
        kind: &str,
        value: Object<'_, '_>,
        place: (Option<String>, u32, Option<usize>),
    ) -> PyResult<()> {
        let unknown = || MailError::new(Code::UsageArgument, "A fault is cut, delay, no, bad or garbage");
        let kind = match kind {
            "cut" => FaultKind::Cut,
            "delay" => FaultKind::Delay(Duration::try_from_secs_f64(value.extract()?).unwrap_or_default()),
            "no" => FaultKind::No(value.extract()?),
            "bad" => FaultKind::Bad(value.extract()?),
            "garbage" => FaultKind::Garbage(bytes::from_py(value)?),
            _ => return Err(unknown()).or_raise(py),
        };
        let (command, nth, after) = place;
        self.server.get().or_raise(py)?.fault(Fault { kind, command, nth, after }).or_raise(py)
    }

    fn close(&self, py: Python<'_>) -> PyResult<Call> {
        let server = self.server.get().or_raise(py)?.clone();
        Ok(Call::done(async move { server.close().await }))
    }
}

/// Bytes, or a `Draft`.
fn letter(message: &Bound<'_, PyAny>) -> PyResult<Letter> {
    if message.hasattr("attach")? {
        return draft::from_py(message).map(Letter::from);
    }
    bytes::from_py(message).map(Letter::from)
}
