//! What the pure side has decided for a mailbox, put down in one transaction: rows, journal, feed and cursor together.

use super::headers::Identity;
use crate::error::Result;
use crate::imap::UidSet;
use crate::journal::{Cause, Digest, Entry, Intent, State, Step};
use crate::store::arrive::{self, FlagsArrived};
use crate::store::{
    Flags, IntentId, Local as At, MailboxId, MailboxRow, MailboxState, MessageRow, Now, Reader, Writer,
};
use crate::sync::paused::forget;
use crate::sync::resync::{Base, Change, FlagChange, Here, Local, Remote, mod_seq};
use crate::sync::{Action, Cursor, Question};
use std::collections::{BTreeMap, BTreeSet};

/// What is left to do for a mailbox after its rows are down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Left {
    /// A question whose answer is needed first.
    pub question: Option<Question>,
    /// What has to be identified after a reset.
    pub identify: Option<UidSet>,
    /// Whether the mailbox is in step now.
    pub in_step: bool,
}

/// What both sides last agreed on. `now` tells the day on which resets are counted.
pub(super) fn base(reader: &dyn Reader, row: &MailboxRow, now: Now) -> Result<Base> {
    let remote = row.remote.clone().unwrap_or_default();
    let is_today = remote.resets_day == now.seconds().div_euclid(86_400);
    let empty = reader.note(&empty_note(row.id))?.and_then(|value| String::from_utf8(value).ok()?.parse().ok());
    Ok(Base {
        cursor: super::list::cursor(row),
        suspects: set(&remote.suspects),
        resets: if is_today { remote.resets } else { 0 },
        paused: row.state == MailboxState::Paused,
        empty_mod_seq: empty,
    })
}

/// What is here, as far as it is needed to judge what the server said.
pub(super) fn local(reader: &dyn Reader, row: &MailboxRow, remote: &Remote) -> Result<Local> {
    let pending = reader.pending()?;
    let mut local = Local { known: reader.remote_uids(row.id)?, hold: hold(row, &pending), ..Local::default() };
    for uid in remote.flags.keys() {
        let Some(placed) = reader.placement_by_remote(row.id, *uid)?.filter(|row| row.message.is_some()) else {
            continue;
        };
        local.rows.insert(*uid, Here { flags: placed.flags, agreed: placed.agreed });
    }
    for entry in &pending {
        note_pending(reader, row, entry, &mut local)?;
    }
    Ok(local)
}

/// The UID from which on a copy of ours may stand whose answer was lost.
fn hold(row: &MailboxRow, pending: &[Entry]) -> Option<u32> {
    let known = row.remote.as_ref().map(|remote| remote.uid_validity);
    let from = |entry: &Entry| match entry.state {
        State::Started {
            step: Step::Place { uid_validity, uid_next, .. } | Step::Find { uid_validity, uid_next, .. },
        } if entry.intent.landing().is_some_and(|to| to.mailbox.id == row.id.0) => {
            // Under other numbers it may be anywhere.
            let is_same = known.is_some_and(|known| [0, uid_validity].contains(&known));
            Some(if is_same { uid_next } else { 1 })
        }
        _ => None,
    };
    pending.iter().filter_map(from).min()
}

/// Whether a copy of ours may be in a mailbox whose answer was lost.
pub(super) fn holds(reader: &dyn Reader, mailbox: MailboxId) -> Result<bool> {
    let Some(row) = reader.mailbox(mailbox)? else { return Ok(false) };
    Ok(hold(&row, &reader.pending()?).is_some())
}

/// What an entry of the journal means for a mailbox: a flag change, a message that leaves.
fn note_pending(reader: &dyn Reader, row: &MailboxRow, entry: &Entry, local: &mut Local) -> Result<()> {
    let change = Change { id: entry.id, begun: matches!(entry.state, State::Started { .. }) };
    let Some(target) = entry.intent.target().filter(|target| target.mailbox.id == row.id.0) else { return Ok(()) };
    let placed = reader.placement(row.id, target.local)?;
    let Some(uid) = placed.as_ref().and_then(|row| row.remote_uid).or(target.uid) else { return Ok(()) };
    match &entry.intent {
        Intent::Flag { add, remove, .. } => {
            let (add, remove): (Flags, Flags) = (add.iter().collect(), remove.iter().collect());
            local.pending.entry(uid).or_default().push(FlagChange { change, add, remove });
        }
        // Parked, it stays away here until somebody drops it.
        Intent::Move { .. } | Intent::Delete { .. } if placed.is_none() => {
            local.leaving.insert(uid, change);
        }
        _ => {}
    }
    Ok(())
}

