//! One connection of a client: what it is in the middle of, and what waits to be sent.

use super::args::Args;
use super::command::{self, End};
use super::reader::{Read, Reader};
use super::server::{Actor, Ghost, Server};
use super::{append, changes};
use crate::fault::{Fault, Refusal};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::VecDeque;

/// Names a connection.
pub type ConnectionId = u64;

/// The password that is refused; every other one is taken.
const WRONG_PASSWORD: &str = "wrong";

/// Bytes for the client, and when they leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Not before this, in milliseconds.
    pub due: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// What there is for a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// Bytes.
    Bytes(Vec<u8>),
    /// Bytes at that time.
    Later(u64),
    /// Nothing now.
    Nothing,
    /// Nothing any more.
    End,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Waiting {
    #[default]
    Command,
    /// DONE, to end the IDLE of this tag.
    Done(String),
    /// What to log in with, for the AUTHENTICATE of this tag.
    Credentials(String),
}

/// What ENABLE and its like have changed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Enabled {
    pub condstore: bool,
    pub qresync: bool,
    pub rev2: bool,
    pub uid_only: bool,
}

/// A mailbox that is open.
#[derive(Clone, Debug)]
pub(super) struct Selected {
    pub mailbox: u64,
    pub uid_validity: u32,
    pub read_only: bool,
    /// The messages that the client has been told of, in their order.
    pub known: Vec<Known>,
    /// Keywords that the client has been told of.
    pub keywords: std::collections::BTreeSet<String>,
    /// Looks empty, whatever there is.
    pub blind: bool,
}

/// A message that a client has been told of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub uid: u32,
    /// MODSEQ of the flags that it has been told.
    pub modseq: u64,
}

/// A connection.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Who is at the other end.
    pub actor: Actor,
    pub(super) enabled: Enabled,
    pub(super) selected: Option<Selected>,
    pub(super) waiting: Waiting,
    pub(super) logged_in: bool,
    /// The tag of the command being done.
    pub(super) tag: String,
    /// The result of the last SEARCH that was saved, as UIDs (RFC 5182).
    pub(super) saved: Vec<u32>,
    /// The answer being written.
    pub(super) reply: Vec<u8>,
    /// Whether the next mailbox to be opened looks empty.
    pub(super) blind: bool,
    /// Whether the next LIST is empty.
    pub(super) blind_list: bool,
    /// Whether the command being done is answered with other messages than those asked for.
    pub(super) swap: bool,
    reader: Reader,
    out: VecDeque<Chunk>,
    closed: bool,
    /// Bytes read of the command that is coming.
    coming: usize,
}

impl Connection {
    /// A new connection, with the greeting on its way.
    pub(super) fn greeted(actor: Actor, server: &mut Server) -> Self {
        let mut new = Self {
            actor,
            enabled: Enabled::default(),
            selected: None,
            waiting: Waiting::Command,
            logged_in: false,
            tag: String::new(),
            saved: Vec::new(),
            reply: Vec::new(),
            blind: false,
            blind_list: false,
            swap: false,
            reader: Reader::default(),
            out: VecDeque::new(),
            closed: false,
            coming: 0,
        };
        let capabilities = command::capabilities(server);
        new.line(&format!("* OK [CAPABILITY {capabilities}] {}", server.personality.greeting));
        new.flush(server, 0);
        new
    }

    /// Writes a line into the answer.
    pub(super) fn line(&mut self, text: &str) {
        self.write(text.as_bytes());
        self.write(b"\r\n");
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        self.reply.extend_from_slice(bytes);
    }

    /// Whether it is told of changes as they happen.
    pub(super) fn idles(&self) -> bool {
        matches!(self.waiting, Waiting::Done(_)) && !self.closed
    }

    /// The next bytes for the client.
    pub(super) fn take(&mut self, most: usize, now: u64) -> Outgoing {
        let Some(first) = self.out.front_mut() else {
            return if self.closed { Outgoing::End } else { Outgoing::Nothing };
        };
        if first.due > now {
            return Outgoing::Later(first.due);
        }
        let count = most.min(first.bytes.len());
        let bytes: Vec<u8> = first.bytes.drain(..count).collect();
        if first.bytes.is_empty() {
            self.out.pop_front();
        }
        Outgoing::Bytes(bytes)
    }

    /// Ends at once: nothing more is read, and what was not fetched is lost.
    pub(super) fn cut(&mut self) {
        self.out.clear();
        self.close();
    }

