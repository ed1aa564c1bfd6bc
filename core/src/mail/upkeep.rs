//! What the file takes, what can be let go, copies of it, and help when it is damaged.

use super::{Mail, follow, names, now};
use crate::error::{Code, MailError, Result};
use crate::session::Target;
use crate::store::upkeep::{self, Evicted, Retention};
use crate::store::{
    Durability, KeepRule, MailboxId, Reader, Repaired, SqliteOptions, SqliteStore, Store, Usage, Writer,
};
use std::path::Path;
use std::sync::Arc;

impl Mail {
    /// What the file takes.
    pub async fn usage(&self) -> Result<Usage> {
        self.blocking(|store| store.usage()).await
    }

    /// Which bodies are held of a mailbox: by its own rule, else by the one for all; without a mailbox the one for all.
    pub async fn keep(&self, mailbox: Option<Target>) -> Result<KeepRule> {
        let read = move |reader: &dyn Reader| reader.keep(kept(reader, mailbox.as_ref())?);
        self.handle()?.read(read).await
    }

    /// Sets which bodies are held of a mailbox, or without one of all that have no rule of their own. Without a rule that
    /// of the mailbox ends. What is wanted now comes with the next pass; what is not goes with [`Mail::evict`].
    pub async fn set_keep(&self, mailbox: Option<Target>, rule: Option<KeepRule>) -> Result<()> {
        let write = move |writer: &mut dyn Writer| {
            let mailbox = kept(writer, mailbox.as_ref())?;
            writer.set_keep(mailbox, rule)?;
            follow::ask(writer)
        };
        self.handle()?.write(Durability::Full, write).await
    }

    /// Lets bodies go that the server has: those that the rules do not want, then the oldest, until `bytes` of them went;
    /// and gives the room back to the disk. They are fetched again when they are asked for.
    pub async fn evict(&self, bytes: u64) -> Result<Evicted> {
        self.blocking(move |store| upkeep::evict(store, bytes, now())).await
    }

    /// Takes away what the retention no longer holds: contents of messages deleted 30 days ago, and old entries of the
    /// feed and the journal; and brings the index of words up to date, as [`Mail::sync`] does. How many messages went for
    /// good.
    pub async fn tidy(&self, retention: Retention) -> Result<u64> {
        let gone = self.blocking(move |store| upkeep::tidy(store, &retention, now())).await?;
        self.index().await?;
        Ok(gone)
    }

    /// A whole copy as of now, at a path where nothing is yet.
    pub async fn backup(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref().to_owned();
        self.blocking(move |store| store.backup(&path)).await
    }

    /// Reads everything in the file and says what is wrong, a sentence each; nothing for a sound one.
    pub async fn check(&self) -> Result<Vec<String>> {
        self.blocking(|store| store.check()).await
    }

    /// Saves what can be saved of a damaged file, as [`SqliteStore::repair`]. Nobody may have it open.
    pub async fn repair(path: impl AsRef<Path>) -> Result<Repaired> {
        let path = path.as_ref().to_owned();
        let work = tokio::task::spawn_blocking(move || SqliteStore::repair(&path, &SqliteOptions::default())).await;
        work.unwrap_or_else(|_| Err(interrupted()))
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Store) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = Arc::clone(self.handle()?.store());
        tokio::task::spawn_blocking(move || work(&*store)).await.unwrap_or_else(|_| Err(interrupted()))
    }
}

fn kept(reader: &dyn Reader, mailbox: Option<&Target>) -> Result<Option<MailboxId>> {
    mailbox.map(|target| Ok(names::existing(reader, target)?.id)).transpose()
}

fn interrupted() -> MailError {
    MailError::new(Code::Internal, "A task of the store has ended unexpectedly")
}
