//! What a message asks of whoever keeps its content: the store under a local mailbox.

use crate::error::Result;
use crate::message::Outlined;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::ops::Range;
use std::sync::Arc;

/// The content of one message.
///
/// What is not held is fetched, or [`Code::BodyNotHere`](crate::Code::BodyNotHere); never empty.
pub(crate) trait Kept: Send + Sync {
    /// Its header, with the empty line at its end.
    fn header(&self) -> BoxFuture<'_, Result<Bytes>>;
    /// All of it. What is too large for memory is [`Code::LimitExceeded`](crate::Code::LimitExceeded).
    fn raw(&self) -> BoxFuture<'_, Result<Bytes>>;
    /// All of it where it is not large; else where its parts are.
    fn whole(&self) -> BoxFuture<'_, Result<Body>>;
    /// The bytes at that place, as far as there are any, a piece at a time.
    fn pieces(&self, at: Range<u64>) -> Box<dyn Pieces>;
    /// The addresses of whoever's mail it is, as far as they are known.
    fn me(&self) -> Vec<String>;
}

/// A content to be taken apart.
pub(crate) enum Body {
    Raw(Bytes),
    Large(Arc<Outlined>),
}

/// A content that is being read.
pub(crate) trait Pieces: Send {
    /// The next piece, never empty; `None` at the end.
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Bytes>>>;
}
