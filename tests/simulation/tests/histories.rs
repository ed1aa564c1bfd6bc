//! The harness tried on the reference engine: right, it breaks nothing; with a planted mistake, the oracle sees it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use mailtide_simulation::history::{Act, History, Step};
use mailtide_simulation::personality::PERSONALITIES;
use mailtide_simulation::reference::{Bug, Reference};
use mailtide_simulation::run::run;
use mailtide_simulation::runner::many;
use std::collections::BTreeSet;

/// The longest history that a mistake may be recorded with.
const STEPS: usize = 25;

/// A mistake and the shortest history found that shows it, a line each.
fn recorded() -> Vec<(Bug, History)> {
    let lines = include_str!("histories.txt").lines().filter(|line| !line.starts_with('#'));
    let parse = |line: &str| {
        let (name, history) = line.split_once(' ').unwrap();
        (Bug::named(name).unwrap(), History::from_line(history).unwrap())
    };
    lines.map(parse).collect()
}

#[test]
fn the_reference_engine_breaks_nothing() {
    let sum = many(1, 1_000, &Reference::default(), 1, None);
    assert_eq!(sum.failures, [], "run `simulate SEED=… N=1` with the seed");
}

#[test]
fn nor_does_it_on_any_kind_of_server() {
    for personality in PERSONALITIES {
        let sum = many(100_000, 20, &Reference::default(), 1, Some(personality.name));
        assert_eq!(sum.failures, [], "{}", personality.name);
    }
}

#[test]
fn each_planted_mistake_is_caught_by_its_history_and_only_the_mistake() {
    let recorded = recorded();
    for (bug, history) in &recorded {
        let outcome = run(history, &Reference { bug: Some(*bug) });
        assert!(!outcome.violations.is_empty(), "{bug:?} is not caught any more: record another history");
        let outcome = run(history, &Reference::default());
        assert_eq!(outcome.violations, [], "{bug:?}: the history fails without the mistake");
        assert!(history.steps.len() <= STEPS, "{bug:?}: {} steps", history.steps.len());
    }
    let caught: BTreeSet<Bug> = recorded.iter().map(|(bug, _)| *bug).collect();
    assert_eq!(caught, Bug::ALL.into_iter().collect());
}

/// `make soak`: each mistake anew, within the number of histories that `cargo test` of a release runs.
#[test]
#[ignore = "takes minutes"]
fn each_planted_mistake_is_found_anew_within_20_000_histories() {
    for bug in Bug::ALL {
        let sum = many(1_000_000, 20_000, &Reference { bug: Some(bug) }, 1, None);
        assert!(!sum.failures.is_empty(), "{bug:?}");
    }
}

#[test]
fn a_history_goes_the_same_way_each_time() {
    for (bug, history) in recorded() {
        let engine = Reference { bug: Some(bug) };
        let (first, second) = (run(&history, &engine), run(&history, &engine));
        assert_eq!((first.transcript, first.violations), (second.transcript, second.violations), "{bug:?}");
    }
}

#[test]
fn a_submission_cut_at_any_byte_is_never_sent_twice_nor_forgotten() {
    for bytes in 0..700 {
        let send = Step::Local { device: 0, act: Act::Send, crash: None, store: None };
        let sync = Step::Sync { device: 0, faults: Vec::new(), crash: None, store: None, meanwhile: None };
        let steps = vec![Step::CutSmtp { bytes }, send, sync.clone(), sync];
        let history = History { personality: "dovecot".to_owned(), devices: 1, seed: 1, messages: 0, steps };
        assert_eq!(run(&history, &Reference::default()).violations, [], "cut after {bytes} bytes");
    }
}
