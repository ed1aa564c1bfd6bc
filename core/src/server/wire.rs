//! Bytes of one connection: commands with their literals in, answers out, each within its bounds.

use super::parse;
use crate::error::{Code, MailError, Result};
use crate::limits::Limits;
use crate::wire::{Assembler, Event, Frame, Framer, LiteralHeader};
use bytes::{Bytes, BytesMut};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// Answers are written when so much has come together.
const FLUSH: usize = 64 << 10;
/// How long a client may take to read what is written.
const WRITE: Duration = Duration::from_secs(300);

/// What came of reading.
#[derive(Debug)]
pub(super) enum Received {
    /// A whole command, and the large literals that came apart from it, in order.
    Command(Frame, Vec<Bytes>),
    /// The client is gone, or was silent for too long.
    End,
}

/// A connection's bytes.
pub(super) struct Wire<S> {
    stream: S,
    buffer: BytesMut,
    framer: Framer,
    assembler: Assembler,
    out: Vec<u8>,
    /// Large literals of the command that is coming in.
    apart: Vec<Bytes>,
    /// The one that is coming in.
    coming: BytesMut,
    append_limit: u64,
    limits: Limits,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// For a client that has not logged in: at most 16 KiB of anything.
    pub(super) fn new(stream: S) -> Self {
        let limits = before_login();
        Self {
            stream,
            buffer: BytesMut::new(),
            framer: Framer::for_server(limits.clone()),
            assembler: Assembler::new(limits.clone()),
            out: Vec::new(),
            apart: Vec::new(),
            coming: BytesMut::new(),
            append_limit: 0,
            limits,
        }
    }

    /// The client has logged in. To be called between two commands.
    pub(super) fn open(&mut self, append_limit: u32) {
        let limits = Limits {
            line: 64 << 10,
            literal: 64 << 10,
            body: u64::from(append_limit),
            response: 1 << 20,
            literals: 1000,
            ..Limits::default()
        };
        self.framer = Framer::for_server(limits.clone());
        self.assembler = Assembler::new(limits.clone());
        (self.append_limit, self.limits) = (u64::from(append_limit), limits);
    }

    /// Gives the stream up, for a handshake that begins now. `None` where the client went on in clear: whatever that is, it
    /// must not be taken for something that came encrypted (RFC 9051 section 6.2.1).
    pub(super) fn into_stream(self) -> Option<S> {
        self.buffer.is_empty().then_some(self.stream)
    }

    /// Bytes to write. They go out when a command is waited for, or many have come together.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// The same, out at once where they are many.
    pub(super) async fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.put(bytes);
        if self.out.len() >= FLUSH { self.flush().await } else { Ok(()) }
    }

    pub(super) async fn flush(&mut self) -> Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        let write = async {
            self.stream.write_all(&self.out).await?;
            self.stream.flush().await
        };
        let written = timeout(WRITE, write).await;
        self.out.clear();
        self.out.shrink_to(FLUSH);
        written.map_err(|_| MailError::from(Code::NetTimeout))?.map_err(|error| crate::net::lost(&error))
    }

    /// The next command; literals that are waited for are asked for.
    pub(super) async fn command(&mut self, silence: Duration) -> Result<Received> {
        loop {
            match self.framer.next(&mut self.buffer)? {
                None => {
                    self.flush().await?;
                    if !self.read(silence).await? {
                        return Ok(Received::End);
                    }
                }
                Some(Event::Wait(header)) => self.wait(header).await?,
                Some(Event::Piece(piece)) => self.piece(piece)?,
                Some(event @ Event::Head(..)) => {
                    self.assembler.push(event)?;
                    self.assembler.divert();
                }
                Some(event @ Event::Line(_)) => {
                    if let Some(frame) = self.assembler.push(event)? {
                        return Ok(Received::Command(frame, std::mem::take(&mut self.apart)));
                    }
                }
            }
        }
    }

    /// A line that is no command: the answer to a challenge, or DONE. `None` where the client is gone. Safe to cancel.
    pub(super) async fn line(&mut self, silence: Duration) -> Result<Option<Bytes>> {
        loop {
            match self.framer.next(&mut self.buffer)? {
                None if self.read(silence).await? => {}
                None => return Ok(None),
                Some(Event::Line(line)) => return Ok(Some(line)),
                Some(_) => return Err(MailError::new(Code::ServerProtocol, "A literal came where none may be")),
            }
        }
    }

    async fn read(&mut self, silence: Duration) -> Result<bool> {
        // What was read is given up with the frames that were made of it.
        self.buffer.reserve(4 << 10);
        match timeout(silence, self.stream.read_buf(&mut self.buffer)).await {
            Err(_) => Ok(false),
            Ok(read) => read.map(|count| count > 0).map_err(|error| crate::net::lost(&error)),
        }
    }

    /// The client waits to be let send a literal. One that is too large is refused, and its command with it.
    async fn wait(&mut self, header: LiteralHeader) -> Result<()> {
        let line = self.assembler.partial().map_or_else(|| self.buffer.clone().freeze(), |frame| frame.head);
        let most = if is_append(&line) { self.append_limit } else { 64 << 10 };
        if header.size <= most && self.append_limit > 0 || header.size <= 4096 {
            self.put(b"+ Go on\r\n");
        } else {
            let tag = parse::tag(&line).unwrap_or_else(|| "*".to_owned());
            self.put(format!("{tag} NO [TOOBIG] At most {most} bytes are taken\r\n").as_bytes());
            self.framer.refuse(&mut self.buffer);
            self.assembler = Assembler::new(self.limits.clone());
            self.apart.clear();
        }
        self.flush().await
    }

    fn piece(&mut self, piece: Bytes) -> Result<()> {
        self.coming.extend_from_slice(&piece);
        self.assembler.push(Event::Piece(piece))?;
        if self.assembler.remaining() == 0 {
            self.apart.push(std::mem::take(&mut self.coming).freeze());
        }
        let held: u64 = self.apart.iter().map(|bytes| bytes.len() as u64).sum();
        if held + self.coming.len() as u64 > self.append_limit.saturating_mul(2) {
            return Err(MailError::new(Code::LimitExceeded, "The messages of one APPEND are too large together"));
        }
        Ok(())
    }
}

fn before_login() -> Limits {
    Limits { line: 16 << 10, literal: 0, body: 0, response: 32 << 10, literals: 8, ..Limits::default() }
}

fn is_append(line: &[u8]) -> bool {
    line.split(|byte| *byte == b' ').nth(1).is_some_and(|word| word.eq_ignore_ascii_case(b"APPEND"))
}
