//! The bars of other servers' advisories of 2025 and 2026, those that hold for whole conversations; by name.

use super::*;
use crate::message::{BaseSubject, Threading, base_subject, references, thread_text};
use crate::store::{Fetched, MessageId};
use bytes::Bytes;
use futures_util::future::BoxFuture;

/// What no honest mailbox has: everything in one thread, in a chain, of one subject, without ids.
fn hostile(count: usize) -> Vec<Vec<Threading>> {
    let message = |id: Option<String>, references: Vec<String>, subject: BaseSubject| Threading {
        message_id: id,
        references,
        sent: 0,
        subject,
    };
    let (one, reply) = (base_subject("one"), base_subject("Re: one"));
    let none = || BaseSubject::default();
    vec![
        (0..count).map(|n| message(Some(n.to_string()), vec![(n + 1).to_string()], none())).collect(),
        (0..count).rev().map(|n| message(Some(n.to_string()), vec![(n + 1).to_string()], none())).collect(),
        (0..count).map(|n| message(Some(n.to_string()), vec!["root".to_owned()], none())).collect(),
        (0..count).map(|n| message(None, vec![format!("gone{n}")], one.clone())).collect(),
        (0..count).map(|n| message(None, Vec::new(), if n % 2 == 0 { one.clone() } else { reply.clone() })).collect(),
        (0..count).map(|_| message(Some("same".to_owned()), vec!["same".to_owned()], one.clone())).collect(),
    ]
}

/// Were any of it quadratic, this would take hours.
#[test]
fn threads_of_hostile_mail_are_not_quadratic_cve_2026_40014_and_cve_2026_40017() {
    for messages in hostile(200_000) {
        let nodes = references(&messages);
        assert_eq!(nodes.iter().filter(|node| node.message.is_some()).count(), messages.len());
        let text = thread_text(&nodes, |at| u32::try_from(at).unwrap());
        assert_eq!(text.matches('(').count(), text.matches(')').count());
    }
}

#[tokio::test]
async fn one_connection_before_login_holds_no_more_than_its_bound() {
    let world = World::new().await;
    for flood in [
        "a".repeat(70_000),
        format!("a LOGIN {}", "x".repeat(70_000)),
        format!("a LOGIN {{65536+}}\r\n{}", "x".repeat(65_536)),
        "a LOGIN {4096+}\r\n".to_owned() + &format!("{}{{4096+}}\r\n", "x".repeat(4096)).repeat(17),
        "a LOGIN ".to_owned() + &"{1+}\r\nx ".repeat(9),
    ] {
        let mut client = world.connect();
        client.until("ready\r\n").await;
        // The server need not read to the end.
        let _ = client.stream.write_all(flood.as_bytes()).await;
        assert!(client.rest().await.contains("* BYE [TOOBIG]"), "{}", &flood[..40]);
    }
}

#[tokio::test]
async fn a_stranger_who_guesses_does_not_slow_down_the_owner() {
    let world = World::new().await;
    let from = |peer: [u8; 4]| {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let guest = Guest::new(peer.into(), None, &world.shared.options);
        tokio::spawn(attend(theirs, None, guest, Arc::clone(&world.shared)));
        Client::new(ours)
    };
    let guesses = (0..30).map(|_| async {
        let mut client = from([10, 0, 0, 1]);
        client.until("ready\r\n").await;
        client.send("a LOGIN ada guess\r\nb LOGIN ada guess\r\nc LOGIN ada guess\r\n").await;
        client.rest().await
    });
    let owner = async {
        let mut client = from([10, 0, 0, 2]);
        client.until("ready\r\n").await;
        client.ok("LOGIN ada secret").await;
    };
    // The guesses are refused for seconds on end; the owner is in before they are over.
    let guesses = futures_util::future::join_all(guesses);
    tokio::pin!(guesses);
    tokio::select! {
        biased;
        _ = &mut guesses => panic!("the guesses were over first"),
        () = owner => {}
    }
}

/// A provider that never answers; it tells who asks, and who no longer does.
struct Silent(tokio::sync::mpsc::UnboundedSender<&'static str>);

/// Somebody waits.
struct Waiting(tokio::sync::mpsc::UnboundedSender<&'static str>);

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.send("given up");
    }
}

impl BodySource for Silent {
    fn body(&self, _message: MessageId) -> BoxFuture<'_, crate::Result<Fetched>> {
        let waiting = Waiting(self.0.clone());
        Box::pin(async move {
            waiting.0.send("asked").unwrap();
            std::future::pending::<()>().await;
            drop(waiting);
            Ok(Fetched::Bytes(Bytes::new()))
        })
    }
}

#[tokio::test]
async fn nothing_more_is_fetched_for_a_search_whose_client_has_gone() {
    let (sender, mut told) = tokio::sync::mpsc::unbounded_channel();
    let world = World::new().await.with_bodies(Arc::new(Silent(sender)));
    let mailbox = far(&world).await;
    ready(&world, mailbox, &[10, 11, 12]).await;
    let mut client = world.client().await;
    client.ok("SELECT Far").await;
    client.send("a NOOP\r\nb SEARCH BODY first\r\n").await;
    // What was answered before does not wait for it.
    client.until("a OK Done\r\n").await;
    assert_eq!(told.recv().await, Some("asked"));
    // From here on no thread is waited for, which a clock that is held still would not do.
    tokio::time::pause();
    client.until("* OK Still looking\r\n").await;
    drop(client);
    assert_eq!(told.recv().await, Some("given up"));
}
