//! Bodies that some receivers end early: ours stores exactly one message, or none is sent at all.

use super::super::{SendOptions, State};
use super::sink::Sink;
use super::support::{World, composed, draft};
use crate::message::Composed;
use bytes::Bytes;

/// What has ever been taken for the end of a message, and what follows it.
pub fn bodies() -> Vec<Vec<u8>> {
    let ends = [
        "\n.\n",
        "\n.\r\n",
        "\r\n.\n",
        "\r.\r",
        "\r\n.\r",
        "\r.\r\n",
        "\r.\n",
        "\n.\r",
        "\r\n.\r\n",
        "\r\n\0.\r\n",
        "\r\n.\0\r\n",
        "\0\r\n.\r\n",
        "\r\r\n.\r\n",
        "\r\n.\r\r\n",
        "\n\n.\n\n",
        "\r\n..\r\n",
        "\r\n.",
        ".\r\n",
        "\n.",
        ".",
        "\r\n. \r\n",
        "\r\n .\r\n",
        "\u{85}.\u{85}",
        "\u{2028}.\u{2028}",
        "\x0b.\x0b",
        "\x0c.\x0c",
        "\r\n.\x0b\r\n",
        "\r\n.\t\r\n",
        "\n\r.\n\r",
        "\r\n\r\n.\r\n\r\n",
    ];
    let smuggled =
        "MAIL FROM:<evil@x.org>\r\nRCPT TO:<grace@example.org>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n";
    let attacks = ends.iter().flat_map(|end| {
        [
            format!("before{end}{smuggled}after\r\n"),
            format!("before{end}"),
            format!("{end}{}", smuggled.replace('\r', "")),
        ]
    });
    attacks.map(String::into_bytes).collect()
}

/// A message with this body, as a caller might hand it over.
pub fn raw_message(body: &[u8]) -> Composed {
    let head = b"From: ada@example.org\r\nTo: grace@example.org\r\nSubject: honest\r\n\r\n";
    Composed { raw: Bytes::from([head, body].concat()), ..composed(&draft()) }
}

#[tokio::test]
async fn a_body_is_one_message_or_none() {
    let (mut taken, mut refused) = (0, 0);
    assert!(bodies().len() >= 40);
    for body in bodies() {
        let world = World::new(Sink::default());
        let shown = String::from_utf8_lossy(&body).into_owned();
        if world.outbox.send_composed(&raw_message(&body), &SendOptions::default()).await.is_err() {
            // Only what holds a lone CR or a NUL.
            assert!(shown.replace("\r\n", "").contains(['\r', '\0']), "{shown:?}");
            refused += 1;
            continue;
        }
        world.settle(&world.outbox).await;
        assert_eq!((world.ledger.only().state, world.sink.messages().len()), (State::Accepted, 1), "{shown:?}");
        assert_eq!(world.sink.flaws(), [""; 0], "{shown:?}");
        let expected = shown.replace("\r\n", "\n").replace('\n', "\r\n");
        let got = String::from_utf8(world.sink.messages()[0].bytes.clone()).unwrap();
        let (_, got) = got.split_once("\r\n\r\n").unwrap();
        assert_eq!(got.trim_end_matches("\r\n"), expected.trim_end_matches("\r\n"), "{shown:?}");
        taken += 1;
    }
    assert!(taken >= 30 && refused >= 20, "{taken} {refused}");
}

#[tokio::test]
async fn a_draft_with_any_of_these_texts_is_one_message() {
    for body in bodies().into_iter().filter(|body| !body.contains(&0)) {
        let world = World::new(Sink::default());
        let text = String::from_utf8_lossy(&body).into_owned();
        world.outbox.send_composed(&composed(&draft().text(text.clone())), &SendOptions::default()).await.unwrap();
        world.settle(&world.outbox).await;
        assert_eq!(world.sink.messages().len(), 1, "{text:?}");
        assert_eq!(world.sink.flaws(), [""; 0], "{text:?}");
    }
}
