//! One connection: reads commands, has them done, writes what comes of them.

use super::access::{Access, Pass};
use super::command::Command;
use super::faulty::{Faulty, Tamper, Verdict};
use super::fetch::{FetchRun, Step};
use super::intake::abandon;
use super::lately::Lately;
use super::listen::Ticket;
use super::options::ServerOptions;
use super::parse::{self, Bad, Parsed};
use super::reply::{News, Refusal, Reply};
use super::session::{Action, Offer, Session};
use super::wire::{Received, Wire};
use crate::auth::Bindings;
use crate::error::{Code, MailError, Result};
use crate::store::{BodySource, Fetched, Incoming, MessageId};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout, timeout_at};

/// Most commands in a row that nobody understands.
const MOST_BAD: u32 = 20;
/// How often a client hears that a long search goes on.
const STILL: Duration = Duration::from_secs(15);

/// What all connections of a server share.
pub(super) struct Shared {
    pub access: Access,
    /// Who is asked for bodies that are not held.
    pub bodies: Option<Arc<dyn BodySource>>,
    pub options: ServerOptions,
    /// New messages wait to be indexed.
    pub arrived: Arc<Notify>,
    pub lately: Arc<Lately>,
}

/// Who is at the other end, and the line to it.
pub(super) struct Guest {
    pub peer: IpAddr,
    /// Given back when it has logged in.
    pub ticket: Option<Ticket>,
    /// When it has to be logged in, TLS included.
    pub until: Instant,
    pub line: Line,
    /// What a login can be bound to.
    pub bindings: Bindings,
}

/// What a line is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// As it will stay: in clear, or encrypted from the first byte.
    Settled,
    /// In clear, until STARTTLS.
    BeforeTls,
    /// Encrypted since STARTTLS: there is no second greeting.
    AfterTls,
}

/// Speaks with a client until it leaves, or until a TLS handshake begins: then the stream is given back, and nothing else
/// of what was said. An error is a connection that was lost, or a client that sent what cannot be followed.
pub(super) async fn serve<S>(stream: S, shared: Arc<Shared>, guest: &mut Guest) -> Result<Option<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let offer = Offer {
        starttls: guest.line == Line::BeforeTls,
        binding: guest.bindings.are_there(),
        tokens: shared.options.tokens.is_some(),
    };
    let session = Session::new(&shared, offer);
    let (wire, tamper) = (Wire::new(stream), shared.options.faulty.as_ref().map(Faulty::tamper));
    let mut connection =
        Connection { wire, session, shared, guest, pass: None, secure: false, bad: 0, refused: 0, tamper };
    let ended = connection.run().await;
    if let Err(error) = &ended
        && error.code() == Code::LimitExceeded
    {
        connection.wire.put(b"* BYE [TOOBIG] More was sent at once than is taken\r\n");
    }
    // Whoever is gone does not hear it.
    drop(connection.wire.flush().await);
    connection.wire.abandon().await;
    ended?;
    if !connection.secure {
        return Ok(None);
    }
    let gone_on = || MailError::new(Code::NetTampered, "A client went on in clear after STARTTLS");
    connection.wire.into_stream().map(Some).ok_or_else(gone_on)
}

