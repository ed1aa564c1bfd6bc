//! One mailbox, three ways: what both sides last agreed on, what is here, what the server has. A function of values.
//!
//! Flags merge one by one; a message that is missing leaves only with proof (decision 5 of the architecture); nothing
//! that is only here is ever removed; and the cursor is always the last action.

use super::action::{Action, Cursor, Pause, Proof, Question};
use crate::imap::{Flag, UidSet};
use crate::journal::{Cause, State};
use crate::planted::{Bug, planted};
use crate::store::Flags;
use std::collections::BTreeMap;

/// What both sides last agreed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Base {
    /// Where the last pass ended.
    pub cursor: Cursor,
    /// Missing in the last full list.
    pub suspects: UidSet,
    /// How often UIDVALIDITY has changed today.
    pub resets: u32,
    /// Whether the mailbox is paused.
    pub paused: bool,
    /// A HIGHESTMODSEQ that was announced and brought nothing in the pass before; see [`resync`].
    pub empty_mod_seq: Option<u64>,
}

/// What is here. Only rows that the server has said something about are needed in `rows`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Local {
    /// UIDs of all placements, those included that are only reserved.
    pub known: UidSet,
    /// Messages by UID.
    pub rows: BTreeMap<u32, Here>,
    /// Messages that were moved away or deleted here, and whose change the server has not confirmed.
    pub leaving: BTreeMap<u32, Change>,
    /// Flag changes that the server has not confirmed, by UID, in their order.
    pub pending: BTreeMap<u32, Vec<FlagChange>>,
    /// From this UID on a copy of ours may stand whose answer was lost: nothing from there on is taken for new.
    pub hold: Option<u32>,
}

/// A message here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Here {
    /// Its flags.
    pub flags: Flags,
    /// The flags that both sides agreed on; `None` where they never have.
    pub agreed: Option<Flags>,
}

/// An entry of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its id.
    pub id: i64,
    /// Whether its command may have been sent.
    pub begun: bool,
}

/// A flag change that the server has not confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagChange {
    /// The entry.
    pub change: Change,
    /// Flags to set.
    pub add: Flags,
    /// Flags to take away.
    pub remove: Flags,
}

/// What the server said. Everything in it came before a tagged OK.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remote {
    /// UIDVALIDITY.
    pub uid_validity: u32,
    /// UIDNEXT, where it told.
    pub uid_next: Option<u32>,
    /// HIGHESTMODSEQ as it came; see [`mod_seq`].
    pub mod_seq: Option<u64>,
    /// EXISTS.
    pub exists: u32,
    /// All UIDs, where they were asked for and the answer was whole.
    pub uids: Option<UidSet>,
    /// Flags by UID, of those that it told.
    pub flags: BTreeMap<u32, Flags>,
    /// Whether those are all there are.
    pub all_flags: bool,
    /// Flags that the mailbox keeps (PERMANENTFLAGS); `None` where the server does not say, which means all.
    pub keeps: Option<Vec<Flag>>,
    /// What VANISHED and EXPUNGE named; may hold UIDs that never were.
    pub vanished: UidSet,
    /// The server stopped at a limit of its own, or listed fewer than it says it has: nothing is missing for not being
    /// in it (RFC 9738).
    pub partial: bool,
}

/// How careful to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Care {
    /// So many may always be missing at once.
    pub least: u64,
    /// Or so many in a hundred.
    pub percent: u64,
    /// So often may UIDVALIDITY change in a day.
    pub resets: u32,
    /// The user has looked at the pause and said that the messages are gone; or the mailbox is one that people empty.
    pub confirmed: bool,
}

impl Default for Care {
    fn default() -> Self {
        Self { least: 20, percent: 10, resets: 3, confirmed: false }
    }
}

/// On what terms messages are found again after a reset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Our UIDs of those that an earlier pass has not found either. Only these leave when they are not found: one list
    /// proves nothing.
    pub unfound: UidSet,
    /// How careful to be with them; `None` while the server has not told all that it has (Yahoo leaves rows out): they may
    /// be among the rest.
    pub care: Option<Care>,
    /// A copy of ours may be there whose answer was lost: nothing is taken for new.
    pub holds: bool,
}

