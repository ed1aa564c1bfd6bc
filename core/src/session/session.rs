//! A session: live IMAP with one account, for any number of tasks at once.

use super::account::Account;
use super::connection::{Connection, closed};
use super::engine::Engine;
use super::mailbox::Mailbox;
use super::names::Names;
use super::pool::{BodyLease, Lease, Pool};
use super::selection::Target;
use crate::error::Result;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use tokio::sync::watch;

/// Live IMAP: a small pool of connections to one account. Cheap to clone and safe to share between tasks; nothing is
/// stored.
///
/// Every call can be given up by dropping its future, and leaves a usable session.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

pub(crate) struct Inner {
    engine: Engine,
    account: Arc<Account>,
    label: Arc<str>,
    pool: Arc<Pool>,
    pub(super) names: Names,
    closed: AtomicBool,
    /// Tells watches that the session is closed.
    closing: watch::Sender<bool>,
}

impl Session {
    pub(super) fn new(engine: Engine, account: Account) -> Self {
        let account = Arc::new(account);
        let (for_pool, by_engine) = (Arc::clone(&account), engine.clone());
        let opener = move || -> std::pin::Pin<Box<dyn Future<Output = Result<_>> + Send>> {
            let (account, engine) = (Arc::clone(&for_pool), by_engine.clone());
            Box::pin(async move { engine.open(&account, None).await })
        };
        let pool = Pool::new(engine.max_connections(), account.read_only, Box::new(opener));
        let label = account.label().into();
        let (closed, closing) = (AtomicBool::new(false), watch::channel(false).0);
        Self(Arc::new(Inner { engine, account, label, pool, names: Names::default(), closed, closing }))
    }

    /// Makes the first connection, so that wrong passwords are told at once.
    pub(super) async fn establish(&self) -> Result<()> {
        self.any().await.map(drop)
    }

    /// The account as it was given.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.0.account
    }

    /// The engine that it belongs to.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// A mailbox. No I/O happens: whether it is there shows at the first call.
    ///
    /// Refuses names that no server can have ([`Code::UsageArgument`](crate::Code::UsageArgument)).
    pub fn mailbox(&self, target: impl Into<Target>) -> Result<Mailbox> {
        let target = target.into();
        target.check()?;
        Ok(Mailbox::new(self.clone(), target))
    }

    /// Whether it has been closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Acquire)
    }

    /// Logs out. Calls still under way end with [`Code::UsageClosed`](crate::Code::UsageClosed) or, if the server has
    /// their answer ready, with it. Closing twice is fine.
    pub async fn close(&self) -> Result<()> {
        if !self.0.closed.swap(true, Ordering::AcqRel) {
            self.0.closing.send_replace(true);
            let patience = self.0.account.limits.connect;
            let _ = tokio::time::timeout(patience, self.0.pool.close()).await;
        }
        Ok(())
    }

    pub(super) fn downgrade(&self) -> Weak<Inner> {
        Arc::downgrade(&self.0)
    }

    pub(super) fn upgrade(weak: &Weak<Inner>) -> Option<Self> {
        weak.upgrade().map(Self)
    }

    /// `user@host`, the account part of a [`MessageRef`](crate::MessageRef).
    pub(crate) fn label(&self) -> &Arc<str> {
        &self.0.label
    }

    pub(crate) fn names(&self) -> &Names {
        &self.0.names
    }

    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.0.pool
    }

    /// A connection for one caller alone, who may change what it tells, and whether it was made some time ago.
    pub(crate) async fn own(&self) -> Result<(Connection, bool)> {
        self.open()?;
        match self.0.pool.claim() {
            Some(connection) => Ok((connection, true)),
            None => Ok((self.0.engine.open(&self.0.account, None).await?, false)),
        }
    }

    /// Becomes true when the session is closed.
    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.0.closing.subscribe()
    }

    pub(super) async fn any(&self) -> Result<Lease> {
        self.open()?;
        self.0.pool.any().await
    }

    /// A connection of one's own for bodies that come from elsewhere; `None` where there is only one for all.
    pub(super) async fn body(&self) -> Result<Option<BodyLease<'_>>> {
        self.open()?;
        self.0.pool.body().await
    }

    pub(super) async fn lease(&self, mailbox: &str) -> Result<Lease> {
        self.open()?;
        self.0.pool.mailbox(mailbox).await.map_err(|e| e.in_mailbox(mailbox))
    }

    fn open(&self) -> Result<()> {
        if self.is_closed() { Err(closed()) } else { Ok(()) }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("account", &self.0.label).field("closed", &self.is_closed()).finish()
    }
}
