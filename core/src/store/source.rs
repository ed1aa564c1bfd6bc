//! Where a body comes from that is not held.

use super::MessageId;
use crate::error::Result;
use bytes::Bytes;
use futures_util::future::BoxFuture;

/// Whoever can reach the server of the account that a store mirrors. A door to the store that needs the body of a message
/// which is not held asks it.
pub trait BodySource: Send + Sync {
    /// The whole message. `body.not_here` where it cannot be had now.
    fn body(&self, message: MessageId) -> BoxFuture<'_, Result<Fetched>>;
}

/// A body that was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// All of it, in memory.
    Bytes(Bytes),
    /// It is in the store now, since it is too large to be passed on in memory.
    Held,
}
