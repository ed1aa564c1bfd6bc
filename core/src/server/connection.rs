//! One connection: reads commands, has them done, writes what comes of them.

use super::access::{Access, Login};
use super::fetch::{FetchRun, Step};
use super::listen::Ticket;
use super::options::ServerOptions;
use super::parse::{self, Bad, Parsed};
use super::reply::{News, Refusal, Reply};
use super::session::{Action, Session};
use super::wire::{Received, Wire};
use crate::auth::{Mechanism, ScramBegun};
use crate::error::{Code, MailError, Result};
use crate::secret::Secret;
use crate::store::{BodySource, MessageId};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// Most commands in a row that nobody understands.
const MOST_BAD: u32 = 20;
/// Most refused logins of one connection.
const MOST_REFUSED: u32 = 3;

/// What all connections of a server share.
pub(super) struct Shared {
    pub access: Access,
    /// Who is asked for bodies that are not held.
    pub bodies: Option<Arc<dyn BodySource>>,
    pub options: ServerOptions,
}

/// Speaks with a client until it leaves. An error is a connection that was lost, or a client that sent what cannot be
/// followed. `ticket` is given back when the client has logged in.
pub(super) async fn serve<S>(stream: S, shared: Arc<Shared>, ticket: Option<Ticket>) -> Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let session = Session::new(shared.access.store().clone(), shared.options.append_limit);
    let mut connection = Connection { wire: Wire::new(stream), session, shared, bad: 0, refused: 0 };
    let ended = connection.run(ticket).await;
    if let Err(error) = &ended
        && error.code() == Code::LimitExceeded
    {
        connection.wire.put(b"* BYE [TOOBIG] More was sent at once than is taken\r\n");
    }
    // Whoever is gone does not hear it.
    drop(connection.wire.flush().await);
    ended
}

struct Connection<S> {
    wire: Wire<S>,
    session: Session,
    shared: Arc<Shared>,
    bad: u32,
    refused: u32,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    async fn run(&mut self, ticket: Option<Ticket>) -> Result<()> {
        let login = self.shared.options.login;
        if !tokio::time::timeout(login, self.log_in()).await.map_err(|_| MailError::from(Code::NetTimeout))?? {
            return Ok(());
        }
        drop(ticket);
        self.wire.open(self.shared.options.append_limit);
        while self.step(self.shared.options.silence).await? {}
        Ok(())
    }

