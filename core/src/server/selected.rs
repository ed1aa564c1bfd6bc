//! The mailbox that a session has selected, and what it is told of changes in it.

use super::numbers::Numbers;
use super::reply::{News, Refusal, untagged};
use super::view::View;
use crate::error::Result;
use crate::imap::{Flag, UidSet};
use crate::store::{Flags, MailboxId, MailboxRow, PlacementRow, Reader};
use std::collections::HashMap;
use std::sync::Arc;

/// Changes that are read at once, before anybody else is served.
const FEW: u64 = 200;

/// What a client has enabled (RFC 5161), or shown by a command that it understands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Enabled {
    pub condstore: bool,
    pub qresync: bool,
    pub utf8: bool,
    pub rev2: bool,
}

/// A selected mailbox.
#[derive(Clone, Debug)]
pub(super) struct Selected {
    pub mailbox: MailboxId,
    pub read_only: bool,
    pub view: Arc<View>,
    /// What the last search has saved (RFC 5182), as UIDs.
    pub saved: UidSet,
    /// Every change up to this MODSEQ was looked at.
    seen: u64,
    /// Every change of flags up to this MODSEQ was told.
    told: u64,
    /// Messages that are gone, and of which that may not be told yet.
    gone: UidSet,
    /// The MODSEQs of changes by this session, which knows of them.
    own: HashMap<u32, u64>,
    /// Keywords that FLAGS has named.
    keywords: Flags,
}

/// What has changed in a mailbox.
#[derive(Debug, Default)]
pub(super) struct Changed {
    pub edge: Edge,
    rows: Vec<PlacementRow>,
    gone: UidSet,
}

/// How far a mailbox can be seen.
///
/// Where UIDs are reserved for messages that are still on their way, what lies behind the first of them is not shown:
/// a smaller UID must never come after a larger one (RFC 9051 section 2.3.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Edge {
    /// UIDs from here on are not shown.
    pub uid_next: u32,
    /// Every change up to here can be seen.
    pub mod_seq: u64,
    /// The MODSEQ of the mailbox.
    highest: u64,
}

impl Edge {
    pub(super) fn of(reader: &dyn Reader, row: &MailboxRow) -> Result<Self> {
        let whole = Self { uid_next: row.uid_next, mod_seq: row.mod_seq, highest: row.mod_seq };
        if row.remote.is_none() {
            return Ok(whole);
        }
        let Some(first) = reader.reserved(row.id)?.first() else { return Ok(whole) };
        let first = reader.placement_by_remote(row.id, first)?;
        Ok(first.map_or(whole, |row| Self { uid_next: row.uid, mod_seq: row.mod_seq.min(whole.mod_seq), ..whole }))
    }

    /// The messages that are shown.
    pub(super) fn cut(&self, uids: &UidSet) -> UidSet {
        match self.uid_next {
            0 | 1 => UidSet::new(),
            next => uids.intersection(&UidSet::range(1, next - 1)),
        }
    }
}

impl Changed {
    /// What happened after `seen`, or that nothing did, as [`Changed::since`] says it; `None` where so much did that it
    /// takes a while to read.
    pub(super) fn few(reader: &dyn Reader, mailbox: MailboxId, seen: u64, view: &View) -> Result<Option<Option<Self>>> {
        let row = reader.mailbox(mailbox)?.filter(|row| row.mod_seq > seen);
        match row {
            None => Ok(Some(None)),
            Some(row) if row.mod_seq - seen > FEW || row.tombstones_from > seen => Ok(None),
            Some(row) => Self::of(reader, &row, seen, view).map(|changed| Some(Some(changed))),
        }
    }

    /// What happened after `seen`; `None` where nothing did.
    pub(super) fn since(reader: &dyn Reader, mailbox: MailboxId, seen: u64, view: &View) -> Result<Option<Self>> {
        let row = reader.mailbox(mailbox)?.filter(|row| row.mod_seq > seen);
        row.map(|row| Self::of(reader, &row, seen, view)).transpose()
    }

    fn of(reader: &dyn Reader, row: &MailboxRow, seen: u64, view: &View) -> Result<Self> {
        let mailbox = row.id;
        let edge = Edge::of(reader, row)?;
        let gone = if row.tombstones_from > seen {
            view.uids().difference(&reader.uids(mailbox)?)
        } else {
            reader.tombstones(mailbox, seen)?.iter().map(|tombstone| tombstone.uid).collect()
        };
        Ok(Self { edge, rows: reader.changed_since(mailbox, seen)?, gone })
    }
}

impl Selected {
    pub(super) fn new(mailbox: MailboxId, read_only: bool, view: View, edge: Edge) -> Self {
        Self {
            mailbox,
            read_only,
            view: Arc::new(view),
            saved: UidSet::new(),
            seen: edge.mod_seq,
            told: edge.highest,
            gone: UidSet::new(),
            own: HashMap::new(),
            keywords: known_keywords(),
        }
    }

    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    pub(super) fn has_gone(&self) -> bool {
        !self.gone.is_empty()
    }

