//! The change feed as events: gap-free, and across restarts.

use super::Mail;
use super::fetch::load;
use super::select::reference;
use crate::bulk::MessageRef;
use crate::error::{Code, MailError, Result};
use crate::imap::{Flag, UidSet};
use crate::session::{FetchOptions, Message};
use crate::store::{Change, Cursor, MailboxId, MailboxRow, Reader, feed};
use crate::watch::Since;
use std::collections::{BTreeMap, VecDeque};

/// Entries of the feed that are read at once.
const BATCH: usize = 256;

/// Something that happened here, by a pass, by this process or by another.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum MailEvent {
    /// A message has come. One that is gone again by now is not told.
    New(Message),
    /// A message has other flags.
    Flags {
        /// Which.
        reference: MessageRef,
        /// All flags that it had then.
        flags: Vec<Flag>,
    },
    /// A message is gone.
    Removed(MessageRef),
    /// The mailbox has a new UIDVALIDITY: what is known of it means nothing any more.
    Reset {
        /// The mailbox.
        mailbox: String,
        /// Its UIDVALIDITY now.
        uid_validity: u32,
    },
    /// A mailbox is new.
    MailboxAdded(String),
    /// A mailbox has another state, role or subscription.
    MailboxChanged(String),
    /// A mailbox has another name.
    MailboxRenamed {
        /// Its name before.
        from: String,
        /// Its name now.
        to: String,
    },
    /// A mailbox is gone, with all in it.
    MailboxGone(String),
    /// A local change has another state; see [`Mail::pending`].
    Pending(i64),
    /// A message to be sent has another state; see [`Mail::outbox_entry`].
    Outbox(i64),
}

/// A [`MailEvent`] and where the feed stands after it.
#[derive(Clone, Debug)]
pub struct MailChange {
    /// What happened.
    pub event: MailEvent,
    /// Give it to [`Since::Cursor`] to go on after this event. Kept in one transaction with what was made of the event,
    /// each is seen exactly once.
    pub cursor: String,
}

/// The changes of a local mailbox, from [`Mail::changes`].
#[derive(Debug)]
pub struct MailChanges {
    mail: Mail,
    since: Since,
    cursor: Option<Cursor>,
    ready: VecDeque<MailChange>,
}

impl Mail {
    /// What has happened since a cursor, or from now on. [`Since::All`] is refused: fetch what is there, after asking for
    /// [`Mail::cursor`].
    #[must_use]
    pub fn changes(&self, since: Since) -> MailChanges {
        MailChanges { mail: self.clone(), since, cursor: None, ready: VecDeque::new() }
    }

    /// The place in the feed after everything that has happened.
    pub async fn cursor(&self) -> Result<String> {
        let handle = self.handle()?;
        let id = handle.store().id().clone();
        Ok(handle.read(move |reader| feed::now(reader, &id)).await?.to_string())
    }
}

impl MailChanges {
    /// The next change; waits for one. `None` after the mailbox was closed. The future may be dropped and the call made
    /// again: nothing is lost or doubled.
    ///
    /// # Errors
    ///
    /// [`Code::CursorExpired`] where the feed no longer reaches back to the cursor, or it is another store's.
    pub async fn next(&mut self) -> Result<Option<MailChange>> {
        let mut closing = self.mail.0.closing.subscribe();
        let mut changes = self.mail.0.handle.changes();
        loop {
            if self.mail.is_closed() {
                return Ok(None);
            }
            match self.ready_or_read().await {
                Ok(None) => {}
                // It was closed in between.
                Err(error) if error.code() == Code::UsageClosed => return Ok(None),
                ready => return ready,
            }
            tokio::select! {
                changed = changes.changed() => changed?,
                _ = closing.wait_for(|closed| *closed) => return Ok(None),
            }
        }
    }

    /// The next change that has happened already; `None` where there is none.
    ///
    /// # Errors
    ///
    /// As [`MailChanges::next`].
    pub async fn at_hand(&mut self) -> Result<Option<MailChange>> {
        self.ready_or_read().await
    }

    async fn ready_or_read(&mut self) -> Result<Option<MailChange>> {
        while self.ready.is_empty() {
            let cursor = self.begin().await?;
            let piece = self.mail.read_feed(cursor.clone()).await?;
            let is_end = piece.cursor == cursor;
            let (events, cursor) = self.mail.events(piece).await?;
            self.ready.extend(events);
            self.cursor = Some(cursor);
            if is_end {
                break;
            }
        }
        Ok(self.ready.pop_front())
    }

