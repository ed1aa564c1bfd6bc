//! One installation: a store, a server, a submission server, and a clock. It plays steps of the script.

use crate::script::{SCRIPT, Step};
use crate::state::{self, Mail};
use bytes::Bytes;
use mailtide::imap::InternalDate;
use mailtide::message::Composed;
use mailtide::outbox::{Decision, Dial, Io, LiveSent, Moment, Outbox, StoreLedger};
use mailtide::store::{
    Account as StoredAccount, Durability, Handle, Now, SqliteOptions, SqliteStore, Store, Writer, lease,
};
use mailtide::sync::{SyncOptions, sync};
use mailtide::{Account, Code, Dialer, Engine, EngineOptions, Given, MailError, Result, SendOptions, Session};
use mailtide_simulation::letter;
use mailtide_simulation::model::Server;
use mailtide_simulation::network::Network;
use mailtide_simulation::smtp::Sink;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where the clock starts, in milliseconds since 1970; the model starts there as well.
const EPOCH: i64 = 1_700_000_000_000;
/// The device's number on the server.
pub const DEVICE: u32 = 1;
/// The name of the store's file.
pub const FILE: &str = "ada.mail";
/// How long a lease of a process that has died lasts, and a little.
const AFTER_DEATH: Duration = Duration::from_secs(120);
/// Passes after which everything has to be quiet.
const ROUNDS: u32 = 10;

pub struct World {
    pub network: Network,
    pub sink: Sink,
    pub path: PathBuf,
    pub options: SqliteOptions,
    handle: Option<Handle>,
}

impl World {
    /// Nothing is open yet. To be made inside a runtime whose clock is paused.
    pub fn new(server: Server, sink: Sink, path: PathBuf, options: SqliteOptions) -> Self {
        Self { network: Network::new(server), sink, path, options, handle: None }
    }

    /// The same where so many milliseconds have passed already, and a process has died.
    pub async fn later(server: Server, sink: Sink, path: PathBuf, options: SqliteOptions, at: u64) -> Self {
        let world = Self::new(server, sink, path, options);
        tokio::time::advance(Duration::from_millis(at) + AFTER_DEATH).await;
        world
    }

    pub fn handle(&self) -> Handle {
        self.handle.clone().unwrap()
    }

    pub fn now(&self) -> Now {
        Now::from_millis(clock(&self.network))
    }

    /// One step of the script. Done again after an error or a crash, it ends as if it had been done once.
    pub async fn play(&mut self, number: usize) -> Result<()> {
        tokio::time::advance(Duration::from_secs(3)).await;
        match SCRIPT[number] {
            Step::Open => self.open(),
            Step::Act(act) => self.act(number, act),
            Step::Send(token) => self.send(token).await,
            Step::Foreign(edit) => {
                self.network.server(edit);
                Ok(())
            }
            Step::Sync => self.sync().await,
            Step::Outbox => self.outbox().await,
            Step::Care(care) => care(&**self.handle().store(), self.now()),
        }
    }

    /// Opens the store, as a process that starts does.
    pub fn open(&mut self) -> Result<()> {
        self.handle = None;
        let store = SqliteStore::open(&self.path, self.options.clone())?;
        let known = store.read()?.account()?;
        if known.is_none() {
            let address = "ada@model.invalid".to_owned();
            let account = StoredAccount { address, settings: "{}".to_owned(), identity: None };
            let mut writer = store.write(Durability::Full)?;
            writer.set_account(&account)?;
            writer.commit()?;
        }
        self.handle = Some(Handle::inline(Arc::new(store)));
        Ok(())
    }

    /// Closes it.
    pub fn close(&mut self) {
        self.handle = None;
    }

    /// A local change, and in the same transaction the number of its step, by which it is known to be done.
    fn act(&self, number: usize, act: fn(&mut dyn Writer, Now) -> Result<()>) -> Result<()> {
        let handle = self.handle();
        let mut writer = handle.store().write(Durability::Full)?;
        let done = writer.note("step")?.map_or(0, |bytes| usize::from(bytes[0]));
        if done >= number {
            return Ok(());
        }
        act(&mut *writer, self.now())?;
        writer.set_note("step", Some(&[u8::try_from(number).unwrap()]))?;
        writer.commit()
    }

    async fn session(&self) -> Result<Session> {
        let mut account = Account::from_url("imap://ada:lovelace@model.invalid")?;
        let way = self.network.clone();
        account.net.dialer = Some(Dialer::new(move || Ok(Box::new(way.connect(DEVICE)) as Box<dyn Given>)));
        Engine::new(EngineOptions::default(), tokio::runtime::Handle::current()).connect(account).await
    }

    pub async fn sync(&self) -> Result<()> {
        let session = self.session().await?;
        let mut options = SyncOptions::default();
        let network = self.network.clone();
        options.environment.now = Arc::new(move || clock(&network));
        options.environment.random = Arc::new(|| 0.5);
        let result = sync(&session, self.handle(), options).await;
        session.close().await?;
        result?.problems.into_iter().next().map_or(Ok(()), Err)
    }

