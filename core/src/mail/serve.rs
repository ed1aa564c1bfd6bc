//! This mailbox for other mail clients.

use super::Mail;
use crate::error::Result;
use crate::server::{Server, ServerOptions};
use std::sync::Arc;

impl Mail {
    /// Serves it over IMAP to any mail client, until the server is closed or dropped. What clients do is kept as what is
    /// done here, and sent by the next [`Mail::sync`]. A body that is not held is fetched, for a
    /// search too, and refused with `NO [UNAVAILABLE]` while that cannot be done.
    ///
    /// Once this is closed, clients have what is held.
    ///
    /// # Errors
    ///
    /// [`Code::UsageReadOnly`](crate::Code::UsageReadOnly) where the account was opened read-only, since clients may
    /// write; else as [`Server::start`].
    pub async fn serve(&self, options: ServerOptions) -> Result<Server> {
        let store = self.writable()?.clone();
        Server::gateway(store, Arc::new(self.clone()), options).await
    }
}
