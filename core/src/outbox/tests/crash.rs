//! The process ends at every commit, before it or after it, and another one goes on: over memory, and over a real store.

use super::super::{Decision, Entry, Ledger, RecipientState as R, SendOptions, State, StoreLedger};
use super::sink::Sink;
use super::support::{Crash, Crashing, MemoryLedger, World, composed, draft};
use crate::store::{Handle, SqliteOptions, SqliteStore};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// A world whose server refuses one of three recipients, with a message queued in this ledger.
async fn world(ledger: &Arc<dyn Ledger>) -> World {
    let refuses = |command: &str| command.contains("<bob@").then(|| "550 5.1.1 no".to_owned());
    let world = World::new(Sink::with_rule(refuses));
    let three = draft().cc("bob@example.org").unwrap().bcc("carol@example.org").unwrap();
    let outbox = world.outbox_over(Arc::clone(ledger));
    outbox.send_composed(&composed(&three), &SendOptions::default()).await.unwrap();
    world
}

/// One pass, in a process that ends at this commit; whether it came so far.
async fn crashes(world: &World, ledger: Arc<dyn Ledger>, at: usize, crash: Crash) -> bool {
    let (commits, ended) = (AtomicUsize::new(0), Notify::new());
    let crashing = Arc::new(Crashing { ledger, at, crash, commits, ended });
    let outbox = world.outbox_over(crashing.clone());
    let crashed = tokio::select! {
        pass = outbox.pass() => pass.is_err(),
        () = crashing.ended.notified() => true,
    };
    assert_eq!(crashed, crashing.commits.load(Ordering::SeqCst) > at, "{at} {crash:?}");
    crashed
}

/// What has to be true in the end, wherever it crashed.
fn check(world: &World, entry: &Entry, what: &str) {
    let taken = world.sink.messages();
    let states: Vec<R> = entry.recipients.iter().map(|r| r.state).collect();
    match entry.state {
        State::Accepted => {
            assert_eq!(states, [R::Accepted, R::Rejected, R::Accepted], "{what}");
            assert_eq!(taken.len(), 1, "{what}");
            assert!(entry.is_finished(), "{what}: {entry:?}");
        }
        State::Uncertain => {
            assert_eq!(states, [R::Uncertain, R::Rejected, R::Uncertain], "{what}");
            assert!(taken.len() <= 1 && entry.needs_decision(), "{what}");
        }
        state => panic!("{what} ends {state:?}"),
    }
    assert_eq!(world.sent.count(&entry.message_id), usize::from(entry.state == State::Accepted), "{what}");
}

#[tokio::test]
async fn nothing_is_sent_twice_or_lost_silently_wherever_it_crashes() {
    let (mut states, mut at) = (Vec::new(), 0);
    'commits: loop {
        for crash in [Crash::Before, Crash::After, Crash::Error] {
            let memory = Arc::<MemoryLedger>::default();
            let ledger: Arc<dyn Ledger> = memory.clone();
            let world = world(&ledger).await;
            if !crashes(&world, Arc::clone(&ledger), at, crash).await {
                break 'commits;
            }
            world.settle(&world.outbox_over(ledger)).await;
            check(&world, &memory.only(), &format!("{at} {crash:?}"));
            states.push(memory.only().state);
        }
        at += 1;
    }
    // Three steps, accepted, two of the copy.
    assert_eq!(at, 6);
    assert!(states.contains(&State::Uncertain) && states.contains(&State::Accepted));
}

fn open(path: &Path) -> Arc<dyn Ledger> {
    let store = SqliteStore::open(path, SqliteOptions::default()).unwrap();
    Arc::new(StoreLedger::new(Handle::new(Arc::new(store)).unwrap()))
}

#[tokio::test]
async fn a_store_that_is_opened_again_after_a_crash_says_what_happened() {
    for at in 0..6 {
        for crash in [Crash::Before, Crash::After] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.mail");
            let ledger = open(&path);
            let world = world(&ledger).await;
            assert!(crashes(&world, ledger, at, crash).await);
            let ledger = open(&path);
            world.settle(&world.outbox_over(Arc::clone(&ledger))).await;
            check(&world, &ledger.entry(1).await.unwrap().unwrap(), &format!("{at} {crash:?}"));
        }
    }
}

#[tokio::test]
async fn a_commit_before_the_dot_that_did_not_come_about_means_that_nothing_was_sent() {
    // Connected, data_started, dot_sent: the third is lost, or the last that is known.
    for (crash, state) in [(Crash::Before, State::Accepted), (Crash::After, State::Uncertain)] {
        let memory = Arc::<MemoryLedger>::default();
        let ledger: Arc<dyn Ledger> = memory.clone();
        let world = world(&ledger).await;
        crashes(&world, Arc::clone(&ledger), 2, crash).await;
        assert_eq!(world.sink.messages().len(), 0, "{crash:?}");
        let outbox = world.outbox_over(ledger);
        world.settle(&outbox).await;
        assert_eq!(memory.only().state, state, "{crash:?}");
        if state == State::Uncertain {
            outbox.decide(1, Decision::Drop).await.unwrap();
            assert_eq!((memory.only().state, world.sink.messages().len()), (State::Rejected, 0));
        }
    }
}
