//! Large messages, many words: what comes in pieces, and what the index of words is asked.

use super::*;
use crate::store::search;

/// A message of that many lines of 64 bytes.
fn message(name: &str, lines: usize) -> String {
    format!("Subject: {name}\r\n\r\n{}", format!("{name}{}\r\n", "-".repeat(62 - name.len())).repeat(lines))
}

/// How many contents there are, staged ones included.
fn contents(world: &World) -> i64 {
    let connection = rusqlite::Connection::open(world.folder.path().join("a.mail")).unwrap();
    connection.query_row("SELECT count(*) FROM bodies", [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn messages_larger_than_memory_would_hold_go_to_the_disk_as_they_come() {
    let world = World::with(|options| options.append_limit = 6 << 20).await;
    let mut client = world.client().await;
    // One goes down by itself, the others because they are too much together.
    let all = [message("one", 80_000), message("two", 60_000), message("three", 60_000), message("four", 60_000)];
    let parts: Vec<_> = all.iter().map(|raw| format!("{{{}+}}\r\n{raw}", raw.len())).collect();
    assert!(client.ok(&format!("APPEND INBOX {}", parts.join(" (\\Seen) "))).await.contains(" 1:4]"));
    client.ok("SELECT INBOX").await;
    for (number, raw) in all.iter().enumerate() {
        let answer = client.ok(&format!("FETCH {} (RFC822.SIZE BODY.PEEK[HEADER] BODY.PEEK[])", number + 1)).await;
        let (header, _) = raw.split_at(raw.find("\r\n\r\n").unwrap() + 4);
        let expected = format!("RFC822.SIZE {} BODY[HEADER] {{{}}}\r\n{header} BODY[] ", raw.len(), header.len());
        assert!(answer.contains(raw) && answer.contains(&expected), "{number}");
    }
    assert_eq!(client.ok("SEARCH UNSEEN").await.lines().next().unwrap(), "* SEARCH 1");
    assert_eq!(contents(&world), 4);
    assert_eq!(world.store().store().check().unwrap(), [""; 0]);
}

#[tokio::test]
async fn of_several_messages_all_are_added_or_none() {
    let world = World::with(|options| options.append_limit = 6 << 20).await;
    let mut client = world.client().await;
    let (large, small) = (message("large", 80_000), message("small", 1));
    let literal = |raw: &str| format!("{{{}+}}\r\n{raw}", raw.len());
    for (command, expected) in [
        (format!("APPEND INBOX {} {{0+}}\r\n", literal(&large)), "t NO [CANNOT]"),
        (format!("APPEND INBOX {{0+}}\r\n {}", literal(&large)), "t NO [CANNOT]"),
        (format!("APPEND Nowhere {} {}", literal(&large), literal(&small)), "t NO [TRYCREATE]"),
        (format!("APPEND INBOX {} (\\Recent) {}", literal(&large), literal(&small)), "t BAD"),
    ] {
        let answer = client.run(&command).await;
        assert!(answer.contains(expected), "{answer}");
        assert_eq!(contents(&world), 0, "{expected}");
    }
    client.send(&format!("x APPEND INBOX {} {{6291457}}\r\n", literal(&large))).await;
    client.until("x NO [TOOBIG]").await;
    assert!(client.ok("STATUS INBOX (MESSAGES)").await.contains("MESSAGES 0"));
    assert_eq!(contents(&world), 0);
}

#[tokio::test]
async fn of_a_message_whose_client_is_gone_nothing_stays() {
    let world = World::with(|options| options.append_limit = 6 << 20).await;
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let guest = Guest::new([127, 0, 0, 1].into(), None, &world.shared.options);
    let server = tokio::spawn(attend(theirs, None, guest, Arc::clone(&world.shared)));
    let mut client = Client::new(ours);
    client.ok("LOGIN ada secret").await;
    client.send(&format!("a APPEND INBOX {{6000000+}}\r\n{}", message("gone", 80_000))).await;
    drop(client);
    server.await.unwrap().unwrap();
    assert_eq!(contents(&world), 0);
}

#[tokio::test]
async fn only_a_message_may_be_large() {
    let world = World::new().await;
    let mut client = world.client().await;
    client.ok("SELECT INBOX").await;
    client.send("a SEARCH SUBJECT {70000}\r\n").await;
    client.until("a NO [TOOBIG]").await;
    client.send("a SEARCH SUBJECT {70000+}\r\n").await;
    assert!(client.rest().await.contains("* BYE [TOOBIG]"));
}

#[tokio::test]
async fn a_search_finds_the_same_with_and_without_the_index() {
    let world = World::new().await;
    let mut client = world.client().await;
    let texts =
        ["a Müller and\r\nhis moths", "behemoth", "MOTH-er", "mother\u{ad}ship", "nothing", "ünder_score x-y 1.2"];
    for text in texts {
        let raw = format!("Subject: s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n");
        client.append("INBOX", &raw).await;
    }
    let attached = "Subject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nmoth\r\n--b\r\n\
        Content-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    let lines = format!("{}\r\n", "A".repeat(76)).repeat(200);
    client.append("INBOX", &format!("{attached}{lines}--b--\r\n")).await;
    client.ok("SELECT INBOX").await;
    let asked = [
        ("BODY moth", "1 2 3 4 7"),
        ("BODY MOTHER", "4"),
        ("BODY moth-er", "3"),
        ("BODY muller", ""),
        ("BODY \"moths\"", "1"),
        ("BODY \"and\"", "1"),
        ("BODY er_s", "6"),
        ("BODY -", "3 6"),
        ("BODY 1.2", "6"),
        ("NOT BODY moth", "5 6"),
        ("OR BODY moths TEXT nothing", "1 5"),
        ("TEXT s", "1 2 3 4 5 6 7"),
        ("CHARSET UTF-8 BODY {7+}\r\nMüller", "1"),
        ("BODY zebra", ""),
    ];
    for is_indexed in [false, true] {
        for (search, expected) in asked {
            let answer = client.ok(&format!("SEARCH {search}")).await;
            let found = answer.lines().next().unwrap().strip_prefix("* SEARCH").unwrap().trim();
            assert_eq!(found, expected, "{search}, indexed: {is_indexed}");
        }
        world.store().write(Durability::Bulk, |writer| search::index(writer, 100)).await.unwrap();
    }
    assert!(world.store().read(|reader| reader.unindexed(crate::store::MessageId(0), 1)).await.unwrap().is_empty());
}
