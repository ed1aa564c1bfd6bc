//! What has been used against STARTTLS in SMTP: every dialogue in one segment and byte by byte, with no credential and
//! no address in clear; certificates; and a planted secret, which is in nothing that anybody may read.

use super::super::connection::{Connect, Connection};
use super::super::{Outbox, SendOptions, SmtpAccount, State};
use super::support::{MemoryLedger, composed, draft};
use crate::error::{Code, Result};
use crate::net::testing::{self, Authority, Pace, Server, own};
use crate::net::{Roots, Security};
use crate::{Account, Credentials, Token};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use futures_util::future::join_all;
use rustls::ServerConfig;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
enum Outcome {
    Fails(Code),
    /// By one of two codes: whether the rest has come by then depends on the network.
    FailsSoonOrLate,
    Opens,
}
use Outcome::{Fails, FailsSoonOrLate, Opens};

const EHLO: &str = "c: EHLO [127.0.0.1]";
/// Up to the point where TLS may begin.
const OFFER: &str = "S: 220 hi\nc: EHLO [127.0.0.1]\nS: 250-hi\nS: 250-STARTTLS\nS: 250 AUTH PLAIN\nc: STARTTLS\n";
const LOGIN: &str = "TLS
    c: EHLO [127.0.0.1]
    S: 250-hi
    S: 250 AUTH PLAIN
    c: AUTH PLAIN <<\0ada-7\0planted-password>>
    S: 235 in";

fn account(port: u16, security: Security, credentials: Credentials) -> SmtpAccount {
    let imap = Account::new("127.0.0.1", "ada-7", credentials);
    let mut account = SmtpAccount::of(&imap, "127.0.0.1");
    (account.port, account.security) = (port, security);
    account.net.server_name = Some("imap.example.org".to_owned());
    account.net.roots = Roots::Pem(Authority::shared().pem.clone().into());
    account
}

fn password() -> Credentials {
    Credentials::Password("planted-password".into())
}

/// Runs the script and opens; what came of it, and what was heard in clear.
async fn play(script: &str, pace: Pace, security: Security) -> (Result<Connection>, Vec<u8>) {
    let server = Server::start(script, pace, Authority::shared().good()).await;
    let account = account(server.port, security, password());
    let result = tokio::time::timeout(Duration::from_secs(25), account.connect()).await.expect("opening hangs");
    let result = match result {
        Ok(connection) => {
            let greeting = connection.greeting.clone();
            // The server ends when the connection does.
            connection.quit().await;
            assert_eq!(greeting, "", "after STARTTLS there is none");
            return (Err(Code::Cancelled.into()), server.end().await);
        }
        error => error,
    };
    (result, server.end().await)
}

fn dialogues() -> Vec<(String, Outcome)> {
    let mut cases = injections();
    cases.extend(negotiation());
    cases.extend(codes());
    cases
}

fn injections() -> Vec<(String, Outcome)> {
    let injected = [
        "S: 220 go\nS: 250 injected",
        "S: 220 go\nS: 235 in",
        "S: 220 go\nS: 250-hi\nS: 250 AUTH LOGIN",
        "S: 220 go\nS: 421 bye",
        "S: 220 go\nS: 220 go",
        "S: 220 go\nS: 334 ",
        "S: 220 go\nS: ",
        "S: 220 go\nHELLO\nS: 250 injected",
        "S: 220 go\nHELLO\nS: 250-hi\nS: 250 AUTH LOGIN",
        "S: 220 go\nHELLO\nS: 235 in",
    ];
    let mut cases: Vec<_> = injected.iter().map(|s| (format!("{OFFER}{s}"), Fails(Code::NetTampered))).collect();
    // What is said ahead of its command cannot be an answer to it.
    let ahead = [
        format!("S: 220 hi\nS: 250-hi\nS: 250 STARTTLS\n{EHLO}\nS: 250 hi"),
        format!("S: 220 hi\nS: 220 hi\n{EHLO}\nS: 250 hi"),
        format!("S: 220 hi\n{EHLO}\nS: 250-hi\nS: 250 STARTTLS\nS: 220 go\nc: STARTTLS\nS: 220 go"),
        format!("S: 220 hi\n{EHLO}\nS: 250-hi\nS: 250 STARTTLS\nS: 502 no\nc: STARTTLS\nS: 220 go"),
    ];
    cases.extend(ahead.into_iter().map(|s| (s, FailsSoonOrLate)));
    cases
}

