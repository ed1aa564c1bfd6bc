//! Callers who stop listening: a loop that is left, an object that is dropped, a future that is given up at any await.

use super::runs::{DEADLINE, each, is_usable, play};
use super::script::{SCENES, Scene, message, rows};
use crate::support::faults::Faults;
use crate::support::server::Server;
use crate::support::store::Folder;
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use mailtide::{Columns, FetchOptions, Selection, Session};
use std::future::poll_fn;
use std::task::Poll;

const FLAGS: Columns = Columns { flags: true, ..Columns::NONE };

fn only_flags() -> FetchOptions {
    FetchOptions { columns: FLAGS, ..FetchOptions::default() }
}

/// A session on a server with many messages.
async fn large(count: u32, connections: usize) -> (Server, Session) {
    let server = Server::start(Faults::default()).await;
    server.store().insert("INBOX".to_owned(), Folder::new(7, count, ""));
    let session = server.session(connections).await.unwrap();
    (server, session)
}

#[test]
fn other_calls_inside_a_loop_over_50_000_messages_go_on() {
    each(vec![1, 4], |connections| async move {
        let work = async {
            let (_server, session) = large(50_000, connections).await;
            let mut messages = session.mailbox("INBOX").unwrap().fetch(Selection::All, only_flags());
            let mut seen = 0;
            while let Some(batch) = messages.next_batch().await.unwrap() {
                for message in batch {
                    seen += 1;
                    assert_eq!(message.uid(), seen);
                    if seen % 100 == 0 {
                        assert!(message.text().await.unwrap().contains(&format!("message {seen}.")));
                    }
                    if seen % 5000 == 0 {
                        let other = session.mailbox("Stable").unwrap();
                        assert_eq!(rows(&other, only_flags()).await.unwrap().lines().count(), 3);
                    }
                }
            }
            assert_eq!(seen, 50_000);
        };
        tokio::time::timeout(DEADLINE * 2, work).await.expect("no hang");
    });
}

#[test]
fn a_reader_that_stalls_holds_nobody_up() {
    each(vec![1, 4], |connections| async move {
        let work = async {
            let (server, session) = large(20_000, connections).await;
            let mut messages = session.mailbox("INBOX").unwrap().fetch(Selection::All, only_flags());
            let mut seen = messages.next_batch().await.unwrap().unwrap().len();
            for _ in 0..50 {
                session.noop().await.unwrap();
                assert_eq!(session.mailbox("Stable").unwrap().count(Selection::All, None).await.unwrap(), 3);
                rows(&session.mailbox("Stable").unwrap(), only_flags()).await.unwrap();
            }
            // It has not read on behind the reader's back.
            let asked = server.names().iter().filter(|name| *name == "UID FETCH").count();
            assert!(asked < 60, "{asked} fetches");
            while let Some(batch) = messages.next_batch().await.unwrap() {
                seen += batch.len();
            }
            assert_eq!(seen, 20_000);
        };
        tokio::time::timeout(DEADLINE, work).await.expect("no hang");
    });
}

#[test]
fn a_loop_that_is_left_costs_no_more_than_what_was_under_way() {
    each(vec![1, 4], |connections| async move {
        let work = async {
            let (server, session) = large(50_000, connections).await;
            for _ in 0..20 {
                let mut messages = session.mailbox("INBOX").unwrap().fetch(Selection::All, only_flags());
                messages.next_batch().await.unwrap().unwrap();
            }
            assert!(message(&session, 2).await.unwrap().text().await.unwrap().contains("message 2."));
            let asked = server.names().iter().filter(|name| *name == "UID FETCH").count();
            assert!(asked < 20 * 5 + 5, "{asked} fetches");
        };
        tokio::time::timeout(DEADLINE, work).await.expect("no hang");
    });
}

#[test]
fn a_call_that_is_given_up_at_any_await_leaves_a_usable_session() {
    let scenes = SCENES.iter().filter(|s| !["connect", "close"].contains(&s.name));
    let cases: Vec<(Scene, usize)> = scenes.flat_map(|scene| (1..20).map(|polls| (*scene, polls))).collect();
    assert!(each(cases, give_up) > 400);
}

/// Polls the calls of a scene so many times, twice at once, then drops them.
async fn give_up((scene, polls): (Scene, usize)) {
    let mut run = play(&Scene { calls: |_| async { Ok(String::new()) }.boxed(), ..scene }, scene.faults()).await;
    let session = run.session.clone().unwrap();
    for _ in 0..2 {
        let (calls, others) = ((scene.calls)(session.clone()), (scene.calls)(session.clone()));
        let mut left = polls;
        let patience = poll_fn(move |_| {
            left = left.saturating_sub(1);
            if left == 0 { Poll::Ready(()) } else { Poll::Pending }
        });
        match select(select(calls, others), patience).await {
            Either::Left((done, _)) => drop(done),
            Either::Right(_) => {}
        }
    }
    // What the calls had asked for may have been done or not; what they had not asked for has not been touched.
    run.result = Ok(String::new());
    is_usable(&run, &format!("{} given up after {polls} polls", scene.name)).await;
}
