//! Writing commands: tags, literals, continuations. Pure: it fills a buffer and says what it waits for.

use super::route::{InFlight, Reply, Route, Wants};
use crate::error::Result;
use crate::imap::LiteralMode;
use crate::wire::{Command, Piece};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::collections::VecDeque;
use tokio::sync::{mpsc, oneshot};

/// Bytes that a command takes from elsewhere: chunks whose lengths add up to what was announced.
pub(crate) type BodySource = mpsc::Receiver<Result<Bytes>>;

/// A command on its way to the server.
#[derive(Debug)]
pub(crate) struct Job {
    pub command: Command,
    pub wants: Wants,
    pub slow: bool,
    /// One for each [`Piece::Stream`], in order.
    pub bodies: VecDeque<BodySource>,
    /// For IDLE: ends it.
    pub until: Option<oneshot::Receiver<()>>,
    pub done: oneshot::Sender<Result<Reply>>,
}

/// What the writer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// A command.
    Job,
    /// A `+` before a literal, or at the start of IDLE.
    Continue,
    /// More bytes of a body.
    Body,
    /// The end of IDLE.
    Done,
    /// Room in the buffer.
    Room,
}

/// How much is encoded ahead of the socket.
const AHEAD: usize = 256 * 1024;

/// Turns jobs into bytes.
#[derive(Debug)]
pub(crate) struct Sender {
    prefix: String,
    next: u64,
    pub literals: LiteralMode,
    pub out: BytesMut,
    queue: VecDeque<Box<Job>>,
    current: Option<Current>,
    /// The body that the driver should take a chunk from, when [`Waiting::Body`].
    pub body: Option<BodySource>,
    /// The signal that ends IDLE, when [`Waiting::Done`].
    pub until: Option<oneshot::Receiver<()>>,
    log: Vec<String>,
    logging: bool,
}

#[derive(Debug)]
struct Current {
    tag: String,
    pieces: VecDeque<Piece>,
    bodies: VecDeque<BodySource>,
    /// Bytes of a literal still to come from `body`.
    left: u64,
    state: Waiting,
    idle: bool,
}

impl Sender {
    pub fn new(prefix: String, literals: LiteralMode, logging: bool) -> Self {
        Self {
            prefix,
            next: 0,
            literals,
            out: BytesMut::new(),
            queue: VecDeque::new(),
            current: None,
            body: None,
            until: None,
            log: Vec::new(),
            logging,
        }
    }

    pub fn push(&mut self, job: Box<Job>) {
        self.queue.push_back(job);
    }

