//! Judges what came of a history, from the server's log of who did what, from what users did, and from what the devices
//! show: the nine invariants.

mod counts;
mod harm;
mod intents;
mod mirror;

use crate::device::{Engine, Fate, LocalId, Sent, Snapshot, Ticket, Verb};
use crate::model::Server;
use crate::run::World;
use std::collections::BTreeMap;
use std::fmt;

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which: `loss`, `duplicate`, `harm`, `intent`, `mirror`, `events`, `outbox`, `progress`, `budget`.
    pub invariant: &'static str,
    /// What is wrong.
    pub text: String,
}

impl Violation {
    /// A violation of that invariant.
    #[must_use]
    pub fn new(invariant: &'static str, text: String) -> Self {
        Self { invariant, text }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.text)
    }
}

/// What a user did on a device, and what it was about at that moment.
#[derive(Clone, Debug)]
pub struct Deed {
    /// What the device calls it; `None` where it died and may have taken it or not.
    pub ticket: Option<Ticket>,
    /// What was done.
    pub verb: Verb,
    /// Which message it was about.
    pub token: u64,
    /// Its placement on the server, where it had one.
    pub serial: Option<u64>,
    /// Its placement on the device.
    pub local: Option<LocalId>,
    /// The mailbox on the server that is to be renamed or removed, where it had one.
    pub mailbox: Option<u64>,
    /// Whether what is to be renamed or removed was no mailbox on the server, only a level above others.
    pub is_level: bool,
    /// Whether the device showed something else before.
    pub changes: bool,
    /// How long the server's log was.
    pub at: usize,
}

impl Deed {
    /// What is known when it is done.
    #[must_use]
    pub fn new(verb: &Verb, token: u64, shown: &Snapshot, at: usize) -> Self {
        let local = match verb {
            Verb::Flag { message, .. } | Verb::Move { message, .. } | Verb::Copy { message, .. } => Some(*message),
            Verb::Delete { message } => Some(*message),
            Verb::Append { .. } | Verb::Send { .. } => None,
            Verb::Create { .. } | Verb::Rename { .. } | Verb::Remove { .. } => None,
        };
        let message = shown.values().flat_map(|m| &m.messages).find(|m| Some(m.id) == local);
        let changes = match (verb, message) {
            (Verb::Flag { flag, set, .. }, Some(m)) => m.flags.iter().any(|f| f.eq_ignore_ascii_case(flag)) != *set,
            _ => true,
        };
        Self {
            ticket: None,
            verb: verb.clone(),
            token,
            serial: None,
            local,
            mailbox: None,
            is_level: false,
            changes,
            at,
        }
    }

    /// With its placement on the server.
    #[must_use]
    pub fn located(mut self, server: &Server, shown: &Snapshot) -> Self {
        let places = shown.values().flat_map(|mailbox| mailbox.messages.iter().map(move |m| (mailbox.uid_validity, m)));
        let place = places.clone().find(|(_, m)| Some(m.id) == self.local);
        self.serial = place.and_then(|(validity, m)| server.serial(validity?, m.uid?));
        // A change is about what the number stands for, whatever header the server told for it at first.
        let told = self.serial.and_then(|serial| harm::token_of(server, serial)).filter(|_| self.token != 0);
        self.token = told.unwrap_or(self.token);
        if let Verb::Rename { name, .. } | Verb::Remove { name } = &self.verb {
            self.mailbox = server.named(name).map(|mailbox| mailbox.id);
            self.is_level = self.mailbox.is_none() && is_level(server, name);
        }
        self
    }

    /// Whether it is about a whole mailbox.
    #[must_use]
    pub fn is_of_mailbox(&self) -> bool {
        matches!(self.verb, Verb::Create { .. } | Verb::Rename { .. } | Verb::Remove { .. })
    }

    /// Whether it takes the message away from where it was.
    #[must_use]
    pub fn removes(&self) -> bool {
        matches!(self.verb, Verb::Move { .. } | Verb::Delete { .. })
    }
}

