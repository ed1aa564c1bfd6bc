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
use crate::{bulk, dates, errors, flags, info, selection, target};
use mailtide::{
    AppendOptions, BulkResult, Code, LocalMailbox, MailError, Mailbox, Result, Selection, Target, WriteOptions,
};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

/// The mailbox's handle.
#[pyclass(frozen, module = "mailtide._native")]
pub struct NativeMailbox {
    place: Owned<Place>,
    blocking: bool,
}

/// Where it is: the verbs are the same.
#[derive(Clone)]
pub enum Place {
    Live(Mailbox),
    Local(LocalMailbox),
}

/// The same call on either.
macro_rules! either {
    ($place:expr, $mailbox:ident => $call:expr) => {
        match $place {
            Place::Live($mailbox) => $call,
            Place::Local($mailbox) => $call,
        }
    };
}

type Object<'a, 'py> = &'a Bound<'py, PyAny>;

impl NativeMailbox {
    pub fn new(place: Place, blocking: bool) -> Self {
        Self { place: Owned::new(place), blocking }
    }

    pub fn target(&self) -> Target {
        either!(self.place.peek(), mailbox => mailbox.target().clone())
    }

    fn get(&self, py: Python<'_>) -> PyResult<Place> {
        self.place.get().or_raise(py).cloned()
    }

    /// A write on a selection.
    fn write<F, W>(&self, selection: Object<'_, '_>, work: W) -> PyResult<Call>
    where
        W: FnOnce(Place, Selection) -> F,
        F: Future<Output = Result<BulkResult>> + Send + 'static,
    {
        let (place, selection) = (self.get(selection.py())?, selection::write(selection)?);
        Ok(Call::then(work(place, selection), |py, result| bulk::to_py(py, &result).map(Bound::unbind)))
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
        let messages = either!(self.get(py)?, mailbox => mailbox.fetch(selection, options));
        Ok(Fetch::new(messages, self.blocking))
    }

    fn count(&self, py: Python<'_>, selection: Option<Object<'_, '_>>, tz: Option<String>) -> PyResult<Call> {
        let (place, selection) = (self.get(py)?, selection::read(selection)?);
        Ok(Call::new(async move { either!(place, mailbox => mailbox.count(selection, tz).await) }))
    }

    fn search(
        &self,
        py: Python<'_>,
        selection: Option<Object<'_, '_>>,
        exact: bool,
        tz: Option<String>,
    ) -> PyResult<Call> {
        let (place, selection) = (self.get(py)?, selection::read(selection)?);
        let search = async move { either!(place, mailbox => mailbox.search(selection, exact, tz).await) };
        Ok(Call::then(search, |py, found| {
            let found = found.into_iter().map(|reference| light::new(py, MessageRef(reference)));
            found.collect::<PyResult<Vec<_>>>()?.into_py_any(py)
        }))
    }

    fn status(&self, py: Python<'_>) -> PyResult<Call> {
        let place = self.get(py)?;
        Ok(Call::then(async move { either!(place, mailbox => mailbox.status().await) }, info::status))
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
        self.write(selection, |place, chosen| async move {
            either!(place, mailbox => mailbox.flag(chosen, change, options.into()).await)
        })
    }

    fn r#move(&self, selection: Object<'_, '_>, to: Object<'_, '_>, options: WriteArguments) -> PyResult<Call> {
        let to = target::from_py(to)?;
        self.write(selection, |place, chosen| async move {
            either!(place, mailbox => mailbox.move_to(chosen, to, options.into()).await)
        })
    }

    fn copy(&self, selection: Object<'_, '_>, to: Object<'_, '_>, options: WriteArguments) -> PyResult<Call> {
        let to = target::from_py(to)?;
        self.write(selection, |place, chosen| async move {
            either!(place, mailbox => mailbox.copy_to(chosen, to, options.into()).await)
        })
    }

    fn delete(&self, selection: Object<'_, '_>, options: WriteArguments) -> PyResult<Call> {
        self.write(selection, |place, chosen| async move {
            either!(place, mailbox => mailbox.delete(chosen, options.into()).await)
        })
    }

    fn expunge(&self, selection: Object<'_, '_>, options: WriteArguments) -> PyResult<Call> {
        self.write(selection, |place, chosen| async move {
            either!(place, mailbox => mailbox.expunge(chosen, options.into()).await)
        })
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
        let (place, flags) = (self.get(py)?, flags::from_py(flags)?);
        let received = received.map(dates::from_py).transpose()?;
        let on_progress = on_progress(py, progress, self.blocking)?;
        let options = AppendOptions { flags, received, create, on_progress };
        let sources = sources.iter().map(|source| source.get().take()).collect::<PyResult<Vec<_>>>()?;
        let added = async move { either!(place, mailbox => mailbox.append_many(sources, options).await) };
        Ok(Call::new(async move { Ok(added.await?.into_iter().map(|r| r.map(MessageRef)).collect::<Vec<_>>()) }))
    }

    fn watch(&self, py: Python<'_>, since: &str, poll_seconds: Option<u32>) -> PyResult<NativeWatch> {
        let Place::Live(mailbox) = self.get(py)? else { return Err(errors::to_py(py, &unwatched())) };
        let _inside = crate::runtime::handle(py)?.enter();
        Ok(NativeWatch::new(mailbox.watch(options::watch(since, poll_seconds)), self.blocking))
    }
}

fn unwatched() -> MailError {
    MailError::new(Code::UsageArgument, "Only a mailbox of a session is watched").hint("Use changes() of the Mail")
}

/// `limit, partial, create, tz`, as the Python layer passes them.
#[derive(FromPyObject)]
pub struct WriteArguments(Option<u64>, bool, bool, Option<String>);

impl From<WriteArguments> for WriteOptions {
    fn from(WriteArguments(limit, partial, create, time_zone): WriteArguments) -> Self {
        Self { limit, partial, create, time_zone }
    }
}
