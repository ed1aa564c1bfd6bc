//! What the file takes, what can be let go, copies of it, and help when it is damaged.

use super::{Mail, now};
use crate::error::{Code, MailError, Result};
use crate::store::upkeep::{self, Evicted, Retention};
use crate::store::{Repaired, SqliteOptions, SqliteStore, Store, Usage};
use std::path::Path;
use std::sync::Arc;

impl Mail {
    /// What the file takes.
    pub async fn usage(&self) -> Result<Usage> {
        self.blocking(|store| store.usage()).await
    }

    /// Lets bodies go that the server has: those that the rules do not want, then the oldest, until `bytes` of them went;
    /// and gives the room back to the disk. They are fetched again when they are asked for.
    pub async fn evict(&self, bytes: u64) -> Result<Evicted> {
        self.blocking(move |store| upkeep::evict(store, bytes, now())).await
    }

    /// Takes away what the retention no longer holds: contents of messages deleted 30 days ago, and old entries of the
    /// feed and the journal. How many messages went for good.
    pub async fn tidy(&self, retention: Retention) -> Result<u64> {
        self.blocking(move |store| upkeep::tidy(store, &retention, now())).await
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

fn interrupted() -> MailError {
    MailError::new(Code::Internal, "A task of the store has ended unexpectedly")
}
