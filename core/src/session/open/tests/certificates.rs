//! Certificates that must not be accepted, over implicit TLS and after STARTTLS.

use super::*;
use crate::net::ClientCertificate;
use futures_util::future::join_all;
use rustls::ServerConfig;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_certificate_is_named_and_nothing_is_sent() {
    let ours = Authority::shared();
    let table = [
        (testing::own("imap.example.org", 2090, false).0, "self-signed"),
        (Authority::new().good(), "not trusted"),
        (ours.server("imap.example.com", 2020, 2090), "not for imap.example.org"),
        (ours.server("127.0.0.1", 2020, 2090), "not for imap.example.org"),
        (ours.server("imap.example.org", 2020, 2021), "expired"),
        (ours.server("imap.example.org", 2080, 2090), "not valid yet"),
    ];
    let cases = table.iter().flat_map(|case| [(case, Security::Tls), (case, Security::StartTls)]);
    join_all(cases.map(|((tls, words), security)| refused(Arc::clone(tls), words, security))).await;
}

async fn refused(tls: Arc<ServerConfig>, words: &str, security: Security) {
    let script = match security {
        Security::StartTls => "S: * OK [CAPABILITY STARTTLS] hi\nC: STARTTLS\nS: {tag} OK go\nTLS\nS: * OK in",
        _ => "TLS\nS: * OK in",
    };
    let server = Server::start(script, Pace::Whole, tls).await;
    let error = opened(&account(&server, security, password())).await.unwrap_err();
    assert_eq!(error.code(), Code::NetTls, "{words} {security:?}");
    assert!(error.message().contains(words), "{error} should say {words}");
    assert!(error.context().hint.is_some() && error.context().host.is_some());
    let heard = server.end().await;
    assert!(!heard.windows(7).any(|w| w == b"planted"));
}

#[tokio::test]
async fn a_server_without_tls_is_told_from_an_attack() {
    let script = "S: * OK [CAPABILITY IMAP4rev1] hi";
    let (result, heard) = play(script, Pace::Whole, Security::Tls, password()).await;
    let error = result.unwrap_err();
    assert_eq!(error.code(), Code::NetTls);
    assert!(error.message().contains("does not speak TLS"), "{error}");
    assert!(!heard.windows(7).any(|w| w == b"planted"));
}

#[tokio::test]
async fn without_encryption_only_this_machine_is_spoken_to() {
    for host in ["192.0.2.1", "imap.example.org"] {
        let account = Account::from_url(&format!("imap://ada:pass@{host}")).unwrap();
        assert_eq!(opened(&account).await.unwrap_err().code(), Code::UsageAddress, "{host}");
    }
    let script = "S: * OK [CAPABILITY IMAP4rev1] hi
        C: LOGIN \"ada-7\" \"planted-password\"
        S: {tag} OK [CAPABILITY IMAP4rev1] in";
    play(script, Pace::Whole, Security::Cleartext, password()).await.0.unwrap();
}

#[tokio::test]
async fn a_self_signed_certificate_that_was_given_is_taken_but_not_under_another_name_or_time() {
    let cases = [
        ("imap.example.org", 2090, None),
        ("imap.example.com", 2090, Some("not for imap.example.org")),
        ("imap.example.org", 2021, Some("expired")),
    ];
    for authority in [true, false] {
        for (name, until, words) in cases {
            let (tls, pem) = testing::own(name, until, authority);
            let server = Server::start("TLS\nS: * PREAUTH [CAPABILITY IMAP4rev1] in", Pace::Whole, tls).await;
            let mut account = account(&server, Security::Tls, password());
            account.net.roots = Roots::Pem(pem.into());
            match (opened(&account).await, words) {
                (Ok(_), None) => {}
                (Err(error), Some(words)) => assert!(error.message().contains(words), "{error} should say {words}"),
                (result, _) => panic!("{result:?} for {name} until {until}, authority: {authority}"),
            }
        }
    }
}

#[tokio::test]
async fn a_certificate_of_ours_is_shown_to_a_server_that_asks() {
    let script = "TLS\nS: * PREAUTH [CAPABILITY IMAP4rev1] in";
    let (tls, chain, key) = Authority::shared().mutual();
    for known in [true, false] {
        let server = Server::start(script, Pace::Whole, Arc::clone(&tls)).await;
        let mut account = account(&server, Security::Tls, Credentials::None);
        let certificate = ClientCertificate { chain: chain.clone().into(), key: key.as_str().into() };
        account.net.client_certificate = known.then_some(certificate);
        if !known {
            account.credentials = password();
        }
        match opened(&account).await {
            Ok(opened) => assert!(known && opened.preauth),
            // TLS 1.3 lets the client finish before the server has looked: the alert comes with the first read.
            Err(error) => assert!(!known && matches!(error.code(), Code::NetTls | Code::NetLost), "{error}"),
        }
    }
}
