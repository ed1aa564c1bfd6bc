//! The engine itself in the simulation: histories of two devices, somebody else and everything that goes wrong, and the
//! oracle finds nothing; with a mistake planted in the engine, it does. `HISTORIES` says how many; `tools/test` runs
//! more of them, compiled to be fast.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod real;

use mailtide::Bug;
use mailtide_simulation::history::History;
use mailtide_simulation::run::run;
use mailtide_simulation::runner::{in_turn, many};
use real::Real;
use std::collections::BTreeSet;
use std::process::Command;

/// So many by default: `cargo test` without a profile of its own is slow.
const FEW: u64 = 60;
/// The longest history that a mistake may be recorded with.
const STEPS: usize = 25;

/// A word and a history, a line each.
fn recorded(text: &str) -> Vec<(String, History)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let parse = |line: &str| {
        let (name, history) = line.split_once(' ').unwrap();
        (name.to_owned(), History::from_line(history).unwrap())
    };
    lines.map(parse).collect()
}

#[test]
fn the_engine_breaks_nothing() {
    let count = std::env::var("HISTORIES").map_or(FEW, |count| count.parse().expect("HISTORIES is a number"));
    let shares = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let first = |share: u64| 1 + share * count / shares;
    let run = |share: u64| {
        // SQLite's caches share one lock in a process, so each processor has a process.
        let mut share_of = Command::new(std::env::current_exe().unwrap());
        share_of.args(["--exact", "a_share_of_the_histories", "--ignored"]);
        share_of.env("SEEDS", format!("{}-{}", first(share), first(share + 1))).spawn().unwrap()
    };
    let running: Vec<_> = (0..shares).map(run).collect();
    let ended = running.into_iter().map(|mut share| share.wait().unwrap());
    let failed = ended.filter(|status| !status.success()).count();
    assert_eq!(failed, 0, "see above");
}

#[test]
#[ignore = "the test above runs it, in processes of its own"]
fn a_share_of_the_histories() {
    let Ok(seeds) = std::env::var("SEEDS") else { return };
    let (first, end) = seeds.split_once('-').unwrap();
    let seeds = first.parse().unwrap()..end.parse().unwrap();
    let sum = in_turn(seeds.clone(), &Real::default(), None);
    assert_eq!(sum.failures, [], "run `make simulate N=1 SEED=…` with the seed");
    assert_eq!(sum.histories, seeds.end - seeds.start);
}

#[test]
fn what_was_found_once_stays_away() {
    for (what, history) in recorded(include_str!("found.txt")) {
        assert_eq!(run(&history, &Real::default()).violations, [], "{what} is back");
    }
}

#[test]
fn each_planted_mistake_is_caught_by_its_history_and_only_the_mistake() {
    let recorded = recorded(include_str!("planted.txt"));
    for (name, history) in &recorded {
        let bug = Bug::named(name);
        let outcome = run(history, &Real { bug });
        assert!(
            bug.is_some() && !outcome.violations.is_empty(),
            "{name} is not caught any more: record another history"
        );
        let outcome = run(history, &Real::default());
        assert_eq!(outcome.violations, [], "{name}: the history fails without the mistake");
        assert!(history.steps.len() <= STEPS, "{name}: {} steps", history.steps.len());
    }
    let caught: BTreeSet<Option<Bug>> = recorded.iter().map(|(name, _)| Bug::named(name)).collect();
    assert_eq!(caught, Bug::ALL.into_iter().map(Some).collect());
}

/// `make soak`: each mistake anew, within the number of histories that `make test` runs.
#[test]
#[ignore = "takes minutes: make soak"]
fn each_planted_mistake_is_found_anew_within_20_000_histories() {
    for bug in Bug::ALL {
        let sum = many(1_000_000, 20_000, &Real { bug: Some(bug) }, 1, None);
        assert!(!sum.failures.is_empty(), "{bug:?}");
    }
}

#[test]
fn a_history_of_the_engine_goes_the_same_way_each_time() {
    for (name, history) in recorded(include_str!("planted.txt")) {
        let engine = Real { bug: Bug::named(&name) };
        let (first, second) = (run(&history, &engine), run(&history, &engine));
        assert_eq!((first.transcript, first.violations), (second.transcript, second.violations), "{name}");
    }
}
