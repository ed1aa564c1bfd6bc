//! Runs a history: all its steps, then calm, until nothing changes any more; then the oracle judges.

use crate::device::{Acted, Device, Engine, Note, Pass, Snapshot, StoreFault, Ticket, Verb};
use crate::edit;
use crate::fault::Fault;
use crate::history::{Act, History, Step};
use crate::letter;
use crate::model::{Actor, FOREIGN, Server, Traffic};
use crate::network::Network;
use crate::oracle::{self, Deed, Violation};
use crate::personality::{PERSONALITIES, Personality};
use crate::random::Random;
use crate::smtp::Sink;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Passes of each device after which everything must be quiet.
const ROUNDS: u32 = 14;
/// A pass that takes longer, in the time of the model, has stopped working.
const PATIENCE: Duration = Duration::from_secs(6 * 3600);

/// What a run came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was wrong.
    pub violations: Vec<Violation>,
    /// What happened, a line a step.
    pub transcript: Vec<String>,
    /// Commands that the server was given.
    pub commands: u64,
}

/// One device, and what is known of it.
pub struct Party {
    /// Its number on the server.
    pub number: Actor,
    /// It.
    pub device: Box<dyn Device>,
    /// What its users did.
    pub deeds: Vec<Deed>,
    /// What a reader of its feed has made of it.
    pub reader: BTreeMap<u64, BTreeSet<String>>,
    /// How far the reader is.
    pub read: u64,
}

/// Everything that there is in a run.
pub struct World {
    /// The way to the server.
    pub network: Network,
    /// Where sent messages go.
    pub sink: Sink,
    /// The devices.
    pub devices: Vec<Party>,
    /// Whether any fault was planned.
    pub faulty: bool,
    /// What happened, a line a step.
    pub transcript: Vec<String>,
    /// What was wrong already.
    pub violations: Vec<Violation>,
}

/// Runs a history with an engine.
#[must_use]
pub fn run(history: &History, engine: &dyn Engine) -> Outcome {
    run_with(history, engine, false)
}

/// The same, and prints what goes over the wire.
#[must_use]
pub fn run_tapped(history: &History, engine: &dyn Engine) -> Outcome {
    run_with(history, engine, true)
}

fn run_with(history: &History, engine: &dyn Engine, tapped: bool) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    match runtime {
        Ok(runtime) => runtime.block_on(play(history, engine, tapped)),
        Err(error) => panic!("no runtime: {error}"),
    }
}

async fn play(history: &History, engine: &dyn Engine, tapped: bool) -> Outcome {
    let mut world = World::new(history, engine);
    if tapped {
        world.network.server(|server| server.tap = Some(Box::new(show)));
    }
    // What is there from the beginning is older than what somebody does first.
    tokio::time::advance(Duration::from_millis(1)).await;
    for step in &history.steps {
        world.step(step).await;
        tokio::time::advance(Duration::from_secs(3)).await;
    }
    let quiet = world.settle().await;
    if !quiet {
        let text = format!("not quiet after {ROUNDS} rounds, pending {:?}", world.pending().await);
        world.violations.push(Violation::new("progress", text));
    }
    oracle::judge(&mut world, engine, quiet).await;
    let commands = world.devices.iter().map(|d| world.traffic(d.number).commands).sum();
    Outcome { violations: world.violations, transcript: world.transcript, commands }
}

impl World {
    fn new(history: &History, engine: &dyn Engine) -> Self {
        let personality = Personality::named(&history.personality).unwrap_or(&PERSONALITIES[0]);
        let mut server = Server::new(personality, Random::new(history.seed));
        let mailboxes: Vec<u64> = server.mailboxes().filter(|m| m.selectable).map(|m| m.id).collect();
        for n in 0..history.messages {
            let mailbox = mailboxes[if n % 3 == 0 { usize::from(n) % mailboxes.len() } else { 0 }];
            let content = server.mint(n == 5, u16::from(n) * 37);
            server.add(FOREIGN, mailbox, &content, edit::flags(n), None);
        }
        let (network, sink) = (Network::new(server), Sink::default());
        let devices = (1..=u32::from(history.devices.clamp(1, 2))).map(|number| Party {
            number,
            device: engine.device(number, &network, &sink),
            deeds: Vec::new(),
            reader: BTreeMap::new(),
            read: 0,
        });
        let devices = devices.collect();
        Self { network, sink, devices, faulty: false, transcript: Vec::new(), violations: Vec::new() }
    }

