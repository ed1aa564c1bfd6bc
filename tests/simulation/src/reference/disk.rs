//! What the reference engine keeps: values in memory that change in transactions, and a process that can die at each.

use super::bug::Bug;
use super::{Result, Stop};
use crate::device::{Fate, LocalId, Note, Sent, Ticket};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A mailbox.
#[derive(Clone, Debug)]
pub struct Mailbox {
    pub id: u64,
    pub name: String,
    pub uid_validity: Option<u32>,
    pub modseq: u64,
    /// How many lists in a row have not shown it.
    pub absent: u8,
    /// Whether the server has ever shown it.
    pub remote: bool,
}

/// A message in a mailbox.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub mailbox: u64,
    pub uid: Option<u32>,
    pub flags: BTreeSet<String>,
    pub size: usize,
    pub date: String,
    pub envelope: Vec<u8>,
    pub body: Option<Arc<Vec<u8>>>,
    /// Whether the last whole list did not show it.
    pub missing: bool,
    /// How many lists have not shown what became of it when UIDs changed.
    pub lost: u8,
    /// Whether it is to be deleted.
    pub hidden: bool,
}

/// Where a message was before it was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    pub mailbox: u64,
    /// The UIDVALIDITY under which the UID means it.
    pub uid_validity: Option<u32>,
    pub uid: Option<u32>,
}

/// What the server is to be told.
#[derive(Clone, Debug)]
pub enum Kind {
    Flag { flag: String, set: bool },
    Move { from: Origin, to: u64 },
    Copy { source: LocalId, to: u64 },
    Delete,
    Append { to: u64 },
    Create { name: String },
    Send { bytes: Arc<Vec<u8>> },
}

/// What stood in the way of a message that arrives, before it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before {
    pub uid_validity: u32,
    pub uid_next: u32,
}

/// A local change.
#[derive(Clone, Debug)]
pub struct Intent {
    pub row: LocalId,
    pub kind: Kind,
    pub fate: Fate,
    pub tries: u8,
    /// Written down before the command that brings the message.
    pub begun: Option<Before>,
    /// Whether the server did not show the message at the last attempt.
    pub unseen: bool,
    /// Whether the copy of a move has arrived.
    pub copied: bool,
}

/// A message to be sent.
#[derive(Clone, Debug)]
pub struct Mail {
    pub bytes: Arc<Vec<u8>>,
    pub state: Sent,
    /// Whether the final dot may have left.
    pub dot: bool,
}

/// Everything that is kept.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    pub mailboxes: Vec<Mailbox>,
    pub rows: BTreeMap<LocalId, Row>,
    pub intents: BTreeMap<Ticket, Intent>,
    pub outbox: BTreeMap<Ticket, Mail>,
    pub feed: Vec<Note>,
    pub audited: Option<i64>,
    next: u64,
    reuses: bool,
}

/// The disk, and the process that writes to it.
pub struct Store {
    pub disk: Disk,
    dies_at: Option<u32>,
    fails_at: Option<u32>,
    bug: Option<Bug>,
}

impl Store {
    pub fn new(bug: Option<Bug>) -> Self {
        let disk = Disk { next: 1, reuses: bug == Some(Bug::RowidReuse), ..Disk::default() };
        Self { disk, dies_at: None, fails_at: None, bug }
    }

    pub fn fail_at(&mut self, call: Option<u32>) {
        self.fails_at = call;
    }

    pub fn crash_at(&mut self, call: Option<u32>) {
        self.dies_at = call;
    }

    /// One transaction; the process dies before it or, every other time, right after it.
    pub fn write<T>(&mut self, work: impl FnOnce(&mut Disk) -> T) -> Result<T> {
        if is_now(&mut self.dies_at) {
            return Err(Stop::Crash);
        }
        if is_now(&mut self.fails_at) {
            return Err(Stop::Lost("the disk is of no use just now".to_owned()));
        }
        let before = self.disk.visible();
        let result = work(&mut self.disk);
        if self.bug == Some(Bug::FeedApart) && self.dies_at == Some(0) {
            return Err(Stop::Crash);
        }
        self.tell(&before);
        Ok(result)
    }

