//! The change feed of a local store, as the dataclasses of `mailtide/_changes.py`.

use crate::call::Call;
use crate::errors::{self, OrRaise};
use crate::flags;
use crate::message::Message;
use crate::reference::MessageRef;
use crate::runtime::Owned;
use mailtide::{MailChange, MailChanges, MailEvent, Result};
use pyo3::intern;
use pyo3::prelude::*;
use std::sync::Arc;
use tokio::sync::{Mutex, watch};

/// The handle of one feed. Dropping it ends it.
#[pyclass(frozen, module = "mailtide._native")]
pub struct NativeChanges {
    feed: Owned<Arc<Mutex<Feed>>>,
    closed: Owned<watch::Sender<bool>>,
    blocking: bool,
}

/// The feed, and what fixing its starting point has found already.
struct Feed {
    changes: MailChanges,
    found: Option<MailChange>,
}

impl Feed {
    async fn ready(&mut self) -> Result<()> {
        if self.found.is_none() {
            self.found = self.changes.at_hand().await?;
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<MailChange>> {
        match self.found.take() {
            Some(change) => Ok(Some(change)),
            None => self.changes.next().await,
        }
    }
}

impl NativeChanges {
    pub fn new(changes: MailChanges, blocking: bool) -> Self {
        let feed = Owned::new(Arc::new(Mutex::new(Feed { changes, found: None })));
        Self { feed, closed: Owned::new(watch::Sender::new(false)), blocking }
    }
}

#[pymethods]
impl NativeChanges {
    /// Ends when the starting point is fixed.
    fn ready(&self, py: Python<'_>) -> PyResult<Call> {
        let feed = Arc::clone(self.feed.get().or_raise(py)?);
        Ok(Call::done(async move { feed.lock().await.ready().await }))
    }

    /// The next change; `None` after `close()`, and after the store was closed.
    fn next(&self, py: Python<'_>) -> PyResult<Call> {
        let feed = Arc::clone(self.feed.get().or_raise(py)?);
        let mut closed = self.closed.get().or_raise(py)?.subscribe();
        let blocking = self.blocking;
        let next = async move {
            let mut feed = feed.lock().await;
            tokio::select! {
                change = feed.next() => change,
                _ = closed.wait_for(|closed| *closed) => Ok(None),
            }
        };
        Ok(Call::then(next, move |py, change| match change {
            Some(change) => to_py(py, change, blocking),
            None => Ok(py.None()),
        }))
    }

    /// Ends the feed, from any task or thread.
    fn close(&self) {
        // In a forked child there is nothing to end.
        let _ = self.closed.get().map(|closed| closed.send_replace(true));
    }
}

fn to_py(py: Python<'_>, change: MailChange, blocking: bool) -> PyResult<Py<PyAny>> {
    let (events, changes) = (py.import(intern!(py, "mailtide._events"))?, py.import(intern!(py, "mailtide._changes"))?);
    let (event, own) = (|name: &str| events.getattr(name), |name: &str| changes.getattr(name));
    let cursor = change.cursor;
    let made = match change.event {
        MailEvent::New(message) => event("New")?.call1((Message::new(message, blocking), cursor)),
        MailEvent::Flags { reference, flags } => {
            own("Flagged")?.call1((MessageRef(reference), flags::to_py(py, &flags)?, cursor))
        }
        MailEvent::Removed(reference) => event("Removed")?.call1((MessageRef(reference), cursor)),
        MailEvent::Reset { mailbox, uid_validity } => event("Reset")?.call1((mailbox, uid_validity, cursor)),
        MailEvent::MailboxAdded(mailbox) => own("MailboxAdded")?.call1((mailbox, cursor)),
        MailEvent::MailboxChanged(mailbox) => own("MailboxChanged")?.call1((mailbox, cursor)),
        MailEvent::MailboxRenamed { from, to } => own("MailboxRenamed")?.call1((from, to, cursor)),
        MailEvent::MailboxGone(mailbox) => own("MailboxGone")?.call1((mailbox, cursor)),
        MailEvent::Pending(id) => own("PendingChanged")?.call1((id, cursor)),
        MailEvent::Outbox(id) => own("OutgoingChanged")?.call1((id, cursor)),
        other => Err(errors::unexpected(py, &format!("{other:?}"))),
    };
    made.map(Bound::unbind)
}