    /// Until somebody is logged in; whether that came to be.
    async fn log_in(&mut self) -> Result<bool> {
        let greeting = format!("* OK [CAPABILITY {}] Mailtide is ready\r\n", self.session.capabilities());
        self.wire.put(greeting.as_bytes());
        while !self.session.is_authenticated() {
            if !self.step(self.shared.options.login).await? {
                return Ok(false);
            }
        }
        Ok(true)
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
        let Parsed { tag, command } = parse::command(&frame, self.session.utf8());
        drop(frame);
        let command = match command {
            Ok(command) => command,
            Err(bad) => return Ok(self.misunderstood(&tag, &bad)),
        };
        self.bad = 0;
        self.session.begin(&tag);
        match self.session.run(command, apart).await {
            Action::Reply(reply) => self.finish(&tag, reply).await,
            Action::Fetch(run) => self.fetch(&tag, run).await,
            Action::Idle => self.idle(&tag).await,
            Action::Login(login) => self.check(&tag, login).await,
            Action::Authenticate(Mechanism::ScramSha256, initial) => self.scram(&tag, initial).await,
            Action::Authenticate(_, initial) => self.plain(&tag, initial).await,
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

    async fn finish(&mut self, tag: &str, reply: Result<Reply, Refusal>) -> Result<bool> {
        let text = match reply {
            Ok(reply) => {
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
        loop {
            let step = move |reader: &dyn crate::store::Reader| {
                let window = run.next(reader);
                Ok((run, window))
            };
            let window = self.session.store().read(step).await;
            let (back, window) = match window {
                Ok((back, Ok(window))) => (back, window),
                Ok((back, Err(error))) if !back.is_inside() => return self.finish(tag, Err(error.into())).await,
                // In the middle of a literal nothing else can be said.
                Ok((_, Err(error))) | Err(error) => return Err(error),
            };
            run = back;
            match window {
                Step::Bytes(bytes) => self.wire.push(&bytes).await?,
                Step::Body(message) => run.give(message, self.body(message).await),
                Step::End => {
                    let reply = self.session.fetched(&run);
                    return self.finish(tag, reply).await;
                }
            }
        }
    }

    /// A body that is not held, from whoever can have it.
    async fn body(&mut self, message: MessageId) -> Option<Bytes> {
        let source = self.shared.bodies.clone()?;
        // What was made so far need not wait for it.
        self.wire.flush().await.ok()?;
        match source.body(message).await {
            Ok(body) => Some(body),
            Err(error) => {
                log::debug!("a body could not be fetched: {error}");
                None
            }
        }
    }

    /// Tells of changes as they come, until the client says DONE (RFC 2177).
    async fn idle(&mut self, tag: &str) -> Result<bool> {
        self.wire.put(b"+ Waiting\r\n");
        let mut changes = self.session.store().changes();
        loop {
            self.tell(News::All).await?;
            self.wire.flush().await?;
            tokio::select! {
                line = self.wire.line(self.shared.options.silence) => {
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

    /// AUTHENTICATE PLAIN (RFC 4616), with or without an initial response (RFC 4959).
    async fn plain(&mut self, tag: &str, initial: Option<Bytes>) -> Result<bool> {
        let Some(response) = self.first(initial).await? else { return Ok(false) };
        match read_plain(&response) {
            _ if response == "*" => self.finish(tag, Err(Refusal::bad("The login was given up"))).await,
            Some(login) => self.check(tag, login).await,
            None => self.finish(tag, Err(Refusal::bad("This is no response of PLAIN"))).await,
        }
    }

    /// AUTHENTICATE SCRAM-SHA-256 (RFC 7677): the password never comes here.
    async fn scram(&mut self, tag: &str, initial: Option<Bytes>) -> Result<bool> {
        let Some(response) = self.first(initial).await? else { return Ok(false) };
        let begun = STANDARD.decode(&response).ok().and_then(|message| ScramBegun::read(&message));
        let Some(begun) = begun else {
            return self.finish(tag, Err(Refusal::bad("This is no beginning of SCRAM-SHA-256"))).await;
        };
        let exchange = self.shared.access.challenge(begun).await?;
        let challenge = STANDARD.encode(exchange.text());
        let Some(response) = self.respond(&challenge).await? else { return Ok(false) };
        let message = STANDARD.decode(&response).unwrap_or_default();
        let Some(proof) = self.shared.access.prove(&exchange, &message).await else { return self.refused(tag).await };
        // The client looks at the proof, and says with an empty line that it believes it.
        let Some(response) = self.respond(&STANDARD.encode(proof)).await? else { return Ok(false) };
        if !response.is_empty() {
            return self.finish(tag, Err(Refusal::bad("The login was given up"))).await;
        }
        self.logged_in(tag).await
    }

    /// The initial response, which is asked for where it was not given; `None` where the client is gone.
    async fn first(&mut self, initial: Option<Bytes>) -> Result<Option<Bytes>> {
        match initial {
            Some(initial) => Ok(Some(initial)),
            None => self.respond("").await,
        }
    }

    /// What a client says to a challenge.
    async fn respond(&mut self, challenge: &str) -> Result<Option<Bytes>> {
        self.wire.put(format!("+ {challenge}\r\n").as_bytes());
        self.wire.flush().await?;
        let line = self.wire.line(self.shared.options.login).await?;
        Ok(line.map(|line| line.slice_ref(line.trim_ascii())))
    }

    async fn check(&mut self, tag: &str, login: Login) -> Result<bool> {
        if self.shared.access.check(login).await? { self.logged_in(tag).await } else { self.refused(tag).await }
    }

    async fn logged_in(&mut self, tag: &str) -> Result<bool> {
        self.session.log_in();
        let code = format!("CAPABILITY {}", self.session.capabilities());
        self.finish(tag, Ok(Reply::ok("Logged in").code(code))).await
    }

    async fn refused(&mut self, tag: &str) -> Result<bool> {
        self.refused += 1;
        let refusal = Refusal::no("AUTHENTICATIONFAILED", "The user name or password is wrong");
        self.finish(tag, Err(refusal)).await?;
        if self.refused >= MOST_REFUSED {
            self.wire.put(b"* BYE Too many refused logins\r\n");
        }
        Ok(self.refused < MOST_REFUSED)
    }
}

/// `authzid NUL authcid NUL password`. Nobody may act for somebody else.
fn read_plain(response: &[u8]) -> Option<Login> {
    let decoded = zeroize::Zeroizing::new(STANDARD.decode(response).ok()?);
    let text = std::str::from_utf8(&decoded).ok()?;
    let mut fields = text.split('\0');
    let (authorize, user, password) = (fields.next()?, fields.next()?, fields.next()?);
    let is_own = authorize.is_empty() || authorize == user;
    let is_whole = fields.next().is_none() && is_own && !user.is_empty();
    is_whole.then(|| Login { user: user.to_owned(), password: Secret::from(password) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_of_plain_is_taken_apart() {
        let read = |text: &str| read_plain(STANDARD.encode(text).as_bytes()).map(|login| login.user);
        assert_eq!(read("\0ada\0secret").as_deref(), Some("ada"));
        assert_eq!(read("ada\0ada\0secret").as_deref(), Some("ada"));
        for wrong in ["", "ada", "\0ada", "eve\0ada\0secret", "\0\0secret", "\0ada\0a\0b"] {
            assert!(read(wrong).is_none(), "{wrong:?}");
        }
        assert!(read_plain(b"no base64!").is_none());
    }
}
