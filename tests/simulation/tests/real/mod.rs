//! The engine itself as a device of the simulation: real sessions, the real sync, a real SQLite store on a disk of its
//! own, whose process can die before every write.

use bytes::Bytes;
use mailtide::imap::{Flag, InternalDate, UidSet};
use mailtide::journal::{Cause, Entry, State, order};
use mailtide::store::{
    Account as StoredAccount, BodyId, Change, Cursor, Durability, Flags, Handle, Headers, IntentId, MailboxId,
    NewMessage, Now, Page, Reader, SqliteOptions, SqliteStore, Writer, body, change, derive, feed,
};
use mailtide::sync::{SyncOptions, sync};
use mailtide::{Account, Code, Dialer, Engine, EngineOptions, Given, MailError, Result};
use mailtide_simulation::device::{self, Acted, Device, Fate, LocalMailbox, LocalMessage, Note, Pass, Sent, Snapshot};
use mailtide_simulation::device::{LocalId, Soon, Ticket, Verb};
use mailtide_simulation::letter;
use mailtide_simulation::model::Actor;
use mailtide_simulation::network::Network;
use mailtide_simulation::smtp::Sink;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// Where the clock of a device starts, in milliseconds since 1970; the model starts there as well.
const EPOCH: i64 = 1_700_000_000_000;
/// Tickets of changes that left no entry in the journal.
const UNWRITTEN: Ticket = 1 << 40;
/// Fast storage, where there is any: nothing of a run is wanted afterwards.
const MEMORY: &str = "/dev/shm";

/// Makes real devices.
pub struct Real;

struct Installation {
    network: Network,
    number: Actor,
    folder: tempfile::TempDir,
    store: Option<Handle>,
    death: Arc<Death>,
    ahead: Arc<AtomicI64>,
    tickets: Vec<Ticket>,
    unwritten: Ticket,
    /// What a reader of the feed knows to be in each mailbox.
    known: BTreeMap<i64, BTreeSet<u32>>,
    hashes: Mutex<BTreeMap<BodyId, u64>>,
}

/// When the process dies.
#[derive(Default)]
struct Death {
    /// Writes until then; negative for never.
    left: AtomicI64,
    came: Notify,
}

impl Death {
    /// Called before every write.
    fn write(&self) -> Result<()> {
        let left = self.left.load(Ordering::SeqCst);
        if left == 0 {
            self.came.notify_one();
            return Err(MailError::new(Code::StoreIo, "the process has died"));
        }
        self.left.store(left - i64::from(left > 0), Ordering::SeqCst);
        Ok(())
    }

    fn has_come(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }
}

impl device::Engine for Real {
    fn device(&self, number: Actor, network: &Network, _: &Sink) -> Box<dyn Device> {
        let folder = tempfile::Builder::new().prefix("mt-simulation-").tempdir_in(MEMORY);
        let folder = folder.or_else(|_| tempfile::tempdir()).unwrap();
        let mut device = Installation {
            network: network.clone(),
            number,
            folder,
            store: None,
            death: Arc::default(),
            ahead: Arc::default(),
            tickets: Vec::new(),
            unwritten: UNWRITTEN,
            known: BTreeMap::new(),
            hashes: Mutex::default(),
        };
        device.open();
        Box::new(device)
    }
}

impl Installation {
    /// Opens the store, as a process that starts does.
    fn open(&mut self) {
        self.store = None;
        // What is left of the old process cannot write any more.
        self.death.left.store(0, Ordering::SeqCst);
        self.death = Arc::new(Death { left: AtomicI64::new(-1), ..Death::default() });
        let mut options = SqliteOptions::default();
        let death = Arc::clone(&self.death);
        options.fault = Some(Arc::new(move |_| death.write()));
        options.id = Some(format!("device{}", self.number));
        let store = SqliteStore::open(&self.folder.path().join("ada.mail"), options).unwrap();
        let store: Arc<dyn mailtide::store::Store> = Arc::new(store);
        let mut writer = store.write(Durability::Full).unwrap();
        let account =
            StoredAccount { address: "ada@model.invalid".to_owned(), settings: "{}".to_owned(), identity: None };
        writer.set_account(&account).unwrap();
        writer.commit().unwrap();
        self.store = Some(Handle::inline(store));
    }