/// Carries out what was decided. Everything of it happens, or nothing.
pub(super) fn carry_out(
    writer: &mut dyn Writer,
    mailbox: MailboxId,
    actions: &[Action],
    remote: &Remote,
    now: Now,
) -> Result<Left> {
    let mut left = Left::default();
    let mut changed = Vec::new();
    for action in actions {
        match action {
            Action::Flags { uid, flags, agreed } => {
                changed.push(FlagsArrived { uid: *uid, flags: flags.clone(), agreed: agreed.clone() });
            }
            Action::Ask { question } => left.question = Some(*question),
            Action::Identify { uids } => left.identify = Some(uids.clone()),
            Action::Advance { cursor } => {
                arrive::set_flags(writer, mailbox, &std::mem::take(&mut changed), now)?;
                advance(writer, mailbox, cursor, remote, now)?;
                left.in_step = true;
            }
            other => one(writer, mailbox, other, now)?,
        }
    }
    if !changed.is_empty() {
        arrive::set_flags(writer, mailbox, &changed, now)?;
    }
    Ok(left)
}

fn one(writer: &mut dyn Writer, mailbox: MailboxId, action: &Action, now: Now) -> Result<()> {
    match action {
        Action::Reserve { uids } => arrive::reserve(writer, mailbox, uids, now),
        Action::Remove { uids, .. } => {
            let gone = arrive::vanished(writer, mailbox, uids, now)?;
            gone.iter().try_for_each(|local| void(writer, mailbox, local, now))
        }
        Action::Suspect { uids } => arrive::advance(writer, mailbox, |remote| remote.suspects = uids.to_string(), now),
        Action::Settle { intent, state } => settle(writer, IntentId(*intent), state.clone(), now),
        Action::Trim { intent, add, remove } => arrive::trim(writer, IntentId(*intent), (add, remove), now),
        Action::Reset { to, .. } => arrive::reset(writer, mailbox, *to, now),
        Action::Rebind { local, uid } => arrive::rebind(writer, At { mailbox, uid: *local }, *uid, now),
        Action::Unfound { locals } => set_unfound(writer, mailbox, locals),
        Action::Quarantine { locals } => arrive::quarantine(writer, mailbox, locals, now),
        Action::Pause { reason } => arrive::pause(writer, mailbox, &reason.to_string(), now),
        Action::Resume => {
            forget(writer, mailbox)?;
            arrive::resume(writer, mailbox, now)
        }
        // Mailboxes, fetches and questions are carried out elsewhere.
        _ => Ok(()),
    }
}

/// Ends what waits for a message that is gone. What was begun is judged by what its command has left.
fn void(writer: &mut dyn Writer, mailbox: MailboxId, local: u32, now: Now) -> Result<()> {
    for entry in writer.pending_at(mailbox, local)? {
        let is_at = entry.intent.target().is_some_and(|to| (to.mailbox.id, to.local) == (mailbox.0, local));
        if is_at && !matches!(entry.state, State::Started { .. }) {
            settle(writer, IntentId(entry.id), State::Superseded { by: Cause::MessageGone }, now)?;
        }
    }
    Ok(())
}

