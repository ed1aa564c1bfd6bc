//! Responses, whole.

use super::*;
use crate::imap::{AddressList, FetchRow, Flag, ResponseCode};
use crate::wire::tests::{MISCOUNTED, corpus, frames, transcripts, with_crlf};
use proptest::prelude::*;

fn all(wire: &[u8]) -> Vec<Result<Response>> {
    let frames = frames(wire, wire.len()).unwrap();
    frames.iter().map(|frame| parse_response(frame, &Limits::default(), false)).collect()
}

fn parse(line: impl AsRef<[u8]>) -> Result<Response> {
    all(&[line.as_ref(), b"\r\n"].concat()).remove(0)
}

/// `Debug` without what is not there, so that expectations can be read.
fn shown(response: &Response) -> String {
    let mut text = format!("{response:?}");
    for absent in ["None", "[]"] {
        while let Some(at) = text.find(&format!(": {absent}")) {
            let start = text[..at].rfind([' ', '{', '(']).unwrap() + 1;
            let end = at + 2 + absent.len();
            let end = end + if text[end..].starts_with(", ") { 2 } else { 0 };
            text.replace_range(start..end, "");
        }
    }
    text.replace(",  }", " }").replace(", }", " }").replace("{  }", "{}")
}

fn row(items: &str) -> FetchRow {
    match parse(format!("* 1 FETCH ({items})")).unwrap() {
        Response::Data(Untagged::Fetch(row)) => *row,
        other => panic!("{other:?}"),
    }
}

fn code(text: &str) -> ResponseCode {
    match parse(format!("* OK [{text}] x")).unwrap() {
        Response::Status { code: Some(code), .. } => code,
        other => panic!("{other:?}"),
    }
}

/// What each response of the corpus means, looked at one by one.
#[test]
fn every_response_of_the_corpus_means_what_it_should() {
    let mut expected = include_str!("../../../tests/corpus/parsed.tsv").lines();
    for (name, wire) in corpus() {
        for response in all(&wire) {
            assert_eq!(format!("{name}\t{}", shown(&response.unwrap())), expected.next().unwrap());
        }
    }
    assert_eq!(expected.next(), None);
}

