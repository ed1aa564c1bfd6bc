//! The stream that async-imap logs in over.
//!
//! async-imap is lent a [`Guard`] for the greeting and for LOGIN or AUTHENTICATE. It sees one canonical response at a
//! time and never a byte beyond it; the server's own words, its untagged data and whatever follows stay with us. What it
//! writes, and what it logs, holds placeholders: the [`Script`] puts the real bytes on the wire.

use super::guard_script::{Next, Script};
use super::link::{Answer, Link, expect_tag};
use super::redact;
use crate::auth::{Mechanism, Refusal};
use crate::error::{Code, MailError, Result};
use crate::imap::{Response, Status};
use crate::wire::Frame;
use bytes::{Bytes, BytesMut};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use zeroize::Zeroizing;

/// How a login has ended.
pub(super) struct Login {
    pub answer: Answer,
    /// Untagged responses that came before the answer.
    pub untagged: Vec<Response>,
    /// What the server has said about the token.
    pub refusal: Option<Refusal>,
}

/// Logs in by `mechanism`, or by the LOGIN command where there is none.
pub(super) async fn log_in(
    link: &mut Link,
    tag: String,
    script: Script,
    mechanism: Option<Mechanism>,
) -> Result<Login> {
    let mut guard = Guard::new(link, tag, script);
    let result = lend(&mut guard, mechanism).await;
    guard.end(result.is_ok())
}

async fn lend(guard: &mut Guard<'_>, mechanism: Option<Mechanism>) -> Result<(), async_imap::error::Error> {
    let mut client = async_imap::Client::new(guard);
    client.read_response().await?;
    let session = match mechanism {
        Some(mechanism) => client.authenticate(mechanism.name(), Placeholder).await,
        None => client.login("user", "password").await,
    };
    session.map(drop).map_err(|(error, _)| error)
}

/// Answers every challenge with nothing; the script has the real answer.
struct Placeholder;

impl async_imap::Authenticator for Placeholder {
    type Response = &'static [u8];

    fn process(&mut self, _challenge: &[u8]) -> Self::Response {
        b""
    }
}

struct Guard<'a> {
    link: &'a mut Link,
    tag: String,
    script: Script,
    /// What async-imap has written of its line, and the tag that it uses.
    line: Vec<u8>,
    its_tag: Vec<u8>,
    /// What it may read.
    handed: Bytes,
    /// What goes out when it has answered a challenge.
    response: Option<Zeroizing<Vec<u8>>>,
    untagged: Vec<Response>,
    answer: Option<Answer>,
    failure: Option<MailError>,
}

impl<'a> Guard<'a> {
    fn new(link: &'a mut Link, tag: String, script: Script) -> Self {
        Self {
            link,
            tag,
            script,
            line: Vec::new(),
            its_tag: Vec::new(),
            handed: Bytes::from_static(b"* OK ready\r\n"),
            response: None,
            untagged: Vec::new(),
            answer: None,
            failure: None,
        }
    }

    /// What has come of it: our own account, which async-imap's must not contradict.
    fn end(self, agreed: bool) -> Result<Login> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        match self.answer {
            Some(answer) if (answer.status == Status::Ok) == agreed => {
                Ok(Login { answer, untagged: self.untagged, refusal: self.script.refusal() })
            }
            _ => Err(MailError::new(Code::Internal, "async-imap did not follow the login")),
        }
    }

    /// async-imap has written a whole line: send what it stands for.
    fn on_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if self.its_tag.is_empty() {
            self.its_tag = line.split(|b| *b == b' ').next().unwrap_or_default().to_vec();
            let (bytes, shown) = self.script.begin(&self.tag);
            self.link.note(true, || shown);
            self.link.queue(bytes);
        } else if let Some(response) = self.response.take() {
            self.link.note(true, || "<response>".to_owned());
            self.link.queue(response);
        }
    }

    fn on_frame(&mut self, frame: &Frame) -> Result<()> {
        match self.link.read(frame)? {
            Some(Response::Continue { raw, .. }) => {
                self.link.note(false, || "+ <challenge>".to_owned());
                self.on_continue(&raw)
            }
            Some(Response::Tagged { tag, status, code, text }) => {
                self.link.note(false, || redact::received(frame));
                expect_tag(&tag, &self.tag)?;
                self.on_answer(Answer { status, code, text })
            }
            Some(response) => {
                self.link.note(false, || redact::received(frame));
                self.untagged.push(response);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn on_continue(&mut self, raw: &[u8]) -> Result<()> {
        match self.script.proceed(raw)? {
            Next::Literal(bytes) => self.link.queue(bytes),
            Next::Respond(bytes) => {
                self.response = Some(bytes);
                self.handed = Bytes::from_static(b"+ \r\n");
            }
        }
        Ok(())
    }

    fn on_answer(&mut self, answer: Answer) -> Result<()> {
        let word: &[u8] = match answer.status {
            Status::Ok => b"OK",
            Status::No => b"NO",
            Status::Bad => b"BAD",
        };
        self.script.finish(answer.status)?;
        let mut line = BytesMut::new();
        for part in [&self.its_tag, &b" "[..], word, b" done\r\n"] {
            line.extend_from_slice(part);
        }
        self.handed = line.freeze();
        self.answer = Some(answer);
        Ok(())
    }

    /// Until there is something to hand over.
    fn poll_handed(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        while self.handed.is_empty() {
            ready!(self.link.poll_drain(cx))?;
            let frame = ready!(self.link.poll_frame(cx))?;
            self.on_frame(&frame)?;
        }
        Poll::Ready(Ok(()))
    }

    /// Keeps the reason; async-imap only learns that there is one.
    fn fail(&mut self, failure: MailError) -> io::Error {
        self.failure.get_or_insert(failure);
        io::ErrorKind::ConnectionAborted.into()
    }
}

impl AsyncRead for Guard<'_> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Err(failure) = ready!(this.poll_handed(cx)) {
            return Poll::Ready(Err(this.fail(failure)));
        }
        let count = this.handed.len().min(buf.remaining());
        buf.put_slice(&this.handed.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Guard<'_> {
    /// Keeps a line together, so that it leaves in one write.
    fn poll_write(self: Pin<&mut Self>, _cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().line.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.line.ends_with(b"\r\n") {
            this.on_line();
        }
        let drained = ready!(this.link.poll_drain(cx));
        Poll::Ready(drained.map_err(|failure| this.fail(failure)))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for Guard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}