    fn handle(&self) -> Handle {
        self.store.clone().unwrap()
    }

    fn read<T>(&self, ask: impl FnOnce(&dyn Reader) -> Result<T>) -> T {
        let handle = self.handle();
        let reader = handle.store().read().unwrap();
        ask(&*reader).unwrap()
    }

    fn write<T>(&self, change: impl FnOnce(&mut dyn Writer) -> Result<T>) -> Result<T> {
        let handle = self.handle();
        let mut writer = handle.store().write(Durability::Full)?;
        let done = change(&mut *writer)?;
        writer.commit()?;
        Ok(done)
    }

    fn now(&self) -> Now {
        Now::from_millis(clock(&self.network, &self.ahead))
    }

    async fn pass(&mut self) -> Result<()> {
        let mut account = Account::from_url("imap://ada:lovelace@model.invalid")?;
        let (way, number) = (self.network.clone(), self.number);
        account.net.dialer = Some(Dialer::new(move || Ok(Box::new(way.connect(number)) as Box<dyn Given>)));
        let engine = Engine::new(EngineOptions::default(), tokio::runtime::Handle::current());
        let session = engine.connect(account).await?;
        let mut options = SyncOptions::default();
        let (network, ahead) = (self.network.clone(), Arc::clone(&self.ahead));
        options.environment.now = Arc::new(move || clock(&network, &ahead));
        options.environment.random = Arc::new(|| 0.5);
        let result = sync(&session, self.handle(), options).await;
        session.close().await?;
        let report = result?;
        // Not all could be read: there is more to do.
        report.problems.into_iter().next().map_or(Ok(()), Err)
    }

    fn take(&mut self, verb: Verb) -> Result<Ticket> {
        let now = self.now();
        let before: BTreeSet<i64> = self.read(|reader| reader.pending()).iter().map(|entry| entry.id).collect();
        let new = self.write(|writer| {
            apply(writer, verb, now)?;
            let pending = writer.pending()?;
            Ok(pending.into_iter().map(|entry| entry.id).find(|id| !before.contains(id)))
        })?;
        let ticket = new.map_or_else(
            || {
                self.unwritten += 1;
                self.unwritten
            },
            |id| u64::try_from(id).unwrap(),
        );
        self.tickets.push(ticket);
        Ok(ticket)
    }

    fn hash(&self, reader: &dyn Reader, row: &mailtide::store::MessageRow) -> Option<u64> {
        let id = row.body?;
        let known = self.hashes.lock().unwrap().get(&id).copied();
        Some(known.unwrap_or_else(|| {
            let hash = letter::hash(&body::read(reader, row.id, u64::MAX).unwrap());
            self.hashes.lock().unwrap().insert(id, hash);
            hash
        }))
    }

    fn shown(&self, reader: &dyn Reader) -> Result<Snapshot> {
        let mut all = Snapshot::new();
        for mailbox in reader.mailboxes()? {
            let mut messages = Vec::new();
            for row in reader.list(mailbox.id, Page { after: None, limit: 100_000, newest_first: false })? {
                let header = reader.headers(row.message.id)?.map(|headers| headers.header);
                messages.push(LocalMessage {
                    id: local(mailbox.id, row.placement.uid),
                    uid: row.placement.remote_uid,
                    flags: words(&row.placement.flags),
                    token: header.and_then(|header| letter::token(&header)),
                    body: self.hash(reader, &row.message),
                });
            }
            let remote = mailbox.remote.as_ref();
            let name = remote.map_or(mailbox.name, |remote| String::from_utf8(remote.name.clone()).unwrap());
            let uid_validity = remote.map(|remote| remote.uid_validity).filter(|validity| *validity > 0);
            all.insert(name, LocalMailbox { uid_validity, messages });
        }
        Ok(all)
    }

