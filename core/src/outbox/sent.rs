//! Sent on a live server.

use super::ledger::{Body, SentFolder, whole};
use crate::error::{Code, Result};
use crate::imap::{Flag, Role};
use crate::session::{AppendOptions, AppendSource, Columns, FetchOptions, Order, Selection, Session};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

/// Messages up to this size are read into memory.
const SMALL: u64 = 1 << 20;

/// The mailbox Sent of a live session, by its special use; All Mail where there is one as well.
///
/// The newest messages are looked through. SEARCH for a header is not asked for: several servers answer it wrongly or not
/// at all (Yahoo: `SERVERBUG`; quirk 41), and what it does not find must not be there.
#[derive(Clone, Debug)]
pub struct LiveSent(pub Session);

impl SentFolder for LiveSent {
    fn contains<'a>(&'a self, message_id: &'a str, newest: u64) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            for role in [Role::Sent, Role::All] {
                match self.holds(role, message_id, newest).await {
                    Ok(false) => {}
                    // A mailbox that is not there holds nothing.
                    Err(error) if error.code() == Code::MailboxMissing => {}
                    found => return found,
                }
            }
            Ok(false)
        })
    }

    fn append(&self, mut message: Box<dyn Body>) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let options = AppendOptions { flags: vec![Flag::SEEN], create: true, ..AppendOptions::default() };
            let mailbox = self.0.mailbox(Role::Sent)?;
            if message.size() <= SMALL {
                let raw = whole(&mut *message).await?;
                return mailbox.append(AppendSource::Bytes(raw), options).await.map(drop);
            }
            let (sender, chunks) = mpsc::channel(2);
            let source = AppendSource::Stream { len: Some(message.size()), chunks };
            let (appended, ()) = tokio::join!(mailbox.append(source, options), feed(message, sender));
            appended.map(drop)
        })
    }
}

/// Gives a message away piece by piece, until nobody takes any more.
async fn feed(mut message: Box<dyn Body>, chunks: mpsc::Sender<Result<Bytes>>) {
    while let Some(piece) = message.next().await.transpose() {
        let is_last = piece.is_err();
        if chunks.send(piece).await.is_err() || is_last {
            return;
        }
    }
}

impl LiveSent {
    async fn holds(&self, role: Role, message_id: &str, newest: u64) -> Result<bool> {
        let columns = Columns { envelope: true, ..Columns::NONE };
        let options = FetchOptions { columns, limit: Some(newest), order: Order::Newest, ..FetchOptions::default() };
        let mut messages = self.0.mailbox(role)?.fetch(Selection::All, options);
        while let Some(batch) = messages.next_batch().await? {
            let is_it = |id: String| id.trim().trim_matches(['<', '>']) == message_id;
            if batch.iter().any(|m| m.message_id().is_some_and(is_it)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
