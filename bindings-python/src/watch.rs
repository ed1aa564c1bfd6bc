//! `Watch`: what happens in a mailbox or a store, as the dataclasses of `mailtide/_events.py`.

use crate::call::Call;
use crate::errors::{self, OrRaise};
use crate::flags;
use crate::message::Message;
use crate::reference::MessageRef;
use crate::runtime::Owned;
use mailtide::{Event, Watch, WatchCloser, WatchEvent};
use pyo3::intern;
use pyo3::prelude::*;
use std::sync::Arc;
use tokio::sync::Mutex;

/// The handle of one watch. Dropping it ends the watch.
#[pyclass(frozen, module = "mailtide._native")]
pub struct NativeWatch {
    watch: Owned<Arc<Mutex<Watch>>>,
    closer: Owned<WatchCloser>,
    blocking: bool,
}

impl NativeWatch {
    pub fn new(watch: Watch, blocking: bool) -> Self {
        let closer = Owned::new(watch.closer());
        Self { watch: Owned::new(Arc::new(Mutex::new(watch))), closer, blocking }
    }
}

#[pymethods]
impl NativeWatch {
    /// Ends when the starting point is fixed.
    fn ready(&self, py: Python<'_>) -> PyResult<Call> {
        let watch = Arc::clone(self.watch.get().or_raise(py)?);
        Ok(Call::done(async move { watch.lock().await.ready().await }))
    }

    /// The next event; `None` after `close()`.
    fn next(&self, py: Python<'_>) -> PyResult<Call> {
        let watch = Arc::clone(self.watch.get().or_raise(py)?);
        let blocking = self.blocking;
        Ok(Call::then(async move { watch.lock().await.next().await }, move |py, event| match event {
            Some(event) => to_py(py, event, blocking),
            None => Ok(py.None()),
        }))
    }

    /// Ends the watch, from any task or thread.
    fn close(&self) {
        // In a forked child there is nothing to end.
        let _ = self.closer.get().map(WatchCloser::close);
    }
}

fn to_py(py: Python<'_>, event: WatchEvent, blocking: bool) -> PyResult<Py<PyAny>> {
    let events = py.import(intern!(py, "mailtide._events"))?;
    let class = |name: &str| events.getattr(name);
    let cursor = event.cursor.to_string();
    let made = match event.event {
        Event::New(message) => class("New")?.call1((Message::new(message, blocking), cursor)),
        Event::Flags { reference, added, removed } => {
            let (added, removed) = (flags::to_py(py, &added)?, flags::to_py(py, &removed)?);
            class("Flags")?.call1((MessageRef(reference), added, removed, cursor))
        }
        Event::Removed(reference) => class("Removed")?.call1((MessageRef(reference), cursor)),
        Event::Reset { mailbox, uid_validity } => class("Reset")?.call1((mailbox, uid_validity, cursor)),
        Event::Gap { mailbox } => class("Gap")?.call1((mailbox, cursor)),
        Event::Offline(error) => class("Offline")?.call1((errors::to_py(py, &error), cursor)),
        Event::Online => class("Online")?.call1((cursor,)),
        Event::MailboxAdded(mailbox) => class("MailboxAdded")?.call1((mailbox, cursor)),
        Event::MailboxChanged(mailbox) => class("MailboxChanged")?.call1((mailbox, cursor)),
        Event::MailboxRenamed { from, to } => class("MailboxRenamed")?.call1((from, to, cursor)),
        Event::MailboxGone(mailbox) => class("MailboxGone")?.call1((mailbox, cursor)),
        Event::Pending(id) => class("PendingChanged")?.call1((id, cursor)),
        Event::Outbox(id) => class("OutgoingChanged")?.call1((id, cursor)),
        other => Err(errors::unexpected(py, &format!("{other:?}"))),
    };
    made.map(Bound::unbind)
}
