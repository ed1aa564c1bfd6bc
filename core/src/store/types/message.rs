//! Messages: what is the same wherever they are placed.

use super::{BodyId, ContentHash, MessageId, ThreadId};
use crate::imap::InternalDate;
use crate::journal::Digest;
use bytes::Bytes;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    /// Its id.
    pub id: MessageId,
    /// The thread it belongs to, once that is known.
    pub thread: Option<ThreadId>,
    /// RFC822.SIZE: what the server said, until the body is here and its true size is known.
    pub size: u64,
    /// INTERNALDATE.
    pub internal_date: InternalDate,
    /// What identifies it when UIDs no longer do: size, INTERNALDATE, Message-ID and header.
    pub digest: Option<Digest>,
    /// The hash of its bytes, once they are here.
    pub content: Option<ContentHash>,
    /// Where they are.
    pub body: Option<BodyId>,
    /// Its EMAILID on the server (RFC 8474), or X-GM-MSGID.
    pub email_id: Option<String>,
    /// Why the server's bytes for it were refused, where they were: another UID, another header. It is not asked for
    /// again by itself.
    pub problem: Option<String>,
    /// When its last placement went, in seconds since 1970: its content is restorable for 30 days (decision 5).
    pub deleted_at: Option<i64>,
}

impl MessageRow {
    /// What a list says of it.
    #[must_use]
    pub fn facts(&self) -> MessageFacts {
        MessageFacts { size: self.size, internal_date: self.internal_date, thread: self.thread }
    }
}

/// What a list says of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageFacts {
    /// See [`MessageRow::size`].
    pub size: u64,
    /// See [`MessageRow::internal_date`].
    pub internal_date: InternalDate,
    /// See [`MessageRow::thread`].
    pub thread: Option<ThreadId>,
}

/// What a new message begins with: all that makes it visible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage {
    /// See [`MessageRow::size`].
    pub size: u64,
    /// See [`MessageRow::internal_date`].
    pub internal_date: InternalDate,
    /// See [`MessageRow::digest`].
    pub digest: Option<Digest>,
    /// See [`MessageRow::email_id`].
    pub email_id: Option<String>,
    /// Its header and structure.
    pub headers: Headers,
    /// Its Message-ID and those it refers to.
    pub links: Vec<Link>,
}

/// What is known of a message without its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// The header, up to and with its empty line, as it came.
    pub header: Bytes,
    /// ENVELOPE, as IMAP text; empty where the server could not make one.
    pub envelope: Bytes,
    /// BODYSTRUCTURE, as IMAP text; empty where the server could not make one.
    pub body_structure: Bytes,
}

/// A Message-ID that a message has or refers to, for threads and for looking a message up.
///
/// Stores keep a hash of it: what is found must be compared with the header where that matters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    /// How.
    pub kind: LinkKind,
    /// The Message-ID with its angle brackets taken off, as it was written otherwise.
    pub id: String,
}

/// How a message names a Message-ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkKind {
    /// `Message-ID`: its own.
    Own,
    /// `In-Reply-To`.
    ReplyTo,
    /// `References`.
    Reference,
}
