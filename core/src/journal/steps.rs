//! The steps of an intent: what is sent next, what a confirmation leads to, and what a lost answer leads to.
//!
//! Each step is committed ([`Next::Send`]) before its command goes out, so that whoever finds it begun knows what may
//! have happened. STORE and UID EXPUNGE can be repeated as they are. What places a message (APPEND, COPY, MOVE) is
//! looked for before it is sent again: at UIDs from the UIDNEXT seen before, by size and header (RFC 4549 section 4.2.2).
//! Nothing is ever removed by EXPUNGE, CLOSE or a sequence number.

use super::{Cause, Entry, Intent, Note, Reason, State, Step};
use crate::imap::Flag;
use crate::planted::{Bug, planted};
use std::fmt;

/// What the server can do, as far as it changes the steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Means {
    /// MOVE (RFC 6851).
    pub can_move: bool,
    /// UIDPLUS (RFC 4315): UID EXPUNGE, and the UIDs of what was placed.
    pub uid_plus: bool,
    /// The largest message that APPEND takes, in bytes (RFC 7889).
    pub append_limit: Option<u64>,
}

/// Where the message of an intent is on the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum At {
    /// The intent is about no message on the server.
    #[default]
    Nowhere,
    /// There, with this UID.
    Uid(u32),
    /// An earlier intent is to bring it there, and has not yet.
    Coming,
    /// It left the server.
    Gone,
    /// UIDVALIDITY changed and it was not found again.
    Lost,
}

/// What is known just before a step. Facts that an intent of this kind does not need may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Where the message is.
    pub at: At,
    /// UIDVALIDITY and UIDNEXT of the mailbox a message goes to; `None` where there is none.
    pub to: Option<(u32, u32)>,
    /// The mailbox that is written to can only be read.
    pub read_only: bool,
    /// Its UIDVALIDITY changes again and again.
    pub unstable: bool,
    /// Flags that it keeps (PERMANENTFLAGS); `None` where the server does not say, which means all.
    pub keeps: Option<Vec<Flag>>,
    /// Whether the bytes to append are here.
    pub has_body: bool,
    /// UIDVALIDITY, UIDNEXT and message count of a mailbox to be removed; `None` where it is not there.
    pub holds: Option<(u32, u32, u32)>,
}

/// A command of an intent. The message is the one at [`Facts::at`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// `UID STORE -FLAGS.SILENT` and `+FLAGS.SILENT`.
    Store {
        /// Flags to set.
        add: Vec<Flag>,
        /// Flags to take away.
        remove: Vec<Flag>,
    },
    /// `UID MOVE`.
    Move,
    /// `UID COPY`.
    Copy,
    /// `APPEND`.
    Append,
    /// `UID STORE +FLAGS.SILENT (\Deleted)`.
    Mark,
    /// `UID EXPUNGE`.
    Expunge,
    /// `CREATE`.
    Create,
    /// `RENAME`.
    Rename,
    /// `DELETE`.
    Remove,
    /// `SUBSCRIBE`.
    Subscribe,
    /// `UNSUBSCRIBE`.
    Unsubscribe,
}

/// What comes next for an intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Commit `step`, then send the command.
    Send {
        /// The step.
        step: Step,
        /// Its command.
        act: Act,
    },
    /// Commit `step`, then see what is there ([`doubt`]).
    Look {
        /// The step.
        step: Step,
    },
    /// It has ended, or is parked. `placed` is where its message arrived: UIDVALIDITY and UID.
    End {
        /// How.
        state: State,
        /// Where.
        placed: Option<(u32, u32)>,
    },
    /// Nothing can be said yet. Try again later; `step` is to be kept.
    Wait {
        /// The step.
        step: Option<Step>,
    },
}

/// What was found after a lost answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sighting {
    /// Whether the original is in its mailbox still.
    pub original: bool,
    /// UIDVALIDITY of the mailbox it goes to; `None` where that is gone.
    pub uid_validity: Option<u32>,
    /// Its UIDNEXT now.
    pub uid_next: u32,
    /// UIDs there, from the UIDNEXT of the step on (all, under another UIDVALIDITY), that are the same by size and
    /// header, and that no placement here has. Ascending.
    pub copies: Vec<u32>,
    /// For a rename: whether the old name is listed, and whether the new one is.
    pub names: (bool, bool),
    /// The command was answered, so that nothing of it comes late; it only did not say where the message went.
    pub answered: bool,
}