    /// What an entry of the feed tells.
    fn tell(&mut self, change: Change, notes: &mut Vec<Note>) {
        match change {
            Change::Added { mailbox, uid, flags, .. } | Change::Flagged { mailbox, uid, flags, .. } => {
                self.known.entry(mailbox.0).or_default().insert(uid);
                notes.push(Note::There { id: local(mailbox, uid), flags: words(&flags) });
            }
            Change::Removed { mailbox, uid, .. } => {
                self.known.entry(mailbox.0).or_default().remove(&uid);
                notes.push(Note::Gone { id: local(mailbox, uid) });
            }
            Change::MailboxGone { mailbox } | Change::MailboxReset { mailbox } => {
                let gone = self.known.remove(&mailbox.0).unwrap_or_default();
                notes.extend(gone.into_iter().map(|uid| Note::Gone { id: local(mailbox, uid) }));
            }
            _ => {}
        }
    }
}

fn clock(network: &Network, ahead: &AtomicI64) -> i64 {
    EPOCH + i64::try_from(network.now()).unwrap() + ahead.load(Ordering::SeqCst) * 1000
}

fn local(mailbox: MailboxId, uid: u32) -> LocalId {
    (u64::try_from(mailbox.0).unwrap() << 32) | u64::from(uid)
}

fn placed(id: LocalId) -> (MailboxId, UidSet) {
    let uid = u32::try_from(id & 0xffff_ffff).unwrap();
    (MailboxId(i64::try_from(id >> 32).unwrap()), UidSet::range(uid, uid))
}

fn words(flags: &Flags) -> BTreeSet<String> {
    flags.iter().map(|flag| flag.as_str().to_owned()).collect()
}

/// The mailbox that the simulation calls by its name on the wire.
fn named(reader: &dyn Reader, name: &str) -> Result<MailboxId> {
    let mirrored = reader.mailbox_mirroring(name.as_bytes())?;
    let row = mirrored.map_or_else(|| reader.mailbox_named(name), |row| Ok(Some(row)))?;
    row.map(|row| row.id).ok_or_else(|| MailError::new(Code::MailboxMissing, "There is no such mailbox"))
}

fn apply(writer: &mut dyn Writer, verb: Verb, now: Now) -> Result<()> {
    match verb {
        Verb::Flag { message, flag, set } => {
            let (mailbox, uids) = placed(message);
            let flags: Flags = [&Flag::from_server(flag.as_bytes())].into_iter().collect();
            let (add, remove) = if set { (flags, Flags::new()) } else { (Flags::new(), flags) };
            change::flag(writer, mailbox, &uids, &change::FlagDelta { add, remove }, now).map(drop)
        }
        Verb::Move { message, to } => {
            let ((mailbox, uids), to) = (placed(message), named(writer, &to)?);
            change::move_to(writer, mailbox, &uids, to, now).map(drop)
        }
        Verb::Copy { message, to } => {
            let ((mailbox, uids), to) = (placed(message), named(writer, &to)?);
            change::copy(writer, mailbox, &uids, to, now).map(drop)
        }
        Verb::Delete { message } => {
            let (mailbox, uids) = placed(message);
            change::expunge(writer, mailbox, &uids, now).map(drop)
        }
        Verb::Append { mailbox, bytes, flags } => append(writer, &mailbox, &bytes, &flags, now),
        Verb::Create { name } => {
            let name = mailtide::imap::MailboxName::from_server(name.into_bytes(), false);
            let delimiter = writer.mailboxes()?.iter().find_map(|row| row.delimiter);
            change::create(writer, name.as_str(), (delimiter, None), now).map(drop)
        }
        Verb::Send { .. } => Err(MailError::new(Code::UsageArgument, "There is no outbox yet")),
    }
}

fn append(writer: &mut dyn Writer, mailbox: &str, bytes: &[u8], flags: &BTreeSet<String>, now: Now) -> Result<()> {
    let to = named(writer, mailbox)?;
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let header = Bytes::copy_from_slice(&bytes[..end]);
    let (size, internal_date) = (bytes.len() as u64, InternalDate { seconds: now.seconds(), offset: 0 });
    let content = body::put(writer, bytes, &header, now)?;
    let new = NewMessage {
        size,
        internal_date,
        digest: Some(derive::digest(&header, size, internal_date)),
        email_id: None,
        links: derive::links(&header),
        headers: Headers { header, ..Headers::default() },
    };
    let flags: Vec<Flag> = flags.iter().map(|flag| Flag::from_server(flag.as_bytes())).collect();
    change::append(writer, to, (&new, content), flags.iter().collect(), now).map(drop)
}

