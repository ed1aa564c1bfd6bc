//! Tests of the framer.

use super::*;
use crate::wire::tests::events;

/// What a client's framer makes of `wire`, the same for every way that the bytes may come.
fn client(wire: &str) -> Result<Vec<Event>, WireError> {
    alike(wire, || Framer::for_client(Limits::default()))
}

fn server(wire: &str) -> Result<Vec<Event>, WireError> {
    alike(wire, || Framer::for_server(Limits::default()))
}

fn alike(wire: &str, framer: impl Fn() -> Framer) -> Result<Vec<Event>, WireError> {
    let whole = events(&mut framer(), wire.as_bytes(), wire.len());
    for step in [1, 2, 5, 1000] {
        assert_eq!(events(&mut framer(), wire.as_bytes(), step), whole, "{step} bytes at a time");
    }
    whole
}

fn line(text: &str) -> Event {
    Event::Line(Bytes::copy_from_slice(text.as_bytes()))
}

fn lines(texts: &[&str]) -> Result<Vec<Event>, WireError> {
    Ok(texts.iter().copied().map(line).collect())
}

fn header(size: u64, synchronising: bool, binary: bool) -> LiteralHeader {
    LiteralHeader { size, synchronising, binary }
}

#[test]
fn small_literals_stay_in_their_response() {
    for response in [
        "* LIST () \"/\" {5}\r\na\r\nb\"\r\n",
        "* 1 FETCH (BODY[] {5+}\r\nab\r\nc FLAGS ())\r\n",
        "* 1 FETCH (BINARY[1] ~{3}\r\n\0\n\0)\r\n",
        "* 1 FETCH (BODY[] {0}\r\n)\r\n",
        "* 1 FETCH (BODY[1] {0}\r\n BODY[2] {1}\r\n{ BODY[3] {3}\r\n{3})\r\n",
        "* 1 FETCH (BODY[] {2}\na\n)\n",
    ] {
        assert_eq!(client(&[response, "* 2 EXISTS\r\n"].concat()), lines(&[response, "* 2 EXISTS\r\n"]));
    }
}

#[test]
fn a_literal_is_large_beyond_64_kib() {
    let body = "\n".repeat(PIECE);
    let inline = format!("* 1 FETCH (BODY[] {{{PIECE}}}\r\n{body})\r\n");
    assert_eq!(client(&inline), lines(&[&inline]));
    let head = format!("* 1 FETCH (BODY[] {{{}}}\r\n", PIECE + 1);
    let large = [head.as_str(), &body, "x FLAGS ())\r\n* 2 EXISTS\r\n"].concat();
    let expected = [
        Event::Head(head.into(), header(PIECE as u64 + 1, true, false)),
        Event::Piece([body.as_bytes(), b"x"].concat().into()),
        line(" FLAGS ())\r\n"),
        line("* 2 EXISTS\r\n"),
    ];
    assert_eq!(client(&large).unwrap(), expected);
}

#[test]
fn pieces_are_at_most_64_kib_and_only_the_last_is_small() {
    let mut framer = Framer::for_client(Limits::default());
    let mut buffer = BytesMut::from("* 1 FETCH (BODY[] ~{200000}\r\n");
    assert!(matches!(framer.next(&mut buffer), Ok(Some(Event::Head(_, head))) if head == header(200_000, true, true)));
    let mut sizes = Vec::new();
    let mut feed = |buffer: &mut BytesMut, len: usize| {
        buffer.extend_from_slice(&vec![b'{'; len]);
        while let Some(Event::Piece(piece)) = framer.next(buffer).unwrap() {
            sizes.push(piece.len());
        }
    };
    (0..5000).for_each(|_| feed(&mut buffer, 1));
    feed(&mut buffer, 194_999);
    feed(&mut buffer, 1);
    assert_eq!(sizes, [4096, PIECE, PIECE, 200_000 - 4096 - 2 * PIECE - 1, 1]);
    assert!(!framer.is_between());
    buffer.extend_from_slice(b")\r\n");
    assert_eq!(framer.next(&mut buffer), Ok(Some(line(")\r\n"))));
    assert!(framer.is_between());
}

#[test]
fn padding_between_responses_is_dropped() {
    assert_eq!(client("\0\0* 1 EXISTS\r\n\0\r\n\r\n\n\0A1 OK\n"), lines(&["* 1 EXISTS\r\n", "A1 OK\n"]));
    let mut framer = Framer::for_client(Limits::default());
    let mut buffer = BytesMut::from("\0\0\r\n");
    assert_eq!(framer.next(&mut buffer), Ok(None));
    assert!(buffer.is_empty() && framer.is_between());
}

