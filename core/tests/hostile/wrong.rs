//! Servers that send what is not quite IMAP, too little, too much, or too late.

use super::runs::DEADLINE;
use super::script::{message, rows, set, shown};
use crate::support::faults::Faults;
use crate::support::server::Server;
use crate::support::store::Folder;
use mailtide::{Code, Columns, Engine, EngineOptions, FetchOptions, Message, Result, Session};
use std::future::Future;

const FLAGS: Columns = Columns { flags: true, ..Columns::NONE };

async fn with<T>(faults: Faults, calls: impl AsyncFnOnce(&Server, Session) -> T) -> T {
    let what = format!("{faults:?}");
    let work = async {
        let server = Server::start(faults).await;
        let session = server.session(1).await.unwrap_or_else(|e| panic!("{what}: {e}"));
        let out = calls(&server, session).await;
        let offences = server.state.offences.lock().unwrap().clone();
        assert!(offences.is_empty(), "{what}: {offences:?}");
        out
    };
    in_time(work).await
}

async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, work).await.expect("no hang")
}

/// The rows of the first messages, whole.
async fn first(session: &Session) -> Result<String> {
    let mut messages = session.mailbox("INBOX")?.fetch(set("1:9"), FetchOptions::default());
    let mut out = String::new();
    while let Some(batch) = messages.next_batch().await? {
        batch.iter().for_each(|m| out += &shown(m));
    }
    Ok(out)
}

/// The flags of all messages.
async fn all(session: &Session) -> Result<String> {
    rows(&session.mailbox("INBOX")?, FetchOptions { columns: FLAGS, ..FetchOptions::default() }).await
}

#[tokio::test]
async fn oddly_written_answers_say_the_same() {
    let as_it_should = with(Faults::default(), async |_, s| (first(&s).await.unwrap(), all(&s).await.unwrap())).await;
    let odd = [
        Faults { bare_lf: true, ..Faults::default() },
        Faults { nul_padding: true, ..Faults::default() },
        Faults { chatters: true, ..Faults::default() },
        Faults { bare_lf: true, nul_padding: true, drip: true, ..Faults::default() },
    ];
    for faults in odd {
        let chatters = faults.chatters;
        let told = with(faults.clone(), async |_, s| (first(&s).await.unwrap(), all(&s).await.unwrap())).await;
        assert_eq!(plain(&told.0, chatters), plain(&as_it_should.0, chatters), "{faults:?}");
        assert_eq!(plain(&told.1, chatters), plain(&as_it_should.1, chatters), "{faults:?}");
    }
}

/// The rows; without their flags where the server tells of other flags in between.
fn plain(rows: &str, without_flags: bool) -> String {
    let flags =
        |row: &str| row.split_once('[').and_then(|(a, rest)| Some((a.to_owned(), rest.split_once(']')?.1.to_owned())));
    rows.lines().map(|row| if without_flags { format!("{:?}", flags(row)) } else { row.to_owned() }).collect()
}

#[tokio::test]
async fn a_set_of_all_numbers_that_there_are_asks_only_for_messages_that_there_are() {
    with(Faults::default(), async |server, session| {
        let every = set("1:4294967295");
        let mut messages =
            session.mailbox("INBOX").unwrap().fetch(every, FetchOptions { columns: FLAGS, ..FetchOptions::default() });
        let mut count = 0;
        while let Some(batch) = messages.next_batch().await.unwrap() {
            count += batch.len();
        }
        assert_eq!(count, 600);
        assert!(server.names().len() < 10, "{:?}", server.names());
    })
    .await;
}

#[tokio::test]
async fn a_server_that_ignores_partials_gives_the_part_once() {
    let faults = Faults { ignores_partials: true, ..Faults::default() };
    let content = with(faults, async |_, s| message(&s, 2).await.unwrap().part("2").await.unwrap()).await;
    assert_eq!(content, crate::support::store::attachment());
}

#[tokio::test]
async fn a_header_is_read_whole_whatever_its_size_up_to_a_bound() {
    let server = Server::start(Faults::default()).await;
    let field = format!("X-Padding: {}\r\n", "x".repeat(900));
    let content = format!("Subject: large\r\n{}\r\nbody\r\n", field.repeat(1500));
    let (uid, size) =
        (server.store().get_mut("INBOX").unwrap().add(Vec::new(), Some(content.clone().into())), content.len());
    for (most, fits) in [(24 << 20, true), (1 << 20, false)] {
        let mut account = server.account();
        account.limits.response = most;
        let engine = Engine::new(EngineOptions::default(), tokio::runtime::Handle::current());
        let message = message(&engine.connect(account).await.unwrap(), uid).await.unwrap();
        match message.headers().await {
            Ok(headers) => assert_eq!((fits, headers.raw().len(), headers.len()), (true, size - 6, 1501)),
            Err(error) => assert_eq!((fits, error.code()), (false, Code::LimitExceeded)),
        }
    }
}