/// For how long a copy that is not there after a lost answer may still turn up: a server may work on what it had read
/// before the connection was cut.
pub const GRACE_SECONDS: i64 = 30;

/// What is sent for an intent that was not begun, or whose message has to be looked at anew.
#[must_use]
pub fn begin(intent: &Intent, means: Means, facts: &Facts) -> Next {
    if let Some(state) = precondition(intent, means, facts) {
        return end(state);
    }
    match intent {
        Intent::Flag { add, remove, .. } => store(add, remove, facts),
        Intent::Move { .. } if means.can_move => place(facts, Act::Move),
        Intent::Move { .. } | Intent::Copy { .. } => place(facts, Act::Copy),
        Intent::Append { .. } => place(facts, Act::Append),
        Intent::Delete { .. } => Next::Send { step: Step::Mark { copy: None }, act: Act::Mark },
        Intent::CreateMailbox { .. } => send(Act::Create),
        Intent::RenameMailbox { .. } => send(Act::Rename),
        Intent::DeleteMailbox { .. } => send(Act::Remove),
        Intent::Subscribe { .. } => send(Act::Subscribe),
        Intent::Unsubscribe { .. } => send(Act::Unsubscribe),
    }
}

/// What follows when the command of `step` was confirmed. `placed` is the copy's UIDVALIDITY and UID, where the server
/// told them (APPENDUID, COPYUID).
#[must_use]
pub fn confirmed(intent: &Intent, step: Step, placed: Option<(u32, u32)>, means: Means) -> Next {
    match (step, placed) {
        (Step::Place { .. } | Step::Find { .. }, Some(copy)) if removes_original(intent, means) => mark(Some(copy)),
        (Step::Place { .. } | Step::Find { .. }, Some(_)) => Next::End { state: applied(), placed },
        (Step::Place { uid_validity, uid_next, .. }, None) => {
            Next::Look { step: Step::Find { uid_validity, uid_next } }
        }
        (Step::Find { .. }, None) => Next::Wait { step: Some(step) },
        (Step::Mark { copy }, _) if means.uid_plus && !planted(Bug::MarkedOnly) => {
            Next::Send { step: Step::Expunge { copy }, act: Act::Expunge }
        }
        (Step::Mark { copy }, _) => Next::End { state: State::Applied { note: Some(Note::LeftMarked) }, placed: copy },
        (Step::Expunge { copy }, _) => Next::End { state: applied(), placed: copy },
        (Step::Send, _) => end(applied()),
    }
}

/// What follows when the answer to `step` was lost, or nobody was there to hear it. `now` is in seconds since 1970.
#[must_use]
pub fn doubt(entry: &Entry, step: Step, seen: &Sighting, means: Means, now: i64) -> Next {
    match (&entry.intent, step) {
        (Intent::RenameMailbox { .. }, Step::Send) => renamed(seen),
        (intent, Step::Send) => repeat(intent),
        (_, Step::Mark { copy } | Step::Expunge { copy }) if !seen.original => {
            Next::End { state: applied(), placed: copy }
        }
        (_, Step::Mark { copy }) => mark(copy),
        (_, Step::Expunge { copy }) => Next::Send { step: Step::Expunge { copy }, act: Act::Expunge },
        (intent, Step::Find { .. }) => found(intent, step, seen, means),
        (intent, Step::Place { uid_validity, uid_next, unseen }) => {
            let waited = unseen.is_some_and(|since| now.saturating_sub(since) >= GRACE_SECONDS);
            let keep = Step::Place { uid_validity, uid_next, unseen: unseen.or(Some(now)) };
            placed(intent, keep, seen, means, waited)
        }
    }
}

