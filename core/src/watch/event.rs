//! What a watch tells, and how it is asked to.

use super::WatchCursor;
use crate::bulk::MessageRef;
use crate::error::MailError;
use crate::imap::Flag;
use crate::session::Message;

/// Options of [`Mailbox::watch`](crate::Mailbox::watch) and [`LocalMailbox::watch`](crate::LocalMailbox::watch).
#[derive(Clone, Debug, Default)]
pub struct WatchOptions {
    /// Where to begin.
    pub since: Since,
    /// Ask for changes this often, in seconds, where the server has no IDLE.
    pub poll_seconds: Option<u32>,
}

/// Where a watch begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Since {
    /// With what happens from now on.
    #[default]
    Now,
    /// With every message that is there, as `new`.
    All,
    /// Where the event with this cursor ended.
    Cursor(String),
}

/// Something that happened: in a watched mailbox, live or local, or anywhere in a store
/// ([`Mail::changes`](crate::Mail::changes)).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A message has arrived. Of a store, one that is gone again by now is not told.
    New(Message),
    /// Flags of a message have changed.
    Flags {
        /// Which.
        reference: MessageRef,
        /// Flags it has now and had not.
        added: Vec<Flag>,
        /// Flags it had and has no longer.
        removed: Vec<Flag>,
    },
    /// A message is gone.
    Removed(MessageRef),
    /// The mailbox has a new UIDVALIDITY: what is known of it means nothing any more.
    Reset {
        /// The mailbox.
        mailbox: String,
        /// Its new UIDVALIDITY.
        uid_validity: u32,
    },
    /// Changes may have been missed; what is there now should be read again. A store has no gaps: a cursor that is too
    /// old is [`Code::CursorExpired`](crate::Code::CursorExpired).
    Gap {
        /// The mailbox.
        mailbox: String,
    },
    /// The connection was lost; it is being made anew. Of a store: [`Mail::keep_in_sync`](crate::Mail::keep_in_sync)
    /// cannot reach the server.
    Offline(MailError),
    /// The connection is back.
    Online,
    /// A mailbox is new. This and what follows is told of a store alone.
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
    /// A local change has another state; see [`Mail::pending`](crate::Mail::pending).
    Pending(i64),
    /// A message to be sent has another state; see [`Mail::outgoing`](crate::Mail::outgoing).
    Outbox(i64),
}

/// An [`Event`] and where the watch stands after it.
#[derive(Clone, Debug)]
pub struct WatchEvent {
    /// What happened.
    pub event: Event,
    /// Give it to [`Since::Cursor`] to go on after this event. Kept in one transaction with what was made of the event,
    /// each event of a store is seen exactly once.
    pub cursor: WatchCursor,
}
