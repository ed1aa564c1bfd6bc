//! `Mailbox`: reading, writing and watching messages, of a server or of a local store.

use crate::call::Call;
use crate::callback::on_progress;
use crate::errors::OrRaise;
use crate::feed::Source;
use crate::light;
use crate::messages::Fetch;
use crate::options::{self, FetchArguments};
use crate::reference::MessageRef;
use crate::runtime::Owned;
use crate::watch::NativeWatch;
use crate::{bulk, dates, flags, info, selection, target};
use mailtide::{AnyMailbox, AppendOptions, BulkResult, Result, Selection, Target, WatchOptions, WriteOptions};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

/// The mailbox's handle.
#[pyclass(frozen, module = "mailtide._native")]
pub struct NativeMailbox {
    mailbox: Owned<AnyMailbox>,
    blocking: bool,
}

type Object<'a, 'py> = &'a Bound<'py, PyAny>;

impl NativeMailbox {
    pub fn new(mailbox: AnyMailbox, blocking: bool) -> Self {
        Self { mailbox: Owned::new(mailbox), blocking }
    }

    pub fn target(&self) -> Target {
        self.mailbox.peek().target().clone()
    }

    fn get(&self, py: Python<'_>) -> PyResult<AnyMailbox> {
        self.mailbox.get().or_raise(py).cloned()
    }

    /// A write on a selection.
    fn write<F, W>(&self, selection: Object<'_, '_>, work: W) -> PyResult<Call>
    where
        W: FnOnce(AnyMailbox, Selection) -> F,
        F: Future<Output = Result<BulkResult>> + Send + 'static,
    {
        let (mailbox, selection) = (self.get(selection.py())?, selection::write(selection)?);
        Ok(Call::then(work(mailbox, selection), |py, result| bulk::to_py(py, &result).map(Bound::unbind)))
    }
}

#[pymethods]
impl NativeMailbox {
    #[getter]
    fn label(&self) -> String {
        self.target().label()
    }

    fn fetch(&self, py: Python<'_>, selection: Option<Object<'_, '_>>, options: FetchArguments<'_>) -> PyResult<Fetch> {
        let options = options.read(py, self.blocking)?;
        let selection = selection::read(selection)?;
        let messages = self.get(py)?.fetch(selection, options);
        Ok(Fetch::new(messages, self.blocking))
    }

    fn count(&self, py: Python<'_>, selection: Option<Object<'_, '_>>, tz: Option<String>) -> PyResult<Call> {
        let (mailbox, selection) = (self.get(py)?, selection::read(selection)?);
        Ok(Call::new(async move { mailbox.count(selection, tz).await }))
    }

    fn search(
        &self,
        py: Python<'_>,
        selection: Option<Object<'_, '_>>,
        exact: bool,
        tz: Option<String>,
    ) -> PyResult<Call> {
        let (mailbox, selection) = (self.get(py)?, selection::read(selection)?);
        let search = async move { mailbox.search(selection, exact, tz).await };
        Ok(Call::then(search, |py, found| {
            let found = found.into_iter().map(|reference| light::new(py, MessageRef(reference)));
            found.collect::<PyResult<Vec<_>>>()?.into_py_any(py)
        }))
    }

    fn status(&self, py: Python<'_>) -> PyResult<Call> {
        let mailbox = self.get(py)?;
        Ok(Call::then(async move { mailbox.status().await }, info::status))
    }

    fn flag(
        &self,
        selection: Object<'_, '_>,
        add: Option<Object<'_, '_>>,
        remove: Option<Object<'_, '_>>,
        set: Option<Object<'_, '_>>,
        options: WriteArguments,
    ) -> PyResult<Call> {
        let change = options::flag_change(add, remove, set)?;
        self.write(selection, |mailbox, chosen| async move { mailbox.flag(chosen, change, options.into()).await })
    }

    fn r#move(&self, selection: Object<'_, '_>, to: Object<'_, '_>, options: WriteArguments) -> PyResult<Call> {
        let to = target::from_py(to)?;
        self.write(selection, |mailbox, chosen| async move { mailbox.move_to(chosen, to, options.into()).await })
    }

    fn copy(&self, selection: Object<'_, '_>, to: Object<'_, '_>, options: WriteArguments) -> PyResult<Call> {
        let to = target::from_py(to)?;
        self.write(selection, |mailbox, chosen| async move { mailbox.copy_to(chosen, to, options.into()).await })
    }

    fn delete(&self, selection: Object<'_, '_>, options: WriteArguments) -> PyResult<Call> {
        self.write(selection, |mailbox, chosen| async move { mailbox.delete(chosen, options.into()).await })
    }

    fn expunge(&self, selection: Object<'_, '_>, options: WriteArguments) -> PyResult<Call> {
        self.write(selection, |mailbox, chosen| async move { mailbox.expunge(chosen, options.into()).await })
    }

    fn append(
        &self,
        py: Python<'_>,
        sources: Vec<Bound<'_, Source>>,
        flags: Option<Object<'_, '_>>,
        received: Option<Object<'_, '_>>,
        create: bool,
        progress: Option<Object<'_, '_>>,
    ) -> PyResult<Call> {
        let (mailbox, flags) = (self.get(py)?, flags::from_py(flags)?);
        let received = received.map(dates::from_py).transpose()?;
        let on_progress = on_progress(py, progress, self.blocking)?;
        let options = AppendOptions { flags, received, create, on_progress };
        let sources = sources.iter().map(|source| source.get().take()).collect::<PyResult<Vec<_>>>()?;
        let added = async move { mailbox.append_many(sources, options).await };
        Ok(Call::new(async move { Ok(added.await?.into_iter().map(|r| r.map(MessageRef)).collect::<Vec<_>>()) }))
    }

    fn watch(&self, py: Python<'_>, since: &str, poll_seconds: Option<u32>) -> PyResult<NativeWatch> {
        let options = WatchOptions { since: options::since(since), poll_seconds };
        Ok(NativeWatch::new(self.get(py)?.watch(options), self.blocking))
    }
}

/// `limit, partial, create, tz`, as the Python layer passes them.
#[derive(FromPyObject)]
pub struct WriteArguments(Option<u64>, bool, bool, Option<String>);

impl From<WriteArguments> for WriteOptions {
    fn from(WriteArguments(limit, partial, create, time_zone): WriteArguments) -> Self {
        Self { limit, partial, create, time_zone }
    }
}