/// A MODSEQ to be relied on: 0 is none (Purelymail), and one of 2⁶³ or more is no MODSEQ (RFC 7162 section 1).
#[must_use]
pub fn mod_seq(announced: Option<u64>) -> Option<u64> {
    announced.filter(|n| *n > 0 && *n < 1 << 63)
}

/// What brings this mailbox in step. The last action is [`Action::Advance`], or the one question ([`Action::Ask`])
/// whose answer is needed before anything can be said, or a pause.
#[must_use]
pub fn resync(base: &Base, local: &Local, remote: &Remote, care: Care) -> Vec<Action> {
    let cursor = &base.cursor;
    if cursor.uid_validity != 0 && cursor.uid_validity != remote.uid_validity && !planted(Bug::ValidityIgnored) {
        return reset(base, remote, care);
    }
    if let Some(question) = doubts(base, local, remote) {
        return vec![Action::Ask { question }];
    }
    let mut actions = Vec::new();
    flags(local, remote, &mut actions);
    let is_paused = removals(base, local, remote, care, &mut actions);
    arrivals(local, remote, &mut actions);
    if is_paused {
        return actions;
    }
    if base.paused {
        actions.push(Action::Resume);
    }
    actions.push(Action::Advance { cursor: advance(base, local, remote) });
    actions
}

/// After a reset every message is found again, or not: by the server's own id for it where both have one, else by
/// digest. `unlinked` are our UIDs with what each is known by, `arrived` the server's. Each is matched once, those that
/// are the same in their order.
#[must_use]
pub fn rematch(unlinked: &[(u32, Vec<u8>)], arrived: &[(u32, Vec<u8>)], terms: &Terms) -> Vec<Action> {
    let mut waiting: BTreeMap<&[u8], Vec<u32>> = BTreeMap::new();
    for (local, key) in unlinked.iter().rev() {
        waiting.entry(key).or_default().push(*local);
    }
    let (mut actions, mut fresh) = (Vec::new(), UidSet::new());
    for (uid, key) in arrived {
        match waiting.get_mut(key.as_slice()).and_then(Vec::pop) {
            Some(local) => actions.push(Action::Rebind { local, uid: *uid }),
            None => fresh.insert(*uid),
        }
    }
    let lost: UidSet = waiting.into_values().flatten().collect();
    if !fresh.is_empty() && !terms.holds {
        actions.push(Action::Reserve { uids: fresh.clone() });
        actions.push(Action::Headers { uids: fresh });
    }
    if let Some(care) = terms.care {
        leave(&lost, unlinked.len() as u64, &terms.unfound, care, &mut actions);
    }
    actions
}

/// What becomes of messages that were not found again.
fn leave(lost: &UidSet, of: u64, unfound: &UidSet, care: Care, actions: &mut Vec<Action>) {
    let is_paused = is_mass(lost.len(), of, care);
    let twice = if planted(Bug::OneListDeletes) { lost.clone() } else { lost.intersection(unfound) };
    if is_paused {
        actions.push(Action::Pause { reason: Pause::Disappearance { missing: lost.len(), of } });
    } else if !twice.is_empty() {
        actions.push(Action::Quarantine { locals: twice.clone() });
    }
    let rest = if is_paused { lost.clone() } else { lost.difference(&twice) };
    if rest != *unfound {
        actions.push(Action::Unfound { locals: rest });
    }
}

/// Whether so many are missing at once that it may be the server's fault.
fn is_mass(missing: u64, of: u64, care: Care) -> bool {
    !care.confirmed && missing > care.least.max(of.saturating_mul(care.percent) / 100)
}

fn reset(base: &Base, remote: &Remote, care: Care) -> Vec<Action> {
    if base.resets >= care.resets {
        return vec![Action::Pause { reason: Pause::Unstable { resets: base.resets + 1 } }];
    }
    // The numbers are forgotten only together with the list that tells the new ones.
    let Some(uids) = &remote.uids else { return vec![Action::Ask { question: Question::All }] };
    let reset = Action::Reset { from: base.cursor.uid_validity, to: remote.uid_validity };
    vec![reset, Action::Identify { uids: uids.clone() }]
}

