//! What the pure side has decided for a mailbox, put down in one transaction: rows, journal, feed and cursor together.

use crate::error::Result;
use crate::imap::UidSet;
use crate::journal::{Cause, Entry, Intent, State, Step};
use crate::store::arrive::{self, FlagsArrived};
use crate::store::{Flags, IntentId, Local as At, MailboxId, MailboxRow, MailboxState, Now, Reader, Writer};
use crate::sync::paused::forget;
use crate::sync::resync::{Base, Change, FlagChange, Here, Local, Remote, mod_seq};
use crate::sync::{Action, Cursor, Question};
use std::collections::BTreeMap;

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
pub(super) fn local(reader: &dyn Reader, row: &MailboxRow, remote: &Remote, pending: &[Entry]) -> Result<Local> {
    let mut local = Local { known: reader.remote_uids(row.id)?, hold: hold(row, pending), ..Local::default() };
    for uid in remote.flags.keys() {
        let Some(placed) = reader.placement_by_remote(row.id, *uid)?.filter(|row| row.message.is_some()) else {
            continue;
        };
        local.rows.insert(*uid, Here { flags: placed.flags, agreed: placed.agreed });
    }
    for entry in pending {
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
    // A number of before a reset says nothing.
    let numbered = row.remote.as_ref().map(|remote| remote.uid_validity) == target.uid_validity;
    let uid = placed.as_ref().and_then(|row| row.remote_uid).or(target.uid.filter(|_| numbered));
    let Some(uid) = uid else { return Ok(()) };
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
        Action::Unfound { locals } => super::anew::set_unfound(writer, mailbox, locals),
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

/// Where a HIGHESTMODSEQ is remembered that brought nothing.
fn empty_note(mailbox: MailboxId) -> String {
    format!("sync.empty.{mailbox}")
}

pub(super) fn set(text: &str) -> UidSet {
    UidSet::from_server(text.as_bytes()).unwrap_or_default()
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