#[test]
fn a_status_text_that_ends_like_a_literals_header_announces_nothing() {
    let texts = [
        "* OK see {5}\r\n",
        "A1 NO {99999999999999999999}\r\n",
        "* BYE \"{5}\r\n",
        "+ go on {3}\r\n",
        "+{5}\r\n",
        "a2 bad {5+}\r\n",
        "BAD no tag {5}\r\n",
        "* PREAUTH ~{5}\r\n",
        "* OK\r\n",
    ];
    assert_eq!(client(&texts.concat()), lines(&texts));
}

#[test]
fn a_line_feed_in_a_quoted_string_does_not_end_the_response() {
    for response in [
        "* 1 FETCH (BODYSTRUCTURE (\"NAME\" \"a\r\n b.png\"))\r\n",
        "* 1 FETCH (BODYSTRUCTURE (\"NAME\" \"a\nb.png \nand a long line after it that needs no look at its end\" 1))\r\n",
        "* 1 FETCH (BODYSTRUCTURE (\"NAME\" \"a\\\"\n\tb\\\\\" \"(\n*\n+\"))\r\n",
        "* 1 FETCH (X {1}\r\n\" \"a\n b\")\r\n",
    ] {
        assert_eq!(client(&[response, "* 2 EXISTS\r\n"].concat()), lines(&[response, "* 2 EXISTS\r\n"]));
    }
}

#[test]
fn a_quote_too_many_does_not_swallow_the_next_response() {
    let odd = "* 1 FETCH (ENVELOPE (\"d\" \"5\" disk\"))\r\n";
    for next in ["* 2 EXISTS\r\n", "A1 OK done\r\n", "A1 no \"\r\n", "+ idling\r\n", "+\r\n"] {
        assert_eq!(client(&[odd, next].concat()), lines(&[odd, next]));
    }
}

#[test]
fn one_response_takes_a_bounded_number_of_line_feeds_in_quotes() {
    let found = client(&["* X \"", &"a\n".repeat(1000), "* 2 EXISTS\r\n"].concat()).unwrap();
    assert_eq!(found.first(), Some(&line(&["* X \"", &"a\n".repeat(65)].concat())));
    assert_eq!(found.last(), Some(&line("* 2 EXISTS\r\n")));
}

#[test]
fn a_server_waits_once_for_each_synchronising_literal() {
    let wait = |size| Event::Wait(header(size, true, false));
    let login = "a LOGIN {3}\r\nbob {2+}\r\npw\r\n";
    assert_eq!(server(login).unwrap(), [wait(3), line(login)]);
    let append = format!("b APPEND x {{70000}}\r\n{}\r\n", "y".repeat(70_000));
    let expected = [
        wait(70_000),
        Event::Head("b APPEND x {70000}\r\n".into(), header(70_000, true, false)),
        Event::Piece("y".repeat(70_000).into()),
        line("\r\n"),
    ];
    assert_eq!(server(&append).unwrap(), expected);
}

#[test]
fn a_server_sees_empty_lines_and_takes_quotes_as_they_are() {
    assert_eq!(server("\r\na OK \"\r\nDONE\r\n"), lines(&["\r\n", "a OK \"\r\n", "DONE\r\n"]));
}

#[test]
fn a_server_may_refuse_a_literal() {
    let mut framer = Framer::for_server(Limits::default());
    let mut buffer = BytesMut::from("a APPEND x {9000000000000000000}\r\n");
    assert!(matches!(framer.next(&mut buffer), Ok(Some(Event::Wait(_)))));
    framer.refuse(&mut buffer);
    assert!(framer.is_between());
    buffer.extend_from_slice(b"b NOOP\r\n");
    framer.refuse(&mut buffer);
    assert_eq!(framer.next(&mut buffer), Ok(Some(line("b NOOP\r\n"))));
}

fn limit(what: &'static str) -> Result<Vec<Event>, WireError> {
    Err(WireError::Limit(what))
}

#[test]
fn literals_that_nobody_can_follow_are_limits_at_once() {
    let nines = "9".repeat(99_999);
    for size in ["9223372036854775808", "18446744073709551617", nines.as_str()] {
        assert_eq!(client(&format!("* 1 FETCH (BODY[] {{{size}}}\r\n")), limit("the size of a literal"));
    }
    for size in ["10737418240", "4294967297", "9223372036854775807"] {
        assert_eq!(client(&format!("* 1 FETCH (BODY[] {{{size}}}\r\n")), limit("the size of a body"));
    }
    assert_eq!(client("* 1 FETCH (BODY[] {-5}\r\n"), lines(&["* 1 FETCH (BODY[] {-5}\r\n"]));
}

