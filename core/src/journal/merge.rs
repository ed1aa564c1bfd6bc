//! What later changes make of earlier ones that were not begun: two flag changes are one, a message that was moved twice
//! is moved once, a message that was made and removed was never there.
//!
//! An earlier intent that is taken in ends as superseded by a later local change; only one that no other waits for is ever
//! taken in, so that nothing changes its place in the order of things: a copy has to be made before its original goes.

use super::order::depends;
use super::{Cause, Entry, Intent, Landing, State, Target};
use crate::imap::Flag;
use crate::planted::{Bug, planted};
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of a new intent, and of the entries before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// What is to be added; `None` where nothing is left to do.
    pub intent: Option<Intent>,
    /// Entries that end as superseded ([`Cause::LaterLocal`]).
    pub superseded: Vec<i64>,
    /// A message came back to where the server has it: this placement takes that UIDVALIDITY and UID again.
    pub rebind: Option<(Landing, u32, u32)>,
}

impl Merged {
    fn plain(intent: Intent) -> Self {
        Self { intent: Some(intent), superseded: Vec::new(), rebind: None }
    }

    fn instead(id: i64, intent: Option<Intent>) -> Self {
        Self { intent, superseded: vec![id], rebind: None }
    }

    /// The state in which [`Merged::superseded`] end.
    #[must_use]
    pub const fn ending() -> State {
        State::Superseded { by: Cause::LaterLocal }
    }
}

/// Merges a new intent into what stands in the journal. `entries` are all that are not over, by id. Intents that were
/// begun or are parked are left alone.
#[must_use]
pub fn merge(entries: &[Entry], new: Intent) -> Merged {
    let merged = match &new {
        Intent::Flag { .. } => flags(entries, &new),
        Intent::Move { target, to } => onward(entries, target, to),
        Intent::Delete { target } => return delete(entries, target),
        Intent::Subscribe { mailbox } | Intent::Unsubscribe { mailbox } => {
            last_waiting(entries, |intent| match intent {
                Intent::Subscribe { mailbox: other } | Intent::Unsubscribe { mailbox: other } => {
                    other.name == mailbox.name
                }
                _ => false,
            })
            .map(|entry| Merged::instead(entry.id, Some(new.clone())))
        }
        Intent::RenameMailbox { mailbox, to } => rename(entries, mailbox, to),
        Intent::DeleteMailbox { mailbox, .. } => return remove(entries, mailbox.id, new),
        _ => None,
    };
    merged.unwrap_or_else(|| Merged::plain(new))
}

/// The last entry that touches something, if it was not begun and no later one waits for it.
fn last_waiting(entries: &[Entry], touches: impl Fn(&Intent) -> bool) -> Option<&Entry> {
    let open: Vec<&Entry> = entries.iter().filter(|entry| !entry.state.is_over()).collect();
    let at = open.iter().rposition(|entry| touches(&entry.intent))?;
    let (last, later) = open.get(at..)?.split_first()?;
    let is_waited_for = later.iter().any(|later| depends(&later.intent, &last.intent));
    (last.state == State::Waiting && !is_waited_for).then_some(*last)
}

fn is_at(intent: &Intent, mailbox: i64, local: u32) -> bool {
    let from = intent.target().is_some_and(|target| target.mailbox.id == mailbox && target.local == local);
    from || arrives_at(intent, mailbox, local)
}

fn arrives_at(intent: &Intent, mailbox: i64, local: u32) -> bool {
    intent.landing().is_some_and(|to| to.mailbox.id == mailbox && to.local == local)
}

fn last_at<'a>(entries: &'a [Entry], target: &Target) -> Option<&'a Entry> {
    last_waiting(entries, |intent| is_at(intent, target.mailbox.id, target.local))
}