    /// What a device has cost the server.
    #[must_use]
    pub fn traffic(&self, number: Actor) -> Traffic {
        self.network.server(|server| server.traffic(number))
    }

    fn pick(&self, device: u8) -> usize {
        usize::from(device) % self.devices.len()
    }

    async fn step(&mut self, step: &Step) {
        let said = match step {
            Step::Sync { device, faults, crash, store, meanwhile } => {
                let at = self.pick(*device);
                self.plan(at, faults);
                let waiting = self.prepare(at, meanwhile.as_ref()).await;
                self.trouble(at, *crash, *store);
                let pass = self.sync_with(at, waiting.as_ref()).await;
                self.network.server(|server| server.plan(Vec::new()));
                let done = waiting.and_then(|deed| self.done_meanwhile(at, deed));
                format!("{pass:?}{}", done.unwrap_or_default())
            }
            Step::Local { device, act, crash, store } => {
                let at = self.pick(*device);
                self.trouble(at, *crash, *store);
                self.local(at, act).await
            }
            Step::Foreign(edit) => {
                self.network.server(|server| edit.apply(server));
                String::new()
            }
            Step::Kill { device } => {
                let at = self.pick(*device);
                self.devices[at].device.restart().await;
                String::new()
            }
            Step::Upgrade { device } => {
                let at = self.pick(*device);
                self.devices[at].device.upgrade().await;
                String::new()
            }
            Step::Wait { seconds } => {
                tokio::time::advance(Duration::from_secs(u64::from(*seconds))).await;
                String::new()
            }
            Step::Clock { device, hours } => {
                let at = self.pick(*device);
                self.devices[at].device.set_clock(i64::from(*hours) * 3600);
                String::new()
            }
            Step::CutSmtp { bytes } => {
                self.sink.cut_next(usize::from(*bytes));
                String::new()
            }
        };
        self.say(format!("{step:?} -> {said}"));
        let at = match step {
            Step::Sync { device, .. } | Step::Local { device, .. } => self.pick(*device),
            _ => return,
        };
        self.read_feed(at).await;
    }

    /// Lets a user change something in the middle of the next pass.
    async fn prepare(&mut self, at: usize, meanwhile: Option<&(u16, Act)>) -> Option<Deed> {
        let (call, act) = meanwhile?;
        let shown = self.devices[at].device.snapshot().await;
        let personality = self.network.server(|server| server.personality.clone());
        let (verb, token) =
            self.verb(act, &shown, &personality).filter(|(verb, _)| !matches!(verb, Verb::Send { .. }))?;
        let deed = Deed::new(&verb, token, &shown, self.network.server(|server| server.log.len()));
        self.devices[at].device.act_at(Some((u32::from(*call), verb)));
        Some(self.network.server(|server| deed.located(server, &shown)))
    }

    /// What came of it.
    fn done_meanwhile(&mut self, at: usize, deed: Deed) -> Option<String> {
        self.devices[at].device.act_at(None);
        let (acted, changes) = self.devices[at].device.acted()?;
        let said = format!("; meanwhile {} (message {}): {acted:?}", shown_verb(&deed.verb), deed.token);
        match acted {
            Acted::Taken(ticket) => self.devices[at].deeds.push(Deed { ticket: Some(ticket), changes, ..deed }),
            Acted::Crashed => self.devices[at].deeds.push(deed),
            Acted::Refused(_) => {}
        }
        Some(said)
    }

    fn trouble(&mut self, at: usize, crash: Option<u16>, store: Option<(u16, StoreFault)>) {
        let device = &mut self.devices[at].device;
        device.crash_at(crash.map(u32::from));
        device.fail_at(store.map(|(call, fault)| (u32::from(call), fault)));
    }

    fn plan(&mut self, at: usize, faults: &[(u8, Fault)]) {
        let number = self.devices[at].number;
        self.faulty |= !faults.is_empty();
        let planned = faults.iter().map(|(at, fault)| (number, u32::from(*at), fault.clone())).collect();
        self.network.server(|server| server.plan(planned));
    }

    /// One pass; a device that died starts again. A message that is on the server stays on the device.
    pub async fn sync(&mut self, at: usize) -> Pass {
        self.sync_with(at, None).await
    }

