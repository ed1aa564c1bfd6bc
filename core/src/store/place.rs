//! What local changes and arrivals have in common: giving UIDs and MODSEQs, taking placements away.

use super::{Change, Flags, MailboxId, MailboxRow, MessageId, Now, PlacementRow, Tombstone, Writer};
use crate::error::{Code, MailError, Result};
use crate::planted::{Bug, planted};

/// A mailbox that messages are put in or taken from; written back when it is done with.
pub(super) struct Work {
    pub(super) row: MailboxRow,
    /// As it is in the store.
    written: MailboxRow,
    now: Now,
}

impl Work {
    /// The mailbox; `mailbox.missing` where there is none, or it is gone.
    pub(super) fn begin(writer: &dyn Writer, mailbox: MailboxId, now: Now) -> Result<Self> {
        let row = writer.mailbox(mailbox)?.filter(|row| row.state != super::MailboxState::Gone);
        let missing = || MailError::new(Code::MailboxMissing, "There is no such mailbox");
        let row = row.ok_or_else(missing)?;
        Ok(Self { written: row.clone(), row, now })
    }

    /// Writes what has changed of the mailbox, which is most often its numbers alone.
    pub(super) fn end(mut self, writer: &mut dyn Writer) -> Result<()> {
        if self.written == self.row {
            return Ok(());
        }
        (self.written.uid_next, self.written.mod_seq) = (self.row.uid_next, self.row.mod_seq);
        match self.written == self.row {
            true => writer.advance_mailbox(self.row.id, self.row.uid_next, self.row.mod_seq),
            false => writer.update_mailbox(&self.row),
        }
    }

    /// A MODSEQ larger than all before (RFC 7162 section 3.1).
    pub(super) fn next_mod_seq(&mut self) -> u64 {
        self.row.mod_seq += 1;
        self.row.mod_seq
    }

    /// A UID that was never given here.
    pub(super) fn next_uid(&mut self) -> Result<u32> {
        let uid = self.row.uid_next;
        self.row.uid_next = uid.checked_add(1).ok_or_else(|| {
            MailError::new(Code::LimitExceeded, "The mailbox has no UIDs left").in_mailbox(&self.row.name)
        })?;
        Ok(uid)
    }

    /// Places a message under the next UID that may have been deleted.
    pub(super) fn add(&mut self, writer: &mut dyn Writer, new: New) -> Result<PlacementRow> {
        revive(writer, new.message)?;
        self.add_new(writer, new)
    }

    /// The same of one that has just been inserted.
    pub(super) fn add_new(&mut self, writer: &mut dyn Writer, new: New) -> Result<PlacementRow> {
        let row = PlacementRow {
            mailbox: self.row.id,
            uid: self.next_uid()?,
            remote_uid: new.remote_uid,
            message: Some(new.message),
            flags: new.flags,
            agreed: new.agreed,
            mod_seq: self.next_mod_seq(),
            save_date: self.now.seconds(),
        };
        writer.insert_placement(&row)?;
        self.tell_added(writer, &row)?;
        Ok(row)
    }

    /// Gives a placement other flags: written, with a MODSEQ of its own, and told in the feed.
    pub(super) fn change_flags(&mut self, writer: &mut dyn Writer, row: &mut PlacementRow, flags: Flags) -> Result<()> {
        let before = std::mem::replace(&mut row.flags, flags);
        row.mod_seq = self.next_mod_seq();
        writer.update_placement(row)?;
        if planted(Bug::FeedForgotten) {
            return Ok(());
        }
        let change = Change::Flagged { mailbox: self.row.id, uid: row.uid, flags: row.flags.clone(), before };
        self.tell(writer, &change)
    }

    /// Takes a placement away at once: tombstone, feed entry; the content of a message that is nowhere else stays
    /// restorable (decision 5).
    pub(super) fn remove(&mut self, writer: &mut dyn Writer, row: &PlacementRow) -> Result<()> {
        writer.delete_placement(row.mailbox, row.uid)?;
        if planted(Bug::UidReuse) && row.uid + 1 == self.row.uid_next {
            self.row.uid_next = row.uid;
        }
        // What was only reserved nobody has seen.
        let Some(message) = row.message else { return Ok(()) };
        let PlacementRow { mailbox, uid, remote_uid, .. } = *row;
        let (flags, mod_seq, at) = (row.flags.clone(), self.next_mod_seq(), self.now.seconds());
        writer.insert_tombstone(&Tombstone { mailbox, uid, remote_uid, message: row.message, flags, mod_seq, at })?;
        self.tell(writer, &Change::Removed { mailbox, uid, message: row.message })?;
        bury(writer, message, self.now)
    }

    pub(super) fn tell_added(&self, writer: &mut dyn Writer, row: &PlacementRow) -> Result<()> {
        let Some(message) = row.message else { return Ok(()) };
        let (mailbox, uid, flags) = (row.mailbox, row.uid, row.flags.clone());
        self.tell(writer, &Change::Added { mailbox, uid, message, flags })
    }

    pub(super) fn tell(&self, writer: &mut dyn Writer, change: &Change) -> Result<()> {
        writer.insert_feed(self.now.seconds(), change).map(drop)
    }
}

/// What is placed by [`Work::add`].
pub(super) struct New {
    pub(super) message: MessageId,
    pub(super) remote_uid: Option<u32>,
    pub(super) flags: Flags,
    pub(super) agreed: Option<Flags>,
}

/// A message that is placed nowhere now was deleted now.
fn bury(writer: &mut dyn Writer, message: MessageId, now: Now) -> Result<()> {
    if !writer.placements_of(message)?.is_empty() {
        return Ok(());
    }
    let Some(mut row) = writer.message(message)? else { return Ok(()) };
    row.deleted_at = Some(now.seconds());
    writer.update_message(&row)
}

/// A message that is placed again was not deleted.
pub(super) fn revive(writer: &mut dyn Writer, message: MessageId) -> Result<()> {
    match writer.message(message)? {
        Some(mut row) if row.deleted_at.is_some() => {
            row.deleted_at = None;
            writer.update_message(&row)
        }
        Some(_) => Ok(()),
        None => Err(MailError::new(Code::MessageMissing, "The message is no longer there")),
    }
}