fn flags(entries: &[Entry], new: &Intent) -> Option<Merged> {
    let Intent::Flag { target, add, remove } = new else { return None };
    let last = last_at(entries, target)?;
    match &last.intent {
        Intent::Flag { target: same, add: added, remove: removed } if same.local == target.local => {
            let (add, remove) = combine((added, removed), (add, remove));
            let is_nothing = add.is_empty() && remove.is_empty();
            let intent = (!is_nothing).then(|| Intent::Flag { target: target.clone(), add, remove });
            Some(Merged::instead(last.id, intent))
        }
        Intent::Append { to, flags, digest, header, size, internal_date } => {
            let mut flags = flags.clone();
            flags.retain(|flag| !has(remove, flag));
            flags.extend(add.iter().filter(|flag| !has(&flags, flag)).cloned().collect::<Vec<_>>());
            let (to, digest, header) = (to.clone(), *digest, *header);
            let intent = Intent::Append { to, digest, header, size: *size, flags, internal_date: *internal_date };
            Some(Merged::instead(last.id, Some(intent)))
        }
        _ => None,
    }
}

/// Two differences as one. What was set and taken away again was never changed.
fn combine(first: (&[Flag], &[Flag]), then: (&[Flag], &[Flag])) -> (Vec<Flag>, Vec<Flag>) {
    let join = |done: &[Flag], undone: &[Flag], more: &[Flag], undoes: &[Flag]| {
        let mut joined: Vec<Flag> =
            done.iter().filter(|flag| !has(undone, flag) || planted(Bug::UndoForgotten)).cloned().collect();
        let fresh: Vec<Flag> = more.iter().filter(|f| !has(&joined, f) && !has(undoes, f)).cloned().collect();
        joined.extend(fresh);
        joined
    };
    (join(first.0, then.1, then.0, first.1), join(first.1, then.0, then.1, first.0))
}

fn has(flags: &[Flag], flag: &Flag) -> bool {
    flags.iter().any(|other| other.as_str().eq_ignore_ascii_case(flag.as_str()))
}

/// A message that was on its way already goes to the new place instead.
fn onward(entries: &[Entry], target: &Target, to: &Landing) -> Option<Merged> {
    let last = last_at(entries, target)?;
    if !arrives_at(&last.intent, target.mailbox.id, target.local) {
        return None;
    }
    let to = to.clone();
    let intent = match &last.intent {
        Intent::Move { target: origin, .. } if origin.mailbox.id == to.mailbox.id => {
            let rebind = Some((to, origin.uid_validity?, origin.uid?));
            return Some(Merged { intent: None, superseded: vec![last.id], rebind });
        }
        Intent::Move { target, .. } => Intent::Move { target: target.clone(), to },
        Intent::Copy { target, .. } => Intent::Copy { target: target.clone(), to },
        Intent::Append { digest, header, size, flags, internal_date, .. } => {
            let (digest, header, size, internal_date) = (*digest, *header, *size, *internal_date);
            Intent::Append { to, digest, header, size, flags: flags.clone(), internal_date }
        }
        _ => return None,
    };
    Some(Merged::instead(last.id, Some(intent)))
}

/// A deletion takes in everything that waits at the message: its flags, and how it came there.
fn delete(entries: &[Entry], target: &Target) -> Merged {
    let mut merged = Merged::plain(Intent::Delete { target: target.clone() });
    let at = |intent: &Intent| is_at(intent, target.mailbox.id, target.local);
    for entry in entries.iter().rev().filter(|entry| !entry.state.is_over() && at(&entry.intent)) {
        let arrives = arrives_at(&entry.intent, target.mailbox.id, target.local);
        match &entry.intent {
            _ if entry.state != State::Waiting => break,
            Intent::Flag { .. } => merged.superseded.push(entry.id),
            Intent::Move { target: origin, .. } if arrives => {
                merged.superseded.push(entry.id);
                merged.intent = Some(Intent::Delete { target: origin.clone() });
                break;
            }
            Intent::Copy { .. } | Intent::Append { .. } if arrives => {
                merged.superseded.push(entry.id);
                merged.intent = None;
                break;
            }
            _ => break,
        }
    }
    merged
}