pub(super) struct Connection<'g, S> {
    pub wire: Wire<S>,
    pub session: Session,
    pub shared: Arc<Shared>,
    pub guest: &'g mut Guest,
    /// Once somebody is logged in.
    pub pass: Option<Pass>,
    pub refused: u32,
    /// Whether a handshake is to begin.
    secure: bool,
    bad: u32,
    /// Of a server that is faulty on purpose.
    pub tamper: Option<Tamper>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<'_, S> {
    async fn run(&mut self) -> Result<()> {
        let until = self.guest.until;
        if !timeout_at(until, self.log_in()).await.map_err(|_| MailError::from(Code::NetTimeout))?? {
            return Ok(());
        }
        drop(self.guest.ticket.take());
        let store = Arc::clone(self.shared.access.store().store());
        self.wire.open(store, self.shared.options.append_limit);
        let Some(pass) = self.pass.clone() else { return Ok(()) };
        let (shared, silence) = (Arc::clone(&self.shared), self.shared.options.silence);
        let mut dismissed = pin!(shared.access.dismissed(pass));
        loop {
            tokio::select! {
                go_on = self.step(silence) => if !go_on? { return Ok(()) },
                // Perhaps within an answer, so that nothing more can be said.
                () = &mut dismissed => return Err(MailError::new(Code::AuthRejected, "The login is no longer good")),
            }
        }
    }

    /// Until somebody is logged in; whether that came to be.
    async fn log_in(&mut self) -> Result<bool> {
        if self.guest.line != Line::AfterTls && !self.greet().await? {
            return Ok(false);
        }
        while !self.session.is_authenticated() {
            if !self.step(self.shared.options.login).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Greets the client; whether it is let in.
    async fn greet(&mut self) -> Result<bool> {
        let words = self.session.capabilities();
        let Some(tamper) = &mut self.tamper else {
            self.wire.put(format!("* OK [CAPABILITY {words}] Mailtide is ready\r\n").as_bytes());
            return Ok(true);
        };
        let (greeting, verdict) = tamper.greeting(&words);
        let is_let_in = verdict.refusal.is_none();
        self.disturb(verdict).await?;
        self.wire.put(greeting.as_bytes());
        Ok(is_let_in)
    }

    /// Prepares what is to go wrong; why a command is not done.
    async fn disturb(&mut self, verdict: Verdict) -> Result<Option<Refusal>> {
        if let Some(interruption) = verdict.interruption {
            // It is about this answer, not about those before.
            self.wire.flush().await?;
            self.wire.interrupt(interruption);
            if verdict.at_once {
                self.wire.flush().await?;
            }
        }
        Ok(verdict.refusal)
    }

    /// One command; whether the conversation goes on.
    async fn step(&mut self, silence: Duration) -> Result<bool> {
        let (frame, apart) = match self.wire.command(silence).await? {
            Received::Command(frame, apart) => (frame, apart),
            Received::End => {
                self.wire.put(b"* BYE Nothing was heard for too long\r\n");
                return Ok(false);
            }
        };
        let Parsed { tag, mut command } = parse::command(&frame, self.session.utf8());
        if let Some(tamper) = &mut self.tamper {
            let verdict = tamper.command(&frame, &mut command);
            if let Some(refusal) = self.disturb(verdict).await? {
                return self.finish(&tag, Err(refusal)).await;
            }
        }
        drop(frame);
        let command = match command {
            Ok(command) => command,
            Err(bad) => {
                abandon(apart).await;
                return Ok(self.misunderstood(&tag, &bad));
            }
        };
        self.bad = 0;
        self.session.begin(&tag);
        if self.session.is_behind(&command) {
            self.tell(News::NoExpunge).await?;
        }
        let action = match self.session.may_wait(&command) {
            true => self.wait_for(command, apart).await?,
            false => self.session.run(command, apart).await,
        };
        match action {
            Action::Reply(reply) => self.finish(&tag, reply).await,
            Action::Fetch(run) => self.fetch(&tag, run).await,
            Action::Idle => self.idle(&tag).await,
            Action::Login(login) => self.check(&tag, login).await,
            Action::Authenticate(mechanism, initial) => self.authenticate(&tag, mechanism, initial).await,
            Action::StartTls => {
                self.secure = true;
                self.finish(&tag, Ok(Reply::ok("Begin TLS"))).await.map(|_| false)
            }
            Action::Logout => {
                self.wire.put(format!("* BYE Until later\r\n{tag} OK Logged out\r\n").as_bytes());
                Ok(false)
            }
        }
    }

    fn misunderstood(&mut self, tag: &str, bad: &Bad) -> bool {
        self.bad += 1;
        let text = match bad {
            Bad::Syntax(expected) => format!("{tag} BAD Expected {expected}\r\n"),
            Bad::Charset => format!("{tag} NO [BADCHARSET (US-ASCII UTF-8)] This charset is not known\r\n"),
        };
        self.wire.put(text.as_bytes());
        if self.bad >= MOST_BAD {
            self.wire.put(b"* BYE Too much that is no IMAP\r\n");
        }
        self.bad < MOST_BAD
    }

    pub(super) async fn finish(&mut self, tag: &str, reply: Result<Reply, Refusal>) -> Result<bool> {
        let text = match reply {
            Ok(mut reply) => {
                if let Some(tamper) = &mut self.tamper {
                    tamper.reply(&mut reply);
                }
                self.wire.push(&reply.untagged).await?;
                self.tell(reply.news).await?;
                let code = reply.code.map(|code| format!("[{code}] ")).unwrap_or_default();
                format!("{tag} OK {code}{}\r\n", reply.text)
            }
            Err(Refusal::Bad(text)) => format!("{tag} BAD {text}\r\n"),
            Err(Refusal::No(code, text)) => {
                let code = code.map(|code| format!("[{code}] ")).unwrap_or_default();
                format!("{tag} NO {code}{text}\r\n")
            }
        };
        self.wire.push(text.as_bytes()).await?;
        Ok(true)
    }

    /// Tells what has changed since.
    async fn tell(&mut self, news: News) -> Result<()> {
        let text = self.session.news(news).await?;
        self.wire.push(&text).await
    }

    /// Writes rows as they are read from the store, a window at a time.
    async fn fetch(&mut self, tag: &str, mut run: Box<FetchRun>) -> Result<bool> {
        let (lately, mut turn) = (Arc::clone(&self.shared.lately), None);
        loop {
            turn = match run.is_working() {
                true if turn.is_none() => lately.turns.acquire().await.ok(),
                true => turn,
                false => None,
            };
            let is_quick = run.is_quick();
            let step = move |reader: &dyn crate::store::Reader| {
                let window = run.next(reader);
                Ok((run, window))
            };
            let window = if is_quick { self.session.glance(step) } else { self.session.store().read(step).await };
            let (back, window) = match window {
                Ok((back, Ok(window))) => (back, window),
                Ok((back, Err(error))) if !back.is_inside() => return self.finish(tag, Err(error.into())).await,
                // In the middle of a literal nothing else can be said.
                Ok((_, Err(error))) | Err(error) => return Err(error),
            };
            run = back;
            match window {
                Step::Bytes(bytes) => self.wire.push(&bytes).await?,
                Step::Body(message) => run.give(self.body(message).await),
                Step::Nothing => {}
            }
            if run.is_over() {
                let reply = self.session.fetched(&run);
                return self.finish(tag, reply).await;
            }
        }
    }

    /// A body that is not held, from whoever can have it. A client that asks for it by pieces gets all of them of one.
    async fn body(&mut self, message: MessageId) -> Option<Fetched> {
        if let Some(known) = self.shared.lately.bodies.find(&message) {
            return Some(Fetched::Bytes(known));
        }
        // What was made so far need not wait for it.
        self.wire.flush().await.ok()?;
        let body = self.session.body(message).await?;
        if let Fetched::Bytes(bytes) = &body {
            self.shared.lately.bodies.put(message, bytes.clone(), bytes.len());
        }
        Some(body)
    }

    /// Does a command that may wait for bodies, and says now and then that it goes on: so a client does not give up, and
    /// for one that has gone nothing more is fetched.
    async fn wait_for(&mut self, command: Command, apart: Vec<Incoming>) -> Result<Action> {
        self.wire.flush().await?;
        let mut done = pin!(self.session.run(command, apart));
        loop {
            match timeout(STILL, &mut done).await {
                Ok(action) => return Ok(action),
                Err(_) => self.wire.put(b"* OK Still looking\r\n"),
            }
            self.wire.flush().await?;
        }
    }

    /// Tells of changes as they come, until the client says DONE (RFC 2177).
    async fn idle(&mut self, tag: &str) -> Result<bool> {
        self.wire.put(b"+ Waiting\r\n");
        let mut changes = self.session.store().changes();
        let silence = self.tamper.as_ref().and_then(Tamper::idle).unwrap_or(self.shared.options.silence);
        let is_silent = self.tamper.as_ref().is_some_and(Tamper::is_silent);
        loop {
            self.tell(if is_silent { News::Nothing } else { News::All }).await?;
            self.wire.flush().await?;
            tokio::select! {
                line = self.wire.line(silence) => {
                    let Some(line) = line? else { return Ok(false) };
                    let reply = match line.trim_ascii().eq_ignore_ascii_case(b"DONE") {
                        true => Ok(Reply::ok("Done waiting").news(News::All)),
                        false => Err(Refusal::bad("DONE was expected")),
                    };
                    return self.finish(tag, reply).await;
                }
                changed = changes.changed() => changed?,
            }
        }
    }
}
