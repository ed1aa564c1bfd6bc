//! What is still to reach the server, and what becomes of what cannot.

use super::{Mail, follow, names, now};
use crate::error::Result;
use crate::journal::{self, Pending};
use crate::session::Target;
use crate::store::{Durability, IntentId, Writer};
use crate::sync::{Paused, parked, paused};

impl Mail {
    /// Local changes that the server has not confirmed, in their order; those that are parked, or wait for a parked one,
    /// say why and what can be done.
    pub async fn pending(&self) -> Result<Vec<Pending>> {
        Ok(journal::pending(self.handle()?.read(|reader| reader.pending()).await?))
    }

    /// Mailboxes that are paused: so much is missing on the server that it may be its fault, or it numbers the mailbox
    /// anew again and again. Nothing is taken away here until that is over or [`Mail::confirm`] says that it is right.
    pub async fn paused(&self) -> Result<Vec<Paused>> {
        self.handle()?.read(paused::paused).await
    }

    /// Says of a paused mailbox that the server is right: what is missing there goes here as well, with the next pass.
    /// Contents stay restorable for 30 days. One that is not paused is
    /// [`Code::UsageArgument`](crate::Code::UsageArgument).
    pub async fn confirm(&self, mailbox: impl Into<Target>) -> Result<()> {
        let target = mailbox.into();
        let confirm = move |writer: &mut dyn Writer| {
            let row = names::existing(writer, &target)?;
            paused::confirm(writer, row.id, now()).map_err(|error| error.in_mailbox(&row.name))?;
            follow::ask(writer)
        };
        self.writable()?.write(Durability::Full, confirm).await
    }

    /// Lets a parked change be tried again with the next pass. Anything else than a parked one is
    /// [`Code::UsageArgument`](crate::Code::UsageArgument).
    pub async fn retry(&self, id: i64) -> Result<()> {
        let retry = move |writer: &mut dyn Writer| {
            parked::retry(writer, IntentId(id), now())?;
            follow::ask(writer)
        };
        self.writable()?.write(Durability::Full, retry).await
    }

    /// Gives a parked change up: what it did here is taken back, with all that depends on it. Returns which were dropped.
    /// Anything else than a parked one is [`Code::UsageArgument`](crate::Code::UsageArgument).
    pub async fn drop_pending(&self, id: i64) -> Result<Vec<i64>> {
        let drop = move |writer: &mut dyn Writer| {
            let dropped = parked::give_up(writer, IntentId(id), now())?;
            follow::ask(writer)?;
            Ok(dropped)
        };
        let dropped = self.writable()?.write(Durability::Full, drop).await?;
        Ok(dropped.into_iter().map(|id| id.0).collect())
    }
}
