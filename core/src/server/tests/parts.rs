//! Parts of messages that are too large to be taken apart in memory, beside the same messages taken apart in memory.

use super::*;
use crate::imap::render;
use crate::message::{ParsedMessage, TransferEncoding, decode_transfer, described_structure, sections};
use crate::store::{Fetched, MessageId};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::sync::atomic::{AtomicU32, Ordering};

/// Bytes of an attachment, one character each.
fn noise(length: usize) -> Vec<u8> {
    (0..length).map(|n| ((n * 31 + n / 127) % 127) as u8).collect()
}

fn base64(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    text.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line).into_owned() + "\r\n").collect()
}

/// Several megabytes: quoted-printable, an attachment that is stored apart, a nested message, text in base64, no encoding
/// at all, and one that nobody knows.
fn large() -> String {
    let quoted = "--c =C3=BCber=\r\n den Rand =20\r\n".repeat(50_000);
    let inner = format!(
        "Subject: inner\r\nX-Long: a\r\n b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\nplain\r\n\
         --c\r\nContent-Type: text/html\r\n\r\n{}\r\n--c--\r\n",
        "<p>1 &lt; 2</p>\r\n".repeat(20_000)
    );
    let parts = [
        ("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable", quoted),
        ("Content-Type: image/png\r\nContent-Transfer-Encoding: base64", base64(&noise(4_000_000))),
        ("Content-Type: message/rfc822", inner),
        ("Content-Type: text/csv\r\nContent-Transfer-Encoding: base64", base64("a;b;c\r\n".repeat(3000).as_bytes())),
        ("Content-Type: application/x-dump", "-- dump\r\n--\r\n".repeat(1000)),
        ("Content-Transfer-Encoding: x-odd", "odd".to_owned()),
    ];
    let parts: String = parts.iter().map(|(header, content)| format!("--b\r\n{header}\r\n\r\n{content}\r\n")).collect();
    format!(
        "Subject: large\r\nFrom: ada@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\r\n{parts}--b--\r\n"
    )
}

async fn world() -> World {
    World::with(|options| options.append_limit = 20 << 20).await
}

/// What comes of `FETCH 1 (ITEM)`, without what is around it.
async fn fetched(client: &mut Client, item: &str) -> String {
    let answer = client.ok(&format!("FETCH 1 ({item})")).await;
    let value = answer.strip_prefix("* 1 FETCH (").and_then(|rest| rest.split_once(' ')).unwrap().1;
    value.rsplit_once(")\r\nt OK").unwrap().0.to_owned()
}

fn literal(content: &[u8]) -> String {
    format!("{{{}}}\r\n{}", content.len(), String::from_utf8_lossy(content))
}

#[tokio::test]
async fn every_part_of_a_large_message_is_what_it_is_in_memory() {
    let (world, raw) = (world().await, large());
    let mut client = world.client().await;
    client.append("INBOX", &raw).await;
    client.ok("EXAMINE INBOX").await;
    let parsed = ParsedMessage::parse(raw.clone());
    for (section, _) in sections(parsed.structure()) {
        let path = section.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
        if path.is_empty() {
            continue;
        }
        let content = parsed.section(&section).unwrap();
        assert!(fetched(&mut client, &format!("BODY[{path}]")).await == literal(content), "{path}");
        let mime = literal(parsed.part_header(&section).unwrap());
        assert_eq!(fetched(&mut client, &format!("BODY[{path}.MIME]")).await, mime);
        for first in [0, 70_000, content.len() - 3, content.len() + 5] {
            let window = content.get(first..(first + 1000).min(content.len())).unwrap_or_default();
            assert_eq!(fetched(&mut client, &format!("BODY[{path}]<{first}.1000>")).await, literal(window), "{path}");
        }
    }
    let (header, text) = parsed.nested(&[3]).unwrap();
    assert_eq!(fetched(&mut client, "BODY[3.HEADER]").await, literal(header));
    assert!(fetched(&mut client, "BODY[3.TEXT]").await == literal(text));
    assert_eq!(fetched(&mut client, "BODY[3.TEXT]<4.9>").await, literal(&text[4..13]));
    assert!(fetched(&mut client, "BODY[TEXT]").await == literal(parsed.text_block()));
    let fields = "BODY[3.HEADER.FIELDS (X-LONG)]";
    assert!(client.ok(&format!("FETCH 1 ({fields})")).await.contains("{17}\r\nX-Long: a\r\n b\r\n\r\n)"));
    for none in ["7", "2.1", "1.TEXT", "3.3.MIME"] {
        assert_eq!(fetched(&mut client, &format!("BODY[{none}]")).await, "NIL");
    }
}

