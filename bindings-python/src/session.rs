//! `Session`: what one does with an account.

use crate::call::Call;
use crate::errors::OrRaise;
use crate::info;
use crate::mailbox::{NativeMailbox, Place};
use crate::runtime::Owned;
use crate::target;
use mailtide::{CreateOptions, ListOptions, Session};
use pyo3::prelude::*;

/// The session's handle.
#[pyclass(frozen, module = "mailtide._native")]
pub struct NativeSession {
    session: Owned<Session>,
    blocking: bool,
}

impl NativeSession {
    pub fn new(session: Session, blocking: bool) -> Self {
        Self { session: Owned::new(session), blocking }
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

    #[getter]
    fn closed(&self) -> bool {
        self.session.get().map_or(true, Session::is_closed)
    }

    fn mailbox(&self, py: Python<'_>, name: &Bound<'_, PyAny>) -> PyResult<NativeMailbox> {
        let mailbox = self.get(py)?.mailbox(target::from_py(name)?).or_raise(py)?;
        Ok(NativeMailbox::new(Place::Live(mailbox), self.blocking))
    }

    fn mailboxes(&self, py: Python<'_>, pattern: Option<String>, subscribed: bool, status: bool) -> PyResult<Call> {
        let session = self.get(py)?;
        let options = ListOptions { pattern, subscribed, status };
        Ok(Call::then(async move { session.mailboxes(options).await }, info::mailboxes))
    }

    fn create_mailbox(
        &self,
        py: Python<'_>,
        name: &Bound<'_, PyAny>,
        role: Option<&Bound<'_, PyAny>>,
        exist_ok: bool,
    ) -> PyResult<Call> {
        let (session, name) = (self.get(py)?, target::from_py(name)?);
        let options = CreateOptions { role: role.map(target::role).transpose()?, exist_ok };
        Ok(Call::new(async move { session.create_mailbox(name, options).await }))
    }

    fn rename_mailbox(&self, py: Python<'_>, from: &Bound<'_, PyAny>, to: &Bound<'_, PyAny>) -> PyResult<Call> {
        let (session, from, to) = (self.get(py)?, target::from_py(from)?, target::from_py(to)?);
        Ok(Call::done(async move { session.rename_mailbox(from, to).await }))
    }

    fn delete_mailbox(&self, py: Python<'_>, name: &Bound<'_, PyAny>, even_if_not_empty: bool) -> PyResult<Call> {
        let (session, name) = (self.get(py)?, target::from_py(name)?);
        Ok(Call::done(async move { session.delete_mailbox(name, even_if_not_empty).await }))
    }

    fn subscribe(&self, py: Python<'_>, name: &Bound<'_, PyAny>, on: bool) -> PyResult<Call> {
        let (session, name) = (self.get(py)?, target::from_py(name)?);
        Ok(Call::done(async move { session.subscribe(name, on).await }))
    }

    fn status(&self, py: Python<'_>, name: &Bound<'_, PyAny>) -> PyResult<Call> {
        let (session, name) = (self.get(py)?, target::from_py(name)?);
        Ok(Call::then(async move { session.status(name).await }, info::status))
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

    fn close(&self, py: Python<'_>) -> PyResult<Call> {
        let session = self.get(py)?;
        Ok(Call::done(async move { session.close().await }))
    }
}
