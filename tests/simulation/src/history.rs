//! A history: everything that happens in one run, as an explicit list that can be cut down, printed and replayed.

use crate::device::StoreFault;
use crate::edit::Edit;
use crate::fault::{Fault, Refusal};
use crate::personality::PERSONALITIES;
use crate::random::Random;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// Everything that happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The kind of server.
    #[serde(rename = "p")]
    pub personality: String,
    /// How many devices, 1 or 2.
    #[serde(rename = "d")]
    pub devices: u8,
    /// For the chance that the server takes in what it is.
    #[serde(rename = "r")]
    pub seed: u64,
    /// How many messages there are at the beginning.
    #[serde(rename = "m")]
    pub messages: u8,
    /// What happens then.
    #[serde(rename = "s")]
    pub steps: Vec<Step>,
}

/// One thing that happens.
#[expect(missing_docs, reason = "what a variant holds is what its line says")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// A device syncs; faults strike its commands by their number, its store may fail at a call, and it may die at one.
    Sync {
        device: u8,
        faults: Vec<(u8, Fault)>,
        crash: Option<u16>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        store: Option<(u16, StoreFault)>,
        /// What a user does meanwhile, before the call of the store of that number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        meanwhile: Option<(u16, Act)>,
    },
    /// A user of a device changes something; its store may fail at a call, and it may die at one.
    Local {
        device: u8,
        act: Act,
        crash: Option<u16>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        store: Option<(u16, StoreFault)>,
    },
    /// Somebody else changes something.
    Foreign(Edit),
    /// A device is killed, and starts again.
    Kill { device: u8 },
    /// A device is ended, and starts again with the next version of the engine.
    Upgrade { device: u8 },
    /// So many seconds pass.
    Wait { seconds: u32 },
    /// A device's clock jumps, by hours.
    Clock { device: u8, hours: i32 },
    /// The SMTP server ends its next connection after so many bytes of the dialogue.
    CutSmtp { bytes: u16 },
}

/// A local change; numbers are taken modulo what there is.
#[expect(missing_docs, reason = "what a variant holds is what its line says")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    /// A flag is set or taken away.
    Flag { message: u8, flag: u8, set: bool },
    /// A message is moved.
    Move { message: u8, to: u8 },
    /// A message is copied.
    Copy { message: u8, to: u8 },
    /// A message is removed.
    Delete { message: u8 },
    /// A message is added.
    Append { mailbox: u8, flags: u8, twin: bool, size: u16 },
    /// A mailbox is made.
    Create { name: u8 },
    /// A mailbox gets another name.
    Rename { mailbox: u8, name: u8 },
    /// A mailbox is removed with all that is in it.
    Remove { mailbox: u8 },
    /// A message is sent.
    Send,
}

/// How often what happens, in shares.
#[derive(Clone, Debug)]
pub struct Rates {
    /// Local changes.
    pub local: u32,
    /// Changes by somebody else.
    pub foreign: u32,
    /// Passes of sync.
    pub sync: u32,
    /// Kills, waits, clocks.
    pub rest: u32,
    /// Passes in a thousand that have faults.
    pub faulty: u32,
    /// Passes and local changes in a thousand in which the process dies.
    pub crash: u32,
    /// Passes and local changes in a thousand in which the store fails.
    pub store: u32,
    /// The shares of the kinds of fault, in the order of [`fault`]'s list.
    pub faults: [u32; 14],
    /// Passes in a thousand in the middle of which a user of the device changes something.
    pub meanwhile: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            local: 38,
            foreign: 24,
            sync: 32,
            rest: 6,
            faulty: 500,
            crash: 120,
            store: 80,
            faults: [8, 5, 12, 3, 3, 3, 8, 3, 3, 2, 14, 2, 1, 2],
            meanwhile: 120,
        }
    }
}