#[tokio::test]
async fn a_large_part_is_decoded_from_any_byte_on() {
    let (world, raw) = (world().await, large());
    let mut client = world.client().await;
    client.append("INBOX", &raw).await;
    client.ok("EXAMINE INBOX").await;
    let parsed = ParsedMessage::parse(raw.clone());
    let csv = decode_transfer(parsed.section(&[4]).unwrap(), TransferEncoding::Base64);
    let quoted = decode_transfer(parsed.section(&[1]).unwrap(), TransferEncoding::QuotedPrintable);
    for (path, content) in
        [("2", noise(4_000_000)), ("1", quoted), ("4", csv), ("5", parsed.section(&[5]).unwrap().into())]
    {
        assert_eq!(fetched(&mut client, &format!("BINARY.SIZE[{path}]")).await, content.len().to_string());
        for first in [0, 1, content.len() / 2, content.len() / 7 * 6, content.len() - 2, content.len()] {
            let window = &content[first..(first + 70_000).min(content.len())];
            let answer = fetched(&mut client, &format!("BINARY.PEEK[{path}]<{first}.70000>")).await;
            assert!(answer == format!("~{}", literal(window)), "{path} from {first}");
        }
    }
    assert!(client.run("FETCH 1 (BINARY.PEEK[6])").await.starts_with("t NO [UNKNOWN-CTE]"));
    assert!(client.ok("FETCH 1 (BINARY.SIZE[3] BINARY.PEEK[9] BINARY.SIZE[])").await.contains("BINARY[9] NIL"));
    assert_eq!(fetched(&mut client, "BINARY.SIZE[]").await, raw.len().to_string());
}

/// As a store has it that was filled before lines of large messages were counted, or by a server that says less.
async fn without_structure(world: &World) {
    let forget = |writer: &mut dyn crate::store::Writer| {
        let message = MessageId(1);
        let mut headers = writer.headers(message)?.unwrap();
        headers.body_structure = Bytes::new();
        writer.set_headers(message, &headers, &[])
    };
    world.store().write(Durability::Bulk, forget).await.unwrap();
}

#[tokio::test]
async fn the_structure_of_a_large_message_is_stored_or_else_found() {
    let (world, raw) = (world().await, large());
    let mut client = world.client().await;
    client.append("INBOX", &raw).await;
    client.ok("EXAMINE INBOX").await;
    let structure = described_structure(&ParsedMessage::parse(raw));
    let expected = String::from_utf8(render::body_structure(&structure).to_vec()).unwrap();
    assert_eq!(fetched(&mut client, "BODYSTRUCTURE").await, expected);
    assert!(world.shared.lately.larges.is_empty(), "it was not looked through");
    without_structure(&world).await;
    assert_eq!(fetched(&mut client, "BODYSTRUCTURE").await, expected);
    assert_eq!(fetched(&mut client, "BODY").await, String::from_utf8(render::body(&structure).to_vec()).unwrap());
    let preview = fetched(&mut client, "PREVIEW").await;
    assert!(preview.contains("--c über den Rand --c über"), "{preview}");
}

/// A provider that counts what it is asked.
struct Counting(AtomicU32, Bytes);

impl BodySource for Counting {
    fn body(&self, _message: MessageId) -> BoxFuture<'_, crate::Result<Fetched>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(Fetched::Bytes(self.1.clone())) })
    }
}

#[tokio::test]
async fn a_body_that_is_not_held_is_fetched_once_for_all_its_pieces() {
    let text = "0123456789\r\n".repeat(20_000);
    let raw = format!("Subject: one\r\nFrom: ada@example.org\r\n\r\n{text}");
    let source = Arc::new(Counting(AtomicU32::new(0), raw.clone().into()));
    let world = World::new().await.with_bodies(Arc::<Counting>::clone(&source));
    let mailbox = far(&world).await;
    ready(&world, mailbox, &[10, 11]).await;
    for _ in 0..2 {
        let mut client = world.client().await;
        client.ok("SELECT Far").await;
        let mut whole = String::new();
        while whole.len() < raw.len() {
            let first = whole.len();
            let piece = fetched(&mut client, &format!("BODY.PEEK[]<{first}.16384>")).await;
            whole += piece.split_once("\r\n").unwrap().1;
        }
        assert!(whole == raw);
        assert_eq!(fetched(&mut client, "BODY.PEEK[1]<0.5>").await, "{5}\r\n01234");
        assert_eq!(source.0.load(Ordering::SeqCst), 1);
    }
    let mut client = world.client().await;
    client.ok("SELECT Far").await;
    client.ok("FETCH 2 (BODY.PEEK[]<0.1>)").await;
    assert_eq!(source.0.load(Ordering::SeqCst), 2, "another message is another body");
}