    /// The UIDs that a client means. Sequence numbers beyond the last message are a BAD (RFC 9051 section 9, `seq-number`).
    pub(super) fn uids(&self, set: &Numbers, uid: bool) -> Result<UidSet, Refusal> {
        if uid || *set == Numbers::Saved {
            return Ok(set.resolve(self.view.last_uid(), &self.saved).intersection(self.view.uids()));
        }
        if set.exceeds(self.view.len()) {
            return Err(Refusal::bad("There is no message of that number"));
        }
        Ok(self.view.uids_of(&set.resolve(self.view.len(), &UidSet::new())))
    }

    /// The same set in the numbers that a client uses.
    pub(super) fn numbers(&self, uids: &UidSet, uid: bool) -> UidSet {
        if uid { uids.clone() } else { self.view.seqs_of(uids) }
    }

    /// A change of flags that this session knows of.
    pub(super) fn knows(&mut self, row: &PlacementRow) {
        self.own.insert(row.uid, row.mod_seq);
    }

    /// What the client is told of changes; afterwards it knows.
    pub(super) fn tell(&mut self, changed: Option<Changed>, news: News, enabled: Enabled) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(changed) = &changed {
            self.gone = self.gone.union(&changed.gone.intersection(self.view.uids()));
        }
        if news == News::All && !self.gone.is_empty() {
            self.expunge(&mut out, enabled);
        }
        let Some(Changed { edge, rows, .. }) = changed else { return out };
        let last = self.view.last_uid();
        let new: UidSet = rows.iter().map(|row| row.uid).filter(|uid| *uid > last && *uid < edge.uid_next).collect();
        self.name_keywords(&mut out, rows.iter().map(|row| &row.flags));
        for row in rows.iter().filter(|row| row.mod_seq > self.told && self.own.get(&row.uid) != Some(&row.mod_seq)) {
            self.row(&mut out, row, enabled);
        }
        if !new.is_empty() {
            Arc::make_mut(&mut self.view).add(&new);
            untagged!(out, "{} EXISTS", self.view.len());
        }
        (self.seen, self.told) = (edge.mod_seq, edge.highest);
        self.own.clear();
        out
    }

    fn expunge(&mut self, out: &mut Vec<u8>, enabled: Enabled) {
        let gone = std::mem::take(&mut self.gone);
        if enabled.qresync {
            untagged!(out, "VANISHED {gone}");
        } else {
            // From the end, so that no number changes before it is told.
            for seq in self.view.seqs_of(&gone).iter().rev() {
                untagged!(out, "{seq} EXPUNGE");
            }
        }
        Arc::make_mut(&mut self.view).remove(&gone);
        self.saved = self.saved.difference(&gone);
    }

    /// The flags of a message that the client knows.
    fn row(&self, out: &mut Vec<u8>, row: &PlacementRow, enabled: Enabled) {
        let Some(seq) = self.view.seq(row.uid) else { return };
        let is_named = enabled.qresync || enabled.rev2;
        let uid = if is_named { format!("UID {} ", row.uid) } else { String::new() };
        let mod_seq = if enabled.condstore { format!(" MODSEQ ({})", row.mod_seq) } else { String::new() };
        untagged!(out, "{seq} FETCH ({uid}FLAGS ({}){mod_seq})", row.flags);
    }

    /// Keywords that FLAGS is going to name.
    pub(super) fn knows_keywords(&mut self, keywords: &Flags) {
        keywords.iter().for_each(|keyword| {
            self.keywords.insert(&keyword);
        });
    }

    /// Says FLAGS anew where keywords have come that it did not name (RFC 9051 section 7.3.5).
    pub(super) fn name_keywords<'a>(&mut self, out: &mut Vec<u8>, flags: impl Iterator<Item = &'a Flags>) {
        let mut new = false;
        for flag in flags.flat_map(Flags::iter).filter(|flag| !flag.is_system()) {
            new |= self.keywords.insert(&flag);
        }
        if new {
            self.flags(out);
        }
    }

    /// FLAGS and PERMANENTFLAGS.
    pub(super) fn flags(&self, out: &mut Vec<u8>) {
        untagged!(out, "FLAGS ({SYSTEM} {})", self.keywords);
        if self.read_only {
            untagged!(out, "OK [PERMANENTFLAGS ()] Nothing can be changed");
        } else {
            untagged!(out, "OK [PERMANENTFLAGS ({SYSTEM} {} \\*)] These are kept", self.keywords);
        }
    }
}

const SYSTEM: &str = "\\Answered \\Flagged \\Deleted \\Seen \\Draft";

/// Keywords that clients know by themselves (RFC 9051 section 2.3.2).
fn known_keywords() -> Flags {
    [Flag::FORWARDED, Flag::MDN_SENT, Flag::JUNK, Flag::NOT_JUNK, Flag::PHISHING, Flag::IMPORTANT].into_iter().collect()
}
