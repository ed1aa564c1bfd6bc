//! A modelled IMAP server: bytes in, bytes out, with time and chance as arguments.
//!
//! It is written from the RFCs and shares no code with the crate `mailtide`, so that one misreading cannot hide another.
//! It keeps what it did in a log that says who did it, which is what the oracle judges by.
//!
//! ```text
//! bytes -> reader (lines, literals) -> args (tokens) -> command (a file each) -> server (mailboxes, log) -> bytes
//! ```

mod append;
mod args;
mod changes;
mod command;
mod connection;
mod copy;
mod date;
mod extra;
mod fetch;
mod fetch_items;
mod fetch_rows;
mod list;
mod mailbox;
mod manage;
mod message;
mod mime;
mod reader;
mod search;
mod search_keys;
mod select;
mod server;
mod set;
mod status;
mod store;
mod structure;
mod text;

pub use connection::{Chunk, Connection, ConnectionId, Outgoing};
pub use date::Moment;
pub use mailbox::{Mailbox, Placement};
pub use message::Content;
pub use server::{Actor, Change, Entry, FOREIGN, Server, Tap, Traffic};