/// Whether what the server said does not fit together, so that only a full comparison helps.
fn doubts(base: &Base, local: &Local, remote: &Remote) -> Option<Question> {
    let has_all = remote.uids.is_some() && remote.all_flags;
    let went_back = base.cursor.mod_seq > 0 && mod_seq(remote.mod_seq).is_some_and(|now| now < base.cursor.mod_seq);
    if went_back && !has_all {
        return Some(Question::All);
    }
    if remote.uids.is_some() || remote.partial {
        return None;
    }
    // Without the list of UIDs the number of messages has to agree, or something was not told, or told falsely.
    let there = expected(local, remote);
    (there.len() != u64::from(remote.exists)).then_some(Question::All)
}

/// The UIDs that the server has by all that is known, where it gave no list of them.
fn expected(local: &Local, remote: &Remote) -> UidSet {
    let told: UidSet = remote.flags.keys().copied().collect();
    let leaving: UidSet = local.leaving.keys().copied().collect();
    local.known.union(&leaving).union(&told).difference(&remote.vanished)
}

/// The three-way merge of every message whose flags the server told.
fn flags(local: &Local, remote: &Remote, actions: &mut Vec<Action>) {
    for (uid, theirs) in &remote.flags {
        let Some(here) = local.rows.get(uid) else { continue };
        let pending = local.pending.get(uid).map(Vec::as_slice).unwrap_or_default();
        let merged = merge(theirs, pending, actions).union(&kept_here(&here.flags, remote));
        if merged != here.flags || here.agreed.as_ref() != Some(theirs) {
            actions.push(Action::Flags { uid: *uid, flags: merged, agreed: theirs.clone() });
        }
    }
}

/// What a message looks like here: the server's flags, and above them what was changed here and is not there yet. A
/// flag has two values, so a change that the server shows already has been made by somebody: it must not be made again
/// after it was undone.
fn merge(theirs: &Flags, pending: &[FlagChange], actions: &mut Vec<Action>) -> Flags {
    let mut merged = theirs.clone();
    for (at, FlagChange { change, add, remove }) in pending.iter().enumerate() {
        let is_later =
            |flag: &Flag| pending.iter().skip(at + 1).any(|c| c.add.contains(flag) || c.remove.contains(flag));
        // What a later change of ours is about again is judged there.
        let left_add: Flags = add.iter().filter(|flag| !merged.contains(flag) || is_later(flag)).collect();
        let left_remove: Flags = remove.iter().filter(|flag| merged.contains(flag) || is_later(flag)).collect();
        if left_add.is_empty() && left_remove.is_empty() {
            let state = match change.begun {
                true => State::Applied { note: None },
                false => State::Superseded { by: Cause::AlreadySo },
            };
            actions.push(Action::Settle { intent: change.id, state });
        } else if !change.begun && (left_add != *add || left_remove != *remove) {
            actions.push(Action::Trim { intent: change.id, add: left_add, remove: left_remove });
        }
        merged = merged.union(add).difference(remove);
    }
    merged
}

/// Keywords that this mailbox forgets on the server: they live here alone.
fn kept_here(flags: &Flags, remote: &Remote) -> Flags {
    let Some(keeps) = &remote.keeps else { return Flags::new() };
    if keeps.contains(&Flag::ANY) {
        return Flags::new();
    }
    let kept: Flags = keeps.iter().collect();
    flags.difference(&kept).iter().filter(|flag| !flag.is_system()).collect()
}

