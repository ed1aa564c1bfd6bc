//! Getting a byte stream to a server and keeping it honest: addresses, proxies, TLS. Knows no IMAP.
//!
//! ```text
//! connect -> Stream (TCP, perhaps through a proxy) -> Stream::secure -> Stream (TLS)
//! ```

mod connect;
#[cfg(feature = "test-support")]
mod dialer;
mod fault;
mod own;
mod proxy;
mod stream;
#[cfg(test)]
pub(crate) mod testing;
mod tls;
mod url;

#[cfg(feature = "test-support")]
pub use dialer::{Dialer, Given};
pub use proxy::{Proxy, ProxyKind};
pub use tls::{ClientCertificate, Roots};

pub(crate) use connect::{connect, is_loopback};
pub(crate) use fault::lost;
pub(crate) use stream::Stream;
pub(crate) use tls::Handshake;
pub(crate) use url::{Url, escaped};

use crate::error::{Code, MailError, Result};
use std::future::Future;
use std::time::Duration;

/// Whether and how the connection is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Security {
    /// TLS from the first byte (RFC 8314); the default, port 993.
    #[default]
    Tls,
    /// A plain connection that becomes TLS by the STARTTLS command, or fails; port 143.
    StartTls,
    /// No encryption: only to this machine, or with [`NetOptions::allow_cleartext`]; port 143.
    Cleartext,
}

impl Security {
    /// The port that IANA assigns.
    #[must_use]
    pub fn default_port(self) -> u16 {
        if self == Self::Tls { 993 } else { 143 }
    }
}

/// How servers are reached and whom we trust to be them.
///
/// ```
/// let mut net = mailtide::NetOptions::default();
/// net.proxy = Some(mailtide::Proxy::from_url("socks5://127.0.0.1:1080")?);
/// net.server_name = Some("imap.example.org".to_owned());
/// # Ok::<(), mailtide::MailError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct NetOptions {
    /// The certificate authorities that are trusted.
    pub roots: Roots,
    /// What we show to a server that asks for a certificate of ours.
    pub client_certificate: Option<ClientCertificate>,
    /// The name that the server's certificate must carry, where it is not the host's.
    pub server_name: Option<String>,
    /// A proxy to go through.
    pub proxy: Option<Proxy>,
    /// Whether mail and passwords may cross a network unencrypted.
    pub allow_cleartext: bool,
    /// Makes the connections in place of the network.
    #[cfg(feature = "test-support")]
    #[doc(hidden)]
    pub dialer: Option<Dialer>,
}

/// Runs `work`, but no longer than `time`; then [`Code::NetTimeout`].
pub(crate) async fn within<T>(time: Duration, doing: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let late = || MailError::new(Code::NetTimeout, format!("{doing} took longer than {} s", time.as_secs_f32()));
    tokio::time::timeout(time, work).await.unwrap_or_else(|_| Err(late()))
}
