//! What the user of a watch knows, and telling him what he does not: apart from how it is learnt.

use super::cursor::{Step, Told};
use super::diff::{Changes, diff};
use super::event::{Event, Since};
use super::live::Live;
use super::queue::{Entry, Queue};
use super::snapshot::Snapshot;
use crate::bulk::MessageRef;
use crate::error::{MailError, Result};
use crate::imap::{FetchRow, UidSet};
use crate::session::{Loaded, Mailbox, Message};
use std::sync::Arc;

/// Keeps what the user was told, over any number of connections.
pub(super) struct Teller<'a> {
    mailbox: &'a Mailbox,
    since: &'a Since,
    queue: &'a Queue,
    /// What he has been told, or will have been when he has emptied the queue; `None` before the first connection.
    told: Option<Snapshot>,
    /// Whether he knows that the connection is lost.
    offline: bool,
}

impl<'a> Teller<'a> {
    pub fn new(mailbox: &'a Mailbox, since: &'a Since, queue: &'a Queue) -> Self {
        Self { mailbox, since, queue, told: None, offline: false }
    }

    /// Whether the next connection has to bring everything that is there.
    pub fn needs_everything(&self) -> bool {
        matches!(self.since, Since::All) && self.told.is_none()
    }

    /// Where messages that he does not know begin.
    pub fn uid_next(&self) -> u32 {
        self.told.as_ref().map_or(1, |told| told.uid_next.max(1))
    }

    /// Messages that he does not know.
    pub fn unknown(&self, live: &Live) -> UidSet {
        self.told.as_ref().map(|told| diff(told, &live.tracker.seen).new).unwrap_or_default()
    }

    /// The connection was lost. He is told once, and only if the watch has stood before.
    pub fn lost(&mut self, error: &MailError) {
        if self.told.is_some() && !std::mem::replace(&mut self.offline, true) {
            self.queue.push([Entry { event: Event::Offline(error.clone()), step: None }]);
        }
    }

    /// A connection stands: fixes the point from which he is told, or says that it is back. What has changed meanwhile
    /// is for [`Teller::tell`], unless nothing that he knows means anything any more.
    pub fn connected(&mut self, live: &Live) -> Result<()> {
        if self.told.is_none() {
            self.begin(live)?;
        } else if std::mem::replace(&mut self.offline, false) {
            self.queue.push([Entry { event: Event::Online, step: None }]);
        }
        if self.told.as_ref().is_some_and(|told| told.uid_validity != live.tracker.seen.uid_validity) {
            self.reset(live);
        }
        Ok(())
    }

    /// Tells him what he does not know yet.
    pub fn tell(&mut self, live: &mut Live) -> Result<()> {
        live.check()?;
        let Some(told) = &self.told else { return Ok(()) };
        let changes = diff(told, &live.tracker.seen);
        let mut entries = self.entries(live, &changes);
        if std::mem::take(&mut live.gap) {
            entries.push(Entry { event: Event::Gap { mailbox: live.name.to_string() }, step: None });
        }
        live.tracker.arrived.clear();
        if !entries.is_empty() {
            self.told = Some(live.tracker.seen.clone());
            self.queue.push(entries);
        }
        Ok(())
    }

    fn begin(&mut self, live: &Live) -> Result<()> {
        let seen = &live.tracker.seen;
        let place: Arc<str> = format!("{}/{}", self.mailbox.session().label(), live.name).into();
        let told = match self.since {
            Since::Now => seen.clone(),
            Since::All => Snapshot::new(seen.uid_validity),
            Since::Cursor(cursor) => Told::read(cursor, &place)?,
        };
        self.queue.begin(place, &told);
        self.told = Some(told);
        Ok(())
    }

    fn reset(&mut self, live: &Live) {
        let seen = live.tracker.seen.clone();
        let event = Event::Reset { mailbox: live.name.to_string(), uid_validity: seen.uid_validity };
        self.queue.push([Entry { event, step: Some(Step::Replace(Arc::new(seen.clone()))) }]);
        self.told = Some(seen);
    }

    /// The changes as events: what is gone, then what is new, then flags.
    fn entries(&self, live: &mut Live, changes: &Changes) -> Vec<Entry> {
        let (name, uid_validity) = (Arc::clone(&live.name), live.tracker.seen.uid_validity);
        let reference = |uid| self.mailbox.reference(&name, uid_validity, uid);
        let mut entries = Vec::new();
        for uid in changes.removed.iter() {
            entries.push(Entry { event: Event::Removed(reference(uid)), step: Some(Step::Remove(uid)) });
        }
        for uid in changes.new.iter() {
            let step = Some(Step::Put(uid, live.tracker.seen.flags_of(uid)));
            let bare = || FetchRow { uid: Some(uid), ..FetchRow::default() };
            let row = live.tracker.arrived.remove(&uid).unwrap_or_else(bare);
            entries.push(Entry { event: Event::New(self.message(reference(uid), row)), step });
        }
        for (uid, (added, removed)) in &changes.flags {
            let step = Some(Step::Put(*uid, live.tracker.seen.flags_of(*uid)));
            let event = Event::Flags { reference: reference(*uid), added: added.clone(), removed: removed.clone() };
            entries.push(Entry { event, step });
        }
        entries
    }

    fn message(&self, reference: MessageRef, row: FetchRow) -> Message {
        Message::new(self.mailbox.clone(), reference, Box::new(row), Loaded::default())
    }
}
