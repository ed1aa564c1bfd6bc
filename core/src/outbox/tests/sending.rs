//! Recipients one by one, schedules, taking back, what a server offers, and the copy in Sent.

use super::super::{Decision, Outbox, RecipientState as R, SendOptions, SmtpAccount, State};
use super::sink::{SILENCE, Sink, USUAL};
use super::support::{World, composed, draft};
use crate::error::Code;
use crate::message::{Draft, DraftAttachment, EmailAddress};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

async fn sent(sink: Sink, draft: &Draft) -> World {
    let world = World::new(sink);
    world.outbox.send_composed(&composed(draft), &SendOptions::default()).await.unwrap();
    world.outbox.pass().await.unwrap();
    world
}

fn states(world: &World) -> Vec<R> {
    world.ledger.only().recipients.iter().map(|r| r.state).collect()
}

fn mails(world: &World) -> Vec<String> {
    world.sink.commands().into_iter().filter(|c| c.starts_with("MAIL")).collect()
}

#[tokio::test]
async fn each_recipient_is_answered_for() {
    let busy = Arc::new(AtomicBool::new(true));
    let is_busy = Arc::clone(&busy);
    let rule = move |command: &str| {
        if command.contains("<bad@") {
            Some("550 5.1.1 no such user".to_owned())
        } else if command.contains("<busy@") && is_busy.load(Ordering::SeqCst) {
            Some("450 4.2.0 greylisted".to_owned())
        } else {
            None
        }
    };
    let four = draft().to("bad@x.org, busy@x.org").unwrap().bcc("secret@x.org").unwrap();
    let world = sent(Sink::with_rule(rule), &four).await;
    assert_eq!(states(&world), [R::Accepted, R::Rejected, R::Waiting, R::Accepted]);
    let entry = world.ledger.only();
    assert_eq!((entry.state, entry.attempts), (State::Queued, 1));
    assert_eq!(entry.recipients[1].reply.as_deref(), Some("550 5.1.1 no such user"));
    assert_eq!(world.sink.messages()[0].recipients, ["grace@example.org", "secret@x.org"]);
    assert!(!String::from_utf8_lossy(&world.sink.messages()[0].bytes).contains("secret"));
    // The next one goes to nobody but the one that was put off.
    busy.store(false, Ordering::SeqCst);
    world.settle(&world.outbox).await;
    assert_eq!(world.ledger.only().state, State::Accepted);
    assert_eq!(world.sink.messages().len(), 2);
    assert_eq!(world.sink.messages()[1].recipients, ["busy@x.org"]);
    assert_eq!(world.sink.messages()[0].bytes, world.sink.messages()[1].bytes);
    assert_eq!(world.sent.copies.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn hundreds_of_recipients_go_with_and_without_pipelining() {
    let many: Vec<String> = (0..350).map(|n| format!("r{n}@x.org")).collect();
    let many = draft().bcc(&many.join(", ")).unwrap();
    for capabilities in [USUAL, &["8BITMIME"]] {
        let odd =
            |command: &str| (command.starts_with("RCPT") && command.ends_with("7@x.org>")).then(|| "550 no".to_owned());
        let world = sent(Sink { capabilities, ..Sink::with_rule(odd) }, &many).await;
        assert_eq!(world.sink.messages()[0].recipients.len(), 351 - 35);
        assert_eq!(states(&world).iter().filter(|s| **s == R::Rejected).count(), 35);
        assert_eq!(world.sink.flaws(), [""; 0]);
    }
}

#[tokio::test]
async fn nobody_left_means_that_nothing_is_sent_and_the_connection_goes_on() {
    let rule = |command: &str| command.contains("<bad@").then(|| "550 no".to_owned());
    let world = World::new(Sink::with_rule(rule));
    let bad = Draft { to: Vec::new(), ..draft() }.to("bad@x.org").unwrap();
    world
        .outbox
        .send_composed(&composed(&bad), &SendOptions { key: Some("1".into()), ..SendOptions::default() })
        .await
        .unwrap();
    world
        .outbox
        .send_composed(&composed(&draft()), &SendOptions { key: Some("2".into()), ..SendOptions::default() })
        .await
        .unwrap();
    world.outbox.pass().await.unwrap();
    let states: Vec<State> = world.ledger.all().iter().map(|e| e.state).collect();
    assert_eq!(states, [State::Rejected, State::Accepted]);
    assert_eq!(world.sink.connections.load(Ordering::SeqCst), 1);
    assert!(world.sink.commands().contains(&"RSET".to_owned()));
}

#[tokio::test]
async fn what_the_server_offers_is_made_use_of_and_nothing_else() {
    let plain = draft();
    let size = composed(&plain).raw.len();
    for (capabilities, expected) in [
        (USUAL, format!("MAIL FROM:<ada@example.org> SIZE={size}")),
        (&[][..], "MAIL FROM:<ada@example.org>".to_owned()),
    ] {
        let world = sent(Sink { capabilities, ..Sink::default() }, &plain).await;
        assert_eq!(mails(&world), [expected]);
    }
    let utf8 = draft().cc("用户@例子.广告").unwrap();
    let world = sent(Sink::default(), &utf8).await;
    assert!(mails(&world)[0].ends_with("BODY=8BITMIME SMTPUTF8"), "{:?}", mails(&world));
    assert_eq!(world.sink.messages()[0].recipients[1], "用户@xn--fsqu00a.xn--4rr70v");
    // An address in ASCII needs none of it, however international its domain is.
    let idn = draft().cc("j@bücher.example").unwrap();
    let world = sent(Sink { capabilities: &[], ..Sink::default() }, &idn).await;
    assert_eq!(world.sink.messages()[0].recipients[1], "j@xn--bcher-kva.example");
}

#[tokio::test]
async fn what_the_server_cannot_take_is_refused_beforehand() {
    let eml = DraftAttachment::bytes("a.eml", "Subject: ü\r\n\r\nü\r\n".as_bytes().to_vec()).of_type("message/rfc822");
    let cases = [
        (&["SIZE 100"][..], draft(), "takes 100"),
        (&["SMTPUTF8"], draft().attach(eml), "lacks 8BITMIME"),
        (&["8BITMIME"], draft().cc("用户@x.org").unwrap(), "lacks SMTPUTF8"),
    ];
    for (capabilities, draft, why) in cases {
        let world = sent(Sink { capabilities, ..Sink::default() }, &draft).await;
        let entry = world.ledger.only();
        assert_eq!(entry.state, State::Rejected);
        assert!(entry.recipients[0].reply.as_deref().unwrap().contains(why), "{entry:?}");
        assert_eq!(mails(&world), [""; 0]);
    }
    // In the envelope alone it costs those who have such an address.
    let blind = draft().bcc("用户@x.org").unwrap();
    let world = sent(Sink { capabilities: &["8BITMIME"], ..Sink::default() }, &blind).await;
    assert_eq!(states(&world), [R::Accepted, R::Rejected]);
}

#[tokio::test]
async fn a_message_waits_for_its_time_and_for_a_network() {
    let world = World::new(Sink::default());
    let at = world.clock.0.load(Ordering::SeqCst) + 3600;
    let options = SendOptions { send_at: Some(at), ..SendOptions::default() };
    world.outbox.send_composed(&composed(&draft()), &options).await.unwrap();
    assert_eq!(world.outbox.pass().await.unwrap().next, Some(at));
    assert_eq!(world.sink.connections.load(Ordering::SeqCst), 0);
    world.clock.advance(3600);
    *world.sink.offline.lock().unwrap() = true;
    let report = world.outbox.pass().await.unwrap();
    assert_eq!(report.trouble.map(|e| e.code()), Some(Code::NetConnect));
    // A network that is not there is no attempt.
    assert_eq!((world.ledger.only().attempts, report.next), (0, Some(at + 30)));
    *world.sink.offline.lock().unwrap() = false;
    world.outbox.pass().await.unwrap();
    assert_eq!(world.ledger.only().state, State::Accepted);
    assert_eq!(world.outbox.pass().await.unwrap().next, None);
}

#[tokio::test]
async fn a_clock_that_was_ahead_does_not_hold_a_message_back_and_a_schedule_does() {
    // Found by the simulation: queued while the clock was years ahead, a message waited for that day.
    let world = World::new(Sink::default());
    let (year, now) = (365 * 86_400, world.clock.0.load(Ordering::SeqCst));
    world.clock.advance(year);
    world.outbox.send_composed(&composed(&draft()), &SendOptions::default()).await.unwrap();
    let wanted = SendOptions { send_at: Some(now + 2 * year), key: Some("2".to_owned()), ..SendOptions::default() };
    world.outbox.send_composed(&composed(&draft()), &wanted).await.unwrap();
    world.clock.advance(-year);
    world.outbox.pass().await.unwrap();
    let states: Vec<State> = world.ledger.all().iter().map(|entry| entry.state).collect();
    assert_eq!(states, [State::Accepted, State::Queued]);
}

#[tokio::test]
async fn what_is_queued_can_be_taken_back_and_what_is_sent_cannot() {
    let world = World::new(Sink::default());
    let queued = world.outbox.send_composed(&composed(&draft()), &SendOptions::default()).await.unwrap();
    assert_eq!(world.outbox.cancel(queued.id).await.unwrap().state, State::Cancelled);
    world.outbox.pass().await.unwrap();
    assert_eq!(world.sink.connections.load(Ordering::SeqCst), 0);
    assert_eq!(world.outbox.cancel(queued.id).await.map_err(|e| e.code()), Err(Code::UsageArgument));
    assert_eq!(world.outbox.decide(queued.id, Decision::Resend).await.map_err(|e| e.code()), Err(Code::UsageArgument));
    assert_eq!(world.outbox.cancel(99).await.map_err(|e| e.code()), Err(Code::UsageArgument));
}

#[tokio::test]
async fn the_same_key_is_the_same_message() {
    let world = World::new(Sink::default());
    for _ in 0..2 {
        world.outbox.send_composed(&composed(&draft()), &SendOptions::default()).await.unwrap();
    }
    world.settle(&world.outbox).await;
    assert_eq!((world.ledger.all().len(), world.sink.messages().len()), (1, 1));
}

#[tokio::test]
async fn one_message_that_breaks_connections_does_not_keep_the_others_back() {
    let rule = |command: &str| command.contains("<kills@").then(|| "421 4.3.0 oops".to_owned());
    let world = World::new(Sink::with_rule(rule));
    let kills = draft().to("kills@x.org").unwrap();
    world
        .outbox
        .send_composed(&composed(&kills), &SendOptions { key: Some("1".into()), ..SendOptions::default() })
        .await
        .unwrap();
    world
        .outbox
        .send_composed(&composed(&draft()), &SendOptions { key: Some("2".into()), ..SendOptions::default() })
        .await
        .unwrap();
    world.outbox.pass().await.unwrap();
    let states: Vec<State> = world.ledger.all().iter().map(|e| e.state).collect();
    assert_eq!(states, [State::Queued, State::Accepted]);
}

#[tokio::test]
async fn a_file_is_attached_as_it_is_when_the_message_is_queued() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.bin");
    std::fs::write(&path, [0, 1, 2, 255]).unwrap();
    let world = World::new(Sink::default());
    let with_file = draft().attach(DraftAttachment::file(&path));
    world.outbox.send(&with_file, &SendOptions::default()).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    world.outbox.pass().await.unwrap();
    let parsed = crate::message::ParsedMessage::parse(world.sink.messages()[0].bytes.clone());
    assert_eq!(parsed.content(&parsed.attachments()[0]), [0, 1, 2, 255]);
    assert_eq!(world.outbox.send(&with_file, &SendOptions::default()).await.map_err(|e| e.code()), Err(Code::FileIo));
}

#[tokio::test]
async fn a_draft_that_does_not_say_who_writes_is_the_accounts() {
    let anonymous = Draft { from: None, ..draft() };
    let world = World::new(Sink::default());
    assert_eq!(
        world.outbox.send(&anonymous, &SendOptions::default()).await.map_err(|e| e.code()),
        Err(Code::UsageAddress)
    );
    let account = SmtpAccount::from_url("smtps://ada%40example.org@smtp.example.org").unwrap();
    let outbox = Outbox::new(world.ledger.clone(), account, None);
    assert_eq!(outbox.send(&anonymous, &SendOptions::default()).await.unwrap().sender, "ada@example.org");
    let other = EmailAddress { name: Some("Ada".into()), email: "lovelace@example.org".into(), group: None };
    let entry = outbox.with_sender(other).send(&anonymous, &SendOptions::default()).await.unwrap();
    assert_eq!(entry.sender, "lovelace@example.org");
}

#[tokio::test]
async fn the_copy_is_filed_once_whoever_files_it() {
    // The server files it after a while.
    let world = World::at("smtp.gmail.com", Sink::default());
    world.outbox.send_composed(&composed(&draft()), &SendOptions::default()).await.unwrap();
    world.outbox.pass().await.unwrap();
    let entry = world.ledger.only();
    assert_eq!((entry.state, world.sent.count(&entry.message_id)), (State::Accepted, 0));
    assert!(!entry.is_finished());
    *world.sent.filed_by.lock().unwrap() = Some(Arc::clone(&world.sink));
    world.settle(&world.outbox).await;
    assert!(world.ledger.only().is_finished() && world.sent.copies.lock().unwrap().is_empty());
    // It said it would, and did not: after a minute we do.
    let world = World::at("smtp.gmail.com", Sink::default());
    world.outbox.send_composed(&composed(&draft()), &SendOptions::default()).await.unwrap();
    world.settle(&world.outbox).await;
    assert_eq!(world.sent.copies.lock().unwrap().len(), 1);
    assert!(world.sent.looks.load(Ordering::SeqCst) >= 6);
    // Nobody wants one.
    let world = World::new(Sink::default());
    world
        .outbox
        .send_composed(&composed(&draft()), &SendOptions { no_copy: true, ..SendOptions::default() })
        .await
        .unwrap();
    world.settle(&world.outbox).await;
    assert!(world.sent.copies.lock().unwrap().is_empty() && world.ledger.only().is_finished());
}

#[tokio::test]
async fn a_mailbox_that_cannot_be_reached_says_nothing_about_what_is_in_it() {
    let world = World::new(Sink { writes: Some(170), ..Sink::default() });
    world.outbox.send_composed(&composed(&draft()), &SendOptions::default()).await.unwrap();
    *world.sent.offline.lock().unwrap() = true;
    world.outbox.pass().await.unwrap();
    for _ in 0..60 {
        world.clock.advance(60);
        let report = world.outbox.pass().await.unwrap();
        assert!(report.trouble.is_some() && report.next.is_some());
    }
    assert_eq!(world.ledger.only().state, State::Uncertain);
    assert!(!world.ledger.only().needs_decision());
    *world.sent.offline.lock().unwrap() = false;
    *world.sent.filed_by.lock().unwrap() = Some(Arc::clone(&world.sink));
    world.settle(&world.outbox).await;
    assert!(world.ledger.only().is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_falls_silent_is_given_up_in_time() {
    for (place, state, least, most) in [
        ("CONNECT", State::Queued, 30, 60),
        ("EHLO", State::Queued, 60, 120),
        ("MAIL", State::Queued, 300, 400),
        ("RCPT", State::Queued, 300, 400),
        ("DATA", State::Queued, 300, 400),
        // RFC 1047: whoever waits less than ten minutes makes duplicates.
        (".", State::Uncertain, 600, 700),
    ] {
        let rule = move |command: &str| {
            let is_it = if place == "." { command == "." } else { command.starts_with(place) };
            is_it.then(|| SILENCE.to_owned())
        };
        let began = tokio::time::Instant::now();
        let world = sent(Sink::with_rule(rule), &draft()).await;
        let took = began.elapsed().as_secs();
        assert!((least..most).contains(&took), "{place}: {took} s");
        assert_eq!(
            (world.ledger.only().state, world.sink.messages().len()),
            (state, usize::from(place == ".")),
            "{place}"
        );
    }
}

#[tokio::test]
async fn a_mailbox_that_cannot_be_reached_keeps_no_message_back() {
    let world = World::new(Sink::default());
    *world.sent.offline.lock().unwrap() = true;
    for key in ["1", "2", "3"] {
        let options = SendOptions { key: Some(key.into()), ..SendOptions::default() };
        world.outbox.send_composed(&composed(&draft()), &options).await.unwrap();
    }
    world.outbox.pass().await.unwrap();
    assert_eq!(world.sink.messages().len(), 3);
}

#[tokio::test]
async fn a_message_that_cannot_be_read_keeps_no_other_back() {
    let world = World::new(Sink::default());
    for key in ["1", "2"] {
        let options = SendOptions { key: Some(key.into()), ..SendOptions::default() };
        world.outbox.send_composed(&composed(&draft()), &options).await.unwrap();
    }
    *world.ledger.damaged.lock().unwrap() = Some(1);
    world.settle(&world.outbox).await;
    let states: Vec<State> = world.ledger.all().iter().map(|e| e.state).collect();
    assert_eq!(states, [State::Rejected, State::Accepted]);
    assert!(world.ledger.all()[0].reply.as_deref().unwrap().contains("store.damaged"));
}

#[tokio::test]
async fn what_somebody_has_to_mend_is_not_tried_by_itself() {
    let rule = |command: &str| command.starts_with("MAIL").then(|| "530 5.7.0 log in first".to_owned());
    let world = World::new(Sink::with_rule(rule));
    world.outbox.send_composed(&composed(&draft()), &SendOptions::default()).await.unwrap();
    let report = world.outbox.pass().await.unwrap();
    assert_eq!((report.trouble.map(|e| e.code()), report.next), (Some(Code::AuthMissing), None));
    assert_eq!(world.ledger.only().state, State::Queued);
}

#[tokio::test]
async fn an_envelope_that_cannot_be_sent_is_not_queued() {
    let world = World::new(Sink::default());
    let good = composed(&draft());
    for (sender, recipients) in [
        ("ada@example.org", &["grace@example.org>\r\nRCPT TO:<evil@x.org"][..]),
        ("ada@example.org> SIZE=1", &["grace@example.org"]),
        ("ada@example.org", &[]),
        ("ada", &["grace@example.org"]),
    ] {
        let recipients = recipients.iter().map(|r| (*r).to_owned()).collect();
        let bad = crate::message::Composed { sender: sender.to_owned(), recipients, ..good.clone() };
        let refused = world.outbox.send_composed(&bad, &SendOptions::default()).await;
        assert_eq!(refused.map_err(|e| e.code()).err(), Some(Code::UsageAddress), "{bad:?}");
    }
    assert!(world.ledger.all().is_empty());
}

#[tokio::test]
async fn a_server_that_goes_away_after_the_dot_costs_the_next_message_nothing() {
    let first = Arc::new(AtomicBool::new(true));
    let is_first = Arc::clone(&first);
    let rule = move |command: &str| {
        (command == "." && is_first.swap(false, Ordering::SeqCst)).then(|| "421 4.3.2 shutting down".to_owned())
    };
    let world = World::new(Sink::with_rule(rule));
    for key in ["1", "2"] {
        let options = SendOptions { key: Some(key.into()), ..SendOptions::default() };
        world.outbox.send_composed(&composed(&draft()), &options).await.unwrap();
    }
    world.outbox.pass().await.unwrap();
    let states: Vec<(State, u32)> = world.ledger.all().iter().map(|e| (e.state, e.attempts)).collect();
    assert_eq!(states, [(State::Queued, 1), (State::Accepted, 0)]);
}
