//! One message, from MAIL to the answer to its final dot (RFC 5321 section 3.3).
//!
//! Each [`Stage`] is committed before the bytes that it stands for: whoever finds `DotSent` after a crash knows that the
//! message may have been taken, and whoever finds less knows that it was not.

use super::capability::Capabilities;
use super::dots::Facts;
use super::opening::confused;
use super::reply::Reply;
use super::{Machine, Patience, Step, line};
use crate::error::{Code, MailError, Result};
use crate::message::AddrSpec;
use zeroize::Zeroizing;

/// How much of a message goes out between two looks at what the server says.
const PIECE: usize = 64 * 1024;
/// Commands that are sent before their answers are read, with PIPELINING; many small answers must fit a socket's buffer.
const TOGETHER: usize = 100;

/// How far a message is. The order is that of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Logged in; MAIL comes next.
    Connected,
    /// The recipients have been answered for; DATA comes next.
    DataStarted,
    /// All but the final dot is out; it comes next.
    DotSent,
}

/// What has become of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Not asked for, or asked and in this transaction, whose answer is not there yet.
    Open,
    /// The server has taken the message for this one.
    Accepted(String),
    /// It never will.
    Rejected(String),
    /// It may, later.
    Deferred(String),
}

/// Who sends what to whom.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    pub sender: String,
    pub recipients: Vec<String>,
    /// Of the message, which is in wire form.
    pub message: Facts,
}

pub(crate) struct Transaction {
    envelope: Envelope,
    capabilities: Capabilities,
    fates: Vec<Fate>,
    state: State,
    reached: Option<Stage>,
    /// How much of the message is still to be sent.
    left: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Begin,
    Mail,
    MailSent,
    /// The recipient that is answered next; up to the second number they have been asked for.
    Asked(usize, usize),
    ResetSent,
    Data,
    DataSent,
    /// A piece is out.
    Body,
    /// Nothing was waiting after it.
    Heard,
    /// `DotSent` is committed.
    Committed,
    Dot,
    DotSent,
    Done,
}

impl Transaction {
    /// [`Code::UsageAddress`] where an address is none: nothing else may stand between the angle brackets.
    pub fn new(envelope: Envelope, capabilities: Capabilities) -> Result<Self> {
        for address in envelope.recipients.iter().chain(Some(&envelope.sender).filter(|s| !s.is_empty())) {
            AddrSpec::parse(address)?;
        }
        let fates = vec![Fate::Open; envelope.recipients.len()];
        Ok(Self { envelope, capabilities, fates, state: State::Begin, reached: None, left: 0 })
    }

    /// What has happened. One that was committed and not begun does not count.
    pub fn reached(&self) -> Option<Stage> {
        self.reached
    }

    /// What has become of each recipient, in their order.
    pub fn fates(&self) -> &[Fate] {
        &self.fates
    }

    /// Refuses beforehand what the server has said it will refuse, or cannot take.
    fn preflight(&mut self) {
        let Envelope { sender, message, recipients } = &self.envelope;
        let offers = &self.capabilities;
        let refusal = match offers.size.flatten() {
            Some(most) if message.size > most => {
                Some(format!("The message has {} bytes, and the server takes {most}", message.size))
            }
            _ if !offers.eight_bit && !message.is_ascii => {
                Some("The message is not in 7 bits, and the server takes no other (it lacks 8BITMIME)".to_owned())
            }
            _ if !offers.utf8 && (!sender.is_ascii() || message.has_utf8_header) => {
                Some("An address in it is not in ASCII, and the server takes no other (it lacks SMTPUTF8)".to_owned())
            }
            _ => None,
        };
        for (fate, recipient) in self.fates.iter_mut().zip(recipients) {
            if let Some(refusal) = &refusal {
                *fate = Fate::Rejected(refusal.clone());
            } else if !offers.utf8 && !recipient.is_ascii() {
                let why = "The address is not in ASCII, and the server takes no other (it lacks SMTPUTF8)";
                *fate = Fate::Rejected(why.to_owned());
            }
        }
    }

