//! The IMAP server: a [store](crate::store) for any mail client.
//!
//! ```text
//! bytes -> Wire (frames, literals) -> parse -> Command -> Session (one per connection, over store::Handle) -> bytes
//! ```
//!
//! - [`Server`] listens, and runs one task a connection; `connection` reads commands and writes answers, and knows
//!   neither mail nor store.
//! - `parse`, `command`, `numbers`, `view`, `reply`, `pattern` are values and functions of values.
//! - `session` is the state machine: not authenticated, authenticated, selected. What others have changed is told between
//!   commands, EXPUNGE only where numbers may change (RFC 9051 section 7.5.1).
//! - Changes go through [`store::change`](crate::store::change), so that they stand in the journal where an account is
//!   behind the store; nothing here knows a session with another server.

mod access;
mod append;
mod command;
mod connection;
mod copy;
mod expunge;
mod faulty;
mod fetch;
mod intake;
mod keep;
mod lately;
mod list;
mod listen;
mod login;
mod manage;
mod numbers;
mod options;
mod parse;
mod pattern;
mod refusals;
mod reply;
mod search;
mod select;
mod selected;
mod session;
mod sort;
mod status;
mod store;
mod tls;
mod users;
mod view;
mod wire;

pub(crate) use faulty::Faulty;
pub use faulty::{Fault, FaultKind};
pub use listen::Server;
pub(crate) use listen::store_in;
pub use options::{ServerOptions, ServerTls, TlsMode, TokenCheck};
pub use users::{AppPassword, ServerUser, Users};

pub(crate) use users::{app_login, generated};

use crate::store::Now;

/// Whether a line is a command; for fuzzing.
#[cfg(feature = "test-support")]
#[doc(hidden)]
#[must_use]
pub fn understands(line: &[u8], utf8: bool) -> bool {
    parse::command(&crate::wire::Frame::text(line.to_vec()), utf8).command.is_ok()
}

/// The moment.
fn now() -> Now {
    Now::from_millis(jiff::Timestamp::now().as_millisecond())
}

#[cfg(test)]
mod tests;
