//! The change feed: what happened here, numbered without gaps in what a consumer sees.

use super::{BodyId, IntentId, MailboxId, MessageId, OutboxId, StoreId};
use crate::error::{Code, MailError, Result};
use crate::store::Flags;
use std::fmt;

/// A place in the feed: everything up to and with this number is known.
///
/// Its text is made to be kept by a consumer together with its own data.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The store whose feed it is.
    pub store: StoreId,
    /// The number of the last entry known; 0 before the first.
    pub number: u64,
}

impl Cursor {
    /// What [`Cursor`]'s `Display` wrote. Anything else is [`Code::UsageArgument`].
    pub fn parse(text: &str) -> Result<Self> {
        let parsed = text.split_once(':').and_then(|(store, number)| {
            let is_id = !store.is_empty() && store.bytes().all(|byte| byte.is_ascii_alphanumeric());
            Some(Self { store: StoreId(is_id.then(|| store.to_owned())?), number: number.parse().ok()? })
        });
        parsed.ok_or_else(|| MailError::new(Code::UsageArgument, "This is not a cursor of the change feed"))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.store, self.number)
    }
}

/// An entry of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedRow {
    /// Its number; larger than that of every earlier entry.
    pub number: u64,
    /// When it was made, in seconds since 1970.
    pub at: i64,
    /// What happened.
    pub change: Change,
}

/// What happened. UIDs are ours.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A mailbox is new.
    MailboxAdded {
        /// Which.
        mailbox: MailboxId,
    },
    /// A mailbox has another state, role or subscription.
    MailboxChanged {
        /// Which.
        mailbox: MailboxId,
    },
    /// A mailbox has another name.
    MailboxRenamed {
        /// Which.
        mailbox: MailboxId,
        /// The name before.
        from: String,
    },
    /// A mailbox is gone, with all in it.
    MailboxGone {
        /// Which.
        mailbox: MailboxId,
    },
    /// UIDs kept from before mean nothing now: our own map was lost.
    MailboxReset {
        /// Which.
        mailbox: MailboxId,
    },
    /// A message has come.
    Added {
        /// Where.
        mailbox: MailboxId,
        /// Our UID.
        uid: u32,
        /// The message.
        message: MessageId,
        /// Its flags then.
        flags: Flags,
    },
    /// A message has other flags.
    Flagged {
        /// Where.
        mailbox: MailboxId,
        /// Our UID.
        uid: u32,
        /// Its flags then.
        flags: Flags,
        /// Its flags before that.
        before: Flags,
    },
    /// A message is gone from a mailbox.
    Removed {
        /// Where.
        mailbox: MailboxId,
        /// Our UID.
        uid: u32,
        /// The message, restorable for 30 days where it is nowhere else.
        message: Option<MessageId>,
    },
    /// The body of a message is here.
    BodyHere {
        /// The message.
        message: MessageId,
        /// Its content.
        body: BodyId,
    },
    /// The body of a message was let go, to save room.
    BodyGone {
        /// The message.
        message: MessageId,
    },
    /// A local change has another state.
    Intent {
        /// Which.
        intent: IntentId,
    },
    /// A message to be sent has another state.
    Outbox {
        /// Which.
        outbox: OutboxId,
    },
}