    fn mail(&self) -> String {
        let Envelope { sender, message, recipients } = &self.envelope;
        let mut command = format!("MAIL FROM:<{sender}>");
        if self.capabilities.size.is_some() {
            command.push_str(&format!(" SIZE={}", message.size));
        }
        if !message.is_ascii {
            command.push_str(" BODY=8BITMIME");
        }
        let needs_utf8 = !sender.is_ascii() || recipients.iter().any(|r| !r.is_ascii()) || message.has_utf8_header;
        if needs_utf8 && self.capabilities.utf8 {
            command.push_str(" SMTPUTF8");
        }
        command
    }

    /// The recipient after `from` that has no answer yet.
    fn open(&self, from: usize) -> Option<usize> {
        self.fates.iter().enumerate().skip(from).find(|(_, fate)| **fate == Fate::Open).map(|(at, _)| at)
    }

    /// Asks for the next recipients; up to which, or `None` where all have been asked for.
    fn ask(&self, from: usize) -> Option<(usize, Step)> {
        let most = if self.capabilities.pipelining { TOGETHER } else { 1 };
        let mut commands = String::new();
        let mut end = from;
        for _ in 0..most {
            let Some(at) = self.open(end) else { break };
            let recipient = self.envelope.recipients.get(at)?;
            commands.push_str(&format!("RCPT TO:<{recipient}>\r\n"));
            end = at + 1;
        }
        (!commands.is_empty()).then(|| (end, Step::Send(Zeroizing::new(commands.into_bytes()))))
    }

    /// Those who are still open get this.
    fn settle(&mut self, fate: &Fate) {
        self.fates.iter_mut().filter(|f| **f == Fate::Open).for_each(|f| *f = fate.clone());
    }

    /// The answer to one recipient; who is accepted stays open until the message is.
    fn answered(&mut self, at: usize, reply: &Reply) -> Result<()> {
        let fate = match reply.code {
            250..=252 => None,
            421 => return Err(reply.refused("a recipient")),
            // Old servers say 552 where they mean 452, too many recipients at once (RFC 5321 section 4.5.3.1.10).
            552 => Some(Fate::Deferred(reply.text())),
            _ => Some(fate(reply).ok_or_else(|| reply.unexpected("a recipient"))?),
        };
        if let (Some(fate), Some(slot)) = (fate, self.fates.get_mut(at)) {
            *slot = fate;
        }
        Ok(())
    }
}

impl Machine for Transaction {
    fn step(&mut self, heard: Option<Reply>) -> Result<Step> {
        let (state, step) = self.next(heard)?;
        self.state = state;
        Ok(step)
    }
}

impl Transaction {
    fn next(&mut self, heard: Option<Reply>) -> Result<(State, Step)> {
        Ok(match (self.state, heard) {
            (State::Begin, None) => {
                self.preflight();
                match self.open(0) {
                    Some(_) => (State::Mail, Step::Commit(Stage::Connected)),
                    None => (State::Done, Step::Done),
                }
            }
            (State::Mail, None) => {
                self.reached = Some(Stage::Connected);
                (State::MailSent, line(&self.mail()))
            }
            (State::MailSent, None) => (State::MailSent, Step::Hear(Patience::Slow)),
            (State::MailSent, Some(reply)) => return self.mail_answered(&reply),
            (State::Asked(at, end), None) => (State::Asked(at, end), Step::Hear(Patience::Slow)),
            (State::Asked(at, end), Some(reply)) => {
                self.answered(at, &reply)?;
                return Ok(self.recipients(at + 1, end));
            }
            (State::ResetSent, None) => (State::ResetSent, Step::Hear(Patience::Command)),
            (State::ResetSent, Some(reply)) if reply.is_ok() => (State::Done, Step::Done),
            (State::ResetSent, Some(reply)) => return Err(reply.refused("RSET")),
            (State::Data, None) => {
                self.reached = Some(Stage::DataStarted);
                (State::DataSent, line("DATA"))
            }
            (State::DataSent, None) => (State::DataSent, Step::Hear(Patience::Slow)),
            (State::DataSent, Some(reply)) => return self.data_answered(&reply),
            (State::Body, None) => (State::Heard, Step::Quiet),
            // A server may say early that it will not take the message.
            (State::Body | State::Heard | State::Dot, Some(reply)) => return self.interrupted(&reply),
            (State::Heard, None) => self.piece(),
            // Committing takes a while, in which a server may lose its patience.
            (State::Committed, None) => (State::Dot, Step::Quiet),
            (State::Dot, None) => {
                self.reached = Some(Stage::DotSent);
                (State::DotSent, Step::Send(Zeroizing::new(b".\r\n".to_vec())))
            }
            (State::DotSent, None) => (State::DotSent, Step::Hear(Patience::Dot)),
            (State::DotSent, Some(reply)) => return self.dot_answered(&reply),
            (State::Done, None) => (State::Done, Step::Done),
            _ => return Err(confused()),
        })
    }