impl History {
    /// The history of a seed.
    #[must_use]
    pub fn generate(seed: u64, rates: &Rates) -> Self {
        let mut random = Random::new(seed);
        let personality = random.pick(PERSONALITIES).name.to_owned();
        let devices = 1 + u8::from(random.chance(450));
        let messages = random.below(8) as u8;
        let count = 6 + random.index(20);
        let mut steps: Vec<Step> = (0..count).map(|_| step(&mut random, devices, rates)).collect();
        one_blindness(&mut steps);
        no_false_identity(&mut steps);
        Self { personality, devices, seed: random.draw(), messages, steps }
    }

    /// One line that says it all.
    #[must_use]
    pub fn to_line(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads the line again.
    #[must_use]
    pub fn from_line(line: &str) -> Option<Self> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(line.trim()).ok()?).ok()
    }
}

/// A server that shows nothing twice has nothing, as far as anybody can know.
fn one_blindness(steps: &mut [Step]) {
    let mut seen = false;
    for step in steps {
        if let Step::Sync { faults, .. } = step {
            faults.retain(|(_, fault)| {
                let blind = matches!(fault, Fault::Empty | Fault::EmptyList);
                let first = !seen;
                seen |= blind;
                !blind || first
            });
        }
    }
}

/// After a reset messages are known again by their headers: a server that lies about them then has the last word.
fn no_false_identity(steps: &mut [Step]) {
    let text = format!("{steps:?}");
    if !["Renumber", "Rename", "Delete"].iter().any(|word| text.contains(word)) {
        return;
    }
    for step in steps {
        if let Step::Sync { faults, .. } = step {
            faults.retain(|(_, fault)| *fault != Fault::Swap);
        }
    }
}

fn step(random: &mut Random, devices: u8, rates: &Rates) -> Step {
    let device = random.below(u64::from(devices)) as u8;
    match weighted(random, &[rates.local, rates.foreign, rates.sync, rates.rest]) {
        0 => {
            let (act, crash) = (act(random), crash(random, rates, 12));
            Step::Local { device, act, crash, store: trouble(random, rates, 12) }
        }
        1 => Step::Foreign(edit(random)),
        2 => {
            let count = if random.chance(rates.faulty) { 1 + random.below(2) } else { 0 };
            let faults = (0..count).map(|_| (place(random), fault(random, rates))).collect();
            let calls = *random.pick(&[20, 60, 200]);
            let crash = crash(random, rates, calls);
            let store = trouble(random, rates, calls);
            let meanwhile = random.chance(rates.meanwhile).then(|| (random.below(calls) as u16, act(random)));
            // Whoever has lost the lease is judged by what is written then.
            let meanwhile = meanwhile.filter(|_| !matches!(store, Some((_, StoreFault::LeaseLost))));
            Step::Sync { device, faults, crash, store, meanwhile }
        }
        _ => match random.below(6) {
            0 => Step::Kill { device },
            5 => Step::Upgrade { device },
            1 => Step::Clock { device, hours: random.below(180_000) as i32 - 90_000 },
            2 => Step::CutSmtp { bytes: random.below(900) as u16 },
            _ => Step::Wait { seconds: 1 << random.below(17) },
        },
    }
}

/// Early commands are struck more often: there are always some.
fn place(random: &mut Random) -> u8 {
    let bound = *random.pick(&[6, 14, 40]);
    random.below(bound) as u8
}

fn crash(random: &mut Random, rates: &Rates, calls: u64) -> Option<u16> {
    random.chance(rates.crash).then(|| random.below(calls) as u16)
}

fn trouble(random: &mut Random, rates: &Rates, calls: u64) -> Option<(u16, StoreFault)> {
    random.chance(rates.store).then(|| (random.below(calls) as u16, *random.pick(&StoreFault::ALL)))
}

fn weighted(random: &mut Random, shares: &[u32]) -> usize {
    let mut at = random.below(shares.iter().map(|n| u64::from(*n)).sum());
    for (index, share) in shares.iter().enumerate() {
        match at.checked_sub(u64::from(*share)) {
            Some(rest) => at = rest,
            None => return index,
        }
    }
    shares.len() - 1
}

fn number(random: &mut Random) -> u8 {
    random.below(40) as u8
}

