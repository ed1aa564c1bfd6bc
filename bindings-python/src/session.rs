//! `Session`: what one does with an account.

use crate::call::Call;
use crate::errors::OrRaise;
use crate::info;
use crate::mailboxes::NativeMailboxes;
use crate::runtime::Owned;
use mailtide::{Mailboxes, Session};
use pyo3::prelude::*;

/// The session's handle.
#[pyclass(frozen, extends = NativeMailboxes, module = "mailtide._native")]
pub struct NativeSession {
    session: Owned<Session>,
}

impl NativeSession {
    pub fn create(py: Python<'_>, session: Session, blocking: bool) -> PyResult<Py<PyAny>> {
        let common = NativeMailboxes::new(Mailboxes::Live(session.clone()), blocking);
        Py::new(py, (Self { session: Owned::new(session) }, common)).map(Py::into_any)
    }

    fn get(&self, py: Python<'_>) -> PyResult<Session> {
        self.session.get().or_raise(py).cloned()
    }
}

#[pymethods]
impl NativeSession {
    /// `user@host`.
    #[getter]
    fn account(&self) -> String {
        self.session.peek().account().label()
    }

    fn namespaces(&self, py: Python<'_>) -> PyResult<Call> {
        let session = self.get(py)?;
        Ok(Call::then(async move { session.namespaces().await }, info::namespaces))
    }

    fn id(&self, py: Python<'_>, fields: Vec<(String, Option<String>)>) -> PyResult<Call> {
        let session = self.get(py)?;
        Ok(Call::new(async move { session.id(fields).await }))
    }

    fn capabilities(&self, py: Python<'_>) -> PyResult<Call> {
        let session = self.get(py)?;
        Ok(Call::new(async move { session.capabilities().await }))
    }

    fn noop(&self, py: Python<'_>) -> PyResult<Call> {
        let session = self.get(py)?;
        Ok(Call::done(async move { session.noop().await }))
    }

    fn raw(&self, py: Python<'_>, command: String) -> PyResult<Call> {
        let session = self.get(py)?;
        Ok(Call::then(async move { session.raw(&command).await }, info::raw_reply))
    }
}
