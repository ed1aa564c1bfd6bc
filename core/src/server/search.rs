//! SEARCH (RFC 9051 section 6.4.4): exact in the RFC's sense, or refused where that hangs on a body that is not held.

mod look;
mod matching;

pub(super) use look::Look;

use super::command::{Key, Search, Wanted};
use super::now;
use super::numbers::Numbers;
use super::reply::{Handled, News, Refusal, Reply};
use super::selected::Selected;
use super::session::Session;
use crate::error::{Code, MailError, Result};
use crate::imap::UidSet;
use crate::store::{MailboxId, PlacementRow, Reader};
use matching::{cost, matches};
use std::fmt::Write as _;

/// Messages whose rows are read together.
const ROWS: u64 = 1000;

/// A search made ready: sequence numbers are UIDs, what is cheap comes first.
pub(super) struct Program {
    mailbox: MailboxId,
    uids: UidSet,
    key: Key,
    now: i64,
}

impl Session {
    pub(super) async fn search(&mut self, search: Search) -> Handled {
        let program = self.program(&search)?;
        let (tag_uid, wanted) = (search.uid, search.wanted);
        let mut found = UidSet::new();
        let mut mod_seq = 0;
        let rows = self.read(move |reader| program.find(reader, |row| (row.uid, row.mod_seq))).await;
        if rows.is_err() && wanted.is_some_and(|wanted| wanted.save) {
            self.save(UidSet::new());
        }
        for (uid, changed) in rows? {
            found.insert(uid);
            mod_seq = mod_seq.max(changed);
        }
        let selected = self.mailbox()?;
        let shown = selected.numbers(&found, tag_uid);
        let mod_seq = if has_mod_seq(&search.key) && !found.is_empty() { Some(mod_seq) } else { None };
        let reply = self.answer(&search, &shown, mod_seq);
        if wanted.is_some_and(|wanted| wanted.save) {
            self.save(saved(wanted.unwrap_or_default(), found));
        }
        Ok(reply)
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
    /// What `each` makes of the messages that match, by UID.
    pub(super) fn find<T>(&self, reader: &dyn Reader, each: impl Fn(&PlacementRow) -> T) -> Result<Vec<T>> {
        let mut found = Vec::new();
        for uids in self.uids.chunks(ROWS) {
            for row in reader.placements(self.mailbox, &uids)? {
                if row.message.is_none() {
                    continue;
                }
                let look = Look::new(reader, &row);
                match look.end(matches(&self.key, &look, self.now))? {
                    Some(true) => found.push(each(&row)),
                    Some(false) => {}
                    None => return Err(undecided()),
                }
            }
        }
        Ok(found)
    }
}

/// "No match" would be a guess (decision 11 of the architecture).
fn undecided() -> MailError {
    MailError::new(Code::BodyNotHere, "The search hangs on a body that is not held here for now")
}
