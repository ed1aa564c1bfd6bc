//! The machines without a wire: AUTH with every mechanism and every answer, and the patience of the dot.

use super::super::smtp::{
    Capabilities, Envelope, Facts, Login, Machine, Opening, Patience, Reply, Step, Transaction, mechanism,
};
use crate::auth::{self, Binding, CredentialKind, Identity, Mechanism, Refusal};
use crate::error::{Code, Result};
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

fn reply(text: &str) -> Reply {
    let (code, line) = text.split_once(' ').unwrap_or((text, ""));
    Reply { code: code.parse().unwrap(), enhanced: None, lines: vec![line.to_owned()] }
}

/// What a machine sends in answer to these replies, and how it ends.
fn play(machine: &mut dyn Machine, replies: &[&str]) -> (Vec<String>, Result<()>) {
    let (mut sent, mut replies, mut heard) = (Vec::new(), replies.iter(), None);
    loop {
        match machine.step(heard.take()) {
            Ok(Step::Send(bytes)) => sent.push(String::from_utf8(bytes.to_vec()).unwrap().trim_end().to_owned()),
            Ok(Step::Body(count)) => sent.push(format!("{count} bytes")),
            Ok(Step::Hear(_)) => match replies.next() {
                Some(text) => heard = Some(reply(text)),
                None => return (sent, Err(Code::NetLost.into())),
            },
            Ok(Step::Done) => return (sent, Ok(())),
            Ok(Step::Commit(_) | Step::Quiet) => {}
            Err(error) => return (sent, Err(error)),
        }
    }
}

/// Of the message `x`.
fn facts() -> Facts {
    Facts { size: 3, is_ascii: true, has_utf8_header: false }
}

fn login(mechanism: Mechanism, secret: &Secret, credential: CredentialKind) -> Login {
    let identity =
        Identity { user: "ada", secret, host: "smtp.example.org", port: 465, nonce: "nonce", binding: Binding::None };
    Login::new(mechanism, auth::start(mechanism, &identity).unwrap(), credential)
}

fn password(mechanism: Mechanism, replies: &[&str]) -> (Vec<String>, Result<()>) {
    play(&mut login(mechanism, &"pencil".into(), CredentialKind::Password), replies)
}

#[test]
fn each_mechanism_says_what_it_has_to_say() {
    let b64 = |text: &str| STANDARD.encode(text);
    let (sent, end) = password(Mechanism::Plain, &["235 ok"]);
    assert_eq!((sent, end.is_ok()), (vec![format!("AUTH PLAIN {}", b64("\0ada\0pencil"))], true));
    let (sent, end) = password(Mechanism::Login, &["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 ok"]);
    assert_eq!((sent, end.is_ok()), (vec!["AUTH LOGIN".to_owned(), b64("ada"), b64("pencil")], true));
    for (mechanism, first) in [
        (Mechanism::XOAuth2, "user=ada\x01auth=Bearer token\x01\x01"),
        (Mechanism::OAuthBearer, "n,a=ada,\x01host=smtp.example.org\x01port=465\x01auth=Bearer token\x01\x01"),
    ] {
        let (sent, end) = play(&mut login(mechanism, &"token".into(), CredentialKind::Token), &["235 ok"]);
        assert_eq!((sent, end.is_ok()), (vec![format!("AUTH {mechanism} {}", b64(first))], true));
    }
}

#[test]
fn a_long_first_message_waits_to_be_asked_for() {
    let token = "t".repeat(2000);
    let (sent, end) =
        play(&mut login(Mechanism::XOAuth2, &token.as_str().into(), CredentialKind::Token), &["334", "235 ok"]);
    assert_eq!(sent[0], "AUTH XOAUTH2");
    assert_eq!(STANDARD.decode(&sent[1]).unwrap(), format!("user=ada\x01auth=Bearer {token}\x01\x01").as_bytes());
    assert!(end.is_ok());
}

