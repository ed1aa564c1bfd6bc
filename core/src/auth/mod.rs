//! Proving who we are: the SASL mechanisms (RFC 4422), and which of them to use.
//!
//! No sockets, no clock, no randomness: nonces and channel bindings are arguments, so every exchange can be replayed.

mod bearer_server;
mod choose;
mod keys;
mod login;
mod oauth;
mod oauthbearer;
mod plain;
mod scram;
mod scram_server;
mod xoauth2;

pub(crate) use bearer_server::{Bearer, REFUSED, REFUSED_XOAUTH2};
pub(crate) use choose::{Choice, CredentialKind, Offer, choose};
pub(crate) use keys::{Keys, SCRAM_SHA_256, derive_keys};
pub(crate) use oauth::Refusal;
pub(crate) use scram_server::{Bindings, ScramBegun, ScramServer};

use crate::error::{Code, MailError, Result};
use crate::secret::Secret;
use std::fmt;
use zeroize::Zeroizing;

/// A SASL mechanism that this library speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mechanism {
    /// SCRAM-SHA-256 bound to the TLS connection (RFC 7677, RFC 9266): nobody in between can use what he hears.
    ScramSha256Plus,
    /// SCRAM-SHA-256 (RFC 7677): the password never leaves this machine, and the server proves that it knows it.
    ScramSha256,
    /// PLAIN (RFC 4616).
    Plain,
    /// LOGIN, which no RFC defines and many old servers offer.
    Login,
    /// OAUTHBEARER (RFC 7628).
    OAuthBearer,
    /// XOAUTH2, Google's and Microsoft's own form of the same.
    XOAuth2,
}

/// What a mechanism needs to be told.
pub(crate) struct Identity<'a> {
    pub user: &'a str,
    /// The password or the token.
    pub secret: &'a Secret,
    /// The server's name and port, which OAUTHBEARER sends.
    pub host: &'a str,
    pub port: u16,
    /// Printable random text without a comma, for SCRAM.
    pub nonce: &'a str,
    /// Whether and how the TLS connection can be bound to, for SCRAM.
    pub binding: Binding,
}

/// The state of channel binding (RFC 5802 section 6).
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Binding {
    /// There is nothing to bind to.
    None,
    /// We could, but the server did not offer it: saying so reveals to an honest server that somebody took the offer out.
    NotOffered,
    /// The `tls-exporter` value of this connection (RFC 9266).
    TlsExporter([u8; 32]),
}

/// Bytes that hold a secret or are made from one.
pub(crate) type Response = Zeroizing<Vec<u8>>;

/// One run of a mechanism, in the client's role; everything before base64.
pub(crate) trait Exchange: Send {
    /// What the client says first; `None` where the server does.
    fn initial(&mut self) -> Option<Response>;

    /// The answer to the server's challenge.
    fn step(&mut self, challenge: &[u8]) -> Result<Response>;

    /// Called at the tagged OK: whether the server has proved what the mechanism makes it prove.
    fn finish(&self) -> Result<()> {
        Ok(())
    }

    /// What the server has said about a token that it does not take.
    fn refusal(&self) -> Option<Refusal> {
        None
    }
}

/// Starts an exchange; the one place that knows which type speaks which mechanism.
pub(crate) fn start(mechanism: Mechanism, identity: &Identity<'_>) -> Result<Box<dyn Exchange>> {
    Ok(match mechanism {
        Mechanism::ScramSha256Plus | Mechanism::ScramSha256 => Box::new(scram::Scram::new(identity)?),
        Mechanism::Plain => Box::new(plain::Plain::new(identity)?),
        Mechanism::Login => Box::new(login::Login::new(identity)),
        Mechanism::OAuthBearer => Box::new(oauthbearer::OAuthBearer::new(identity)?),
        Mechanism::XOAuth2 => Box::new(xoauth2::XOAuth2::new(identity)?),
    })
}

/// Every mechanism with its registered name and what it proves, the strongest first.
pub(crate) const REGISTRY: &[(Mechanism, &str, CredentialKind)] = &[
    (Mechanism::ScramSha256Plus, "SCRAM-SHA-256-PLUS", CredentialKind::Password),
    (Mechanism::ScramSha256, "SCRAM-SHA-256", CredentialKind::Password),
    (Mechanism::Plain, "PLAIN", CredentialKind::Password),
    (Mechanism::Login, "LOGIN", CredentialKind::Password),
    (Mechanism::OAuthBearer, "OAUTHBEARER", CredentialKind::Token),
    (Mechanism::XOAuth2, "XOAUTH2", CredentialKind::Token),
];

impl Mechanism {
    /// The registered name, such as `SCRAM-SHA-256`.
    #[must_use]
    pub fn name(self) -> &'static str {
        REGISTRY.iter().find(|(m, ..)| *m == self).map_or("", |(_, name, _)| name)
    }

    /// The mechanism of this name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        REGISTRY.iter().find(|(_, n, _)| n.eq_ignore_ascii_case(name)).map(|(m, ..)| *m)
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A server that is content before it has heard everything.
pub(crate) fn incomplete() -> MailError {
    MailError::new(Code::NetTampered, "The server took a login that was not complete")
        .hint("Somebody between us and the server may be answering in its place")
}

/// Refuses what would end a field of the exchange early.
fn free_of(what: &str, text: &str, forbidden: impl Fn(char) -> bool) -> Result<()> {
    if text.chars().any(forbidden) {
        let message = format!("The {what} holds a control character that this way of logging in cannot carry");
        return Err(MailError::new(Code::UsageArgument, message));
    }
    Ok(())
}

/// A user name in a GS2 header or in SCRAM (RFC 5801 section 4).
fn sasl_name(user: &str) -> String {
    user.replace('=', "=3D").replace(',', "=2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mechanism_is_found_by_its_name_and_can_be_started() {
        let secret = Secret::from("planted-secret");
        for (mechanism, name, _) in REGISTRY {
            assert_eq!(Mechanism::from_name(&name.to_lowercase()), Some(*mechanism));
            assert_eq!(mechanism.to_string(), *name);
            let identity = test_identity(&secret);
            assert!(start(*mechanism, &identity).is_ok(), "{name}");
        }
        assert_eq!(Mechanism::from_name("GSSAPI"), None);
    }

    pub(super) fn test_identity(secret: &Secret) -> Identity<'_> {
        let (user, host, nonce) = ("ada", "imap.example.org", "nonce");
        Identity { user, secret, host, port: 993, nonce, binding: Binding::None }
    }
}
