//! What a lost answer leads to: what can be repeated is, what may have placed a message is looked for.

use super::{Act, Means, Next, Sighting, applied, end, is_copied, mark, removes_original, send};
use crate::journal::{Cause, Entry, Intent, Reason, State, Step};
use crate::planted::{Bug, planted};

/// For how long a copy that is not there after a lost answer may still turn up: a server may work on what it had read
/// before the connection was cut.
pub const GRACE_SECONDS: i64 = 30;

/// What follows when the answer to `step` was lost, or nobody was there to hear it. `now` is in seconds since 1970.
#[must_use]
pub fn doubt(entry: &Entry, step: Step, seen: &Sighting, means: Means, now: i64) -> Next {
    // A clock that was ahead then does not tell how long ago it was.
    let since = |unseen: Option<i64>| unseen.filter(|since| *since <= now).or(Some(now));
    match (&entry.intent, step) {
        (Intent::RenameMailbox { .. }, Step::Send) => renamed(seen),
        (intent, Step::Send) => repeat(intent),
        (_, Step::Mark { copy } | Step::Expunge { copy }) if !seen.original => {
            Next::End { state: applied(), placed: copy }
        }
        (_, Step::Mark { copy }) => mark(copy),
        (_, Step::Expunge { copy }) => Next::Send { step: Step::Expunge { copy }, act: Act::Expunge },
        (intent, Step::Find { uid_validity, uid_next, unseen }) => {
            let keep = Step::Find { uid_validity, uid_next, unseen: since(unseen) };
            found(intent, keep, seen, means, has_waited(unseen, now))
        }
        (intent, Step::Place { uid_validity, uid_next, unseen }) => {
            let keep = Step::Place { uid_validity, uid_next, unseen: since(unseen) };
            placed(intent, keep, seen, means, has_waited(unseen, now))
        }
    }
}

/// Whether what has not been seen then will not turn up any more.
fn has_waited(unseen: Option<i64>, now: i64) -> bool {
    unseen.is_some_and(|since| now.saturating_sub(since) >= GRACE_SECONDS)
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
fn found(intent: &Intent, step: Step, seen: &Sighting, means: Means, waited: bool) -> Next {
    let copy = seen.uid_validity.zip(seen.copies.first().copied());
    match copy {
        // The server has confirmed it. Of several that are the same any one will do; the others arrive as new messages.
        Some(copy) if removes_original(intent, means) && seen.original => mark(Some(copy)),
        Some(copy) => Next::End { state: applied(), placed: Some(copy) },
        // It went to a mailbox that is gone, or moved on from there already.
        None if seen.uid_validity.is_none() => end(applied()),
        // COPY of a message that is gone is OK as well, and takes nothing along (RFC 9051 section 6.4.9).
        None if is_copied(intent, means) && !seen.original => end(State::Superseded { by: Cause::MessageGone }),
        // It was there, and somebody has taken it away. The original of a move stays where it is: nothing else is left.
        None if waited || seen.moved_on => end(State::Superseded { by: Cause::MessageGone }),
        None => Next::Wait { step: Some(step) },
    }
}

/// What placed a message, and the answer was lost.
fn placed(intent: &Intent, step: Step, seen: &Sighting, means: Means, waited: bool) -> Next {
    let Some(validity) = seen.uid_validity else {
        return end(State::Parked { reason: Reason::MailboxMissing, server: None });
    };
    let is_move = matches!(intent, Intent::Move { .. });
    if is_blind(intent) && !seen.answered {
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
        // It arrived, and somebody has moved it on since: a second one would be one too many.
        [] if seen.moved_on => end(State::Superseded { by: Cause::MessageGone }),
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

fn ambiguous() -> Next {
    end(State::Parked { reason: Reason::Ambiguous, server: None })
}
