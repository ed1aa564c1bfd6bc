//! The work of a pass over an account, from one list of mailboxes with their numbers. A function of values.
//!
//! One LIST with STATUS tells which mailboxes changed (RFC 5819); those that did are asked the cheapest question that
//! can be right. Headers of everything come before bodies of anything.

use super::action::{Action, Cursor, Question, Work};
use super::resync::mod_seq;
use crate::imap::{MailboxName, UidSet};
use crate::planted::{Bug, planted};
use std::collections::BTreeMap;

/// What the server can do, after its quirks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Means {
    /// QRESYNC (RFC 7162), announced and to be believed.
    pub qresync: bool,
    /// CONDSTORE (RFC 7162).
    pub condstore: bool,
}

/// The server's list of mailboxes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Whether it ended in OK and nothing in it was unreadable.
    pub complete: bool,
    /// The mailboxes, in the server's order.
    pub mailboxes: Vec<Listed>,
}

/// A mailbox as the server lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: MailboxName,
    /// Whether it can be opened.
    pub selectable: bool,
    /// Its numbers; `None` where the server gave none.
    pub numbers: Option<Numbers>,
}

/// STATUS of a mailbox; absent what the server does not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// UIDVALIDITY.
    pub uid_validity: Option<u32>,
    /// UIDNEXT.
    pub uid_next: Option<u32>,
    /// HIGHESTMODSEQ as it came.
    pub mod_seq: Option<u64>,
    /// MESSAGES.
    pub messages: Option<u32>,
    /// MAILBOXID (RFC 8474).
    pub object_id: Option<String>,
}

/// A mailbox as the store holds it. Those without a remote side, and those that are gone, are not among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its local id.
    pub id: i64,
    /// Its name on the server.
    pub name: MailboxName,
    /// Where the last pass over it ended.
    pub cursor: Cursor,
    /// MAILBOXID.
    pub object_id: Option<String>,
    /// How many lists in a row have not named it.
    pub unlisted: u32,
    /// When all its UIDs and flags were last compared, in seconds since 1970; 0 for never.
    pub audited: i64,
    /// Whether messages are missing that are not proven to be gone.
    pub has_suspects: bool,
    /// Whether it is paused.
    pub paused: bool,
    /// UIDs that are reserved and whose headers are not here yet.
    pub reserved: UidSet,
    /// Whether it was deleted here, and the server does not know yet: it is not asked and not added again.
    pub leaving: bool,
    /// The name that it has there by now if a rename of ours, whose answer was lost, has been done.
    pub becoming: Option<MailboxName>,
}

/// How a pass goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// All UIDs and flags are compared again after so many seconds, whatever the server says of changes.
    pub audit_after: i64,
    /// The same for a server that tells no changes of flags.
    pub audit_blind_after: i64,
    /// How many of the newest messages are asked for their flags in every pass, where the server tells no changes.
    pub newest: u32,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self { audit_after: 24 * 3600, audit_blind_after: 3600, newest: 250 }
    }
}

/// The work of a pass: mailboxes first, then the questions, then the headers that an earlier pass did not come to.
/// `now` is in seconds since 1970.
#[must_use]
pub fn plan(listing: &Listing, known: &[Known], means: Means, rhythm: Rhythm, now: i64) -> Vec<Work> {
    let has_inbox = listing.mailboxes.iter().any(|m| m.name.is_inbox()) || planted(Bug::ListTrusted);
    let is_whole = listing.complete && has_inbox;
    let renames = renames(listing, known, is_whole);
    let mut work = mailboxes(listing, known, &renames, is_whole);
    let listed = |known: &Known| {
        let renamed = renames.iter().find(|(id, _)| *id == known.id).map(|(_, listed)| *listed);
        renamed.or_else(|| listing.mailboxes.iter().find(|listed| listed.name.raw() == known.name.raw()))
    };
    let live = known.iter().filter(|known| !known.leaving);
    let live: Vec<_> = live.filter_map(|known| Some((known, listed(known).filter(|l| l.selectable)?))).collect();
    for (known, listed) in &live {
        if let Some(question) = question(known, listed, means, rhythm, now) {
            work.push(of(known, Action::Ask { question }));
        }
    }
    for (known, _) in live.iter().filter(|(known, _)| !known.reserved.is_empty()) {
        work.push(of(known, Action::Headers { uids: known.reserved.clone() }));
    }
    work
}

