//! `kill -9` in the middle of a pass, again and again, against a real Dovecot: in the end nothing is lost and nothing is
//! doubled, as imaplib reads it, and the store is sound.
//!
//! A program of its own brings a store in step through a gate that counts; it is killed after so many bytes of either way,
//! or when its files have grown by so much, and started again. Its clock goes a minute ahead each time, past the lease of
//! the dead one and the time that a copy is given to turn up; the gate has waited until the server was done with it.
//!
//! `cargo test -p mailtide --test kills -- --ignored`; `make test` runs it, `make soak` with more kills.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "kills/child.rs"]
mod child;
#[path = "kills/gate.rs"]
mod gate;
#[allow(dead_code)]
#[path = "sync/world.rs"]
mod world;

use child::{Child, Moment};
use gate::{Gate, Way};
use mailtide::imap::{Flag, Role, UidSet};
use mailtide::{AppendOptions, AppendSource, FlagChange, Mail, MailOptions, WriteOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use world::{Contents, Server, mail};

/// A server that has everything, and one whose client never learns a UID and can expunge nothing.
const KINDS: [(&str, &[&str]); 2] = [("uidplus", &[]), ("bare", &["UIDPLUS", "MOVE"])];

/// Messages of most sizes; some of them take many reads.
fn letter(n: u32) -> Vec<u8> {
    let lines = if n.is_multiple_of(40) { 6000 } else { n as usize % 10 * 25 };
    [mail(n), b"Found in relay 70, panel F: a moth.\r\n".repeat(lines)].concat()
}

fn wanted(name: &str, otherwise: u32) -> u32 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// One kind of run: who it is for, what goes before, and what must be in the end.
struct Scene {
    server: Server,
    gate: Gate,
    hidden: &'static [&'static str],
    folder: tempfile::TempDir,
    /// How far each measure goes in a run that nobody kills.
    whole: Whole,
    kills: u32,
    runs: u32,
}

#[derive(Clone, Copy, Debug)]
struct Whole {
    up: u64,
    down: u64,
    stored: u64,
}