    fn close(&mut self) {
        self.closed = true;
        self.waiting = Waiting::Command;
    }

    /// Takes bytes from the client.
    pub(super) fn receive(&mut self, server: &mut Server, bytes: &[u8]) {
        if self.closed {
            return;
        }
        self.coming += bytes.len();
        let cut = matches!(server.upcoming(self.actor), Some(Fault::CutInside(n)) if self.coming > usize::from(*n));
        if cut && self.waiting == Waiting::Command {
            server.strike(self.actor);
            return self.cut();
        }
        self.reader.push(bytes);
        while let (false, Some(read)) = (self.closed, self.reader.read()) {
            match read {
                Read::Literal { size, waits } => self.on_literal(server, size, waits),
                Read::Command(command) => {
                    self.coming = 0;
                    self.on_command(server, &command);
                }
            }
        }
    }

    fn on_literal(&mut self, server: &mut Server, size: u64, waits: bool) {
        let command = self.reader.partial();
        let line_limit = server.personality.command_limit.filter(|limit| command.len() > *limit && size < 1000);
        let refusal = match append::refuse_early(server, self, command, size) {
            Some(refusal) => refusal,
            None if !waits && !server.personality.capabilities.contains("LITERAL") => {
                "BAD Non-synchronizing literals are not understood".to_owned()
            }
            None if line_limit.is_some() => "BAD Command Argument Error. 11".to_owned(),
            None if waits => {
                self.line("+ OK");
                return self.flush(server, 0);
            }
            None => return,
        };
        server.traffic.entry(self.actor).or_default().refused += 1;
        let tag = Args::new(self.reader.partial()).until(|b| b == b' ').to_owned();
        self.line(&format!("{tag} {refusal}"));
        self.reader.refuse(waits);
        self.flush(server, 0);
    }

    fn on_command(&mut self, server: &mut Server, bytes: &[u8]) {
        match std::mem::take(&mut self.waiting) {
            Waiting::Command => self.command(server, bytes),
            Waiting::Done(tag) => {
                self.tell(server);
                let end = if bytes.eq_ignore_ascii_case(b"DONE") { "OK Idle completed" } else { "BAD Expected DONE" };
                self.line(&format!("{tag} {end}"));
                self.flush(server, 0);
            }
            Waiting::Credentials(tag) => {
                let end = self.log_in_plain(server, &String::from_utf8_lossy(bytes));
                self.finish(server, &tag, end);
                self.flush(server, 0);
            }
        }
    }

    /// A whole command, with whatever strikes it.
    fn command(&mut self, server: &mut Server, bytes: &[u8]) {
        let fault = server.strike(self.actor);
        server.wiretap(self.actor, true, bytes);
        match &fault {
            Some(Fault::CutBefore | Fault::CutInside(_)) => return self.cut(),
            Some(Fault::LateEffect(after)) => {
                let due = server.now + u64::from(*after);
                let logins = server.traffic(self.actor).logins.len();
                server.ghosts.push(Ghost { logins, due, connection: self.clone(), command: bytes.to_vec() });
                return self.cut();
            }
            Some(Fault::Bye) => {
                self.line("* BYE Server is shutting down");
                self.flush(server, 0);
                return self.close();
            }
            Some(Fault::Refuse(refusal)) => return self.refuse(server, bytes, *refusal),
            Some(Fault::Edit(edit)) => edit.apply(server),
            Some(Fault::Empty) => self.blind = true,
            Some(Fault::EmptyList) => self.blind_list = true,
            Some(Fault::Swap) => self.swap = true,
            _ => {}
        }
        let throttle = server.personality.throttle;
        if self.logged_in && server.lies(throttle) {
            return self.refuse(server, bytes, Refusal::Throttled);
        }
        self.execute(server, bytes);
        self.swap = false;
        self.answer(server, fault.as_ref());
    }

    /// Sends the answer, with whatever strikes it.
    fn answer(&mut self, server: &mut Server, fault: Option<&Fault>) {
        match fault {
            Some(Fault::CutReply(count)) => {
                self.reply.truncate(usize::from(*count).min(self.reply.len().saturating_sub(1)));
                self.flush(server, 0);
                self.close();
            }
            Some(Fault::ByeAfter) => {
                self.reply = b"* BYE Server is shutting down\r\n".to_vec();
                self.flush(server, 0);
                self.close();
            }
            Some(Fault::Duplicate) => {
                changes::repeat_rows(&mut self.reply);
                self.flush(server, 0);
            }
            Some(Fault::Unsolicited) => {
                changes::chatter(self, server);
                self.flush(server, 0);
            }
            Some(Fault::Slow(after)) => self.flush(server, u64::from(*after)),
            _ => self.flush(server, 0),
        }
    }

