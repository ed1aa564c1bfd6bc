//! The same over a real store, also from another process's point of view, and after a crash.

use super::super::{
    Decision, Entry, Ledger, NewEntry, OnDoubt, Outbox, RecipientState as R, SendOptions, State, StoreLedger,
};
use super::sink::Sink;
use super::support::{Clock, MemorySent, composed, dial, draft};
use crate::error::Code;
use crate::message::DraftAttachment;
use crate::store::{self, Change, Durability, Handle, Now, SqliteOptions, SqliteStore};
use bytes::Bytes;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

const START: i64 = 1_700_000_000;

/// A store of its own, which can be closed and opened again.
struct Stored {
    _folder: tempfile::TempDir,
    path: PathBuf,
    sink: Arc<Sink>,
    sent: Arc<MemorySent>,
    clock: Arc<Clock>,
}

impl Stored {
    fn new(sink: Sink) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mail");
        let clock = Arc::new(Clock(AtomicI64::new(START)));
        Self { path, _folder: folder, sink: Arc::new(sink), sent: Arc::default(), clock }
    }

    fn outbox(&self, ledger: StoreLedger) -> Outbox {
        let host = "smtp.example.org";
        Outbox::dialling(Arc::new(ledger), dial(&self.sink), Some(self.sent.clone()), host)
            .with_moment(self.clock.clone())
    }

    async fn settle(&self, outbox: &Outbox) {
        while let Some(next) = outbox.pass().await.unwrap().next {
            self.clock.0.fetch_max(next, Ordering::SeqCst);
        }
    }
}

fn open(path: &Path) -> Handle {
    Handle::new(Arc::new(SqliteStore::open(path, SqliteOptions::default()).unwrap())).unwrap()
}

fn new(key: &str) -> NewEntry {
    NewEntry {
        key: key.to_owned(),
        message_id: format!("{key}@x.org"),
        sender: "a@x.org".into(),
        recipients: vec!["b@x.org".into(), "用户@x.org".into()],
        on_doubt: OnDoubt::Resend,
        wants_copy: true,
        created: START,
        not_before: START + 5,
    }
}

#[tokio::test]
async fn a_message_goes_from_the_disk_to_the_server_and_stands_in_the_feed() {
    let world = Stored::new(Sink::default());
    let queued = {
        let outbox = world.outbox(StoreLedger::new(open(&world.path)));
        outbox.send_composed(&composed(&draft()), &SendOptions::default()).await.unwrap()
    };
    // Another process finds it.
    let handle = open(&world.path);
    let ledger = StoreLedger::new(handle.clone());
    let outbox = world.outbox(ledger.clone());
    assert_eq!(outbox.unfinished().await.unwrap(), std::slice::from_ref(&queued));
    world.settle(&outbox).await;
    let entry = ledger.entry(queued.id).await.unwrap().unwrap();
    assert!(entry.is_finished() && entry.recipients[0].reply.as_deref() == Some("250 2.0.0 taken"), "{entry:?}");
    assert_eq!(world.sink.messages()[0].bytes, composed(&draft()).raw);
    assert_eq!(world.sent.count(&entry.message_id), 1);
    let feed = handle.read(|reader| reader.feed(0, 100)).await.unwrap();
    let count =
        feed.iter().filter(|row| matches!(row.change, Change::Outbox { outbox } if outbox.0 == entry.id)).count();
    // Queued, three steps, accepted, two of the copy.
    assert_eq!(count, 7);
}

#[tokio::test]
async fn every_column_comes_back_and_the_same_key_is_the_same_message() {
    let world = Stored::new(Sink::default());
    let ledger = StoreLedger::new(open(&world.path));
    let raw = Bytes::from_static(b"Subject: x\r\n\r\nx\r\n");
    let entry = ledger.insert(new("k"), raw.clone()).await.unwrap();
    assert_eq!((entry.on_doubt, entry.not_before, entry.created), (OnDoubt::Resend, START + 5, START));
    assert_eq!(ledger.insert(new("k"), Bytes::from_static(b"other")).await.unwrap(), entry);
    assert_eq!(super::super::ledger::whole(&mut *ledger.body(entry.id).await.unwrap()).await.unwrap(), raw);
    let mut next = Entry {
        state: State::DotSent,
        changed: START + 9,
        attempts: 3,
        not_before: i64::MAX,
        reply: Some("450 später".into()),
        sent_copy: Some(super::super::CopyState::Appending),
        ..entry.clone()
    };
    next.recipients[1].state = R::Sending;
    next.recipients[1].reply = Some("250 ok".into());
    ledger.commit(State::Queued, &next).await.unwrap();
    assert_eq!(ledger.entry(entry.id).await.unwrap(), Some(next.clone()));
    // Whoever thinks that it is still queued is told.
    assert_eq!(ledger.commit(State::Queued, &entry).await.map_err(|e| e.code()), Err(Code::Cancelled));
    assert_eq!(StoreLedger::new(open(&world.path)).unfinished().await.unwrap(), [next]);
}