impl Scene {
    async fn new(hidden: &'static [&'static str]) -> Option<Self> {
        let server = Server::start()?;
        let gate = Gate::start(server.port, !hidden.is_empty()).await;
        let whole = Whole { up: u64::MAX, down: u64::MAX, stored: u64::MAX };
        let folder = tempfile::tempdir().unwrap();
        Some(Self { server, gate, hidden, folder, whole, kills: 0, runs: 0 })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.mail"))
    }

    /// Brings a store in step without a kill, to learn how far each measure goes.
    async fn measure(&mut self, user: &str, path: &Path) {
        self.gate.close_after(None);
        let before = child::stored(path);
        let mut highest = before;
        assert!(!Child::start(self, (user, path), 0).until(child::highest(path, &mut highest)).await);
        self.gate.settled().await;
        let (up, down) = (self.gate.went(Way::ToServer), self.gate.went(Way::FromServer));
        self.whole = Whole { up, down, stored: highest - before };
    }

    /// Brings a store in step by processes that are killed, the n-th kill of all at a moment of its own, until one comes
    /// to its end or there were enough.
    async fn run(&mut self, user: &str, path: &Path, most: u32) {
        self.runs += 1;
        for life in 0.. {
            let moment = (self.kills < most).then(|| self.moment());
            self.gate.close_after(moment.and_then(Moment::bound));
            let grown = moment.and_then(Moment::growth).map(|growth| child::stored(path) + growth);
            let child = Child::start(self, (user, path), life);
            let killed = child.until(child::moment(&self.gate, grown.map(|size| (path, size)))).await;
            self.gate.settled().await;
            if !killed {
                return;
            }
            self.kills += 1;
        }
    }

    /// A third of a run ahead at most, so that one run is killed several times; spread by the golden ratio.
    fn moment(&self) -> Moment {
        let part = (f64::from(self.kills) * 0.618_033_988_75).fract() / 3.0;
        let of = |whole: u64| (whole as f64 * part) as u64 + 1;
        match self.kills % 3 {
            0 => Moment::Bytes(Way::FromServer, of(self.whole.down)),
            1 => Moment::Bytes(Way::ToServer, of(self.whole.up)),
            _ => Moment::Stored(of(self.whole.stored)),
        }
    }

    /// Opens the store as a program does that was never killed, and brings it in step until nothing is left to do.
    async fn judge(&self, user: &str, path: &Path, expected: &Contents) {
        let account = child::account(&self.server, (user, self.server.port), self.hidden);
        let mail = Mail::open(path, MailOptions { account: Some(account), ..MailOptions::default() }).await.unwrap();
        for n in 0..3 {
            mail.sync(child::ahead(1_000 + n)).await.unwrap();
        }
        let calm = mail.sync(child::ahead(1_003)).await.unwrap();
        let done = (
            calm.total.asked,
            calm.total.added,
            calm.total.removed,
            calm.total.flags,
            calm.total.applied,
            calm.total.bodies,
            calm.problems.len(),
        );
        assert_eq!(done, (0, 0, 0, 0, 0, 0, 0), "{user}: {calm:?}");
        let pending = mail.pending().await.unwrap();
        assert!(pending.is_empty(), "{user}: {pending:#?}");
        assert_eq!(mail.check().await.unwrap(), Vec::<String>::new(), "{user}");
        let (there, here) = (self.server.contents(user), world::contents(mail.store()).await);
        same(&there, expected, &format!("{user}: the server"));
        same(&here, expected, &format!("{user}: the store"));
        mail.close().await.unwrap();
    }

    fn say(&self, what: &str, began: std::time::Instant) {
        let mut out = std::io::stderr();
        let (kills, runs, seconds) = (self.kills, self.runs, began.elapsed().as_secs());
        writeln!(out, "{what}: {kills} kills in {runs} runs, nothing lost, nothing doubled ({seconds} s)").unwrap();
    }
}

/// What is lost, doubled or otherwise is named by its number; whole contents would fill the screen.
fn same(found: &Contents, expected: &Contents, whose: &str) {
    let names = |all: &Contents| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected), "{whose}");
    for (mailbox, messages) in expected {
        let found = &found[mailbox];
        let lost: Vec<_> = messages.keys().filter(|name| !found.contains_key(*name)).collect();
        let extra: Vec<_> = found.keys().filter(|name| !messages.contains_key(*name)).collect();
        let doubled: Vec<_> = found.iter().filter(|(_, message)| message.count != 1).map(|(name, _)| name).collect();
        assert!(
            lost.is_empty() && extra.is_empty() && doubled.is_empty(),
            "{whose}, {mailbox}: {lost:?} lost, {extra:?} too many, {doubled:?} doubled"
        );
        let other: Vec<_> = messages.iter().filter(|(name, message)| found[*name] != **message).collect();
        let shown: Vec<_> = other.iter().map(|(name, message)| (name, &message.flags, &found[*name].flags)).collect();
        assert!(shown.is_empty(), "{whose}, {mailbox}: not as it was, (name, flags expected, flags found): {shown:?}");
    }
}

fn put(expected: &mut Contents, mailbox: &str, numbers: impl IntoIterator<Item = u32>, flags: &str) {
    for n in numbers {
        let bytes = String::from_utf8(letter(n)).unwrap();
        let message = world::Message { flags: flags.to_owned(), bytes, count: 1 };
        expected.entry(mailbox.to_owned()).or_default().insert(format!("{n:04}"), message);
    }
}

