//! What really goes out for the placeholders of a login. Pure: bytes in, bytes out.

use super::link::unasked;
use crate::auth::{self, Exchange, Mechanism, Refusal};
use crate::error::{MailError, Result};
use crate::imap::{LiteralMode, Status};
use crate::secret::Secret;
use crate::wire::{Encoder, Piece};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use std::collections::VecDeque;
use zeroize::Zeroizing;

/// Longest initial response that goes on the command's line, since servers bound that.
const INLINE: usize = 4096;

/// A login, step by step.
pub(super) struct Script {
    /// What to send, each after the server's `+` but the first.
    segments: VecDeque<Zeroizing<Vec<u8>>>,
    shown: String,
    sasl: Option<Sasl>,
}

struct Sasl {
    exchange: Box<dyn Exchange>,
    /// What the client says first, until it has been said.
    initial: Option<auth::Response>,
    /// Why the exchange was given up.
    aborted: Option<MailError>,
}

/// What the server's `+` calls for.
#[derive(Debug)]
pub(super) enum Next {
    /// More of the command, which async-imap knows nothing of.
    Literal(Zeroizing<Vec<u8>>),
    /// The answer to a challenge, for which async-imap has a placeholder.
    Respond(Zeroizing<Vec<u8>>),
}

impl Script {
    /// The LOGIN command.
    pub fn login(user: &str, password: &Secret, literals: LiteralMode) -> Result<Self> {
        let mut encoder = Encoder::new("LOGIN");
        encoder.string(user.as_bytes())?.string(password.reveal().as_bytes())?;
        let mut segments = VecDeque::from([Zeroizing::default()]);
        for piece in encoder.finish().pieces() {
            match piece {
                Piece::Text(text) => append(&mut segments, text),
                Piece::Literal { bytes, .. } => literal(&mut segments, bytes, literals),
                Piece::Stream { .. } => {}
            }
        }
        append(&mut segments, b"\r\n");
        Ok(Self { segments, shown: "LOGIN <user> <password>".to_owned(), sasl: None })
    }

    /// AUTHENTICATE; with `inline` the first message goes on the command's line (SASL-IR, RFC 4959).
    pub fn sasl(mechanism: Mechanism, mut exchange: Box<dyn Exchange>, inline: bool) -> Self {
        let mut command = Zeroizing::new(format!("AUTHENTICATE {}", mechanism.name()).into_bytes());
        let mut shown = format!("AUTHENTICATE {}", mechanism.name());
        let mut initial = exchange.initial();
        if let Some(first) = initial.take_if(|first| inline && first.len() <= INLINE / 4 * 3) {
            let encoded = Zeroizing::new(STANDARD.encode(&first));
            // An empty message is a sign of its own (section 3).
            let encoded = if encoded.is_empty() { "=" } else { encoded.as_str() };
            command = Zeroizing::new([&command, &b" "[..], encoded.as_bytes()].concat());
            // Not even its length, which tells the password's.
            shown.push_str(" <response>");
        }
        let segments = VecDeque::from([Zeroizing::new([&command, &b"\r\n"[..]].concat())]);
        Self { segments, shown, sasl: Some(Sasl { exchange, initial, aborted: None }) }
    }

    /// The command, as far as it may be sent at once, and how it may be shown.
    pub fn begin(&mut self, tag: &str) -> (Zeroizing<Vec<u8>>, String) {
        let first = self.segments.pop_front().unwrap_or_default();
        (Zeroizing::new([tag.as_bytes(), b" ", &first].concat()), format!("{tag} {}", self.shown))
    }

    /// What follows the server's `+`, whose text may be a challenge in base64.
    pub fn proceed(&mut self, text: &[u8]) -> Result<Next> {
        if let Some(segment) = self.segments.pop_front() {
            return Ok(Next::Literal(segment));
        }
        let sasl = self.sasl.as_mut().ok_or_else(unasked)?;
        if sasl.aborted.is_some() {
            return Err(unasked());
        }
        Ok(Next::Respond(match sasl.respond(text) {
            Ok(response) => {
                let encoded = Zeroizing::new(STANDARD.encode(&response));
                Zeroizing::new([encoded.as_bytes(), b"\r\n"].concat())
            }
            Err(error) => {
                sasl.aborted = Some(error);
                Zeroizing::new(b"*\r\n".to_vec())
            }
        }))
    }

    /// Whether the server may end the command this way now.
    pub fn finish(&mut self, status: Status) -> Result<()> {
        if let Some(aborted) = self.sasl.as_mut().and_then(|s| s.aborted.take()) {
            return Err(aborted);
        }
        if status != Status::Ok {
            return Ok(());
        }
        let sent = self.segments.is_empty() && self.sasl.as_ref().is_none_or(|s| s.initial.is_none());
        if !sent {
            return Err(auth::incomplete());
        }
        self.sasl.as_ref().map_or(Ok(()), |sasl| sasl.exchange.finish())
    }

    /// What the server has said about a token.
    pub fn refusal(&self) -> Option<Refusal> {
        self.sasl.as_ref().and_then(|s| s.exchange.refusal())
    }
}

