//! How a server is set up.

use super::faulty::Faulty;
use super::users::{LENGTH, generated};
use crate::error::{Code, MailError, Result};
use crate::secret::Secret;
use futures_util::future::BoxFuture;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, fs};

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
    /// Further ones, set up like that. Others that the store knows may log in as well.
    pub users: Vec<(String, Secret)>,
    /// The certificate for TLS; `None` for clear text.
    pub tls: Option<ServerTls>,
    /// Whether TLS begins with the first byte or with STARTTLS, which takes `tls`.
    pub tls_mode: TlsMode,
    /// Who says whether an OAuth token is good; with it OAUTHBEARER (RFC 7628) and XOAUTH2 are offered.
    pub tokens: Option<Arc<dyn TokenCheck>>,
    /// Largest message that a client may add, in bytes (APPENDLIMIT, RFC 7889). It goes to the disk as it comes.
    pub append_limit: u32,
    /// Connections at once; more are told to try later.
    pub connections: usize,
    /// Connections of one peer that have not logged in yet; more are told to try later.
    pub before_login: usize,
    /// How long a connection has until it is logged in.
    pub login: Duration,
    /// How long a logged-in client may be silent. RFC 9051 section 5.4 asks for 30 minutes at least.
    pub silence: Duration,
    /// What it does wrong on purpose. `None` for a real one.
    pub(crate) faulty: Option<Arc<Faulty>>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            user: None,
            users: Vec::new(),
            tls: None,
            tls_mode: TlsMode::Implicit,
            tokens: None,
            append_limit: 64 << 20,
            connections: 2000,
            before_login: 8,
            login: Duration::from_secs(10),
            silence: Duration::from_secs(31 * 60),
            faulty: None,
        }
    }
}

impl ServerOptions {
    /// The same on an address in words: `127.0.0.1:1143`, `[::1]:0`, `localhost:1143`; port 0 unless it says one.
    ///
    /// # Errors
    ///
    /// [`Code::UsageArgument`] for anything else.
    pub fn with_address(mut self, address: &str) -> Result<Self> {
        let known = address.parse().or_else(|_| address.parse().map(|ip| SocketAddr::new(ip, 0)));
        let here = || {
            let port = address.strip_prefix("localhost")?;
            let port = port.strip_prefix(':').map_or(port.is_empty().then_some(0), |port| port.parse().ok())?;
            Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        };
        let wrong = || {
            let text = format!("A server cannot listen on {address:?}");
            MailError::new(Code::UsageArgument, text).hint("Write an IP address and a port, such as 127.0.0.1:1143")
        };
        self.address = known.ok().or_else(here).ok_or_else(wrong)?;
        Ok(self)
    }

    /// The same for that user. Where no password is given one is made, another one each time:
    /// [`Server::password`](super::Server::password) has it. Without a user, those may log in who were set up before.
    ///
    /// # Errors
    ///
    /// [`Code::UsageArgument`] for a password without a user.
    pub fn with_login(mut self, user: Option<String>, password: Option<Secret>) -> Result<Self> {
        self.user = match (user, password) {
            (Some(user), Some(password)) => Some((user, password)),
            (Some(user), None) => Some((user, generated(LENGTH)?)),
            (None, None) => None,
            (None, Some(_)) => return Err(MailError::new(Code::UsageArgument, "A password needs a user")),
        };
        Ok(self)
    }

    /// The same with that certificate, or in clear text without one; with `starttls` a client begins in clear.
    #[must_use]
    pub fn with_tls(mut self, tls: Option<ServerTls>, starttls: bool) -> Self {
        self.tls_mode = if starttls { TlsMode::StartTls } else { TlsMode::Implicit };
        Self { tls, ..self }
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

impl ServerTls {
    /// From two files in PEM.
    ///
    /// # Errors
    ///
    /// [`Code::FileIo`] for one that cannot be read.
    pub fn read(certificates: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self> {
        let read = |path: &Path| {
            let unread = |error| MailError::new(Code::FileIo, format!("{} cannot be read: {error}", path.display()));
            fs::read_to_string(path).map_err(unread)
        };
        Ok(Self::Pem { certificates: read(certificates.as_ref())?, key: Secret::from(read(key.as_ref())?) })
    }

    /// The one in two files, a certificate and its key; without them [`ServerTls::beside`] that store where `is_wanted`.
    /// Errors as of [`ServerTls::read`].
    pub fn chosen(store: &Path, is_wanted: bool, files: Option<(PathBuf, PathBuf)>) -> Result<Option<Self>> {
        match files {
            Some((certificates, key)) => Self::read(certificates, key).map(Some),
            None => Ok(is_wanted.then(|| Self::beside(store))),
        }
    }

    /// A self-signed one for this machine, kept in the folder of a store.
    #[must_use]
    pub fn beside(store: &Path) -> Self {
        Self::beside_as(store, "localhost")
    }

    /// The same under that name.
    #[must_use]
    pub fn beside_as(store: &Path, name: &str) -> Self {
        let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self::SelfSigned { folder: folder.to_owned(), name: name.to_owned() }
    }

    /// Where the certificate of a self-signed one lies, for clients to trust.
    #[must_use]
    pub fn certificate_file(&self) -> Option<PathBuf> {
        match self {
            Self::SelfSigned { folder, .. } => Some(certificate_in(folder)),
            Self::Pem { .. } => None,
        }
    }
}

/// The certificate of a self-signed one; its key lies beside it.
pub(super) fn certificate_in(folder: &Path) -> PathBuf {
    folder.join("mailtide-server.crt")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_a_host_name_is_refused() {
        for (text, expected) in [
            ("127.0.0.1:1143", "127.0.0.1:1143"),
            ("127.0.0.1", "127.0.0.1:0"),
            ("localhost:143", "127.0.0.1:143"),
            ("localhost", "127.0.0.1:0"),
            ("[::1]:993", "[::1]:993"),
            ("::1", "[::1]:0"),
        ] {
            assert_eq!(ServerOptions::default().with_address(text).unwrap().address.to_string(), expected);
        }
        for text in ["", "imap.example.org:143", "127.0.0.1:70000", "localhost143", "localhost:x"] {
            let error = ServerOptions::default().with_address(text).unwrap_err();
            assert_eq!(error.code(), Code::UsageArgument, "{text}");
        }
    }

    #[test]
    fn a_password_that_is_not_given_is_another_one_each_time() {
        let made = || ServerOptions::default().with_login(Some("ada".to_owned()), None).unwrap().user.unwrap().1;
        let (one, other) = (made(), made());
        assert!(one.reveal().len() >= 16 && one != other);
        let error = ServerOptions::default().with_login(None, Some("secret".into())).unwrap_err();
        assert_eq!(error.code(), Code::UsageArgument);
    }
}
