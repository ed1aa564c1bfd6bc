//! Mirror and server agree; a fresh mirror agrees as well; the feed tells the same; and a pass without news is cheap.

use super::intents::Shown;
use super::{Fates, Violation};
use crate::device::{Engine, Fate, LocalMailbox, Pass, Snapshot, Verb};
use crate::letter;
use crate::model::{Mailbox, Placement, Server};
use crate::run::{Party, World};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The number of the device that mirrors from nothing.
const FRESH: u32 = 9;

/// What every device shows.
pub async fn shown(world: &mut World) -> Shown {
    let mut shown = Shown::new();
    for actor in &mut world.devices {
        shown.insert(actor.number, actor.device.snapshot().await);
    }
    shown
}

/// Compares every device with the server.
pub fn judge(server: &Server, devices: &[Party], fates: &Fates, shown: &Shown) -> Vec<Violation> {
    let mut found = Vec::new();
    for actor in devices {
        let parked = fates[&actor.number].values().any(|fate| matches!(fate, Fate::Parked(_)));
        let hidden = !server.personality.has("UIDPLUS") && actor.deeds.iter().any(super::Deed::removes);
        let created: BTreeSet<&str> = actor.deeds.iter().flat_map(|d| named(&d.verb)).collect();
        let swapped = server.personality.swapped_bodies > 0;
        let lenient = Lenient { parked, hidden, created, swapped };
        let wrong = differences(server, &shown[&actor.number], &lenient);
        found
            .extend(wrong.into_iter().map(|text| Violation::new("mirror", format!("device {}: {text}", actor.number))));
    }
    found
}

fn named(verb: &Verb) -> Vec<&str> {
    match verb {
        Verb::Create { name } | Verb::Remove { name } => vec![name],
        Verb::Rename { name, to } => vec![name, to],
        _ => Vec::new(),
    }
}

/// How a mirror may differ for a reason.
struct Lenient<'a> {
    /// Something was parked: what is only here is no mistake, nor is a flag that stays local.
    parked: bool,
    /// A message that can only be marked on the server may be hidden here.
    hidden: bool,
    /// Mailboxes that users made, renamed or removed.
    created: BTreeSet<&'a str>,
    /// The server has sent other messages than those asked for: after the second time nobody asks by himself.
    swapped: bool,
}

fn differences(server: &Server, shown: &Snapshot, lenient: &Lenient<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    for mailbox in server.mailboxes().filter(|m| m.selectable) {
        match shown.get(&mailbox.name) {
            Some(local) => compare(mailbox, local, lenient, &mut wrong),
            // A removal that was parked is seen here all the same.
            None if lenient.parked && lenient.created.contains(mailbox.name.as_str()) => {}
            None => wrong.push(format!("no mailbox {}", mailbox.name)),
        }
    }
    for (name, local) in shown.iter().filter(|(name, _)| server.named(name).is_none_or(|m| !m.selectable)) {
        // Some devices show levels that only have others below them.
        let level =
            local.messages.is_empty() && server.mailboxes().any(|m| m.name == *name || m.name.starts_with(name));
        let excused =
            level || lenient.parked && (lenient.created.contains(name.as_str()) || !local.messages.is_empty());
        if !excused {
            wrong.push(format!("mailbox {name} is not on the server"));
        }
    }
    wrong
}

