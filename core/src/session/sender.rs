//! Writing commands: tags, literals, continuations. Pure: it fills a buffer and says what it waits for.
//!
//! ```text
//! Between   -> Writing    a job
//! Writing   -> Asking     a literal that has to wait
//! Asking    -> Writing    the server's +, for a literal in hand
//! Asking    -> Body       the server's +, for a body from elsewhere
//! Writing   -> Body       a body from elsewhere that need not wait
//! Body      -> Writing    its last byte
//! Writing   -> Between    the last line is written
//! Writing   -> IdleAsked  IDLE is written
//! IdleAsked -> Idling     the server's +
//! Idling    -> Between    DONE
//! Asking, IdleAsked, Idling -> Between    the server has answered: it refuses, or has ended IDLE
//! ```

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
    state: State,
    log: Vec<String>,
    logging: bool,
}

/// Where the writer stands. What a state needs is in it, and nothing else.
#[derive(Debug, Default)]
enum State {
    /// Between two commands.
    #[default]
    Between,
    /// In a command; goes on as soon as there is room in the buffer.
    Writing(Unsent),
    /// The header of a literal is written, and its bytes wait for the server's `+`.
    Asking(Unsent, Option<Owed>),
    /// In a literal whose bytes come from elsewhere.
    Body(Unsent, Owed),
    /// IDLE is written, and the server has not agreed to it yet.
    IdleAsked(Idle),
    /// The server speaks when it likes, until DONE.
    Idling(Idle),
}

/// What is left of a command.
#[derive(Debug)]
struct Unsent {
    tag: String,
    parts: VecDeque<Part>,
    bodies: VecDeque<BodySource>,
    /// For IDLE: what ends it.
    until: Option<oneshot::Receiver<()>>,
}

#[derive(Debug)]
enum Part {
    Piece(Piece),
    /// Bytes of a literal whose header is written.
    Bytes(Bytes),
}

/// A body on its way, and how many bytes of it are still to come.
#[derive(Debug)]
struct Owed {
    source: BodySource,
    left: u64,
}

#[derive(Debug)]
struct Idle {
    tag: String,
    until: oneshot::Receiver<()>,
}

