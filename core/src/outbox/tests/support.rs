//! A ledger and a mailbox Sent in memory, a clock that is set, and an outbox over them.

use super::super::ledger::whole;
use super::super::{
    Body, Dial, Entry, Io, Ledger, Moment, NewEntry, Outbox, Recipient, RecipientState, SentFolder, State, in_memory,
};
use super::sink::Sink;
use crate::error::{Code, MailError, Result};
use crate::imap::InternalDate;
use crate::message::{Composed, Draft, Stamp};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// What a crash does to the commit that it hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// It is lost.
    Before,
    /// It is durable, and nobody hears of it.
    After,
    /// It fails, and the process lives on.
    Error,
}

/// A ledger whose process ends at a commit.
pub struct Crashing {
    pub ledger: Arc<dyn Ledger>,
    pub at: usize,
    pub crash: Crash,
    pub commits: AtomicUsize,
    /// Told when the process has come to its end.
    pub ended: Notify,
}

impl Ledger for Crashing {
    fn insert(&self, new: NewEntry, raw: Bytes) -> BoxFuture<'_, Result<Entry>> {
        self.ledger.insert(new, raw)
    }

    fn commit<'a>(&'a self, before: State, entry: &'a Entry) -> BoxFuture<'a, Result<()>> {
        let is_it = self.commits.fetch_add(1, Ordering::SeqCst) == self.at;
        async move {
            match self.crash {
                _ if !is_it => self.ledger.commit(before, entry).await,
                Crash::Error => Err(MailError::new(Code::FileIo, "The disk is full")),
                Crash::Before => self.end().await,
                Crash::After => {
                    self.ledger.commit(before, entry).await?;
                    self.end().await
                }
            }
        }
        .boxed()
    }

    fn prune(&self, before: i64) -> BoxFuture<'_, Result<()>> {
        self.ledger.prune(before)
    }

    fn unfinished(&self) -> BoxFuture<'_, Result<Vec<Entry>>> {
        self.ledger.unfinished()
    }

    fn entry(&self, id: i64) -> BoxFuture<'_, Result<Option<Entry>>> {
        self.ledger.entry(id)
    }

    fn body(&self, id: i64) -> BoxFuture<'_, Result<Box<dyn Body>>> {
        self.ledger.body(id)
    }
}

impl Crashing {
    /// Nobody comes back from here.
    async fn end(&self) -> Result<()> {
        self.ended.notify_one();
        std::future::pending().await
    }
}

/// Keeps everything in memory.
#[derive(Default)]
pub struct MemoryLedger {
    rows: Mutex<Vec<(Entry, Bytes)>>,
    /// All states that were committed, in order.
    pub history: Mutex<Vec<State>>,
    /// The one whose bytes cannot be read.
    pub damaged: Mutex<Option<i64>>,
}

impl MemoryLedger {
    pub fn all(&self) -> Vec<Entry> {
        self.rows.lock().unwrap().iter().map(|(entry, _)| entry.clone()).collect()
    }

    pub fn only(&self) -> Entry {
        let all = self.all();
        assert_eq!(all.len(), 1);
        all[0].clone()
    }

    fn write(&self, before: State, entry: &Entry) -> Result<()> {
        let mut rows = self.rows.lock().unwrap();
        let row = rows.iter_mut().find(|(e, _)| e.id == entry.id).unwrap();
        if row.0.state != before {
            return Err(Code::Cancelled.into());
        }
        row.0 = entry.clone();
        self.history.lock().unwrap().push(entry.state);
        Ok(())
    }
}

impl Ledger for MemoryLedger {
    fn insert(&self, new: NewEntry, raw: Bytes) -> BoxFuture<'_, Result<Entry>> {
        let mut rows = self.rows.lock().unwrap();
        let found = rows.iter().find(|(e, _)| e.key == new.key).map(|(e, _)| e.clone());
        let entry = found.unwrap_or_else(|| {
            let recipient = |address| Recipient { address, state: RecipientState::Waiting, reply: None };
            let entry = Entry {
                id: rows.len() as i64 + 1,
                key: new.key,
                message_id: new.message_id,
                sender: new.sender,
                recipients: new.recipients.into_iter().map(recipient).collect(),
                state: State::Queued,
                changed: new.created,
                created: new.created,
                attempts: 0,
                not_before: new.not_before,
                reply: None,
                sent_copy: None,
                on_doubt: new.on_doubt,
                wants_copy: new.wants_copy,
            };
            rows.push((entry.clone(), raw));
            entry
        });
        async { Ok(entry) }.boxed()
    }

    fn commit<'a>(&'a self, before: State, entry: &'a Entry) -> BoxFuture<'a, Result<()>> {
        let written = self.write(before, entry);
        async { written }.boxed()
    }

    fn prune(&self, before: i64) -> BoxFuture<'_, Result<()>> {
        self.rows.lock().unwrap().retain(|(e, _)| !e.is_finished() || e.changed >= before);
        async { Ok(()) }.boxed()
    }

    fn unfinished(&self) -> BoxFuture<'_, Result<Vec<Entry>>> {
        async { Ok(self.all().into_iter().filter(|e| !e.is_finished()).collect()) }.boxed()
    }

    fn entry(&self, id: i64) -> BoxFuture<'_, Result<Option<Entry>>> {
        async move { Ok(self.all().into_iter().find(|e| e.id == id)) }.boxed()
    }

    fn body(&self, id: i64) -> BoxFuture<'_, Result<Box<dyn Body>>> {
        let is_damaged = *self.damaged.lock().unwrap() == Some(id);
        let raw = self.rows.lock().unwrap().iter().find(|(e, _)| e.id == id).unwrap().1.clone();
        async move { if is_damaged { Err(Code::StoreDamaged.into()) } else { Ok(in_memory(raw)) } }.boxed()
    }
}

