//! SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677; channel binding `tls-exporter`, RFC 9266).

use super::{Binding, Exchange, Identity, Response, sasl_name};
use crate::error::{Code, MailError, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac, pbkdf2};
use std::num::NonZeroU32;
use zeroize::{Zeroize, Zeroizing};

/// Most rounds of PBKDF2 that a server may ask for: about half a second of work (CVE-2026-42256).
const MAX_ITERATIONS: u32 = 1_000_000;

/// What RFC 7677 section 4 asks of servers. Fewer are only noted: refusing would send the user to PLAIN.
const USUAL_ITERATIONS: u32 = 4096;

pub(super) struct Scram {
    password: Zeroizing<String>,
    /// The GS2 header and the channel binding, whose base64 is sent as `c=`.
    bound: Vec<u8>,
    header: &'static str,
    bare: String,
    nonce: String,
    state: State,
}

enum State {
    First,
    /// Waiting for `v=`: the key and the text whose signature the server must show.
    Final(hmac::Key, String),
    Verified,
    Failed,
}

impl Scram {
    pub(super) fn new(identity: &Identity<'_>) -> Result<Self> {
        let (header, binding): (_, &[u8]) = match &identity.binding {
            Binding::None => ("n,,", &[]),
            Binding::NotOffered => ("y,,", &[]),
            Binding::TlsExporter(value) => ("p=tls-exporter,,", value),
        };
        let user = sasl_name(&prepared(identity.user));
        Ok(Self {
            password: prepared(identity.secret.reveal()),
            bound: [header.as_bytes(), binding].concat(),
            header,
            bare: format!("n={user},r={}", identity.nonce),
            nonce: identity.nonce.to_owned(),
            state: State::First,
        })
    }

    fn prove(&mut self, challenge: &str) -> Result<Response> {
        let first = ServerFirst::parse(challenge, &self.nonce)?;
        let without_proof = format!("c={},r={}", STANDARD.encode(&self.bound), first.nonce);
        let signed = format!("{},{challenge},{without_proof}", self.bare);
        let mut salted = Zeroizing::new([0u8; 32]);
        let password = self.password.as_bytes();
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, first.iterations, &first.salt, password, salted.as_mut());
        self.password.zeroize();
        let salted = hmac::Key::new(hmac::HMAC_SHA256, salted.as_ref());
        let proof = proof(&salted, signed.as_bytes());
        let server_key = hmac::sign(&salted, b"Server Key");
        self.state = State::Final(hmac::Key::new(hmac::HMAC_SHA256, server_key.as_ref()), signed);
        let answer = format!("{without_proof},p={}", STANDARD.encode(proof.as_slice()));
        Ok(Response::new(answer.into_bytes()))
    }
}

impl Exchange for Scram {
    fn initial(&mut self) -> Option<Response> {
        Some(Response::new(format!("{}{}", self.header, self.bare).into_bytes()))
    }

    fn step(&mut self, challenge: &[u8]) -> Result<Response> {
        let challenge = std::str::from_utf8(challenge).map_err(|_| malformed())?;
        match std::mem::replace(&mut self.state, State::Failed) {
            State::First => self.prove(challenge),
            State::Final(key, signed) => {
                verify(challenge, &key, signed.as_bytes())?;
                self.state = State::Verified;
                Ok(Response::default())
            }
            State::Verified | State::Failed => Err(malformed()),
        }
    }

    fn finish(&self) -> Result<()> {
        if matches!(self.state, State::Verified) { Ok(()) } else { Err(unproved()) }
    }
}

struct ServerFirst<'a> {
    nonce: &'a str,
    salt: Vec<u8>,
    iterations: NonZeroU32,
}

impl<'a> ServerFirst<'a> {
    /// `r=…,s=…,i=…`, then extensions that may be ignored; a mandatory one (`m=`) would come first.
    fn parse(text: &'a str, ours: &str) -> Result<Self> {
        let mut fields = text.split(',');
        let mut field = |name| fields.next().and_then(|f| f.strip_prefix(name)).ok_or_else(malformed);
        let (nonce, salt, iterations) = (field("r=")?, field("s=")?, field("i=")?);
        if nonce.len() <= ours.len() || !nonce.starts_with(ours) {
            return Err(MailError::new(Code::NetTampered, "The server answered SCRAM with a nonce that is not ours"));
        }
        let salt = STANDARD.decode(salt).map_err(|_| malformed())?;
        let iterations = iterations.parse().map_err(|_| malformed())?;
        Ok(Self { nonce, salt, iterations: bounded(iterations)? })
    }
}

fn bounded(iterations: NonZeroU32) -> Result<NonZeroU32> {
    if iterations.get() > MAX_ITERATIONS {
        return Err(MailError::new(Code::LimitExceeded, "The server asks for too many rounds of SCRAM")
            .hint(format!("At most {MAX_ITERATIONS} are done")));
    }
    if iterations.get() < USUAL_ITERATIONS {
        log::warn!("the server's SCRAM uses {iterations} iterations, fewer than RFC 7677 asks for");
    }
    Ok(iterations)
}

