//! What the outbox needs of whoever keeps its messages, and of whoever keeps the mailbox Sent.

use super::entry::{Entry, OnDoubt, State};
use crate::error::Result;
use bytes::Bytes;
use futures_util::future::BoxFuture;

/// A message that is queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// Unique: the same key queued again is the same message, never a second one.
    pub key: String,
    /// `Message-ID`, without its angle brackets.
    pub message_id: String,
    /// The sender of the envelope.
    pub sender: String,
    /// The recipients of the envelope, each once.
    pub recipients: Vec<String>,
    /// What to do when it is not known whether it was sent.
    pub on_doubt: OnDoubt,
    /// Whether a copy is to be in Sent.
    pub wants_copy: bool,
    /// When it was queued, in seconds since 1970.
    pub created: i64,
    /// Not to be sent before this, in seconds since 1970.
    pub not_before: i64,
}

/// Keeps messages to be sent.
///
/// What is committed is durable when the call returns: a power loss after it may not take it back. A store that several
/// processes share refuses commits of one that has lost its lease.
pub trait Ledger: Send + Sync {
    /// Queues a message with its bytes, in one step; the one that is there already where the key is known.
    fn insert(&self, new: NewEntry, raw: Bytes) -> BoxFuture<'_, Result<Entry>>;

    /// Writes all that can change of an entry and its recipients, in one step, if the entry is still in state `before`;
    /// otherwise [`Code::Cancelled`](crate::Code::Cancelled), and nothing is written.
    fn commit<'a>(&'a self, before: State, entry: &'a Entry) -> BoxFuture<'a, Result<()>>;

    /// Takes away those that were [finished](Entry::is_finished) before that moment, in seconds since 1970.
    fn prune(&self, before: i64) -> BoxFuture<'_, Result<()>>;

    /// All that are not [finished](Entry::is_finished), in their order.
    fn unfinished(&self) -> BoxFuture<'_, Result<Vec<Entry>>>;

    /// One of them, or one that is finished.
    fn entry(&self, id: i64) -> BoxFuture<'_, Result<Option<Entry>>>;

    /// The bytes of a message, as they were queued.
    fn body(&self, id: i64) -> BoxFuture<'_, Result<Box<dyn Body>>>;
}

/// The bytes of a message, a piece at a time.
pub trait Body: Send {
    /// How many there are in all.
    fn size(&self) -> u64;

    /// The next piece, at most some hundred kilobytes and never empty; `None` at the end.
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Bytes>>>;
}

/// The bytes of a message for a ledger that holds them in memory.
#[must_use]
pub fn in_memory(raw: Bytes) -> Box<dyn Body> {
    Box::new(InMemory(raw.len() as u64, raw))
}

/// The size, and what is left.
struct InMemory(u64, Bytes);

impl Body for InMemory {
    fn size(&self) -> u64 {
        self.0
    }

    fn next(&mut self) -> BoxFuture<'_, Result<Option<Bytes>>> {
        let piece = self.1.split_to(self.1.len().min(PIECE));
        Box::pin(async move { Ok(Some(piece).filter(|piece| !piece.is_empty())) })
    }
}

/// Most bytes of a piece.
pub(super) const PIECE: usize = 256 << 10;

/// All of a message, for one that is small.
pub(super) async fn whole(body: &mut dyn Body) -> Result<Bytes> {
    let mut out = bytes::BytesMut::new();
    while let Some(piece) = body.next().await? {
        out.extend_from_slice(&piece);
    }
    Ok(out.freeze())
}

/// The mailbox that copies of sent messages are in.
pub trait SentFolder: Send + Sync {
    /// Whether the message with this `Message-ID` is there, among the `newest` messages. An error where it could not be
    /// looked for: not finding it has to mean that it is not there.
    fn contains<'a>(&'a self, message_id: &'a str, newest: u64) -> BoxFuture<'a, Result<bool>>;

    /// Adds a message, marked as seen.
    fn append(&self, message: Box<dyn Body>) -> BoxFuture<'_, Result<()>>;
}