/// Sent, which the server may fill itself with what it has taken.
#[derive(Default)]
pub struct MemorySent {
    pub copies: Mutex<Vec<Bytes>>,
    /// A server that files what it has accepted.
    pub filed_by: Mutex<Option<Arc<Sink>>>,
    pub offline: Mutex<bool>,
    pub looks: AtomicUsize,
}

impl MemorySent {
    fn check(&self) -> Result<()> {
        if *self.offline.lock().unwrap() { Err(Code::NetConnect.into()) } else { Ok(()) }
    }

    /// All copies, whoever has made them.
    pub fn count(&self, message_id: &str) -> usize {
        let id = format!("<{message_id}>");
        let has = |raw: &Bytes| String::from_utf8_lossy(raw).contains(&id);
        let ours = self.copies.lock().unwrap().iter().filter(|raw| has(raw)).count();
        let theirs = self
            .filed_by
            .lock()
            .unwrap()
            .as_ref()
            .map_or(0, |sink| sink.messages().iter().filter(|m| has(&m.bytes.clone().into())).count());
        ours + theirs
    }
}

impl SentFolder for MemorySent {
    fn contains<'a>(&'a self, message_id: &'a str, _newest: u64) -> BoxFuture<'a, Result<bool>> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        async move { self.check().map(|()| self.count(message_id) > 0) }.boxed()
    }

    fn append(&self, mut message: Box<dyn Body>) -> BoxFuture<'_, Result<()>> {
        async move {
            self.check()?;
            let raw = whole(&mut *message).await?;
            self.copies.lock().unwrap().push(raw);
            Ok(())
        }
        .boxed()
    }
}

/// A clock that stands still until it is set.
#[derive(Default)]
pub struct Clock(pub AtomicI64);

impl Clock {
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Moment for Clock {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn random(&self) -> f64 {
        0.5
    }
}

/// An outbox, and all that it works with.
pub struct World {
    pub ledger: Arc<MemoryLedger>,
    pub sent: Arc<MemorySent>,
    pub sink: Arc<Sink>,
    pub clock: Arc<Clock>,
    pub outbox: Outbox,
}

impl World {
    pub fn new(sink: Sink) -> Self {
        Self::at("smtp.example.org", sink)
    }

    /// At a server of this name.
    pub fn at(host: &str, sink: Sink) -> Self {
        let (ledger, sent, sink) = (Arc::<MemoryLedger>::default(), Arc::<MemorySent>::default(), Arc::new(sink));
        let clock = Arc::new(Clock(AtomicI64::new(1_700_000_000)));
        let outbox = Outbox::dialling(ledger.clone(), dial(&sink), Some(sent.clone()), host).with_moment(clock.clone());
        Self { ledger, sent, sink, clock, outbox }
    }

    /// Another process over what is left: this ledger, the same clock, server and Sent.
    pub fn outbox_over(&self, ledger: Arc<dyn Ledger>) -> Outbox {
        Outbox::dialling(ledger, dial(&self.sink), Some(self.sent.clone()), "smtp.example.org")
            .with_moment(self.clock.clone())
    }

    /// Passes until nothing is left that happens by itself.
    pub async fn settle(&self, outbox: &Outbox) {
        for _ in 0..400 {
            let report = outbox.pass().await.unwrap();
            let Some(next) = report.next else { return };
            self.clock.0.fetch_max(next, Ordering::SeqCst);
        }
        panic!("the outbox does not come to rest: {:?}", self.ledger.all());
    }
}

pub fn dial(sink: &Arc<Sink>) -> Dial {
    let sink = Arc::clone(sink);
    Arc::new(move || {
        let sink = Arc::clone(&sink);
        async move { sink.accept().map(|io| Box::new(io) as Box<dyn Io>) }.boxed()
    })
}

pub fn draft() -> Draft {
    Draft::new()
        .from("ada@example.org")
        .unwrap()
        .to("grace@example.org")
        .unwrap()
        .subject("moth")
        .text("Found it.\n.\n")
}

pub fn composed(draft: &Draft) -> Composed {
    let stamp = Stamp { now: InternalDate { seconds: 1_700_000_000, offset: 0 }, random: [3; 32] };
    draft.compose(&stamp).unwrap()
}
