//! SEARCH (RFC 9051 section 6.4.4): exact in the RFC's sense, or refused where that hangs on a body that
//! cannot be had.

mod find;
mod look;
mod matching;

pub(super) use look::Look;

use super::command::{Key, Search, Wanted};
use super::now;
use super::numbers::Numbers;
use super::reply::{Handled, News, Refusal, Reply};
use super::selected::Selected;
use super::session::Session;
use crate::error::Result;
use crate::imap::UidSet;
use crate::store::{FlagSets, MailboxId, Reader};
use matching::cost;
use std::fmt::Write as _;

/// Messages whose rows are read together.
const ROWS: u64 = 500;

/// A search made ready: sequence numbers are UIDs, what is cheap comes first.
pub(super) struct Program {
    mailbox: MailboxId,
    uids: UidSet,
    key: Key,
    now: i64,
}

impl Session {
    pub(super) async fn search(&mut self, search: Search) -> Handled {
        let (program, tag_uid, wanted) = (self.program(&search)?, search.uid, search.wanted);
        let (found, mod_seq) = match self.glance(|reader| program.at_hand(reader))? {
            Some(uids) => (uids, 0),
            None => self.look(&search, program).await?,
        };
        let selected = self.mailbox()?;
        let shown = selected.numbers(&found, tag_uid);
        let mod_seq = if has_mod_seq(&search.key) && !found.is_empty() { Some(mod_seq) } else { None };
        let reply = self.answer(&search, &shown, mod_seq);
        if wanted.is_some_and(|wanted| wanted.save) {
            self.save(saved(wanted.unwrap_or_default(), found));
        }
        Ok(reply)
    }

    /// Those that match, and the largest of their MODSEQs.
    async fn look(&mut self, search: &Search, program: Program) -> Result<(UidSet, u64), Refusal> {
        let rows = self.found(search, program, |look| look.placement().mod_seq).await?;
        let mod_seq = rows.iter().map(|(_, mod_seq)| *mod_seq).max().unwrap_or(0);
        Ok((rows.into_iter().map(|(uid, _)| uid).collect(), mod_seq))
    }

    /// What is asked of which messages.
    pub(super) fn program(&mut self, search: &Search) -> Result<Program, Refusal> {
        self.enabled.condstore |= has_mod_seq(&search.key);
        let selected = self.mailbox()?;
        let key = ready(search.key.clone(), selected)?;
        let mut uids = selected.view.uids().clone();
        narrow(&key, &mut uids);
        Ok(Program { mailbox: selected.mailbox, uids, key, now: now().seconds() })
    }

    fn save(&mut self, uids: UidSet) {
        if let Some(selected) = &mut self.selected {
            selected.saved = uids;
        }
    }

    /// SEARCH, or ESEARCH where RETURN asks for it or IMAP4rev2 does (RFC 9051 section 6.4.4).
    fn answer(&self, search: &Search, shown: &UidSet, mod_seq: Option<u64>) -> Reply {
        let mut out = String::new();
        match search.wanted {
            None if !self.enabled.rev2 => {
                out.push_str("* SEARCH");
                out.extend(shown.iter().map(|number| format!(" {number}")));
                out.extend(mod_seq.map(|mod_seq| format!(" (MODSEQ {mod_seq})")));
                out.push_str("\r\n");
            }
            wanted => {
                let wanted = wanted.unwrap_or(Wanted { all: true, ..Wanted::default() });
                out.push_str(&esearch(self.tag(), (wanted, search.uid), (shown, &shown.to_string()), mod_seq));
            }
        }
        let news = if search.uid { News::All } else { News::NoExpunge };
        Reply::with("That is what was found", out.into_bytes()).news(news)
    }
}

/// ESEARCH (RFC 4731). `all` is what ALL gives. Nothing where only SAVE was asked for.
pub(super) fn esearch(
    tag: &str,
    (wanted, uid): (Wanted, bool),
    (shown, all): (&UidSet, &str),
    mod_seq: Option<u64>,
) -> String {
    let mut out = String::new();
    if wanted == (Wanted { save: true, ..Wanted::default() }) {
        return out;
    }
    let _ = write!(out, "* ESEARCH (TAG \"{tag}\")");
    if uid {
        out.push_str(" UID");
    }
    if let (Some(first), Some(last)) = (shown.first(), shown.last()) {
        if wanted.min {
            let _ = write!(out, " MIN {first}");
        }
        if wanted.max {
            let _ = write!(out, " MAX {last}");
        }
        if wanted.all {
            let _ = write!(out, " ALL {all}");
        }
    }
    if wanted.count {
        let _ = write!(out, " COUNT {}", shown.len());
    }
    if let Some(mod_seq) = mod_seq {
        let _ = write!(out, " MODSEQ {mod_seq}");
    }
    out.push_str("\r\n");
    out
}

