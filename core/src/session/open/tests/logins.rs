//! Every way to log in, against a server that checks each byte.

use super::*;
use crate::error::Retry;
use futures_util::FutureExt;
use std::sync::Arc;

const IN: &str = "S: {tag} OK [CAPABILITY IMAP4rev1 IDLE] in";

async fn log_in(capabilities: &str, dialogue: &str, credentials: Credentials) -> Result<Opened> {
    let script = format!("TLS\nS: * OK [CAPABILITY IMAP4rev1 {capabilities}] hi\n{dialogue}");
    play(&script, Pace::Bytewise, Security::Tls, credentials).await.0
}

fn token() -> Credentials {
    Credentials::Token(Arc::new(|_| {
        async { Ok(crate::Token { secret: "planted-token".into(), expires_at: None }) }.boxed()
    }))
}

#[tokio::test]
async fn each_mechanism_logs_in() {
    let table = [
        ("", "C: LOGIN \"ada-7\" \"planted-password\"", password()),
        ("AUTH=PLAIN", "C: AUTHENTICATE PLAIN\nS: + \nc: <<\0ada-7\0planted-password>>", password()),
        ("AUTH=PLAIN", "C: AUTHENTICATE PLAIN\nS: +\nc: <<\0ada-7\0planted-password>>", password()),
        ("AUTH=PLAIN SASL-IR", "C: AUTHENTICATE PLAIN <<\0ada-7\0planted-password>>", password()),
        (
            "AUTH=LOGIN LOGINDISABLED SASL-IR",
            "C: AUTHENTICATE LOGIN\nS: + VXNlciBOYW1lAA==\nc: <<ada-7>>\nS: + Password:\nc: <<planted-password>>",
            password(),
        ),
        (
            "AUTH=XOAUTH2 SASL-IR",
            "C: AUTHENTICATE XOAUTH2 <<user=ada-7\x01auth=Bearer planted-token\x01\x01>>",
            token(),
        ),
        (
            "AUTH=XOAUTH2",
            "C: AUTHENTICATE XOAUTH2\nS: + \nc: <<user=ada-7\x01auth=Bearer planted-token\x01\x01>>",
            token(),
        ),
        (
            "AUTH=OAUTHBEARER AUTH=XOAUTH2 SASL-IR",
            "C: AUTHENTICATE OAUTHBEARER \
             <<n,a=ada-7,\x01host=127.0.0.1\x01port={port}\x01auth=Bearer planted-token\x01\x01>>",
            token(),
        ),
    ];
    for (capabilities, dialogue, credentials) in table {
        let result = log_in(capabilities, &format!("{dialogue}\n{IN}"), credentials).await;
        let opened = result.unwrap_or_else(|error| panic!("{error}\n{dialogue}"));
        assert!(opened.capabilities.has("IDLE") && !opened.preauth && opened.stream.is_tls(), "{dialogue}");
        assert_eq!(opened.greeting, "hi");
    }
}

#[tokio::test]
async fn what_cannot_be_quoted_travels_as_a_literal() {
    let credentials = || Credentials::Password("pässwörd".into());
    let waits = "C: LOGIN \"ada-7\" {10}\nS: + go on\nc: pässwörd";
    log_in("", &format!("{waits}\n{IN}"), credentials()).await.unwrap();
    let at_once = "C: LOGIN \"ada-7\" {10+}\nc: pässwörd";
    log_in("LITERAL-", &format!("{at_once}\n{IN}"), credentials()).await.unwrap();
    let refused = log_in("", "C: LOGIN \"ada-7\" {10}\nS: {tag} BAD no literals here", credentials()).await;
    assert_eq!(refused.unwrap_err().code(), Code::ServerBad);
    let too_soon = log_in("", "C: LOGIN \"ada-7\" {10}\nS: {tag} OK in", credentials()).await;
    assert_eq!(too_soon.unwrap_err().code(), Code::NetTampered);
}

#[tokio::test]
async fn capabilities_are_asked_for_where_the_server_does_not_say_them() {
    let script = "TLS
        S: * OK hi
        C: CAPABILITY
        S: * CAPABILITY IMAP4rev1 AUTH=PLAIN LOGINDISABLED
        S: {tag} OK done
        C: AUTHENTICATE PLAIN
        S: +
        c: <<\0ada-7\0planted-password>>
        S: {tag} OK in
        C: CAPABILITY
        S: * CAPABILITY IMAP4rev1 MOVE
        S: {tag} OK done";
    let opened = play(script, Pace::Whole, Security::Tls, password()).await.0.unwrap();
    assert_eq!(opened.capabilities.to_string(), "IMAP4REV1 MOVE");
    let untagged = "C: LOGIN \"ada-7\" \"planted-password\"\nS: * CAPABILITY IMAP4rev1 IDLE\nS: {tag} OK in";
    assert!(log_in("", untagged, password()).await.unwrap().capabilities.has("IDLE"));
}

#[tokio::test]
async fn nothing_that_follows_the_login_is_lost() {
    let script = "TLS
        S: * OK [CAPABILITY IMAP4rev1] hi
        C: LOGIN \"ada-7\" \"planted-password\"
        S: * OK [ALERT] the disk is nearly full
        S: * 7 EXISTS
        S: {tag} OK [CAPABILITY IMAP4rev1 IDLE] in
        S: * 8 EXISTS
        S: * OK half a li";
    let opened = play(script, Pace::Whole, Security::Tls, password()).await.0.unwrap();
    assert_eq!(opened.buffer, "* 8 EXISTS\r\n* OK half a li\r\n");
    assert_eq!(opened.untagged.len(), 2);
    assert_eq!(opened.untagged[1], Response::Data(Untagged::Exists(7)));
}

