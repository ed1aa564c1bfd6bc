//! The engine's own session against the modelled server: the second client that checks the model, and the proof that a
//! whole session runs in one thread, without a network, on a clock that stands still.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stderr, reason = "one test prints what it measures")]

use mailtide::imap::{Flag, UidSet};
use mailtide::{
    Account, AppendOptions, AppendSource, Code, Dialer, Engine, EngineOptions, FetchOptions, FlagChange, Given,
    ListOptions, Parts, Query, Result, Selection, Session, WatchOptions, WriteOptions,
};
use mailtide_simulation::fault::{Fault, Refusal};
use mailtide_simulation::letter;
use mailtide_simulation::model::{FOREIGN, Server};
use mailtide_simulation::network::Network;
use mailtide_simulation::personality::{PERSONALITIES, Personality};
use mailtide_simulation::random::Random;
use std::collections::BTreeSet;
use std::time::Duration;

const DEVICE: u32 = 1;

fn network(personality: &Personality, messages: u16) -> Network {
    let mut server = Server::new(personality, Random::new(1));
    server.calm = true;
    let inbox = server.named("INBOX").unwrap().id;
    for n in 0..messages {
        let letter = server.mint(false, n * 40);
        server.add(FOREIGN, inbox, &letter, BTreeSet::new(), None);
    }
    Network::new(server)
}

async fn connect(network: &Network) -> Result<Session> {
    let mut account = Account::from_url("imap://ada:lovelace@model.invalid")?;
    let way = network.clone();
    account.net.dialer = Some(Dialer::new(move || Ok(Box::new(way.connect(DEVICE)) as Box<dyn Given>)));
    Engine::new(EngineOptions::default(), tokio::runtime::Handle::current()).connect(account).await
}

async fn bodies(session: &Session, mailbox: &str) -> Result<Vec<Vec<u8>>> {
    let parts = Parts { raw: true, ..Parts::default() };
    let options = FetchOptions { parts, ..FetchOptions::default() };
    let mut messages = session.mailbox(mailbox)?.fetch(Selection::All, options);
    let mut out = Vec::new();
    while let Some(batch) = messages.next_batch().await? {
        for message in batch {
            assert!(message.envelope().is_some() && message.structure().is_some());
            out.push(message.raw().await?.to_vec());
        }
    }
    Ok(out)
}

