//! No loss and no duplicate: each message has as many copies on the server as actors made.

use super::{Deed, Fates, Violation};
use crate::device::{Fate, Verb};
use crate::letter;
use crate::model::{Change, Entry, FOREIGN, Server};
use crate::run::Party;
use std::collections::{BTreeMap, BTreeSet};

/// How many copies there may be.
#[derive(Clone, Copy, Debug, Default)]
struct Bounds {
    least: i64,
    most: i64,
}

impl Bounds {
    fn add(&mut self, least: i64, most: i64) {
        self.least += least;
        self.most += most;
    }
}

/// Compares what there is with what there should be.
pub fn judge(server: &Server, devices: &[Party], fates: &Fates) -> Vec<Violation> {
    if server.personality.labels {
        return labelled(server, devices, fates);
    }
    let mut bounds: BTreeMap<u64, Bounds> = BTreeMap::new();
    for entry in server.log.iter().filter(|e| e.actor == FOREIGN) {
        match entry.change {
            Change::Added { token, .. } => bounds.entry(token).or_default().add(1, 1),
            Change::Expunged { token } => bounds.entry(token).or_default().add(-1, -1),
            _ => {}
        }
    }
    // Whoever removes a mailbox, what was in it is gone.
    for entry in &server.log {
        if let Change::Swept { token } = entry.change {
            bounds.entry(token).or_default().add(-1, -1);
        }
    }
    for actor in devices {
        for (at, deed) in actor.deeds.iter().enumerate() {
            let fate_of = |deed: &Deed| deed.ticket.and_then(|ticket| fates[&actor.number].get(&ticket)).cloned();
            let fate = fate_of(deed);
            let later = &actor.deeds[at + 1..];
            let (least, most) = match (&fate, &deed.verb) {
                // In the middle of a pass: the message was gone by then, and there was nothing to copy.
                (Some(Fate::Merged), Verb::Copy { .. }) if !deed.changes => (0, 1),
                (Some(Fate::Merged), Verb::Append { .. } | Verb::Copy { .. }) => merged(deed, later, fate_of),
                (fate, _) => change(server, actor.number, deed, fate.as_ref()),
            };
            bounds.entry(deed.token).or_default().add(least, most);
        }
    }
    for (token, times) in placed_again(server) {
        bounds.entry(token).or_default().add(0, times);
    }
    let mut actual: BTreeMap<u64, i64> = BTreeMap::new();
    for placement in server.mailboxes().flat_map(|m| m.placements.values()) {
        *actual.entry(letter::token(&placement.content.bytes).unwrap_or_default()).or_default() += 1;
    }
    let tokens: BTreeSet<u64> = bounds.keys().chain(actual.keys()).copied().collect();
    let overtaken = i64::from(server.overtaken);
    let wrong = tokens.into_iter().filter_map(|token| {
        let there = actual.get(&token).copied().unwrap_or_default();
        let Bounds { least, most } = bounds.get(&token).copied().unwrap_or_default();
        let text = || format!("message {token} is there {there} times, where {least} to {most} are right");
        if there < least {
            Some(Violation::new("loss", text()))
        } else if there > most.max(0) + overtaken {
            Some(Violation::new("duplicate", text()))
        } else {
            None
        }
    });
    wrong.collect()
}

/// How often a device has added a message again after somebody had removed it before the device could see it there.
///
/// The answer to APPEND was lost, and what the device finds is what it finds when nothing was ever added: the mailbox may
/// have got and lost other messages. A copy that comes back once is a nuisance to who removed it; one that is never made
/// is a loss to who made it. So the device adds it again, and that is right.
fn placed_again(server: &Server) -> BTreeMap<u64, i64> {
    let mut added: BTreeMap<u64, BTreeMap<u64, u32>> = BTreeMap::new();
    let (mut removed, mut again): (BTreeMap<_, i64>, BTreeMap<u64, i64>) = (BTreeMap::new(), BTreeMap::new());
    for entry in &server.log {
        match entry.change {
            Change::Added { token, .. } if entry.actor != FOREIGN => {
                if let Some(times) = removed.get_mut(&(entry.actor, token)).filter(|times| **times > 0) {
                    *times -= 1;
                    *again.entry(token).or_default() += 1;
                }
                added.entry(token).or_default().insert(entry.serial, entry.actor);
            }
            // Another device's user is somebody else as well.
            Change::Expunged { token } | Change::Swept { token } => {
                let by = added.get(&token).and_then(|serials| serials.get(&entry.serial));
                let by_others = by.filter(|actor| **actor != entry.actor);
                by_others.into_iter().for_each(|actor| *removed.entry((*actor, token)).or_default() += 1);
            }
            _ => {}
        }
    }
    again
}

/// What became part of later changes counts once, unless one of them takes the message away again, or the mailbox that it
/// was to come to.
fn merged(deed: &Deed, later: &[Deed], fate_of: impl Fn(&Deed) -> Option<Fate>) -> (i64, i64) {
    let of_it = || later.iter().filter(|later| later.token == deed.token);
    let is_taken = of_it().any(|deed| matches!(deed.verb, Verb::Delete { .. }))
        || later.iter().any(|deed| matches!(deed.verb, Verb::Remove { .. }));
    let is_applied = of_it().next_back().and_then(fate_of) == Some(Fate::Applied);
    (i64::from(is_applied && !is_taken), 1)
}

