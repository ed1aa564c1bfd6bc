//! The local mailbox: by itself, and in step with a real Dovecot, whose mail is read through imaplib.
//!
//! Without Dovecot (`tests/servers/setup`) the tests that need one say so and pass: `tests/servers` is what requires it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[allow(dead_code)]
#[path = "sync/world.rs"]
mod world;

use mailtide::imap::quirk::Quirks;
use mailtide::imap::{Flag, Role, UidSet};
use mailtide::journal::State;
use mailtide::message::{Draft, ParsedMessage};
use mailtide::outbox::{self, SendOptions};
use mailtide::store::{Keep, KeepRule};
use mailtide::sync::SyncOptions;
use mailtide::{
    AppendOptions, AppendSource, Code, CreateOptions, Event, FetchOptions, FlagChange, FollowOptions, ListOptions,
    Mail, MailOptions, Message, Messages, Order, Parts, Query, Selection, Since, SmtpAccount, Target, Watch,
    WatchOptions, WriteOptions,
};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use world::{Server, mail};

const PATIENCE: Duration = Duration::from_secs(20);

async fn open(folder: &TempDir, options: MailOptions) -> Mail {
    Mail::open(file(folder), options).await.unwrap()
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("ada.mail")
}

fn of(server: &Server, user: &str) -> MailOptions {
    MailOptions { account: Some(server.account(user)), ..MailOptions::default() }
}

fn bytes(raw: impl Into<Vec<u8>>) -> AppendSource {
    AppendSource::Bytes(raw.into().into())
}

fn flagged(flag: Flag) -> FlagChange {
    FlagChange { add: vec![flag], ..FlagChange::default() }
}

fn query(text: &str) -> Query {
    Query::parse(text).unwrap()
}

async fn all(mut messages: Messages) -> Vec<Message> {
    let mut found = Vec::new();
    while let Some(batch) = messages.next_batch().await.unwrap() {
        found.extend(batch);
    }
    found
}

async fn subjects(messages: Messages) -> Vec<String> {
    all(messages).await.iter().map(|message| message.subject().unwrap()).collect()
}

async fn happened(changes: &mut Watch) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(change) = changes.at_hand().await.unwrap() {
        told.push(match change.event {
            Event::New(message) => format!("new {}", message.uid()),
            Event::Flags { reference, added, .. } => format!("flags {} {}", reference.uid, added[0]),
            Event::Removed(reference) => format!("removed {}", reference.uid),
            Event::MailboxAdded(name) => format!("mailbox {name}"),
            Event::Pending(_) => continue,
            other => format!("{other:?}"),
        });
    }
    told
}

const MOTH: &str = "From: \"Grace Hopper\" <grace@example.org>\r\nTo: ada@example.org\r\n\
    Subject: =?utf-8?q?Nachtfalter_=C3=BC?=\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\nMessage-ID: <moth@example.org>\r\n\
    MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
    --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nsee attached\r\n\
    --b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=moth.pdf\r\n\
    Content-Transfer-Encoding: base64\r\n\r\nUERG\r\n--b--\r\n";