fn negotiation() -> Vec<(String, Outcome)> {
    let offers = |lines: &str| format!("S: 220 hi\n{EHLO}\n{lines}\n");
    let mut cases = vec![
        (format!("{OFFER}S: 220 go\n{LOGIN}"), Opens),
        (format!("{OFFER}S: 220-call 555\nS: 220 go\n{LOGIN}"), Opens),
        (format!("{}c: STARTTLS\nS: 220 go\n{LOGIN}", offers("S: 250-hi\nS: 250 starttls")), Opens),
        // Stripped, and its look-alikes.
        (offers("S: 250-hi\nS: 250 AUTH PLAIN LOGIN"), Fails(Code::ServerUnsupported)),
        (offers("S: 250 STARTTLS"), Fails(Code::ServerUnsupported)),
        (offers("S: 250-hi\nS: 250 XSTARTTLS"), Fails(Code::ServerUnsupported)),
        (offers("S: 250-hi\nS: 250 STARTTL5"), Fails(Code::ServerUnsupported)),
        (offers("S: 250-hi\nS: 251 STARTTLS"), Fails(Code::ServerProtocol)),
        (offers("S: 250-hi\nS: OK STARTTLS"), Fails(Code::ServerProtocol)),
    ];
    let greetings = ["* OK hi", "+OK hi", "hello", "250 hi", "334 hi", "22 hi", "HTTP/1.1 200 OK", "220_hi", "235 in"];
    cases.extend(greetings.map(|greeting| (format!("S: {greeting}"), Fails(Code::ServerProtocol))));
    cases
}