#[tokio::test]
async fn large_messages_are_sent_from_the_store_as_they_were_queued() {
    let world = Stored::new(Sink { capabilities: &["8BITMIME"], ..Sink::default() });
    let outbox = world.outbox(StoreLedger::new(open(&world.path)));
    let every_byte: Vec<u8> = (0..6_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let large = composed(&draft().attach(DraftAttachment::bytes("a.bin", every_byte)));
    assert!(large.raw.len() > 8_000_000);
    outbox.send_composed(&large, &SendOptions::default()).await.unwrap();
    world.settle(&outbox).await;
    assert!(world.sink.messages()[0].bytes == large.raw, "the bytes are not those that were queued");
    assert_eq!(world.sink.flaws(), [""; 0]);
}

#[tokio::test]
async fn a_doubt_outlives_the_process_and_is_not_ended_by_another() {
    // The reply to the dot is lost.
    let world = Stored::new(Sink { writes: Some(180), ..Sink::default() });
    {
        let outbox = world.outbox(StoreLedger::new(open(&world.path)));
        outbox.send_composed(&composed(&draft()), &SendOptions::default()).await.unwrap();
        outbox.pass().await.unwrap();
    }
    let outbox = world.outbox(StoreLedger::new(open(&world.path)));
    world.settle(&outbox).await;
    let entry = outbox.unfinished().await.unwrap().remove(0);
    assert!(entry.needs_decision(), "{entry:?}");
    assert_eq!(world.sink.messages().len(), 1);
    outbox.decide(entry.id, Decision::Sent).await.unwrap();
    world.settle(&outbox).await;
    assert_eq!((outbox.unfinished().await.unwrap().len(), world.sink.messages().len()), (0, 1));
}

#[tokio::test]
async fn what_another_process_takes_back_is_not_sent() {
    let world = Stored::new(Sink::default());
    let (ours, theirs) = (StoreLedger::new(open(&world.path)), StoreLedger::new(open(&world.path)));
    let (sends, cancels) = (world.outbox(ours.clone()), world.outbox(theirs.clone()));
    let queued = sends.send_composed(&composed(&draft()), &SendOptions::default()).await.unwrap();
    cancels.cancel(queued.id).await.unwrap();
    // Whoever had read it before commits in vain.
    let begun = Entry { state: State::Connected, ..queued.clone() };
    assert_eq!(ours.commit(State::Queued, &begun).await.map_err(|e| e.code()), Err(Code::Cancelled));
    sends.pass().await.unwrap();
    assert_eq!(world.sink.messages().len(), 0);
    assert_eq!(ours.entry(queued.id).await.unwrap().unwrap().state, State::Cancelled);
}

#[tokio::test]
async fn who_has_lost_the_lease_sends_nothing() {
    let world = Stored::new(Sink::default());
    let handle = open(&world.path);
    let take = |holder: &'static str, at: i64| {
        handle.write(Durability::Full, move |writer| {
            store::lease::take(writer, store::lease::SYNC, holder, Duration::from_secs(30), Now::from_seconds(at))
        })
    };
    let lease = take("one", START).await.unwrap().unwrap();
    let outbox = world.outbox(StoreLedger::leased(handle.clone(), lease));
    outbox.send_composed(&composed(&draft()), &SendOptions::default()).await.unwrap();
    take("other", START + 60).await.unwrap().unwrap();
    assert_eq!(outbox.pass().await.map_err(|e| e.code()).err(), Some(Code::StoreLeaseLost));
    assert_eq!(world.sink.messages().len(), 0);
    assert_eq!(outbox.unfinished().await.unwrap()[0].state, State::Queued);
}

#[tokio::test]
async fn what_is_finished_goes_after_thirty_days() {
    let world = Stored::new(Sink::default());
    let ledger = StoreLedger::new(open(&world.path));
    let outbox = world.outbox(ledger.clone());
    let sent = outbox.send_composed(&composed(&draft()), &SendOptions::default()).await.unwrap();
    world.settle(&outbox).await;
    world.clock.advance(30 * 86_400 - 60);
    outbox.pass().await.unwrap();
    assert!(ledger.entry(sent.id).await.unwrap().is_some());
    world.clock.advance(120);
    outbox.pass().await.unwrap();
    assert_eq!(ledger.entry(sent.id).await.unwrap(), None);
}