    fn ledger(&self, ledger: StoreLedger, session: Option<Session>) -> Outbox {
        let sink = self.sink.clone();
        let dial: Dial = Arc::new(move || {
            let wire = sink.connect();
            Box::pin(async move { Ok(Box::new(wire) as Box<dyn Io>) })
        });
        let sent = session.map(|session| Arc::new(LiveSent(session)) as Arc<_>);
        let moment = Arc::new(Dice(self.network.clone()));
        Outbox::dialling(Arc::new(ledger), dial, sent, "model.invalid").with_moment(moment)
    }

    async fn send(&self, token: u64) -> Result<()> {
        let message = Composed {
            raw: Bytes::from(letter::write(token, token, 300)),
            message_id: format!("m{token}@example.org"),
            date: InternalDate { seconds: self.now().seconds(), offset: 0 },
            sender: "ada@example.org".to_owned(),
            recipients: vec!["charles@example.org".to_owned()],
        };
        let outbox = self.ledger(StoreLedger::new(self.handle()), None);
        // The key is the Message-ID: queued again it is the same message.
        outbox.send_composed(&message, &SendOptions::default()).await.map(drop)
    }

    /// A pass of the outbox under the lease. What is uncertain is decided by somebody who asks the other server.
    pub async fn outbox(&self) -> Result<()> {
        let (handle, ttl) = (self.handle(), Duration::from_secs(60));
        let now = self.now();
        let take = move |writer: &mut dyn Writer| lease::take(writer, lease::SYNC, "a test", ttl, now);
        let taken = handle.write(Durability::Full, take).await?;
        let taken = taken.ok_or_else(|| MailError::new(Code::StoreLocked, "somebody else has the lease"))?;
        let session = self.session().await?;
        let outbox = self.ledger(StoreLedger::leased(handle.clone(), taken.clone()), Some(session.clone()));
        let done = self.pass(&outbox).await;
        session.close().await?;
        handle.write(Durability::Bulk, move |writer| lease::release(writer, &taken)).await?;
        done
    }

    async fn pass(&self, outbox: &Outbox) -> Result<()> {
        for entry in outbox.unfinished().await?.iter().filter(|entry| entry.needs_decision()) {
            let token = entry.message_id.trim_start_matches('m').split('@').next().and_then(|n| n.parse().ok());
            let was_sent = self.sink.taken(token.unwrap()) > 0;
            outbox.decide(entry.id, if was_sent { Decision::Sent } else { Decision::Resend }).await?;
        }
        let report = outbox.pass().await?;
        report.trouble.map_or(Ok(()), Err)
    }

    /// The steps from there on, then passes until nothing changes.
    pub async fn rest(&mut self, from: usize) -> Mail {
        for number in from..SCRIPT.len() {
            let mut done = self.play(number).await;
            if done.as_ref().is_err_and(|error| is_missing(error.code())) {
                // Bulk work was forgotten with the power: a pass brings it again, and then the user does what he wanted.
                self.sync().await.unwrap();
                done = self.play(number).await;
            }
            done.unwrap_or_else(|error| panic!("step {number}: {error} {}", error.code().as_str()));
        }
        self.calm().await
    }

    /// Passes until nothing changes; everything that there is then, compared with the server.
    pub async fn calm(&mut self) -> Mail {
        let mut before = None;
        for round in 0..ROUNDS {
            // Long enough for a daily audit in every other round.
            tokio::time::advance(Duration::from_secs(if round % 2 == 0 { 26 * 3600 } else { 1800 })).await;
            self.sync().await.unwrap();
            self.outbox().await.unwrap();
            let now = self.network.server(|server| state::on_server(server));
            if before.as_ref() == Some(&now) && !self.is_busy() {
                state::compare(&**self.handle().store(), &self.network);
                return now;
            }
            before = Some(now);
        }
        panic!("not quiet after {ROUNDS} rounds");
    }

    fn is_busy(&self) -> bool {
        let handle = self.handle();
        let reader = handle.store().read().unwrap();
        !reader.pending().unwrap().is_empty() || !reader.outbox_open().unwrap().is_empty()
    }

    /// How often each message was sent.
    pub fn sent(&self) -> BTreeMap<u64, u32> {
        let tokens = SCRIPT.iter().filter_map(|step| if let Step::Send(token) = step { Some(*token) } else { None });
        tokens.map(|token| (token, self.sink.taken(token))).collect()
    }
}

fn is_missing(code: Code) -> bool {
    matches!(code, Code::MessageMissing | Code::MailboxMissing)
}

fn clock(network: &Network) -> i64 {
    EPOCH + i64::try_from(network.now()).unwrap()
}

/// The clock of the model.
struct Dice(Network);

impl Moment for Dice {
    fn now(&self) -> i64 {
        clock(&self.0) / 1000
    }

    fn random(&self) -> f64 {
        0.5
    }
}
