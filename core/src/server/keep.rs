//! Looking after a store that nobody else looks after: its index of words, and what is gone for long.

use super::now;
use crate::error::Result;
use crate::store::upkeep::{self, Retention};
use crate::store::{Durability, Handle, search};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// Messages that are indexed in one transaction; nobody else writes meanwhile.
const BATCH: usize = 200;
/// The index waits for so long a silence, so that many messages become one segment.
const SILENCE: Duration = Duration::from_secs(1);
/// And no longer than this.
const LATEST: Duration = Duration::from_secs(30);
/// How often old things are taken away.
const TIDY: Duration = Duration::from_secs(24 * 3600);

/// Looks after a store without an account, for as long as it is served; one with an account is looked after by whoever
/// keeps it in step. `arrived` says that there are new messages.
pub(super) async fn keep(store: Handle, arrived: Arc<Notify>) {
    if !matches!(store.read(|reader| reader.account()).await, Ok(None)) {
        return;
    }
    let mut tidied: Option<Instant> = None;
    loop {
        let done = match tidied.filter(|at| at.elapsed() < TIDY) {
            Some(_) => Ok(()),
            None => {
                tidied = Some(Instant::now());
                tidy(&store).await
            }
        };
        if let Err(error) = index(&store).await.and(done) {
            log::warn!("the store could not be looked after: {error}");
        }
        tokio::select! {
            () = arrived.notified() => settle(&arrived).await,
            () = tokio::time::sleep(TIDY) => {}
        }
    }
}

/// Until nothing has come for a while.
async fn settle(arrived: &Notify) {
    let latest = Instant::now() + LATEST;
    while Instant::now() < latest && timeout_at(Instant::now() + SILENCE, arrived.notified()).await.is_ok() {}
}

async fn index(store: &Handle) -> Result<()> {
    // An empty transaction would be a change to everybody who listens.
    while !store.read(|reader| reader.unindexed(crate::store::MessageId(0), 1)).await?.is_empty() {
        if !store.write(Durability::Bulk, |writer| search::index(writer, BATCH)).await?.is_more {
            break;
        }
    }
    Ok(())
}

async fn tidy(store: &Handle) -> Result<()> {
    let store = Arc::clone(store.store());
    let work = tokio::task::spawn_blocking(move || upkeep::tidy(&*store, &Retention::default(), now()).map(drop));
    work.await.map_err(|_| crate::error::MailError::from(crate::error::Code::Internal))?
}