/// Larger than what is taken apart in memory.
fn large() -> String {
    let line = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5egECAwQF\r\n";
    format!(
        "Subject: large\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; \
         charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BCber den Rand\r\n--b\r\nContent-Type: \
         application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\
         \r\n{}--b\r\nContent-Type: text/html\r\nContent-Disposition: attachment\r\n\r\n<p>\r\n--b--\r\n",
        line.repeat(40_000)
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_of_a_large_message_are_what_they_are_in_memory() {
    let folder = TempDir::new().unwrap();
    let mail = open(&folder, MailOptions::default()).await;
    let inbox = mail.mailbox("INBOX").unwrap();
    inbox.append(bytes(large()), AppendOptions::default()).await.unwrap();
    let message = all(inbox.fetch(Selection::All, FetchOptions::default())).await.remove(0);
    let parsed = ParsedMessage::parse(large());
    assert_eq!(message.text().await.unwrap(), "über den Rand");
    assert_eq!((message.html().await.unwrap(), parsed.html()), (None, None));
    let attachments = message.attachments();
    assert_eq!(attachments[0], parsed.attachments()[0]);
    assert!(message.part("2").await.unwrap() == parsed.content(&attachments[0]));
    let (mut stream, mut length) = (message.stream(Some("2")).unwrap(), 0);
    while let Some(piece) = stream.next().await.unwrap() {
        assert!(piece.len() <= 256 << 10);
        length += piece.len();
    }
    assert_eq!(length, parsed.content(&attachments[0]).len());
    assert_eq!(message.part("3").await.unwrap(), "<p>");
    assert_eq!(message.part("4").await.unwrap_err().code(), Code::UsageArgument);
    assert!(message.raw_at_hand().is_none(), "it was never in memory");
    assert!(message.raw().await.unwrap() == large());
    mail.close().await.unwrap();
}

#[tokio::test]
async fn a_message_of_ones_own_tells_all_that_a_live_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let here = open(&folder, MailOptions::default()).await;
    let inbox = here.mailbox("inbox").unwrap();
    let added = inbox.append(bytes(MOTH), AppendOptions::default()).await.unwrap().unwrap();
    let parts = Parts { raw: true, ..Parts::default() };
    for options in [FetchOptions::default(), FetchOptions { parts, ..FetchOptions::default() }] {
        let loaded = options.parts.raw;
        let messages = all(inbox.fetch(query("has:attachment from:hopper"), options)).await;
        let message = &messages[0];
        assert_eq!((messages.len(), message.reference(), message.problems().len()), (1, &added, 0));
        assert_eq!(message.raw_at_hand().is_some(), loaded);
        assert_eq!(message.subject().as_deref(), Some("Nachtfalter \u{fc}"));
        assert_eq!(message.from_()[0].to_string(), "Grace Hopper <grace@example.org>");
        assert_eq!(message.reply_to()[0].email, "grace@example.org");
        assert_eq!(message.message_id().as_deref(), Some("<moth@example.org>"));
        assert_eq!((message.size(), message.date().is_some()), (Some(MOTH.len() as u64), true));
        assert_eq!(message.attachments()[0].filename.as_deref(), Some("moth.pdf"));
        assert_eq!(message.text().await.unwrap(), "see attached");
        assert_eq!(message.html().await.unwrap(), None);
        assert_eq!(message.headers().await.unwrap().get("To").as_deref(), Some("ada@example.org"));
        assert_eq!(message.part("2").await.unwrap(), "PDF");
        assert_eq!(message.raw().await.unwrap(), MOTH);
        assert_eq!(message.part("3").await.unwrap_err().code(), Code::UsageArgument);
        let saved = message.save_part("2", folder.path(), None).await.unwrap();
        assert_eq!(std::fs::read(saved).unwrap(), b"PDF");
    }
    let mut stream = all(inbox.fetch(Selection::All, FetchOptions::default())).await[0].stream(None).unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), MOTH);
    assert!(stream.next().await.unwrap().is_none());
}

