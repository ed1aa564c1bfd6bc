//! What is done here: every local verb, its row, its journal entry and its feed entry in one transaction.
//!
//! A mailbox that mirrors a remote one has every change written into the journal as well, to reach the server when it
//! is there; one of our own has none. Nothing here asks the network, and nothing is ever taken back silently.

mod mailboxes;
mod messages;

pub(super) use mailboxes::clear_away;
pub use mailboxes::{create, delete, rename, subscribe};
pub use messages::{FlagDelta, append, copy, expunge, flag, move_to, restore};

use super::{Change, IntentId, MailboxId, MailboxRow, MailboxState, Now, PlacementRow, Writer};
use crate::error::{Code, MailError, Result};
use crate::imap::MailboxName;
use crate::journal::merge::{Merged, merge};
use crate::journal::{Digest, Entry, Intent, Landing, Place, Target};
use crate::planted::{Bug, planted};

/// Writes a change into the journal, merged with what waits there already, and into the feed what became of it.
fn journal(writer: &mut dyn Writer, intent: Intent, now: Now) -> Result<()> {
    let before = before(writer, &intent)?;
    let merged = merge(&before, intent);
    for mut entry in before.into_iter().filter(|entry| merged.superseded.contains(&entry.id)) {
        entry.state = Merged::ending();
        writer.update_intent(&entry, now.seconds())?;
        writer.insert_feed(now.seconds(), &Change::Intent { intent: IntentId(entry.id) })?;
    }
    let is_forgotten = !merged.superseded.is_empty() && planted(Bug::MergeForgotten);
    if let Some(intent) = merged.intent.filter(|_| !is_forgotten) {
        let intent = writer.insert_intent(&intent, now.seconds())?;
        writer.insert_feed(now.seconds(), &Change::Intent { intent })?;
    }
    match merged.rebind {
        Some((landing, uid_validity, uid)) => rebind(writer, &landing, uid_validity, uid),
        None => Ok(()),
    }
}

/// What a new intent may be merged with, and what waits for that: of ten thousand others nothing.
fn before(writer: &dyn Writer, intent: &Intent) -> Result<Vec<Entry>> {
    let Some(target) = intent.target() else { return writer.pending() };
    // Whatever is merged begins or arrives at the same placement.
    let mut found = writer.pending_at(MailboxId(target.mailbox.id), target.local)?;
    // What came from elsewhere is waited for by what happens to its original, and to the mailbox of that.
    let origins =
        found.iter().filter(|entry| entry.intent.landing().is_some()).filter_map(|entry| entry.intent.target());
    let origins: Vec<_> = origins.map(|origin| (MailboxId(origin.mailbox.id), origin.local)).collect();
    for (mailbox, local) in origins {
        if writer.mailbox(mailbox)?.is_none_or(|row| row.state == MailboxState::Gone) {
            return writer.pending();
        }
        found.extend(writer.pending_at(mailbox, local)?);
    }
    found.sort_by_key(|entry| entry.id);
    found.dedup_by_key(|entry| entry.id);
    Ok(found)
}

/// A message is back where the server has it, and has its number again.
fn rebind(writer: &mut dyn Writer, landing: &Landing, uid_validity: u32, uid: u32) -> Result<()> {
    let mailbox = MailboxId(landing.mailbox.id);
    let is_same = |row: MailboxRow| row.remote.is_some_and(|remote| remote.uid_validity == uid_validity);
    let (true, Some(mut row)) =
        (writer.mailbox(mailbox)?.is_some_and(is_same), writer.placement(mailbox, landing.local)?)
    else {
        return Ok(());
    };
    row.remote_uid = Some(uid);
    writer.update_placement(&row)
}

/// A mirroring mailbox as the journal names it; `None` for one of our own.
fn place(row: &MailboxRow) -> Option<Place> {
    let remote = row.remote.as_ref()?;
    Some(Place { id: row.id.0, name: MailboxName::from_server(remote.name.clone(), false) })
}

/// A placement as the journal names it.
fn target(writer: &dyn Writer, row: &PlacementRow, mailbox: &MailboxRow, place: Place) -> Result<Target> {
    let validity = mailbox.remote.as_ref().map(|remote| remote.uid_validity);
    Ok(Target {
        mailbox: place,
        local: row.uid,
        uid_validity: row.remote_uid.and(validity),
        uid: row.remote_uid,
        digest: digest_of(writer, row)?,
    })
}

fn landing(row: &PlacementRow, place: Place) -> Landing {
    Landing { mailbox: place, local: row.uid }
}

fn digest_of(writer: &dyn Writer, row: &PlacementRow) -> Result<Digest> {
    let missing = || MailError::new(Code::MessageMissing, "The message is no longer there");
    let id = row.message.ok_or_else(missing)?;
    let message = writer.message(id)?.ok_or_else(missing)?;
    if let Some(digest) = message.digest {
        return Ok(digest);
    }
    let headers = writer.headers(id)?.ok_or_else(missing)?;
    Ok(super::derive::digest(&headers.header, message.size, message.internal_date))
}
