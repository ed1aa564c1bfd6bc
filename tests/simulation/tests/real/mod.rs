//! The engine itself as a device of the simulation: real sessions, the real sync and outbox, a real SQLite store on a disk
//! of its own whose calls can fail, and whose process can die before each of them.

mod disk;
mod outgoing;
mod verbs;

use disk::{Disk, Trouble};
use mailtide::journal::State;
use mailtide::store::{
    BodyId, Change, Cursor, Durability, Flags, Handle, IntentId, MessageId, MessageRow, Now, Page, Reader, SqliteStore,
    Store, Writer, body, feed,
};
use mailtide::sync::{SyncOptions, sync};
use mailtide::{Account, Bug, Dialer, Engine, EngineOptions, Given, Result, Session, plant};
use mailtide_simulation::device::{self, Acted, Device, Fate, LocalMailbox, LocalMessage, Note, Pass, Sent, Snapshot};
use mailtide_simulation::device::{Soon, StoreFault, Ticket, Verb};
use mailtide_simulation::letter;
use mailtide_simulation::model::Actor;
use mailtide_simulation::network::Network;
use mailtide_simulation::smtp::Sink;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use verbs::{apply, fate, held, local};

/// Where the clock of a device starts, in milliseconds since 1970; the model starts there as well.
const EPOCH: i64 = 1_700_000_000_000;
/// What the next version of the engine adds to a store.
const NEXT_VERSION: &str = "CREATE TABLE novelties (id INTEGER PRIMARY KEY) STRICT;
    CREATE INDEX novelty ON placements (mailbox, mod_seq);";
/// Tickets of changes that left no entry in the journal.
const UNWRITTEN: Ticket = 1 << 40;

/// Makes real devices, right or with a mistake.
#[derive(Clone, Copy, Debug, Default)]
pub struct Real {
    /// The mistake.
    pub bug: Option<Bug>,
}

struct Installation {
    network: Network,
    sink: Sink,
    number: Actor,
    folder: tempfile::TempDir,
    process: Option<Process>,
    ahead: Arc<AtomicI64>,
    tickets: Vec<Ticket>,
    unwritten: Ticket,
    /// What a reader of the feed knows to be in each mailbox.
    known: BTreeMap<i64, BTreeSet<u32>>,
    read: Mutex<Looked>,
    complaints: Vec<String>,
    /// What came of a change in the middle of a pass: the entry that it left in the journal.
    made: Arc<Mutex<Option<Result<Option<i64>>>>>,
    /// Whether the next version of the engine has come.
    is_upgraded: bool,
    /// Messages to be sent: the outbox forgets those that are done after 30 days, by a clock that jumps.
    sent: BTreeMap<Ticket, Sent>,
}

/// What ends with the process.
struct Process {
    handle: Handle,
    /// The store past all trouble, for who looks on.
    store: Arc<SqliteStore>,
    trouble: Arc<Trouble>,
    session: Option<Session>,
}

/// What was read already and cannot have changed.
#[derive(Default)]
struct Looked {
    hashes: BTreeMap<BodyId, u64>,
    tokens: BTreeMap<MessageId, Option<u64>>,
    shown: Option<(u64, Snapshot)>,
}

impl device::Engine for Real {
    fn device(&self, number: Actor, network: &Network, sink: &Sink) -> Box<dyn Device> {
        // Whatever a history does, one thread does.
        plant(self.bug);
        let mut device = Installation {
            network: network.clone(),
            sink: sink.clone(),
            number,
            folder: disk::folder(),
            process: None,
            ahead: Arc::default(),
            tickets: Vec::new(),
            unwritten: UNWRITTEN,
            known: BTreeMap::new(),
            read: Mutex::default(),
            complaints: Vec::new(),
            made: Arc::default(),
            is_upgraded: false,
            sent: BTreeMap::new(),
        };
        disk::put_store(&device.path(), number);
        device.start();
        Box::new(device)
    }
}

