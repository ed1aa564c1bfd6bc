//! What all sessions share: the runtime, the counters, the logger and the pace of logging in.

use super::account::Account;
use super::connection::{About, Connection, Counters, Logger};
use super::link::LineLog;
use super::observer::Observer;
use super::open::open;
use super::session::Session;
use super::settle::settle;
use crate::error::Result;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::Instant;

/// Settings of an [`Engine`].
#[derive(Clone)]
pub struct EngineOptions {
    /// Most connections to one account, watches excepted. Servers allow 10 to 20; phones and programs share them.
    pub max_connections: usize,
    /// Most logins in a second over all accounts; unbounded unless given.
    pub logins_per_second: Option<f64>,
    /// Receives every line of the protocol, redacted. Called on the connection's task: it must not block.
    pub logger: Option<Arc<dyn Fn(super::LogLine) + Send + Sync>>,
    /// Receives the counters whenever a connection has been made.
    pub on_stats: Option<Arc<dyn Fn(Stats) + Send + Sync>>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { max_connections: 4, logins_per_second: None, logger: None, on_stats: None }
    }
}

impl fmt::Debug for EngineOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineOptions").field("max_connections", &self.max_connections).finish_non_exhaustive()
    }
}

/// What an engine has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Connections open now.
    pub connections: u64,
    /// Connections made so far.
    pub opened: u64,
    /// Commands sent, logins excepted.
    pub commands: u64,
    /// Bytes received, after TLS.
    pub bytes_in: u64,
    /// Bytes sent, before TLS.
    pub bytes_out: u64,
}

/// Owns what sessions share. Cheap to clone; there is no other global state.
///
/// ```no_run
/// # async fn example() -> mailtide::Result<()> {
/// use mailtide::{Account, Engine, EngineOptions};
///
/// let engine = Engine::new(EngineOptions::default(), tokio::runtime::Handle::current());
/// let session = engine.connect(Account::from_url("imaps://ada:lovelace@imap.example.org")?).await?;
/// session.close().await
/// # }
/// ```
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    options: EngineOptions,
    runtime: Handle,
    counters: Arc<Counters>,
    next: AtomicU64,
    login: Mutex<Option<Instant>>,
    sessions: Mutex<Vec<Weak<super::session::Inner>>>,
}

impl Engine {
    /// An engine whose connections run on `runtime`.
    #[must_use]
    pub fn new(options: EngineOptions, runtime: Handle) -> Self {
        let counters = Arc::default();
        let (login, sessions) = (Mutex::new(None), Mutex::default());
        Self(Arc::new(Inner { options, runtime, counters, next: AtomicU64::new(1), login, sessions }))
    }

    /// Logs in. The session makes further connections by itself, as calls need them.
    pub async fn connect(&self, account: Account) -> Result<Session> {
        let session = Session::new(self.clone(), account);
        session.establish().await?;
        let mut sessions = self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|s| s.strong_count() > 0);
        sessions.push(session.downgrade());
        drop(sessions);
        Ok(session)
    }

    /// Closes every session, and waits at most `timeout` for the servers to agree.
    pub async fn close(&self, timeout: Duration) -> Result<()> {
        let sessions = std::mem::take(&mut *self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner));
        let closing = sessions.iter().filter_map(Session::upgrade).map(|s| async move { s.close().await });
        let _ = tokio::time::timeout(timeout, futures_util::future::join_all(closing)).await;
        Ok(())
    }

    /// What has been done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let count = |n: &AtomicU64| n.load(Ordering::Relaxed);
        let c = &self.0.counters;
        Stats {
            connections: count(&c.connections),
            opened: count(&c.opened),
            commands: count(&c.commands),
            bytes_in: count(&c.bytes_in),
            bytes_out: count(&c.bytes_out),
        }
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.0.runtime
    }

    pub(crate) fn max_connections(&self) -> usize {
        self.0.options.max_connections.max(1)
    }

    /// Makes a connection and logs in. What nobody asks for goes to `observer`.
    pub(crate) async fn open(&self, account: &Account, observer: Option<Observer>) -> Result<Connection> {
        self.pace().await;
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let logger: Option<Logger> = self.0.options.logger.clone();
        let log = logger.clone().map(|logger| -> LineLog {
            Arc::new(move |sent, text| logger(super::LogLine { connection: id, sent, text }))
        });
        let opened = open(account, log).await?;
        self.0.counters.opened.fetch_add(1, Ordering::Relaxed);
        if let Some(on_stats) = &self.0.options.on_stats {
            on_stats(self.stats());
        }
        let (greeting, watching) = (opened.greeting.clone(), observer.is_some());
        let quirks = account.quirks(&greeting, &[]);
        let counters = Arc::clone(&self.0.counters);
        let about = About { id, limits: account.limits.clone(), logger, counters, quirks };
        let connection = Connection::start(opened, about, observer, &self.0.runtime);
        settle(&connection, account, &greeting, watching).await?;
        Ok(connection)
    }

    /// Waits until another login keeps the pace.
    async fn pace(&self) {
        let Some(per_second) = self.0.options.logins_per_second.filter(|n| *n > 0.0) else { return };
        let gap = Duration::from_secs_f64((1.0 / per_second).min(3600.0));
        let at = {
            let mut next = self.0.login.lock().unwrap_or_else(PoisonError::into_inner);
            let at = next.map_or_else(Instant::now, |at| at.max(Instant::now()));
            *next = Some(at + gap);
            at
        };
        tokio::time::sleep_until(at).await;
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("stats", &self.stats()).finish()
    }
}