fn rename(entries: &[Entry], mailbox: &super::Place, to: &crate::imap::MailboxName) -> Option<Merged> {
    let last = last_waiting(entries, |intent| concerns(intent, mailbox.id))?;
    let intent = match &last.intent {
        Intent::RenameMailbox { mailbox: origin, .. } if origin.name == *to => None,
        Intent::RenameMailbox { mailbox: origin, .. } => {
            Some(Intent::RenameMailbox { mailbox: origin.clone(), to: to.clone() })
        }
        Intent::CreateMailbox { role, .. } => {
            let mailbox = super::Place { id: mailbox.id, name: to.clone() };
            Some(Intent::CreateMailbox { mailbox, role: role.clone() })
        }
        _ => return None,
    };
    Some(Merged::instead(last.id, intent))
}

/// What was only to arrive in a mailbox goes with it, and so does one that was made here and holds nothing else. What
/// leaves it again, and an original that is moved into it, take their way first: they are on the server.
fn remove(entries: &[Entry], mailbox: i64, new: Intent) -> Merged {
    let mut merged = Merged::plain(new);
    let (mut flags, mut used) = (BTreeMap::<u32, Vec<i64>>::new(), BTreeSet::new());
    let concerned = |entry: &&Entry| !entry.state.is_over() && concerns(&entry.intent, mailbox);
    let mut is_filled = false;
    // The last one first: what is done with a message comes after its arrival.
    for entry in entries.iter().rev().filter(concerned) {
        let is_waiting = entry.state == State::Waiting;
        let to = entry.intent.landing().filter(|to| to.mailbox.id == mailbox).map(|to| to.local);
        let at = entry.intent.target().filter(|at| at.mailbox.id == mailbox).map(|at| at.local);
        match (&entry.intent, to, at) {
            (Intent::Append { .. } | Intent::Copy { .. }, Some(to), _) if is_waiting && !used.contains(&to) => {
                merged.superseded.extend(flags.remove(&to).unwrap_or_default());
                merged.superseded.push(entry.id);
            }
            (Intent::Flag { .. }, _, Some(at)) if is_waiting => flags.entry(at).or_default().push(entry.id),
            (Intent::CreateMailbox { .. }, ..) if is_waiting && !is_filled && flags.is_empty() => {
                merged.superseded.push(entry.id);
                merged.intent = None;
            }
            _ => {
                used.extend(to.into_iter().chain(at));
                is_filled = true;
            }
        }
    }
    merged
}