/// The question to ask of a mailbox; `None` where its numbers prove that nothing changed.
#[must_use]
pub fn question(known: &Known, listed: &Listed, means: Means, rhythm: Rhythm, now: i64) -> Option<Question> {
    let (cursor, told) = (&known.cursor, listed.numbers.clone().unwrap_or_default());
    let age = if planted(Bug::NoAudit) { 0 } else { age(known.audited, now) };
    let announced = mod_seq(told.mod_seq).filter(|_| means.condstore);
    let is_new = cursor.uid_validity == 0 || told.uid_validity.is_some_and(|v| v != cursor.uid_validity);
    let went_back = announced.is_some_and(|now| now < cursor.mod_seq);
    if is_new || went_back || known.has_suspects || known.paused || age >= rhythm.audit_after {
        return Some(Question::All);
    }
    let same_rows = told.uid_next == Some(cursor.uid_next) && told.messages == Some(cursor.exists);
    if !means.condstore || cursor.mod_seq == 0 {
        let uids = !same_rows;
        if age >= rhythm.audit_blind_after || cursor.exists <= rhythm.newest {
            return (uids || cursor.exists > 0).then_some(Question::All);
        }
        return Some(Question::Window { newest: rhythm.newest, uids });
    }
    if same_rows && announced == Some(cursor.mod_seq) {
        return None;
    }
    let mod_seq = cursor.mod_seq;
    Some(if means.qresync { Question::Resync { mod_seq } } else { Question::Changes { mod_seq, uids: !same_rows } })
}

/// How long ago something was, in seconds. What a clock that was ahead has written down may have been any time ago.
fn age(then: i64, now: i64) -> i64 {
    if then > now { i64::MAX } else { now.saturating_sub(then) }
}

/// Bodies of one mailbox, to be fetched by one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The mailbox's local id.
    pub mailbox: i64,
    /// The server's UIDs.
    pub uids: UidSet,
    /// Their sizes together, in bytes.
    pub bytes: u64,
}

/// A body that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Body {
    /// The mailbox's local id.
    pub mailbox: i64,
    /// The server's UID.
    pub uid: u32,
    /// Its size, in bytes.
    pub bytes: u64,
    /// When it came, in seconds since 1970: the newest of all mailboxes come first.
    pub date: i64,
}

/// How many batches later a body of an older date may still join one of its mailbox: mailboxes whose messages came in turn
/// are not opened for each.
const SPREAD: usize = 200;

/// Larger bodies come in stretches, and need not come in one day.
pub const LARGE: u64 = 4 << 20;

/// Cuts bodies into batches of about `batch` bytes and at most `count` messages, newest first, until `left` bytes of the
/// day's budget are used up. A body larger than a batch is one alone; one larger than the rest of the budget waits for
/// another day, or is begun where it is [`LARGE`], and smaller ones behind it do not overtake it.
#[must_use]
pub fn batches(mut bodies: Vec<Body>, batch: u64, count: usize, left: Option<u64>) -> Vec<Batch> {
    bodies.sort_by_key(|body| (std::cmp::Reverse(body.date), body.mailbox, std::cmp::Reverse(body.uid)));
    let (mut batches, mut left): (Vec<Batch>, _) = (Vec::new(), left.unwrap_or(u64::MAX));
    let mut newest = BTreeMap::new();
    for body in bodies {
        let is_begun = body.bytes > LARGE && left > 0;
        let Some(rest) = left.checked_sub(body.bytes).or(is_begun.then_some(0)) else { break };
        left = rest;
        let fits = |b: &&mut Batch| b.bytes.saturating_add(body.bytes) <= batch && b.uids.len() < count as u64;
        let next = batches.len();
        let at = newest.get(&body.mailbox).copied().filter(|at| next - at <= SPREAD);
        match at.and_then(|at: usize| batches.get_mut(at)).filter(fits) {
            Some(last) => {
                last.uids.insert(body.uid);
                last.bytes += body.bytes;
            }
            None => {
                newest.insert(body.mailbox, next);
                batches.push(Batch {
                    mailbox: body.mailbox,
                    uids: [body.uid].into_iter().collect(),
                    bytes: body.bytes,
                });
            }
        }
    }
    batches
}

