//! Which intents may go now, and which can share a command.
//!
//! An intent waits for every earlier one that is not over and touches the same message or mailbox; a parked one holds
//! back those that depend on it and nobody else (RFC 4549 section 5.1).

use super::{Entry, Intent, Landing, Target, retry};
use std::collections::BTreeMap;

/// Whether `later` has to wait until `earlier` is over.
#[must_use]
pub fn depends(later: &Intent, earlier: &Intent) -> bool {
    let shares_message = placements(later).any(|key| placements(earlier).any(|other| other == key));
    shares_message || shares_mailbox(later, earlier)
}

/// The ids of the entries that `later` has to wait for, in their order.
#[must_use]
pub fn dependencies(later: &Intent, earlier: &[Entry]) -> Vec<i64> {
    let waited = earlier.iter().filter(|entry| !entry.state.is_over() && depends(later, &entry.intent));
    waited.map(|entry| entry.id).collect()
}

/// The entries that may go now, in their order. `entries` are all that are not over, parked ones included, by id. None
/// of those given depends on another, so they may be sent in any order, and at once.
#[must_use]
pub fn ready(entries: &[Entry], now: i64) -> Vec<&Entry> {
    let (mut free, mut held) = (Vec::new(), Held::default());
    for entry in entries.iter().filter(|entry| !entry.state.is_over()) {
        if entry.state.is_open() && retry::is_due(entry, now) && held.holder(&entry.intent).is_none() {
            free.push(entry);
        }
        held.add(&entry.intent, entry.id);
    }
    free
}

/// Changes that wait for a parked one, each with the first of those: nothing becomes of it before that one is retried or
/// dropped. `entries` as for [`ready`].
#[must_use]
pub fn behind(entries: &[Entry]) -> BTreeMap<i64, i64> {
    let (mut behind, mut held) = (BTreeMap::new(), Held::default());
    for entry in entries.iter().filter(|entry| !entry.state.is_over()) {
        if !entry.state.is_open() {
            held.add(&entry.intent, entry.id);
        } else if let Some(parked) = held.holder(&entry.intent) {
            behind.insert(entry.id, parked);
            held.add(&entry.intent, parked);
        }
    }
    behind
}

/// What earlier entries hold, and the first that does: thousands of messages, but few mailboxes.
#[derive(Default)]
struct Held<'a> {
    placements: BTreeMap<(i64, u32), i64>,
    /// All mailboxes that are touched, and those that are changed themselves.
    touched: BTreeMap<&'a [u8], i64>,
    changed: BTreeMap<&'a [u8], i64>,
}

impl<'a> Held<'a> {
    /// Who holds an intent back.
    fn holder(&self, intent: &Intent) -> Option<i64> {
        if let Some(holder) = placements(intent).find_map(|key| self.placements.get(&key)) {
            return Some(*holder);
        }
        let held = if is_about_mailbox(intent) { &self.touched } else { &self.changed };
        if held.is_empty() {
            return None;
        }
        let names = names(intent);
        let is_held = |other: &[u8]| names.iter().any(|name| is_related(name, other));
        held.iter().find(|(other, _)| is_held(other)).map(|(_, holder)| *holder)
    }

    fn add(&mut self, intent: &'a Intent, id: i64) {
        for key in placements(intent) {
            self.placements.entry(key).or_insert(id);
        }
        for name in names(intent) {
            self.touched.entry(name).or_insert(id);
            if is_about_mailbox(intent) {
                self.changed.entry(name).or_insert(id);
            }
        }
    }
}

/// Entries that one command can do: the same change to messages of one mailbox. In the order of their first entries.
#[must_use]
pub fn batches<'a>(ready: &[&'a Entry]) -> Vec<Vec<&'a Entry>> {
    let mut batches: Vec<Vec<&'a Entry>> = Vec::new();
    for entry in ready {
        let fits = |batch: &&mut Vec<&'a Entry>| batch.first().is_some_and(|first| shares_command(first, entry));
        match batches.iter_mut().find(fits) {
            Some(batch) => batch.push(entry),
            None => batches.push(vec![entry]),
        }
    }
    batches
}

/// Only what was not begun: after a lost answer each message is looked for by itself.
fn shares_command(left: &Entry, right: &Entry) -> bool {
    use super::State::Waiting;
    if left.state != Waiting || right.state != Waiting || left.intent.mailbox().id != right.intent.mailbox().id {
        return false;
    }
    match (&left.intent, &right.intent) {
        (Intent::Flag { add, remove, .. }, Intent::Flag { add: more, remove: less, .. }) => {
            add == more && remove == less
        }
        (Intent::Move { to, .. }, Intent::Move { to: other, .. })
        | (Intent::Copy { to, .. }, Intent::Copy { to: other, .. }) => to.mailbox == other.mailbox,
        (Intent::Delete { .. }, Intent::Delete { .. }) => true,
        _ => false,
    }
}

/// The placements that an intent is about: where the message is, and where it goes.
fn placements(intent: &Intent) -> impl Iterator<Item = (i64, u32)> {
    let from = intent.target().map(|Target { mailbox, local, .. }| (mailbox.id, *local));
    let to = intent.landing().map(|Landing { mailbox, local }| (mailbox.id, *local));
    from.into_iter().chain(to)
}

fn shares_mailbox(later: &Intent, earlier: &Intent) -> bool {
    // Messages of one mailbox do not wait for each other, only for what changes the mailbox itself.
    let concerns = is_about_mailbox(later) || is_about_mailbox(earlier);
    concerns && names(later).iter().any(|name| names(earlier).iter().any(|other| is_related(name, other)))
}

