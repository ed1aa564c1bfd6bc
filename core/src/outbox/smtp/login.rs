//! AUTH (RFC 4954): the mechanisms of `auth`, in SMTP's clothes.

use super::capability::Capabilities;
use super::opening::confused;
use super::reply::Reply;
use super::{Machine, Patience, Step};
use crate::auth::{self, Choice, CredentialKind, Exchange, Mechanism, Offer, Refusal};
use crate::error::{Code, MailError, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// A command line with its CRLF (RFC 5321 section 4.5.3.1.4); a longer first message waits for the server's 334.
const LONGEST_COMMAND: usize = 512;
/// Most rounds; SCRAM needs two.
const MOST_ROUNDS: usize = 10;

/// The strongest mechanism that the server offers and the credential allows.
pub(crate) fn mechanism(
    offered: &Capabilities,
    credential: CredentialKind,
    wanted: Option<Mechanism>,
    binding: bool,
) -> Result<Mechanism> {
    let mechanisms: Vec<&str> = offered.auth.iter().map(String::as_str).collect();
    // SMTP has no LOGIN command.
    let offer = Offer { mechanisms: &mechanisms, login_disabled: true, binding, credential, wanted };
    match auth::choose(&offer)? {
        Choice::Sasl(mechanism) => Ok(mechanism),
        Choice::LoginCommand => Err(MailError::new(Code::Internal, "A mechanism was chosen that SMTP does not have")),
    }
}

/// One login.
pub(crate) struct Login {
    mechanism: Mechanism,
    exchange: Box<dyn Exchange>,
    /// The first message, where it did not fit into the command.
    first: Option<auth::Response>,
    state: State,
    rounds: usize,
    /// What has ended the exchange on our side, to be reported when the server has answered `*`.
    failed: Option<MailError>,
    token: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Begin,
    Sent,
    Waiting,
    Done,
}

impl Login {
    pub fn new(mechanism: Mechanism, exchange: Box<dyn Exchange>, credential: CredentialKind) -> Self {
        let token = credential == CredentialKind::Token;
        Self { mechanism, exchange, first: None, state: State::Begin, rounds: 0, failed: None, token }
    }

    /// What the server has said about the secret, after a failure.
    pub fn refusal(&self) -> Option<Refusal> {
        self.exchange.refusal()
    }

    fn command(&mut self) -> Step {
        let name = self.mechanism.name();
        let Some(first) = self.exchange.initial() else { return secret_line(format!("AUTH {name}")) };
        // An empty message is written as `=` (section 4).
        let text = Zeroizing::new(if first.is_empty() { "=".to_owned() } else { STANDARD.encode(&first) });
        if "AUTH  \r\n".len() + name.len() + text.len() <= LONGEST_COMMAND {
            return secret_line(format!("AUTH {name} {}", *text));
        }
        self.first = Some(first);
        secret_line(format!("AUTH {name}"))
    }

    /// The answer to a 334; what goes wrong on our side ends the exchange with `*`.
    fn answer(&mut self, reply: &Reply) -> Step {
        self.rounds += 1;
        let answer = match self.first.take() {
            Some(first) => Ok(first),
            None if self.rounds > MOST_ROUNDS => Err(MailError::new(Code::LimitExceeded, "The login has no end")),
            None => challenge(reply).and_then(|challenge| self.exchange.step(&challenge)),
        };
        match answer {
            Ok(answer) => secret_line(STANDARD.encode(&answer)),
            Err(error) => {
                self.failed = Some(error);
                secret_line("*".to_owned())
            }
        }
    }

    fn refused(&self, reply: &Reply) -> MailError {
        if let Some(error) = &self.failed {
            return error.clone();
        }
        let error = reply.refused("the login");
        // 534 and 538 are about the mechanism, not about the secret (RFC 4954 section 4).
        match reply.code {
            534 | 538 | 500..=504 => {
                let context = error.context().clone();
                MailError::new(Code::AuthNoMechanism, "The server does not take this way to log in")
                    .with(|c| *c = context)
            }
            _ if reply.is_refusal() => {
                let what = if self.token { "the token" } else { "the user name or password" };
                let context = error.context().clone();
                let error =
                    MailError::new(Code::AuthRejected, format!("The server refused {what}")).with(|c| *c = context);
                match self.refusal() {
                    Some(Refusal::Scope) => {
                        error.hint("The token does not allow sending mail: ask for the scope that SMTP needs")
                    }
                    _ => error,
                }
            }
            _ => error,
        }
    }
}

impl Machine for Login {
    fn step(&mut self, heard: Option<Reply>) -> Result<Step> {
        let (state, step) = match (self.state, heard) {
            (State::Begin, None) => (State::Sent, self.command()),
            (State::Sent, None) => (State::Waiting, Step::Hear(Patience::Command)),
            (State::Waiting, Some(reply)) => match reply.code {
                // After `*` there is nothing that a server could ask.
                334 if self.failed.is_none() => (State::Sent, self.answer(&reply)),
                235 => {
                    if let Some(error) = self.failed.take() {
                        return Err(error);
                    }
                    self.exchange.finish()?;
                    (State::Done, Step::Done)
                }
                400..=599 => return Err(self.refused(&reply)),
                _ => return Err(self.failed.take().unwrap_or_else(|| reply.unexpected("the login"))),
            },
            (State::Done, None) => (State::Done, Step::Done),
            _ => return Err(confused()),
        };
        self.state = state;
        Ok(step)
    }
}

fn challenge(reply: &Reply) -> Result<Vec<u8>> {
    let text = reply.lines.first().map(|line| line.trim()).unwrap_or_default();
    // Some send `334` and a word of their own where there is nothing to say; LOGIN counts its prompts and reads none.
    let text = if text == "=" { "" } else { text };
    match STANDARD.decode(text) {
        Ok(challenge) => Ok(challenge),
        Err(_) => Err(MailError::new(Code::ServerProtocol, "The server's side of the login is not base64")),
    }
}

fn secret_line(text: String) -> Step {
    let text = Zeroizing::new(text);
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() + 2));
    bytes.extend_from_slice(text.as_bytes());
    bytes.extend_from_slice(b"\r\n");
    Step::Send(bytes)
}