fn of(known: &Known, action: Action) -> Work {
    Work { id: Some(known.id), mailbox: known.name.as_str().to_owned(), action }
}

/// What has become of the mailboxes themselves.
fn mailboxes(listing: &Listing, known: &[Known], renames: &[(i64, &Listed)], is_whole: bool) -> Vec<Work> {
    let mut work = Vec::new();
    for (id, listed) in renames {
        if let Some(known) = known.iter().find(|known| known.id == *id) {
            let confirm = known.object_id.is_none() && known.becoming.as_ref() != Some(&listed.name);
            work.push(of(known, Action::Rename { to: listed.name.as_str().to_owned(), confirm }));
        }
    }
    for listed in &listing.mailboxes {
        let is_known = known.iter().any(|known| known.name.raw() == listed.name.raw());
        if !is_known && !renames.iter().any(|(_, renamed)| renamed.name.raw() == listed.name.raw()) {
            work.push(Work { id: None, mailbox: listed.name.as_str().to_owned(), action: Action::Add });
        }
    }
    if is_whole {
        work.extend(missing(listing, known, renames));
    }
    work
}

/// Whether a mailbox is listed as what it was. One that can no longer be opened was removed, and its name stays for those
/// below it (RFC 9051 section 6.3.5); INBOX cannot be.
fn is_there(listing: &Listing, known: &Known) -> bool {
    let had_messages = known.cursor.uid_validity != 0;
    let is_it = |l: &Listed| l.name.raw() == known.name.raw() && (l.selectable || l.name.is_inbox() || !had_messages);
    listing.mailboxes.iter().any(is_it)
}

/// Mailboxes that a whole list does not name: gone when two lists in a row agree.
fn missing(listing: &Listing, known: &[Known], renames: &[(i64, &Listed)]) -> Vec<Work> {
    let is_renamed = |k: &Known| renames.iter().any(|(id, _)| *id == k.id);
    let missing = known.iter().filter(|k| !k.leaving && !is_there(listing, k) && !is_renamed(k));
    let action = |k: &Known| match k.unlisted {
        0 if !planted(Bug::ListTrusted) => Action::Miss { times: 1 },
        _ => Action::Drop,
    };
    missing.map(|k| of(k, action(k))).collect()
}

/// Mailboxes that are listed under another name: by MAILBOXID, else by numbers that only one missing and one new mailbox
/// have in common; or as a rename of ours says that may have been done. INBOX is never renamed, its messages are moved (RFC 9051 section 6.3.6).
fn renames<'a>(listing: &'a Listing, known: &[Known], is_whole: bool) -> Vec<(i64, &'a Listed)> {
    if !is_whole {
        return Vec::new();
    }
    let is_new = |l: &&Listed| !l.name.is_inbox() && !known.iter().any(|k| k.name.raw() == l.name.raw());
    let new: Vec<&Listed> = listing.mailboxes.iter().filter(is_new).collect();
    let gone: Vec<&Known> =
        known.iter().filter(|k| !k.name.is_inbox() && !k.leaving && !is_there(listing, k)).collect();
    let fits = |k: &Known, l: &Listed| k.becoming.as_ref() == Some(&l.name) || is_same(k, l.numbers.as_ref());
    let pairs = gone.iter().filter_map(|k| {
        let only = |l: &&&Listed| fits(k, l) && gone.iter().filter(|other| fits(other, l)).count() == 1;
        let mut found = new.iter().filter(only);
        let first = found.next()?;
        found.next().is_none().then_some((k.id, *first))
    });
    pairs.collect()
}

fn is_same(known: &Known, numbers: Option<&Numbers>) -> bool {
    let Some(numbers) = numbers else { return false };
    match (&known.object_id, &numbers.object_id) {
        (Some(ours), Some(theirs)) => ours == theirs,
        // Servers number mailboxes by the second they were made in, or all alike: an empty one proves nothing.
        _ => {
            known.cursor.exists > 0
                && numbers.uid_validity == Some(known.cursor.uid_validity)
                && numbers.uid_next == Some(known.cursor.uid_next)
                && numbers.messages == Some(known.cursor.exists)
        }
    }
}

#[cfg(test)]
mod tests;
