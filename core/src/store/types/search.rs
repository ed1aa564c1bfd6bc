//! What a search walks along, and the index of words as a store keeps it.

use super::{BodyId, MailboxId, MessageId, SegmentId, ThreadId};
use crate::store::Flags;

/// A segment of the index of words; see the room `index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentRow {
    /// Its id. Segments never change, so whatever is known of an id stays true.
    pub id: SegmentId,
    /// The bytes that it takes.
    pub bytes: u64,
}

/// A visible placement as a search walks over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchRow {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// Our UID.
    pub uid: u32,
    /// The message.
    pub message: MessageId,
    /// The flags, as they are seen here.
    pub flags: Flags,
}

/// What a search asks next of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchFacts {
    /// INTERNALDATE, in seconds since 1970.
    pub received: i64,
    /// RFC822.SIZE, in bytes.
    pub size: u64,
    /// The thread, once that is known.
    pub thread: Option<ThreadId>,
    /// The content, where it is here.
    pub body: Option<BodyId>,
}

/// Which placements a walk goes along. Only visible ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// Only those whose flags have these bits ([`Flags::bits`]).
    pub with: u32,
    /// Only those whose flags have none of these bits.
    pub without: u32,
    /// Largest UID first.
    pub newest_first: bool,
}