    fn refuse(&mut self, server: &mut Server, bytes: &[u8], refusal: Refusal) {
        server.traffic.entry(self.actor).or_default().refused += 1;
        let tag = Args::new(bytes).until(|b| b == b' ').to_owned();
        self.line(&format!("{tag} {}", refusal.text()));
        self.flush(server, 0);
    }

    /// Does a command, and writes its answer.
    pub(super) fn execute(&mut self, server: &mut Server, bytes: &[u8]) {
        let mut args = Args::new(bytes);
        let tag = args.until(|b| b == b' ').to_owned();
        if tag.is_empty() {
            return self.line("* BAD Invalid tag");
        }
        self.tag.clone_from(&tag);
        if self.is_outdated(server) {
            self.line("* BYE The mailbox was numbered anew");
            self.flush(server, 0);
            return self.close();
        }
        let too_long = server.personality.command_limit.is_some_and(|limit| bytes.len() > limit && !has_literal(bytes));
        let end = if too_long {
            End::Bad("Command Argument Error. 11".to_owned())
        } else {
            command::run(server, self, &tag, &mut args)
        };
        self.finish(server, &tag, end);
    }

    /// Whether the open mailbox was numbered anew: its numbers hold for as long as it is open (RFC 9051 section 2.3.1.1).
    fn is_outdated(&self, server: &Server) -> bool {
        let now = self.selected.as_ref().and_then(|open| Some((server.mailbox(open.mailbox)?, open.uid_validity)));
        !server.personality.restless_validity && now.is_some_and(|(mailbox, then)| mailbox.uid_validity != then)
    }

    fn finish(&mut self, server: &mut Server, tag: &str, end: End) {
        let (word, text) = match end {
            End::Ok(text) => ("OK", text),
            End::No(text) => ("NO", text),
            End::Bad(text) => ("BAD", text),
            End::Continues => return,
            End::Closes => {
                self.flush(server, 0);
                return self.close();
            }
        };
        if word != "OK" {
            server.traffic.entry(self.actor).or_default().refused += 1;
        }
        self.line(&format!("{tag} {word} {text}"));
    }

    /// Tells a client that idles what has changed.
    pub(super) fn tell(&mut self, server: &mut Server) {
        changes::report(server, self, true);
        self.flush(server, 0);
    }

    /// Puts the answer on its way, `after` so many milliseconds.
    fn flush(&mut self, server: &Server, after: u64) {
        let bytes = std::mem::take(&mut self.reply);
        server.wiretap(self.actor, false, &bytes);
        if bytes.is_empty() || self.closed {
            return;
        }
        let earliest = self.out.back().map_or(0, |chunk| chunk.due);
        let mut due = earliest.max(server.now + after);
        let Some((size, gap)) = server.personality.drip else {
            return self.out.push_back(Chunk { due, bytes });
        };
        for piece in bytes.chunks(size) {
            due += gap;
            self.out.push_back(Chunk { due, bytes: piece.to_vec() });
        }
    }

    /// Logs in with a user and a password.
    pub(super) fn log_in(&mut self, server: &mut Server, user: &str, password: &str) -> End {
        let now = server.now;
        server.traffic.entry(self.actor).or_default().logins.push(now);
        if password == WRONG_PASSWORD || user.is_empty() {
            return End::No("[AUTHENTICATIONFAILED] Authentication failed.".to_owned());
        }
        self.logged_in = true;
        End::Ok(format!("[CAPABILITY {}] Logged in", command::capabilities(server)))
    }

    /// Logs in with what SASL PLAIN says (RFC 4616).
    pub(super) fn log_in_plain(&mut self, server: &mut Server, encoded: &str) -> End {
        let Some(decoded) = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok()) else {
            return End::Bad("Invalid base64 data".to_owned());
        };
        let mut parts = decoded.split('\0').skip(1);
        match (parts.next(), parts.next()) {
            (Some(user), Some(password)) => self.log_in(server, user, password),
            _ => End::Bad("Invalid credentials".to_owned()),
        }
    }
}

fn has_literal(bytes: &[u8]) -> bool {
    bytes.contains(&b'\n')
}
