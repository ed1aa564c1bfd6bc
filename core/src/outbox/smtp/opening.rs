//! The first words on a connection: greeting and EHLO; and, in clear, STARTTLS (RFC 3207) and nothing else.

use super::capability::Capabilities;
use super::reply::Reply;
use super::{Machine, Patience, Step, line};
use crate::error::{Code, MailError, Result};

/// What we call ourselves. A constant: the name or address of this machine is nobody's business, and a server that
/// takes submissions looks at the login.
pub(super) const OURSELVES: &str = "EHLO [127.0.0.1]";

/// Greeting and EHLO, on a connection that is as safe as it will be.
#[derive(Debug)]
pub(crate) struct Opening {
    state: State,
    greeting: String,
    capabilities: Capabilities,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Begin,
    Greeting,
    Ehlo,
    Answered,
    StartTls,
    Agreed,
    Done,
}

impl Opening {
    /// Over TLS from the first byte, or on this machine: the server speaks first.
    pub fn new() -> Self {
        Self { state: State::Begin, greeting: String::new(), capabilities: Capabilities::default() }
    }

    /// After STARTTLS there is no second greeting.
    pub fn after_starttls() -> Self {
        Self { state: State::Ehlo, ..Self::new() }
    }

    /// What the server can do, and its greeting; empty after STARTTLS.
    pub fn done(self) -> (Capabilities, String) {
        (self.capabilities, self.greeting)
    }
}

impl Machine for Opening {
    fn step(&mut self, heard: Option<Reply>) -> Result<Step> {
        let (state, step) = match (self.state, heard) {
            (State::Begin, None) => (State::Greeting, Step::Hear(Patience::Greeting)),
            (State::Greeting, Some(reply)) => {
                greeted(&reply)
                    .map_err(|refused| if refused { reply.refused("this connection") } else { not_smtp() })?;
                self.greeting = reply.lines.join(" ");
                (State::Answered, line(OURSELVES))
            }
            (State::Ehlo, None) => (State::Answered, line(OURSELVES)),
            (State::Answered, None) => (State::Answered, Step::Hear(Patience::Command)),
            (State::Answered, Some(reply)) => {
                if reply.code != 250 {
                    return Err(reply.refused("EHLO"));
                }
                self.capabilities = Capabilities::of(&reply);
                (State::Done, Step::Done)
            }
            (State::Done, None) => (State::Done, Step::Done),
            _ => return Err(confused()),
        };
        self.state = state;
        Ok(step)
    }
}

/// From a connection in clear to the moment when TLS may begin. Keeps nothing, shows nothing of what was said.
#[derive(Debug)]
pub(crate) struct Upgrade(State);

impl Upgrade {
    pub fn new() -> Self {
        Self(State::Begin)
    }
}

impl Machine for Upgrade {
    fn step(&mut self, heard: Option<Reply>) -> Result<Step> {
        let (state, step) = match (self.0, heard) {
            (State::Begin, None) => (State::Greeting, Step::Hear(Patience::Greeting)),
            (State::Greeting, Some(reply)) => {
                greeted(&reply).map_err(|refused| if refused { turned_away() } else { not_smtp() })?;
                (State::Ehlo, line(OURSELVES))
            }
            (State::Ehlo, None) => (State::Answered, Step::Hear(Patience::Command)),
            (State::Answered, Some(reply)) => {
                if reply.code == 421 {
                    return Err(turned_away());
                }
                // Also a refused EHLO: HELO would be a way around STARTTLS.
                if reply.code != 250 || !Capabilities::of(&reply).starttls {
                    return Err(not_offered());
                }
                (State::StartTls, line("STARTTLS"))
            }
            (State::StartTls, None) => (State::Agreed, Step::Hear(Patience::Command)),
            (State::Agreed, Some(reply)) => match reply.code {
                220 => (State::Done, Step::Done),
                421 => return Err(turned_away()),
                400..=599 => {
                    return Err(MailError::new(Code::ServerRefused, "The server refused STARTTLS")
                        .hint("Use smtps:// and port 465"));
                }
                _ => return Err(tampered("The server answered STARTTLS with what is no answer to it")),
            },
            (State::Done, None) => (State::Done, Step::Done),
            _ => return Err(confused()),
        };
        self.0 = state;
        Ok(step)
    }
}

/// The error says whether it was a refusal in SMTP.
fn greeted(reply: &Reply) -> std::result::Result<(), bool> {
    match reply.code {
        220 => Ok(()),
        _ => Err(reply.is_refusal() || reply.is_temporary()),
    }
}

fn not_smtp() -> MailError {
    MailError::new(Code::ServerProtocol, "What answered is not an SMTP server").hint("Check host and port")
}

fn not_offered() -> MailError {
    MailError::new(Code::ServerUnsupported, "The server does not offer STARTTLS on this connection")
        .hint("Use smtps:// and port 465. If it did offer STARTTLS before, somebody takes the offer out")
}

fn turned_away() -> MailError {
    // Its words came in clear and may be anybody's.
    MailError::new(Code::ServerUnavailable, "The server turned the connection away before it was encrypted")
}

pub(super) fn tampered(what: &str) -> MailError {
    MailError::new(Code::NetTampered, what).hint("Somebody between us and the server may be sending in its place")
}

pub(super) fn confused() -> MailError {
    MailError::new(Code::Internal, "The dialogue was driven out of its order")
}
