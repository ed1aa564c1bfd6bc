//! Streams that a test gives in place of the socket, so that a whole session runs in one thread, over no network, and
//! with a clock that the test holds. Only with the feature `test-support`.

use std::fmt;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};

/// What can stand in for a socket.
pub trait Given: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Given for T {}

type Dial = dyn Fn() -> io::Result<Box<dyn Given>> + Send + Sync;

/// Makes the connections of an account. Nothing is encrypted: use it with [`Security::Cleartext`](crate::Security).
#[derive(Clone)]
pub struct Dialer(Arc<Dial>);

impl Dialer {
    /// Each call of `dial` is a connection to the server.
    pub fn new(dial: impl Fn() -> io::Result<Box<dyn Given>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(dial))
    }

    pub(super) fn dial(&self) -> io::Result<Box<dyn Given>> {
        (self.0)()
    }
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dialer")
    }
}