impl Installation {
    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("ada.mail")
    }

    /// A process starts on the disk as it is.
    fn start(&mut self) {
        if let Some(old) = self.process.take() {
            // What is left of the old process cannot do anything any more.
            old.trouble.die_at(Some(0));
        }
        let next = self.is_upgraded.then_some(NEXT_VERSION);
        let (disk, store) = Disk::open(&self.path(), (self.number, next), self.clock());
        let trouble = disk.trouble();
        self.process = Some(Process { handle: Handle::inline(Arc::new(disk)), store, trouble, session: None });
        self.read.get_mut().unwrap().shown = None;
    }

    fn process(&self) -> &Process {
        self.process.as_ref().unwrap()
    }

    fn clock(&self) -> Arc<dyn Fn() -> i64 + Send + Sync> {
        let (network, ahead) = (self.network.clone(), Arc::clone(&self.ahead));
        Arc::new(move || EPOCH + i64::try_from(network.now()).unwrap() + ahead.load(Ordering::SeqCst) * 1000)
    }

    /// Looks past all trouble.
    fn look<T>(&self, ask: impl FnOnce(&dyn Reader) -> Result<T>) -> T {
        ask(&*self.process().store.read().unwrap()).unwrap()
    }

    async fn session(&mut self) -> Result<Session> {
        let live = self.process().session.clone().filter(|session| !session.is_closed());
        if let Some(session) = live {
            return Ok(session);
        }
        let mut account = Account::from_url("imap://ada:lovelace@model.invalid")?;
        let (way, number) = (self.network.clone(), self.number);
        account.net.dialer = Some(Dialer::new(move || Ok(Box::new(way.connect(number)) as Box<dyn Given>)));
        let engine = Engine::new(EngineOptions::default(), tokio::runtime::Handle::current());
        let session = engine.connect(account).await?;
        self.process.as_mut().unwrap().session = Some(session.clone());
        Ok(session)
    }

    async fn pass(&mut self) -> Result<()> {
        let session = self.session().await?;
        let mut options = SyncOptions::default();
        options.environment.now = self.clock();
        options.environment.random = Arc::new(|| 0.5);
        let report = sync(&session, self.process().handle.clone(), options).await?;
        let clock = outgoing::Clock(self.clock());
        outgoing::send_due(&self.process().handle, &self.sink, &session, clock).await?;
        // Not all could be read: there is more to do.
        report.problems.into_iter().next().map_or(Ok(()), Err)
    }

    async fn take(&mut self, verb: Verb) -> Result<Ticket> {
        if let Verb::Send { bytes } = verb {
            let clock = outgoing::Clock(self.clock());
            return outgoing::queue(&self.process().handle, &self.sink, clock, bytes).await;
        }
        let now = Now::from_millis((self.clock())());
        let change = move |writer: &mut dyn Writer| change(writer, verb, now);
        let new = self.process().handle.write(Durability::Full, change).await?;
        Ok(self.ticket(new))
    }

    /// The ticket of a change that left that entry in the journal.
    fn ticket(&mut self, new: Option<i64>) -> Ticket {
        self.unwritten += u64::from(new.is_none());
        let ticket = new.map_or(self.unwritten, |id| u64::try_from(id).unwrap());
        self.tickets.push(ticket);
        ticket
    }

    fn hash(&self, reader: &dyn Reader, row: &MessageRow) -> Option<u64> {
        let id = row.body?;
        let mut read = self.read.lock().unwrap();
        let hash = || letter::hash(&body::read(reader, row.id, u64::MAX).unwrap());
        Some(*read.hashes.entry(id).or_insert_with(hash))
    }

    fn token(&self, reader: &dyn Reader, id: MessageId) -> Option<u64> {
        let mut read = self.read.lock().unwrap();
        let token = || letter::token(&reader.headers(id).unwrap()?.header);
        *read.tokens.entry(id).or_insert_with(token)
    }

    fn shown(&self, reader: &dyn Reader) -> Result<Snapshot> {
        let mut all = Snapshot::new();
        for mailbox in reader.mailboxes()? {
            let mut messages = Vec::new();
            for row in reader.list(mailbox.id, Page { after: None, limit: 100_000, newest_first: false })? {
                messages.push(LocalMessage {
                    id: local(mailbox.id, row.placement.uid),
                    uid: row.placement.remote_uid,
                    flags: words(&row.placement.flags),
                    token: self.token(reader, row.message.id),
                    body: self.hash(reader, &row.message),
                    is_refused: row.message.problem.is_some(),
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

    fn fate_of(&self, reader: &dyn Reader, ticket: Ticket, held: &BTreeSet<i64>) -> Result<Option<Fate>> {
        if ticket > UNWRITTEN {
            return Ok(Some(Fate::Merged));
        }
        let Some(entry) = reader.intent(IntentId(i64::try_from(ticket).unwrap()))? else { return Ok(None) };
        let waits = entry.state == State::Waiting && held.contains(&entry.id);
        let parked = || Fate::Parked("waits for a parked change".to_owned());
        Ok(Some(if waits { parked() } else { fate(&entry.state) }))
    }
}

/// Makes a local change; the entry of the journal that is new.
fn change(writer: &mut dyn Writer, verb: Verb, now: Now) -> Result<Option<i64>> {
    let before: BTreeSet<i64> = writer.pending()?.iter().map(|entry| entry.id).collect();
    apply(writer, verb, now)?;
    let pending = writer.pending()?;
    Ok(pending.into_iter().map(|entry| entry.id).find(|id| !before.contains(id)))
}

/// The same as another task of the process does it, in a transaction of its own.
fn change_alone(store: &dyn Store, verb: Verb, now: Now) -> Result<Option<i64>> {
    let mut writer = store.write(Durability::Full)?;
    let new = change(&mut *writer, verb, now)?;
    writer.commit()?;
    Ok(new)
}

fn words(flags: &Flags) -> BTreeSet<String> {
    flags.iter().map(|flag| flag.as_str().to_owned()).collect()
}

impl Device for Installation {
    fn sync(&mut self) -> Soon<'_, Pass> {
        Box::pin(async {
            let trouble = Arc::clone(&self.process().trouble);
            disk::forget(&trouble);
            let result = tokio::select! {
                biased;
                () = trouble.came.notified() => return Pass::Crashed,
                result = self.pass() => result,
            };
            let trespass = self.look(|reader| Ok(disk::trespass(&trouble, reader)));
            self.complaints.extend(trespass);
            self.sent.extend(outgoing::states(&*self.process().store));
            match result {
                _ if trouble.has_died() => Pass::Crashed,
                Ok(()) => Pass::Done,
                Err(error) => Pass::Failed(format!("{}: {error}", error.code().as_str())),
            }
        })
    }

    fn act(&mut self, verb: Verb) -> Soon<'_, Acted> {
        Box::pin(async {
            match self.take(verb).await {
                Ok(ticket) => Acted::Taken(ticket),
                Err(_) if self.process().trouble.has_died() => Acted::Crashed,
                Err(error) => Acted::Refused(error.to_string()),
            }
        })
    }

    fn snapshot(&mut self) -> Soon<'_, Snapshot> {
        Box::pin(async {
            let commits = self.process().trouble.commits();
            let known = self.read.get_mut().unwrap().shown.take().filter(|(at, _)| *at == commits);
            let shown = known.map_or_else(|| self.look(|reader| self.shown(reader)), |(_, shown)| shown);
            self.read.get_mut().unwrap().shown = Some((commits, shown.clone()));
            shown
        })
    }

    fn fates(&mut self) -> Soon<'_, BTreeMap<Ticket, Fate>> {
        Box::pin(async {
            self.look(|reader| {
                let held = held(&reader.pending()?);
                let mut fates = BTreeMap::new();
                for ticket in &self.tickets {
                    fates.extend(self.fate_of(reader, *ticket, &held)?.map(|fate| (*ticket, fate)));
                }
                Ok(fates)
            })
        })
    }

    fn outbox(&mut self) -> Soon<'_, BTreeMap<Ticket, Sent>> {
        Box::pin(async {
            self.sent.extend(outgoing::states(&*self.process().store));
            self.sent.clone()
        })
    }

    fn changes(&mut self, after: u64) -> Soon<'_, (Vec<Note>, u64)> {
        Box::pin(async move {
            let store = self.process().store.id().clone();
            let (mut notes, mut cursor) = (Vec::new(), Cursor { store: store.clone(), number: after });
            loop {
                let batch = self.look(|reader| feed::since(reader, &store, &cursor, 1000));
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
        self.process().trouble.die_at(call);
    }

    fn fail_at(&mut self, fault: Option<(u32, StoreFault)>) {
        self.process().trouble.fail_at(fault);
    }

    fn act_at(&mut self, act: Option<(u32, Verb)>) {
        let trouble = Arc::clone(&self.process().trouble);
        let Some((call, verb)) = act else { return trouble.meanwhile(None) };
        let (clock, made) = (self.clock(), Arc::clone(&self.made));
        let act: disk::Meanwhile = Box::new(move |store| {
            *made.lock().unwrap() = Some(change_alone(store, verb, Now::from_millis(clock())));
        });
        trouble.meanwhile(Some((call, act)));
    }

    fn acted(&mut self) -> Option<(Acted, bool)> {
        let made = self.made.lock().unwrap().take()?;
        Some(match made {
            Ok(new) => (Acted::Taken(self.ticket(new)), new.is_some()),
            Err(error) => (Acted::Refused(error.to_string()), false),
        })
    }

    fn upgrade(&mut self) -> Soon<'_, ()> {
        self.is_upgraded = true;
        self.restart()
    }

    fn complaints(&mut self) -> Vec<String> {
        std::mem::take(&mut self.complaints)
    }

    fn restart(&mut self) -> Soon<'_, ()> {
        Box::pin(async { self.start() })
    }

    fn set_clock(&mut self, ahead: i64) {
        self.ahead.store(ahead, Ordering::SeqCst);
    }
}
