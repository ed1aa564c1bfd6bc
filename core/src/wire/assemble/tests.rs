//! Tests of the assembly of responses.

use super::*;
use crate::wire::Framer;

fn header(size: u64) -> LiteralHeader {
    LiteralHeader { size, synchronising: true, binary: false }
}

fn head(text: &str, size: u64) -> Event {
    Event::Head(format!("{text} {{{size}}}\r\n").into(), header(size))
}

fn assembler() -> Assembler {
    Assembler::new(Limits::default())
}

#[test]
fn a_body_in_pieces_stands_between_its_texts() {
    let mut assembler = assembler();
    assert_eq!(assembler.pending(), None);
    assert_eq!(assembler.push(head("* 1 FETCH (BODY[]", 5)), Ok(None));
    assert_eq!(assembler.pending().unwrap(), "* 1 FETCH (BODY[] {5}\r\n");
    assert_eq!(assembler.push(Event::Piece("abc".into())), Ok(None));
    assert_eq!((assembler.remaining(), assembler.partial().unwrap().tail.len()), (2, 1));
    assert_eq!(assembler.push(Event::Piece("de".into())), Ok(None));
    assert_eq!(assembler.pending(), None);
    let frame = assembler.push(Event::Line(")\r\n".into())).unwrap().unwrap();
    assert_eq!(frame.size(), 31);
    let (body, rest) = frame.tail[0].clone();
    assert_eq!((body.clone().into_bytes(), body.len(), rest), ("abcde".into(), 5, ")\r\n".into()));
    assert_eq!(assembler.push(Event::Line("A1 OK\r\n".into())), Ok(Some(Frame::text("A1 OK\r\n"))));
    assert_eq!(assembler.partial(), None);
}

#[test]
fn a_diverted_body_is_counted_and_not_kept() {
    let mut assembler = Assembler::new(Limits { response: 100, ..Limits::default() });
    assembler.push(head("* 1 FETCH (BODY[1]", 5000)).unwrap();
    assembler.push(Event::Piece("early".into())).unwrap();
    assert_eq!(assembler.divert(), ["early"]);
    assert!(assembler.divert().is_empty());
    for _ in 0..111 {
        assembler.push(Event::Piece([b'x'; 45].as_slice().into())).unwrap();
    }
    assert_eq!(assembler.remaining(), 0);
    assert_eq!(assembler.push(head(" BODY[2]", 4)), Ok(None));
    assembler.push(Event::Piece("kept".into())).unwrap();
    let frame = assembler.push(Event::Line(")\r\n".into())).unwrap().unwrap();
    assert_eq!(frame.tail[0].0, Octets::Streamed(5000));
    assert_eq!(frame.tail[1].0.clone().into_bytes(), "kept");
}

#[test]
fn divert_without_a_literal_does_nothing() {
    let mut assembler = assembler();
    assert!(assembler.divert().is_empty());
    assembler.push(head("* 1 FETCH (BODY[]", 2)).unwrap();
    assembler.push(Event::Piece("ab".into())).unwrap();
    assert!(assembler.divert().is_empty());
    let frame = assembler.push(Event::Line(")\r\n".into())).unwrap().unwrap();
    assert_eq!(frame.tail[0].0.clone().into_bytes(), "ab");
}

#[test]
fn only_bodies_may_be_larger_than_the_limit_for_literals() {
    let size = 1 + Limits::default().literal as u64;
    let large = |text: &str| assembler().push(head(text, size)).is_ok();
    for body in ["BODY[]", "BODY[1.2.MIME]", "BODY[]<0>", "BINARY[1]", "RFC822", "rfc822.text", "BODY[1] "] {
        assert!(large(&format!("* 1 FETCH (UID 5 {body}")), "{body}");
    }
    assert!(assembler().push(Event::Head("* 1 FETCH (BODY[1] ~{9999999}\r\n".into(), header(9_999_999))).is_ok());
    for command in ["a APPEND INBOX", "a append x (\\Seen)", "a REPLACE 4 x", "a UID REPLACE 4 x", "a APPEND x UTF8 ("]
    {
        assert!(large(command), "{command}");
    }
    for other in ["* LIST () \"/\"", "* 1 FETCH (ENVELOPE (\"d\"", "* APPEND", "a LOGIN", "* 1 FETCH (PREVIEW"] {
        assert!(!large(other), "{other}");
        assert!(assembler().push(head(other, size - 1)).is_ok(), "{other}");
    }
}

#[test]
fn each_message_of_a_multiappend_may_be_large() {
    let mut assembler = assembler();
    for text in ["a APPEND INBOX", " (\\Seen)", ""] {
        assembler.push(head(text, 2_000_000)).unwrap();
        assembler.push(Event::Piece("x".into())).unwrap();
    }
}

#[test]
fn a_response_keeps_no_more_than_its_limit() {
    let too_long = Err(WireError::Limit("the size of one response"));
    let limits = Limits { response: 200_000, ..Limits::default() };
    let mut framer = Framer::for_client(limits.clone());
    let mut assembler = Assembler::new(limits);
    let mut buffer = BytesMut::from("* 1 FETCH (");
    let mut kept = 0;
    let result = loop {
        buffer.extend_from_slice(b"BODY[] {70000}\r\n");
        buffer.extend_from_slice(&[b'x'; 70_000]);
        let mut push = |event| assembler.push(event).map(|_| ());
        let events = std::iter::from_fn(|| framer.next(&mut buffer).unwrap());
        let result = events.into_iter().try_for_each(&mut push);
        kept += 70_000;
        if result.is_err() {
            break result;
        }
    };
    assert_eq!((result, kept), (too_long, 210_000));
}

#[test]
fn only_what_came_in_pieces_is_copied() {
    let whole = Bytes::from("abc");
    assert_eq!(Octets::Whole(whole.clone()).into_bytes().as_ptr(), whole.as_ptr());
    assert_eq!(Octets::Chunks(vec!["a".into(), "bc".into()]).into_bytes(), "abc");
    assert!(Octets::Streamed(7).into_bytes().is_empty() && Octets::Streamed(7).len() == 7);
    assert!(Octets::Chunks(Vec::new()).is_empty());
}
