//! How a server is set up.

use crate::secret::Secret;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How a [`Server`](super::Server) listens, and what it lets clients do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerOptions {
    /// Where to listen; port 0 is any free one. Beyond loopback only with `tls` and a password:
    /// [`Code::UsageArgument`](crate::Code::UsageArgument).
    pub address: SocketAddr,
    /// Who may log in. Its verifier is kept in the store (SCRAM-SHA-256, RFC 5803), never the password. `None` lets those
    /// in who were set up before.
    pub user: Option<(String, Secret)>,
    /// TLS from the first byte; `None` for clear text.
    pub tls: Option<ServerTls>,
    /// Largest message that a client may add, in bytes (APPENDLIMIT, RFC 7889). It is held in memory while it comes.
    pub append_limit: u32,
    /// Connections at once; more are told to try later.
    pub connections: usize,
    /// Connections of one peer that have not logged in yet; more are told to try later.
    pub before_login: usize,
    /// How long a connection has until it is logged in.
    pub login: Duration,
    /// How long a logged-in client may be silent. RFC 9051 section 5.4 asks for 30 minutes at least.
    pub silence: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            user: None,
            tls: None,
            append_limit: 64 << 20,
            connections: 2000,
            before_login: 8,
            login: Duration::from_secs(10),
            silence: Duration::from_secs(31 * 60),
        }
    }
}

/// The certificate of a server.
#[derive(Clone, Debug)]
pub enum ServerTls {
    /// PEM: the chain, and its private key.
    Pem {
        /// The chain, the server's own certificate first.
        certificates: String,
        /// The key.
        key: Secret,
    },
    /// A self-signed one in this folder (`mailtide-server.crt`, `mailtide-server.key`), made where there is none.
    SelfSigned {
        /// The folder.
        folder: PathBuf,
        /// The name that clients connect to.
        name: String,
    },
}