#[tokio::test(start_paused = true)]
async fn every_personality_serves_a_session() {
    for personality in PERSONALITIES {
        let network = network(personality, 4);
        let session = connect(&network).await.unwrap_or_else(|e| panic!("{}: {e:?}", personality.name));
        let names = session.mailboxes(ListOptions::default()).await.unwrap();
        assert!(names.iter().any(|m| m.name == "INBOX"), "{}", personality.name);
        let bodies = bodies(&session, "INBOX").await.unwrap_or_else(|e| panic!("{}: {e:?}", personality.name));
        let tokens: Vec<u64> = bodies.iter().filter_map(|b| letter::token(b)).collect();
        assert_eq!(tokens, [1, 2, 3, 4], "{}", personality.name);
        session.close().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn writes_arrive_and_are_logged_as_the_devices() {
    let network = network(Personality::named("dovecot").unwrap(), 3);
    let session = connect(&network).await.unwrap();
    let inbox = session.mailbox("INBOX").unwrap();
    let seen = FlagChange { add: vec![Flag::SEEN], ..FlagChange::default() };
    inbox.flag(UidSet::range(1, 2), seen, WriteOptions::default()).await.unwrap();
    inbox.move_to(2u32, "Archive", WriteOptions::default()).await.unwrap();
    inbox.copy_to(1u32, "Archive", WriteOptions::default()).await.unwrap();
    inbox.expunge(3u32, WriteOptions::default()).await.unwrap();
    let letter = letter::write(99, 99, 10);
    inbox.append(AppendSource::Bytes(letter.clone().into()), AppendOptions::default()).await.unwrap();
    network.server(|server| {
        let tokens = |name: &str| -> Vec<u64> {
            let placements = server.named(name).unwrap().placements.values();
            placements.filter_map(|p| letter::token(&p.content.bytes)).collect()
        };
        assert_eq!((tokens("INBOX"), tokens("Archive")), (vec![1, 99], vec![2, 1]));
        assert!(server.named("INBOX").unwrap().placements[&1].has("\\Seen"));
        assert_eq!(server.named("INBOX").unwrap().placements[&4].content.bytes, letter);
        assert!(server.log.iter().filter(|e| e.actor == DEVICE).count() >= 6);
    });
    assert_eq!(inbox.count(Query::unread(), None).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_watch_hears_of_what_somebody_else_does() {
    let network = network(Personality::named("dovecot").unwrap(), 1);
    let session = connect(&network).await.unwrap();
    let mut watch = session.mailbox("INBOX").unwrap().watch(WatchOptions::default());
    watch.ready().await.unwrap();
    network.server(|server| {
        let (inbox, letter) = (server.named("INBOX").unwrap().id, server.mint(false, 1));
        server.add(FOREIGN, inbox, &letter, BTreeSet::new(), None);
    });
    let event = watch.next().await.unwrap().unwrap();
    assert!(format!("{event:?}").contains('2'), "{event:?}");
}

#[tokio::test(start_paused = true)]
async fn faults_are_errors_and_never_empty_answers() {
    for fault in [
        Fault::CutBefore,
        Fault::CutInside(3),
        Fault::CutReply(0),
        Fault::CutReply(60),
        Fault::Bye,
        Fault::ByeAfter,
        Fault::Refuse(Refusal::Plain),
        Fault::Refuse(Refusal::Throttled),
    ] {
        let network = network(Personality::named("dovecot").unwrap(), 3);
        let session = connect(&network).await.unwrap();
        let search = session.mailbox("INBOX").unwrap();
        search.count(Query::unread(), None).await.unwrap();
        network.server(|server| server.plan(vec![(DEVICE, 0, fault.clone())]));
        let error = search.count(Query::unread(), None).await.expect_err(&format!("{fault:?}"));
        assert_ne!(error.code(), Code::Internal, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_leaves_the_effect_and_a_late_one_comes_later() {
    let network = network(Personality::named("dovecot").unwrap(), 1);
    let session = connect(&network).await.unwrap();
    let inbox = session.mailbox("INBOX").unwrap();
    for (fault, at_once) in [(Fault::CutReply(0), true), (Fault::LateEffect(5_000), false)] {
        // Logged in again, so that the fault strikes the APPEND.
        inbox.count(Selection::All, None).await.unwrap();
        let before = network.server(|server| server.named("INBOX").unwrap().placements.len());
        network.server(|server| server.plan(vec![(DEVICE, 0, fault)]));
        let letter = letter::write(7, 7, 10);
        inbox.append(AppendSource::Bytes(letter.into()), AppendOptions::default()).await.unwrap_err();
        let after = network.server(|server| server.named("INBOX").unwrap().placements.len());
        assert_eq!(after - before, usize::from(at_once));
        tokio::time::sleep(Duration::from_secs(6)).await;
        let later = network.server(|server| server.named("INBOX").unwrap().placements.len());
        assert_eq!(later - before, 1);
    }
}

/// Not a test of speed: it says how many sessions a minute this way of testing gives, for the plan of the histories.
#[test]
#[ignore = "measures"]
fn sessions_a_minute() {
    let start = std::time::Instant::now();
    let count = 500;
    for _ in 0..count {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let network = network(Personality::named("dovecot").unwrap(), 10);
            let session = connect(&network).await.unwrap();
            assert_eq!(bodies(&session, "INBOX").await.unwrap().len(), 10);
            session.close().await.unwrap();
        });
    }
    eprintln!("{:.0} sessions a minute", f64::from(count) * 60.0 / start.elapsed().as_secs_f64());
}
