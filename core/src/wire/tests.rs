//! The layer as a whole, on responses that servers have sent.

use super::*;
use crate::limits::Limits;
use bytes::{Bytes, BytesMut};
use std::path::{Path, PathBuf};

/// Reads `wire` in pieces of at most `step` bytes. Neighbouring pieces of a literal are joined, since their sizes depend
/// on how the bytes came.
pub(super) fn events(framer: &mut Framer, wire: &[u8], step: usize) -> Result<Vec<Event>, WireError> {
    let mut buffer = BytesMut::new();
    let mut events = Vec::new();
    for chunk in wire.chunks(step.max(1)) {
        buffer.extend_from_slice(chunk);
        while let Some(event) = framer.next(&mut buffer)? {
            match (events.last_mut(), event) {
                (Some(Event::Piece(before)), Event::Piece(piece)) => {
                    *before = [before.as_ref(), &piece].concat().into();
                }
                (_, event) => events.push(event),
            }
        }
    }
    Ok(events)
}

pub(crate) fn frames(wire: &[u8], step: usize) -> Result<Vec<Frame>, WireError> {
    let mut assembler = Assembler::new(Limits::default());
    let events = events(&mut Framer::for_client(Limits::default()), wire, step)?;
    events.into_iter().filter_map(|event| assembler.push(event).transpose()).collect()
}

/// Group and name, and the bytes, of each response in the corpus.
pub(crate) fn corpus() -> Vec<(String, Vec<u8>)> {
    let lines = include_str!("../../tests/corpus/responses.tsv").lines();
    lines
        .map(|line| line.rsplit_once('\t').map(|(name, text)| (name.replace('\t', ": "), unescape(text))).unwrap())
        .collect()
}

/// `\r`, `\n`, `\\`, `\"` and `\xNN`, as the corpus writes them.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        out.push(match (byte, byte == b'\\') {
            (_, false) => byte,
            _ => match bytes.next().unwrap() {
                b'r' => b'\r',
                b'n' => b'\n',
                b'x' => {
                    let hex = [bytes.next().unwrap(), bytes.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
                }
                other => other,
            },
        });
    }
    out
}

fn values(frame: &Frame) -> Result<Vec<Value>, WireError> {
    let mut cursor = Cursor::new(frame, &Limits::default());
    let mut values = Vec::new();
    while !cursor.is_at_end() {
        values.push(cursor.value()?);
    }
    Ok(values)
}

#[test]
fn the_corpus_is_whole() {
    assert_eq!(corpus().len(), 184);
    assert!(corpus().iter().all(|(_, wire)| wire.ends_with(b"\n")));
}

#[test]
fn every_response_is_the_same_however_its_bytes_come() {
    for (name, wire) in corpus() {
        let whole = events(&mut Framer::for_client(Limits::default()), &wire, wire.len()).unwrap();
        let responses = if name.contains("RFC8440") { 2 } else { 1 };
        assert_eq!(whole.len(), responses, "{name}");
        for step in [1, 2, 3, 7, 4096] {
            assert_eq!(events(&mut Framer::for_client(Limits::default()), &wire, step).unwrap(), whole, "{name}");
        }
    }
}

#[test]
fn every_prefix_of_a_response_needs_more() {
    for (name, wire) in corpus().into_iter().filter(|(_, wire)| wire.len() < 10_000) {
        let whole = events(&mut Framer::for_client(Limits::default()), &wire, wire.len()).unwrap();
        for len in 0..wire.len() {
            let mut framer = Framer::for_client(Limits::default());
            let so_far = events(&mut framer, &wire[..len], len).unwrap();
            assert!(so_far.len() < whole.len() && whole.starts_with(&so_far), "{name}, {len} bytes");
        }
    }
}

#[test]
fn every_response_of_the_corpus_becomes_values_except_the_hostile_ones() {
    let mut malformed = Vec::new();
    for (name, wire) in corpus() {
        for frame in frames(&wire, 5).unwrap() {
            if values(&frame).is_err_and(|error| !error.is_fatal()) {
                malformed.push(name.clone());
            }
        }
    }
    assert_eq!(malformed, ["dos: BODYSTRUCTURE depth 2000", "dos: BODYSTRUCTURE 200k '('"]);
}

#[test]
fn the_whole_corpus_is_read_over_one_connection() {
    let wire: Vec<u8> = corpus().into_iter().flat_map(|(_, wire)| wire).collect();
    for step in [1, 4096, wire.len()] {
        let frames = frames(&wire, step).unwrap();
        assert_eq!(frames.len(), 185);
        assert_eq!(frames.iter().map(Frame::size).sum::<usize>(), wire.len());
    }
}

