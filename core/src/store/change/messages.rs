//! Local changes of messages.

use super::{digest_of, journal, landing, place, target};
use crate::error::{Code, MailError, Result};
use crate::imap::{Flag, UidSet};
use crate::journal::{Digest, Intent};
use crate::store::place::{New, Work};
use crate::store::{BodyId, Flags, MailboxId, MessageId, NewMessage, Now, PlacementRow, Writer, threads};

/// Flags to set and to take away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlagDelta {
    /// To set.
    pub add: Flags,
    /// To take away.
    pub remove: Flags,
}

impl FlagDelta {
    /// What gives these flags, and no others, to every one of `uids`.
    pub fn replacing(writer: &dyn Writer, mailbox: MailboxId, uids: &UidSet, flags: Flags) -> Result<Self> {
        let mut all = Flags::new();
        for row in writer.placements(mailbox, uids)? {
            all = all.union(&row.flags);
        }
        Ok(Self { remove: all.difference(&flags), add: flags })
    }
}

/// Changes flags of those of `uids` that are visible; the UIDs where something was different.
pub fn flag(writer: &mut dyn Writer, mailbox: MailboxId, uids: &UidSet, delta: &FlagDelta, now: Now) -> Result<UidSet> {
    let mut work = Work::begin(writer, mailbox, now)?;
    let mut changed = UidSet::new();
    for mut row in visible(writer, mailbox, uids)? {
        let add = delta.add.difference(&row.flags);
        let remove = row.flags.difference(&row.flags.difference(&delta.remove)).difference(&delta.add);
        if add.is_empty() && remove.is_empty() {
            continue;
        }
        let flags = row.flags.union(&add).difference(&remove);
        work.change_flags(writer, &mut row, flags)?;
        if let Some(place) = place(&work.row) {
            let target = target(writer, &row, &work.row, place)?;
            let intent = Intent::Flag { target, add: add.iter().collect(), remove: remove.iter().collect() };
            journal(writer, intent, now)?;
        }
        changed.insert(row.uid);
    }
    work.end(writer)?;
    Ok(changed)
}

/// Moves those of `uids` that are visible to another mailbox; their UIDs before and after.
///
/// Between a mirroring mailbox and one of our own the content has to be here: `body.not_here`.
pub fn move_to(
    writer: &mut dyn Writer,
    from: MailboxId,
    uids: &UidSet,
    to: MailboxId,
    now: Now,
) -> Result<Vec<(u32, u32)>> {
    if from == to {
        return Err(MailError::new(Code::UsageArgument, "The messages are in that mailbox already"));
    }
    let (mut source, mut target) = (Work::begin(writer, from, now)?, Work::begin(writer, to, now)?);
    let mut moved = Vec::new();
    for row in visible(writer, from, uids)? {
        let placed = transfer(writer, &row, (&source, &mut target), Transfer::Move, now)?;
        source.remove(writer, &row)?;
        moved.push((row.uid, placed.uid));
    }
    source.end(writer)?;
    target.end(writer)?;
    Ok(moved)
}

/// Copies those of `uids` that are visible to a mailbox, which may be the same one; UIDs of originals and copies.
///
/// Between a mirroring mailbox and one of our own the content has to be here: `body.not_here`.
pub fn copy(
    writer: &mut dyn Writer,
    from: MailboxId,
    uids: &UidSet,
    to: MailboxId,
    now: Now,
) -> Result<Vec<(u32, u32)>> {
    let (source, mut target) = (Work::begin(writer, from, now)?, Work::begin(writer, to, now)?);
    let mut copied = Vec::new();
    for row in visible(writer, from, uids)? {
        let placed = transfer(writer, &row, (&source, &mut target), Transfer::Copy, now)?;
        copied.push((row.uid, placed.uid));
    }
    target.end(writer)?;
    Ok(copied)
}

/// Removes those of `uids` that are visible, for good; which. Their contents stay restorable for 30 days.
pub fn expunge(writer: &mut dyn Writer, mailbox: MailboxId, uids: &UidSet, now: Now) -> Result<UidSet> {
    let mut work = Work::begin(writer, mailbox, now)?;
    let mut gone = UidSet::new();
    for row in visible(writer, mailbox, uids)? {
        if let Some(place) = place(&work.row) {
            let target = target(writer, &row, &work.row, place)?;
            journal(writer, Intent::Delete { target }, now)?;
        }
        work.remove(writer, &row)?;
        gone.insert(row.uid);
    }
    work.end(writer)?;
    Ok(gone)
}