/// ClientProof := ClientKey XOR HMAC(H(ClientKey), AuthMessage)
fn proof(salted: &hmac::Key, signed: &[u8]) -> Zeroizing<Vec<u8>> {
    let client_key = hmac::sign(salted, b"Client Key");
    let stored = digest::digest(&digest::SHA256, client_key.as_ref());
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, stored.as_ref()), signed);
    Zeroizing::new(client_key.as_ref().iter().zip(signature.as_ref()).map(|(a, b)| a ^ b).collect())
}

fn verify(challenge: &str, key: &hmac::Key, signed: &[u8]) -> Result<()> {
    if challenge.starts_with("e=") {
        return Err(MailError::new(Code::AuthRejected, "The server refused the user name or password"));
    }
    let signature = challenge.strip_prefix("v=").and_then(|v| v.split(',').next()).ok_or_else(malformed)?;
    let signature = STANDARD.decode(signature).map_err(|_| malformed())?;
    hmac::verify(key, signed, &signature).map_err(|_| unproved())
}

/// SASLprep (RFC 4013). What it forbids goes as it is: the server alone knows what it has stored.
pub(super) fn prepared(text: &str) -> Zeroizing<String> {
    Zeroizing::new(stringprep::saslprep(text).map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned))
}

fn malformed() -> MailError {
    MailError::new(Code::ServerProtocol, "The server's side of SCRAM is not as RFC 5802 says")
}

fn unproved() -> MailError {
    MailError::new(Code::NetTampered, "The server could not prove that it knows the password")
        .hint("Somebody may be answering in its place")
}

#[cfg(test)]
mod tests {
    use super::super::tests::test_identity;
    use super::*;
    use crate::secret::Secret;

    const NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
    const SERVER_FIRST: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    fn scram(secret: &Secret, binding: Binding) -> Scram {
        Scram::new(&Identity { user: "user", nonce: NONCE, binding, ..test_identity(secret) }).unwrap()
    }

    fn text(response: &Response) -> String {
        String::from_utf8(response.to_vec()).unwrap()
    }

    #[test]
    fn the_example_of_rfc_7677_is_reproduced() {
        let mut scram = scram(&"pencil".into(), Binding::None);
        assert_eq!(text(&scram.initial().unwrap()), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        assert_eq!(
            text(&scram.step(SERVER_FIRST.as_bytes()).unwrap()),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert_eq!(scram.finish().unwrap_err().code(), Code::NetTampered);
        let last = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
        assert_eq!(text(&scram.step(last).unwrap()), "");
        scram.finish().unwrap();
    }

    #[test]
    fn a_server_that_does_not_know_the_password_is_found_out() {
        let mut scram = scram(&"pencil".into(), Binding::None);
        scram.step(SERVER_FIRST.as_bytes()).unwrap();
        let forged = format!("v={}", STANDARD.encode([7; 32]));
        assert_eq!(scram.step(forged.as_bytes()).unwrap_err().code(), Code::NetTampered);
        assert_eq!(scram.finish().unwrap_err().code(), Code::NetTampered);
        assert_eq!(scram.step(b"v=again").unwrap_err().code(), Code::ServerProtocol);
    }

    #[test]
    fn the_binding_is_announced_and_sent() {
        let mut plus = scram(&"pencil".into(), Binding::TlsExporter([1; 32]));
        assert_eq!(text(&plus.initial().unwrap()), "p=tls-exporter,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let answer = text(&plus.step(SERVER_FIRST.as_bytes()).unwrap());
        let bound = [&b"p=tls-exporter,,"[..], &[1; 32]].concat();
        assert!(answer.starts_with(&format!("c={},r=", STANDARD.encode(bound))), "{answer}");
        assert!(text(&scram(&"pencil".into(), Binding::NotOffered).initial().unwrap()).starts_with("y,,n=user"));
    }

    #[test]
    fn what_a_hostile_server_sends_first_is_refused() {
        let cases = [
            ("r=other,s=W22Z,i=4096", Code::NetTampered),
            ("r=rOprNGfwEbeRWgbNEkqO,s=W22Z,i=4096", Code::NetTampered),
            ("r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=1000001", Code::LimitExceeded),
            ("r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=0", Code::ServerProtocol),
            ("r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=99999999999999999999", Code::ServerProtocol),
            ("r=rOprNGfwEbeRWgbNEkqOx,s=!,i=4096", Code::ServerProtocol),
            ("m=must,r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=4096", Code::ServerProtocol),
            ("", Code::ServerProtocol),
        ];
        for (challenge, code) in cases {
            let mut scram = scram(&"pencil".into(), Binding::None);
            assert_eq!(scram.step(challenge.as_bytes()).unwrap_err().code(), code, "{challenge}");
        }
        assert!(scram(&"pencil".into(), Binding::None).step(&[0xff]).is_err());
    }

    #[test]
    fn passwords_are_prepared_and_what_cannot_be_goes_as_it_is() {
        assert_eq!(prepared("I\u{ad}X\u{a0}").as_str(), "IX ");
        assert_eq!(prepared("\u{7}").as_str(), "\u{7}");
    }
}
