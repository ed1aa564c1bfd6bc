//! A mailbox of the modelled server: numbered messages, and what has left.

use super::date::Moment;
use super::message::Content;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A mailbox.
#[derive(Clone, Debug)]
pub struct Mailbox {
    /// Names it for ever, whatever it is called (RFC 8474).
    pub id: u64,
    /// Its name, as on the wire.
    pub name: String,
    /// Changes when the UIDs mean something else.
    pub uid_validity: u32,
    /// The next UID to be given.
    pub uid_next: u32,
    /// The highest MODSEQ given.
    pub modseq: u64,
    /// Messages by UID.
    pub placements: BTreeMap<u32, Placement>,
    /// UIDs that have left, with the MODSEQ of their leaving.
    pub vanished: Vec<(u32, u64)>,
    /// Its special use (RFC 6154), with the backslash.
    pub special_use: Option<&'static str>,
    /// Whether it can be opened.
    pub selectable: bool,
}

/// A message in a mailbox.
#[derive(Clone, Debug)]
pub struct Placement {
    /// Its number.
    pub uid: u32,
    /// Names this placement among all that ever were.
    pub serial: u64,
    /// Flags and keywords, as they were written first.
    pub flags: BTreeSet<String>,
    /// INTERNALDATE.
    pub date: Moment,
    /// When it came into this mailbox (RFC 8514).
    pub saved: Moment,
    /// MODSEQ of its last change.
    pub modseq: u64,
    /// The message itself.
    pub content: Arc<Content>,
    /// What is still shown instead, while the change is on its way.
    pub late: Option<Late>,
}

/// A change that is counted and cannot be seen yet.
#[derive(Clone, Debug)]
pub struct Late {
    /// When it can be seen, in milliseconds.
    pub until: u64,
    /// Flags and MODSEQ until then; `None` for a message that is new.
    pub before: Option<(BTreeSet<String>, u64)>,
}

/// A message as one who looks now sees it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The placement.
    pub placement: &'a Placement,
    /// Its flags.
    pub flags: &'a BTreeSet<String>,
    /// Its MODSEQ.
    pub modseq: u64,
}

impl Placement {
    /// What can be seen of it at `now`.
    #[must_use]
    pub fn seen(&self, now: u64) -> Option<Seen<'_>> {
        match &self.late {
            Some(late) if late.until > now => {
                let (flags, modseq) = late.before.as_ref()?;
                Some(Seen { placement: self, flags, modseq: *modseq })
            }
            _ => Some(Seen { placement: self, flags: &self.flags, modseq: self.modseq }),
        }
    }

    /// Whether it carries a flag, in any case.
    #[must_use]
    pub fn has(&self, flag: &str) -> bool {
        carries(&self.flags, flag)
    }
}

/// Whether a flag is among `flags`, in any case.
pub fn carries(flags: &BTreeSet<String>, flag: &str) -> bool {
    flags.iter().any(|f| f.eq_ignore_ascii_case(flag))
}

impl Mailbox {
    /// What can be seen at `now`, by UID.
    pub fn seen(&self, now: u64) -> impl Iterator<Item = Seen<'_>> {
        self.placements.values().filter_map(move |p| p.seen(now))
    }

    /// Gives the next MODSEQ.
    pub fn bump(&mut self) -> u64 {
        self.modseq += 1;
        self.modseq
    }

    /// Takes a message out.
    pub fn remove(&mut self, uid: u32) -> Option<Placement> {
        let placement = self.placements.remove(&uid)?;
        let modseq = self.bump();
        self.vanished.push((uid, modseq));
        Some(placement)
    }

    /// Bytes that it holds.
    #[must_use]
    pub fn size(&self) -> usize {
        self.placements.values().map(|p| p.content.bytes.len()).sum()
    }

    /// Keywords in use.
    pub fn keywords(&self) -> BTreeSet<String> {
        let flags = self.placements.values().flat_map(|p| &p.flags);
        flags.filter(|flag| !flag.starts_with('\\')).cloned().collect()
    }
}