/// Adds a message whose content is published already; its UID.
pub fn append(
    writer: &mut dyn Writer,
    to: MailboxId,
    (new, body): (&NewMessage, BodyId),
    flags: Flags,
    now: Now,
) -> Result<u32> {
    let mut work = Work::begin(writer, to, now)?;
    let message = writer.insert_message(new)?;
    threads::assign(writer, message, &new.links)?;
    writer.set_body(message, Some(body))?;
    let placed = work.add_new(writer, New { message, remote_uid: None, flags, agreed: None })?;
    upload(writer, &placed, &work, now)?;
    work.end(writer)?;
    Ok(placed.uid)
}

/// Places a message again that was deleted, while its content is still here (30 days), with the flags that it had where it
/// was last; its new UID. One that is placed somewhere is `usage.argument`, one whose content was never here `body.not_here`.
pub fn restore(writer: &mut dyn Writer, message: MessageId, to: MailboxId, now: Now) -> Result<u32> {
    let missing = || MailError::new(Code::MessageMissing, "The message is no longer there");
    let row = writer.message(message)?.ok_or_else(missing)?;
    if row.deleted_at.is_none() {
        return Err(MailError::new(Code::UsageArgument, "The message was not deleted: it is in a mailbox"));
    }
    if row.body.is_none() {
        let text = "The body of this message was not held here when it was deleted: it cannot be restored";
        return Err(MailError::new(Code::BodyNotHere, text));
    }
    let mut work = Work::begin(writer, to, now)?;
    let last = writer.tombstones_of(message)?.pop().map(|left| left.flags).unwrap_or_default();
    let flags = last.iter().filter(|flag| *flag != Flag::DELETED).collect();
    let placed = work.add(writer, New { message, remote_uid: None, flags, agreed: None })?;
    upload(writer, &placed, &work, now)?;
    work.end(writer)?;
    Ok(placed.uid)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Transfer {
    Move,
    Copy,
}

/// Places what `row` places in another mailbox, and writes into the journal what the server has to do for that.
fn transfer(
    writer: &mut dyn Writer,
    row: &PlacementRow,
    (source, to): (&Work, &mut Work),
    how: Transfer,
    now: Now,
) -> Result<PlacementRow> {
    let message = row.message.ok_or_else(|| MailError::from(Code::Internal))?;
    let (from_place, to_place) = (place(&source.row), place(&to.row));
    // The server keeps the flags of what it copies or moves, so both sides agree on them afterwards.
    let agreed = row.agreed.clone().filter(|_| from_place.is_some() && to_place.is_some());
    let placed = to.add(writer, New { message, remote_uid: None, flags: row.flags.clone(), agreed })?;
    match (from_place, to_place) {
        (Some(from), Some(place)) => {
            let (target, to) = (target(writer, row, &source.row, from)?, landing(&placed, place));
            let intent = match how {
                Transfer::Move => Intent::Move { target, to },
                Transfer::Copy => Intent::Copy { target, to },
            };
            journal(writer, intent, now)?;
        }
        (None, Some(_)) => upload(writer, &placed, to, now)?,
        (Some(from), None) => {
            held(writer, message)?;
            if how == Transfer::Move {
                let target = target(writer, row, &source.row, from)?;
                journal(writer, Intent::Delete { target }, now)?;
            }
        }
        (None, None) => {}
    }
    Ok(placed)
}

/// Writes into the journal that a placement is to be appended on the server, where its mailbox mirrors one.
fn upload(writer: &mut dyn Writer, placed: &PlacementRow, work: &Work, now: Now) -> Result<()> {
    let (Some(place), Some(message)) = (place(&work.row), placed.message) else { return Ok(()) };
    held(writer, message)?;
    let missing = || MailError::new(Code::MessageMissing, "The message is no longer there");
    let row = writer.message(message)?.ok_or_else(missing)?;
    let headers = writer.headers(message)?.ok_or_else(missing)?;
    let intent = Intent::Append {
        to: landing(placed, place),
        digest: digest_of(writer, placed)?,
        header: Digest::of_header(&headers.header),
        size: row.size,
        flags: placed.flags.iter().collect(),
        internal_date: Some(row.internal_date),
    };
    journal(writer, intent, now)
}

/// The content of a message that leaves the server, or has to go there, must be here.
fn held(writer: &dyn Writer, message: MessageId) -> Result<()> {
    match writer.message(message)? {
        Some(row) if row.body.is_some() => Ok(()),
        _ => Err(not_here()),
    }
}

fn not_here() -> MailError {
    MailError::new(Code::BodyNotHere, "The body of this message is not held here").hint("Fetch it first")
}

fn visible(writer: &dyn Writer, mailbox: MailboxId, uids: &UidSet) -> Result<Vec<PlacementRow>> {
    let rows = writer.placements(mailbox, uids)?;
    Ok(rows.into_iter().filter(|row| row.message.is_some()).collect())
}