/// After a reset: changes of messages that have left their place here, found again by digest; those that are the same in
/// their order, among them those that are here still. What they are about is taken out of `there`, so that it is not
/// taken for new.
pub(super) fn retarget(
    writer: &mut dyn Writer,
    mailbox: MailboxId,
    uid_validity: u32,
    there: &mut Vec<Identity>,
    now: Now,
) -> Result<()> {
    let here = unlinked(writer, mailbox)?;
    let mut entries = writer.pending()?;
    entries.sort_by_key(|entry| entry.intent.target().map(|target| target.local));
    for mut entry in entries {
        let Some(target) = entry.intent.target_mut().filter(|target| target.mailbox.id == mailbox.0) else { continue };
        if target.uid.is_none() || writer.placement(mailbox, target.local)?.is_some() {
            continue;
        }
        let before = here.iter().filter(|(local, row)| *local < target.local && row.digest == Some(target.digest));
        let twins = there.iter().enumerate().filter(|(_, identity)| identity.digest == target.digest);
        let Some((at, _)) = twins.take(before.count() + 1).last() else { continue };
        let identity = there.remove(at);
        (target.uid_validity, target.uid) = (Some(uid_validity), Some(identity.uid));
        writer.update_intent(&entry, now.seconds())?;
    }
    Ok(())
}

/// Ends an intent. Where its message is gone, so is what was to become of it here.
pub(super) fn settle(writer: &mut dyn Writer, intent: IntentId, state: State, now: Now) -> Result<()> {
    let is_void = state == State::Superseded { by: Cause::MessageGone };
    let entry = writer.intent(intent)?;
    arrive::settle(writer, intent, state, now)?;
    let landing = entry.as_ref().and_then(|entry| entry.intent.landing()).filter(|_| is_void);
    let Some(landing) = landing else { return Ok(()) };
    let mailbox = MailboxId(landing.mailbox.id);
    let unplaced = writer.placement(mailbox, landing.local)?.is_some_and(|row| row.remote_uid.is_none());
    if unplaced && writer.mailbox(mailbox)?.is_some_and(|row| row.state != MailboxState::Gone) {
        arrive::quarantine(writer, mailbox, &[landing.local].into_iter().collect(), now)?;
    }
    Ok(())
}

fn advance(writer: &mut dyn Writer, mailbox: MailboxId, cursor: &Cursor, remote: &Remote, now: Now) -> Result<()> {
    let announced = mod_seq(remote.mod_seq).filter(|announced| *announced > cursor.mod_seq);
    let note = announced.map(|announced| announced.to_string().into_bytes());
    if writer.note(&empty_note(mailbox))? != note {
        writer.set_note(&empty_note(mailbox), note.as_deref())?;
    }
    let set = |remote: &mut crate::store::RemoteMailbox| {
        remote.uid_validity = cursor.uid_validity;
        remote.uid_next = cursor.uid_next;
        remote.highest_mod_seq = cursor.mod_seq;
        remote.exists = cursor.exists;
        if cursor.audited {
            remote.audited = now.seconds();
        }
    };
    arrive::advance(writer, mailbox, set, now)
}

/// The server left something untold for a whole pass. What is found again in the next one is all that there is.
pub(super) fn tire(writer: &mut dyn Writer, mailbox: MailboxId) -> Result<()> {
    writer.set_note(&untold_note(mailbox), Some(b"1"))
}

/// Whether it is time to believe that a message is gone which the server does not tell of.
pub(super) fn is_tired(writer: &mut dyn Writer, mailbox: MailboxId) -> Result<bool> {
    let is_tired = writer.note(&untold_note(mailbox))?.is_some();
    if is_tired {
        writer.set_note(&untold_note(mailbox), None)?;
    }
    Ok(is_tired)
}

/// Messages by our UIDs that an earlier pass has not found again after a reset, and that are still here without a number.
pub(super) fn unfound(reader: &dyn Reader, mailbox: MailboxId) -> Result<UidSet> {
    let Some(note) = reader.note(&unfound_note(mailbox))? else { return Ok(UidSet::new()) };
    let left: UidSet = unlinked(reader, mailbox)?.into_iter().map(|(local, _)| local).collect();
    Ok(UidSet::from_server(&note).unwrap_or_default().intersection(&left))
}

fn set_unfound(writer: &mut dyn Writer, mailbox: MailboxId, locals: &UidSet) -> Result<()> {
    let note = (!locals.is_empty()).then(|| locals.to_string());
    writer.set_note(&unfound_note(mailbox), note.as_ref().map(String::as_bytes))
}