#[test]
fn caps_hold_exactly() {
    let limits = Limits { line: 20, literals: 2, response: 40, body: 70_000, ..Limits::default() };
    let read = |wire: &str| alike(wire, || Framer::for_client(limits.clone())).map(|events| events.len());
    assert_eq!(read(&["* ", &"x".repeat(17), "\n"].concat()), Ok(1));
    assert_eq!(read(&["* ", &"x".repeat(18), "\n"].concat()), limit("the length of a line").map(|_| 0));
    assert_eq!(read(&"x".repeat(21)), limit("the length of a line").map(|_| 0));
    assert_eq!(read("* X {1}\r\na {1}\r\nb\r\n"), Ok(1));
    assert_eq!(read("* X {1}\r\na {1}\r\nb xxx\r\n"), limit("the length of a line").map(|_| 0));
    assert_eq!(read("* X {0}\r\n{0}\r\n{0}\r\n\r\n"), limit("literals in one response").map(|_| 0));
    assert_eq!(read(&["* X {29}\r\n", &"a".repeat(29), "\n"].concat()), Ok(1));
    assert_eq!(read(&["* X {30}\r\n", &"a".repeat(30), "\n"].concat()), limit("the size of one response").map(|_| 0));
    assert_eq!(read("* X {31}\r\n"), limit("the size of one response").map(|_| 0));
    assert_eq!(read("* X {70001}\r\n"), limit("the size of a body").map(|_| 0));
    assert_eq!(read("* X {70000}\r\n"), Ok(1));
}

#[test]
fn an_error_is_final() {
    let mut framer = Framer::for_client(Limits { line: 10, ..Limits::default() });
    let mut buffer = BytesMut::from("* 12345678 EXISTS\r\n* 2 EXISTS\r\n");
    let error = framer.next(&mut buffer).unwrap_err();
    assert!(error.is_fatal());
    buffer.clear();
    assert_eq!(framer.next(&mut buffer), Err(error));
}

/// The largest that the read buffer gets before the framer gives up on an endless stream of `unit`.
fn peak(unit: &[u8]) -> (usize, WireError) {
    let read: Vec<u8> = unit.iter().copied().cycle().take(16 * 1024 / unit.len() * unit.len()).collect();
    let mut framer = Framer::for_client(Limits::default());
    let mut buffer = BytesMut::from("* X ");
    let mut peak = 0;
    for _ in 0..1_000_000_000 / read.len() {
        buffer.extend_from_slice(&read);
        peak = peak.max(buffer.capacity());
        match framer.next(&mut buffer) {
            Ok(None) => {}
            Ok(Some(event)) => panic!("{event:?}"),
            Err(error) => return (peak, error),
        }
    }
    panic!("a gigabyte was read");
}

#[test]
fn hostile_streams_end_with_little_memory() {
    let limits = Limits::default();
    assert!(peak(b" 12345").0 <= 2 * limits.line);
    assert_eq!(peak(b" 12345").1, WireError::Limit("the length of a line"));
    assert!(peak(b"{0}\r\n").0 <= 1 << 20);
    assert_eq!(peak(b"{0}\r\n").1, WireError::Limit("literals in one response"));
    assert!(peak(b"{2000}\r\n                                            ").0 <= 2 * limits.response);
}

/// Bytes looked at to read `wire` in reads of `step` bytes.
fn examined(wire: &[u8], step: usize) -> u64 {
    let most = usize::MAX;
    let limits = Limits { literals: most, line: most, response: most, body: u64::MAX, ..Limits::default() };
    let mut framer = Framer::for_client(limits);
    let _ = events(&mut framer, wire, step);
    framer.examined()
}

#[test]
fn the_time_is_linear_in_the_input() {
    let shapes: [(&str, &str); 16] = [
        ("* SEARCH", " 1"),
        ("* SEARCH", " 123456\r\n"),
        ("* X \"", "\n"),
        ("* X \"", "a b c\n"),
        ("* X \"", " \n"),
        ("", "* X \"\r\n"),
        ("", "* X \"\r\nabc\r\n"),
        ("* X ", "{1}\r\na"),
        ("* X ", "\"{1}\r\na\\"),
        ("* X ", "("),
        ("* X ", "\""),
        ("* X \"", "\\\""),
        ("* X {", "0"),
        ("* X {60000}\r\n", "{1}\r\n"),
        ("* X {70000}\r\n", "{1}\r\n"),
        ("", "\0\r\n"),
    ];
    for (start, unit) in shapes {
        for step in [1, 7, 4096, usize::MAX] {
            let cost = |n| examined((start.to_owned() + &unit.repeat(n)).as_bytes(), step) as f64;
            let (small, large) = (cost(4000), cost(8000));
            assert!(large <= 2.1 * small + 100.0, "{start:?} {unit:?}, {step} at a time: {small} and {large}");
            assert!(small <= 40.0 * (4000.0 * unit.len() as f64), "{start:?} {unit:?}, {step} at a time: {small}");
        }
    }
}