/// What has to come before the writer can go on, besides the server's `+`.
pub(crate) enum Awaited<'a> {
    /// The next chunk of a body.
    Chunk(&'a mut BodySource),
    /// The end of IDLE.
    End(&'a mut oneshot::Receiver<()>),
}

impl Sender {
    pub fn new(prefix: String, literals: LiteralMode, logging: bool) -> Self {
        let (queue, state, log) = (VecDeque::new(), State::Between, Vec::new());
        Self { prefix, next: 0, literals, out: BytesMut::new(), queue, state, log, logging }
    }

    pub fn push(&mut self, job: Box<Job>) {
        self.queue.push_back(job);
    }

    /// Whether nothing is left to write.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && matches!(self.state, State::Between) && self.out.is_empty()
    }

    /// Whether IDLE is under way: the server owes nothing.
    pub fn is_idling(&self) -> bool {
        matches!(self.state, State::Idling(_))
    }

    /// Whether bytes of a body are owed to the server.
    pub fn owes_body(&self) -> bool {
        matches!(self.state, State::Body(..))
    }

    /// The bytes to be written, and what is awaited meanwhile. A chunk is not as long as the buffer is full.
    pub fn ends(&mut self) -> (&mut BytesMut, Option<Awaited<'_>>) {
        let room = self.out.len() < AHEAD;
        let awaited = match &mut self.state {
            State::Body(_, owed) if room => Some(Awaited::Chunk(&mut owed.source)),
            State::Idling(idle) => Some(Awaited::End(&mut idle.until)),
            _ => None,
        };
        (&mut self.out, awaited)
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
            match std::mem::take(&mut self.state) {
                State::Between => {
                    let Some(job) = self.queue.pop_front() else { return };
                    self.begin(*job, route);
                }
                State::Writing(unsent) => self.state = self.proceed(unsent, route),
                waiting => {
                    self.state = waiting;
                    return;
                }
            }
        }
    }

    /// The server's `+`.
    pub fn on_continue(&mut self) {
        self.state = match std::mem::take(&mut self.state) {
            State::Asking(unsent, None) => State::Writing(unsent),
            State::Asking(unsent, Some(owed)) => State::Body(unsent, owed),
            State::IdleAsked(idle) => State::Idling(idle),
            other => other,
        };
    }

    /// IDLE is to end.
    pub fn on_done(&mut self) {
        match std::mem::take(&mut self.state) {
            State::Idling(_) => {
                self.out.put_slice(b"DONE\r\n");
                self.note("DONE".to_owned());
            }
            other => self.state = other,
        }
    }

    /// A chunk of the body being sent; `None` where its source has ended. An error is fatal when bytes are still owed.
    pub fn on_chunk(&mut self, chunk: Option<Result<Bytes>>, route: &mut Route) -> Result<()> {
        let State::Body(_, owed) = &mut self.state else { return Ok(()) };
        match chunk {
            Some(Ok(chunk)) if chunk.len() as u64 <= owed.left => {
                owed.left -= chunk.len() as u64;
                self.out.extend_from_slice(&chunk);
            }
            Some(Ok(_)) => return Err(body_error("is longer than announced")),
            Some(Err(error)) => return Err(error),
            None => return Err(body_error("is shorter than announced")),
        }
        self.state = match std::mem::take(&mut self.state) {
            State::Body(unsent, Owed { left: 0, .. }) => State::Writing(unsent),
            other => other,
        };
        self.fill(route);
        Ok(())
    }

    /// The command with this tag was answered. If it was refused before it was whole, the rest of it is not owed while
    /// the server waits for our literal, and owed when a literal is on its way. An IDLE that was refused or that the
    /// server has ended takes no DONE.
    pub fn ended(&mut self, tag: &str) {
        let over = match &self.state {
            State::Asking(unsent, _) => unsent.tag == tag,
            State::Writing(unsent) => unsent.tag == tag && unsent.until.is_some(),
            State::IdleAsked(idle) | State::Idling(idle) => idle.tag == tag,
            State::Between | State::Body(..) => false,
        };
        if over {
            self.state = State::Between;
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
        let Job { command, wants, slow, bodies, until, done } = job;
        let parts = command.pieces().iter().cloned().map(Part::Piece).collect();
        self.state = State::Writing(Unsent { tag: tag.clone(), parts, bodies, until });
        let (name, reply) = (command.name(), Reply::default());
        route.push(InFlight { tag, name, wants, slow, written: false, reply, weight: 0, done });
    }

    /// Encodes the next part of a command; where that leads.
    fn proceed(&mut self, mut unsent: Unsent, route: &mut Route) -> State {
        match unsent.parts.pop_front() {
            None => return self.end(unsent, route),
            Some(Part::Piece(Piece::Text(text))) => self.out.extend_from_slice(&text),
            Some(Part::Piece(Piece::Literal { bytes, binary })) => {
                let asks = self.header(bytes.len() as u64, binary);
                unsent.parts.push_front(Part::Bytes(bytes));
                if asks {
                    return State::Asking(unsent, None);
                }
            }
            Some(Part::Piece(Piece::Stream { len, binary })) => return self.stream(unsent, len, binary),
            Some(Part::Bytes(bytes)) => self.stretch(bytes).into_iter().for_each(|rest| unsent.parts.push_front(rest)),
        }
        State::Writing(unsent)
    }

    fn stream(&mut self, mut unsent: Unsent, len: u64, binary: bool) -> State {
        let source = unsent.bodies.pop_front().filter(|_| len > 0);
        let owed = source.map(|source| Owed { source, left: len });
        match (self.header(len, binary), owed) {
            (true, owed) => State::Asking(unsent, owed),
            (false, Some(owed)) => State::Body(unsent, owed),
            (false, None) => State::Writing(unsent),
        }
    }

    /// As much of a literal as may be ahead; what is left of it.
    fn stretch(&mut self, mut bytes: Bytes) -> Option<Part> {
        let stretch = bytes.len().min(AHEAD);
        self.out.extend_from_slice(bytes.get(..stretch).unwrap_or_default());
        bytes.advance(stretch);
        (!bytes.is_empty()).then_some(Part::Bytes(bytes))
    }

    fn end(&mut self, unsent: Unsent, route: &mut Route) -> State {
        self.out.put_slice(b"\r\n");
        route.written(&unsent.tag);
        match unsent.until {
            Some(until) => State::IdleAsked(Idle { tag: unsent.tag, until }),
            None => State::Between,
        }
    }

    /// Writes the header of a literal; whether its bytes wait for the server's `+`.
    fn header(&mut self, len: u64, binary: bool) -> bool {
        let unasked = self.literals.is_non_sync(len);
        let header = format!("{}{{{len}{}}}\r\n", if binary { "~" } else { "" }, if unasked { "+" } else { "" });
        self.out.extend_from_slice(header.as_bytes());
        !unasked
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;
    use crate::imap::MailboxName;
    use crate::imap::command;
    use crate::imap::command::{AppendBody, AppendMessage};

    struct Desk {
        sender: Sender,
        route: Route,
        /// A command that nobody waits for is not sent.
        answers: Vec<oneshot::Receiver<Result<Reply>>>,
    }

    impl Desk {
        fn new(literals: LiteralMode) -> Self {
            let sender = Sender::new("t".to_owned(), literals, false);
            Self { sender, route: Route::new(1 << 20), answers: Vec::new() }
        }

        fn give(&mut self, command: Command, bodies: Vec<BodySource>, until: Option<oneshot::Receiver<()>>) {
            let (done, answer) = oneshot::channel();
            self.answers.push(answer);
            let job = Job { command, wants: Wants::Nothing, slow: false, bodies: bodies.into(), until, done };
            self.sender.push(Box::new(job));
            self.sender.fill(&mut self.route);
        }

        fn written(&mut self) -> String {
            String::from_utf8(self.sender.out.split().to_vec()).unwrap()
        }
    }

    fn append(body: AppendBody) -> Command {
        let message = AppendMessage { flags: Vec::new(), internal_date: None, body, binary: false };
        command::append(&MailboxName::new("a", false), &[message]).unwrap()
    }

    #[test]
    fn a_literal_waits_to_be_asked_for_and_the_next_command_waits_behind_it() {
        let mut desk = Desk::new(LiteralMode::Sync);
        desk.give(append(AppendBody::Bytes("hi\r\n".into())), vec![], None);
        desk.give(command::noop(), vec![], None);
        assert_eq!(desk.written(), "t1 APPEND a {4}\r\n");
        desk.sender.on_continue();
        desk.sender.fill(&mut desk.route);
        assert_eq!(desk.written(), "hi\r\n\r\nt2 NOOP\r\n");
        assert!(desk.sender.is_idle());
    }

    #[test]
    fn a_literal_that_is_refused_is_not_owed_and_one_on_its_way_is() {
        let mut desk = Desk::new(LiteralMode::Sync);
        desk.give(append(AppendBody::Bytes("hi".into())), vec![], None);
        desk.sender.ended("t1");
        assert!(matches!(desk.sender.state, State::Between));
        let (chunks, source) = mpsc::channel(1);
        desk.sender.literals = LiteralMode::Plus;
        desk.give(append(AppendBody::Stream(4)), vec![source], None);
        desk.sender.ended("t2");
        assert!(desk.sender.owes_body());
        desk.sender.on_chunk(Some(Ok("hi\r\n".into())), &mut desk.route).unwrap();
        assert_eq!(desk.written(), "t1 APPEND a {2}\r\nt2 APPEND a {4+}\r\nhi\r\n\r\n");
        drop(chunks);
    }

    #[test]
    fn a_body_has_the_length_that_was_announced() {
        for chunk in [Some(Ok(Bytes::from_static(b"hello"))), None] {
            let mut desk = Desk::new(LiteralMode::Plus);
            let (_chunks, source) = mpsc::channel(1);
            desk.give(append(AppendBody::Stream(4)), vec![source], None);
            let error = desk.sender.on_chunk(chunk, &mut desk.route).unwrap_err();
            assert_eq!(error.code(), Code::UsageArgument);
        }
    }

    #[test]
    fn a_full_buffer_takes_no_more_of_a_body() {
        let mut desk = Desk::new(LiteralMode::Sync);
        let (_chunks, source) = mpsc::channel(1);
        desk.give(append(AppendBody::Stream(1 << 30)), vec![source], None);
        assert!(desk.sender.ends().1.is_none());
        desk.sender.on_continue();
        assert!(matches!(desk.sender.ends().1, Some(Awaited::Chunk(_))));
        desk.sender.on_chunk(Some(Ok(vec![0; AHEAD].into())), &mut desk.route).unwrap();
        assert!(desk.sender.ends().1.is_none() && desk.sender.owes_body());
    }

    #[test]
    fn idle_ends_by_done_only_where_the_server_has_agreed_to_it() {
        let mut desk = Desk::new(LiteralMode::Sync);
        let idle = |desk: &mut Desk| {
            let (end, until) = oneshot::channel();
            desk.give(command::idle(), vec![], Some(until));
            end
        };
        let first = idle(&mut desk);
        desk.sender.on_done();
        assert!(!desk.sender.is_idling() && desk.sender.ends().1.is_none());
        desk.sender.on_continue();
        assert!(desk.sender.is_idling());
        desk.sender.on_done();
        let second = idle(&mut desk);
        desk.sender.ended("t2");
        desk.give(command::noop(), vec![], None);
        assert_eq!(desk.written(), "t1 IDLE\r\nDONE\r\nt2 IDLE\r\nt3 NOOP\r\n");
        drop((first, second));
    }
}
