//! The local mailbox, in step with an account: where store, sync, outbox and watch meet.
//!
//! Everything is read from the store and written to it, with a network or without; what is done here is sent by the next
//! [`Mail::sync`].
//!
//! ```text
//! Mail, LocalMailbox -> store (read, change) ; sync, outbox, watch -> a live session, made when it is first needed
//! ```

mod any;
mod append;
mod archive;
mod changes;
mod content;
mod deleted;
mod feed;
mod fetch;
mod follow;
mod listen;
mod mailbox;
mod manage;
mod names;
mod open;
mod pending;
mod reading;
mod search;
mod select;
mod send;
mod serve;
mod upkeep;
mod write;

pub use any::{AnyMailbox, Mailboxes};
pub use archive::{ArchiveFormat, ExportOptions, Exported, ImportOptions, Imported};
pub use deleted::DeletedMessage;
pub use follow::FollowOptions;
pub use mailbox::LocalMailbox;
pub(crate) use names::existing_or_new;
pub use open::MailOptions;
pub use search::{MailHit, MailSearchOptions};

use crate::error::{Code, MailError, Result};
use crate::message::{AddrSpec, EmailAddress};
use crate::outbox::SmtpAccount;
use crate::session::{Account, Engine, Session, Target};
use crate::store::{Handle, Now};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Mutex, watch};

/// A person's whole mail on this machine, in step with an account on a server; without an account, a mailbox with
/// nothing behind it. Cheap to clone and safe to share between tasks.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use mailtide::{AppendOptions, AppendSource, FetchOptions, Mail, MailOptions, Query};
///
/// let folder = tempfile::tempdir().unwrap();
/// let mail = Mail::open(folder.path().join("ada.mail"), MailOptions::default()).await?;
/// let inbox = mail.mailbox("INBOX")?;
/// let raw = "From: ada@example.org\r\nSubject: moth\r\n\r\nFound in relay 70.\r\n";
/// inbox.append(AppendSource::Bytes(raw.into()), AppendOptions::default()).await?;
/// let mut found = inbox.fetch(Query::parse("relay")?, FetchOptions::default());
/// let batch = found.next_batch().await?.unwrap();
/// assert_eq!(batch[0].subject().as_deref(), Some("moth"));
/// # mail.close().await
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Mail(Arc<Inner>);

struct Inner {
    path: PathBuf,
    handle: Handle,
    engine: Engine,
    account: Option<Account>,
    smtp: Option<SmtpAccount>,
    sender: Option<EmailAddress>,
    label: Arc<str>,
    live: Mutex<Option<Session>>,
    closed: AtomicBool,
    closing: watch::Sender<bool>,
    /// Why the server cannot be reached, while [`Mail::keep_in_sync`] waits for that to end.
    network: watch::Sender<Option<MailError>>,
    bringing: content::Turns,
}

impl Mail {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The account part of its [references](crate::MessageRef): `user@host`; the store's id where there is no account.
    #[must_use]
    pub fn label(&self) -> &Arc<str> {
        &self.0.label
    }

    /// The account, as it was given.
    #[must_use]
    pub fn account(&self) -> Option<&Account> {
        self.0.account.as_ref()
    }

    /// The engine that its live sessions belong to.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// The store under it.
    #[must_use]
    pub fn store(&self) -> &Handle {
        &self.0.handle
    }

    /// A mailbox. No I/O happens: whether it is there shows at the first call.
    ///
    /// Refuses names that no server can have ([`Code::UsageArgument`]).
    pub fn mailbox(&self, target: impl Into<Target>) -> Result<LocalMailbox> {
        let target = target.into();
        target.check()?;
        Ok(LocalMailbox::new(self.clone(), target))
    }

    /// Whether it has been closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Acquire)
    }

    /// Logs out where there is a live session, and ends [`Mail::keep_in_sync`] and the feeds of [`Mail::changes`]. Later
    /// calls are [`Code::UsageClosed`]; closing twice is fine. The file is let go with the last clone and message.
    pub async fn close(&self) -> Result<()> {
        if self.0.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        self.0.closing.send_replace(true);
        match self.0.live.lock().await.take() {
            Some(session) => session.close().await,
            None => Ok(()),
        }
    }

    /// The addresses of whoever's mail it is, as far as they are known.
    fn me(&self) -> Vec<String> {
        let users = [self.0.account.as_ref().map(|a| &a.user), self.0.smtp.as_ref().map(|s| &s.user)];
        let given = self.0.sender.iter().map(|sender| &sender.email);
        let known = given.chain(users.into_iter().flatten()).filter_map(|address| AddrSpec::parse(address).ok());
        known.map(|address| address.to_string()).collect()
    }

    /// The store, while this is open.
    fn handle(&self) -> Result<&Handle> {
        if self.is_closed() {
            return Err(MailError::new(Code::UsageClosed, "The mailbox is closed"));
        }
        Ok(&self.0.handle)
    }

    /// The same for a change; refused where the account was opened read-only.
    fn writable(&self) -> Result<&Handle> {
        if self.0.account.as_ref().is_some_and(|account| account.read_only) {
            return Err(MailError::new(Code::UsageReadOnly, "The account was opened read-only"));
        }
        self.handle()
    }

    /// The live session, made when it is first needed.
    async fn live(&self) -> Result<Session> {
        self.handle()?;
        let account = self.0.account.clone().ok_or_else(no_account)?;
        let mut live = self.0.live.lock().await;
        if let Some(session) = live.as_ref().filter(|session| !session.is_closed()) {
            return Ok(session.clone());
        }
        let session = self.0.engine.connect(account).await?;
        if self.is_closed() {
            session.close().await?;
        }
        Ok(live.insert(session).clone())
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("path", &self.0.path).field("account", &self.0.label).finish_non_exhaustive()
    }
}

fn no_account() -> MailError {
    MailError::new(Code::UsageArgument, "The mailbox was opened without an account")
        .hint("Give an account to open() to reach its server")
}

/// The clock of this machine.
fn now() -> Now {
    Now::from_millis(jiff::Timestamp::now().as_millisecond())
}
