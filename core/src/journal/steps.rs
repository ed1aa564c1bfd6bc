//! The steps of an intent: what is sent next, what a confirmation leads to, and what a lost answer leads to.
//!
//! Each step is committed ([`Next::Send`]) before its command goes out, so that whoever finds it begun knows what may
//! have happened. STORE and UID EXPUNGE can be repeated as they are. What places a message (APPEND, COPY, MOVE) is
//! looked for before it is sent again: at UIDs from the UIDNEXT seen before, by size and header (RFC 4549 section 4.2.2).
//! Nothing is ever removed by EXPUNGE, CLOSE or a sequence number.

mod doubt;
mod model;

pub use doubt::{GRACE_SECONDS, doubt};
pub use model::{Act, At, Facts, Means, Next, Sighting};

use super::{Cause, Intent, Note, Reason, State, Step};
use crate::imap::Flag;
use crate::planted::{Bug, planted};

/// What is sent for an intent that was not begun, or whose message has to be looked at anew.
#[must_use]
pub fn begin(intent: &Intent, means: Means, facts: &Facts) -> Next {
    if facts.at == At::Sought {
        return Next::Wait { step: None };
    }
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
            Next::Look { step: Step::Find { uid_validity, uid_next, unseen: None } }
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

/// Whether the command of a step leaves the original where it is, so that a mailbox without it is a surprise.
#[must_use]
pub fn leaves_original(intent: &Intent, step: Step, means: Means) -> bool {
    match step {
        Step::Place { .. } | Step::Find { .. } => is_copied(intent, means),
        Step::Mark { .. } => true,
        Step::Send | Step::Expunge { .. } => false,
    }
}

/// What becomes of a step that may have been done to a message that cannot be found any more: UIDVALIDITY changed.
#[must_use]
pub fn lost(step: Step) -> Next {
    let placed = if let Step::Mark { copy } | Step::Expunge { copy } = step { copy } else { None };
    Next::End { state: State::Parked { reason: Reason::LostTrack, server: None }, placed }
}

/// What becomes of a change in a mailbox that is deleted here and that the server has numbered anew: its messages are not
/// looked for any more. With the mailbox goes what was changed in it; what was to leave it is for a person to judge.
#[must_use]
pub fn left_behind(intent: &Intent, step: Option<Step>) -> Next {
    match intent {
        Intent::Move { .. } | Intent::Copy { .. } => lost(step.unwrap_or(Step::Send)),
        _ => end(State::Superseded { by: Cause::MailboxGone }),
    }
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

/// Whether the original is to be taken away by us, after the copy is known.
fn removes_original(intent: &Intent, means: Means) -> bool {
    matches!(intent, Intent::Move { .. }) && !means.can_move
}

/// Whether its message is placed by COPY, which leaves the original where it is.
fn is_copied(intent: &Intent, means: Means) -> bool {
    matches!(intent, Intent::Copy { .. }) || removes_original(intent, means)
}

#[cfg(test)]
mod tests;
