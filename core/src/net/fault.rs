//! What an operating system's or rustls's error means to a person.

use super::Handshake;
use crate::error::{Code, MailError, Retry};
use rustls::{CertificateError, Error as TlsError};
use std::io;

/// A connection that broke. One that TLS has accepted before may well be made again, so nobody is asked about it.
pub(crate) fn lost(error: &io::Error) -> MailError {
    match rustls_error(error) {
        Some(tls) => {
            MailError::new(Code::NetTls, format!("The encrypted connection broke: {tls}")).with_retry(Retry::Reconnect)
        }
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            MailError::new(Code::NetLost, "The server closed the connection")
        }
        None => MailError::new(Code::NetLost, format!("The connection was lost: {error}")),
    }
}

/// A connection that did not come about.
pub(super) fn unreachable(host: &str, port: u16, error: &io::Error) -> MailError {
    let message = match error.kind() {
        io::ErrorKind::ConnectionRefused => format!("{host} accepts no connection on port {port}"),
        io::ErrorKind::TimedOut => format!("{host} does not answer on port {port}"),
        _ => format!("{host} cannot be reached on port {port}: {error}"),
    };
    MailError::new(Code::NetConnect, message).with(|c| c.host = Some(host.to_owned()))
}

/// A TLS handshake that failed.
pub(super) fn tls(error: &io::Error, name: &str, when: Handshake) -> MailError {
    let (message, hint) = match rustls_error(error) {
        Some(TlsError::InvalidCertificate(why)) => certificate(why, name),
        Some(TlsError::InvalidMessage(_) | TlsError::InappropriateMessage { .. })
            if when == Handshake::AfterStartTls =>
        {
            return MailError::new(Code::NetTampered, "Something else than TLS came after STARTTLS")
                .with(|c| c.host = Some(name.to_owned()))
                .hint("Somebody between us and the server may be sending in its place");
        }
        Some(TlsError::InvalidMessage(_)) => {
            (format!("{name} does not speak TLS on this port"), "Port 993 is for TLS; port 143 is for imap+starttls://")
        }
        Some(TlsError::PeerIncompatible(_)) => {
            (format!("{name} offers no TLS that is safe"), "TLS 1.2 or 1.3 is needed")
        }
        Some(other) => (format!("TLS with {name} failed: {other}"), ""),
        None => (format!("The connection to {name} was lost during the TLS handshake: {error}"), ""),
    };
    let error = MailError::new(Code::NetTls, message).with(|c| c.host = Some(name.to_owned()));
    if hint.is_empty() { error } else { error.hint(hint) }
}

fn certificate(why: &CertificateError, name: &str) -> (String, &'static str) {
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            (format!("The certificate of {name} has expired"), "Its owner has to renew it; check this machine's clock")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            (format!("The certificate of {name} is not valid yet"), "Check this machine's clock")
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => (
            format!("The certificate of {name} is self-signed or from an authority that is not trusted"),
            "If it is yours, give the authority's certificate as ca",
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            format!("The certificate that answered is not for {name}"),
            "Connect by a name that it carries, or give that name as server_name",
        ),
        CertificateError::Revoked => (format!("The certificate of {name} was revoked"), "Do not log in there"),
        other => (format!("The certificate of {name} cannot be accepted: {other}"), ""),
    }
}

fn rustls_error(error: &io::Error) -> Option<&TlsError> {
    error.get_ref()?.downcast_ref()
}