#[tokio::test]
async fn the_verbs_work_without_an_account_and_say_what_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let here = open(&folder, MailOptions::default()).await;
    let inbox = here.mailbox("INBOX").unwrap();
    let sources = (1..=5).map(|n| bytes(mail(n))).collect();
    let refs: Vec<_> =
        inbox.append_many(sources, AppendOptions::default()).await.unwrap().into_iter().flatten().collect();
    let newest = FetchOptions { order: Order::Newest, limit: Some(2), ..FetchOptions::default() };
    assert_eq!(subjects(inbox.fetch(Selection::All, newest)).await, ["0005", "0004"]);
    assert_eq!(subjects(inbox.fetch(query("subject:0003"), FetchOptions::default())).await, ["0003"]);

    let error = inbox.delete(1, WriteOptions::default()).await.unwrap_err();
    assert!(error.code() == Code::MailboxMissing && error.to_string().contains("expunge()"));
    let role = CreateOptions { role: Some(Role::Trash), ..CreateOptions::default() };
    here.create_mailbox("Bin", role).await.unwrap();
    let deleted = inbox.delete(refs[0].clone(), WriteOptions::default()).await.unwrap();
    assert_eq!(deleted.done[0].target.as_ref().unwrap().mailbox.as_ref(), "Bin");
    let again = inbox.delete(refs[0].clone(), WriteOptions::default()).await.unwrap_err();
    assert_eq!(again.bulk().unwrap().failed[0].1.code(), Code::MessageMissing);
    let limit = WriteOptions { limit: Some(3), ..WriteOptions::default() };
    assert_eq!(inbox.expunge(Selection::All, limit).await.unwrap_err().code(), Code::LimitExceeded);

    let set = FlagChange { set: Some(vec![Flag::FLAGGED]), ..FlagChange::default() };
    inbox.flag(2, flagged(Flag::SEEN), WriteOptions::default()).await.unwrap();
    assert_eq!(inbox.status().await.unwrap().unseen, Some(3));
    inbox.flag(2, set, WriteOptions::default()).await.unwrap();
    assert_eq!(inbox.search(query("is:flagged is:unread"), false, None).await.unwrap(), [refs[1].clone()]);
    let create = WriteOptions { create: true, ..WriteOptions::default() };
    let target = Target::Path(vec!["Archive".to_owned(), "2026".to_owned()]);
    inbox.copy_to(3, target, create).await.unwrap();
    let names: Vec<_> = here.mailboxes(ListOptions::default()).await.unwrap().into_iter().map(|m| m.name).collect();
    assert_eq!(names, ["Archive/2026", "Bin", "INBOX"]);

    let mut old = refs[1].clone();
    old.uid_validity += 1;
    assert_eq!(inbox.count(old, None).await.unwrap_err().code(), Code::MailboxReset);
    let foreign = deleted.done[0].target.clone().unwrap();
    assert_eq!(inbox.count(foreign, None).await.unwrap_err().code(), Code::UsageSelection);
    assert_eq!(here.delete_mailbox("Bin", false).await.unwrap_err().code(), Code::MailboxNotEmpty);
    assert_eq!(here.mailbox("None").unwrap().status().await.unwrap_err().code(), Code::MailboxMissing);
    assert!(here.pending().await.unwrap().is_empty(), "there is no server that is to hear of it");
    assert_eq!(here.sync(SyncOptions::default()).await.unwrap_err().code(), Code::UsageArgument);
    here.close().await.unwrap();
    assert_eq!(inbox.status().await.unwrap_err().code(), Code::UsageClosed);
}