impl Sasl {
    fn respond(&mut self, challenge: &[u8]) -> Result<auth::Response> {
        // Before the client's first message a server has nothing to say, whatever it writes there.
        if let Some(initial) = self.initial.take() {
            return Ok(initial);
        }
        let challenge = challenge.trim_ascii();
        // Some prompts of LOGIN are not in base64.
        let decoded = STANDARD.decode(challenge).unwrap_or_else(|_| challenge.to_vec());
        self.exchange.step(&decoded)
    }
}

fn append(segments: &mut VecDeque<Zeroizing<Vec<u8>>>, bytes: &[u8]) {
    if let Some(last) = segments.back_mut() {
        *last = Zeroizing::new([last, bytes].concat());
    }
}

fn literal(segments: &mut VecDeque<Zeroizing<Vec<u8>>>, bytes: &Bytes, mode: LiteralMode) {
    let at_once = mode.is_non_sync(bytes.len() as u64);
    let sign = if at_once { "+" } else { "" };
    append(segments, format!("{{{}{sign}}}\r\n", bytes.len()).as_bytes());
    if !at_once {
        segments.push_back(Zeroizing::default());
    }
    append(segments, bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Binding, Identity};
    use crate::error::Code;

    fn text(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    fn identity(secret: &Secret) -> Identity<'_> {
        Identity { user: "ada", secret, host: "h", port: 993, nonce: "nonce", binding: Binding::None }
    }

    fn sasl(mechanism: Mechanism, inline: bool) -> Script {
        let secret = Secret::from("pass");
        Script::sasl(mechanism, auth::start(mechanism, &identity(&secret)).unwrap(), inline)
    }

    fn respond(script: &mut Script, challenge: &str) -> String {
        match script.proceed(challenge.as_bytes()).unwrap() {
            Next::Respond(bytes) => text(&bytes).to_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn login_quotes_what_can_be_quoted() {
        let mut script = Script::login("ada \"x\"", &"a\\b".into(), LiteralMode::Sync).unwrap();
        let (bytes, shown) = script.begin("t1");
        assert_eq!(text(&bytes), "t1 LOGIN \"ada \\\"x\\\"\" \"a\\\\b\"\r\n");
        assert_eq!(shown, "t1 LOGIN <user> <password>");
        script.finish(Status::Ok).unwrap();
        assert_eq!(script.proceed(b"").unwrap_err().code(), Code::ServerProtocol);
    }

    #[test]
    fn login_waits_before_a_literal_unless_the_server_needs_no_asking() {
        let mut script = Script::login("ada", &"pä\r\n".into(), LiteralMode::Sync).unwrap();
        assert_eq!(text(&script.begin("t1").0), "t1 LOGIN \"ada\" {5}\r\n");
        assert_eq!(script.finish(Status::Ok).unwrap_err().code(), Code::NetTampered);
        script.finish(Status::No).unwrap();
        assert!(matches!(script.proceed(b"go on").unwrap(), Next::Literal(b) if text(&b) == "pä\r\n\r\n"));
        script.finish(Status::Ok).unwrap();
        let mut script = Script::login("ada", &"pä".into(), LiteralMode::Minus).unwrap();
        assert_eq!(text(&script.begin("t1").0), "t1 LOGIN \"ada\" {3+}\r\npä\r\n");
    }

    #[test]
    fn the_first_message_goes_inline_or_after_the_plus() {
        let mut script = sasl(Mechanism::Plain, true);
        let (bytes, shown) = script.begin("t1");
        assert_eq!(text(&bytes), "t1 AUTHENTICATE PLAIN AGFkYQBwYXNz\r\n");
        assert_eq!(shown, "t1 AUTHENTICATE PLAIN <response>");
        script.finish(Status::Ok).unwrap();
        let mut script = sasl(Mechanism::Plain, false);
        assert_eq!(text(&script.begin("t1").0), "t1 AUTHENTICATE PLAIN\r\n");
        assert_eq!(script.finish(Status::Ok).unwrap_err().code(), Code::NetTampered);
        assert_eq!(respond(&mut script, "please"), "AGFkYQBwYXNz\r\n");
        script.finish(Status::Ok).unwrap();
    }

    #[test]
    fn a_mechanism_whose_server_begins_has_nothing_inline() {
        let mut script = sasl(Mechanism::Login, true);
        assert_eq!(text(&script.begin("t1").0), "t1 AUTHENTICATE LOGIN\r\n");
        assert_eq!(respond(&mut script, "VXNlciBOYW1lAA=="), "YWRh\r\n");
        assert_eq!(respond(&mut script, ""), "cGFzcw==\r\n");
    }

    #[test]
    fn a_failed_exchange_is_aborted_and_its_reason_kept() {
        let mut script = sasl(Mechanism::ScramSha256, true);
        script.begin("t1");
        assert_eq!(respond(&mut script, "bm9uc2Vuc2U="), "*\r\n");
        assert_eq!(
            script.finish(Status::Bad).unwrap_err().message(),
            "The server's side of SCRAM is not as RFC 5802 says"
        );
    }
}
