//! `Engine`: limits, log and statistics; `connect`, and `open`.

use crate::account::{AccountSetup, login_error};
use crate::call::{Call, blocking};
use crate::callback::Home;
use crate::errors::OrRaise;
use crate::runtime::{self, Owned};
use crate::session::NativeSession;
use crate::{info, mail};
use mailtide::{EngineOptions, LogLine};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The engine's handle.
#[pyclass(frozen, module = "mailtide._native")]
pub struct NativeEngine(Owned<mailtide::Engine>);

#[pymethods]
impl NativeEngine {
    #[new]
    #[pyo3(signature = (max_connections, logins_per_second, on_line, on_stats))]
    fn new(
        py: Python<'_>,
        max_connections: usize,
        logins_per_second: Option<f64>,
        on_line: Option<Py<PyAny>>,
        on_stats: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let mut options = EngineOptions { max_connections, logins_per_second, ..EngineOptions::default() };
        if let Some(on_line) = on_line.map(Arc::new) {
            let home = Home::background(py)?;
            options.logger = Some(Arc::new(move |line| home.tell(&on_line, |py| log_line(py, line))));
        }
        if let Some(on_stats) = on_stats.map(Arc::new) {
            let home = Home::background(py)?;
            options.on_stats = Some(Arc::new(move |stats| home.tell(&on_stats, move |py| info::stats(py, stats))));
        }
        Ok(Self(Owned::new(mailtide::Engine::new(options, runtime::handle(py)?))))
    }

    /// Logs in; gives a `NativeSession`.
    fn connect(&self, py: Python<'_>, setup: &AccountSetup) -> PyResult<Call> {
        let (engine, account) = (self.0.get().or_raise(py)?.clone(), setup.account());
        let (cause, blocking) = (setup.cause.clone(), blocking());
        let login = async move { Ok(engine.connect(account).await) };
        Ok(Call::then(login, move |py, outcome| match outcome {
            Ok(session) => NativeSession::create(py, session, blocking),
            Err(error) => Err(login_error(py, &error, &cause)),
        }))
    }

    /// Opens a local store; gives a `NativeMail`.
    fn open(
        &self,
        py: Python<'_>,
        path: PathBuf,
        setup: Option<&AccountSetup>,
        smtp: (Option<String>, Option<Bound<'_, PyAny>>),
        keep: Option<(String, Option<u32>, Option<u64>)>,
    ) -> PyResult<Call> {
        let engine = self.0.get().or_raise(py)?.clone();
        mail::open(py, engine, (path, setup), (smtp.0, smtp.1, keep))
    }

    fn close(&self, py: Python<'_>, timeout: f64) -> PyResult<Call> {
        let engine = self.0.get().or_raise(py)?.clone();
        let timeout = Duration::try_from_secs_f64(timeout).unwrap_or_default();
        Ok(Call::done(async move { engine.close(timeout).await }))
    }

    fn stats(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        info::stats(py, self.0.get().or_raise(py)?.stats())
    }

    /// Whether it was made in this process, and not in the parent of a fork.
    fn is_here(&self) -> bool {
        self.0.get().is_ok()
    }
}

fn log_line(py: Python<'_>, line: LogLine) -> PyResult<Py<PyAny>> {
    (line.connection, line.sent, line.text).into_py_any(py)
}