/// What SAVE keeps: all, or of MIN and MAX alone these (RFC 5182 section 2.4).
fn saved(wanted: Wanted, found: UidSet) -> UidSet {
    if wanted.all || wanted.count || !(wanted.min || wanted.max) {
        return found;
    }
    let ends = [found.first().filter(|_| wanted.min), found.last().filter(|_| wanted.max)];
    ends.into_iter().flatten().collect()
}

fn has_mod_seq(key: &Key) -> bool {
    match key {
        Key::ModSeq(_) => true,
        Key::Not(key) => has_mod_seq(key),
        Key::Or(left, right) => has_mod_seq(left) || has_mod_seq(right),
        Key::And(keys) => keys.iter().any(has_mod_seq),
        _ => false,
    }
}

/// Numbers become UIDs, text becomes lower case, what is cheap comes first. As deep as the parser lets it be.
fn ready(key: Key, selected: &Selected) -> Result<Key, Refusal> {
    let numbers = |uids: UidSet| Key::Uid(Numbers::Ranges(uids.ranges().to_vec()));
    Ok(match key {
        Key::Seq(set) => numbers(selected.uids(&set, false)?),
        Key::Uid(set) => numbers(selected.uids(&set, true)?),
        Key::Header(name, text) => Key::Header(name, text.to_lowercase()),
        Key::Body(text) => Key::Body(text.to_lowercase()),
        Key::Text(text) => Key::Text(text.to_lowercase()),
        Key::Not(key) => Key::Not(Box::new(ready(*key, selected)?)),
        Key::Or(left, right) => {
            let (left, right) = (ready(*left, selected)?, ready(*right, selected)?);
            let (first, second) = if cost(&left) <= cost(&right) { (left, right) } else { (right, left) };
            Key::Or(Box::new(first), Box::new(second))
        }
        Key::And(keys) => {
            let mut keys = keys.into_iter().map(|key| ready(key, selected)).collect::<Result<Vec<_>, _>>()?;
            keys.sort_by_key(cost);
            Key::And(keys)
        }
        other => other,
    })
}

/// Leaves out what no match can be.
fn narrow(key: &Key, uids: &mut UidSet) {
    match key {
        Key::Uid(Numbers::Ranges(ranges)) => {
            let mut set = UidSet::new();
            ranges.iter().for_each(|(first, last)| set.insert_range(*first, *last));
            *uids = uids.intersection(&set);
        }
        Key::And(keys) => keys.iter().for_each(|key| narrow(key, uids)),
        Key::None => *uids = UidSet::new(),
        _ => {}
    }
}

impl Program {
    /// What matches, where system flags and UIDs alone decide and the store has them at hand.
    fn at_hand(&self, reader: &dyn Reader) -> Result<Option<UidSet>> {
        if self.known(&self.key, &FlagSets::default()).is_none() {
            return Ok(None);
        }
        Ok(reader.flag_sets_at_hand(self.mailbox)?.and_then(|sets| self.known(&self.key, &sets)))
    }

    /// What matches; `None` where sets do not say.
    fn known(&self, key: &Key, sets: &FlagSets) -> Option<UidSet> {
        let all = || self.uids.intersection(sets.all());
        Some(match key {
            Key::All => all(),
            Key::None => UidSet::new(),
            Key::Uid(Numbers::Ranges(ranges)) => {
                let ranges = ranges.iter().map(|(first, last)| UidSet::range(*first, *last));
                all().intersection(&ranges.fold(UidSet::new(), |set, range| set.union(&range)))
            }
            Key::Flag(flag, true) => all().intersection(sets.with(flag)?),
            Key::Flag(flag, false) => all().difference(sets.with(flag)?),
            Key::Not(key) => all().difference(&self.known(key, sets)?),
            Key::Or(left, right) => self.known(left, sets)?.union(&self.known(right, sets)?),
            Key::And(keys) => {
                let known = keys.iter().map(|key| self.known(key, sets)).collect::<Option<Vec<_>>>()?;
                known.iter().fold(all(), |set, known| set.intersection(known))
            }
            _ => return None,
        })
    }

    /// What matches at most: what the sets do not say may be so.
    fn bound(&self, sets: &FlagSets) -> UidSet {
        let parts = match &self.key {
            Key::And(keys) => keys.as_slice(),
            key => std::slice::from_ref(key),
        };
        let known = parts.iter().filter_map(|key| self.known(key, sets));
        known.fold(self.uids.intersection(sets.all()), |set, known| set.intersection(&known))
    }
}

/// Texts that are looked for in bodies.
fn texts(key: &Key) -> Vec<&str> {
    match key {
        Key::Body(text) | Key::Text(text) => vec![text.as_str()],
        Key::Not(key) => texts(key),
        Key::Or(left, right) => [texts(left), texts(right)].concat(),
        Key::And(keys) => keys.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}