    fn mail_answered(&mut self, reply: &Reply) -> Result<(State, Step)> {
        if reply.is_ok() {
            return Ok(self.recipients(0, 0));
        }
        // 421 is about the connection, and these about the login: the message has nothing to do with it.
        match reply.code {
            421 => return Err(reply.refused("the message")),
            530 | 534 | 535 | 538 => return Err(not_logged_in(reply)),
            _ => {}
        }
        let fate = fate(reply).ok_or_else(|| reply.unexpected("MAIL"))?;
        self.settle(&fate);
        Ok((State::Done, Step::Done))
    }

    /// Hears answers up to `end`, then asks for more, then goes on.
    fn recipients(&mut self, next: usize, end: usize) -> (State, Step) {
        if let Some(at) = self.open_below(next, end) {
            return (State::Asked(at, end), Step::Hear(Patience::Slow));
        }
        if let Some((end, step)) = self.ask(end) {
            let first = self.open(next).unwrap_or(end);
            return (State::Asked(first, end), step);
        }
        match self.open(0) {
            Some(_) => (State::Data, Step::Commit(Stage::DataStarted)),
            None => (State::ResetSent, line("RSET")),
        }
    }

    fn open_below(&self, from: usize, end: usize) -> Option<usize> {
        self.open(from).filter(|at| *at < end)
    }

    fn data_answered(&mut self, reply: &Reply) -> Result<(State, Step)> {
        if reply.code == 354 {
            self.left = self.envelope.message.size;
            return Ok((State::Heard, Step::Quiet));
        }
        if reply.code == 421 {
            return Err(reply.refused("the message"));
        }
        let fate = fate(reply).ok_or_else(|| reply.unexpected("DATA"))?;
        self.settle(&fate);
        Ok((State::ResetSent, line("RSET")))
    }

    fn piece(&mut self) -> (State, Step) {
        let count = usize::try_from(self.left).unwrap_or(PIECE).min(PIECE);
        self.left -= count as u64;
        match count {
            0 => (State::Committed, Step::Commit(Stage::DotSent)),
            count => (State::Body, Step::Body(count)),
        }
    }

    /// Without the dot nothing was sent: the connection can only be given up.
    fn interrupted(&mut self, reply: &Reply) -> Result<(State, Step)> {
        let Some(fate) = fate(reply) else {
            return Err(MailError::new(Code::ServerProtocol, "The server answered before the message had ended"));
        };
        self.settle(&fate);
        Err(reply.refused("the message"))
    }

    fn dot_answered(&mut self, reply: &Reply) -> Result<(State, Step)> {
        let fate = match reply.is_ok() {
            true => Fate::Accepted(reply.text()),
            // What is no answer leaves open whether it was taken.
            false => fate(reply).ok_or_else(|| reply.unexpected("the message"))?,
        };
        self.settle(&fate);
        // All has been said about the message, and the server closes the connection.
        if reply.code == 421 { Err(reply.refused("the message")) } else { Ok((State::Done, Step::Done)) }
    }
}

/// What a refusal means; `None` where it is none.
fn fate(reply: &Reply) -> Option<Fate> {
    match () {
        () if reply.is_refusal() => Some(Fate::Rejected(reply.text())),
        () if reply.is_temporary() => Some(Fate::Deferred(reply.text())),
        () => None,
    }
}

fn not_logged_in(reply: &Reply) -> MailError {
    let context = reply.refused("the message").context().clone();
    MailError::new(Code::AuthMissing, "The server takes messages only after a login").with(|c| *c = context)
}
