//! How a server is set up.

use crate::error::Result;
use crate::secret::Secret;
use futures_util::future::BoxFuture;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How a [`Server`](super::Server) listens, and what it lets clients do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerOptions {
    /// Where to listen; port 0 is any free one. Beyond loopback only with `tls` and a password or `tokens`:
    /// [`Code::UsageArgument`](crate::Code::UsageArgument).
    pub address: SocketAddr,
    /// Who may log in. Its verifier is kept in the store (SCRAM-SHA-256, RFC 5803), never the password. `None` lets those
    /// in who were set up before.
    pub user: Option<(String, Secret)>,
    /// The certificate for TLS; `None` for clear text.
    pub tls: Option<ServerTls>,
    /// Whether TLS begins with the first byte or with STARTTLS. Without `tls` it means nothing.
    pub tls_mode: TlsMode,
    /// Who says whether an OAuth token is good; with it OAUTHBEARER (RFC 7628) and XOAUTH2 are offered.
    pub tokens: Option<Arc<dyn TokenCheck>>,
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
            tls_mode: TlsMode::Implicit,
            tokens: None,
            append_limit: 64 << 20,
            connections: 2000,
            before_login: 8,
            login: Duration::from_secs(10),
            silence: Duration::from_secs(31 * 60),
        }
    }
}

/// When TLS begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TlsMode {
    /// With the first byte (RFC 8314).
    #[default]
    Implicit,
    /// With the STARTTLS command (RFC 9051 section 6.2.1). Nobody can log in before it.
    StartTls,
}

/// Says whether an OAuth token lets a user in: the host program's own check of signature, audience, scope and time, or
/// its question to whoever issues tokens.
pub trait TokenCheck: Send + Sync {
    /// Whether that token is that user's, and good for mail. An error is told to the client as "try later" and written to
    /// the log; it must not hold the token. The client waits, within the time that it has for logging in.
    fn allows<'a>(&'a self, user: &'a str, token: &'a Secret) -> BoxFuture<'a, Result<bool>>;
}

impl fmt::Debug for dyn TokenCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenCheck")
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
