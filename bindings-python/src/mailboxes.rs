//! What a `Session` and a `Mail` have alike: their mailboxes.

use crate::call::Call;
use crate::errors::OrRaise;
use crate::info;
use crate::mailbox::NativeMailbox;
use crate::runtime::Owned;
use crate::target;
use mailtide::{CreateOptions, ListOptions, Mailboxes};
use pyo3::prelude::*;

/// The part of the handle of a session or a store that both have.
#[pyclass(frozen, subclass, module = "mailtide._native")]
pub struct NativeMailboxes {
    place: Owned<Mailboxes>,
    pub blocking: bool,
}

type Object<'a, 'py> = &'a Bound<'py, PyAny>;

impl NativeMailboxes {
    pub fn new(place: Mailboxes, blocking: bool) -> Self {
        Self { place: Owned::new(place), blocking }
    }

    fn get(&self, py: Python<'_>) -> PyResult<Mailboxes> {
        self.place.get().or_raise(py).cloned()
    }
}

#[pymethods]
impl NativeMailboxes {
    #[getter]
    fn closed(&self) -> bool {
        self.place.get().map_or(true, Mailboxes::is_closed)
    }

    fn mailbox(&self, py: Python<'_>, name: Object<'_, '_>) -> PyResult<NativeMailbox> {
        let mailbox = self.get(py)?.mailbox(target::from_py(name)?).or_raise(py)?;
        Ok(NativeMailbox::new(mailbox, self.blocking))
    }

    fn mailboxes(&self, py: Python<'_>, pattern: Option<String>, subscribed: bool, status: bool) -> PyResult<Call> {
        let (place, options) = (self.get(py)?, ListOptions { pattern, subscribed, status });
        Ok(Call::then(async move { place.mailboxes(options).await }, info::mailboxes))
    }

    fn create_mailbox(
        &self,
        py: Python<'_>,
        name: Object<'_, '_>,
        role: Option<Object<'_, '_>>,
        exist_ok: bool,
    ) -> PyResult<Call> {
        let (place, name) = (self.get(py)?, target::from_py(name)?);
        let options = CreateOptions { role: role.map(target::role).transpose()?, exist_ok };
        Ok(Call::new(async move { place.create_mailbox(name, options).await }))
    }

    fn rename_mailbox(&self, py: Python<'_>, from: Object<'_, '_>, to: Object<'_, '_>) -> PyResult<Call> {
        let (place, from, to) = (self.get(py)?, target::from_py(from)?, target::from_py(to)?);
        Ok(Call::done(async move { place.rename_mailbox(from, to).await }))
    }

    fn delete_mailbox(&self, py: Python<'_>, name: Object<'_, '_>, even_if_not_empty: bool) -> PyResult<Call> {
        let (place, name) = (self.get(py)?, target::from_py(name)?);
        Ok(Call::done(async move { place.delete_mailbox(name, even_if_not_empty).await }))
    }

    fn subscribe(&self, py: Python<'_>, name: Object<'_, '_>, on: bool) -> PyResult<Call> {
        let (place, name) = (self.get(py)?, target::from_py(name)?);
        Ok(Call::done(async move { place.subscribe(name, on).await }))
    }

    fn status(&self, py: Python<'_>, name: Object<'_, '_>) -> PyResult<Call> {
        let (place, name) = (self.get(py)?, target::from_py(name)?);
        Ok(Call::then(async move { place.status(name).await }, info::status))
    }

    fn close(&self, py: Python<'_>) -> PyResult<Call> {
        let place = self.get(py)?;
        Ok(Call::done(async move { place.close().await }))
    }
}
