//! async-imap against the engine's server: the story of `tests/clients/libraries.py` in Rust.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use async_imap::Client;
use futures_util::TryStreamExt;
use mailtide::server::{Server, ServerOptions};
use tokio::net::TcpStream;

const PASSWORD: &str = "s3cret";

type Session = async_imap::Session<TcpStream>;

async fn connect(server: &Server) -> Session {
    let mut client = Client::new(TcpStream::connect(server.address()).await.unwrap());
    client.read_response().await.unwrap().expect("a greeting");
    client.login("ada", PASSWORD).await.map_err(|(error, _)| error).unwrap()
}

async fn add(session: &mut Session, name: &str) {
    let text = format!("Subject: {name}\r\nFrom: ada@example.org\r\n\r\nabout {name}\r\n");
    session.append("INBOX", None, None, text).await.unwrap();
}

async fn subjects(session: &mut Session, mailbox: &str) -> Vec<(String, bool)> {
    session.select(mailbox).await.unwrap();
    let rows = session.uid_fetch("1:*", "(FLAGS ENVELOPE)").await.unwrap();
    let rows: Vec<_> = rows.try_collect().await.unwrap();
    let told = rows.iter().map(|row| {
        let subject = row.envelope().unwrap().subject.as_deref().unwrap();
        let is_flagged = row.flags().any(|flag| flag == async_imap::types::Flag::Flagged);
        (String::from_utf8_lossy(subject).into_owned(), is_flagged)
    });
    told.collect()
}

#[tokio::test]
async fn async_imap_reads_and_changes_everything() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = ServerOptions::default();
    options.user = Some(("ada".to_owned(), PASSWORD.into()));
    let server = Server::open(&folder.path().join("a.mail"), options).await.unwrap();
    let mut session = connect(&server).await;
    for name in ["one", "two", "three"] {
        add(&mut session, name).await;
    }
    let names = ["one", "two", "three"].map(|name| (name.to_owned(), false));
    assert_eq!(subjects(&mut session, "INBOX").await, names);
    let text = session.uid_fetch("1", "BODY.PEEK[TEXT]").await.unwrap();
    let text: Vec<_> = text.try_collect().await.unwrap();
    assert_eq!(text[0].text(), Some(&b"about one\r\n"[..]));
    for (uid, flag) in [("1", "\\Flagged"), ("3", "\\Deleted")] {
        let changed = session.uid_store(uid, format!("+FLAGS ({flag})")).await.unwrap();
        assert_eq!(changed.try_collect::<Vec<_>>().await.unwrap().len(), 1);
    }
    session.uid_mv("2", "Archive").await.unwrap();
    assert_eq!(session.uid_expunge("3").await.unwrap().try_collect::<Vec<_>>().await.unwrap().len(), 1);

    // One waits, another one brings a message.
    let mut idle = session.idle();
    idle.init().await.unwrap();
    let (waiting, _stop) = idle.wait();
    let mut other = connect(&server).await;
    let (heard, ()) = tokio::join!(waiting, add(&mut other, "four"));
    assert!(matches!(heard.unwrap(), async_imap::extensions::idle::IdleResponse::NewData(_)));
    let mut session = idle.done().await.unwrap();
    assert_eq!(session.uid_search("SUBJECT four").await.unwrap().into_iter().collect::<Vec<_>>(), [4]);
    assert_eq!(subjects(&mut session, "INBOX").await, [("one".to_owned(), true), ("four".to_owned(), false)]);
    assert_eq!(subjects(&mut session, "Archive").await, [("two".to_owned(), false)]);
    session.logout().await.unwrap();
    server.close().await;
}
