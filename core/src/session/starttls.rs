//! STARTTLS (RFC 9051 section 6.2.1), with everything refused that has ever been used to get around it.
//!
//! A plain connection is a [`Plain`], which knows three things only: the greeting, CAPABILITY and STARTTLS. What comes
//! out of it is a stream and nothing else, so nothing said in clear can be remembered. The attacks are those of "Why TLS
//! is better without STARTTLS" (USENIX Security 2021) and of the advisories since.

use super::link::{Answer, Link};
use crate::error::{Code, MailError, Result};
use crate::imap::{Capabilities, Response, ResponseCode, Status, StatusKind, Untagged};
use crate::net::Stream;
use crate::wire::Frame;

/// A connection in clear that must become TLS.
pub(super) struct Plain {
    link: Link,
    prefix: String,
    offered: Option<Capabilities>,
}

impl Plain {
    /// Reads the greeting.
    pub async fn greet(mut link: Link, prefix: String) -> Result<Self> {
        let frame = link.frame().await?;
        link.note(false, || "(the greeting, before TLS)".to_owned());
        match link.read(&frame)? {
            Some(Response::Status { kind: StatusKind::Ok, code, .. }) if is_untagged(&frame) => {
                let offered = if let Some(ResponseCode::Capability(offered)) = code { Some(offered) } else { None };
                Ok(Self { link, prefix, offered })
            }
            // fetchmail CVE-2021-39272, mutt CVE-2020-14093: after PREAUTH there is no STARTTLS.
            Some(Response::Status { kind: StatusKind::Preauth, .. }) => {
                Err(tampered("The server takes us for logged in before the connection is encrypted"))
            }
            Some(Response::Status { kind: StatusKind::Bye, .. }) => Err(turned_away()),
            _ => Err(MailError::new(Code::ServerProtocol, "What answered is not an IMAP server")),
        }
    }

    /// Asks for TLS, and gives up the stream at the one moment when the handshake may begin.
    pub async fn starttls(mut self) -> Result<Stream> {
        let offered = match self.offered.take() {
            Some(offered) => offered,
            None => self.capabilities().await?,
        };
        if !offered.has("STARTTLS") {
            return Err(MailError::new(
                Code::ServerUnsupported,
                "The server does not offer STARTTLS on this connection",
            )
            .hint("Use imaps:// and port 993. If it did offer STARTTLS before, somebody takes the offer out"));
        }
        let answer = self.run("S2", "STARTTLS", |_| {}).await?;
        if answer.status != Status::Ok {
            return Err(
                MailError::new(Code::ServerRefused, "The server refused STARTTLS").hint("Use imaps:// and port 993")
            );
        }
        // Also what a response code on this OK has said is dropped here (imapflow, July 2026).
        if self.link.has_more() {
            return Err(tampered("The server went on in clear after it had agreed to TLS"));
        }
        Ok(self.link.into_parts().0)
    }

    async fn capabilities(&mut self) -> Result<Capabilities> {
        let mut offered = Capabilities::default();
        self.run("S1", "CAPABILITY", |capabilities| offered = capabilities).await?;
        Ok(offered)
    }

    async fn run(&mut self, n: &str, command: &'static str, mut offers: impl FnMut(Capabilities)) -> Result<Answer> {
        let tag = format!("{}{n}", self.prefix);
        let check = |frame: &Frame, response| {
            if let Some(offered) = harmless(frame, response)? {
                offers(offered);
            }
            Ok(())
        };
        self.link.run(&tag, command, check).await
    }
}

/// What may come in clear besides answers: capabilities, and notices, whose text nobody is shown.
fn harmless(frame: &Frame, response: Option<Response>) -> Result<Option<Capabilities>> {
    match response {
        _ if !is_untagged(frame) => Err(tampered("The server sent something without a tag before encryption")),
        Some(Response::Data(Untagged::Capability(offered))) => Ok(Some(offered)),
        Some(Response::Status { kind: StatusKind::Bye, .. }) => Err(turned_away()),
        Some(Response::Status { kind: StatusKind::Preauth, .. }) => Err(tampered("The server greeted us twice")),
        Some(Response::Status { .. }) => Ok(None),
        _ => Err(tampered("The server sent data before the connection was encrypted")),
    }
}

/// What lacks the star is a lenient reader's guess, which is not good enough here.
fn is_untagged(frame: &Frame) -> bool {
    frame.head.starts_with(b"* ")
}

fn turned_away() -> MailError {
    // Its words came in clear and may be anybody's.
    MailError::new(Code::ServerBye, "The server closed the connection before it was encrypted")
}

fn tampered(what: &str) -> MailError {
    MailError::new(Code::NetTampered, what).hint("Somebody between us and the server may be sending in its place")
}