#[test]
fn one_broken_item_leaves_the_rest_of_the_row() {
    let broken = row("UID 7 INTERNALDATE \"yesterday\" RFC822.SIZE many MODSEQ (x (y)) ENVELOPE 5 FLAGS (\\Seen)");
    assert_eq!((broken.uid, broken.flags), (Some(7), Some(vec![Flag::SEEN])));
    let names: Vec<_> = broken.problems.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names, ["INTERNALDATE", "RFC822.SIZE", "MODSEQ", "ENVELOPE"]);
    let quotes = row(r#"ENVELOPE ("d" "a "b" c" (((x "y)" z)))) UID 7"#);
    assert_eq!((quotes.uid, quotes.problems.len()), (Some(7), 0));
    let quotes = row(r#"BODYSTRUCTURE ("a" "b "c)" d" NIL NIL NIL "x" 99999999999999999999) UID 7"#);
    assert_eq!((quotes.uid, quotes.problems.len()), (Some(7), 0));
    assert!(quotes.body_structure.unwrap().read().is_err());
    assert_eq!((row("FLAGS () UID").problems.len(), row("FLAGS () UID").flags), (1, Some(Vec::new())));
    assert_eq!(row("UID 0 FLAGS ()").problems[0].0, "UID");
    assert_eq!(row("UID 4294967296").uid, None);
}

#[test]
fn a_row_that_ends_too_early_says_so() {
    let Response::Data(Untagged::Fetch(row)) = parse("* 1 FETCH (UID 7 FLAGS (\\Seen)").unwrap() else { panic!() };
    assert_eq!((row.uid, row.problems.len()), (Some(7), 1));
    let Response::Data(Untagged::Fetch(row)) = parse("* 1 FETCH").unwrap() else { panic!() };
    assert_eq!(row.problems.len(), 1);
}

#[test]
fn envelopes_with_known_faults_are_read() {
    let subject = |text: &str| row(&format!("ENVELOPE {text}")).envelope.unwrap().subject().unwrap().to_vec();
    // Domino.
    assert_eq!(subject(r#"(("d" "s" NIL NIL NIL NIL NIL NIL NIL "<m>"))"#), b"s");
    // Lark: no addresses at all.
    let lark = row(r#"ENVELOPE ("d" "s" "<r>" "<m>")"#).envelope.unwrap();
    assert_eq!((lark.in_reply_to().unwrap(), lark.message_id().unwrap()), (&b"<r>"[..], &b"<m>"[..]));
    // SmarterMail, and an address with too few and too many fields.
    let odd = row(r#"ENVELOPE ("d" "s" (NIL) ((NIL NIL "a")) ((NIL NIL "a" "b" "c" (d))) () "" "" NIL "<m>" "more")"#);
    let envelope = odd.envelope.unwrap();
    let count = |list| envelope.addresses(list).len();
    assert_eq!((count(AddressList::From), count(AddressList::Sender)), (0, 1));
    assert_eq!(envelope.addresses(AddressList::ReplyTo).next().unwrap().host, Some(&b"b"[..]));
    assert_eq!((envelope.message_id().unwrap(), odd.problems.len()), (&b"<m>"[..], 0));
}

#[test]
fn body_structures_with_known_faults_are_read() {
    let body = |text: &str| row(&format!("BODYSTRUCTURE {text}")).body_structure.unwrap().read().unwrap();
    // Lines that are NIL, before a disposition.
    let text = body(r#"("TEXT" "PLAIN" NIL NIL NIL "7BIT" 5 NIL NIL ("ATTACHMENT" ("FILENAME" "a.txt")) NIL NIL)"#);
    assert_eq!(text.disposition.unwrap().parameters[0].1, "a.txt");
    // A message without its envelope and body, but with a disposition.
    let message = body(r#"("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 5 NIL ("INLINE" NIL) NIL NIL)"#);
    assert_eq!((message.disposition.unwrap().kind, message.parts.len()), ("inline".into(), 0));
    // Parameters of a disposition without parentheses of their own; the empty list where a string should be.
    let image = body(r#"("IMAGE" "PNG" "x" () NIL "BASE64" 5 NIL ("ATTACHMENT" "FILENAME" "a") (("x")) NIL)"#);
    assert_eq!(image.disposition.unwrap().parameters, [("filename".into(), "a".into())]);
    // Languages, location, and what a later standard may add.
    let mixed = body(r#"(("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1) "MIXED" NIL NIL ("EN" "DE") "loc" (1 (2)) "y")"#);
    assert_eq!((mixed.language.len(), mixed.location.unwrap()), (2, "loc".into()));
    assert!(row("BODY (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 5 1)").body_structure.is_some());
}

#[test]
fn flags_are_read_with_and_without_spaces() {
    assert_eq!(row(r"FLAGS (\Seen\Flagged \Draft $a[b)").flags.unwrap().len(), 4);
    assert_eq!(row("FLAGS NIL").flags, Some(Vec::new()));
    assert_eq!(row("FLAGS (\"\" \"odd one\")").flags.unwrap()[0].as_str(), "odd one");
}

#[test]
fn sections_are_named_as_they_were_asked_for() {
    let sections =
        row("BODY[1.2.header.fields (\"To\" Date)]<5.10> \"x\" RFC822.HEADER \"y\" RFC822 NIL BODY[3] z").sections;
    let names: Vec<_> = sections.iter().map(|s| (s.section.to_string(), s.origin)).collect();
    let expected = [("1.2.HEADER.FIELDS (\"TO\" DATE)", Some(5)), ("HEADER", None), ("", None), ("3", None)];
    assert_eq!(names, expected.map(|(name, origin)| (name.to_owned(), origin)));
    assert!(sections[2].data.is_none() && sections[3].data.is_some());
}

#[test]
fn large_bodies_stay_in_pieces_beside_the_row() {
    let wire = [b"* 1 FETCH (BODY[] {100000}\r\n".to_vec(), vec![b'x'; 100_000], b" UID 7)\r\n".to_vec()].concat();
    let Response::Data(Untagged::Fetch(row)) = all(&wire).remove(0).unwrap() else { panic!() };
    assert_eq!((row.uid, row.sections[0].data.as_ref().unwrap().len()), (Some(7), 100_000));
}

#[test]
fn codes_with_nonsense_in_them_are_kept_as_they_are() {
    for odd in ["UIDNEXT x", "HIGHESTMODSEQ 9223372036854775808", "COPYUID 5 0 1", "APPENDUID 5", "UIDVALIDITY 0"] {
        let (name, rest) = odd.split_once(' ').unwrap();
        assert_eq!(code(odd), ResponseCode::Other(name.to_owned(), rest.to_owned()));
    }
    assert_eq!(code("PERMANENTFLAGS (OIB-Seen-[Gmail]/All \\*)").name(), "PERMANENTFLAGS");
    assert_eq!(code("Error=\"[x] WrongServer\" Auth=0").name(), "ERROR=");
}

#[test]
fn exchange_may_leave_out_the_status_before_a_code_and_the_sets_in_it() {
    for line in ["* [COPYUID 124 10 233]", "[COPYUID 124 10 233]"] {
        let Response::Status { kind: StatusKind::Ok, code: Some(code), .. } = parse(line).unwrap() else { panic!() };
        assert_eq!(code.name(), "COPYUID");
    }
    let ResponseCode::CopyUid { source, target, .. } = code("COPYUID 14  ") else { panic!() };
    assert!(source.is_empty() && target.is_empty());
}

#[test]
fn gmail_may_leave_out_the_text_after_a_code() {
    let Response::Status { code, text, .. } = parse("* OK [HIGHESTMODSEQ 5]").unwrap() else { panic!() };
    assert_eq!((code, text.as_str()), (Some(ResponseCode::HighestModSeq(5)), ""));
}

#[test]
fn a_status_without_a_tag_is_untagged() {
    for (line, kind) in
        [("NO [UNAVAILABLE] x", StatusKind::No), ("BAD x", StatusKind::Bad), ("A1 BYE x", StatusKind::Bye)]
    {
        assert!(matches!(parse(line), Ok(Response::Status { kind: k, .. }) if k == kind), "{line}");
    }
    let Response::Status { code, text, .. } = parse("Server Unavailable. 15").unwrap() else { panic!() };
    assert_eq!((code, text.as_str()), (Some(ResponseCode::Unavailable), "Server Unavailable. 15"));
}

#[test]
fn a_status_whose_text_only_looks_like_a_code_keeps_it() {
    let Response::Tagged { code, text, .. } = parse("A1 NO [oops").unwrap() else { panic!() };
    assert_eq!((code, text.as_str()), (None, "[oops"));
    let Response::Continue { text, raw, .. } = parse("+ VXNlciBOYW1lAA==").unwrap() else { panic!() };
    assert_eq!((text.as_str(), raw.as_ref()), ("VXNlciBOYW1lAA==", &b"VXNlciBOYW1lAA=="[..]));
}

#[test]
fn a_result_cut_short_is_an_error_and_never_a_shorter_result() {
    for line in [
        "* SEARCH 1 2 x",
        "* SEARCH 1 4294967296",
        "* SORT 1 x",
        "* ESEARCH ALL x",
        "* VANISHED x",
        "* THREAD (1",
        "* THREAD 1)",
        "* 4294967296 EXISTS",
        "* SEARCH 1 (MODSEQ x)",
        "* LIST (\\Sent",
    ] {
        assert!(matches!(parse(line), Err(WireError::Malformed { .. })), "{line}");
    }
}

#[test]
fn what_a_response_leaves_in_memory_is_bounded() {
    let problems = |start: &str, item: &str, end: &str| {
        let items = item.repeat(200_000);
        row(&format!("{start}{items}{end} UID 7")).problems.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    let structure = |start: &str, item: &str, end: &str| {
        let items = item.repeat(200_000);
        row(&format!("BODY {start}{items}{end} UID 7")).body_structure.unwrap().read()
    };
    assert!(structure("(", "()", " \"mixed\")").is_err());
    assert!(structure("(\"a\" \"b\" (", "a b ", "))").is_err());
    assert_eq!(problems("ENVELOPE (NIL NIL (", "(NIL)", "))"), ["ENVELOPE"]);
    assert_eq!(problems("FLAGS (", "a ", ")"), ["FLAGS"]);
    assert_eq!(problems("FLAGS (", "\\a", ")"), ["FLAGS"]);
    assert_eq!(problems("", "UID x ", "").len(), 33);
    assert!(problems("", "BODY[] x ", "").len() <= 33);
    assert!(parse(format!("* ID ({})", "a b ".repeat(200_000))).is_err());
    assert!(parse(format!("* ACL x {}", "a b ".repeat(200_000))).is_err());
    assert!(parse(format!("* LIST ({}) \"/\" x", "a ".repeat(200_000))).is_err());
    let Response::Data(Untagged::Capability(caps)) = parse(format!("* CAPABILITY {}", "a b ".repeat(200_000))).unwrap()
    else {
        panic!()
    };
    assert_eq!(caps.iter().count(), 2);
}

#[test]
fn threads_of_any_depth_are_read() {
    let line = format!("* THREAD {}{}", "(1 ".repeat(100_000), ")".repeat(100_000));
    let Response::Data(Untagged::Thread(nodes)) = parse(line).unwrap() else { panic!() };
    assert_eq!((nodes.len(), nodes[99_999].depth), (100_000, 99_999));
}

#[test]
fn names_travel_as_atoms_strings_and_literals() {
    for line in [
        "* LIST () \"/\" 2024:Q1",
        "* LIST () {1}\r\n/ {7}\r\n2024:Q1",
        "* LIST NIL / \"2024:Q1\"",
        "* LSUB () \"/\" 2024:Q1  ",
    ] {
        let (Response::Data(Untagged::List(row)) | Response::Data(Untagged::Lsub(row))) = parse(line).unwrap() else {
            panic!()
        };
        assert_eq!((row.delimiter, row.mailbox.as_str()), (Some('/'), "2024:Q1"), "{line}");
    }
}

fn is_read(response: &Result<Response>) -> bool {
    match response {
        Ok(Response::Data(Untagged::Fetch(row))) => row.problems.is_empty(),
        Ok(Response::Data(Untagged::Other { .. })) | Err(_) => false,
        Ok(_) => true,
    }
}

#[test]
fn transcripts_of_real_servers_are_read() {
    for path in transcripts().into_iter().filter(|path| !path.ends_with(MISCOUNTED)) {
        let file = std::fs::read(&path).unwrap();
        // Saved with LF, while some literals count CRLF.
        let readable = [with_crlf(&file), file].iter().any(|wire| all(wire).iter().all(is_read));
        assert!(readable, "{path:?}");
    }
}

proptest! {
    #[test]
    fn no_damage_to_a_response_panics(at in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(),
        byte in prop::sample::select(&b"()[]{}\"\\ \0~<>*,:-0aN\r\xff"[..]), insert in any::<bool>())
    {
        let lines = corpus();
        let (_, mut wire) = lines[at.index(lines.len())].clone();
        let place = place.index(wire.len());
        if insert { wire.insert(place, byte) } else { wire[place] = byte }
        // Whatever the bytes have become, reading them ends.
        if let Ok(frames) = frames(&wire, wire.len()) {
            for frame in frames {
                let _ = parse_response(&frame, &Limits::default(), true).map(|response| format!("{response:?}"));
            }
        }
    }
}