/// Whether an intent is about a mailbox itself, and no message in one.
#[must_use]
pub fn is_about_mailbox(intent: &Intent) -> bool {
    intent.target().is_none() && intent.landing().is_none()
}

fn names(intent: &Intent) -> Vec<&[u8]> {
    let mut names = vec![intent.mailbox().name.raw()];
    names.extend(intent.landing().map(|to| to.mailbox.name.raw()));
    if let Intent::RenameMailbox { to, .. } = intent {
        names.push(to.raw());
    }
    names
}

/// A mailbox, or one above it: `A` and `A/b`. What only looks so (`A` and `Ab`) waits as well, which does no harm.
fn is_related(left: &[u8], right: &[u8]) -> bool {
    left.starts_with(right) || right.starts_with(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::{
        append, copy_to, create, entry, flag, flag_at, landed, move_to, place, remove_mailbox, rename, target,
    };
    use crate::journal::{Reason, State};

    fn ids(entries: &[&Entry]) -> Vec<i64> {
        entries.iter().map(|entry| entry.id).collect()
    }

    #[test]
    fn what_touches_the_same_message_keeps_its_order() {
        let digest = target(5).digest;
        let entries = [
            entry(1, flag(5, &["\\Seen"], &[])),
            entry(2, move_to(5, 9)),
            entry(3, flag_at(landed(9, digest), &["\\Flagged"], &[])),
            entry(4, flag(6, &["\\Seen"], &[])),
        ];
        assert_eq!(ids(&ready(&entries, 0)), [1, 4]);
        assert_eq!(ids(&ready(&entries[1..], 0)), [2, 4]);
        assert_eq!(dependencies(&entries[2].intent, &entries[..2]), [2]);
    }

    #[test]
    fn a_parked_one_holds_back_only_what_depends_on_it() {
        let mut parked = entry(1, move_to(5, 9));
        parked.state = State::Parked { reason: Reason::OverQuota, server: None };
        let entries =
            [parked, entry(2, flag_at(landed(9, target(5).digest), &["\\Seen"], &[])), entry(3, move_to(6, 10))];
        assert_eq!(ids(&ready(&entries, 0)), [3]);
    }

    #[test]
    fn a_delay_holds_back_the_same_way() {
        let mut delayed = entry(1, append(9));
        delayed.not_before = 100;
        let entries = [delayed, entry(2, append(10))];
        assert_eq!(ids(&ready(&entries, 99)), [2]);
        assert_eq!(ids(&ready(&entries, 100)), [1, 2]);
    }

    #[test]
    fn mailboxes_are_made_before_they_are_filled_and_emptied_before_they_go() {
        let archive = |id| entry(id, Intent::CreateMailbox { mailbox: place(2, "Archive"), role: None });
        let remove = |id| entry(id, Intent::DeleteMailbox { mailbox: place(2, "Archive"), seen: None });
        assert_eq!(ids(&ready(&[archive(1), entry(2, move_to(5, 9)), entry(3, copy_to(6, 10))], 0)), [1]);
        assert_eq!(ids(&ready(&[entry(1, move_to(5, 9)), remove(2)], 0)), [1]);
        assert_eq!(ids(&ready(&[entry(1, create("A")), entry(2, create("A/b"))], 0)), [1]);
        assert_eq!(ids(&ready(&[entry(1, rename("A", "B")), entry(2, create("A"))], 0)), [1]);
        assert_eq!(ids(&ready(&[entry(1, remove_mailbox("A", None)), entry(2, create("Z"))], 0)), [1, 2]);
    }

    #[test]
    fn the_same_change_to_many_messages_is_one_command() {
        let entries = [
            entry(1, flag(5, &["\\Seen"], &[])),
            entry(2, flag(6, &["\\Flagged"], &[])),
            entry(3, flag(7, &["\\Seen"], &[])),
            entry(4, move_to(8, 20)),
            entry(5, move_to(9, 21)),
            entry(6, append(22)),
            entry(7, append(23)),
        ];
        let batches: Vec<_> = batches(&ready(&entries, 0)).iter().map(|batch| ids(batch)).collect();
        assert_eq!(batches, [vec![1, 3], vec![2], vec![4, 5], vec![6], vec![7]]);
    }

    #[test]
    fn ten_thousand_changes_are_put_in_order_by_looking_at_each_once() {
        let mut entries: Vec<Entry> = (0..10_000).map(|n| entry(i64::from(n), flag(n, &["\\Seen"], &[]))).collect();
        entries.extend((0..10_000).map(|n| entry(i64::from(10_000 + n), move_to(n, 20_000 + n))));
        let ready = ready(&entries, 0);
        assert_eq!(ready.len(), 10_000);
        let slow =
            entries.iter().enumerate().filter(|(at, e)| dependencies(&e.intent, &entries[..(*at).min(9)]).is_empty());
        assert!(slow.count() >= 10_000 - 9);
    }

    #[test]
    fn what_was_begun_is_looked_at_alone() {
        let mut begun = entry(1, flag(5, &["\\Seen"], &[]));
        begun.state = State::Started { step: crate::journal::Step::Send };
        let entries = [begun, entry(2, flag(6, &["\\Seen"], &[]))];
        assert_eq!(batches(&ready(&entries, 0)).len(), 2);
    }
}
