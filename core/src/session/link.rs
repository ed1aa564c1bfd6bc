//! A connection that has no session yet: one response at a time, and no byte beyond it is interpreted.

use super::redact;
use crate::error::{Code, MailError, Result};
use crate::imap::{Response, ResponseCode, Status, StatusKind, parse_response};
use crate::limits::Limits;
use crate::net::{self, Stream};
use crate::secret::Secret;
use crate::wire::{Assembler, Frame, Framer};
use bytes::{Bytes, BytesMut};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use zeroize::Zeroizing;

/// Receives redacted lines, and whether we have sent them.
pub(crate) type LineLog = Arc<dyn Fn(bool, String) + Send + Sync>;

/// Most responses that a server may send before it answers; a greeting and a login need a handful.
const PATIENCE: usize = 1000;

pub(super) struct Link {
    stream: Stream,
    buffer: BytesMut,
    framer: Framer,
    assembler: Assembler,
    limits: Limits,
    out: Zeroizing<Vec<u8>>,
    written: usize,
    responses: usize,
    /// What the server said when it announced that it closes the connection.
    farewell: Option<MailError>,
    log: Option<LineLog>,
    /// What must not be logged, should the server repeat it.
    hidden: Option<Secret>,
}

/// The tagged end of a command.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: Status,
    pub code: Option<ResponseCode>,
    pub text: String,
}

impl Link {
    pub fn new(stream: Stream, limits: &Limits, log: Option<LineLog>) -> Self {
        let limits = modest(limits);
        Self {
            stream,
            buffer: BytesMut::new(),
            framer: Framer::for_client(limits.clone()),
            assembler: Assembler::new(limits.clone()),
            limits,
            out: Zeroizing::default(),
            written: 0,
            responses: 0,
            farewell: None,
            log,
            hidden: None,
        }
    }

    /// The stream, and what has been read of it and not been used.
    pub fn into_parts(self) -> (Stream, BytesMut) {
        (self.stream, self.buffer)
    }

    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Whether the server has sent more than has been used.
    pub fn has_more(&self) -> bool {
        !self.buffer.is_empty() || self.stream.has_unread()
    }

    pub fn hide(&mut self, secret: &Secret) {
        self.hidden = Some(secret.clone());
    }

    /// `text` with the secret taken out, should the server have repeated it.
    pub fn concealed(&self, text: &str) -> String {
        match self.hidden.as_ref().map(Secret::reveal).filter(|s| !s.is_empty()) {
            Some(secret) => text.replace(secret, "…"),
            None => text.to_owned(),
        }
    }

    /// Logs a line as it may be seen.
    pub fn note(&self, sent: bool, line: impl FnOnce() -> String) {
        if let Some(log) = &self.log {
            log(sent, self.concealed(&line()));
        }
    }

    /// Bytes to be written by [`Link::poll_drain`].
    pub fn queue(&mut self, bytes: Zeroizing<Vec<u8>>) {
        // A fresh buffer, since growing one would leave a copy of the old bytes behind.
        let left = self.out.get(self.written..).unwrap_or_default();
        self.out = if left.is_empty() { bytes } else { Zeroizing::new([left, &bytes].concat()) };
        self.written = 0;
    }