/// What becomes of a step that may have been done to a message that cannot be found any more: UIDVALIDITY changed.
#[must_use]
pub fn lost(step: Step) -> Next {
    let placed = if let Step::Mark { copy } | Step::Expunge { copy } = step { copy } else { None };
    Next::End { state: State::Parked { reason: Reason::LostTrack, server: None }, placed }
}

fn precondition(intent: &Intent, means: Means, facts: &Facts) -> Option<State> {
    let park = |reason| Some(State::Parked { reason, server: None });
    let over = |by| Some(State::Superseded { by });
    match facts.at {
        At::Gone => return over(Cause::MessageGone),
        At::Lost => return park(Reason::LostTrack),
        // What was to bring it has ended without doing so: there is nothing on the server that this could change.
        At::Coming | At::Nowhere if intent.target().is_some() => return over(Cause::MessageGone),
        _ => {}
    }
    if facts.unstable && (intent.target().is_some() || intent.landing().is_some()) {
        return park(Reason::Unstable);
    }
    if facts.read_only {
        return park(Reason::ReadOnly);
    }
    if intent.landing().is_some() && facts.to.is_none() {
        return park(Reason::MailboxMissing);
    }
    match intent {
        Intent::Append { size, .. } if means.append_limit.is_some_and(|most| *size > most) => park(Reason::TooBig),
        Intent::Append { .. } if !facts.has_body => park(Reason::BodyMissing),
        Intent::DeleteMailbox { seen, .. } => match (facts.holds, *seen) {
            (None, _) => over(Cause::MailboxGone),
            (Some((_, _, 0)), _) => None,
            (Some((validity, next, _)), Some(seen)) if seen == (validity, next) => None,
            _ => park(Reason::MailboxChanged),
        },
        _ => None,
    }
}

/// A keyword that the server would forget stays here alone (RFC 9051 section 7.1, PERMANENTFLAGS).
fn store(add: &[Flag], remove: &[Flag], facts: &Facts) -> Next {
    let keeps = |flag: &&Flag| match &facts.keeps {
        None => true,
        Some(kept) if !flag.is_system() && kept.contains(&Flag::ANY) => true,
        Some(kept) => kept.iter().any(|k| k.as_str().eq_ignore_ascii_case(flag.as_str())),
    };
    let add: Vec<Flag> = add.iter().filter(keeps).cloned().collect();
    if add.is_empty() && remove.is_empty() {
        return end(State::Applied { note: Some(Note::KeptHere) });
    }
    send(Act::Store { add, remove: remove.to_vec() })
}

fn place(facts: &Facts, act: Act) -> Next {
    match facts.to {
        Some((uid_validity, uid_next)) => {
            Next::Send { step: Step::Place { uid_validity, uid_next, unseen: None }, act }
        }
        None => Next::Wait { step: None },
    }
}

fn mark(copy: Option<(u32, u32)>) -> Next {
    Next::Send { step: Step::Mark { copy }, act: Act::Mark }
}

fn send(act: Act) -> Next {
    Next::Send { step: Step::Send, act }
}

fn end(state: State) -> Next {
    Next::End { state, placed: None }
}

const fn applied() -> State {
    State::Applied { note: None }
}

fn ambiguous() -> Next {
    end(State::Parked { reason: Reason::Ambiguous, server: None })
}

/// Whether the original is to be taken away by us, after the copy is known.
fn removes_original(intent: &Intent, means: Means) -> bool {
    matches!(intent, Intent::Move { .. }) && !means.can_move
}

/// Whether its message is placed by COPY, which leaves the original where it is.
fn is_copied(intent: &Intent, means: Means) -> bool {
    matches!(intent, Intent::Copy { .. }) || removes_original(intent, means)
}

/// Commands that may be sent twice: the second time they change nothing.
fn repeat(intent: &Intent) -> Next {
    match intent {
        Intent::Flag { add, remove, .. } => send(Act::Store { add: add.clone(), remove: remove.clone() }),
        Intent::CreateMailbox { .. } => send(Act::Create),
        Intent::DeleteMailbox { .. } => send(Act::Remove),
        Intent::Subscribe { .. } => send(Act::Subscribe),
        Intent::Unsubscribe { .. } => send(Act::Unsubscribe),
        _ => ambiguous(),
    }
}

