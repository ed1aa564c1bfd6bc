//! Placements: a message in a mailbox; and what is left when one is gone.

use super::{Frame, Headers, MailboxId, MessageFacts, MessageId, MessageRow};
use crate::error::Result;
use crate::store::{Flags, Reader};

/// A UID in a mailbox.
///
/// Without a message it is reserved: its number is taken, nothing of it is visible yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacementRow {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// Our UID. Unique in the mailbox, never given again.
    pub uid: u32,
    /// The server's UID, under the remote UIDVALIDITY of the mailbox; `None` while the server has not got it yet, or
    /// has it no longer under a number we know. Unique in the mailbox.
    pub remote_uid: Option<u32>,
    /// The message; `None` while the UID is only reserved.
    pub message: Option<MessageId>,
    /// The flags, as they are seen here.
    pub flags: Flags,
    /// The flags that both sides last agreed on; `None` where they never have. What differs from `flags` is local and
    /// stands in the journal.
    pub agreed: Option<Flags>,
    /// The MODSEQ of its last change (RFC 7162).
    pub mod_seq: u64,
    /// When it came into this mailbox (SAVEDATE, RFC 8514), in seconds since 1970.
    pub save_date: i64,
}

/// A visible message as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRow {
    /// Where it is.
    pub placement: PlacementRow,
    /// What it is.
    pub message: MessageRow,
}

/// A visible message, with what was asked for of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownRow {
    /// Where it is.
    pub placement: PlacementRow,
    /// The message.
    pub message: MessageId,
    /// What [`ShownParts::facts`] asks for.
    pub facts: Option<MessageFacts>,
    /// What [`ShownParts::headers`] asks for, as it is stored: see [`Reader::unpack_headers`](crate::store::Reader).
    pub headers: Option<Frame>,
}

impl ShownRow {
    /// Its size, date and thread, whether they were asked for or not; `None` where the message is gone.
    pub fn read_facts(&self, reader: &dyn Reader) -> Result<Option<MessageFacts>> {
        match self.facts {
            Some(facts) => Ok(Some(facts)),
            None => Ok(reader.message(self.message)?.map(|row| row.facts())),
        }
    }

    /// Its headers, whether they were asked for or not; `None` where the message is gone.
    pub fn read_headers(&self, reader: &dyn Reader) -> Result<Option<Headers>> {
        match &self.headers {
            Some(frame) => reader.unpack_headers(frame).map(Some),
            None => reader.headers(self.message),
        }
    }
}

/// What is read of messages together with their placements, instead of asking for it one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShownParts {
    /// Size, date and thread.
    pub facts: bool,
    /// Header, ENVELOPE and BODYSTRUCTURE.
    pub headers: bool,
}

/// A piece of a list, by UID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Only UIDs strictly beyond this one, in the direction of the page; `None` from the beginning.
    pub after: Option<u32>,
    /// Most rows.
    pub limit: usize,
    /// Largest UID first.
    pub newest_first: bool,
}

/// A body that is not here yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// Our UID.
    pub uid: u32,
    /// The server's UID.
    pub remote_uid: u32,
    /// The message.
    pub message: MessageId,
    /// Its size as the server said, in bytes.
    pub size: u64,
    /// Its INTERNALDATE, in seconds since 1970.
    pub date: i64,
}

/// A placement by its mailbox and our UID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Local {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// Our UID.
    pub uid: u32,
}

/// What is left of a placement (QRESYNC, RFC 7162 section 3.2.10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// Our UID.
    pub uid: u32,
    /// The server's UID, where it had one.
    pub remote_uid: Option<u32>,
    /// The message, while it is restorable.
    pub message: Option<MessageId>,
    /// The flags that it had.
    pub flags: Flags,
    /// The MODSEQ of the expunge.
    pub mod_seq: u64,
    /// When, in seconds since 1970.
    pub at: i64,
}