    async fn begin(&mut self) -> Result<Cursor> {
        if let Some(cursor) = &self.cursor {
            return Ok(cursor.clone());
        }
        let text = match &self.since {
            Since::Now => self.mail.cursor().await?,
            Since::Cursor(text) => text.clone(),
            Since::All => {
                let text = "The feed does not hold all that there is";
                return Err(MailError::new(Code::UsageArgument, text).hint("Take cursor(), fetch, then go on from it"));
            }
        };
        Ok(self.cursor.insert(Cursor::parse(&text)?).clone())
    }
}

/// A piece of the feed, with the mailboxes that it names as they are now.
struct Piece {
    rows: Vec<(Cursor, Change)>,
    mailboxes: BTreeMap<MailboxId, MailboxRow>,
    cursor: Cursor,
}

impl Mail {
    async fn read_feed(&self, cursor: Cursor) -> Result<Piece> {
        let handle = self.handle()?;
        let store = handle.store().id().clone();
        let read = move |reader: &dyn Reader| {
            let batch = feed::since(reader, &store, &cursor, BATCH)?;
            let mut mailboxes = BTreeMap::new();
            for id in batch.rows.iter().filter_map(|row| mailbox_of(&row.change)) {
                if let Some(row) = reader.mailbox(id)? {
                    mailboxes.insert(id, row);
                }
            }
            let at = |number| Cursor { store: store.clone(), number };
            let rows = batch.rows.into_iter().map(|row| (at(row.number), row.change)).collect();
            Ok(Piece { rows, mailboxes, cursor: batch.cursor })
        };
        handle.read(read).await
    }

    async fn events(&self, piece: Piece) -> Result<(Vec<MailChange>, Cursor)> {
        let mut new = self.arrived(&piece).await?;
        let mut events = Vec::new();
        for (cursor, change) in piece.rows {
            let row = mailbox_of(&change).and_then(|id| piece.mailboxes.get(&id));
            let event = event(self, change, row, &mut new);
            events.extend(event.map(|event| MailChange { event, cursor: cursor.to_string() }));
        }
        Ok((events, piece.cursor))
    }

    /// Messages that have come and are still here.
    async fn arrived(&self, piece: &Piece) -> Result<BTreeMap<(MailboxId, u32), Message>> {
        let mut wanted: BTreeMap<MailboxId, UidSet> = BTreeMap::new();
        for (_, change) in &piece.rows {
            if let Change::Added { mailbox, uid, .. } = change {
                wanted.entry(*mailbox).or_default().insert(*uid);
            }
        }
        let mut arrived = BTreeMap::new();
        for (id, uids) in wanted {
            let Some(row) = piece.mailboxes.get(&id) else { continue };
            let messages = load(self, row, &uids, &FetchOptions::default()).await?;
            arrived.extend(messages.into_iter().map(|message| ((id, message.uid()), message)));
        }
        Ok(arrived)
    }
}

fn mailbox_of(change: &Change) -> Option<MailboxId> {
    match change {
        Change::MailboxAdded { mailbox }
        | Change::MailboxChanged { mailbox }
        | Change::MailboxRenamed { mailbox, .. }
        | Change::MailboxGone { mailbox }
        | Change::MailboxReset { mailbox }
        | Change::Added { mailbox, .. }
        | Change::Flagged { mailbox, .. }
        | Change::Removed { mailbox, .. } => Some(*mailbox),
        _ => None,
    }
}

/// What is told of a change; `None` for bodies, which come and go without a message being another one.
fn event(
    mail: &Mail,
    change: Change,
    row: Option<&MailboxRow>,
    new: &mut BTreeMap<(MailboxId, u32), Message>,
) -> Option<MailEvent> {
    match change {
        Change::Intent { intent } => return Some(MailEvent::Pending(intent.0)),
        Change::Outbox { outbox } => return Some(MailEvent::Outbox(outbox.0)),
        _ => {}
    }
    let row = row?;
    let name = || row.name.clone();
    Some(match change {
        Change::MailboxAdded { .. } => MailEvent::MailboxAdded(name()),
        Change::MailboxChanged { .. } => MailEvent::MailboxChanged(name()),
        Change::MailboxRenamed { from, .. } => MailEvent::MailboxRenamed { from, to: name() },
        Change::MailboxGone { .. } => MailEvent::MailboxGone(name()),
        Change::MailboxReset { .. } => MailEvent::Reset { mailbox: name(), uid_validity: row.uid_validity },
        Change::Added { mailbox, uid, .. } => MailEvent::New(new.remove(&(mailbox, uid))?),
        Change::Flagged { uid, flags, .. } => {
            MailEvent::Flags { reference: reference(mail, row, uid), flags: flags.iter().collect() }
        }
        Change::Removed { uid, .. } => MailEvent::Removed(reference(mail, row, uid)),
        _ => return None,
    })
}
