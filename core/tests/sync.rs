//! The synchronisation against a real Dovecot: both sides are changed, brought in step, and read through imaplib.
//!
//! Without Dovecot (`tests/servers/setup`) these tests say so and pass: `tests/servers` is what requires it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "sync/cut.rs"]
mod cut;
#[path = "sync/large.rs"]
mod large;
#[path = "sync/world.rs"]
mod world;

use mailtide::imap::{Flag, UidSet};
use mailtide::journal::{Reason, State};
use mailtide::store::{Flags, IntentId, MailboxState, change};
use mailtide::sync::{parked, paused};
use mailtide::{AppendOptions, AppendSource, FlagChange, WriteOptions};
use world::{Device, Server, mail};

fn set(text: &str) -> UidSet {
    text.parse().unwrap()
}

fn delta(add: &[Flag], remove: &[Flag]) -> change::FlagDelta {
    change::FlagDelta { add: add.iter().collect(), remove: remove.iter().collect() }
}

/// Both sides hold the same: every message, its flags and its bytes.
async fn assert_in_step(server: &Server, device: &Device) {
    assert_eq!(device.contents().await, server.contents(&device.user));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_sync_brings_everything_and_a_second_one_asks_nothing() {
    let Some(server) = Server::start() else { return };
    let live = server.session("first", &[]).await;
    let inbox = live.mailbox("INBOX").unwrap();
    for n in 1..=300 {
        let flags = if n % 3 == 0 { vec![Flag::SEEN, Flag::parse("$Label1").unwrap()] } else { vec![] };
        inbox
            .append(AppendSource::Bytes(mail(n).into()), AppendOptions { flags, ..AppendOptions::default() })
            .await
            .unwrap();
    }
    let device = Device::new(&server, "first", &[]).await;
    let report = device.sync().await;
    assert_eq!((report.total.added, report.total.bodies, report.problems.len()), (300, 300, 0));
    assert_in_step(&server, &device).await;

    let before = device.session.engine().stats().commands;
    let again = device.sync().await;
    assert_eq!((again.total.asked, again.total.added, again.total.flags, again.work.len()), (0, 0, 0, 0));
    assert!(device.session.engine().stats().commands - before <= 2, "ENABLE and one LIST");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_and_what_went_is_told_by_one_answer() {
    let Some(server) = Server::start() else { return };
    let live = server.session("told", &[]).await;
    let inbox = live.mailbox("INBOX").unwrap();
    let add = async |n: u32| inbox.append(AppendSource::Bytes(mail(n).into()), AppendOptions::default()).await.unwrap();
    let flag = async |uid: u32, flag: Flag| {
        let change = FlagChange { add: vec![flag], ..FlagChange::default() };
        inbox.flag(uid, change, WriteOptions::default()).await.unwrap();
    };
    for n in 1..=20 {
        add(n).await;
    }
    let device = Device::new(&server, "told", &[]).await;
    // What Dovecot numbers from here on, it tells.
    device.sync().await;
    flag(1, Flag::SEEN).await;
    device.sync().await;

    for n in 21..=25 {
        add(n).await;
    }
    flag(2, Flag::FLAGGED).await;
    inbox.expunge(set("3"), WriteOptions::default()).await.unwrap();
    let report = device.sync().await;
    let total = report.total;
    assert_eq!((total.asked, total.added, total.flags, total.removed), (1, 5, 1, 1));
    assert_in_step(&server, &device).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_both_sides_meet_whatever_the_server_can_do() {
    let hidden: [&'static [&'static str]; 4] = [
        &[],
        &["QRESYNC"],
        &["QRESYNC", "CONDSTORE", "MOVE"],
        &["QRESYNC", "CONDSTORE", "MOVE", "ESEARCH", "LIST-STATUS"],
    ];
    let Some(server) = Server::start() else { return };
    for (n, hidden) in hidden.into_iter().enumerate() {
        let user = format!("both{n}");
        let live = server.session(&user, &[]).await;
        let inbox = live.mailbox("INBOX").unwrap();
        for n in 1..=12 {
            inbox.append(AppendSource::Bytes(mail(n).into()), AppendOptions::default()).await.unwrap();
        }
        let device = Device::new(&server, &user, hidden).await;
        device.sync().await;

        // Here: flags, a move, a copy, a deletion, a new message, a new mailbox with a message moved into it.
        let (inbox_id, archive) = (device.id("INBOX").await, device.id("Archive").await);
        device.local(move |w, now| change::flag(w, inbox_id, &set("1:2"), &delta(&[Flag::SEEN], &[]), now)).await;
        device.local(move |w, now| change::move_to(w, inbox_id, &set("3"), archive, now)).await;
        device.local(move |w, now| change::copy(w, inbox_id, &set("4"), archive, now)).await;
        device.local(move |w, now| change::expunge(w, inbox_id, &set("5"), now)).await;
        device.append("Archive", mail(100), Flags::new()).await;
        let projects = device.local(|w, now| change::create(w, "Projekte/Übersicht", (Some('/'), None), now)).await;
        device.local(move |w, now| change::move_to(w, inbox_id, &set("6"), projects, now)).await;
        // There: flags (one the same as here), a deletion, new mail.
        inbox.flag(set("2,7"), flagged(), WriteOptions::default()).await.unwrap();
        inbox.expunge(set("8"), WriteOptions::default()).await.unwrap();
        inbox.append(AppendSource::Bytes(mail(200).into()), AppendOptions::default()).await.unwrap();

        device.sync().await;
        let last = device.sync().await;
        assert_eq!(
            (last.total.added, last.total.removed, last.total.flags, last.problems.len()),
            (0, 0, 0, 0),
            "{hidden:?}"
        );
        assert!(device.pending().await.is_empty(), "{hidden:?}: {:?}", device.pending().await);
        assert_in_step(&server, &device).await;
        let all = server.contents(&user);
        let count = |mailbox: &str| all[mailbox].len();
        assert_eq!((count("INBOX"), count("Archive"), count("Projekte/Übersicht")), (9, 3, 1), "{hidden:?}");
    }
}

fn flagged() -> FlagChange {
    FlagChange { add: vec![Flag::FLAGGED], ..FlagChange::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_uidplus_nothing_of_others_is_expunged() {
    let Some(server) = Server::start() else { return };
    let live = server.session("plain", &[]).await;
    let inbox = live.mailbox("INBOX").unwrap();
    for n in 1..=4 {
        inbox.append(AppendSource::Bytes(mail(n).into()), AppendOptions::default()).await.unwrap();
    }
    let device = Device::new(&server, "plain", &["UIDPLUS", "MOVE"]).await;
    device.sync().await;
    let deleted = FlagChange { add: vec![Flag::DELETED], ..FlagChange::default() };
    inbox.flag(set("4"), deleted, WriteOptions::default()).await.unwrap();
    let id = device.id("INBOX").await;
    device.local(move |w, now| change::expunge(w, id, &set("1"), now)).await;
    let report = device.sync().await;
    assert_eq!(report.total.applied, 1);
    device.sync().await;
    let all = server.contents("plain");
    let flags: Vec<_> = all["INBOX"].values().map(|message| message.flags.clone()).collect();
    assert_eq!(flags, ["\\Deleted", "", "", "\\Deleted"], "marked, as its owner has left it, and not expunged");
    assert_in_step(&server, &device).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_uidvalidity_loses_nothing() {
    let Some(server) = Server::start() else { return };
    let live = server.session("reset", &[]).await;
    live.create_mailbox("Box", mailtide::CreateOptions::default()).await.unwrap();
    let put = async |numbers: &[u32]| {
        for n in numbers {
            live.mailbox("Box").unwrap().append(AppendSource::Bytes(mail(*n).into()), world::dated(*n)).await.unwrap();
        }
    };
    put(&[1, 2, 3]).await;
    let device = Device::new(&server, "reset", &[]).await;
    device.sync().await;
    let id = device.id("Box").await;
    let before = device.uids("Box").await;
    // A change that waits while the mailbox is made anew, with the same messages in another order and one more.
    device.local(move |w, now| change::flag(w, id, &set("2"), &delta(&[Flag::FLAGGED], &[]), now)).await;
    live.delete_mailbox("Box", true).await.unwrap();
    live.create_mailbox("Box", mailtide::CreateOptions::default()).await.unwrap();
    put(&[3, 2, 4]).await;
    device.sync().await;
    device.sync().await;
    assert_in_step(&server, &device).await;
    let after = device.uids("Box").await;
    assert_eq!(before.intersection(&after).to_string(), "2:3", "those found again keep their UIDs");
    assert_eq!(after.to_string(), "2:4");
    assert!(device.pending().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mass_disappearance_pauses_and_a_word_of_the_user_ends_it() {
    let Some(server) = Server::start() else { return };
    let live = server.session("mass", &[]).await;
    let inbox = live.mailbox("INBOX").unwrap();
    for n in 1..=30 {
        inbox.append(AppendSource::Bytes(mail(n).into()), AppendOptions::default()).await.unwrap();
    }
    let device = Device::new(&server, "mass", &[]).await;
    device.sync().await;
    inbox.expunge(set("1:25"), WriteOptions::default()).await.unwrap();
    let id = device.id("INBOX").await;
    for _ in 0..3 {
        let report = device.sync().await;
        assert!(report.paused[0].mailbox == "INBOX" && report.total.removed == 0);
        assert!(report.paused[0].reason.starts_with("25 of 30 messages are missing"), "{:?}", report.paused);
    }
    assert_eq!(device.state("INBOX").await, MailboxState::Paused);
    assert_eq!(device.uids("INBOX").await.len(), 30);
    device.local(move |w, now| paused::confirm(w, id, now)).await;
    let report = device.sync().await;
    assert!(report.paused.is_empty() && report.mailboxes["INBOX"].removed == 25, "{report:?}");
    assert_eq!(device.state("INBOX").await, MailboxState::Ready);
    assert_in_step(&server, &device).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_parked_with_its_reason_and_the_rest_goes_on() {
    let Some(server) = Server::start() else { return };
    let live = server.session("parked", &[]).await;
    let inbox = live.mailbox("INBOX").unwrap();
    inbox.append(AppendSource::Bytes(mail(1).into()), AppendOptions::default()).await.unwrap();
    live.create_mailbox("Box", mailtide::CreateOptions::default()).await.unwrap();
    let device = Device::new(&server, "parked", &[]).await;
    device.sync().await;
    let (id, archive) = (device.id("Box").await, device.id("Archive").await);
    device.local(move |w, now| change::delete(w, id, now)).await;
    live.mailbox("Box").unwrap().append(AppendSource::Bytes(mail(2).into()), AppendOptions::default()).await.unwrap();
    let inbox_id = device.id("INBOX").await;
    device.local(move |w, now| change::move_to(w, inbox_id, &set("1"), archive, now)).await;
    let report = device.sync().await;
    assert_eq!((report.total.parked, report.total.applied), (1, 1));
    assert_eq!((report.mailboxes["Box"].parked, report.mailboxes["INBOX"].applied), (1, 1));
    assert_eq!(report.stuck[0].reason(), Some("mailbox_changed"));
    let pending = device.pending().await;
    assert!(matches!(pending[0].state, State::Parked { reason: Reason::MailboxChanged, .. }), "{:?}", pending[0]);
    assert_eq!(server.contents("parked")["Box"].len(), 1, "what was never seen here is still there");
    // Dropped, the mailbox comes back as the server has it.
    let id = pending[0].id;
    device.local(move |w, now| parked::give_up(w, IntentId(id), now)).await;
    device.sync().await;
    assert!(device.pending().await.is_empty());
    assert_in_step(&server, &device).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_change_is_taken_back_here_with_all_that_depends_on_it() {
    let Some(server) = Server::start() else { return };
    let live = server.session("dropped", &[]).await;
    live.create_mailbox("Gone", mailtide::CreateOptions::default()).await.unwrap();
    for n in 1..=2 {
        live.mailbox("INBOX").unwrap().append(AppendSource::Bytes(mail(n).into()), world::dated(n)).await.unwrap();
    }
    let device = Device::new(&server, "dropped", &[]).await;
    device.sync().await;
    let (inbox, gone) = (device.id("INBOX").await, device.id("Gone").await);
    live.delete_mailbox("Gone", true).await.unwrap();
    device.local(move |w, now| change::move_to(w, inbox, &set("1"), gone, now)).await;
    device.local(move |w, now| change::flag(w, gone, &set("1"), &delta(&[Flag::SEEN], &[]), now)).await;
    device.sync().await;
    let pending = device.pending().await;
    assert!(matches!(pending[0].state, State::Parked { reason: Reason::MailboxMissing, .. }), "{:?}", pending[0]);
    assert_eq!(pending[1].state, State::Waiting, "it waits behind the other");
    // Tried again, it is parked again.
    let id = IntentId(pending[0].id);
    device.local(move |w, now| parked::retry(w, id, now)).await;
    assert_eq!(device.sync().await.total.parked, 1);
    let dropped = device.local(move |w, now| parked::give_up(w, id, now)).await;
    assert_eq!(dropped.len(), 2);
    device.sync().await;
    assert!(device.pending().await.is_empty());
    assert_in_step(&server, &device).await;
    assert_eq!(server.contents("dropped")["INBOX"].len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_changes_nothing_and_says_what_would_be() {
    let Some(server) = Server::start() else { return };
    let live = server.session("dry", &[]).await;
    live.mailbox("INBOX").unwrap().append(AppendSource::Bytes(mail(1).into()), AppendOptions::default()).await.unwrap();
    let device = Device::new(&server, "dry", &[]).await;
    let report = device.sync_with(|options| options.dry_run = true).await;
    let shown: Vec<String> = report.work.iter().map(ToString::to_string).collect();
    assert!(shown.contains(&"\"INBOX\": new on the server".to_owned()), "{shown:?}");
    assert!(device.contents().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_come_and_go_whole_and_a_days_budget_is_kept() {
    let Some(server) = Server::start() else { return };
    let live = server.session("large", &[]).await;
    let inbox = live.mailbox("INBOX").unwrap();
    let large = |n: u32, lines: usize| [mail(n), b"0123456789abcdef\r\n".repeat(lines)].concat();
    for (n, lines) in [(1, 600_000), (2, 10), (3, 233_017)] {
        inbox.append(AppendSource::Bytes(large(n, lines).into()), world::dated(n)).await.unwrap();
    }
    let device = Device::new(&server, "large", &[]).await;
    let first = device.sync_with(|options| options.bytes_a_day = Some(5_000_000)).await;
    assert_eq!((first.total.added, first.total.bodies), (3, 2), "the newest two fit the budget");
    let second = device.sync_with(|options| options.bytes_a_day = Some(5_000_000)).await;
    assert_eq!(second.total.bodies, 0);
    device.append("INBOX", large(4, 400_000), Flags::new()).await;
    let third = device.sync().await;
    assert_eq!((third.total.bodies, third.total.applied), (1, 1));
    assert_in_step(&server, &device).await;
}

/// The connection is cut after so many bytes of a pass that sends changes of every kind; nothing is lost or doubled.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cut_anywhere_loses_nothing_and_doubles_nothing() {
    let Some(server) = Server::start() else { return };
    let cuts: u64 = std::env::var("MAILTIDE_CUTS").ok().and_then(|n| n.parse().ok()).unwrap_or(5);
    for (way, hidden) in [(cut::Way::FromServer, &[][..]), (cut::Way::ToServer, &[]), (cut::Way::FromServer, &["MOVE"])]
    {
        let whole = cut_once(&server, &format!("whole-{way:?}-{}", hidden.len()), hidden, (way, u64::MAX)).await;
        for n in 0..cuts {
            let at = whole * n / cuts + n % 7;
            cut_once(&server, &format!("cut-{way:?}-{}-{n}", hidden.len()), hidden, (way, at)).await;
        }
    }
}

/// How many bytes went that way.
async fn cut_once(server: &Server, user: &str, hidden: &[&'static str], (way, at): (cut::Way, u64)) -> u64 {
    let live = server.session(user, &[]).await;
    for n in 1..=5 {
        let source = AppendSource::Bytes(mail(n).into());
        live.mailbox("INBOX").unwrap().append(source, world::dated(n)).await.unwrap();
    }
    let mut device = Device::new(server, user, hidden).await;
    device.sync().await;
    let (inbox, archive) = (device.id("INBOX").await, device.id("Archive").await);
    device.local(move |w, now| change::flag(w, inbox, &set("1"), &delta(&[Flag::SEEN], &[]), now)).await;
    device.local(move |w, now| change::move_to(w, inbox, &set("2:3"), archive, now)).await;
    device.local(move |w, now| change::copy(w, inbox, &set("4"), archive, now)).await;
    device.local(move |w, now| change::expunge(w, inbox, &set("5"), now)).await;
    device.append("Archive", mail(100), Flags::new()).await;
    device.append("INBOX", mail(101), Flags::new()).await;
    let made = device.local(|w, now| change::create(w, "Made", (Some('/'), None), now)).await;
    device.local(move |w, now| change::move_to(w, inbox, &set("1"), made, now)).await;

    let proxy = cut::Proxy::start(server.port).await;
    device.session = server.session_at(proxy.port, user, hidden).await;
    proxy.cut(way, at);
    let result = device.try_sync().await;
    assert_eq!(result.is_ok(), at == u64::MAX, "{user} at {at}: {result:?}");
    let went = proxy.went(way);
    device.session = server.session(user, hidden).await;
    for _ in 0..4 {
        // Whatever the server may still have been working on is done after this time.
        device.later(60);
        device.sync().await;
    }
    assert!(device.pending().await.is_empty(), "{user} at {at}: {:#?}", device.pending().await);
    assert_in_step(server, &device).await;
    let all = server.contents(user);
    let names = |mailbox: &str| all[mailbox].iter().map(|(name, m)| format!("{name}x{}", m.count)).collect::<Vec<_>>();
    assert_eq!(names("INBOX"), ["0004x1", "0101x1"], "{user} at {at}");
    assert_eq!(names("Archive"), ["0002x1", "0003x1", "0004x1", "0100x1"], "{user} at {at}");
    assert_eq!(names("Made"), ["0001x1"], "{user} at {at}");
    assert_eq!(all["Made"]["0001"].flags, "\\Seen", "{user} at {at}");
    went
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_changes_cost_a_few_commands() {
    let Some(server) = Server::start() else { return };
    let live = server.session("many", &[]).await;
    for n in 1..=1000 {
        live.mailbox("INBOX").unwrap().append(AppendSource::Bytes(mail(n).into()), world::dated(n)).await.unwrap();
    }
    let device = Device::new(&server, "many", &[]).await;
    device.sync().await;
    let (inbox, archive) = (device.id("INBOX").await, device.id("Archive").await);
    device.local(move |w, now| change::flag(w, inbox, &set("1:1000"), &delta(&[Flag::SEEN], &[]), now)).await;
    device.local(move |w, now| change::move_to(w, inbox, &set("501:1000"), archive, now)).await;
    let before = device.session.engine().stats().commands;
    let report = device.sync().await;
    assert_eq!(report.total.applied, 1500);
    let commands = device.session.engine().stats().commands - before;
    assert!(commands < 20, "{commands} commands");
    assert_in_step(&server, &device).await;
}