#[tokio::test]
async fn a_server_that_is_known_to_ignore_partials_is_asked_once() {
    let server = Server::start(Faults { ignores_partials: true, ..Faults::default() }).await;
    let mut account = server.account();
    let mut quirks = mailtide::imap::quirk::Quirks::default();
    quirks.whole_parts = true;
    account.quirks = Some(quirks);
    let engine = Engine::new(EngineOptions::default(), tokio::runtime::Handle::current());
    let session = engine.connect(account).await.unwrap();
    let message = message(&session, 2).await.unwrap();
    assert_eq!(message.part("2").await.unwrap(), crate::support::store::attachment());
    assert!(message.headers().await.unwrap().get("Subject").is_some());
    let wire: Vec<_> =
        server.state.wire.lock().unwrap().iter().map(|w| String::from_utf8_lossy(w).into_owned()).collect();
    let parts: Vec<_> = wire.iter().filter(|line| line.contains("BODY.PEEK[")).collect();
    assert!(parts.len() == 2 && parts.iter().all(|line| !line.contains(">")), "{parts:?}");
}

#[tokio::test]
async fn a_row_that_is_left_out_or_comes_late_is_not_missing_from_the_result() {
    for faults in [
        Faults { drops: Some((300, 1)), ..Faults::default() },
        Faults { late: Some(300), ..Faults::default() },
        Faults { late: Some(256), ..Faults::default() },
    ] {
        let told = with(faults.clone(), async |_, s| all(&s).await.unwrap()).await;
        assert_eq!(told.lines().count(), 600, "{faults:?}");
    }
}

#[tokio::test]
async fn a_message_that_was_expunged_meanwhile_is_left_out_and_the_others_come() {
    let faults = Faults { expunges: Some(400), ..Faults::default() };
    let told = with(faults, async |_, s| all(&s).await.unwrap()).await;
    assert_eq!(told.lines().count(), 599);
    assert!(!told.contains("\n400 "));
}

#[tokio::test]
async fn a_row_that_is_no_imap_is_one_message_with_problems() {
    for (uids, count) in [("1:9", 9), ("5", 1)] {
        let faults = Faults { malforms: Some(5), ..Faults::default() };
        with(faults, async |_, s| {
            let mut messages = s.mailbox("INBOX").unwrap().fetch(set(uids), FetchOptions::default());
            let batch = messages.next_batch().await.unwrap().unwrap();
            let broken: Vec<u32> = batch.iter().filter(|m| !m.problems().is_empty()).map(Message::uid).collect();
            assert_eq!((batch.len(), broken), (count, vec![5]));
            assert!(messages.next_batch().await.unwrap().is_none());
        })
        .await;
    }
}

#[tokio::test]
async fn a_search_without_an_answer_or_with_one_that_is_no_imap_is_an_error() {
    for answer in
        ["* ESEARCH (TAG \"x\") UID ALL 1:zwei\r\n", "* SEARCH 1 2 drei\r\n", "* 3 FETCH (UID 3 FLAGS ())\r\n"]
    {
        let server = Server::start(Faults::default()).await;
        let session = server.session(1).await.unwrap();
        server.set(Faults { before: Some(("UID SEARCH", answer.as_bytes().to_vec())), ..Faults::default() });
        let error = in_time(all(&session)).await.unwrap_err();
        assert_eq!(error.code(), Code::ServerProtocol, "{answer}: {error}");
    }
}

#[tokio::test]
async fn a_mailbox_that_begins_anew_between_two_windows_ends_the_fetch() {
    let faults = Faults { renumbers: true, ..Faults::default() };
    with(faults, async |server, session| {
        // More than the windows that are ahead of the reader.
        server.store().insert("INBOX".to_owned(), Folder::new(7, 9000, ""));
        let inbox = session.mailbox("INBOX").unwrap();
        let mut messages =
            inbox.fetch(mailtide::Selection::All, FetchOptions { columns: FLAGS, ..FetchOptions::default() });
        let mut count = messages.next_batch().await.unwrap().unwrap().len();
        // Another mailbox on the one connection, so that the first has to be opened again.
        session.mailbox("Stable").unwrap().search(mailtide::Selection::All, false, None).await.unwrap();
        let error = loop {
            match messages.next_batch().await {
                Ok(Some(batch)) => count += batch.len(),
                Ok(None) => panic!("{count} messages and no error"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.code(), Code::MailboxReset);
    })
    .await;
}