#[test]
fn a_refused_token_is_acknowledged_and_its_reason_kept() {
    let challenge = format!("334 {}", STANDARD.encode(r#"{"status":"401"}"#));
    let mut machine = login(Mechanism::XOAuth2, &"token".into(), CredentialKind::Token);
    let (sent, end) = play(&mut machine, &[&challenge, "535 5.7.8 no"]);
    assert_eq!((sent.len(), sent[1].as_str()), (2, ""));
    assert_eq!((end.unwrap_err().code(), machine.refusal()), (Code::AuthRejected, Some(Refusal::Expired)));
}

#[test]
fn a_server_has_to_prove_what_the_mechanism_makes_it_prove() {
    // Taken before it has shown that it knows the password.
    let (_, end) = password(Mechanism::ScramSha256, &["235 welcome"]);
    assert_eq!(end.unwrap_err().code(), Code::NetTampered);
    let (_, end) = password(Mechanism::Login, &["334 VXNlcm5hbWU6", "235 welcome"]);
    assert_eq!(end.unwrap_err().code(), Code::NetTampered);
    // What goes wrong on our side ends the exchange.
    let challenge = format!("334 {}", STANDARD.encode("r=other,s=W22Z,i=4096"));
    let (sent, end) = password(Mechanism::ScramSha256, &[&challenge, "501 cancelled"]);
    assert_eq!((sent.last().unwrap().as_str(), end.unwrap_err().code()), ("*", Code::NetTampered));
    let (sent, end) = password(Mechanism::ScramSha256, &["334 not base64!", "235 welcome"]);
    assert_eq!((sent.last().unwrap().as_str(), end.unwrap_err().code()), ("*", Code::ServerProtocol));
    let (_, end) = password(Mechanism::ScramSha256, &["334 not base64!", "334 more"]);
    assert_eq!(end.unwrap_err().code(), Code::ServerProtocol);
    let prompts = ["334 "; 20];
    assert_eq!(password(Mechanism::Login, &prompts).1.unwrap_err().code(), Code::ServerProtocol);
}

#[test]
fn every_answer_to_a_login_has_one_meaning() {
    for code in (200..600_u16).filter(|code| code % 100 < 60) {
        let (_, end) = password(Mechanism::Plain, &[&format!("{code} said so"), "535 no"]);
        let expected = match code {
            235 => None,
            400..=499 => Some(Code::ServerUnavailable),
            500..=504 | 534 | 538 => Some(Code::AuthNoMechanism),
            500..=599 => Some(Code::AuthRejected),
            // PLAIN has said all it has to say.
            334 => Some(Code::ServerProtocol),
            _ => Some(Code::ServerProtocol),
        };
        let got = end.err().map(|e| e.code());
        let quota = code == 452 && got == Some(Code::ServerOverQuota);
        assert!(got == expected || quota, "{code}: {got:?}, not {expected:?}");
    }
}

#[test]
fn the_strongest_mechanism_that_fits_is_taken() {
    let offered = |names: &[&str]| Capabilities {
        auth: names.iter().map(|n| (*n).to_owned()).collect(),
        ..Capabilities::default()
    };
    let all = offered(&["LOGIN", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "XOAUTH2", "OAUTHBEARER", "CRAM-MD5"]);
    for (binding, credential, expected) in [
        (true, CredentialKind::Password, Mechanism::ScramSha256Plus),
        (false, CredentialKind::Password, Mechanism::ScramSha256),
        (false, CredentialKind::Token, Mechanism::OAuthBearer),
    ] {
        assert_eq!(mechanism(&all, credential, None, binding).unwrap(), expected);
    }
    assert_eq!(mechanism(&offered(&["LOGIN"]), CredentialKind::Password, None, true).unwrap(), Mechanism::Login);
    for (names, wanted) in [(&[][..], None), (&["CRAM-MD5"], None), (&["PLAIN"], Some(Mechanism::ScramSha256))] {
        let code = mechanism(&offered(names), CredentialKind::Password, wanted, true).map_err(|e| e.code());
        assert_eq!(code, Err(Code::AuthNoMechanism), "{names:?}");
    }
}

#[test]
fn ehlo_is_never_given_up_for_helo() {
    let (sent, end) = play(&mut Opening::new(), &["220 hi", "502 what?"]);
    assert_eq!((sent, end.unwrap_err().code()), (vec!["EHLO [127.0.0.1]".to_owned()], Code::ServerBad));
    let (sent, end) = play(&mut Opening::after_starttls(), &["250 hi"]);
    assert_eq!((sent.len(), end.is_ok()), (1, true));
}

#[test]
fn an_address_cannot_become_a_command() {
    for address in ["a@x.org>\r\nRSET", "a@x.org> SIZE=0", "a@x.org\nDATA", "<a@x.org>", "a b@x.org", ""] {
        let envelope = Envelope { sender: "b@x.org".into(), recipients: vec![address.into()], message: facts() };
        assert!(Transaction::new(envelope, Capabilities::default()).is_err(), "{address:?}");
    }
    let quoted = "\"a@x.org> SIZE=0\"@good.example";
    let envelope = Envelope { sender: String::new(), recipients: vec![quoted.into()], message: facts() };
    let mut machine = Transaction::new(envelope, Capabilities::default()).unwrap();
    let (sent, end) = play(&mut machine, &["250 ok", "250 ok", "354 go", "250 taken"]);
    assert!(end.is_ok());
    assert_eq!(sent, ["MAIL FROM:<>", &format!("RCPT TO:<{quoted}>"), "DATA", "3 bytes", "."]);
}

#[test]
fn the_answer_to_the_dot_may_take_ten_minutes() {
    let envelope = Envelope { sender: String::new(), recipients: vec!["a@x.org".into()], message: facts() };
    let mut machine = Transaction::new(envelope, Capabilities::default()).unwrap();
    let (mut heard, mut replies, mut patience) = (None, vec!["250 ok", "354 go", "250 ok", "250 ok"], Vec::new());
    replies.swap(1, 2);
    let mut replies = replies.into_iter();
    loop {
        match machine.step(heard.take()).unwrap() {
            Step::Hear(how_long) => {
                patience.push(how_long);
                heard = replies.next().map(reply);
            }
            Step::Done => break,
            _ => {}
        }
    }
    assert_eq!(patience, [Patience::Slow, Patience::Slow, Patience::Slow, Patience::Dot]);
}