/// Whether an intent has to do with a mailbox at all.
fn concerns(intent: &Intent, mailbox: i64) -> bool {
    intent.mailbox().id == mailbox || intent.landing().is_some_and(|to| to.mailbox.id == mailbox)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Step;
    use crate::journal::tests::{
        append, copy_to, create, entry, flag, flag_at, landed, landing, move_to, place, remove_mailbox, rename, target,
    };

    fn merged(earlier: &[Intent], new: Intent) -> Merged {
        let entries: Vec<_> = (1..).zip(earlier).map(|(id, intent)| entry(id, intent.clone())).collect();
        merge(&entries, new)
    }

    fn archived(local: u32) -> Target {
        landed(local, target(5).digest)
    }

    fn instead(ids: &[i64], intent: Option<Intent>) -> Merged {
        Merged { intent, superseded: ids.to_vec(), rebind: None }
    }

    #[test]
    fn flag_changes_of_one_message_become_one() {
        let both = merged(&[flag(5, &["\\Seen"], &["a"])], flag(5, &["\\Flagged"], &["\\Draft"]));
        assert_eq!(both, instead(&[1], Some(flag(5, &["\\Seen", "\\Flagged"], &["a", "\\Draft"]))));
        let undone = merged(&[flag(5, &["\\Seen", "b"], &["a"])], flag(5, &["A"], &["\\Seen"]));
        assert_eq!(undone, instead(&[1], Some(flag(5, &["b"], &[]))));
        assert_eq!(merged(&[flag(5, &["\\Seen"], &[])], flag(5, &[], &["\\Seen"])), instead(&[1], None));
        assert_eq!(merged(&[flag(6, &["\\Seen"], &[])], flag(5, &["\\Seen"], &[])).superseded, [0i64; 0]);
    }

    #[test]
    fn a_copy_between_two_flag_changes_keeps_them_apart() {
        let new = flag(5, &["\\Flagged"], &[]);
        let kept = merged(&[flag(5, &["\\Seen"], &[]), copy_to(5, 9)], new.clone());
        assert_eq!(kept, Merged::plain(new));
    }

    #[test]
    fn a_message_that_moves_on_moves_once() {
        let to = Landing { mailbox: place(4, "Other"), local: 11 };
        let again = Intent::Move { target: archived(9), to: to.clone() };
        let once = Intent::Move { target: target(5), to: to.clone() };
        assert_eq!(merged(&[move_to(5, 9)], again.clone()), instead(&[1], Some(once)));
        let copied = Intent::Copy { target: target(5), to: to.clone() };
        assert_eq!(merged(&[copy_to(5, 9)], again.clone()), instead(&[1], Some(copied)));
        let Some(Intent::Append { to: elsewhere, .. }) = merged(&[append(9)], again).intent else { panic!() };
        assert_eq!(elsewhere, to);
    }

    #[test]
    fn what_another_change_waits_for_keeps_its_place() {
        let on = Intent::Move { target: archived(9), to: Landing { mailbox: place(4, "Other"), local: 11 } };
        let original_goes = [copy_to(5, 9), Intent::Delete { target: target(5) }];
        assert_eq!(merged(&original_goes, on.clone()), Merged::plain(on.clone()));
        let mailbox_goes = [move_to(5, 9), Intent::DeleteMailbox { mailbox: place(1, "INBOX"), seen: None }];
        assert_eq!(merged(&mailbox_goes, on.clone()), Merged::plain(on.clone()));
        let another = [copy_to(5, 9), Intent::Delete { target: target(6) }];
        assert_eq!(merged(&another, on).superseded, [1]);
    }

    #[test]
    fn a_message_that_comes_back_takes_its_old_number_again() {
        let back = Landing { mailbox: place(1, "INBOX"), local: 77 };
        let merged = merged(&[move_to(5, 9)], Intent::Move { target: archived(9), to: back.clone() });
        assert_eq!(merged, Merged { intent: None, superseded: vec![1], rebind: Some((back, 7, 1005)) });
    }

    #[test]
    fn a_deletion_takes_in_what_waits_at_the_message() {
        let delete = |target: Target| Intent::Delete { target };
        assert_eq!(merged(&[flag(5, &["a"], &[])], delete(target(5))), instead(&[1], Some(delete(target(5)))));
        let flagged = flag_at(archived(9), &["a"], &[]);
        let moved = [move_to(5, 9), flagged.clone()];
        assert_eq!(merged(&moved, delete(archived(9))), instead(&[2, 1], Some(delete(target(5)))));
        assert_eq!(merged(&[append(9), flagged.clone()], delete(archived(9))), instead(&[2, 1], None));
        assert_eq!(merged(&[copy_to(5, 9)], delete(archived(9))), instead(&[1], None));
        // The original of a copy goes after the copy was made.
        assert_eq!(merged(&[copy_to(5, 9)], delete(target(5))), Merged::plain(delete(target(5))));
    }

    #[test]
    fn flags_of_a_message_that_was_not_sent_yet_go_with_it() {
        let merged = merged(&[append(9)], flag_at(archived(9), &["\\Seen"], &["b"]));
        let Some(Intent::Append { flags, .. }) = merged.intent else { panic!() };
        assert_eq!((flags, merged.superseded), (vec![Flag::SEEN], vec![1]));
    }

    #[test]
    fn what_was_begun_or_is_parked_is_left_alone() {
        let mut begun = entry(1, append(9));
        begun.state = State::Started { step: Step::Place { uid_validity: 7, uid_next: 5, unseen: None } };
        let delete = Intent::Delete { target: archived(9) };
        assert_eq!(merge(&[begun.clone()], delete.clone()), Merged::plain(delete));
        let flag = flag_at(archived(9), &["a"], &[]);
        assert_eq!(merge(&[begun], flag.clone()), Merged::plain(flag));
        let mut parked = entry(1, move_to(5, 9));
        parked.state = State::Parked { reason: crate::journal::Reason::OverQuota, server: None };
        let on = Intent::Move { target: archived(9), to: landing(10) };
        assert_eq!(merge(&[parked], on.clone()), Merged::plain(on));
    }

    #[test]
    fn mailboxes_are_made_renamed_and_removed_in_one_step() {
        let made = |name: &str| Some(create(name));
        assert_eq!(merged(&[create("A")], rename("A", "B")), instead(&[1], made("B")));
        assert_eq!(merged(&[rename("A", "B")], rename("B", "C")), instead(&[1], Some(rename("A", "C"))));
        assert_eq!(merged(&[rename("A", "B")], rename("B", "A")), instead(&[1], None));
        assert_eq!(merged(&[create("A")], remove_mailbox("A", None)), instead(&[1], None));
        let (on, off) = (Intent::Subscribe { mailbox: place(3, "A") }, Intent::Unsubscribe { mailbox: place(3, "A") });
        assert_eq!(merged(&[on], off.clone()), instead(&[1], Some(off)));
    }

    #[test]
    fn what_was_only_to_arrive_in_a_mailbox_goes_with_it() {
        let removed = remove_mailbox("A", Some((7, 5)));
        let mut gone = Merged::plain(removed.clone());
        let earlier = [fill(1), copy_into(2), flag_at(in_a(2), &["\\Seen"], &[])];
        gone.superseded = vec![3, 2, 1];
        assert_eq!(merged(&earlier, removed.clone()), gone);
        assert_eq!(merged(&[create("A"), fill(1)], removed), instead(&[2, 1], None));
    }

    #[test]
    fn what_leaves_a_mailbox_again_and_an_original_are_not_lost_with_it() {
        let removed = remove_mailbox("A", None);
        let out = Intent::Copy { target: in_a(1), to: landing(9) };
        assert_eq!(merged(&[fill(1), out], removed.clone()), Merged::plain(removed.clone()));
        let Intent::Copy { target, to } = copy_into(2) else { panic!() };
        let moved = Intent::Move { target, to };
        assert_eq!(merged(&[create("A"), moved], removed.clone()), Merged::plain(removed.clone()));
        let mut begun = entry(1, fill(1));
        begun.state = State::Started { step: Step::Place { uid_validity: 7, uid_next: 5, unseen: None } };
        assert_eq!(merge(&[begun], removed.clone()), Merged::plain(removed.clone()));
        // Of another mailbox, or of what was there before.
        let others = [append(9), flag_at(in_a(4), &["\\Seen"], &[])];
        assert_eq!(merged(&others, removed.clone()), Merged::plain(removed));
    }

    fn in_a(local: u32) -> Target {
        Target { mailbox: place(3, "A"), ..landed(local, target(5).digest) }
    }

    fn into_a(local: u32) -> Landing {
        Landing { mailbox: place(3, "A"), local }
    }

    fn copy_into(local: u32) -> Intent {
        Intent::Copy { target: target(5), to: into_a(local) }
    }

    fn fill(local: u32) -> Intent {
        let Intent::Append { digest, header, size, flags, internal_date, .. } = append(9) else { panic!() };
        Intent::Append { to: into_a(local), digest, header, size, flags, internal_date }
    }
}