/// Every reply at every place.
fn codes() -> Vec<(String, Outcome)> {
    let codes = [
        200, 211, 214, 221, 235, 250, 251, 252, 334, 354, 421, 450, 451, 452, 454, 455, 500, 501, 502, 503, 504, 521,
        530, 534, 535, 538, 550, 551, 552, 553, 554,
    ];
    let mut cases = Vec::new();
    for code in codes {
        let turned_away = code / 100 >= 4;
        let greeting = if turned_away { Code::ServerUnavailable } else { Code::ServerProtocol };
        cases.push((format!("S: {code} call 555"), Fails(greeting)));
        if code != 250 {
            let ehlo = if code == 421 { Code::ServerUnavailable } else { Code::ServerUnsupported };
            cases.push((format!("S: 220 hi\n{EHLO}\nS: {code}-hi\nS: {code} STARTTLS"), Fails(ehlo)));
        }
        let starttls = match code {
            421 => Code::ServerUnavailable,
            400.. => Code::ServerRefused,
            _ => Code::NetTampered,
        };
        cases.push((format!("{OFFER}S: {code} call 555"), Fails(starttls)));
    }
    cases
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_known_attack_gets_a_credential_or_an_address() {
    let cases = dialogues();
    assert!(cases.len() >= 100, "{} dialogues", cases.len());
    let both = cases.iter().flat_map(|case| [(case, Pace::Whole), (case, Pace::Bytewise)]);
    let mut runs = both.map(|((script, outcome), pace)| async move {
        let (result, clear) = play(script, pace, Security::StartTls).await;
        check(script, *outcome, result.err(), &clear);
    });
    loop {
        let some: Vec<_> = runs.by_ref().take(32).collect();
        if some.is_empty() {
            break;
        }
        join_all(some).await;
    }
}

fn check(script: &str, outcome: Outcome, error: Option<crate::MailError>, clear: &[u8]) {
    let error = error.unwrap();
    match outcome {
        // `play` says so when it was opened.
        Opens => assert_eq!(error.code(), Code::Cancelled, "{error}\n{script}"),
        FailsSoonOrLate => {
            assert!(matches!(error.code(), Code::NetTampered | Code::ServerUnsupported), "{error}\n{script}");
        }
        Fails(code) => {
            assert_eq!(error.code(), code, "{error}\n{script}");
            assert!(!format!("{error:?}").contains("call 555"), "{error:?}\n{script}");
        }
    }
    let heard = String::from_utf8_lossy(clear);
    for secret in ["ada", "planted", "AUTH", "MAIL", "HELO", "YWRh"] {
        assert!(!heard.contains(secret), "{heard}\n{script}");
    }
}

#[tokio::test]
async fn what_was_offered_in_clear_is_forgotten() {
    let script = format!("{OFFER}S: 220 go\nTLS\n{EHLO}\nS: 250-hi\nS: 250 AUTH XOAUTH2");
    let (result, _) = play(&script, Pace::Whole, Security::StartTls).await;
    let error = result.err().unwrap();
    assert_eq!((error.code(), error.context().hint.as_deref()), (Code::AuthNoMechanism, Some("It offers XOAUTH2")));
}

#[tokio::test]
async fn a_certificate_that_is_not_right_ends_it() {
    let authority = Authority::shared();
    let other = Authority::new();
    let bad: Vec<(&str, Arc<ServerConfig>)> = vec![
        ("expired", authority.server("imap.example.org", 2020, 2021)),
        ("not yet valid", authority.server("imap.example.org", 2089, 2090)),
        ("wrong host", authority.server("evil.example.org", 2020, 2090)),
        ("an address instead of the name", authority.server("127.0.0.1", 2020, 2090)),
        ("expired and self-signed", own("imap.example.org", 2021, false).0),
        ("unknown authority", other.good()),
        ("self-signed", own("imap.example.org", 2090, false).0),
    ];
    for (what, config) in bad {
        for security in [Security::Tls, Security::StartTls] {
            let before = if security == Security::StartTls { format!("{OFFER}S: 220 go\n") } else { String::new() };
            let server = Server::start(&format!("{before}TLS"), Pace::Whole, Arc::clone(&config)).await;
            let error = account(server.port, security, password()).connect().await.err().unwrap();
            assert_eq!(error.code(), Code::NetTls, "{what} {security:?}: {error}");
            assert!(!String::from_utf8_lossy(&server.end().await).contains("AUTH"), "{what} {security:?}");
        }
    }
}

#[tokio::test]
async fn cleartext_goes_to_this_machine_only() {
    for (host, expected) in [("192.0.2.1", Code::UsageAddress), ("smtp.example.org", Code::UsageAddress)] {
        let mut account = account(25, Security::Cleartext, password());
        account.host = host.to_owned();
        account.net.allow_cleartext = true;
        assert_eq!(account.connect().await.err().unwrap().code(), expected);
    }
    let script = format!(
        "S: 220 hi\n{EHLO}\nS: 250-hi\nS: 250 AUTH PLAIN\nc: AUTH PLAIN <<\0ada-7\0planted-password>>\nS: 235 in"
    );
    let server = Server::start(&script, Pace::Bytewise, Authority::shared().good()).await;
    account(server.port, Security::Cleartext, password()).connect().await.unwrap().quit().await;
    server.end().await;
}

#[tokio::test]
async fn a_refused_token_is_asked_for_anew_once() {
    let bearer = |token: &str| format!("c: AUTH XOAUTH2 <<user=ada-7\x01auth=Bearer {token}\x01\x01>>\n");
    let hello = format!("TLS\nS: 220 hi\n{EHLO}\nS: 250-hi\nS: 250 AUTH XOAUTH2\n");
    let refuses = format!("{hello}{}S: 334 <<{{\"status\":\"401\"}}>>\nc:\nS: 535 5.7.8 no", bearer("token-1"));
    let takes = format!("{hello}{}S: 235 in", bearer("token-2"));
    let server = Server::start_many(&[refuses, takes], Pace::Whole, Authority::shared().good()).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let credentials = Credentials::Token(Arc::new(move |request| {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        assert_eq!(request.reason.as_str(), if number == 1 { "first" } else { "expired" });
        async move { Ok(Token { secret: format!("token-{number}").into(), expires_at: None }) }.boxed()
    }));
    account(server.port, Security::Tls, credentials).connect().await.unwrap().quit().await;
    server.end().await;
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_planted_secret_is_in_no_error_entry_log_or_debug() {
    // Only this test knows it, so that what other tests log does not matter.
    const SECRET: &str = "xyzzy-0utbox-7";
    testing::record_logs();
    let plain = STANDARD.encode(format!("\0ada-7\0{SECRET}"));
    let hello = format!("TLS\nS: 220 hi\n{EHLO}\nS: 250-hi\nS: 250 AUTH PLAIN\nc: AUTH PLAIN {plain}\n");
    let endings = [
        format!("S: 535 5.7.8 you said {SECRET} and {plain}"),
        format!("S: 454 you said {SECRET} {}", STANDARD.encode(SECRET)),
        format!("S: 500 {plain}"),
        format!("S: 334 {plain}\nc: *\nS: 501 {SECRET}"),
        format!("S: 250 {SECRET}"),
        format!("S: {SECRET}"),
        format!("S: 421 {SECRET}\nCLOSE"),
        format!("S: 235 in\nc: MAIL FROM:<ada@example.org>\nS: 550 {SECRET}\nc: QUIT"),
        format!("S: 235 in\nc: MAIL FROM:<ada@example.org>\nS: 530 {plain}"),
        format!(
            "S: 235 in\nc: MAIL FROM:<ada@example.org>\nS: 250 ok\nc: RCPT TO:<grace@example.org>\nS: 450 {SECRET}\nc: RSET\nS: 250 ok\nc: QUIT"
        ),
    ];
    for ending in endings {
        let server = Server::start(&format!("{hello}{ending}"), Pace::Whole, Authority::shared().good()).await;
        let account = account(server.port, Security::Tls, Credentials::Password(SECRET.into()));
        let ledger = Arc::<MemoryLedger>::default();
        let outbox = Outbox::new(ledger.clone(), account.clone(), None);
        outbox.send_composed(&composed(&draft()), &SendOptions::default()).await.unwrap();
        let report = outbox.pass().await.unwrap();
        let entry = ledger.only();
        let shown = format!(
            "{report:?} {entry:?} {account:?} {outbox:?} {}",
            report.trouble.as_ref().map(ToString::to_string).unwrap_or_default()
        );
        for form in [SECRET, plain.as_str(), STANDARD.encode(SECRET).as_str()] {
            assert!(!shown.contains(form), "{form} is in {shown}\n{ending}");
        }
        assert!(report.trouble.is_some() || entry.state == State::Rejected || entry.attempts == 1, "{ending}");
        server.end().await;
    }
    let logged = testing::logged();
    assert!(logged.contains("rustls"), "the recorder records nothing");
    for form in [SECRET, plain.as_str(), STANDARD.encode(SECRET).as_str()] {
        assert!(!logged.contains(form), "{form} is in the log");
    }
}