    /// More of the transaction that was written last.
    pub fn amend<T>(&mut self, work: impl FnOnce(&mut Disk) -> T) -> T {
        let before = self.disk.visible();
        let result = work(&mut self.disk);
        self.tell(&before);
        result
    }

    /// Writes into the feed what is to be seen otherwise than before.
    fn tell(&mut self, before: &BTreeMap<LocalId, BTreeSet<String>>) {
        let after = self.disk.visible();
        let gone = before.keys().filter(|id| !after.contains_key(id)).map(|id| Note::Gone { id: *id });
        let there = after.iter().filter(|(id, flags)| before.get(id) != Some(flags));
        let there = there.map(|(id, flags)| Note::There { id: *id, flags: flags.clone() });
        let notes: Vec<Note> = gone.chain(there).collect();
        self.disk.feed.extend(notes);
    }
}

/// Whether the call that something waits for is this one.
fn is_now(left: &mut Option<u32>) -> bool {
    let is_now = *left == Some(0);
    *left = left.map(|left| left.saturating_sub(1));
    is_now
}

impl Disk {
    fn visible(&self) -> BTreeMap<LocalId, BTreeSet<String>> {
        let rows = self.rows.iter().filter(|(_, row)| !row.hidden);
        rows.map(|(id, row)| (*id, row.flags.clone())).collect()
    }

    pub fn validity_of(&self, id: u64) -> Option<u32> {
        self.mailboxes.iter().find(|m| m.id == id).and_then(|m| m.uid_validity)
    }

    pub fn named(&self, name: &str) -> Option<&Mailbox> {
        self.mailboxes.iter().find(|m| m.name == name)
    }

    pub fn mailbox(&mut self, id: u64) -> Option<&mut Mailbox> {
        self.mailboxes.iter_mut().find(|m| m.id == id)
    }

    pub fn name_of(&self, id: u64) -> Option<String> {
        self.mailboxes.iter().find(|m| m.id == id).map(|m| m.name.clone())
    }

    pub fn add_mailbox(&mut self, name: &str) -> u64 {
        let id = self.fresh();
        let new = Mailbox { id, name: name.to_owned(), uid_validity: None, modseq: 0, absent: 0, remote: false };
        self.mailboxes.push(new);
        id
    }

    pub fn add(&mut self, row: Row) -> LocalId {
        let id = if self.reuses { self.rows.keys().next_back().map_or(1, |id| id + 1) } else { self.fresh() };
        self.rows.insert(id, row);
        id
    }

    pub fn journal(&mut self, intent: Intent) -> Ticket {
        let ticket = self.fresh();
        match intent.kind {
            Kind::Send { bytes } => drop(self.outbox.insert(ticket, Mail { bytes, state: Sent::Queued, dot: false })),
            _ => drop(self.intents.insert(ticket, intent)),
        }
        ticket
    }

    fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Local changes that the server has not, in their order.
    pub fn pending(&self) -> impl Iterator<Item = (Ticket, &Intent)> {
        self.intents.iter().filter(|(_, intent)| intent.fate == Fate::Pending).map(|(ticket, intent)| (*ticket, intent))
    }

    /// The flags of a row where the server has `remote`: those, and what is still to be sent.
    pub fn merged(&self, row: LocalId, remote: &BTreeSet<String>) -> BTreeSet<String> {
        let mut flags = remote.clone();
        for (_, intent) in self.pending().filter(|(_, intent)| intent.row == row) {
            if let Kind::Flag { flag, set } = &intent.kind {
                set_flag(&mut flags, flag, *set);
            }
        }
        flags
    }
}

impl Row {
    pub fn local(mailbox: u64, body: Arc<Vec<u8>>, flags: BTreeSet<String>) -> Self {
        Self { mailbox, size: body.len(), body: Some(body), flags, ..Self::default() }
    }
}

impl Intent {
    pub fn new(row: LocalId, kind: Kind) -> Self {
        Self { row, kind, fate: Fate::Pending, tries: 0, begun: None, unseen: false, copied: false }
    }
}

/// Sets a flag or takes it away, in any case.
pub fn set_flag(flags: &mut BTreeSet<String>, flag: &str, set: bool) {
    flags.retain(|f| !f.eq_ignore_ascii_case(flag));
    if set {
        flags.insert(flag.to_owned());
    }
}
