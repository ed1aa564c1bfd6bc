//! FETCH data items (RFC 9051 section 7.5.2).

use super::{BodyStructure, Envelope, Flag};
use crate::wire::{Octets, Value};
use bytes::Bytes;
use std::fmt;

/// One `* n FETCH (…)`, typed where a standard defines the item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetchRow {
    /// Message sequence number, as of now (0 under UIDONLY, RFC 9586).
    pub seq: u32,
    /// `UID`.
    pub uid: Option<u32>,
    /// `FLAGS`.
    pub flags: Option<Vec<Flag>>,
    /// `INTERNALDATE`; absent where the server sent `NIL` or nonsense.
    pub internal_date: Option<InternalDate>,
    /// `RFC822.SIZE`, in octets.
    pub size: Option<u64>,
    /// `ENVELOPE`.
    pub envelope: Option<Envelope>,
    /// `BODYSTRUCTURE`, or `BODY` without a section.
    pub body_structure: Option<BodyStructure>,
    /// `MODSEQ` (RFC 7162).
    pub mod_seq: Option<u64>,
    /// `BODY[…]`, `BINARY[…]`, `RFC822`, `RFC822.HEADER`, `RFC822.TEXT`.
    pub sections: Vec<SectionData>,
    /// `EMAILID` (RFC 8474).
    pub email_id: Option<Bytes>,
    /// `THREADID` (RFC 8474).
    pub thread_id: Option<Bytes>,
    /// `PREVIEW` (RFC 8970).
    pub preview: Option<Bytes>,
    /// `SAVEDATE` (RFC 8514).
    pub save_date: Option<InternalDate>,
    /// What no standard known here defines: item name and value.
    pub other: Vec<(Bytes, Value)>,
    /// Items that could not be read: item name and what was wrong. The rest of the row stands.
    pub problems: Vec<(Bytes, String)>,
}

/// Which part of a message, as in `BODY[1.2.MIME]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Section {
    /// Part numbers; empty for the whole message.
    pub path: Vec<u32>,
    /// `HEADER`, `TEXT`, `MIME`, `HEADER.FIELDS (…)`, upper-cased; empty for the content itself.
    pub text: String,
    /// Whether it was asked as `BINARY[…]`: transfer encoding taken off by the server.
    pub binary: bool,
}

/// What stands between the brackets: `1.2.MIME`.
impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, number) in self.path.iter().enumerate() {
            write!(f, "{}{number}", if at == 0 { "" } else { "." })?;
        }
        let dot = if self.path.is_empty() || self.text.is_empty() { "" } else { "." };
        write!(f, "{dot}{}", self.text)
    }
}

/// The content of one section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionData {
    /// Which.
    pub section: Section,
    /// Offset of a partial fetch, in bytes.
    pub origin: Option<u64>,
    /// The bytes; `None` for `NIL`: there is no such part.
    pub data: Option<Octets>,
}

/// A date, time and zone as IMAP writes it (`"17-Jul-1996 02:44:25 -0700"`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InternalDate {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub seconds: i64,
    /// Offset of the zone it was written in, in minutes east of UTC.
    pub offset: i16,
}