/// Changes that are parked, and those that wait for them.
fn held(pending: &[Entry]) -> BTreeSet<i64> {
    let mut held = BTreeSet::new();
    for (at, entry) in pending.iter().enumerate() {
        let waits = order::dependencies(&entry.intent, &pending[..at]).iter().any(|id| held.contains(id));
        if waits || matches!(entry.state, State::Parked { .. }) {
            held.insert(entry.id);
        }
    }
    held
}

fn fate(state: &State) -> Fate {
    match state {
        State::Waiting | State::Started { .. } => Fate::Pending,
        State::Applied { .. } => Fate::Applied,
        State::Superseded { by: Cause::LaterLocal } => Fate::Merged,
        State::Superseded { .. } => Fate::Superseded,
        State::Parked { .. } => Fate::Parked(state.to_string()),
    }
}

impl Device for Installation {
    fn sync(&mut self) -> Soon<'_, Pass> {
        Box::pin(async {
            let death = Arc::clone(&self.death);
            let result = tokio::select! {
                () = death.came.notified() => return Pass::Crashed,
                result = self.pass() => result,
            };
            match result {
                _ if self.death.has_come() => Pass::Crashed,
                Ok(()) => Pass::Done,
                Err(error) => Pass::Failed(format!("{}: {error}", error.code().as_str())),
            }
        })
    }

    fn act(&mut self, verb: Verb) -> Soon<'_, Acted> {
        Box::pin(async {
            match self.take(verb) {
                Ok(ticket) => Acted::Taken(ticket),
                Err(_) if self.death.has_come() => Acted::Crashed,
                Err(error) => Acted::Refused(error.to_string()),
            }
        })
    }

    fn snapshot(&mut self) -> Soon<'_, Snapshot> {
        Box::pin(async { self.read(|reader| self.shown(reader)) })
    }

    fn fates(&mut self) -> Soon<'_, BTreeMap<Ticket, Fate>> {
        Box::pin(async {
            self.read(|reader| {
                let mut fates = BTreeMap::new();
                let held = held(&reader.pending()?);
                for ticket in &self.tickets {
                    if *ticket > UNWRITTEN {
                        fates.insert(*ticket, Fate::Merged);
                    } else if let Some(entry) = reader.intent(IntentId(i64::try_from(*ticket).unwrap()))? {
                        let waits = entry.state == State::Waiting && held.contains(&entry.id);
                        let parked = || Fate::Parked("waits for a parked change".to_owned());
                        fates.insert(*ticket, if waits { parked() } else { fate(&entry.state) });
                    }
                }
                Ok(fates)
            })
        })
    }

    fn outbox(&mut self) -> Soon<'_, BTreeMap<Ticket, Sent>> {
        Box::pin(async { BTreeMap::new() })
    }

    fn changes(&mut self, after: u64) -> Soon<'_, (Vec<Note>, u64)> {
        Box::pin(async move {
            let store = self.handle().store().id().clone();
            let (mut notes, mut cursor) = (Vec::new(), Cursor { store: store.clone(), number: after });
            loop {
                let batch = self.read(|reader| feed::since(reader, &store, &cursor, 1000));
                for row in batch.rows {
                    self.tell(row.change, &mut notes);
                }
                cursor = batch.cursor;
                if batch.is_last {
                    return (notes, cursor.number);
                }
            }
        })
    }

    fn crash_at(&mut self, call: Option<u32>) {
        self.death.left.store(call.map_or(-1, i64::from), Ordering::SeqCst);
    }

    fn restart(&mut self) -> Soon<'_, ()> {
        Box::pin(async { self.open() })
    }

    fn set_clock(&mut self, ahead: i64) {
        self.ahead.store(ahead, Ordering::SeqCst);
    }
}