#[tokio::test]
async fn the_feed_goes_on_where_it_ended_also_for_another_who_has_the_file_open() {
    let folder = tempfile::tempdir().unwrap();
    let (here, other) = (open(&folder, MailOptions::default()).await, open(&folder, MailOptions::default()).await);
    let cursor = other.cursor().await.unwrap();
    let mut waiting = other.changes(Since::Now);
    assert!(waiting.at_hand().await.unwrap().is_none());
    let inbox = here.mailbox("INBOX").unwrap();
    inbox.append(bytes(mail(1)), AppendOptions::default()).await.unwrap();
    let first = tokio::time::timeout(PATIENCE, waiting.next()).await.unwrap().unwrap().unwrap();
    assert!(matches!(&first.event, Event::New(message) if message.subject().as_deref() == Some("0001")));
    inbox.flag(1, flagged(Flag::SEEN), WriteOptions::default()).await.unwrap();
    inbox.expunge(1, WriteOptions::default()).await.unwrap();
    let mut rest = other.changes(Since::Cursor(first.cursor.to_string()));
    assert_eq!(happened(&mut rest).await, ["flags 1 \\Seen", "removed 1"]);
    assert_eq!(happened(&mut other.changes(Since::Cursor(cursor))).await.len(), 2, "what came and went is not new");
    let strange = other.changes(Since::Cursor("else:1".to_owned())).at_hand().await.unwrap_err();
    assert_eq!(strange.code(), Code::CursorExpired);
    other.close().await.unwrap();
    assert!(waiting.next().await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_offline_reaches_the_server_and_what_came_is_read_offline() {
    let Some(server) = Server::start() else { return };
    let live = server.session("mail", &[]).await;
    for n in 1..=6 {
        live.mailbox("INBOX").unwrap().append(bytes(mail(n)), world::dated(n)).await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let here = open(&folder, of(&server, "mail")).await;
    assert!(here.mailboxes(ListOptions::default()).await.unwrap().is_empty(), "open() asks nobody");
    let dry = here.sync(dry()).await.unwrap();
    assert!(!dry.work.is_empty() && here.mailboxes(ListOptions::default()).await.unwrap().is_empty());
    let cursor = here.cursor().await.unwrap();
    assert_eq!(here.sync(SyncOptions::default()).await.unwrap().total.added, 6);
    assert_eq!(
        happened(&mut here.changes(Since::Cursor(cursor))).await.iter().filter(|t| t.starts_with("new")).count(),
        6
    );

    let inbox = here.mailbox(Role::Inbox).unwrap();
    inbox.flag(1, flagged(Flag::FLAGGED), WriteOptions::default()).await.unwrap();
    inbox.move_to(2, Role::Archive, WriteOptions::default()).await.unwrap();
    inbox.delete(3, WriteOptions::default()).await.unwrap();
    inbox.expunge(4, WriteOptions::default()).await.unwrap();
    inbox.append(bytes(mail(7)), AppendOptions::default()).await.unwrap();
    assert_eq!(here.pending().await.unwrap().len(), 5);
    assert_eq!(here.sync(SyncOptions::default()).await.unwrap().total.applied, 5);
    let there = server.contents("mail");
    let names = |mailbox: &str| there[mailbox].keys().cloned().collect::<Vec<_>>();
    assert_eq!(names("INBOX"), ["0001", "0005", "0006", "0007"]);
    assert_eq!((names("Archive"), names("Trash")), (vec!["0002".to_owned()], vec!["0003".to_owned()]));
    assert_eq!(there["INBOX"]["0001"].flags, "\\Flagged");

    here.close().await.unwrap();
    drop((live, server));
    let here = open(&folder, MailOptions::default()).await;
    let inbox = here.mailbox("INBOX").unwrap();
    let messages = all(inbox.fetch(query("lorem -is:flagged"), FetchOptions::default())).await;
    assert_eq!(messages.len(), 3);
    assert_eq!(messages[2].raw().await.unwrap(), mail(7));
    inbox.flag(&messages[0], flagged(Flag::SEEN), WriteOptions::default()).await.unwrap();
    let waiting = here.pending().await.unwrap();
    assert!(matches!(waiting[0].entry.state, State::Waiting), "kept until there is a network");
    assert_eq!(here.retry(waiting[0].entry.id).await.unwrap_err().code(), Code::UsageArgument);
}

fn dry() -> SyncOptions {
    let mut options = SyncOptions::default();
    options.dry_run = true;
    options
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_held_is_fetched_and_offline_an_error() {
    let Some(server) = Server::start() else { return };
    let live = server.session("headers", &[]).await;
    for n in 1..=2 {
        live.mailbox("INBOX").unwrap().append(bytes(mail(n)), world::dated(n)).await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let keep = Some(KeepRule { keep: Keep::Headers, ..KeepRule::default() });
    let here = open(&folder, MailOptions { keep, ..of(&server, "headers") }).await;
    assert_eq!(here.sync(SyncOptions::default()).await.unwrap().total.bodies, 0);
    let inbox = here.mailbox("INBOX").unwrap();
    let messages = all(inbox.fetch(Selection::All, FetchOptions::default())).await;
    assert_eq!(messages[0].raw().await.unwrap(), mail(1));
    let mut stream = messages[1].stream(None).unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), mail(2));
    assert_eq!(inbox.search(query("body:lorem"), false, None).await.unwrap().len(), 2, "the texts are fetched for it");
    here.close().await.unwrap();
    drop((live, server));

    let here = open(&folder, MailOptions::default()).await;
    let inbox = here.mailbox("INBOX").unwrap();
    let messages = all(inbox.fetch(query("subject:0001"), FetchOptions::default())).await;
    assert_eq!(messages[0].headers().await.unwrap().get("Subject").as_deref(), Some("0001"));
    assert_eq!(messages[0].text().await.unwrap_err().code(), Code::BodyNotHere);
    assert_eq!(messages[0].stream(None).unwrap().next().await.unwrap_err().code(), Code::BodyNotHere);
    assert_eq!(inbox.search(query("body:lorem"), false, None).await.unwrap_err().code(), Code::BodyNotHere);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_a_mailbox_is_told_that_the_server_is_away_and_back() {
    let Some(server) = Server::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut options = of(&server, "away");
    let right = options.account.as_ref().unwrap().port;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    options.account.as_mut().unwrap().port = closed;
    let here = open(&folder, options).await;
    let mut changes = here.changes(Since::Now);
    changes.ready().await.unwrap();
    let following = tokio::spawn({
        let here = here.clone();
        async move { here.keep_in_sync(FollowOptions::default()).await }
    });
    let away = tokio::time::timeout(PATIENCE, changes.next()).await.unwrap().unwrap().unwrap();
    assert!(matches!(&away.event, Event::Offline(error) if error.code() == Code::NetConnect), "{:?}", away.event);
    // A port on which nobody listened begins to be the server's.
    let relay = Relay::between(closed, right).await;
    loop {
        let event = tokio::time::timeout(PATIENCE, changes.next()).await.unwrap().unwrap().unwrap().event;
        assert!(!matches!(event, Event::Offline(_)), "told once");
        if matches!(event, Event::Online) {
            break;
        }
    }
    let mut later = here.mailbox("INBOX").unwrap().watch(WatchOptions::default());
    assert!(later.at_hand().await.unwrap().is_none(), "who comes later is told how it is, and it is well");
    here.close().await.unwrap();
    tokio::time::timeout(PATIENCE, following).await.unwrap().unwrap().unwrap();
    drop(relay);
}

/// Passes on what comes on one port to another, until it is dropped.
struct Relay(tokio::task::JoinHandle<()>);

impl Relay {
    async fn between(from: u16, to: u16) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", from)).await.unwrap();
        Self(tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut far = tokio::net::TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                });
            }
        }))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mailbox_holds_what_its_own_rule_says() {
    let Some(server) = Server::start() else { return };
    let live = server.session("rules", &[]).await;
    let large = [mail(2), b"lorem ipsum dolor\r\n".repeat(20_000)].concat();
    for name in ["INBOX", "Archive"] {
        let create = AppendOptions { create: true, ..AppendOptions::default() };
        live.mailbox(name).unwrap().append(bytes(mail(1)), create.clone()).await.unwrap();
        live.mailbox(name).unwrap().append(bytes(large.clone()), create).await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let here = open(&folder, MailOptions { keep: Some(rule(Keep::Text)), ..of(&server, "rules") }).await;
    let report = here.sync(SyncOptions::default()).await.unwrap();
    assert_eq!((report.total.added, report.total.bodies), (4, 2), "text alone, and no more than 256 KiB");
    let archive = || Some(Target::from("Archive"));
    assert_eq!(here.keep(archive()).await.unwrap().keep, Keep::Text, "as all have it");
    here.set_keep(archive(), Some(rule(Keep::All))).await.unwrap();
    assert_eq!(here.keep(archive()).await.unwrap().keep, Keep::All);
    assert_eq!(here.keep(None).await.unwrap().keep, Keep::Text);
    let plan = here.sync(dry()).await.unwrap();
    assert_eq!((plan.total.bodies, plan.mailboxes["Archive"].bodies), (1, 1));
    assert!(plan.work.iter().any(|work| work.to_string().starts_with("\"Archive\": fetch bodies of 2, ")), "{plan:?}");
    let report = here.sync(SyncOptions::default()).await.unwrap();
    assert_eq!((report.total.bodies, report.mailboxes["Archive"].bodies), (1, 1));
    here.set_keep(archive(), Some(rule(Keep::Headers))).await.unwrap();
    assert_eq!(here.evict(0).await.unwrap().bodies, 2, "what the rules do not want");
    here.set_keep(archive(), None).await.unwrap();
    assert_eq!(here.keep(archive()).await.unwrap().keep, Keep::Text);
    let missing = here.set_keep(Some(Target::from("None")), None).await.unwrap_err();
    assert_eq!(missing.code(), Code::MailboxMissing);
}

fn rule(keep: Keep) -> KeepRule {
    KeepRule { keep, ..KeepRule::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_tells_how_far_it_is_and_a_pause_waits_for_a_word() {
    let Some(server) = Server::start() else { return };
    let live = server.session("pace", &[]).await;
    let inbox = live.mailbox("INBOX").unwrap();
    inbox.append_many((1..=30).map(|n| bytes(mail(n))).collect(), AppendOptions::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let here = open(&folder, of(&server, "pace")).await;
    let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut options = SyncOptions::default();
    options.on_progress = Some({
        let told = std::sync::Arc::clone(&told);
        std::sync::Arc::new(move |progress| told.lock().unwrap().push(progress.clone()))
    });
    let report = here.sync(options).await.unwrap();
    let told = std::mem::take(&mut *told.lock().unwrap());
    for (phase, total) in [("headers", 30), ("bodies", 30)] {
        let last = told.iter().rfind(|progress| progress.phase == phase).unwrap();
        assert_eq!((last.done, last.total, last.mailbox.as_str()), (total, total, "INBOX"));
        assert_eq!(last.remaining, Some(Duration::ZERO));
    }
    assert_eq!(told.last().unwrap().bytes, report.total.bytes);

    inbox.expunge(UidSet::range(1, 25), WriteOptions::default()).await.unwrap();
    assert_eq!(here.confirm("INBOX").await.unwrap_err().code(), Code::UsageArgument, "nothing to confirm yet");
    for _ in 0..2 {
        let report = here.sync(SyncOptions::default()).await.unwrap();
        assert_eq!((report.total.removed, &report.paused), (0, &here.paused().await.unwrap()));
    }
    assert_eq!(here.paused().await.unwrap()[0].mailbox, "INBOX");
    here.confirm("INBOX").await.unwrap();
    assert!(here.paused().await.unwrap()[0].advice.starts_with("Confirmed"));
    assert_eq!(here.sync(SyncOptions::default()).await.unwrap().mailboxes["INBOX"].removed, 25);
    assert!(here.paused().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_in_step_each_side_hears_of_the_other() {
    let Some(server) = Server::start() else { return };
    hear_of_each_other(&server, "notify", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_notify_inbox_is_followed() {
    let Some(server) = Server::start() else { return };
    hear_of_each_other(&server, "idle", &["NOTIFY"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_notify_a_change_in_any_mailbox_is_heard() {
    let Some(server) = Server::start() else { return };
    let live = server.session("any", &[]).await;
    live.create_mailbox("Plans", CreateOptions::default()).await.unwrap();
    let plans = live.mailbox("Plans").unwrap();
    plans.append(bytes(mail(1)), world::dated(1)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let here = open(&folder, of(&server, "any")).await;
    let mut changes = here.changes(Since::Now);
    assert!(changes.at_hand().await.unwrap().is_none());
    // Nothing is asked for by the clock as long as this test waits.
    let options = FollowOptions { every: Duration::from_secs(3600), ..FollowOptions::default() };
    let following = tokio::spawn({
        let here = here.clone();
        async move { here.keep_in_sync(options).await }
    });
    until_new(&mut changes, "0001").await;
    for n in 2..5 {
        plans.append(bytes(mail(n)), world::dated(n)).await.unwrap();
        until_new(&mut changes, &format!("{n:04}")).await;
    }
    plans
        .flag(2, FlagChange { add: vec![Flag::FLAGGED], ..FlagChange::default() }, WriteOptions::default())
        .await
        .unwrap();
    let told = async { while !matches!(changes.next().await.unwrap().unwrap().event, Event::Flags { .. }) {} };
    tokio::time::timeout(PATIENCE, told).await.unwrap();
    here.close().await.unwrap();
    tokio::time::timeout(PATIENCE, following).await.unwrap().unwrap().unwrap();
}

async fn hear_of_each_other(server: &Server, user: &str, hidden: &[&str]) {
    let live = server.session(user, &[]).await;
    let there = live.mailbox("INBOX").unwrap();
    there.append(bytes(mail(1)), world::dated(1)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut account = server.account(user);
    let mut quirks = Quirks::default();
    quirks.hidden.extend(hidden.iter().map(ToString::to_string));
    account.quirks = Some(quirks);
    let here = open(&folder, MailOptions { account: Some(account), ..MailOptions::default() }).await;
    let mut changes = here.changes(Since::Now);
    assert!(changes.at_hand().await.unwrap().is_none());
    let following = tokio::spawn({
        let here = here.clone();
        async move { here.keep_in_sync(FollowOptions::default()).await }
    });
    until_new(&mut changes, "0001").await;
    there.append(bytes(mail(2)), world::dated(2)).await.unwrap();
    until_new(&mut changes, "0002").await;
    here.mailbox("INBOX").unwrap().flag(1, flagged(Flag::FLAGGED), WriteOptions::default()).await.unwrap();
    while !here.pending().await.unwrap().is_empty() {
        tokio::time::timeout(PATIENCE, changes.next()).await.unwrap().unwrap().unwrap();
    }
    assert_eq!(server.contents(user)["INBOX"]["0001"].flags, "\\Flagged");
    here.close().await.unwrap();
    tokio::time::timeout(PATIENCE, following).await.unwrap().unwrap().unwrap();
}

async fn until_new(changes: &mut Watch, subject: &str) {
    loop {
        let change = tokio::time::timeout(PATIENCE, changes.next()).await.unwrap().unwrap().unwrap();
        if matches!(&change.event, Event::New(message) if message.subject().as_deref() == Some(subject)) {
            return;
        }
    }
}

#[tokio::test]
async fn a_message_is_queued_without_a_network_and_can_be_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let smtp = SmtpAccount::from_url(&format!("smtp://127.0.0.1:{closed}")).unwrap();
    let here = open(&folder, MailOptions { smtp: Some(smtp), ..MailOptions::default() }).await;
    let draft =
        Draft::new().from("ada@example.org").unwrap().to("grace@example.org").unwrap().subject("Moth").text("Found.");
    let queued = here.send(&draft, &SendOptions::default()).await.unwrap();
    let report = here.send_due().await.unwrap();
    assert_eq!(report.trouble.unwrap().code(), Code::NetConnect);
    let waiting = here.outbox().await.unwrap();
    assert_eq!((waiting.len(), waiting[0].state), (1, outbox::State::Queued));
    assert_eq!(here.cancel(queued.id).await.unwrap().state, outbox::State::Cancelled);
    assert!(here.outbox().await.unwrap().is_empty());
    let without = open(&tempfile::tempdir().unwrap(), MailOptions::default()).await;
    assert_eq!(without.send(&draft, &SendOptions::default()).await.unwrap_err().code(), Code::UsageArgument);
}

#[tokio::test]
async fn a_file_belongs_to_one_account_and_can_be_copied() {
    let folder = tempfile::tempdir().unwrap();
    let account = |user: &str| {
        let url = format!("imaps://{user}@imap.example.org");
        MailOptions { account: Some(mailtide::Account::from_url(&url).unwrap()), ..MailOptions::default() }
    };
    let here = open(&folder, account("ada")).await;
    assert_eq!(&**here.label(), "ada@imap.example.org");
    let copy = folder.path().join("copy.mail");
    here.backup(&copy).await.unwrap();
    assert!(here.check().await.unwrap().is_empty() && here.usage().await.unwrap().file > 0);
    assert_eq!(here.evict(1).await.unwrap().bodies, 0);
    let error = Mail::open(&copy, account("grace")).await.unwrap_err();
    assert_eq!(error.code(), Code::UsageArgument);
    assert_eq!(&**Mail::open(&copy, MailOptions::default()).await.unwrap().label(), "ada@imap.example.org");
}
