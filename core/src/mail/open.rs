//! Opening a local mailbox: the file, and whose mail is in it. No network is asked.

use super::{Inner, Mail, now};
use crate::error::{Code, MailError, Result};
use crate::imap::INBOX;
use crate::message::EmailAddress;
use crate::outbox::SmtpAccount;
use crate::session::{Account, Engine, EngineOptions};
use crate::store::{self, Durability, Handle, KeepRule, SqliteOptions, SqliteStore, Store, Writer, change};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::runtime;
use tokio::sync::{Mutex, watch};

/// Options of [`Mail::open`].
#[derive(Clone, Debug, Default)]
pub struct MailOptions {
    /// The account that it is kept in step with. A file knows its account: opened without one it can be read and
    /// changed, and is brought in step when it is opened with it again.
    pub account: Option<Account>,
    /// Where messages are handed in; without it [`Mail::send`] is refused.
    pub smtp: Option<SmtpAccount>,
    /// Who writes drafts that do not say so; the account's user unless given, if that is an address.
    pub sender: Option<EmailAddress>,
    /// The engine for live sessions; one of its own, on the runtime of the call, unless given.
    pub engine: Option<Engine>,
    /// How much is held of messages, in all mailboxes without a rule of their own; what the file has unless given.
    pub keep: Option<KeepRule>,
}

impl Mail {
    /// Opens the mail in a file, or makes one, readable by its owner only. No network is asked.
    ///
    /// # Errors
    ///
    /// [`Code::UsageArgument`] for the file of another account, and what [`SqliteStore::open`] says.
    pub async fn open(path: impl AsRef<Path>, options: MailOptions) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let file = path.clone();
        let opened = tokio::task::spawn_blocking(move || SqliteStore::open(&file, SqliteOptions::default())).await;
        let store = opened.map_err(|_| MailError::new(Code::Internal, "Opening the store was interrupted"))??;
        let (id, handle) = (store.id().clone(), Handle::new(Arc::new(store))?);
        let (account, keep) = (options.account.as_ref().map(row_of), options.keep);
        let found = handle.read(|reader| Ok((reader.account()?, reader.mailbox_named(INBOX)?))).await?;
        let (known, inbox) = found;
        check(known.as_ref(), account.as_ref())?;
        let begins = known.is_none() && (account.is_some() || inbox.is_none());
        let label = account.as_ref().or(known.as_ref()).map_or_else(|| id.to_string(), |a| a.address.clone());
        if begins || keep.is_some() {
            let begin = move |writer: &mut dyn Writer| begin(writer, account.as_ref(), keep);
            handle.write(Durability::Full, begin).await?;
        }
        let own = || Engine::new(EngineOptions::default(), runtime::Handle::current());
        let engine = options.engine.unwrap_or_else(own);
        Ok(Self(Arc::new(Inner {
            path,
            handle,
            engine,
            account: options.account,
            smtp: options.smtp,
            sender: options.sender,
            label: label.into(),
            live: Mutex::default(),
            closed: AtomicBool::new(false),
            closing: watch::Sender::new(false),
            network: watch::Sender::new(None),
            bringing: super::content::Turns::default(),
        })))
    }
}

fn row_of(account: &Account) -> store::Account {
    let settings = serde_json::json!({ "host": account.host, "port": account.port, "user": account.user });
    store::Account { address: account.label(), settings: settings.to_string(), identity: None }
}

/// A mirror is never brought in step with another account's mail.
fn check(known: Option<&store::Account>, given: Option<&store::Account>) -> Result<()> {
    match (known, given) {
        (Some(known), Some(given)) if known.address != given.address => {
            let text = format!("The file holds the mail of {}, not of {}", known.address, given.address);
            Err(MailError::new(Code::UsageArgument, text).hint("Give each account a file of its own"))
        }
        _ => Ok(()),
    }
}

/// What a new file begins with. INBOX is always there (RFC 9051 section 5.1); of an account it comes with the first pass.
fn begin(writer: &mut dyn Writer, account: Option<&store::Account>, keep: Option<KeepRule>) -> Result<()> {
    if let Some(keep) = keep {
        writer.set_keep(None, Some(keep))?;
    }
    if writer.account()?.is_none() {
        match account {
            Some(account) if writer.mailboxes()?.is_empty() => writer.set_account(account)?,
            Some(_) => {
                let text = "The file holds mail with no account behind it";
                return Err(MailError::new(Code::UsageArgument, text).hint("Give the account a file of its own"));
            }
            None if writer.mailbox_named(INBOX)?.is_none() => {
                change::create(writer, INBOX, (Some('/'), None), now()).map(drop)?;
            }
            None => {}
        }
    }
    Ok(())
}
