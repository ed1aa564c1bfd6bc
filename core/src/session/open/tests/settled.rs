//! What a connection asks before it is used, and what it then believes of its server.

use super::*;
use crate::imap::quirk::Quirks;
use crate::session::{Engine, EngineOptions, Session};

const STARTTLS: &str = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS] whatever anybody may have written
    C: STARTTLS
    S: {tag} OK go
    TLS
    C: CAPABILITY
    S: * CAPABILITY IMAP4rev1 ID OBJECTID
    S: {tag} OK done
    C: LOGIN \"ada-7\" \"planted-password\"
    S: {tag} OK [CAPABILITY IMAP4rev1 ID OBJECTID QRESYNC ENABLE] in\n";

async fn connected(script: &str, security: Security, change: fn(&mut Account)) -> crate::Result<(Server, Session)> {
    let server = Server::start(script, Pace::Whole, Authority::shared().good()).await;
    let mut account = account(&server, security, password());
    change(&mut account);
    let engine = Engine::new(EngineOptions::default(), tokio::runtime::Handle::current());
    let connecting = tokio::time::timeout(Duration::from_secs(25), engine.connect(account));
    Ok((server, connecting.await.expect("connecting hangs")?))
}

/// What a session believes after `script`.
async fn believed(script: &str, security: Security, change: fn(&mut Account)) -> Vec<String> {
    let (server, session) = connected(script, security, change).await.unwrap();
    let capabilities = session.capabilities().await.unwrap();
    drop(session);
    server.end().await;
    capabilities
}

#[tokio::test]
async fn after_starttls_a_server_is_known_by_what_it_says_to_id() {
    let id = format!("C: ID (\"name\" \"Mailtide\" \"version\" \"{}\")", env!("CARGO_PKG_VERSION"));
    let table = [
        ("S: * ID (\"name\" \"Cyrus IMAPD\" \"version\" \"3.6.1-4+deb12u3\")\nS: {tag} OK done", "OBJECTID"),
        ("S: * ID (\"name\" \"James\")\nS: {tag} OK done", "QRESYNC"),
        ("S: * ID NIL\nS: {tag} OK done", ""),
        ("S: {tag} NO we do not say", ""),
    ];
    for (said, hidden) in table {
        let believed = believed(&format!("{STARTTLS}{id}\n{said}"), Security::StartTls, |_| {}).await;
        let expected: Vec<_> =
            ["IMAP4REV1", "ID", "OBJECTID", "QRESYNC", "ENABLE"].into_iter().filter(|c| *c != hidden).collect();
        assert_eq!(believed, expected, "{said}");
    }
}

#[tokio::test]
async fn a_greeting_that_says_who_it_is_is_enough() {
    let script = "S: * OK [CAPABILITY IMAP4rev1 ID OBJECTID] h Cyrus IMAP 3.6.1-4+deb12u3 server ready
        C: LOGIN \"ada-7\" \"planted-password\"
        S: {tag} OK [CAPABILITY IMAP4rev1 ID OBJECTID] in";
    assert_eq!(believed(script, Security::Cleartext, |_| {}).await, ["IMAP4REV1", "ID"]);
}

#[tokio::test]
async fn a_user_knows_better() {
    let script = "S: * OK [CAPABILITY IMAP4rev1 OBJECTID MOVE] h Cyrus IMAP 3.6.1-4+deb12u3 server ready
        C: LOGIN \"ada-7\" \"planted-password\"
        S: {tag} OK [CAPABILITY IMAP4rev1 OBJECTID MOVE] in";
    let blocked = |account: &mut Account| {
        let mut quirks = Quirks::default();
        quirks.hidden.push("MOVE".to_owned());
        account.quirks = Some(quirks);
    };
    assert_eq!(believed(script, Security::Cleartext, blocked).await, ["IMAP4REV1", "OBJECTID"]);
}

#[tokio::test]
async fn sequence_numbers_are_given_up_where_large_mailboxes_would_be_shown_in_part() {
    for answer in ["S: * ENABLED UIDONLY\nS: {tag} OK done", "S: {tag} BAD what"] {
        let script = format!(
            "S: * OK [CAPABILITY IMAP4rev1] hi
            C: LOGIN \"ada-7\" \"planted-password\"
            S: {{tag}} OK [CAPABILITY IMAP4rev1 ENABLE UIDONLY MESSAGELIMIT=1000] in
            C: ENABLE UIDONLY\n{answer}"
        );
        assert_eq!(believed(&script, Security::Cleartext, |_| {}).await.len(), 4, "{answer}");
    }
}

#[tokio::test]
async fn a_login_that_was_none_is_told_as_one_that_was_refused() {
    let script = "S: * OK [CAPABILITY IMAP4rev1 NAMESPACE] The Microsoft Exchange IMAP4 service is ready.
        C: LOGIN \"ada-7\" \"planted-password\"
        S: {tag} OK [CAPABILITY IMAP4rev1 NAMESPACE] in
        C: NAMESPACE
        S: {tag} BAD User is authenticated but not connected.";
    let error = connected(script, Security::Cleartext, |_| {}).await.err().unwrap();
    assert_eq!(error.code(), Code::AuthRejected);
}
