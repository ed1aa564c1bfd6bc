//! Large literals of an APPEND on their way into the store, as they come: memory stays bounded however large they are and
//! however many.

use super::now;
use crate::error::{Code, MailError, Result};
use crate::store::{Incoming, Store};
use bytes::Bytes;
use std::sync::Arc;

/// Bytes that come together before a thread takes them.
const BATCH: usize = 1 << 20;
/// Most bytes of one command that are held in memory until it is done; the rest is in the store already, where nobody
/// sees it.
const HELD: usize = 8 << 20;

/// What has come of one command.
#[derive(Default)]
pub(super) struct Intake {
    whole: Vec<Incoming>,
    coming: Option<Incoming>,
    pieces: Vec<Bytes>,
    waiting: usize,
}

impl Intake {
    /// A literal begins.
    pub(super) fn begin(&mut self, store: &Arc<dyn Store>) {
        self.coming = Some(Incoming::new(Arc::clone(store), now()));
    }

    /// The next bytes of it; `is_last` says that it ends with them.
    pub(super) async fn push(&mut self, piece: Bytes, is_last: bool) -> Result<()> {
        self.waiting += piece.len();
        self.pieces.push(piece);
        if self.waiting >= BATCH || is_last {
            self.put_down(is_last).await?;
        }
        if is_last {
            self.whole.extend(self.coming.take());
        }
        Ok(())
    }

    /// The literals of a command that is whole, in order.
    pub(super) fn take(&mut self) -> Vec<Incoming> {
        std::mem::take(&mut self.whole)
    }

    /// What has come is not wanted: the command was refused, or the client is gone.
    pub(super) async fn abandon(&mut self) {
        let Self { whole, coming, .. } = std::mem::take(self);
        abandon(whole.into_iter().chain(coming).collect()).await;
    }

    async fn put_down(&mut self, is_last: bool) -> Result<()> {
        let Some(mut coming) = self.coming.take() else { return Err(Code::Internal.into()) };
        let pieces = std::mem::take(&mut self.pieces);
        self.waiting = 0;
        let held: usize = self.whole.iter().map(Incoming::held).sum();
        let work = tokio::task::spawn_blocking(move || {
            pieces.iter().try_for_each(|piece| coming.push(piece))?;
            if is_last && held + coming.held() > HELD {
                coming.spill()?;
            }
            Ok::<_, MailError>(coming)
        });
        self.coming = Some(work.await.map_err(|_| interrupted())??);
        Ok(())
    }
}

/// Takes away what came of messages that are not added. What cannot be taken away goes when the store is tidied.
pub(super) async fn abandon(all: Vec<Incoming>) {
    if !all.is_empty() {
        let work = tokio::task::spawn_blocking(move || all.into_iter().try_for_each(Incoming::abandon));
        if !matches!(work.await, Ok(Ok(()))) {
            log::warn!("what came of a message that was not added stays until the store is tidied");
        }
    }
}

fn interrupted() -> MailError {
    MailError::new(Code::Internal, "Storing a message was interrupted")
}