    /// Whether nothing is left to write.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.current.is_none() && self.out.is_empty()
    }

    pub fn waiting(&self) -> Waiting {
        self.current.as_ref().map_or(Waiting::Job, |c| c.state)
    }

    /// The redacted lines written since the last call.
    pub fn take_log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    /// Fails what has not been written at all.
    pub fn fail(&mut self, error: &crate::MailError) {
        for job in self.queue.drain(..) {
            let _ = job.done.send(Err(error.clone()));
        }
    }

    /// Encodes as much as may be sent now.
    pub fn fill(&mut self, route: &mut Route) {
        while self.out.len() < AHEAD {
            match self.current.take() {
                Some(current) => {
                    if !self.proceed(current, route) {
                        return;
                    }
                }
                None => {
                    let Some(job) = self.queue.pop_front() else { return };
                    self.begin(*job, route);
                }
            }
        }
    }

    /// The server's `+`.
    pub fn on_continue(&mut self) {
        if let Some(current) = self.current.as_mut().filter(|c| c.state == Waiting::Continue) {
            current.state = match (current.idle, &self.body) {
                (true, _) => Waiting::Done,
                (false, Some(_)) => Waiting::Body,
                (false, None) => Waiting::Room,
            };
        }
    }

    /// IDLE is to end.
    pub fn on_done(&mut self) {
        self.until = None;
        if self.current.take().is_some() {
            self.out.put_slice(b"DONE\r\n");
            self.note("DONE".to_owned());
        }
    }

    /// A chunk of the body being sent; `None` where its source has ended. An error is fatal when bytes are still owed.
    pub fn on_chunk(&mut self, chunk: Option<Result<Bytes>>, route: &mut Route) -> Result<()> {
        let Some(current) = self.current.as_mut() else { return Ok(()) };
        match chunk {
            Some(Ok(chunk)) if chunk.len() as u64 <= current.left => {
                current.left -= chunk.len() as u64;
                self.out.extend_from_slice(&chunk);
            }
            Some(Ok(_)) => return Err(body_error("is longer than announced")),
            Some(Err(error)) => return Err(error),
            None => return Err(body_error("is shorter than announced")),
        }
        if current.left == 0 {
            (current.state, self.body) = (Waiting::Room, None);
            self.fill(route);
        }
        Ok(())
    }

    /// The command with this tag was answered. If it was refused before it was whole, the rest of it is not owed while
    /// the server waits for our literal, and owed when a literal is on its way. An IDLE that was refused or that the
    /// server has ended takes no DONE.
    pub fn ended(&mut self, tag: &str) {
        if self.current.as_ref().is_some_and(|c| c.tag == tag && (c.idle || c.state == Waiting::Continue)) {
            (self.current, self.body, self.until) = (None, None, None);
        }
    }

    fn begin(&mut self, job: Job, route: &mut Route) {
        if job.done.is_closed() && job.until.is_none() {
            return;
        }
        self.next += 1;
        let tag = format!("{}{}", self.prefix, self.next);
        self.note(format!("{tag} {}", redact(&job.command)));
        self.out.extend_from_slice(tag.as_bytes());
        self.out.put_u8(b' ');
        let (name, idle) = (job.command.name(), job.until.is_some());
        let pieces = job.command.pieces().to_vec().into();
        self.until = job.until;
        self.current =
            Some(Current { tag: tag.clone(), pieces, bodies: job.bodies, left: 0, state: Waiting::Room, idle });
        let (wants, slow, done) = (job.wants, job.slow, job.done);
        route.push(InFlight { tag, name, wants, slow, written: false, reply: Reply::default(), weight: 0, done });
    }

    /// Goes on with a command; whether more can be encoded after it.
    fn proceed(&mut self, mut current: Current, route: &mut Route) -> bool {
        if current.state != Waiting::Room {
            self.current = Some(current);
            return false;
        }
        match current.pieces.pop_front() {
            None => self.end(current, route),
            Some(Piece::Text(text)) => {
                self.out.extend_from_slice(&text);
                self.current = Some(current);
            }
            Some(Piece::Literal { bytes, binary }) => self.literal(current, bytes, binary),
            Some(Piece::Stream { len, binary }) => {
                self.header(&mut current, len, binary);
                current.left = len;
                self.body = current.bodies.pop_front().filter(|_| len > 0);
                if current.state == Waiting::Room && self.body.is_some() {
                    current.state = Waiting::Body;
                }
                self.current = Some(current);
            }
        }
        true
    }

    fn end(&mut self, mut current: Current, route: &mut Route) {
        self.out.put_slice(b"\r\n");
        route.written(&current.tag);
        if current.idle {
            current.state = Waiting::Continue;
            self.current = Some(current);
        }
    }

    /// A literal in hand: its header first, then, maybe after a `+`, its bytes, a stretch at a time.
    fn literal(&mut self, mut current: Current, mut bytes: Bytes, binary: bool) {
        if current.left == 0 {
            self.header(&mut current, bytes.len() as u64, binary);
            current.left = bytes.len() as u64;
            if current.left > 0 {
                current.pieces.push_front(Piece::Literal { bytes, binary });
            }
            self.current = Some(current);
            return;
        }
        let stretch = bytes.len().min(AHEAD);
        self.out.extend_from_slice(bytes.get(..stretch).unwrap_or_default());
        bytes.advance(stretch);
        current.left -= stretch as u64;
        if current.left > 0 {
            current.pieces.push_front(Piece::Literal { bytes, binary });
        }
        self.current = Some(current);
    }

    fn header(&mut self, current: &mut Current, len: u64, binary: bool) {
        let unasked = self.literals.is_non_sync(len);
        let header = format!("{}{{{len}{}}}\r\n", if binary { "~" } else { "" }, if unasked { "+" } else { "" });
        self.out.extend_from_slice(header.as_bytes());
        if !unasked {
            current.state = Waiting::Continue;
        }
    }

    fn note(&mut self, line: String) {
        if self.logging {
            self.log.push(line);
        }
    }
}

/// What is wrong with a body that the caller gives.
pub(super) fn body_error(what: &str) -> crate::MailError {
    crate::MailError::new(crate::Code::UsageArgument, format!("The body being appended {what}"))
}

/// A command as it may be logged: literals by their length.
fn redact(command: &Command) -> String {
    let mut line = String::new();
    for piece in command.pieces() {
        match piece {
            Piece::Text(text) => line.push_str(&String::from_utf8_lossy(text)),
            Piece::Literal { bytes, .. } => line.push_str(&format!("<{} bytes>", bytes.len())),
            Piece::Stream { len, .. } => line.push_str(&format!("<{len} bytes>")),
        }
    }
    line
}
