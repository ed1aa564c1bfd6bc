//! Contents come out as they went in: generated ones, real ones where they are there, and whatever proptest thinks of.

use super::*;
use crate::imap::InternalDate;
use crate::store::{
    BodyId, CHUNK, Durability, Headers, MessageId, NewMessage, Now, SqliteOptions, SqliteStore, Store, Writer,
};
use crate::{Code, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use proptest::prelude::*;
use std::sync::Arc;

const NOW: Now = Now::from_seconds(1_000_000);

fn store() -> (tempfile::TempDir, Arc<dyn Store>) {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let store = SqliteStore::open(&folder.path().join("a.mail"), SqliteOptions::default()).unwrap();
    (folder, Arc::new(store))
}

fn message(writer: &mut dyn Writer, header: &[u8]) -> MessageId {
    let headers = Headers { header: Bytes::copy_from_slice(header), ..Headers::default() };
    let internal_date = InternalDate { seconds: 0, offset: 0 };
    let new = NewMessage { size: 1, internal_date, digest: None, email_id: None, headers, links: Vec::new() };
    writer.insert_message(&new).unwrap()
}

/// Puts a content down in one transaction.
fn put_down(store: &dyn Store, header: &[u8], content: &[u8]) -> (MessageId, BodyId) {
    let mut writer = store.write(Durability::Bulk).unwrap();
    let id = message(&mut *writer, header);
    let body = put(&mut *writer, content, &Bytes::copy_from_slice(header), NOW).unwrap();
    writer.set_body(id, Some(body)).unwrap();
    writer.commit().unwrap();
    (id, body)
}

/// Stages a content in pieces of that size.
fn stage(store: &Arc<dyn Store>, header: &[u8], content: &[u8], step: usize) -> (MessageId, BodyId) {
    let mut staging = Staging::new(Arc::clone(store), Bytes::copy_from_slice(header), NOW);
    content.chunks(step).for_each(|chunk| staging.push(chunk).unwrap());
    staging.finish().unwrap();
    let mut writer = store.write(Durability::Bulk).unwrap();
    let id = message(&mut *writer, header);
    let body = staging.publish(&mut *writer).unwrap();
    writer.set_body(id, Some(body)).unwrap();
    writer.commit().unwrap();
    (id, body)
}

fn whole(store: &dyn Store, message: MessageId) -> Result<Bytes> {
    read(&*store.read().unwrap(), message, u64::MAX)
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

fn attachment(length: usize) -> Vec<u8> {
    let lines = STANDARD.encode(noise(length));
    let lines = lines.as_bytes().chunks(76).flat_map(|line| [line, b"\r\n"].concat());
    [&b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\n"[..], &lines.collect::<Vec<_>>(), b"--b--\r\n"].concat()
}

const HEADER: &[u8] = b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";

#[test]
fn what_goes_in_comes_out_with_its_header_or_without_it() {
    let (_folder, store) = store();
    let other = b"Subject: y\r\n\r\n";
    for rest in [&b""[..], b"x", b"a\r\nb\n", &attachment(1), &attachment(100_000), &noise(700_000)] {
        let content = [HEADER, rest].concat();
        for header in [HEADER, &b""[..], other] {
            let (message, _) = put_down(&*store, header, &content);
            assert!(whole(&*store, message).unwrap() == content);
            let (message, _) = stage(&store, header, &content, 1000);
            assert!(whole(&*store, message).unwrap() == content);
        }
    }
    assert_eq!(store.check().unwrap().len(), 1, "only that these messages are placed nowhere");
}

#[test]
fn a_header_is_left_out_and_an_attachment_is_stored_decoded() {
    let (_folder, store) = store();
    let content = [HEADER, &attachment(300_000)].concat();
    let (_, body) = put_down(&*store, HEADER, &content);
    let row = store.read().unwrap().body(body).unwrap().unwrap();
    assert_eq!((row.header, row.chunks, row.size), (HEADER.len() as u64, 1, content.len() as u64));
    let part = store.read().unwrap().body(row.parts[0]).unwrap().unwrap();
    assert_eq!((part.chunks, part.size, part.hash), (2, 300_000, super::read::hash_of(&noise(300_000))));
    assert!(row.stored + part.stored < 301_000, "{} bytes for 300,000", row.stored + part.stored);
}

#[test]
fn the_same_content_is_stored_once() {
    let (_folder, store) = store();
    let content = [HEADER, b"text"].concat();
    let (first, second) = (put_down(&*store, HEADER, &content), put_down(&*store, HEADER, &content));
    assert_eq!(first.1, second.1);
    assert_eq!(stage(&store, HEADER, &content, 3).1, first.1);
    assert_ne!(put_down(&*store, b"", &content).1, first.1, "stored otherwise, it is another one");
}

#[test]
fn the_same_attachment_is_stored_once_and_goes_with_the_last_message_that_has_it() {
    let (_folder, store) = store();
    let with = |text: &[u8]| [HEADER, text, &attachment(50_000), &attachment(50_000), &attachment(9_000)].concat();
    let contents = [with(b"one\r\n"), with(b"two\r\n"), with(b"three\r\n")];
    let messages = [
        put_down(&*store, HEADER, &contents[0]).0,
        stage(&store, HEADER, &contents[1], 777).0,
        put_down(&*store, HEADER, &contents[2]).0,
    ];
    let taken = store.usage().unwrap();
    assert_eq!((taken.bodies, taken.bodies_size), (3, contents.iter().map(|c| c.len() as u64).sum()));
    assert!((59_000..61_000).contains(&taken.bodies_stored), "{}", taken.bodies_stored);
    let let_go = |message| {
        let mut writer = store.write(Durability::Full).unwrap();
        writer.set_body(message, None).unwrap();
        writer.commit().unwrap();
    };
    for number in 0..3 {
        for (message, content) in messages.iter().zip(&contents).skip(number) {
            assert!(whole(&*store, *message).unwrap() == *content);
        }
        let_go(messages[number]);
        assert_eq!(store.check().unwrap(), ["3 messages placed nowhere that nobody deleted"]);
    }
    assert_eq!(store.usage().unwrap().bodies_stored, 0);
}

#[test]
fn an_attachment_is_passed_without_being_read() {
    let (_folder, store) = store();
    let content = [HEADER, &attachment(10_000), b"end"].concat();
    let (message, _) = put_down(&*store, HEADER, &content);
    let reader = store.read().unwrap();
    let (mut from, mut seen, mut all) = (open(&*reader, message).unwrap(), Vec::new(), Vec::new());
    loop {
        all.extend(from.pass());
        let Some(piece) = from.next(&*reader).unwrap() else { break };
        seen.extend_from_slice(&piece);
    }
    let text = STANDARD.encode(noise(10_000)).len();
    let (lines, bytes) = (text.div_ceil(76) as u64, (text + text.div_ceil(76) * 2) as u64);
    assert_eq!(all, [Passed { bytes, lines, end: b"\r\n" }]);
    assert_eq!(seen.len() as u64 + bytes, content.len() as u64);
    assert!(seen.ends_with(b"--b--\r\nend"));
}

#[test]
fn a_content_can_be_read_from_any_place() {
    let (_folder, store) = store();
    let content = [HEADER, &attachment(CHUNK + 1000), b"\r\nend"].concat();
    let (message, _) = put_down(&*store, HEADER, &content);
    let reader = store.read().unwrap();
    let mut from = open(&*reader, message).unwrap();
    for at in (0..content.len()).step_by(997).chain([content.len() - 1]) {
        from.seek(at as u64);
        let piece = from.next(&*reader).unwrap().unwrap();
        assert_eq!(piece, content[at..at + piece.len()], "from {at}");
    }
    from.seek(content.len() as u64);
    assert_eq!(from.next(&*reader).unwrap(), None);
}

#[test]
fn a_stream_holds_no_snapshot_and_says_when_its_content_was_let_go() {
    let (_folder, store) = store();
    let content = [HEADER, &noise(CHUNK * 2)].concat();
    let (message, _) = put_down(&*store, HEADER, &content);
    let mut stream = open(&*store.read().unwrap(), message).unwrap();
    assert!(stream.next(&*store.read().unwrap()).unwrap().is_some());
    let mut writer = store.write(Durability::Full).unwrap();
    writer.set_body(message, None).unwrap();
    writer.commit().unwrap();
    let rest = std::iter::from_fn(|| stream.next(&*store.read().unwrap()).transpose()).find_map(Result::err);
    assert_eq!(rest.unwrap().code(), Code::BodyNotHere);
    assert_eq!(whole(&*store, message).unwrap_err().code(), Code::BodyNotHere);
}

#[test]
fn nothing_of_a_content_is_seen_before_it_is_published() {
    let (_folder, store) = store();
    let mut staging = Staging::new(Arc::clone(&store), Bytes::new(), NOW);
    staging.push(&noise(CHUNK * 5)).unwrap();
    staging.finish().unwrap();
    assert_eq!(store.usage().unwrap().bodies, 0);
    assert_eq!(store.read().unwrap().body(BodyId(1)).unwrap(), None);
    drop(staging);
    let mut writer = store.write(Durability::Bulk).unwrap();
    assert_eq!(writer.drop_staged(NOW.seconds()).unwrap(), 0, "as old as it is, it may be going on");
    assert_eq!(writer.drop_staged(NOW.seconds() + 1).unwrap(), 1);
    writer.commit().unwrap();
    assert!(store.usage().unwrap().free > 4 * CHUNK as u64);
}

#[test]
fn a_content_can_be_given_up() {
    let (_folder, store) = store();
    let mut staging = Staging::new(Arc::clone(&store), Bytes::new(), NOW);
    staging.push(&noise(CHUNK * 5)).unwrap();
    staging.abandon().unwrap();
    let mut writer = store.write(Durability::Bulk).unwrap();
    assert_eq!(writer.drop_staged(i64::MAX).unwrap(), 0);
}

#[test]
fn more_than_the_largest_is_refused() {
    let (_folder, store) = store();
    let (message, _) = put_down(&*store, HEADER, HEADER);
    assert_eq!(read(&*store.read().unwrap(), message, 5).unwrap_err().code(), Code::LimitExceeded);
    assert_eq!(check(LARGEST + 1).unwrap_err().code(), Code::LimitExceeded);
    assert!(check(LARGEST).is_ok());
}

use super::check_size as check;

/// Text that looks like base64 here and there, in lines of all lengths and ends.
fn nearly_base64() -> impl Strategy<Value = Vec<u8>> {
    let end = proptest::sample::select(vec![&b"\r\n"[..], b"\n", b"\r", b" \r\n"]);
    let full =
        (1usize..120, proptest::sample::select(vec![36usize, 60, 76]), end.clone()).prop_map(|(n, width, end)| {
            let text = STANDARD.encode(noise(n * width));
            text.as_bytes().chunks(width).flat_map(|line| [line, end].concat()).collect()
        });
    let odd = ("[A-Za-z0-9+/=]{0,80}", end).prop_map(|(text, end)| [text.as_bytes(), end].concat());
    let any = proptest::collection::vec(any::<u8>(), 0..100);
    let long = (1000usize..3000).prop_map(|length| STANDARD.encode(noise(length)).into_bytes());
    proptest::collection::vec(prop_oneof![4 => full, 3 => odd, 1 => any, 1 => long], 0..12).prop_map(|v| v.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn whatever_goes_in_comes_out(content in nearly_base64(), cut in 0usize..200, step in 1usize..5000) {
        let (_folder, store) = store();
        let header = &content[..cut.min(content.len())];
        let (one, _) = put_down(&*store, header, &content);
        prop_assert!(whole(&*store, one).unwrap() == content);
        let (two, _) = stage(&store, header, &content, step);
        prop_assert!(whole(&*store, two).unwrap() == content);
    }
}

/// Every file below a folder.
fn files(folder: &std::path::Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let below = entries.flatten().map(|entry| entry.path());
    below.flat_map(|path| if path.is_dir() { files(&path) } else { vec![std::fs::read(&path).unwrap()] }).collect()
}

#[test]
fn odd_mail_from_the_field_comes_out_as_it_went_in() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/awkward-mail");
    let (_folder, store) = store();
    for content in files(&folder) {
        for content in [content.clone(), String::from_utf8_lossy(&content).replace('\n', "\r\n").into_bytes()] {
            let end = memchr::memmem::find(&content, b"\r\n\r\n").map_or(0, |at| at + 4);
            let (message, _) = put_down(&*store, &content[..end], &content);
            assert!(whole(&*store, message).unwrap() == content);
        }
    }
}
