//! A watch on servers that refuse IDLE, end it, forget how to count, or are lost.

use super::runs::{DEADLINE, each_of};
use crate::support::faults::{Faults, Idle};
use crate::support::server::Server;
use mailtide::{Event, Session, Watch, WatchOptions};

/// A message arrives, and the server tells those who are idle.
fn arrive(server: &Server) -> u32 {
    arrive_in(server, "INBOX")
}

fn arrive_in(server: &Server, mailbox: &str) -> u32 {
    let (uid, count) = {
        let mut store = server.store();
        let folder = store.get_mut(mailbox).unwrap();
        (folder.add(Vec::new(), None), folder.mails.len())
    };
    server.tell(&format!("* {count} EXISTS\r\n"));
    uid
}

async fn watch(server: &Server) -> Watch {
    let session = server.session(1).await.unwrap();
    watch_in(&session, "INBOX").await
}

async fn watch_in(session: &Session, mailbox: &str) -> Watch {
    let options = WatchOptions { poll_seconds: Some(1), ..WatchOptions::default() };
    let mut watch = session.mailbox(mailbox).unwrap().watch(options);
    tokio::time::timeout(DEADLINE, watch.ready()).await.expect("ready in time").unwrap();
    watch
}

/// The next new message, and what was told before it.
async fn new(watch: &mut Watch) -> (u32, Vec<Event>) {
    let mut before = Vec::new();
    let next = async {
        loop {
            match watch.next().await.unwrap().expect("the watch goes on").event {
                Event::New(message) => return message.uid(),
                other => before.push(other),
            }
        }
    };
    let uid = tokio::time::timeout(DEADLINE, next).await.expect("told in time");
    (uid, before)
}

#[tokio::test]
async fn a_server_that_refuses_idle_or_ends_it_is_followed_all_the_same() {
    for idle in [Idle::Works, Idle::Refused, Idle::EndsItself] {
        let server = Server::start(Faults { idle, ..Faults::default() }).await;
        let mut watch = watch(&server).await;
        for _ in 0..2 {
            let uid = arrive(&server);
            let (told, before) = new(&mut watch).await;
            assert_eq!(told, uid, "{idle:?}");
            assert!(before.is_empty(), "{idle:?}: {before:?}");
        }
        assert!(server.state.offences.lock().unwrap().is_empty(), "{idle:?}");
    }
}

#[tokio::test]
async fn a_server_without_idle_is_asked_from_time_to_time() {
    let server = Server::start(Faults { lacks: vec!["IDLE"], ..Faults::default() }).await;
    let mut watch = watch(&server).await;
    let uid = arrive(&server);
    assert_eq!(new(&mut watch).await.0, uid);
    assert!(!server.names().contains(&"IDLE".to_owned()));
}

#[tokio::test]
async fn what_arrives_while_the_connection_is_lost_is_told_once_it_is_back() {
    let server = Server::start(Faults::default()).await;
    let mut watch = watch(&server).await;
    server.set(Faults { cut: Some(server.written()), ..Faults::default() });
    let uid = arrive(&server);
    let (told, before) = new(&mut watch).await;
    assert_eq!(told, uid);
    assert!(matches!(&before[..], [Event::Offline(_), Event::Online]), "{before:?}");
    assert_eq!(new_after(&server, &mut watch).await, uid + 1);
}

async fn new_after(server: &Server, watch: &mut Watch) -> u32 {
    arrive(server);
    let (uid, before) = new(watch).await;
    assert!(before.is_empty(), "{before:?}");
    uid
}

#[tokio::test]
async fn a_new_uidvalidity_after_a_lost_connection_is_told_as_a_reset() {
    let server = Server::start(Faults::default()).await;
    let mut watch = watch(&server).await;
    server.store().get_mut("INBOX").unwrap().validity = 77;
    server.set(Faults { cut: Some(server.written()), ..Faults::default() });
    server.tell("* OK still here\r\n");
    let mut seen = Vec::new();
    while !matches!(seen.last(), Some(Event::Reset { uid_validity: 77, .. })) {
        let next = tokio::time::timeout(DEADLINE, watch.next()).await.expect("told in time");
        seen.push(next.unwrap().unwrap().event);
        assert!(seen.len() < 4, "{seen:?}");
    }
}

/// Follows a small mailbox while three messages come. Bytes written when the session stood, and when two were told.
async fn follow(faults: Faults) -> (u64, u64) {
    let what = format!("{faults:?}");
    let server = Server::start(Faults::default()).await;
    let session = server.session(1).await.unwrap();
    let from = server.written();
    server.set(Faults { cut: faults.cut.map(|at| from + at), ..faults });
    let mut watch = watch_in(&session, "Stable").await;
    let (mut offline, mut written) = (false, 0);
    for nth in 0..3 {
        let uid = arrive_in(&server, "Stable");
        let (told, before) = new(&mut watch).await;
        assert_eq!(told, uid, "{what}: {before:?}");
        for event in before {
            match event {
                Event::Offline(_) if !offline => offline = true,
                Event::Online if offline => offline = false,
                other => panic!("{what}: {other:?}"),
            }
        }
        assert!(!offline, "{what}");
        written = if nth == 1 { server.written() } else { written };
    }
    assert!(server.state.offences.lock().unwrap().is_empty(), "{what}");
    (from, written)
}

#[test]
fn a_watch_cut_at_any_byte_tells_every_message_once() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (from, to) = runtime.block_on(follow(Faults::default()));
    // Most of a run is the time that a watch waits before it connects again.
    let count = each_of((0..to - from).collect(), 200, |at| async move {
        follow(Faults { cut: Some(at), reset: at.is_multiple_of(3), ..Faults::default() }).await;
    });
    assert!(count > 500, "only {count} cuts");
}
