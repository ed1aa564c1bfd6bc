//! Bytes of one connection: commands with their literals in, answers out, each within its bounds.

use super::intake::Intake;
use super::parse;
use crate::error::{Code, MailError, Result};
use crate::limits::Limits;
use crate::store::{Incoming, Store};
use crate::wire::{Assembler, Event, Frame, Framer, LiteralHeader};
use bytes::{Bytes, BytesMut};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// Answers are written when so much has come together.
const FLUSH: usize = 64 << 10;
/// How long a client may take to read what is written.
const WRITE: Duration = Duration::from_secs(300);

/// What came of reading.
pub(super) enum Received {
    /// A whole command, and its large literals, in order, which have come into the store.
    Command(Frame, Vec<Incoming>),
    /// The client is gone, or was silent for too long.
    End,
}

/// What goes wrong in the middle of an answer, where a server is faulty on purpose.
#[derive(Debug)]
pub(super) struct Interruption {
    /// After so many bytes.
    pub after: usize,
    pub how: How,
}

/// How an answer goes wrong.
#[derive(Debug)]
pub(super) enum How {
    Cut,
    Wait(Duration),
    Garbage(Bytes),
}

/// A connection's bytes.
pub(super) struct Wire<S> {
    stream: S,
    buffer: BytesMut,
    framer: Framer,
    assembler: Assembler,
    out: Vec<u8>,
    /// Where large literals go; `None` before anybody has logged in.
    store: Option<Arc<dyn Store>>,
    intake: Intake,
    append_limit: u64,
    limits: Limits,
    interruption: Option<Interruption>,
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
            store: None,
            intake: Intake::default(),
            append_limit: 0,
            limits,
            interruption: None,
        }
    }

    /// The client has logged in, and may add messages. To be called between two commands.
    pub(super) fn open(&mut self, store: Arc<dyn Store>, append_limit: u32) {
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
        self.store = Some(store);
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

    /// Has something go wrong in what is written from here on; with the next command at the latest.
    pub(super) fn interrupt(&mut self, interruption: Interruption) {
        self.interruption = Some(interruption);
    }

    pub(super) async fn flush(&mut self) -> Result<()> {
        while let Some(Interruption { after, how }) = self.interruption.take_if(|next| next.after <= self.out.len()) {
            let rest = self.out.split_off(after);
            self.write().await?;
            match how {
                How::Cut => return Err(MailError::new(Code::NetLost, "The connection was cut on purpose")),
                How::Wait(time) => tokio::time::sleep(time).await,
                How::Garbage(bytes) => self.out.extend_from_slice(&bytes),
            }
            self.out.extend(rest);
        }
        if let Some(interruption) = &mut self.interruption {
            interruption.after -= self.out.len();
        }
        self.write().await
    }

    async fn write(&mut self) -> Result<()> {
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
        if let Some(interruption) = &mut self.interruption {
            interruption.after = interruption.after.min(self.out.len());
            self.flush().await?;
        }
        loop {
            match self.framer.next(&mut self.buffer)? {
                None => {
                    self.flush().await?;
                    if !self.read(silence).await? {
                        return Ok(Received::End);
                    }
                }
                Some(Event::Wait(header)) => self.wait(header).await?,
                Some(Event::Piece(piece)) => self.piece(piece).await?,
                Some(event @ Event::Head(..)) => self.head(event)?,
                Some(event @ Event::Line(_)) => {
                    if let Some(frame) = self.assembler.push(event)? {
                        return Ok(Received::Command(frame, self.intake.take()));
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
            self.intake.abandon().await;
        }
        self.flush().await
    }

    /// A large literal begins, which the client does not wait to be let send.
    fn head(&mut self, event: Event) -> Result<()> {
        self.assembler.push(event)?;
        self.assembler.divert();
        let is_append = self.assembler.partial().is_some_and(|frame| is_append(&frame.head));
        match &self.store {
            Some(store) if is_append => {
                self.intake.begin(store);
                Ok(())
            }
            _ => Err(MailError::new(Code::LimitExceeded, "Only a message may be so large")),
        }
    }

    async fn piece(&mut self, piece: Bytes) -> Result<()> {
        self.assembler.push(Event::Piece(piece.clone()))?;
        self.intake.push(piece, self.assembler.remaining() == 0).await
    }

    /// The client is gone: what it has begun to send goes too.
    pub(super) async fn abandon(&mut self) {
        self.intake.abandon().await;
    }
}

fn before_login() -> Limits {
    Limits { line: 16 << 10, literal: 0, body: 0, response: 32 << 10, literals: 8, ..Limits::default() }
}

fn is_append(line: &[u8]) -> bool {
    line.split(|byte| *byte == b' ').nth(1).is_some_and(|word| word.eq_ignore_ascii_case(b"APPEND"))
}