fn unfound_note(mailbox: MailboxId) -> String {
    format!("sync.unfound.{mailbox}")
}

fn untold_note(mailbox: MailboxId) -> String {
    format!("sync.untold.{mailbox}")
}

/// Where a HIGHESTMODSEQ is remembered that brought nothing.
fn empty_note(mailbox: MailboxId) -> String {
    format!("sync.empty.{mailbox}")
}

pub(super) fn set(text: &str) -> UidSet {
    UidSet::from_server(text.as_bytes()).unwrap_or_default()
}

/// Messages that lost their number and are to be found again, with what each is known by.
pub(super) fn unlinked(reader: &dyn Reader, mailbox: MailboxId) -> Result<Vec<(u32, MessageRow)>> {
    let numbered = reader.remote_uids(mailbox)?.len().saturating_sub(reader.reserved(mailbox)?.len());
    if reader.uids(mailbox)?.len() == numbered {
        return Ok(Vec::new());
    }
    let pending = reader.pending()?;
    let is_coming = |local: u32| {
        let arrives =
            |entry: &Entry| entry.intent.landing().is_some_and(|to| to.mailbox.id == mailbox.0 && to.local == local);
        pending.iter().any(arrives)
    };
    let mut unlinked = Vec::new();
    for row in reader.placements(mailbox, &UidSet::range(1, u32::MAX))? {
        let Some(message) = row.message.filter(|_| row.remote_uid.is_none() && !is_coming(row.uid)) else { continue };
        if let Some(message) = reader.message(message)? {
            unlinked.push((row.uid, message));
        }
    }
    Ok(unlinked)
}

/// What each message is known by on both sides: the server's own id where both have it, else the digest.
pub(super) fn keys(unlinked: &[(u32, MessageRow)], there: &[Identity]) -> (Keys, Keys) {
    let theirs: BTreeSet<&str> = there.iter().filter_map(|identity| identity.email_id.as_deref()).collect();
    let ours: BTreeSet<&str> = unlinked.iter().filter_map(|(_, row)| row.email_id.as_deref()).collect();
    let key = |email_id: Option<&str>, digest: Option<&Digest>| match (email_id, digest) {
        (Some(id), _) if theirs.contains(id) && ours.contains(id) => id.as_bytes().to_vec(),
        (_, Some(digest)) => digest.as_bytes().to_vec(),
        _ => Vec::new(),
    };
    // What is known by nothing is found by nothing.
    let here = unlinked.iter().map(|(local, row)| match key(row.email_id.as_deref(), row.digest.as_ref()) {
        key if key.is_empty() => (*local, format!("message {}", row.id).into_bytes()),
        key => (*local, key),
    });
    let there = there.iter().map(|row| (row.uid, key(row.email_id.as_deref(), Some(&row.digest))));
    (here.collect(), there.collect())
}

type Keys = Vec<(u32, Vec<u8>)>;

/// What is new on the server while messages here have lost their numbers, by a reset that was broken off, must be
/// identified first: it may be one of them. Those that this pass has looked for already (`sought`) wait for the next one.
pub(super) fn identify_first(actions: Vec<Action>, remote: &Remote, sought: bool) -> Vec<Action> {
    if remote.partial || actions.iter().any(|action| matches!(action, Action::Reset { .. })) {
        return actions;
    }
    if remote.uids.is_none() {
        return vec![Action::Ask { question: Question::All }];
    }
    let is_new = |action: &Action| if let Action::Reserve { uids } = action { Some(uids.clone()) } else { None };
    match actions.iter().find_map(is_new) {
        None if sought => actions,
        uids => vec![Action::Identify { uids: uids.unwrap_or_default() }],
    }
}

/// How many of each kind, for the report.
pub(super) fn count(actions: &[Action]) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for action in actions {
        let (name, count) = match action {
            Action::Flags { .. } => ("flags", 1),
            Action::Remove { uids, .. } => ("removed", uids.len()),
            Action::Quarantine { locals } => ("removed", locals.len()),
            _ => continue,
        };
        *counts.entry(name).or_default() += count;
    }
    counts
}