fn compare(mailbox: &Mailbox, local: &LocalMailbox, lenient: &Lenient<'_>, wrong: &mut Vec<String>) {
    let name = &mailbox.name;
    let here: BTreeMap<u32, _> = local.messages.iter().filter_map(|m| Some((m.uid?, m))).collect();
    for (uid, placement) in &mailbox.placements {
        let Some(message) = here.get(uid) else {
            let excused = lenient.parked || (lenient.hidden && placement.has("\\Deleted"));
            if !excused {
                wrong.push(format!("{name} {uid} (message {:?}) is missing", token(placement)));
            }
            continue;
        };
        let excused = lenient.swapped && message.is_refused && message.body.is_none();
        if message.body != Some(letter::hash(&placement.content.bytes)) && !excused {
            wrong.push(format!(
                "{name} {uid}: the body is {}",
                if message.body.is_some() { "another" } else { "missing" }
            ));
        }
        let (ours, theirs) = (lower(&message.flags), lower(&placement.flags));
        if ours != theirs && !lenient.parked {
            wrong.push(format!("{name} {uid}: flags are {ours:?} here and {theirs:?} there"));
        }
    }
    for message in &local.messages {
        let known = message.uid.is_some_and(|uid| mailbox.placements.contains_key(&uid));
        let excused = message.uid.is_none() && lenient.parked;
        if !(known || excused) {
            wrong.push(format!("{name} {:?} (message {:?}) is only here", message.uid, message.token));
        }
    }
    if here.len() != local.messages.iter().filter(|m| m.uid.is_some()).count() {
        wrong.push(format!("{name}: a UID is there twice"));
    }
}

fn token(placement: &Placement) -> Option<u64> {
    letter::token(&placement.content.bytes)
}

fn lower(flags: &BTreeSet<String>) -> BTreeSet<String> {
    flags.iter().map(|flag| flag.to_ascii_lowercase()).collect()
}

/// A device that mirrors from nothing sees what is there.
pub async fn fresh(world: &World, engine: &dyn Engine) -> Vec<Violation> {
    let mut device = engine.device(FRESH, &world.network, &world.sink);
    for _ in 0..3 {
        let pass = device.sync().await;
        if pass != Pass::Done {
            return vec![Violation::new("mirror", format!("a fresh device: {pass:?}"))];
        }
        tokio::time::advance(Duration::from_secs(60)).await;
    }
    let shown = device.snapshot().await;
    let strict = Lenient { parked: false, hidden: false, created: BTreeSet::new(), swapped: false };
    let wrong = world.network.server(|server| differences(server, &shown, &strict));
    wrong.into_iter().map(|text| Violation::new("mirror", format!("a fresh device: {text}"))).collect()
}

/// A reader of the feed has what the device shows.
pub fn feed(world: &World, shown: &Shown) -> Vec<Violation> {
    let mut found = Vec::new();
    for actor in &world.devices {
        let messages = shown[&actor.number].values().flat_map(|m| &m.messages);
        let now: BTreeMap<u64, BTreeSet<String>> = messages.map(|m| (m.id, m.flags.clone())).collect();
        if now != actor.reader {
            let differ = now.keys().chain(actor.reader.keys()).find(|id| now.get(id) != actor.reader.get(id));
            let text = format!("device {}: the feed tells another story, first of {differ:?}", actor.number);
            found.push(Violation::new("events", text));
        }
    }
    found
}

/// A pass in which nothing is new changes nothing, and costs a bounded number of commands and bytes.
pub async fn budget(world: &mut World) -> Vec<Violation> {
    let mut found = Vec::new();
    for at in 0..world.devices.len() {
        let number = world.devices[at].number;
        let before = (world.traffic(number), world.network.server(|server| server.log.len()));
        let pass = world.sync(at).await;
        let after = world.traffic(number);
        let (mailboxes, messages, log) = world.network.server(|server| {
            let messages: usize = server.mailboxes().map(|m| m.placements.len()).sum();
            (server.mailboxes().count() as u64, messages as u64, server.log.len())
        });
        let (commands, bytes) = (after.commands - before.0.commands, after.bytes - before.0.bytes);
        let logins = after.logins.len() - before.0.logins.len();
        if pass != Pass::Done || log != before.1 {
            found.push(Violation::new("budget", format!("device {number}: a quiet pass is not quiet: {pass:?}")));
        }
        if commands > 10 + 6 * mailboxes || bytes > 4_000 + 1_000 * mailboxes + 120 * messages || logins > 4 {
            let text = format!("device {number}: {commands} commands, {bytes} bytes and {logins} logins for nothing");
            found.push(Violation::new("budget", text));
        }
    }
    found
}