/// Of a thousand new messages so many have the Message-ID that all of these have.
const TWINS: u32 = 500;

fn act(random: &mut Random) -> Act {
    let message = number(random);
    match weighted(random, &[34, 16, 9, 12, 18, 4, 3, 2, 7]) {
        0 => Act::Flag { message, flag: random.below(5) as u8, set: random.chance(700) },
        1 => Act::Move { message, to: number(random) },
        2 => Act::Copy { message, to: number(random) },
        3 => Act::Delete { message },
        4 => Act::Append {
            mailbox: number(random),
            flags: random.below(8) as u8,
            twin: random.chance(TWINS),
            size: random.below(900) as u16,
        },
        5 => Act::Create { name: number(random) },
        6 => Act::Rename { mailbox: number(random), name: number(random) },
        7 => Act::Remove { mailbox: number(random) },
        _ => Act::Send,
    }
}

/// What somebody else does.
pub fn edit(random: &mut Random) -> Edit {
    let (mailbox, message) = (number(random), number(random));
    match weighted(random, &[24, 30, 14, 10, 7, 4, 4, 2, 4, 2]) {
        0 => Edit::Append {
            mailbox,
            flags: random.below(8) as u8,
            twin: random.chance(TWINS),
            size: random.below(900) as u16,
        },
        1 => Edit::Flag { mailbox, message, flag: random.below(5) as u8, set: random.chance(650) },
        2 => Edit::Expunge { mailbox, message },
        3 => Edit::Move { mailbox, message, to: number(random) },
        4 => Edit::Copy { mailbox, message, to: number(random) },
        5 => Edit::Create { name: number(random) },
        6 => Edit::Rename { mailbox, name: number(random) },
        7 => Edit::Delete { mailbox },
        8 => Edit::Renumber { mailbox },
        _ => Edit::Rewind { mailbox },
    }
}

/// A fault, by the shares of its kinds.
fn fault(random: &mut Random, rates: &Rates) -> Fault {
    match weighted(random, &rates.faults) {
        0 => Fault::CutBefore,
        1 => Fault::CutInside(random.below(60) as u16),
        2 => Fault::CutReply(if random.chance(400) { 0 } else { random.below(400) as u16 }),
        3 => Fault::LateEffect(random.below(20_000) as u32),
        4 => Fault::Bye,
        5 => Fault::ByeAfter,
        6 => Fault::Refuse(*random.pick(&Refusal::ALL)),
        7 => Fault::Duplicate,
        8 => Fault::Unsolicited,
        9 => Fault::Slow(random.below(90_000) as u32),
        10 => Fault::Edit(edit(random)),
        11 => Fault::Empty,
        12 => Fault::EmptyList,
        _ => Fault::Swap,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_survives_its_line_and_a_seed_is_always_the_same_history() {
        for seed in 0..200 {
            let history = History::generate(seed, &Rates::default());
            assert_eq!(History::from_line(&history.to_line()).as_ref(), Some(&history));
            assert_eq!(History::generate(seed, &Rates::default()), history);
        }
        assert_eq!(History::from_line("nonsense"), None);
    }

    #[test]
    fn every_fault_and_every_act_comes_up() {
        let histories: Vec<History> = (0..3000).map(|seed| History::generate(seed, &Rates::default())).collect();
        let text = format!("{histories:?}");
        let words: std::collections::BTreeSet<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
        for word in [
            "CutBefore",
            "CutInside",
            "CutReply",
            "LateEffect",
            "Bye",
            "ByeAfter",
            "Refuse",
            "Duplicate",
            "Unsolicited",
            "Slow",
            "Edit",
            "Empty",
            "EmptyList",
            "Swap",
            "Rewind",
            "Remove",
            "Upgrade",
            "Send",
            "Renumber",
            "Kill",
            "Clock",
            "CutSmtp",
        ] {
            assert!(words.contains(word), "{word}");
        }
        assert!(text.contains("crash: Some") && text.contains("meanwhile: Some"));
    }
}