/// What is missing on the server, as far as it is proven. Whether the mailbox pauses instead.
fn removals(base: &Base, local: &Local, remote: &Remote, care: Care, actions: &mut Vec<Action>) -> bool {
    if remote.partial || planted(Bug::GoneKept) {
        return base.paused;
    }
    let leaving: UidSet = local.leaving.keys().copied().collect();
    let ours = local.known.union(&leaving);
    let Some(uids) = &remote.uids else {
        // The count agrees (`doubts`), so what was named is gone.
        let gone = ours.intersection(&remote.vanished);
        let is_paused = remove(local, &gone, ours.len(), Proof::Vanished, care, actions);
        if is_paused && gone != base.suspects {
            actions.push(Action::Suspect { uids: gone });
        }
        return is_paused;
    };
    let missing = ours.difference(uids);
    let told = missing.intersection(&remote.vanished);
    let suspects = if planted(Bug::OneListDeletes) { &missing } else { &base.suspects };
    let twice = missing.intersection(suspects).difference(&told);
    let proven = told.union(&twice);
    let rest = missing.difference(&proven);
    let proof = if care.confirmed && base.paused { Proof::Confirmed } else { Proof::TwoLists };
    let is_paused = is_mass(missing.len(), ours.len(), care);
    if is_paused {
        actions.push(Action::Pause { reason: Pause::Disappearance { missing: missing.len(), of: ours.len() } });
    } else {
        remove(local, &told, ours.len(), Proof::Vanished, care, actions);
        remove(local, &twice, ours.len(), proof, care, actions);
    }
    let suspects = if is_paused { missing } else { rest };
    if suspects != base.suspects {
        actions.push(Action::Suspect { uids: suspects });
    }
    is_paused
}

fn remove(local: &Local, gone: &UidSet, of: u64, proof: Proof, care: Care, actions: &mut Vec<Action>) -> bool {
    if is_mass(gone.len(), of, care) {
        actions.push(Action::Pause { reason: Pause::Disappearance { missing: gone.len(), of } });
        return true;
    }
    let here = gone.intersection(&local.known);
    if !here.is_empty() {
        actions.push(Action::Remove { uids: here, proof });
    }
    // What was moved or deleted here and is gone there: the answer tells when one was asked for, else it was others.
    let over = local.leaving.iter().filter(|(uid, change)| gone.contains(**uid) && !change.begun);
    let state = State::Superseded { by: Cause::MessageGone };
    actions.extend(over.map(|(_, change)| Action::Settle { intent: change.id, state: state.clone() }));
    false
}

/// What is new on the server.
fn arrivals(local: &Local, remote: &Remote, actions: &mut Vec<Action>) {
    let told: UidSet = remote.flags.keys().copied().collect();
    let there = remote.uids.clone().unwrap_or(told);
    let leaving: UidSet = local.leaving.keys().copied().collect();
    let mut fresh = there.difference(&local.known).difference(&leaving).difference(&remote.vanished);
    if remote.uids.is_some() {
        // What is in the list is there, whatever else was said of it.
        fresh = there.difference(&local.known).difference(&leaving);
    }
    if let Some(hold) = local.hold {
        fresh = fresh.difference(&UidSet::range(hold, u32::MAX));
    }
    if !fresh.is_empty() {
        actions.push(Action::Reserve { uids: fresh.clone() });
        actions.push(Action::Headers { uids: fresh });
    }
}

/// Where the next pass begins. Never past what is held back; and a HIGHESTMODSEQ that brought nothing is believed only
/// when it brings nothing again: some servers raise it before the change can be seen (Gmail).
fn advance(base: &Base, local: &Local, remote: &Remote) -> Cursor {
    let told: UidSet = remote.flags.keys().copied().collect();
    let seen = remote.uids.as_ref().unwrap_or(&told).last().unwrap_or_default();
    let floor = base.cursor.uid_next.max(seen.saturating_add(u32::from(seen > 0)));
    let uid_next = remote.uid_next.unwrap_or(floor).max(floor);
    let announced = mod_seq(remote.mod_seq).unwrap_or_default();
    let brought = remote.exists != base.cursor.exists
        || remote.all_flags
        || !remote.flags.is_empty()
        || !remote.vanished.is_empty();
    let believed = brought || base.empty_mod_seq == Some(announced) || announced == base.cursor.mod_seq;
    let holds = local.hold.is_some_and(|hold| hold < uid_next);
    Cursor {
        uid_validity: remote.uid_validity,
        uid_next: if holds { local.hold.unwrap_or(uid_next).max(base.cursor.uid_next) } else { uid_next },
        mod_seq: if believed && !holds && !remote.partial { announced } else { base.cursor.mod_seq },
        exists: remote.exists,
        // At the very first time the flags come with the headers.
        audited: remote.uids.is_some() && (remote.all_flags || base.cursor.uid_validity == 0) && !remote.partial,
    }
}

#[cfg(test)]
mod tests;
