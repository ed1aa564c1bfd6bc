//! From entries of the change feed to events.

use super::Mail;
use super::fetch::load;
use super::select::reference;
use crate::error::Result;
use crate::imap::UidSet;
use crate::session::{FetchOptions, Message};
use crate::store::{Change, Cursor, MailboxId, MailboxRow, Reader, feed};
use crate::watch::{Event, WatchCursor, WatchEvent};
use std::collections::BTreeMap;

/// A piece of the feed, with the mailboxes that it names as they are now.
pub(super) struct Piece {
    pub rows: Vec<(Cursor, Change)>,
    /// Where the feed goes on.
    pub cursor: Cursor,
    mailboxes: BTreeMap<MailboxId, MailboxRow>,
}

impl Piece {
    /// Reads at most `limit` entries after the cursor; only those of a mailbox, where one is given.
    pub async fn read(mail: &Mail, cursor: Cursor, (only, limit): (Option<MailboxId>, usize)) -> Result<Self> {
        let handle = mail.handle()?;
        let store = handle.store().id().clone();
        let read = move |reader: &dyn Reader| {
            let batch = feed::since(reader, &store, &cursor, limit)?;
            let wanted = |change: &Change| only.is_none_or(|only| mailbox_of(change) == Some(only));
            let mut mailboxes = BTreeMap::new();
            for id in batch.rows.iter().filter_map(|row| mailbox_of(&row.change)) {
                if let Some(row) = reader.mailbox(id)? {
                    mailboxes.insert(id, row);
                }
            }
            let at = |number| Cursor { store: store.clone(), number };
            let rows = batch.rows.into_iter().filter(|row| wanted(&row.change));
            let rows = rows.map(|row| (at(row.number), row.change)).collect();
            Ok(Self { rows, mailboxes, cursor: batch.cursor })
        };
        handle.read(read).await
    }

    /// The name of a mailbox that it tells of.
    pub fn name(&self, mailbox: MailboxId) -> Option<String> {
        self.mailboxes.get(&mailbox).map(|row| row.name.clone())
    }
}

/// What is told of a piece, in order.
pub(super) async fn events(mail: &Mail, piece: Piece) -> Result<Vec<WatchEvent>> {
    let mut new = arrived(mail, &piece).await?;
    let mut events = Vec::new();
    for (cursor, change) in piece.rows {
        let row = mailbox_of(&change).and_then(|id| piece.mailboxes.get(&id));
        let event = event(mail, change, row, &mut new);
        events.extend(event.map(|event| WatchEvent { event, cursor: WatchCursor::feed(&cursor.to_string()) }));
    }
    Ok(events)
}

/// Messages that have come and are still here.
async fn arrived(mail: &Mail, piece: &Piece) -> Result<BTreeMap<(MailboxId, u32), Message>> {
    let mut wanted: BTreeMap<MailboxId, UidSet> = BTreeMap::new();
    for (_, change) in &piece.rows {
        if let Change::Added { mailbox, uid, .. } = change {
            wanted.entry(*mailbox).or_default().insert(*uid);
        }
    }
    let mut arrived = BTreeMap::new();
    for (id, uids) in wanted {
        let Some(row) = piece.mailboxes.get(&id) else { continue };
        let messages = load(mail, row, &uids, &FetchOptions::default()).await?;
        arrived.extend(messages.into_iter().map(|message| ((id, message.uid()), message)));
    }
    Ok(arrived)
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
) -> Option<Event> {
    match change {
        Change::Intent { intent } => return Some(Event::Pending(intent.0)),
        Change::Outbox { outbox } => return Some(Event::Outbox(outbox.0)),
        _ => {}
    }
    let row = row?;
    let name = || row.name.clone();
    Some(match change {
        Change::MailboxAdded { .. } => Event::MailboxAdded(name()),
        Change::MailboxChanged { .. } => Event::MailboxChanged(name()),
        Change::MailboxRenamed { from, .. } => Event::MailboxRenamed { from, to: name() },
        Change::MailboxGone { .. } => Event::MailboxGone(name()),
        Change::MailboxReset { .. } => Event::Reset { mailbox: name(), uid_validity: row.uid_validity },
        Change::Added { mailbox, uid, .. } => Event::New(new.remove(&(mailbox, uid))?),
        Change::Flagged { uid, flags, before, .. } => Event::Flags {
            reference: reference(mail, row, uid),
            added: flags.difference(&before).iter().collect(),
            removed: before.difference(&flags).iter().collect(),
        },
        Change::Removed { uid, .. } => Event::Removed(reference(mail, row, uid)),
        _ => return None,
    })
}
