//! Why async-imap opens the session and does no more: what it makes of a server that refuses, breaks off or is odd.
//!
//! These tests pass as long as the reasons in `docs/decisions/async-imap.md` hold. One that fails is good news.

#![allow(missing_docs, clippy::unwrap_used)]

use async_imap::{Client, Session};
use futures_util::TryStreamExt;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};

/// A session with a server that answers the one command after the login with `answer`, and goes.
async fn session(answer: &'static str) -> Session<DuplexStream> {
    let (ours, theirs) = duplex(1 << 16);
    tokio::spawn(async move {
        let (reader, mut writer) = tokio::io::split(theirs);
        let mut lines = BufReader::new(reader).lines();
        for answer in ["{tag} OK in\r\n", answer] {
            let Ok(Some(line)) = lines.next_line().await else { return };
            let tag = line.split(' ').next().unwrap_or_default();
            let _ = writer.write_all(answer.replace("{tag}", tag).as_bytes()).await;
        }
    });
    Client::new(ours).login("ada", "pass").await.map_err(|(error, _)| error).unwrap()
}

async fn fetched(answer: &'static str) -> Result<usize, async_imap::error::Error> {
    let mut session = session(answer).await;
    let rows: Vec<_> = session.uid_fetch("1:*", "UID").await?.try_collect().await?;
    Ok(rows.len())
}

#[tokio::test]
async fn a_fetch_that_the_server_refuses_halfway_reads_as_a_short_success() {
    assert_eq!(fetched("* 1 FETCH (UID 1)\r\n{tag} NO out of memory\r\n").await.unwrap(), 1);
}

#[tokio::test]
async fn a_fetch_whose_connection_is_lost_reads_as_a_short_success() {
    assert_eq!(fetched("* 1 FETCH (UID 1)\r\n").await.unwrap(), 1);
}

#[tokio::test]
async fn a_search_that_the_server_refuses_reads_as_nothing_found() {
    let mut session = session("{tag} NO the index is damaged\r\n").await;
    assert!(session.uid_search("ALL").await.unwrap().is_empty());
}

#[tokio::test]
async fn one_response_that_it_does_not_know_costs_all_that_follow() {
    let known = "* 1 FETCH (UID 1)\r\n{tag} OK done\r\n";
    assert_eq!(fetched(known).await.unwrap(), 1);
    // GENURLAUTH (RFC 4467).
    let unknown = "* GENURLAUTH \"imap://h/x\"\r\n* 1 FETCH (UID 1)\r\n{tag} OK done\r\n";
    assert!(fetched(unknown).await.is_err());
}