#[tokio::test]
async fn a_server_that_knows_us_needs_no_login() {
    let script = "TLS\nS: * PREAUTH [CAPABILITY IMAP4rev1 IDLE] hello ada";
    let opened = play(script, Pace::Whole, Security::Tls, password()).await.0.unwrap();
    assert!(opened.preauth && opened.capabilities.has("IDLE"));
}

#[tokio::test]
async fn a_refusal_says_what_the_server_says() {
    let login = "C: LOGIN \"ada-7\" \"planted-password\"\n";
    let table = [
        ("S: {tag} NO [AUTHENTICATIONFAILED] Invalid credentials", Code::AuthRejected, Retry::AskUser),
        ("S: {tag} NO Invalid credentials", Code::AuthRejected, Retry::AskUser),
        ("S: {tag} NO [EXPIRED] Invalid credentials", Code::AuthRejected, Retry::AskUser),
        ("S: {tag} NO [UNAVAILABLE] Invalid credentials", Code::ServerUnavailable, Retry::Later(None)),
        (
            "S: {tag} NO Invalid credentials: Too many simultaneous connections",
            Code::ServerThrottled,
            Retry::Later(None),
        ),
        ("S: {tag} BAD Invalid credentials", Code::ServerBad, Retry::Never),
        ("S: * BYE Invalid credentials", Code::ServerBye, Retry::Reconnect),
    ];
    for (answer, code, retry) in table {
        // The server closes after a BYE only: an answer must be understood without that.
        let end = if answer.contains("BYE") { "\nCLOSE" } else { "" };
        let error = log_in("", &format!("{login}{answer}{end}"), password()).await.unwrap_err();
        assert_eq!((error.code(), error.retry()), (code, retry), "{answer}");
        assert!(error.context().server.as_ref().is_some_and(|s| s.contains("Invalid credentials")), "{answer}");
        assert_eq!(error.context().host.as_deref(), Some("127.0.0.1"));
    }
}

#[tokio::test]
async fn a_server_that_wants_encryption_first_says_so() {
    let script = "S: * OK [CAPABILITY IMAP4rev1] hi
        C: LOGIN \"ada-7\" \"planted-password\"
        S: {tag} NO [PRIVACYREQUIRED] not in clear";
    let error = play(script, Pace::Whole, Security::Cleartext, password()).await.0.unwrap_err();
    assert_eq!(error.code(), Code::AuthNoMechanism);
    let script = "S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi";
    let (result, heard) = play(script, Pace::Whole, Security::Cleartext, password()).await;
    assert_eq!(result.unwrap_err().code(), Code::AuthNoMechanism);
    assert_eq!(heard, b"");
}

#[tokio::test]
async fn a_server_that_does_not_follow_the_login_is_refused() {
    let table = [
        ("AUTH=PLAIN", "C: AUTHENTICATE PLAIN\nS: {tag} OK in", Code::NetTampered),
        ("AUTH=PLAIN", "C: AUTHENTICATE PLAIN\nS: A0001 OK in", Code::NetTampered),
        ("", "C: LOGIN \"ada-7\" \"planted-password\"\nS: A0001 OK in", Code::NetTampered),
        ("", "C: LOGIN \"ada-7\" \"planted-password\"\nS: + more", Code::ServerProtocol),
        ("", "C: LOGIN \"ada-7\" \"planted-password\"\nCLOSE", Code::NetLost),
        (
            "AUTH=PLAIN",
            "C: AUTHENTICATE PLAIN\nS: +\nc: <<\0ada-7\0planted-password>>\nS: + more\nc: *\nS: {tag} BAD given up",
            Code::ServerProtocol,
        ),
        ("AUTH=LOGIN LOGINDISABLED", "C: AUTHENTICATE LOGIN\nS: +\nc: <<ada-7>>\nS: {tag} OK in", Code::NetTampered),
    ];
    for (capabilities, dialogue, code) in table {
        let error = log_in(capabilities, dialogue, password()).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}\n{dialogue}");
    }
}

#[tokio::test]
async fn coremail_and_exchange_get_what_they_understand() {
    let script = "TLS
        S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] Coremail System IMap Server Ready
        C: AUTHENTICATE PLAIN
        S: +
        c: <<\0ada-7\0planted-password>>
        S: {tag} OK [CAPABILITY IMAP4rev1] in";
    play(script, Pace::Whole, Security::Tls, password()).await.0.unwrap();
    let script = "TLS
        S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi
        C: LOGIN \"corp\\\\ada\\\\shared\" \"planted-password\"
        S: {tag} OK [CAPABILITY IMAP4rev1] in";
    let server = Server::start(script, Pace::Whole, Authority::shared().good()).await;
    let mut account = account(&server, Security::Tls, password());
    account.user = "corp\\ada\\shared".to_owned();
    opened(&account).await.unwrap();
}

#[tokio::test]
async fn silence_is_a_timeout() {
    for script in ["TLS", "TLS\nS: * OK [CAPABILITY IMAP4rev1] hi", "TLS\nS: * OK hi"] {
        let server = Server::start(script, Pace::Whole, Authority::shared().good()).await;
        let mut account = account(&server, Security::Tls, password());
        (account.limits.greeting, account.limits.progress) = (Duration::from_millis(300), Duration::from_millis(300));
        assert_eq!(opened(&account).await.unwrap_err().code(), Code::NetTimeout, "{script}");
    }
}
