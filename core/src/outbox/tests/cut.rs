//! The dialogue cut at every byte, in both directions: no duplicate, and nothing lost without a word.

use super::super::{Decision, OnDoubt, RecipientState as R, SendOptions, State};
use super::sink::Sink;
use super::support::{World, composed, draft};
use std::sync::Arc;

/// Which direction is cut, after how many bytes.
#[derive(Clone, Copy, Debug)]
enum Cut {
    Heard(usize),
    Said(usize),
}

fn sink(cut: Option<Cut>) -> Sink {
    match cut {
        None => Sink::default(),
        Some(Cut::Heard(bytes)) => Sink { reads: Some(bytes), ..Sink::default() },
        Some(Cut::Said(bytes)) => Sink { writes: Some(bytes), ..Sink::default() },
    }
}

/// Every cut of a dialogue that would have gone well, and no cut at all.
async fn cuts() -> Vec<Option<Cut>> {
    let world = run(None, OnDoubt::Ask, false).await;
    let (read, written) = world.sink.traffic();
    assert!(read > 300 && written > 150, "{read} {written}");
    let heard = (0..=read).map(|n| Some(Cut::Heard(n)));
    let said = (0..=written).map(|n| Some(Cut::Said(n)));
    heard.chain(said).chain([None]).collect()
}

/// Sends one message over a connection that is cut, and goes on over whole ones until nothing happens by itself.
async fn run(cut: Option<Cut>, on_doubt: OnDoubt, files_itself: bool) -> World {
    let world = World::at(if files_itself { "smtp.gmail.com" } else { "smtp.example.org" }, sink(cut));
    if files_itself {
        *world.sent.filed_by.lock().unwrap() = Some(Arc::clone(&world.sink));
    }
    let options = SendOptions { on_doubt, ..SendOptions::default() };
    world.outbox.send_composed(&composed(&draft()), &options).await.unwrap();
    world.settle(&world.outbox).await;
    world
}

#[tokio::test]
async fn nothing_is_sent_twice_or_lost_silently_wherever_it_is_cut() {
    let (mut uncertain, mut doubted) = (0, 0);
    for cut in cuts().await {
        let world = run(cut, OnDoubt::Ask, false).await;
        let (entry, taken) = (world.ledger.only(), world.sink.messages().len());
        assert_eq!(world.sink.flaws(), [""; 0], "{cut:?}");
        match entry.state {
            State::Accepted => assert_eq!((taken, world.sent.count(&entry.message_id)), (1, 1), "{cut:?}"),
            State::Uncertain => {
                assert!(entry.needs_decision() && taken <= 1, "{cut:?} {taken}");
                uncertain += 1;
                doubted += usize::from(taken == 0);
                let decision = if taken == 1 { Decision::Sent } else { Decision::Resend };
                world.outbox.decide(entry.id, decision).await.unwrap();
                world.settle(&world.outbox).await;
                let entry = world.ledger.only();
                assert_eq!((entry.state, world.sink.messages().len()), (State::Accepted, 1), "{cut:?}");
            }
            state => panic!("{cut:?} ends {state:?}"),
        }
    }
    // The dot of three bytes, and the reply to it.
    assert!(uncertain >= 10 && doubted >= 2, "{uncertain} {doubted}");
}

#[tokio::test]
async fn where_the_server_files_what_it_takes_no_doubt_is_left_about_it() {
    for cut in cuts().await {
        let world = run(cut, OnDoubt::Ask, true).await;
        let (entry, taken) = (world.ledger.only(), world.sink.messages().len());
        match entry.state {
            State::Accepted => assert_eq!((taken, world.sent.count(&entry.message_id)), (1, 1), "{cut:?}"),
            State::Uncertain => assert!(entry.needs_decision() && taken == 0, "{cut:?} {taken}"),
            state => panic!("{cut:?} ends {state:?}"),
        }
    }
}

#[tokio::test]
async fn other_policies_do_what_they_say() {
    for cut in cuts().await {
        let resent = run(cut, OnDoubt::Resend, false).await;
        assert_eq!(resent.ledger.only().state, State::Accepted, "{cut:?}");
        assert!((1..=2).contains(&resent.sink.messages().len()), "{cut:?}");
        let assumed = run(cut, OnDoubt::AssumeSent, false).await;
        assert_eq!(assumed.ledger.only().state, State::Accepted, "{cut:?}");
        assert!(assumed.sink.messages().len() <= 1, "{cut:?}");
    }
}

#[tokio::test]
async fn every_attempt_has_the_same_bytes() {
    let cut = Some(Cut::Heard(60));
    let world = run(cut, OnDoubt::Ask, false).await;
    let message = composed(&draft());
    assert_eq!(world.sink.messages()[0].bytes, message.raw);
    assert!(world.sink.connections.load(std::sync::atomic::Ordering::SeqCst) >= 2);
}

#[tokio::test]
async fn each_state_is_committed_before_its_step() {
    let world = run(None, OnDoubt::Ask, false).await;
    let history = world.ledger.history.lock().unwrap().clone();
    let accepted = State::Accepted;
    // The last two are the copy in Sent: about to be added, and added.
    assert_eq!(history, [State::Connected, State::DataStarted, State::DotSent, accepted, accepted, accepted]);
}

#[tokio::test]
async fn each_recipient_gets_it_once_or_not_at_all() {
    let refuses = |command: &str| command.contains("<bob@").then(|| "550 5.1.1 no".to_owned());
    let three = draft().cc("bob@example.org, carol@example.org").unwrap();
    let world =
        |cut: Option<Cut>| World::new(Sink { rule: Some(Arc::new(refuses)), capabilities: &["8BITMIME"], ..sink(cut) });
    let whole = world(None);
    whole.outbox.send_composed(&composed(&three), &SendOptions::default()).await.unwrap();
    whole.outbox.pass().await.unwrap();
    let (read, written) = whole.sink.traffic();
    for cut in (0..=read).map(Cut::Heard).chain((0..=written).map(Cut::Said)) {
        let world = world(Some(cut));
        world.outbox.send_composed(&composed(&three), &SendOptions::default()).await.unwrap();
        world.settle(&world.outbox).await;
        if world.ledger.only().state == State::Uncertain {
            let taken = !world.sink.messages().is_empty();
            let decision = if taken { Decision::Sent } else { Decision::Resend };
            world.outbox.decide(1, decision).await.unwrap();
            world.settle(&world.outbox).await;
        }
        let states: Vec<R> = world.ledger.only().recipients.iter().map(|r| r.state).collect();
        assert_eq!(states, [R::Accepted, R::Rejected, R::Accepted], "{cut:?}");
        let taken: Vec<_> = world.sink.messages().into_iter().map(|m| m.recipients).collect();
        assert_eq!(taken, [["grace@example.org", "carol@example.org"]], "{cut:?}");
    }
}
