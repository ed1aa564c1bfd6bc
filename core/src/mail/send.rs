//! Sending: queued here, handed in when there is a network.

use super::{Mail, now};
use crate::error::{Code, MailError, Result};
use crate::message::Draft;
use crate::outbox::{
    Body, Decision, Entry, Ledger, LiveSent, Outbox, PassReport, SendOptions, SentFolder, SmtpAccount, StoreLedger,
};
use crate::store::{Durability, Lease, Writer, lease};
use crate::sync::{process_name, take_lease};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

/// How long the lease lasts under which messages are sent, and how often it is renewed.
const LASTS: Duration = Duration::from_secs(60);
const RENEWED: Duration = Duration::from_secs(20);

impl Mail {
    /// Queues a draft; what is queued is on the disk when the call returns. It leaves with the next
    /// [`Mail::send_due`] or [`Mail::sync`], or by itself under [`Mail::keep_in_sync`].
    ///
    /// # Errors
    ///
    /// As [`Outbox::send`]; [`Code::UsageArgument`] where no submission server was given.
    pub async fn send(&self, draft: &Draft, options: &SendOptions) -> Result<Entry> {
        self.writable()?;
        self.queue()?.send(draft, options).await
    }

    /// Messages that are queued, on their way, uncertain, or without their copy in Sent.
    pub async fn outbox(&self) -> Result<Vec<Entry>> {
        StoreLedger::new(self.handle()?.clone()).unfinished().await
    }

    /// One message that is to be sent, or was: also one that is finished, with what has become of each recipient. `None`
    /// where there is none with that id.
    pub async fn outgoing(&self, id: i64) -> Result<Option<Entry>> {
        StoreLedger::new(self.handle()?.clone()).entry(id).await
    }

    /// Takes a message back that nobody has begun to send; see [`Outbox::cancel`].
    pub async fn cancel(&self, id: i64) -> Result<Entry> {
        self.queue()?.cancel(id).await
    }

    /// Decides about a message that may have been sent; see [`Outbox::decide`].
    pub async fn decide(&self, id: i64, decision: Decision) -> Result<Entry> {
        self.queue()?.decide(id, decision).await
    }

    /// Sends, looks for and files all that is due, once.
    ///
    /// # Errors
    ///
    /// [`Code::StoreLocked`] while another process sends or syncs, and what the store says. What the network or a server
    /// does is in the report and in the entries.
    pub async fn send_due(&self) -> Result<PassReport> {
        let handle = self.writable()?;
        let smtp = self.smtp()?;
        let holder = format!("{}, sending", process_name());
        let taken = take_lease(handle, (&holder, LASTS), now).await?;
        let guard = GiveBack { mail: self.clone(), lease: taken.clone() };
        let ledger = Arc::new(StoreLedger::leased(handle.clone(), taken.clone()));
        let outbox = Outbox::new(ledger, smtp, Some(Arc::new(Sent(self.clone()))));
        let sent = tokio::select! {
            sent = outbox.pass() => sent,
            error = self.hold(taken) => Err(error),
        };
        guard.release().await?;
        sent
    }

    /// Whether there is a submission server.
    pub(super) fn can_send(&self) -> bool {
        self.0.smtp.is_some()
    }

    fn smtp(&self) -> Result<SmtpAccount> {
        let missing = || MailError::new(Code::UsageArgument, "The mailbox was opened without a submission server");
        self.0.smtp.clone().ok_or_else(|| missing().hint("Give smtp to open()"))
    }

    fn queue(&self) -> Result<Outbox> {
        let outbox = Outbox::new(Arc::new(StoreLedger::new(self.handle()?.clone())), self.smtp()?, None);
        Ok(match &self.0.sender {
            Some(sender) => outbox.with_sender(sender.clone()),
            None => outbox,
        })
    }

    /// Renews the lease until that fails.
    async fn hold(&self, lease: Lease) -> MailError {
        loop {
            tokio::time::sleep(RENEWED).await;
            let held = lease.clone();
            let renew = move |writer: &mut dyn Writer| lease::renew(writer, &held, now());
            if let Err(error) = self.0.handle.write(Durability::Bulk, renew).await {
                return error;
            }
        }
    }
}

/// Gives the lease back, also when the call is given up.
struct GiveBack {
    mail: Mail,
    lease: Lease,
}

impl GiveBack {
    async fn release(mut self) -> Result<()> {
        let lease = std::mem::replace(&mut self.lease, none());
        give_back(self.mail.clone(), lease).await
    }
}

impl Drop for GiveBack {
    fn drop(&mut self) {
        let lease = std::mem::replace(&mut self.lease, none());
        if !lease.name.is_empty() {
            let mail = self.mail.clone();
            // What fails here ends with the lease's time.
            self.mail.engine().runtime().spawn(async move { give_back(mail, lease).await });
        }
    }
}

async fn give_back(mail: Mail, lease: Lease) -> Result<()> {
    mail.0.handle.write(Durability::Bulk, move |writer| lease::release(writer, &lease)).await
}

fn none() -> Lease {
    Lease { name: String::new(), holder: String::new(), fence: 0, renewed: 0, ttl: 0 }
}

/// Sent on the server, over a session that is made when it is asked for: not finding a message has to mean that it is
/// not there, and only the server knows that.
struct Sent(Mail);

impl SentFolder for Sent {
    fn contains<'a>(&'a self, message_id: &'a str, newest: u64) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move { LiveSent(self.0.live().await?).contains(message_id, newest).await })
    }

    fn append(&self, message: Box<dyn Body>) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { LiveSent(self.0.live().await?).append(message).await })
    }
}
