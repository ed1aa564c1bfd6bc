//! What a watch tells, and how it is asked to.

use super::WatchCursor;
use crate::bulk::MessageRef;
use crate::error::MailError;
use crate::imap::Flag;
use crate::session::Message;

/// Options of [`Mailbox::watch`](crate::Mailbox::watch).
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

/// Something that happened in a watched mailbox.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A message has arrived.
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
    /// Changes may have been missed; what is there now should be read again.
    Gap {
        /// The mailbox.
        mailbox: String,
    },
    /// The connection was lost; it is being made anew.
    Offline(MailError),
    /// The connection is back.
    Online,
}

/// An [`Event`] and where the watch stands after it.
#[derive(Clone, Debug)]
pub struct WatchEvent {
    /// What happened.
    pub event: Event,
    /// Give it to [`Since::Cursor`] to go on after this event.
    pub cursor: WatchCursor,
}
