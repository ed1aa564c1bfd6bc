//! Every reply code at every place of the dialogue.

use super::super::{SendOptions, State};
use super::sink::Sink;
use super::support::{World, composed, draft};
use crate::error::Code;

const CODES: &[u16] = &[
    200, 211, 214, 220, 221, 235, 250, 251, 252, 334, 354, 421, 422, 431, 432, 441, 442, 446, 447, 449, 450, 451, 452,
    454, 455, 471, 500, 501, 502, 503, 504, 510, 511, 512, 513, 515, 517, 521, 523, 530, 534, 535, 538, 541, 550, 551,
    552, 553, 554, 555, 556, 571, 599,
];

/// The command that is answered so, and how the message ends after one pass: state, and messages that were taken.
async fn answered(place: &'static str, code: u16) -> (World, Option<Code>) {
    let rule = move |command: &str| {
        let is_it = if place == "." { command == "." } else { command.starts_with(place) };
        is_it.then(|| format!("{code} 5.7.1 said so"))
    };
    let world = World::new(Sink::with_rule(rule));
    world.outbox.send_composed(&composed(&draft()), &SendOptions::default()).await.unwrap();
    let report = world.outbox.pass().await.unwrap();
    (world, report.trouble.map(|e| e.code()))
}

fn expected(place: &str, code: u16) -> State {
    use State::{Accepted, Queued, Rejected, Uncertain};
    match (place, code) {
        // The message has nothing to do with what is said before MAIL.
        ("CONNECT", 220) | ("EHLO", 250) => Accepted,
        ("CONNECT" | "EHLO", _) => Queued,
        ("MAIL", 200..300) | ("RCPT", 250..=252) | ("DATA", 354) | (".", 200..300) => Accepted,
        // What is no answer to the dot leaves open whether the message was taken.
        (".", 300..400) => Uncertain,
        // These say that a login is missing, which is no fault of the message.
        ("MAIL", 530 | 534 | 535 | 538) => Queued,
        ("RCPT", 552) => Queued,
        (_, 500..600) => Rejected,
        _ => Queued,
    }
}

#[tokio::test]
async fn every_code_at_every_place_has_one_meaning() {
    for place in ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."] {
        for code in CODES {
            let (world, trouble) = answered(place, *code).await;
            let entry = world.ledger.only();
            assert_eq!(entry.state, expected(place, *code), "{code} to {place}: {entry:?}");
            let taken = world.sink.messages().len();
            let accepted = entry.state == State::Accepted;
            assert_eq!(taken, usize::from(accepted), "{code} to {place}");
            if !accepted && entry.state != State::Rejected {
                let waits = entry.not_before > entry.created;
                assert!(trouble.is_some() || waits, "{code} to {place} leaves no trace");
            }
            if entry.state == State::Rejected {
                assert!(entry.recipients[0].reply.as_deref().unwrap().contains("said so"), "{code} to {place}");
            }
            assert_eq!(world.sink.flaws(), [""; 0], "{code} to {place}");
        }
    }
}

#[tokio::test]
async fn what_is_said_unasked_is_never_taken_for_an_answer() {
    for (place, extra) in [
        ("CONNECT", "220 hi\r\n220 again"),
        ("EHLO", "250 sink\r\n250 ok"),
        ("MAIL", "250 ok\r\n250 ok"),
        ("RCPT", "250 ok\r\n250 ok"),
        ("RCPT", "250 ok\r\n354 go\r\n250 taken"),
        ("DATA", "354 go\r\n250 taken"),
        ("DATA", "354 go\r\n354 go"),
    ] {
        let world = World::new(Sink::with_rule(move |command| command.starts_with(place).then(|| extra.to_owned())));
        world.outbox.send_composed(&composed(&draft()), &SendOptions::default()).await.unwrap();
        let report = world.outbox.pass().await.unwrap();
        assert_eq!(report.trouble.map(|e| e.code()), Some(Code::ServerProtocol), "{extra:?} to {place}");
        assert_eq!(
            (world.ledger.only().state, world.sink.messages().len()),
            (State::Queued, 0),
            "{extra:?} to {place}"
        );
    }
}

#[tokio::test]
async fn a_server_that_refuses_before_the_end_is_heard() {
    let early = |command: &str| command.starts_with("DATA").then(|| "354 go\r\n552 5.3.4 too large".to_owned());
    let world = World::new(Sink::with_rule(early));
    world.outbox.send_composed(&composed(&draft()), &SendOptions::default()).await.unwrap();
    world.outbox.pass().await.unwrap();
    let entry = world.ledger.only();
    assert_eq!((entry.state, world.sink.messages().len()), (State::Rejected, 0));
    assert_eq!(entry.recipients[0].reply.as_deref(), Some("552 5.3.4 too large"));
}

#[tokio::test]
async fn a_server_that_reads_no_further_is_heard() {
    for (code, state) in [(552, State::Rejected), (452, State::Queued), (250, State::Queued)] {
        let rule = move |command: &str| (command == "ENOUGH").then(|| format!("{code} 5.3.4 enough"));
        let world = World::new(Sink { reads: Some(100_000), ..Sink::with_rule(rule) });
        let large = draft().attach(crate::message::DraftAttachment::bytes("a.bin", vec![7; 700_000]));
        world.outbox.send_composed(&composed(&large), &SendOptions::default()).await.unwrap();
        world.outbox.pass().await.unwrap();
        let entry = world.ledger.only();
        assert_eq!((entry.state, world.sink.messages().len()), (state, 0), "{code}: {entry:?}");
        let reply = entry.recipients[0].reply.as_deref().unwrap_or_default();
        assert_eq!(reply.contains("enough"), code != 250, "{code}: {entry:?}");
    }
}