    async fn sync_with(&mut self, at: usize, meanwhile: Option<&Deed>) -> Pass {
        let before = self.devices[at].device.snapshot().await;
        let pass = self.pass(at).await;
        let after = self.devices[at].device.snapshot().await;
        let lost = self.network.server(|server| oracle::taken_away(server, &before, &after, meanwhile));
        let lost = lost.map(|text| Violation::new("loss", format!("device {}: {text}", at + 1)));
        self.violations.extend(lost);
        pass
    }

    async fn pass(&mut self, at: usize) -> Pass {
        let device = &mut self.devices[at].device;
        let pass = match tokio::time::timeout(PATIENCE, device.sync()).await {
            Ok(pass) => pass,
            Err(_) => {
                self.violations.push(Violation::new("progress", "a pass never ends".to_owned()));
                Pass::Failed("no end".to_owned())
            }
        };
        device.crash_at(None);
        device.fail_at(None);
        let wrong = device.complaints();
        self.violations.extend(wrong.into_iter().map(|text| Violation::new("harm", text)));
        if pass == Pass::Crashed {
            device.restart().await;
        }
        pass
    }

    /// A local change, its target chosen among what the device shows.
    async fn local(&mut self, at: usize, act: &Act) -> String {
        let before = self.devices[at].device.snapshot().await;
        let personality = self.network.server(|server| server.personality.clone());
        let Some((verb, token)) = self.verb(act, &before, &personality) else {
            return "nothing to do it to".to_owned();
        };
        let deed = Deed::new(&verb, token, &before, self.network.server(|server| server.log.len()));
        let deed = self.network.server(|server| deed.located(server, &before));
        let device = &mut self.devices[at].device;
        let acted = device.act(verb.clone()).await;
        device.crash_at(None);
        device.fail_at(None);
        let said = format!("{} (message {token}): {acted:?}", shown_verb(&verb));
        match acted {
            Acted::Taken(ticket) => self.devices[at].deeds.push(Deed { ticket: Some(ticket), ..deed }),
            Acted::Crashed => {
                device.restart().await;
                self.devices[at].deeds.push(deed);
            }
            Acted::Refused(_) => {
                if device.snapshot().await != before {
                    let text = format!("device {}: a change that was refused is to be seen: {said}", at + 1);
                    self.violations.push(Violation::new("intent", text));
                }
            }
        }
        said
    }

    fn verb(&self, act: &Act, shown: &Snapshot, personality: &Personality) -> Option<(Verb, u64)> {
        let open = |name: &&String| !personality.labels || !name.starts_with("[Gmail]");
        let names: Vec<&String> = shown.keys().filter(open).collect();
        let name = |number: u8| names.get(usize::from(number) % names.len().max(1)).map(|name| (*name).clone());
        let all: Vec<_> = shown.iter().filter(|(name, _)| open(name)).flat_map(|(_, m)| &m.messages).collect();
        let message = |number: u8| {
            let message = all.get(usize::from(number) % all.len().max(1))?;
            Some((message.id, message.token.unwrap_or_default()))
        };
        // A label that is there already stays the one label.
        let labelled = |token: u64, to: &String| {
            personality.labels && shown[to].messages.iter().any(|message| message.token == Some(token))
        };
        let flag_of = |number: u8| edit::flag(if personality.keywords { number } else { number.min(3) }).to_owned();
        let fresh = |twin: bool, size: u16| {
            let token = self.network.server(Server::next_token);
            (letter::write(token, if twin { 0 } else { token }, size), token)
        };
        Some(match *act {
            Act::Flag { message: number, flag, set } => {
                let (message, token) = message(number)?;
                (Verb::Flag { message, flag: flag_of(flag), set }, token)
            }
            Act::Move { message: number, to } => {
                let (message, token) = message(number)?;
                let from = shown.iter().find(|(_, m)| m.messages.iter().any(|m| m.id == message))?.0;
                (Verb::Move { message, to: name(to).filter(|to| to != from && !labelled(token, to))? }, token)
            }
            Act::Copy { message: number, to } => {
                let (message, token) = message(number)?;
                (Verb::Copy { message, to: name(to).filter(|to| !labelled(token, to))? }, token)
            }
            Act::Delete { message: number } => {
                let (message, token) = message(number)?;
                (Verb::Delete { message }, token)
            }
            Act::Append { mailbox, flags, twin, size } => {
                let (bytes, token) = fresh(twin, size);
                let flags = edit::flags(if personality.keywords { flags } else { flags & 7 });
                (Verb::Append { mailbox: name(mailbox)?, bytes, flags }, token)
            }
            Act::Rename { mailbox, name: to } => {
                let to = edit::name(to, personality.delimiter);
                (Verb::Rename { name: name(mailbox)?, to }, 0)
            }
            Act::Remove { mailbox } => (Verb::Remove { name: name(mailbox)? }, 0),
            Act::Create { name } => (Verb::Create { name: edit::name(name, personality.delimiter) }, 0),
            Act::Send => {
                let (bytes, token) = fresh(false, 40);
                (Verb::Send { bytes }, token)
            }
        })
    }

