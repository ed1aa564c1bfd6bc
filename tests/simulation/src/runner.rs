//! Runs many histories, or one line again, and prints what comes of them.

#![allow(clippy::print_stdout, reason = "this is what it is for")]

use crate::device::Engine;
use crate::history::{History, Rates};
use crate::run::{Outcome, run, run_tapped};
use crate::shrink::shrink;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Failing histories that are cut down and printed; of the others only the seed is.
const SHOWN: usize = 5;

/// `NAME=value` arguments.
#[derive(Clone, Debug, Default)]
pub struct Options(BTreeMap<String, String>);

/// What many histories came to.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    /// How many ran.
    pub histories: u64,
    /// Seeds that broke an invariant, with its name.
    pub failures: Vec<(u64, &'static str)>,
    /// Commands that the servers were given.
    pub commands: u64,
}

impl Options {
    /// Reads the command line.
    pub fn from_args(args: impl Iterator<Item = String>) -> Self {
        Self(args.filter_map(|arg| arg.split_once('=').map(|(n, v)| (n.to_owned(), v.to_owned()))).collect())
    }

    /// A value as text.
    #[must_use]
    pub fn word(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A value as a number.
    #[must_use]
    pub fn number(&self, name: &str, otherwise: u64) -> u64 {
        self.word(name).and_then(|value| value.parse().ok()).unwrap_or(otherwise)
    }
}

/// The history of a seed, on one kind of server where that is wanted.
#[must_use]
pub fn history(seed: u64, personality: Option<&str>) -> History {
    let mut history = History::generate(seed, &Rates::default());
    if let Some(name) = personality {
        name.clone_into(&mut history.personality);
    }
    history
}

/// Histories that a thread takes at a time.
const BLOCK: u64 = 25;

/// Runs the histories of `count` seeds on all processors, until `enough` have failed.
#[must_use]
pub fn many(first: u64, count: u64, engine: &(dyn Engine + Sync), enough: usize, personality: Option<&str>) -> Sum {
    let (next, sum) = (AtomicU64::new(first), Mutex::new(Sum::default()));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let start = next.fetch_add(BLOCK, Ordering::Relaxed);
                    let end = (start + BLOCK).min(first + count);
                    if start >= end || lock(&sum).failures.len() >= enough {
                        return;
                    }
                    let block = in_turn(start..end, engine, personality);
                    lock(&sum).add(block);
                }
            });
        }
    });
    let mut sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    sum.failures.sort_unstable();
    sum
}

/// Runs the histories of these seeds one after another.
#[must_use]
pub fn in_turn(seeds: std::ops::Range<u64>, engine: &dyn Engine, personality: Option<&str>) -> Sum {
    let mut sum = Sum::default();
    for seed in seeds {
        let outcome = run(&history(seed, personality), engine);
        sum.histories += 1;
        sum.commands += outcome.commands;
        sum.failures.extend(outcome.violations.first().map(|violation| (seed, violation.invariant)));
    }
    sum
}

fn lock(sum: &Mutex<Sum>) -> MutexGuard<'_, Sum> {
    sum.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.histories += other.histories;
        self.commands += other.commands;
        self.failures.extend(other.failures);
    }
}

/// The command line of a simulator with that engine. Fails when a history does.
#[must_use]
pub fn main_with(options: &Options, engine: &(dyn Engine + Sync)) -> ExitCode {
    if let Some(line) = options.word("REPLAY") {
        let Some(history) = History::from_line(line) else {
            println!("That is no history.");
            return ExitCode::FAILURE;
        };
        let tapped = options.number("WIRE", 0) == 1;
        let outcome = if tapped { run_tapped(&history, engine) } else { run(&history, engine) };
        print(&history, &outcome);
        return if outcome.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let (first, count) = (options.number("SEED", 1), options.number("N", 1000));
    let enough = options.number("STOP", SHOWN as u64);
    let start = Instant::now();
    let personality = options.word("PERSONALITY");
    let sum = many(first, count, engine, usize::try_from(enough).unwrap_or(SHOWN), personality);
    let minutes = start.elapsed().as_secs_f64() / 60.0;
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let rate = sum.histories as f64 / minutes;
    println!("{} histories, {} commands, {rate:.0} histories a minute", sum.histories, sum.commands);
    for (at, (seed, invariant)) in sum.failures.iter().enumerate() {
        println!("\nseed {seed} breaks {invariant}");
        if at < SHOWN && options.number("SHRINK", 1) == 1 {
            let small = shrink(&history(*seed, personality), engine, invariant);
            print(&small, &run(&small, engine));
        }
    }
    if sum.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn print(history: &History, outcome: &Outcome) {
    println!(
        "{} with {} devices, {} messages, {} steps",
        history.personality,
        history.devices,
        history.messages,
        history.steps.len()
    );
    outcome.transcript.iter().for_each(|line| println!("  {line:.220}"));
    outcome.violations.iter().for_each(|violation| println!("  VIOLATION {violation:.400}"));
    println!("  REPLAY={}", history.to_line());
}
