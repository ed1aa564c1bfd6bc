//! IMAP's lexical layer, both directions, without I/O: lenient in what it reads, strict in what it writes.
//!
//! ```text
//! socket bytes -> Framer -> Event -> Assembler -> Frame -> Cursor -> values (in `imap`)
//! values (in `imap`) -> Encoder -> Command -> socket bytes
//! ```
//!
//! The [`Framer`] finds where a response ends and knows nothing of its meaning; large literals leave it in pieces of at
//! most [`PIECE`] bytes. The [`Cursor`] walks a [`Frame`] token by token. Both look at every byte a bounded number of
//! times, and neither allocates from a number that the peer has announced.

mod assemble;
mod cursor;
mod encode;
mod framer;
mod item;
mod line;
mod literal;
mod quoted;
#[cfg(test)]
pub(crate) mod tests;

pub use assemble::{Assembler, Frame, Octets};
pub use cursor::{Cursor, Value};
pub use encode::{Command, Encoder, Piece};
pub use framer::{Event, Framer, PIECE};
pub use literal::LiteralHeader;

use crate::error::{Code, MailError};
use std::fmt;

/// Why bytes could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WireError {
    /// A bound was exceeded; the stream cannot be read on.
    Limit(&'static str),
    /// One response does not follow the grammar; the next one can still be read.
    Malformed {
        /// What was expected.
        expected: &'static str,
        /// Where in the response, in bytes.
        at: usize,
    },
}

impl WireError {
    /// Whether the connection has to end with this.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Limit(_))
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(what) => write!(f, "The server exceeded the limit for {what}"),
            Self::Malformed { expected, at } => write!(f, "Expected {expected} at byte {at} of the response"),
        }
    }
}

impl std::error::Error for WireError {}

impl From<WireError> for MailError {
    fn from(error: WireError) -> Self {
        let code = if error.is_fatal() { Code::LimitExceeded } else { Code::ServerProtocol };
        MailError::new(code, error.to_string())
    }
}
