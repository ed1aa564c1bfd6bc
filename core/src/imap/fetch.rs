//! FETCH data items (RFC 9051 section 7.5.2).

use super::{Envelope, Flag, StructureText};
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
    pub body_structure: Option<StructureText>,
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

impl FetchRow {
    /// Whether it tells more than flags and their MODSEQ, which servers send unasked.
    #[must_use]
    pub fn is_more_than_flags(&self) -> bool {
        let Self { internal_date, size, envelope, body_structure, sections, email_id, thread_id, .. } = self;
        let Self { preview, save_date, other, problems, flags, .. } = self;
        internal_date.is_some()
            || size.is_some()
            || envelope.is_some()
            || body_structure.is_some()
            || !sections.is_empty()
            || email_id.is_some()
            || thread_id.is_some()
            || preview.is_some()
            || save_date.is_some()
            || !other.is_empty()
            || !problems.is_empty()
            || flags.is_none()
    }

    /// Adds what another row says of the same message. What both say, the later one says.
    pub fn merge(&mut self, later: Self) {
        self.seq = later.seq;
        self.flags = later.flags.or(self.flags.take());
        self.internal_date = later.internal_date.or(self.internal_date);
        self.size = later.size.or(self.size);
        self.envelope = later.envelope.or(self.envelope.take());
        self.body_structure = later.body_structure.or(self.body_structure.take());
        self.mod_seq = later.mod_seq.or(self.mod_seq);
        self.email_id = later.email_id.or(self.email_id.take());
        self.thread_id = later.thread_id.or(self.thread_id.take());
        self.preview = later.preview.or(self.preview.take());
        self.save_date = later.save_date.or(self.save_date);
        self.sections.extend(later.sections);
        self.other.extend(later.other);
        self.problems.extend(later.problems);
    }
}

/// Which part of a message, as in `BODY[1.2.MIME]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
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

impl Section {
    /// `BODY[HEADER]`: the header of the message.
    #[must_use]
    pub fn header() -> Self {
        Self { text: "HEADER".to_owned(), ..Self::default() }
    }

    /// `BODY[1.2]`: the content of a part.
    #[must_use]
    pub fn part(path: &[u32]) -> Self {
        Self { path: path.to_vec(), ..Self::default() }
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
