//! The address of a message, and the outcome of a write on many messages.

use crate::error::MailError;
use std::fmt;
use std::sync::Arc;

/// The address of one message: it stays true as long as the mailbox keeps its UIDVALIDITY (RFC 9051 section 2.3.1.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageRef {
    /// The account, as `user@host`.
    pub account: Arc<str>,
    /// The mailbox's decoded name.
    pub mailbox: Arc<str>,
    /// The mailbox's UIDVALIDITY when the UID was learned.
    pub uid_validity: u32,
    /// The message's UID.
    pub uid: u32,
}

impl fmt::Display for MessageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{};UIDVALIDITY={}/;UID={}", self.account, self.mailbox, self.uid_validity, self.uid)
    }
}

/// One message that a write has reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The message as it was addressed.
    pub source: MessageRef,
    /// Where a copy or move has put it; `None` where the server does not say or nothing moved.
    pub target: Option<MessageRef>,
}

/// What a write on many messages has come to.
#[derive(Clone, Debug, Default)]
pub struct BulkResult {
    /// Messages for which the server confirmed it.
    pub done: Vec<Done>,
    /// Messages for which it did not happen, and why.
    pub failed: Vec<(MessageRef, MailError)>,
    /// Messages for which the connection was lost before the answer: it may or may not have happened.
    pub unknown: Vec<MessageRef>,
}

impl BulkResult {
    /// The result itself when all was done, else [`Code::BulkPartial`](crate::Code::BulkPartial) carrying it.
    pub fn complete(self) -> Result<Self, MailError> {
        if self.failed.is_empty() && self.unknown.is_empty() { Ok(self) } else { Err(MailError::partial(self)) }
    }
}
