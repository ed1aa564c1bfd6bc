//! The process ends at every commit, before it or after it, and another one goes on.

use super::super::{Decision, OnDoubt, SendOptions, State};
use super::sink::Sink;
use super::support::{Crash, World, composed, draft};
use std::sync::atomic::Ordering;

/// Sends one message to a server that refuses one of its recipients; crashes at this commit.
async fn run(at: usize, crash: Crash, host: &str) -> World {
    let refuses = |command: &str| command.contains("<bob@").then(|| "550 5.1.1 no".to_owned());
    let world = World::at(host, Sink::with_rule(refuses));
    let two = draft().cc("bob@example.org").unwrap();
    world.outbox.send_composed(&composed(&two), &SendOptions::default()).await.unwrap();
    *world.ledger.crash.lock().unwrap() = Some((at, crash));
    // A crashed process never comes back from its commit; everything else takes no time at all.
    let pass = tokio::time::timeout(std::time::Duration::from_secs(1), world.outbox.pass()).await;
    assert!(
        pass.is_err()
            || pass.unwrap().is_err()
            || crash == Crash::Error
            || world.ledger.commits.load(Ordering::SeqCst) <= at
    );
    world.settle(&world.restarted(host)).await;
    world
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_twice_or_lost_silently_wherever_it_crashes() {
    let mut states = Vec::new();
    for at in 0..12 {
        for crash in [Crash::Before, Crash::After, Crash::Error] {
            let world = run(at, crash, "smtp.example.org").await;
            let (entry, taken) = (world.ledger.only(), world.sink.messages().len());
            states.push(entry.state);
            match entry.state {
                State::Accepted => assert_eq!(taken, 1, "{at} {crash:?}"),
                State::Uncertain => assert!(taken <= 1 && entry.needs_decision(), "{at} {crash:?}"),
                state => panic!("{at} {crash:?} ends {state:?}"),
            }
            let copies = world.sent.count(&entry.message_id);
            assert_eq!(copies, usize::from(entry.state == State::Accepted), "{at} {crash:?}");
        }
    }
    assert!(states.contains(&State::Uncertain) && states.contains(&State::Accepted));
}

#[tokio::test(start_paused = true)]
async fn a_commit_before_the_dot_that_did_not_come_about_means_that_nothing_was_sent() {
    // Connected, data_started, dot_sent: the third is lost.
    let world = run(2, Crash::Before, "smtp.example.org").await;
    assert_eq!((world.ledger.only().state, world.sink.messages().len()), (State::Accepted, 1));
    let world = run(2, Crash::After, "smtp.example.org").await;
    let entry = world.ledger.only();
    assert_eq!((entry.state, world.sink.messages().len()), (State::Uncertain, 0));
    world.outbox.decide(entry.id, Decision::Drop).await.unwrap();
    assert_eq!(world.ledger.only().state, State::Rejected);
    assert_eq!(world.ledger.only().on_doubt, OnDoubt::Ask);
}
