//! Messages that are appended while their bytes still come: from the same session, too late, or not at all.

use super::runs::DEADLINE;
use super::script::message;
use crate::support::faults::Faults;
use crate::support::server::Server;
use bytes::Bytes;
use futures_util::future::join_all;
use mailtide::{AppendOptions, AppendSource, Code, Engine, EngineOptions, Result, Session};
use std::time::Duration;
use tokio::sync::mpsc;

/// Messages that make up the one appended: far more than wait in the channel.
const PIECES: u32 = 40;

/// The raw bytes of many messages, each fetched when there is room for it.
fn from_the_session(session: &Session) -> mpsc::Receiver<Result<Bytes>> {
    let (sender, chunks) = mpsc::channel(1);
    let session = session.clone();
    tokio::spawn(async move {
        for uid in 1..=PIECES {
            let raw = async { message(&session, uid).await?.raw().await };
            if sender.send(raw.await).await.is_err() {
                return;
            }
        }
    });
    chunks
}

async fn length(session: &Session) -> u64 {
    let mut chunks = from_the_session(session);
    let mut length = 0;
    while let Some(chunk) = chunks.recv().await {
        length += chunk.unwrap().len() as u64;
    }
    length
}

#[tokio::test]
async fn messages_can_be_appended_from_the_session_they_are_appended_to() {
    for connections in [1, 2, 4] {
        let server = Server::start(Faults::default()).await;
        let session = server.session(connections).await.unwrap();
        let len = length(&session).await;
        let archive = session.mailbox("Archive").unwrap();
        let copies = (0..6).map(|_| {
            let chunks = from_the_session(&session);
            archive.append(AppendSource::Stream { len: Some(len), chunks }, AppendOptions::default())
        });
        let added = tokio::time::timeout(DEADLINE, join_all(copies)).await.expect("appending hangs");
        assert!(added.iter().all(Result::is_ok), "{connections} connections: {added:?}");
        let store = server.store();
        assert!(store["Archive"].mails.iter().all(|m| m.raw().len() as u64 == len) && added.len() == 6);
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up_and_the_session_goes_on() {
    let server = Server::start(Faults::default()).await;
    let mut account = server.account();
    account.limits.slow_progress = Duration::from_millis(300);
    let options = EngineOptions { max_connections: 2, ..EngineOptions::default() };
    let session = Engine::new(options, tokio::runtime::Handle::current()).connect(account).await.unwrap();
    let (sender, chunks) = mpsc::channel(1);
    sender.send(Ok(Bytes::from_static(b"Subject: a\r\n"))).await.unwrap();
    let archive = session.mailbox("Archive").unwrap();
    let appending = archive.append(AppendSource::Stream { len: Some(100), chunks }, AppendOptions::default());
    let error = tokio::time::timeout(DEADLINE, appending).await.expect("appending hangs").unwrap_err();
    assert_eq!(error.code(), Code::NetTimeout);
    assert!(error.to_string().contains("did not come"), "{error}");
    assert!(server.store()["Archive"].mails.is_empty());
    assert_eq!(session.status("Stable").await.unwrap().messages, Some(3));
}

#[tokio::test]
async fn a_body_of_another_length_is_refused_whatever_way_it_takes() {
    for connections in [1, 2] {
        for len in [1, 100] {
            let server = Server::start(Faults::default()).await;
            let session = server.session(connections).await.unwrap();
            let (sender, chunks) = mpsc::channel(1);
            sender.send(Ok(Bytes::from_static(b"Subject: a\r\n"))).await.unwrap();
            drop(sender);
            let archive = session.mailbox("Archive").unwrap();
            let appending = archive.append(AppendSource::Stream { len: Some(len), chunks }, AppendOptions::default());
            let error = tokio::time::timeout(DEADLINE, appending).await.expect("appending hangs").unwrap_err();
            assert_eq!(error.code(), Code::UsageArgument, "{connections} connections: {error}");
            assert_eq!(session.status("Stable").await.unwrap().messages, Some(3));
        }
    }
}
