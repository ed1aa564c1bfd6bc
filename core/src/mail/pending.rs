//! What is still to reach the server, and what becomes of what cannot.

use super::{Mail, now};
use crate::error::Result;
use crate::journal::Entry;
use crate::store::{Durability, IntentId, Writer};
use crate::sync::parked;

impl Mail {
    /// Local changes that the server has not confirmed, in their order; those that are parked say why.
    pub async fn pending(&self) -> Result<Vec<Entry>> {
        self.handle()?.read(|reader| reader.pending()).await
    }

    /// Lets a parked change be tried again with the next pass. Anything else than a parked one is
    /// [`Code::UsageArgument`](crate::Code::UsageArgument).
    pub async fn retry(&self, id: i64) -> Result<()> {
        let retry = move |writer: &mut dyn Writer| parked::retry(writer, IntentId(id), now());
        self.writable()?.write(Durability::Full, retry).await
    }

    /// Gives a parked change up: what it did here is taken back, with all that depends on it. Returns which were dropped.
    /// Anything else than a parked one is [`Code::UsageArgument`](crate::Code::UsageArgument).
    pub async fn drop_pending(&self, id: i64) -> Result<Vec<i64>> {
        let drop = move |writer: &mut dyn Writer| parked::give_up(writer, IntentId(id), now());
        let dropped = self.writable()?.write(Durability::Full, drop).await?;
        Ok(dropped.into_iter().map(|id| id.0).collect())
    }
}