#[test]
fn a_malformed_response_is_an_error_for_that_response_alone() {
    let broken = [
        "* 1 FETCH (UID 1 FLAGS (\\Seen)\r\n",
        "* 1 FETCH UID 1)\r\n",
        "* 1 FETCH (BODY[HEADER.FIELDS (DATE) \"x\")\r\n",
        "* 1 FETCH (ENVELOPE (\"odd \" quote\" NIL))\r\n",
        "* 1 FETCH (ENVELOPE (\"never closed))\r\n",
        "* 1 FETCH (X {y}\r\n",
        "*\r\n",
        "Server Unavailable. 15\r\n",
        ")\r\n",
    ];
    for line in broken {
        let wire = format!("* 1 EXISTS\r\n{line}* 2 EXISTS\r\n{line}A0001 OK done {{5}}\r\n* 3 EXISTS\r\n");
        for step in [1, 2, wire.len()] {
            let frames = frames(wire.as_bytes(), step).unwrap();
            let texts: Vec<&[u8]> = frames.iter().map(|f| f.head.as_ref()).collect();
            let expected = ["* 1 EXISTS\r\n", line, "* 2 EXISTS\r\n", line, "A0001 OK done {5}\r\n", "* 3 EXISTS\r\n"];
            assert_eq!(texts, expected.map(str::as_bytes), "{line}, {step}");
        }
    }
}

/// Transcripts of real servers, which are not part of the project; none where they are absent.
pub(crate) fn transcripts() -> Vec<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let root = std::env::var_os("MAILTIDE_CORPUS").map_or(beside, PathBuf::from).join("wire");
    let servers = std::fs::read_dir(root).into_iter().flatten().flatten();
    servers.flat_map(|server| std::fs::read_dir(server.path()).unwrap()).map(|file| file.unwrap().path()).collect()
}

/// A transcript that was edited by hand: its literal is shorter than announced.
pub(crate) const MISCOUNTED: &str = "gmail/headers.1+unsolicited-info.txt";

/// Some transcripts were saved with LF, but the sizes of their literals count CRLF.
pub(crate) fn with_crlf(file: &[u8]) -> Vec<u8> {
    file.split(|b| *b == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .collect::<Vec<_>>()
        .join(&b"\r\n"[..])
}

fn is_readable(frame: &Frame) -> bool {
    let text = String::from_utf8_lossy(&frame.head);
    let is_status = |word: &str| ["OK", "NO", "BAD", "BYE"].contains(&word.trim_end().to_uppercase().as_str());
    text.starts_with('+') || text.split(' ').nth(1).is_some_and(is_status) || values(frame).is_ok()
}

#[test]
fn transcripts_of_real_servers_become_values() {
    for path in transcripts().into_iter().filter(|path| !path.ends_with(MISCOUNTED)) {
        let file = std::fs::read(&path).unwrap();
        let readable = [with_crlf(&file), file].iter().any(|wire| {
            let whole = frames(wire, wire.len()).unwrap();
            assert_eq!(frames(wire, 1).unwrap(), whole, "{path:?}");
            !whole.is_empty() && whole.iter().all(is_readable)
        });
        assert!(readable, "{path:?}");
    }
}

#[test]
fn deep_nesting_costs_no_stack() {
    let wire = ["(".repeat(200_000), ")".repeat(200_000)].concat() + "\r\n";
    let frame = Frame::text(wire);
    let small = std::thread::Builder::new().stack_size(64 * 1024);
    let result = small.spawn(move || values(&frame).map(|_| ())).unwrap().join().unwrap();
    assert_eq!(result, Err(WireError::Malformed { expected: "less nesting", at: 64 }));
}

#[test]
fn a_slice_of_the_read_buffer_is_not_copied() {
    let mut buffer = BytesMut::from("* 1 FETCH (BODY[] {3}\r\nabc)\r\n");
    let at = buffer.as_ptr() as usize;
    let Some(Event::Line(line)) = Framer::for_client(Limits::default()).next(&mut buffer).unwrap() else { panic!() };
    let frame = Frame::text(line);
    let Value::List(items) = &values(&frame).unwrap()[3] else { panic!() };
    let Value::String(Octets::Whole(body)) = &items[1] else { panic!() };
    assert_eq!((body, body.as_ptr() as usize - at), (&Bytes::from("abc"), 23));
}
