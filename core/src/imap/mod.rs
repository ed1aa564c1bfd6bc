//! The language: IMAP's commands, responses and data items (RFC 9051, RFC 3501), and its extensions.

mod body;
mod envelope;
mod fetch;
mod flag;
mod role;
mod set;

pub use body::{BodyStructure, Disposition};
pub use envelope::{Address, Envelope};
pub use fetch::{FetchRow, InternalDate, Section, SectionData};
pub use flag::Flag;
pub use role::Role;
pub use set::UidSet;