    /// A reader takes what is new in the feed.
    pub async fn read_feed(&mut self, at: usize) {
        let actor = &mut self.devices[at];
        let (notes, read) = actor.device.changes(actor.read).await;
        for note in notes {
            match note {
                Note::There { id, flags } => drop(actor.reader.insert(id, flags)),
                Note::Gone { id } => drop(actor.reader.remove(&id)),
            }
        }
        if read < actor.read {
            self.violations.push(Violation::new("events", "the feed went back".to_owned()));
        }
        actor.read = read;
    }

    /// No more faults; passes until nothing changes. Whether that came.
    async fn settle(&mut self) -> bool {
        self.network.server(|server| {
            server.calm = true;
            server.plan(Vec::new());
            server.cut_all();
        });
        self.sink.calm();
        for actor in &mut self.devices {
            actor.device.set_clock(0);
        }
        let mut quiet = 0;
        for round in 0..ROUNDS {
            // Long enough for a daily audit in every other round.
            let pause = if round % 2 == 0 { 26 * 3600 } else { 1800 };
            tokio::time::advance(Duration::from_secs(pause)).await;
            let before = self.state().await;
            let mut done = true;
            for at in 0..self.devices.len() {
                let pass = self.sync(at).await;
                self.note_calm(at, round, &pass);
                self.read_feed(at).await;
                done &= pass == Pass::Done;
            }
            // Where every SELECT has another UIDVALIDITY a device may give up, and must still change nothing.
            let restless = self.network.server(|server| server.personality.restless_validity);
            quiet = if (done || restless) && self.state().await == before { quiet + 1 } else { 0 };
            // Nothing may be seen to change while something waits, and then it is quiet for longer.
            if quiet >= 2 && (restless || self.pending().await.is_empty()) {
                return true;
            }
        }
        false
    }

    fn say(&mut self, line: String) {
        if self.network.server(|server| server.tap.is_some()) {
            show(0, true, line.as_bytes());
        }
        self.transcript.push(line);
    }

    /// Passes of calm that end alike are one line.
    fn note_calm(&mut self, at: usize, round: u32, pass: &Pass) {
        let line = format!("calm, device {}: {pass:?}", at + 1);
        if !self.transcript.iter().rev().take(2 * self.devices.len()).any(|old| old.starts_with(&line)) {
            self.say(format!("{line} from round {round}"));
        }
    }

    async fn state(&mut self) -> (usize, Vec<Snapshot>) {
        let mut shown = Vec::new();
        for actor in &mut self.devices {
            let mut now = actor.device.snapshot().await;
            // Some servers have another UIDVALIDITY at each SELECT.
            now.values_mut().for_each(|mailbox| mailbox.uid_validity = None);
            shown.push(now);
        }
        (self.network.server(|server| server.log.len()), shown)
    }

    /// Changes that are neither done nor given up, each with its device.
    async fn pending(&mut self) -> Vec<(Actor, Ticket)> {
        let mut pending = Vec::new();
        for actor in &mut self.devices {
            let fates = actor.device.fates().await.into_iter();
            let open = fates.filter(|(_, fate)| *fate == crate::device::Fate::Pending);
            pending.extend(open.map(|(ticket, _)| (actor.number, ticket)));
        }
        pending
    }
}

/// A verb without the bytes of its message.
pub(crate) fn shown_verb(verb: &Verb) -> String {
    match verb {
        Verb::Append { mailbox, bytes, flags } => format!("Append {} bytes to {mailbox} {flags:?}", bytes.len()),
        Verb::Send { bytes } => format!("Send {} bytes", bytes.len()),
        other => format!("{other:?}"),
    }
}

#[expect(clippy::print_stdout, reason = "somebody asked for it")]
fn show(actor: u32, sent: bool, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for line in text.lines() {
        println!("    {actor} {} {line:.200}", if sent { "C:" } else { "S:" });
    }
}