/// Whether there are mailboxes below a name.
pub(crate) fn is_level(server: &Server, name: &str) -> bool {
    let below = format!("{name}{}", server.personality.delimiter);
    server.mailboxes().any(|mailbox| mailbox.name.starts_with(&below))
}

/// What the devices say of what was done on them, each by its number.
pub(crate) type Fates = BTreeMap<u32, BTreeMap<Ticket, Fate>>;

/// Judges, and adds what is wrong to the world.
pub async fn judge(world: &mut World, engine: &dyn Engine, quiet: bool) {
    let mut fates = Fates::new();
    for actor in &mut world.devices {
        fates.insert(actor.number, actor.device.fates().await);
    }
    let mut found = Vec::new();
    world.network.server(|server| {
        found.extend(counts::judge(server, &world.devices, &fates));
        found.extend(harm::judge(server, &world.devices));
    });
    // Where every SELECT has another UIDVALIDITY, that nothing is lost, doubled or harmed is all that can be asked.
    if quiet && !world.network.server(|server| server.personality.restless_validity) {
        let shown = mirror::shown(world).await;
        world.network.server(|server| {
            found.extend(intents::judge(server, &world.devices, &fates, &shown, world.faulty));
            found.extend(mirror::judge(server, &world.devices, &fates, &shown));
        });
        found.extend(mirror::fresh(world, engine).await);
        found.extend(mirror::feed(world, &shown));
        found.extend(mirror::budget(world).await);
    }
    found.extend(outbox(world).await);
    world.violations.extend(found);
}

/// A message that a pass took from a device although it is on the server, and although nobody did anything to it meanwhile.
#[must_use]
pub fn taken_away(server: &Server, before: &Snapshot, after: &Snapshot, meanwhile: Option<&Deed>) -> Option<String> {
    if meanwhile.is_some_and(Deed::is_of_mailbox) {
        return None;
    }
    let is_touched = |id: LocalId| meanwhile.is_some_and(|deed| deed.local == Some(id));
    let placed = |shown: &Snapshot| -> BTreeMap<u64, (LocalId, Option<u64>)> {
        let all = shown.values().flat_map(|m| m.messages.iter().map(move |message| (m.uid_validity, message)));
        let serial = |validity: Option<u32>, uid: Option<u32>| server.serial(validity?, uid?);
        all.filter_map(|(validity, m)| Some((serial(validity, m.uid)?, (m.id, m.token)))).collect()
    };
    let ids: std::collections::BTreeSet<LocalId> =
        after.values().flat_map(|m| &m.messages).map(|message| message.id).collect();
    let (before, after) = (placed(before), placed(after));
    let there = |serial: &u64| server.mailboxes().any(|m| m.placements.values().any(|p| p.serial == *serial));
    let lost = before.iter().find(|(serial, (id, _))| {
        !after.contains_key(serial) && !ids.contains(id) && !is_touched(*id) && there(serial)
    });
    lost.map(|(_, (_, token))| format!("message {token:?} was taken away while it is on the server"))
}

/// Accepted means taken once, and nothing is taken twice.
async fn outbox(world: &mut World) -> Vec<Violation> {
    let mut found = Vec::new();
    for actor in &mut world.devices {
        let states = actor.device.outbox().await;
        for deed in actor.deeds.iter().filter(|d| matches!(d.verb, Verb::Send { .. })) {
            let (taken, state) = (world.sink.taken(deed.token), deed.ticket.and_then(|t| states.get(&t)).copied());
            let right = match (deed.ticket, state) {
                (Some(_), Some(Sent::Accepted)) => taken == 1,
                (Some(_), Some(Sent::Rejected)) => taken == 0,
                (Some(_), Some(Sent::Uncertain)) | (None, _) => taken <= 1,
                // With faults off everything queued has had its chance.
                (Some(_), Some(Sent::Queued) | None) => false,
            };
            if !right {
                let text = format!("message {} is {state:?} and was taken {taken} times", deed.token);
                found.push(Violation::new("outbox", text));
            }
        }
    }
    found
}