async fn fill(server: &Server, user: &str, mailbox: &str, numbers: impl IntoIterator<Item = u32>) {
    let live = server.session(user, &[]).await;
    let mailbox = live.mailbox(mailbox).unwrap();
    for n in numbers {
        mailbox.append(AppendSource::Bytes(letter(n).into()), world::dated(n)).await.unwrap();
    }
    live.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute; make test and make soak run it"]
async fn a_first_sync_that_is_killed_again_and_again_ends_whole() {
    for (kind, hidden) in KINDS {
        let began = std::time::Instant::now();
        let Some(mut scene) = Scene::new(hidden).await else { return };
        let mut expected = Contents::new();
        for (mailbox, numbers) in [("INBOX", 1..=300), ("Archive", 301..=400)] {
            fill(&scene.server, "first", mailbox, numbers.clone()).await;
            put(&mut expected, mailbox, numbers, "");
        }
        let path = scene.path("whole");
        scene.measure("first", &path).await;
        scene.judge("first", &path, &expected).await;
        let most = wanted("MAILTIDE_KILLS_FIRST", 60).div_ceil(2);
        while scene.kills < most {
            let path = scene.path(&scene.runs.to_string());
            scene.run("first", &path, most).await;
            scene.judge("first", &path, &expected).await;
        }
        scene.say(&format!("first sync, {kind}"), began);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute; make test and make soak run it"]
async fn an_upload_that_is_killed_again_and_again_sends_everything_once() {
    for (kind, hidden) in KINDS {
        let began = std::time::Instant::now();
        let Some(mut scene) = Scene::new(hidden).await else { return };
        let expected = after_changes(hidden.is_empty());
        let path = scene.path("whole");
        change(&scene, "whole", &path).await;
        scene.measure("whole", &path).await;
        scene.judge("whole", &path, &expected).await;
        let most = wanted("MAILTIDE_KILLS_UPLOAD", 60).div_ceil(2);
        while scene.kills < most {
            let user = format!("upload{}", scene.runs);
            let path = scene.path(&user);
            change(&scene, &user, &path).await;
            scene.run(&user, &path, most).await;
            scene.judge(&user, &path, &expected).await;
        }
        scene.say(&format!("upload, {kind}"), began);
    }
}

/// A store in step with 40 messages, in which then 120 are added and others moved, copied, marked and deleted.
async fn change(scene: &Scene, user: &str, path: &Path) {
    fill(&scene.server, user, "INBOX", 1..=40).await;
    let account = child::account(&scene.server, (user, scene.server.port), scene.hidden);
    let store = Mail::open(path, MailOptions { account: Some(account), ..MailOptions::default() }).await.unwrap();
    store.sync(child::ahead(0)).await.unwrap();
    let inbox = store.mailbox("INBOX").unwrap();
    let set = |text: &str| text.parse::<UidSet>().unwrap();
    let flagged = FlagChange { add: vec![Flag::FLAGGED], ..FlagChange::default() };
    for (mailbox, numbers) in [("INBOX", 1001..=1100), ("Archive", 1101..=1120)] {
        let mailbox = store.mailbox(mailbox).unwrap();
        for n in numbers {
            mailbox.append(AppendSource::Bytes(letter(n).into()), AppendOptions::default()).await.unwrap();
        }
    }
    inbox.move_to(set("1:10"), Role::Archive, WriteOptions::default()).await.unwrap();
    inbox.copy_to(set("11:15"), Role::Archive, WriteOptions::default()).await.unwrap();
    inbox.flag(set("16:25"), flagged, WriteOptions::default()).await.unwrap();
    inbox.expunge(set("26:30"), WriteOptions::default()).await.unwrap();
    store.close().await.unwrap();
}

/// What `change` comes to on the server. Without UIDPLUS what was taken away stays, marked.
fn after_changes(can_expunge: bool) -> Contents {
    let mut expected = Contents::new();
    put(&mut expected, "INBOX", (11..=15).chain(31..=40).chain(1001..=1100), "");
    put(&mut expected, "INBOX", 16..=25, "\\Flagged");
    put(&mut expected, "Archive", (1..=15).chain(1101..=1120), "");
    if !can_expunge {
        put(&mut expected, "INBOX", (1..=10).chain(26..=30), "\\Deleted");
    }
    expected
}

/// Does nothing unless it is the process that is killed.
#[test]
fn the_one_that_is_killed() {
    child::live();
}
