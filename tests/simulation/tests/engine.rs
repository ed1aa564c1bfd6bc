//! The engine itself in the simulation: histories of two devices, somebody else and everything that goes wrong, and the
//! oracle finds nothing; with a mistake planted in the engine, it does. `HISTORIES` says how many; `tools/test` runs
//! more of them, compiled to be fast.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(clippy::print_stdout, reason = "what takes minutes tells how far it is")]

mod real;

use mailtide::Bug;
use mailtide_simulation::history::History;
use mailtide_simulation::run::run;
use mailtide_simulation::runner::in_turn;
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
    let first = |share: u64, shares: u64| 1 + share * count / shares;
    in_shares("a_share_of_the_histories", |share, shares| {
        ("SEEDS", format!("{}-{}", first(share, shares), first(share + 1, shares)))
    });
}

/// Runs a test of this file on every processor, each with a variable that tells its share. SQLite's caches share one lock
/// in a process, so each has a process.
fn in_shares(test: &str, variable: impl Fn(u64, u64) -> (&'static str, String)) {
    let shares = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let run = |share: u64| {
        let (name, value) = variable(share, shares);
        let mut share_of = Command::new(std::env::current_exe().unwrap());
        share_of.args(["--exact", test, "--ignored", "--nocapture"]).env(name, value).spawn().unwrap()
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

/// One that was not found again after a reset, and is deleted here before the next pass looks for it once more.
#[test]
fn a_message_that_is_sought_no_more_leaves_the_mailbox_quiet() {
    let history = History::from_line(include_str!("sought.txt").trim_end()).unwrap();
    let mut longer = history.clone();
    longer.steps.extend(vec![history.steps.last().unwrap().clone(); 3]);
    let [short, long] = [history, longer].map(|history| run(&history, &Real::default()));
    assert_eq!((short.violations, long.violations), (vec![], vec![]));
    assert_eq!(long.commands - short.commands, 3 * 3, "a pass without news logs in, enables QRESYNC and lists");
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
    in_shares("a_share_of_the_mistakes", |share, shares| ("MISTAKES", format!("{share}/{shares}")));
}

#[test]
#[ignore = "the test above runs it, in processes of its own"]
fn a_share_of_the_mistakes() {
    let Ok(share) = std::env::var("MISTAKES") else { return };
    let (share, shares) = share.split_once('/').unwrap();
    let mut missed = Vec::new();
    for bug in Bug::ALL.into_iter().skip(share.parse().unwrap()).step_by(shares.parse().unwrap()) {
        let engine = Real { bug: Some(bug) };
        let fails = |seed: &u64| !in_turn(*seed..seed + 1, &engine, None).failures.is_empty();
        let found = (1_000_000..1_020_000).find(fails);
        println!("{bug:?}: {}", found.map_or("not found".to_owned(), |seed| format!("found by seed {seed}")));
        missed.extend(found.is_none().then_some(bug));
    }
    assert_eq!(missed, []);
}

#[test]
fn a_history_of_the_engine_goes_the_same_way_each_time() {
    for (name, history) in recorded(include_str!("planted.txt")) {
        let engine = Real { bug: Bug::named(&name) };
        let (first, second) = (run(&history, &engine), run(&history, &engine));
        assert_eq!((first.transcript, first.violations), (second.transcript, second.violations), "{name}");
    }
}