fn renamed(seen: &Sighting) -> Next {
    match seen.names {
        (true, false) => send(Act::Rename),
        (false, true) => end(applied()),
        (true, true) => end(State::Parked { reason: Reason::MailboxExists, server: None }),
        (false, false) => end(State::Superseded { by: Cause::MailboxGone }),
    }
}

/// A copy whose place the server did not tell.
fn found(intent: &Intent, step: Step, seen: &Sighting, means: Means) -> Next {
    let copy = seen.uid_validity.zip(seen.copies.first().copied());
    match copy {
        // The server has confirmed it. Of several that are the same any one will do; the others arrive as new messages.
        Some(copy) if removes_original(intent, means) && seen.original => mark(Some(copy)),
        Some(copy) => Next::End { state: applied(), placed: Some(copy) },
        // It went to a mailbox that is gone, or moved on from there already.
        None if seen.uid_validity.is_none() => end(applied()),
        // COPY of a message that is gone is OK as well, and takes nothing along (RFC 9051 section 6.4.9).
        None if is_copied(intent, means) && !seen.original => end(State::Superseded { by: Cause::MessageGone }),
        None => Next::Wait { step: Some(step) },
    }
}

/// What placed a message, and the answer was lost.
fn placed(intent: &Intent, step: Step, seen: &Sighting, means: Means, waited: bool) -> Next {
    let Some(validity) = seen.uid_validity else {
        return end(State::Parked { reason: Reason::MailboxMissing, server: None });
    };
    let is_move = matches!(intent, Intent::Move { .. });
    if is_blind(intent) {
        return again(intent, validity, seen.uid_next, means);
    }
    match seen.copies.as_slice() {
        [copy] if is_move && seen.original => mark(Some((validity, *copy))),
        [copy] => Next::End { state: applied(), placed: Some((validity, *copy)) },
        // The original is gone: our copy is among these, and nothing will be taken away any more.
        [first, ..] if is_move && !seen.original => Next::End { state: applied(), placed: Some((validity, *first)) },
        // RFC 4549 section 4.2.2.1: where several fit, use none.
        [_, _, ..] => ambiguous(),
        // Confirmed, and nothing was placed: it was gone before.
        [] if seen.answered && intent.target().is_some() && !seen.original => {
            end(State::Superseded { by: Cause::MessageGone })
        }
        // MOVE takes a message once, however often it is sent.
        [] if is_move && means.can_move && seen.original && !seen.answered => {
            again(intent, validity, seen.uid_next, means)
        }
        [] if is_move && planted(Bug::MoveWithoutProof) => mark(None),
        [] if !waited => Next::Wait { step: Some(step) },
        [] if intent.target().is_some() && !seen.original => end(State::Superseded { by: Cause::MessageGone }),
        [] => again(intent, validity, seen.uid_next, means),
    }
}

/// Whether what was placed is not to be looked for: never, unless that mistake is planted.
fn is_blind(intent: &Intent) -> bool {
    match intent {
        Intent::Append { .. } => planted(Bug::BlindAppend),
        _ => planted(Bug::BlindCopy),
    }
}

fn again(intent: &Intent, uid_validity: u32, uid_next: u32, means: Means) -> Next {
    let act = match intent {
        Intent::Append { .. } => Act::Append,
        Intent::Move { .. } if means.can_move => Act::Move,
        _ => Act::Copy,
    };
    Next::Send { step: Step::Place { uid_validity, uid_next, unseen: None }, act }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Store { .. } => "UID STORE",
            Self::Move => "UID MOVE",
            Self::Copy => "UID COPY",
            Self::Append => "APPEND",
            Self::Mark => "UID STORE \\Deleted",
            Self::Expunge => "UID EXPUNGE",
            Self::Create => "CREATE",
            Self::Rename => "RENAME",
            Self::Remove => "DELETE",
            Self::Subscribe => "SUBSCRIBE",
            Self::Unsubscribe => "UNSUBSCRIBE",
        })
    }
}

#[cfg(test)]
mod tests;
