//! The outbox: queue, take back, decide, and send what is due.

use super::account::SmtpAccount;
use super::connection::{Connect, Dial, Dialled};
use super::entry::{Decision, Entry};
use super::ledger::{Ledger, SentFolder};
use super::moment::{Moment, SystemMoment};
use super::pass::{Pass, PassReport};
use super::queue::{self, SendOptions};
use crate::error::{Code, MailError, Result};
use crate::imap::InternalDate;
use crate::message::{AddrSpec, Composed, Draft, EmailAddress};
use jiff::Zoned;
use std::fmt;
use std::sync::Arc;

/// Messages to be sent.
///
/// Queueing needs no network: what is queued is on the disk when the call returns, with the bytes that will be sent,
/// `Message-ID` and `Date` included. [`Outbox::pass`] sends what is due. A message ends accepted, rejected, cancelled, or
/// uncertain when the server's answer to it was lost; one that is uncertain is looked for in Sent and then left to
/// [`Outbox::decide`], never sent again by itself (RFC 1047).
#[derive(Clone)]
pub struct Outbox {
    ledger: Arc<dyn Ledger>,
    connect: Arc<dyn Connect>,
    sent: Option<Arc<dyn SentFolder>>,
    moment: Arc<dyn Moment>,
    host: Arc<str>,
    /// Who writes drafts that do not say so.
    sender: Option<EmailAddress>,
}

impl Outbox {
    /// The outbox of an account. Without `sent` no copies are filed, and what is uncertain is not looked for.
    #[must_use]
    pub fn new(ledger: Arc<dyn Ledger>, account: SmtpAccount, sent: Option<Arc<dyn SentFolder>>) -> Self {
        let host = account.host.as_str().into();
        let user = AddrSpec::parse(&account.user).ok();
        let sender = user.map(|user| EmailAddress { email: user.to_string(), ..EmailAddress::default() });
        Self { ledger, connect: Arc::new(account), sent, moment: Arc::new(SystemMoment), host, sender }
    }

    /// The same with somebody who writes drafts that do not say so; else it is the account's user, if that is an address.
    #[must_use]
    pub fn with_sender(self, sender: EmailAddress) -> Self {
        Self { sender: Some(sender), ..self }
    }

    /// The same with a clock and dice of its own.
    #[must_use]
    pub fn with_moment(self, moment: Arc<dyn Moment>) -> Self {
        Self { moment, ..self }
    }

    /// An outbox whose connections come from `dial`, already as safe as they will be, and need no login: for tests.
    #[doc(hidden)]
    #[must_use]
    pub fn dialling(ledger: Arc<dyn Ledger>, dial: Dial, sent: Option<Arc<dyn SentFolder>>, host: &str) -> Self {
        let (connect, moment) = (Arc::new(Dialled(dial)), Arc::new(SystemMoment));
        Self { ledger, connect, sent, moment, host: host.into(), sender: None }
    }

    /// Queues a draft. Its files are read now, and where it does not say who writes, the account's user does.
    ///
    /// # Errors
    ///
    /// As [`Draft::compose`]; [`Code::FileIo`] for a file that cannot be read, [`Code::LimitExceeded`] for one of more
    /// than 512 MiB; and what the store says.
    pub async fn send(&self, draft: &Draft, options: &SendOptions) -> Result<Entry> {
        let mut draft = draft.clone();
        draft.from = draft.from.or_else(|| self.sender.clone());
        let composed = queue::composed(draft, InternalDate::from_zoned(&Zoned::now())).await?;
        self.send_composed(&composed, options).await
    }

    /// Queues a message that is composed already.
    ///
    /// # Errors
    ///
    /// [`Code::UsageArgument`] where it holds a lone CR, a NUL or a line of more than 998 bytes; [`Code::UsageAddress`]
    /// where an address of the envelope is none, or it has no recipient; and what the store says.
    pub async fn send_composed(&self, message: &Composed, options: &SendOptions) -> Result<Entry> {
        let (new, raw) = queue::entry(message, options, self.moment.now())?;
        self.ledger.insert(new, raw).await
    }

    /// Takes a message back that nobody has begun to send.
    ///
    /// # Errors
    ///
    /// [`Code::UsageArgument`] where it is too late, or there is no such message.
    pub async fn cancel(&self, id: i64) -> Result<Entry> {
        let entry = self.entry(id).await?;
        let cancelled = entry.clone().cancelled(self.moment.now())?;
        let committed = self.ledger.commit(entry.state, &cancelled).await;
        match committed {
            Ok(()) => Ok(cancelled),
            // It was begun in between.
            Err(error) if error.code() == Code::Cancelled => {
                Err(MailError::new(Code::UsageArgument, "The message can no longer be taken back: it is being sent"))
            }
            Err(error) => Err(error),
        }
    }

    /// Decides about a message that may have been sent.
    ///
    /// # Errors
    ///
    /// [`Code::UsageArgument`] where it is not uncertain, or there is no such message.
    pub async fn decide(&self, id: i64, decision: Decision) -> Result<Entry> {
        let entry = self.entry(id).await?;
        let decided = entry.clone().decided(decision, self.moment.now())?;
        self.ledger.commit(entry.state, &decided).await?;
        Ok(decided)
    }

    /// All that are not finished: queued, on their way, uncertain, or without their copy in Sent.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub async fn unfinished(&self) -> Result<Vec<Entry>> {
        self.ledger.unfinished().await
    }

    /// Sends, looks for and files all that is due, once. One process at a time may do so; what it finds half done it
    /// takes for left by one that has died.
    ///
    /// # Errors
    ///
    /// What the store says. What the network or a server does is in the report and in the entries.
    pub async fn pass(&self) -> Result<PassReport> {
        let mut pass = Pass::new(&*self.ledger, &*self.connect, &*self.moment);
        pass.sent = self.sent.as_deref();
        pass.host = &self.host;
        pass.run().await
    }

    async fn entry(&self, id: i64) -> Result<Entry> {
        let missing = || MailError::new(Code::UsageArgument, format!("There is no message {id} to be sent"));
        self.ledger.entry(id).await?.ok_or_else(missing)
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("host", &self.host).finish_non_exhaustive()
    }
}
