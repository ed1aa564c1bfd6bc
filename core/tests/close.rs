//! Closing a session whose server has fallen silent.

#![allow(clippy::unwrap_used, missing_docs)]

use mailtide::{Account, Code, Engine, EngineOptions};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// Greets, takes the login, and never says a word again.
async fn falls_silent(listener: TcpListener) {
    let (tcp, _) = listener.accept().await.unwrap();
    let mut tcp = BufReader::new(tcp);
    tcp.write_all(b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n").await.unwrap();
    let mut login = String::new();
    tcp.read_line(&mut login).await.unwrap();
    let tag = login.split(' ').next().unwrap();
    tcp.write_all(format!("{tag} OK [CAPABILITY IMAP4rev1] in\r\n").as_bytes()).await.unwrap();
    while tcp.read_line(&mut String::new()).await.is_ok_and(|n| n > 0) {}
}

#[tokio::test]
async fn calls_that_wait_for_a_silent_server_end_when_the_session_is_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("imap://ada:pw@{}", listener.local_addr().unwrap());
    let server = tokio::spawn(falls_silent(listener));
    let engine = Engine::new(EngineOptions::default(), tokio::runtime::Handle::current());
    let session = engine.connect(Account::from_url(&url).unwrap()).await.unwrap();
    let waiting = tokio::spawn({
        let session = session.clone();
        async move { session.noop().await }
    });
    // The command has to be on its way: the server's silence is what is tested.
    while engine.stats().commands == 0 {
        tokio::task::yield_now().await;
    }
    tokio::time::timeout(Duration::from_secs(20), session.close()).await.unwrap().unwrap();
    let error = tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.code(), Code::UsageClosed);
    server.await.unwrap();
}