    /// Writes what is queued, and flushes.
    pub fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        while let Some(left) = self.out.get(self.written..).filter(|left| !left.is_empty()) {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, left)) {
                Ok(0) => return Poll::Ready(Err(self.ended())),
                Ok(count) => self.written += count,
                Err(error) => return Poll::Ready(Err(self.broken(&error))),
            }
        }
        if self.written > 0 {
            (self.out, self.written) = (Zeroizing::default(), 0);
        }
        Pin::new(&mut self.stream).poll_flush(cx).map_err(|e| net::lost(&e))
    }

    /// The next whole response, as it came.
    pub fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame>> {
        loop {
            if let Some(event) = self.framer.next(&mut self.buffer)? {
                if let Some(frame) = self.assembler.push(event)? {
                    return Poll::Ready(self.counted(frame));
                }
                continue;
            }
            let mut bytes = [0; 4096];
            let mut read = ReadBuf::new(&mut bytes);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read)) {
                Ok(()) if read.filled().is_empty() => return Poll::Ready(Err(self.ended())),
                Ok(()) => self.buffer.extend_from_slice(read.filled()),
                Err(error) => return Poll::Ready(Err(self.broken(&error))),
            }
        }
    }

    /// The next response, read. `None` for untagged data that make no sense: they concern nobody.
    pub fn read(&mut self, frame: &Frame) -> Result<Option<Response>> {
        let response = match parse_response(frame, &self.limits, false) {
            Ok(response) => response,
            Err(error) if error.is_fatal() || !frame.head.starts_with(b"* ") => return Err(error.into()),
            Err(_) => return Ok(None),
        };
        if let Response::Status { kind: StatusKind::Bye, code, text } = &response {
            let text = self.concealed(text);
            self.farewell = Some(super::refusal::farewell(code.as_ref(), &text));
        }
        Ok(Some(response))
    }

    /// The next response as it came, for a caller that is not polled.
    pub async fn frame(&mut self) -> Result<Frame> {
        poll_fn(|cx| self.poll_frame(cx)).await
    }

    /// Sends a command without secrets, and hands every untagged response before its answer to `untagged`, also one that
    /// makes no sense.
    pub async fn run(
        &mut self,
        tag: &str,
        command: &'static str,
        mut untagged: impl FnMut(&Frame, Option<Response>) -> Result<()>,
    ) -> Result<Answer> {
        self.note(true, || format!("{tag} {command}"));
        self.queue(Zeroizing::new(format!("{tag} {command}\r\n").into_bytes()));
        poll_fn(|cx| self.poll_drain(cx)).await?;
        loop {
            let frame = self.frame().await?;
            self.note(false, || redact::received(&frame));
            match self.read(&frame)? {
                Some(Response::Tagged { tag: answered, status, code, text }) => {
                    expect_tag(&answered, tag)?;
                    return Ok(Answer { status, code, text });
                }
                Some(Response::Continue { .. }) => return Err(unasked()),
                other => untagged(&frame, other)?,
            }
        }
    }

    fn counted(&mut self, frame: Frame) -> Result<Frame> {
        self.responses += 1;
        if self.responses > PATIENCE {
            return Err(MailError::new(Code::LimitExceeded, "The server talks without answering"));
        }
        Ok(frame)
    }

    /// A server that has said farewell may go as it likes.
    fn broken(&mut self, error: &io::Error) -> MailError {
        self.farewell.take().unwrap_or_else(|| net::lost(error))
    }

    fn ended(&mut self) -> MailError {
        let closed = || MailError::new(Code::NetLost, "The server closed the connection before we were logged in");
        self.farewell.take().unwrap_or_else(closed)
    }
}

/// An answer to another tag was sent by somebody who guesses what we send.
pub(super) fn expect_tag(answered: &Bytes, tag: &str) -> Result<()> {
    if answered == tag {
        return Ok(());
    }
    Err(MailError::new(Code::NetTampered, "The server answered a command that was not sent")
        .hint("Somebody between us and the server may be sending in its place"))
}

pub(super) fn unasked() -> MailError {
    MailError::new(Code::ServerProtocol, "The server asks for more of a command that is complete")
}

/// Before the login nothing large has any business here.
fn modest(limits: &Limits) -> Limits {
    let small = 64 * 1024;
    Limits {
        line: limits.line.min(small),
        literal: limits.literal.min(small),
        body: limits.body.min(small as u64),
        items: limits.items.min(10_000),
        response: limits.response.min(4 * small),
        literals: limits.literals.min(100),
        ..limits.clone()
    }
}
