//! What a client says (RFC 9051 section 6): functions from typed arguments to a
//! [`Command`](crate::wire::Command).
//!
//! No argument can become another command: each is written by the [`Encoder`] as atom, quoted string or literal by what
//! its bytes are, or refused. Messages are named by UID only, since sequence numbers move under whoever uses them.
//!
//! ```
//! use mailtide::imap::{MailboxName, command};
//! use mailtide::wire::Piece;
//!
//! let select = command::select(&MailboxName::new("Entwürfe", false), Default::default()).unwrap();
//! assert_eq!(select.pieces(), [Piece::Text(b"SELECT Entw&APw-rfe".to_vec())]);
//! ```

mod append;
mod fetch;
mod list;
mod mailbox;
mod message;
mod notify;
mod search;
mod session;

pub use append::{AppendBody, AppendMessage, append};
pub use fetch::{FetchItem, FetchModifiers, uid_fetch};
pub use list::{ListQuery, StatusItem, list, lsub, status};
pub use mailbox::{Known, SelectOptions, create, delete, rename, select, select_since, subscribe, unsubscribe};
pub use message::{StoreAction, StoreOptions, uid_copy, uid_expunge, uid_move, uid_store, uid_store_labels};
pub use notify::{NotifyEvent, NotifyFilter, NotifyGroup, notify, notify_none};
pub use search::{SearchOptions, SearchReturn, uid_search};
pub use session::{capability, check, close, enable, id, idle, logout, namespace, noop, unselect};

use super::{Flag, MailboxName, UidSet};
use crate::error::{Code, MailError, Result};
use crate::wire::Encoder;

/// Longest set that is written into one command. With the command around it, it stays below what the strictest servers
/// read (about 8,000 bytes, Exchange; RFC 2683 section 3.2.1.5).
pub const SET_LENGTH: usize = 7000;

/// A mailbox's bytes, just as the server knows them.
fn mailbox<'e>(e: &'e mut Encoder, name: &MailboxName) -> Result<&'e mut Encoder> {
    e.astring(name.raw())
}

/// The messages that a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen<'a> {
    /// These.
    Uids(&'a UidSet),
    /// `$`: what the last search of this connection has saved (SEARCHRES, RFC 5182). It may be none.
    Saved,
}

impl<'a> From<&'a UidSet> for Chosen<'a> {
    fn from(uids: &'a UidSet) -> Self {
        Self::Uids(uids)
    }
}

/// A set of UIDs; none is refused, since an empty selection must never become every message.
fn uids<'e>(e: &'e mut Encoder, chosen: Chosen<'_>) -> Result<&'e mut Encoder> {
    match chosen {
        Chosen::Uids(uids) if uids.is_empty() => Err(MailError::new(Code::UsageSelection, "No message is selected")),
        Chosen::Uids(uids) => e.atom(&uids.to_string()),
        Chosen::Saved => Ok(e.word("$")),
    }
}

/// Flags in parentheses.
fn flags<'e>(e: &'e mut Encoder, flags: &[Flag]) -> Result<&'e mut Encoder> {
    e.list(|e| flags.iter().try_for_each(|flag| write_flag(e, flag)))
}

fn write_flag(e: &mut Encoder, flag: &Flag) -> Result<()> {
    if !flag.is_settable() {
        return Err(MailError::new(Code::UsageFlag, format!("The flag {:?} cannot be sent", flag.as_str())));
    }
    e.raw(flag.as_str()).map(drop)
}

#[cfg(test)]
mod tests;
