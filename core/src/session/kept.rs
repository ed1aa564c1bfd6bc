//! What a message asks of whoever keeps its content: the store under a local mailbox.

use crate::error::Result;
use bytes::Bytes;
use futures_util::future::BoxFuture;

/// The content of one message.
///
/// What is not held is fetched, or [`Code::BodyNotHere`](crate::Code::BodyNotHere); never empty.
pub(crate) trait Kept: Send + Sync {
    /// Its header, with the empty line at its end.
    fn header(&self) -> BoxFuture<'_, Result<Bytes>>;
    /// All of it. What is too large for memory is [`Code::LimitExceeded`](crate::Code::LimitExceeded).
    fn raw(&self) -> BoxFuture<'_, Result<Bytes>>;
    /// All of it, a piece at a time.
    fn pieces(&self) -> Box<dyn Pieces>;
    /// The addresses of whoever's mail it is, as far as they are known.
    fn me(&self) -> Vec<String>;
}

/// A content that is being read.
pub(crate) trait Pieces: Send {
    /// The next piece, never empty; `None` at the end.
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Bytes>>>;
}
