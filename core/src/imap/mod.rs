//! The language: IMAP's commands, responses and data items (RFC 9051, RFC 3501), and its extensions.
//!
//! Everything here is a value or a function of values: bytes that a server sent become a [`Response`]
//! ([`parse_response`]), and what is wanted becomes a [`wire::Command`](crate::wire::Command) ([`command`]). What a
//! server without some extension needs instead is a plan of [`extension`].

mod body;
mod capability;
pub mod command;
mod date;
mod envelope;
pub mod extension;
mod fetch;
mod flag;
mod label;
mod names;
mod parse;
pub mod quirk;
pub mod render;
mod response;
mod role;
mod search;
mod set;

pub use body::{BodyStructure, Disposition, StructureText};
pub use capability::{Capabilities, LiteralMode};
pub use date::{parse_day, search_date};
pub use envelope::{Address, AddressList, Envelope};
pub use fetch::{FetchRow, InternalDate, Section, SectionData};
pub use flag::Flag;
pub use label::Label;
pub use names::{INBOX, MailboxName, decode_name, encode_name};
pub use parse::parse_response;
pub use response::{
    Acl, Esearch, ListRights, ListRow, MailboxStatus, Metadata, MyRights, Namespace, Namespaces, Quota, QuotaResource,
    QuotaRoot, Response, ResponseCode, Status, StatusItems, StatusKind, ThreadNode, Untagged,
};
pub use role::Role;
pub use search::SearchKey;
pub use set::{UidList, UidSet};