/// Whether a device has added the message of a deed since then.
fn added(server: &Server, actor: u32, deed: &Deed) -> bool {
    server.log.iter().skip(deed.at).any(|entry| entry.actor == actor && brings(entry, deed))
}

fn brings(entry: &Entry, deed: &Deed) -> bool {
    matches!(entry.change, Change::Added { token, .. } if token == deed.token)
}

/// Whether a device has never made the copy of a deed, while somebody else has placed the same message in that mailbox
/// since. The answer to COPY was lost or did not name a UID, and what the device finds is what it would find had its own
/// command been done: the right mailbox, a new number, the same bytes. It takes that one, and a second would be one too many
/// for whoever made both.
fn adopted(server: &Server, actor: u32, deed: &Deed, to: &str) -> bool {
    let Some(mailbox) = server.named(to).map(|mailbox| mailbox.id) else { return false };
    let mut came = server.log.iter().skip(deed.at).filter(|entry| entry.mailbox == mailbox && brings(entry, deed));
    // What the device takes on from there comes elsewhere.
    came.clone().all(|entry| entry.actor != actor) && came.next().is_some()
}

/// How a deed changes the number of copies.
fn change(server: &Server, actor: u32, deed: &Deed, fate: Option<&Fate>) -> (i64, i64) {
    let certain = deed.ticket.is_some();
    let by = |own: bool| {
        let is_own = |e: &Entry| e.actor == actor && matches!(e.change, Change::Expunged { .. });
        let removed = |e: &&Entry| e.change.removed().is_some() && Some(e.serial) == deed.serial;
        server.log.iter().skip(deed.at).filter(removed).any(|e| is_own(e) == own)
    };
    match (&deed.verb, fate) {
        (Verb::Copy { to, .. }, Some(Fate::Applied)) if adopted(server, actor, deed, to) => (0, 1),
        (Verb::Append { .. } | Verb::Copy { .. }, Some(Fate::Applied)) => (1, 1),
        // It was there, and somebody else has removed it or moved it on before its place was known.
        (Verb::Append { .. } | Verb::Copy { .. }, Some(Fate::Superseded)) => (0, i64::from(added(server, actor, deed))),
        (Verb::Append { .. } | Verb::Copy { .. }, _) => (0, 1),
        // Its original was removed by somebody else while it was being moved: the copy is what is left.
        (Verb::Move { .. }, _) if by(false) || deed.serial.is_none() => (0, 1),
        // Without UIDPLUS the original can only be marked.
        (Verb::Move { .. }, _) if !server.personality.has("UIDPLUS") => (0, 1),
        (Verb::Move { .. }, Some(Fate::Parked(_)) | None) => (0, 1),
        (Verb::Move { .. }, _) => (0, 0),
        (Verb::Delete { .. }, _) if deed.serial.is_none() || !certain => (-1, 0),
        (Verb::Delete { .. }, _) if by(true) => (-1, -1),
        // Its copy in Sent, where the engine files one.
        (Verb::Send { .. }, _) => (0, 1),
        (Verb::Delete { .. } | Verb::Flag { .. }, _) => (0, 0),
        (Verb::Create { .. } | Verb::Rename { .. } | Verb::Remove { .. }, _) => (0, 0),
    }
}

/// Where mailboxes are labels, a message is one however many it has: it must be there unless somebody removed it, and
/// once for each time that it was added.
fn labelled(server: &Server, devices: &[Party], fates: &Fates) -> Vec<Violation> {
    let mut added: BTreeMap<u64, usize> = BTreeMap::new();
    let mut removed = BTreeSet::new();
    for entry in &server.log {
        match entry.change {
            Change::Added { token, from: None } if entry.actor == FOREIGN => drop(added.entry(token).or_insert(1)),
            Change::Expunged { token } | Change::Swept { token } => drop(removed.insert(token)),
            _ => {}
        }
    }
    let mut uncertain = BTreeSet::new();
    for actor in devices {
        for deed in actor.deeds.iter().filter(|d| matches!(d.verb, Verb::Append { .. } | Verb::Send { .. })) {
            added.insert(deed.token, 1);
            if deed.ticket.and_then(|t| fates[&actor.number].get(&t)) != Some(&Fate::Applied) {
                uncertain.insert(deed.token);
            }
        }
    }
    let mut there: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for placement in server.mailboxes().flat_map(|m| m.placements.values()) {
        let token = letter::token(&placement.content.bytes).unwrap_or_default();
        there.entry(token).or_default().insert(placement.content.email_id);
    }
    let mut found = Vec::new();
    for (token, most) in added {
        let count = there.get(&token).map_or(0, BTreeSet::len);
        if count == 0 && !removed.contains(&token) && !uncertain.contains(&token) {
            found.push(Violation::new("loss", format!("message {token} is gone")));
        }
        if count > most + server.overtaken as usize {
            found.push(Violation::new("duplicate", format!("message {token} is there {count} times")));
        }
    }
    found
}
