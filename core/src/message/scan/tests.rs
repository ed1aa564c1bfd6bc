//! The tree of raw messages: boundaries as they come, and bombs that must stay small.

use super::*;
use crate::message::sections;
use proptest::prelude::*;

/// `path type content` of every part.
fn outline(raw: &str) -> Vec<String> {
    let scan = scan(raw.as_bytes());
    let show = |((path, part), content): ((Vec<u32>, &BodyStructure), &Range<usize>)| {
        let path: Vec<String> = path.iter().map(u32::to_string).collect();
        let kind = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        let content = if part.parts.is_empty() { raw[content.clone()].to_owned() } else { "…".to_owned() };
        format!("{} {}/{} {content:?}", path.join("."), kind(&part.media_type), kind(&part.subtype))
    };
    sections(&scan.structure).into_iter().zip(&scan.contents).map(show).collect()
}

fn multipart(subtype: &str, boundary: &str, parts: &[String]) -> String {
    let parts: String = parts.iter().map(|part| format!("--{boundary}\r\n{part}\r\n")).collect();
    format!(
        "Content-Type: multipart/{subtype}; boundary=\"{boundary}\"\r\n\r\npreamble\r\n{parts}--{boundary}--\r\nepilogue"
    )
}

#[test]
fn parts_have_the_numbers_and_bytes_that_a_server_gives() {
    let inner = multipart("alternative", "in", &["\r\nplain".into(), "Content-Type: text/html\r\n\r\n<p>".into()]);
    let message = format!("Content-Type: message/rfc822\r\n\r\nSubject: nested\r\n{inner}");
    let raw = multipart("mixed", "out", &["Content-Type: text/plain\r\n\r\nfirst\r\n".into(), message]);
    let expected = [
        " multipart/mixed \"…\"",
        "1 text/plain \"first\\r\\n\"",
        "2 message/rfc822 \"…\"",
        "2 multipart/alternative \"…\"",
        "2.1 text/plain \"plain\"",
        "2.2 text/html \"<p>\"",
    ];
    assert_eq!(outline(&raw), expected);
    assert_eq!(outline(&raw.replace("\r\n", "\n"))[4..], ["2.1 text/plain \"plain\"", "2.2 text/html \"<p>\""]);
}

#[test]
fn one_boundary_may_begin_like_another() {
    let inner = multipart("alternative", "b-1", &["\r\nx".into(), "\r\ny".into()]);
    let raw = multipart("mixed", "b", &[inner, "\r\nz".into()]);
    let leaves: Vec<_> = outline(&raw).into_iter().filter(|line| !line.contains('…')).collect();
    assert_eq!(leaves, ["1.1 text/plain \"x\"", "1.2 text/plain \"y\"", "2 text/plain \"z\""]);
}

#[test]
fn a_boundary_counts_only_at_the_beginning_of_a_line_and_alone() {
    let raw = multipart("mixed", "b", &["\r\nno --b\r\n--bx\r\n --b\r\n--b x".into(), "\r\nyes".into()]);
    assert_eq!(outline(&raw)[1..], ["1 text/plain \"no --b\\r\\n--bx\\r\\n --b\\r\\n--b x\"", "2 text/plain \"yes\""]);
    let spaced = "Content-Type: multipart/mixed; boundary=b\n\n--b \t\n\nx\n--b-- junk\n";
    assert_eq!(outline(spaced)[1..], ["1 text/plain \"x\""]);
}

#[test]
fn broken_structures_keep_their_bytes_and_say_so() {
    for (raw, leaf, problem) in [
        ("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx", "1 text/plain \"x\"", true),
        ("Content-Type: multipart/mixed; boundary=b\n\nno parts", "1 text/plain \"no parts\"", true),
        ("Content-Type: multipart/mixed\n\n--b\n\nx", "1 text/plain \"--b\\n\\nx\"", true),
        ("Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\nx", "1 text/plain \"--\\n\\nx\"", true),
        ("Content-Type: multipart/mixed; boundary=b\n\n--b\n--b\n--b--", "1 text/plain \"\"", false),
        ("Content-Type: text\n\nx", "1 text/plain \"x\"", false),
        ("Content-Type: ;;;\n\nx", "1 text/plain \"x\"", false),
        ("no header at all\nx", "1 text/plain \"no header at all\\nx\"", false),
        ("\nbody", "1 text/plain \"body\"", false),
        ("Subject: x", "1 text/plain \"\"", false),
        ("From me\nSubject: x\n\nbody", "1 text/plain \"body\"", false),
        ("", "1 text/plain \"\"", false),
        ("Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\ny\n--b--", "1.1 text/plain \"y\"", false),
        (
            "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeA==",
            "1 message/rfc822 \"U3ViamVjdDogeA==\"",
            false,
        ),
    ] {
        let lines = outline(raw);
        let found = lines.iter().find(|line| !line.contains('…')).map(String::as_str);
        assert_eq!((found, scan(raw.as_bytes()).problem.is_some()), (Some(leaf), problem), "{raw}");
    }
}

#[test]
fn parameters_are_read_with_their_encodings() {
    let raw = "Content-Type: TEXT/Plain; Charset=UTF-8; name*0*=utf-8''na%C3; name*1*=%AFve\n\
        Content-Disposition: ATTACHMENT; FileName=\"a b.txt\"\nContent-Transfer-Encoding: BASE64\n\n";
    let part = scan(raw.as_bytes()).structure;
    assert_eq!((part.media_type.as_ref(), part.subtype.as_ref()), (&b"text"[..], &b"plain"[..]));
    assert_eq!(part.parameter("charset").unwrap(), "UTF-8");
    let disposition = part.disposition.unwrap();
    assert_eq!(disposition.kind, "attachment");
    assert_eq!(disposition.parameters, [("filename".into(), "a b.txt".into())]);
    assert_eq!(part.encoding.unwrap(), "base64");
}

/// Forty messages made to cost much; about a megabyte each.
fn bombs() -> Vec<(&'static str, String)> {
    const SIZE: usize = 1 << 20;
    let fill = |unit: &str| unit.repeat(SIZE / unit.len());
    let typed = |value: String| format!("Content-Type: {value}\n\nbody");
    let multi = |body: String| format!("Content-Type: multipart/mixed; boundary=b\n\n{body}");
    let nested = |depth: usize| -> String {
        (0..depth).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n")).collect()
    };
    let messages = |depth: usize| "Content-Type: message/rfc822\n\n".repeat(depth);
    let boundary = "x".repeat(900);
    vec![
        ("nested multiparts", nested(20_000)),
        (
            "nested multiparts, closed",
            format!("{}{}", nested(500), (0..500).rev().map(|n| format!("\n--b{n}--")).collect::<String>()),
        ),
        ("nested multiparts of one boundary", "Content-Type: multipart/mixed; boundary=b\n\n--b\n".repeat(20_000)),
        ("nested messages", messages(30_000)),
        ("nested messages in a digest", "Content-Type: multipart/digest; boundary=b\n\n--b\n\n".repeat(20_000)),
        (
            "messages and multiparts in turn",
            "Content-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=b\n\n--b\n".repeat(10_000),
        ),
        ("parts without content", multi(fill("--b\n"))),
        ("parts with a header", multi(fill("--b\nContent-Type: text/plain\n\nx\n"))),
        (
            "parts that are multiparts",
            multi(fill("--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nx\n--c--\n")),
        ),
        ("parts that are messages", multi(fill("--b\nContent-Type: message/rfc822\n\nSubject: x\n\ny\n"))),
        ("boundaries inside lines", multi(fill("x--b"))),
        ("boundaries that go on", multi(fill("--bb\n"))),
        ("almost a boundary", multi(fill("--\n"))),
        ("dashes", multi(fill("-"))),
        (
            "a long boundary, almost",
            format!("Content-Type: multipart/mixed; boundary={boundary}y\n\n{}", fill(&format!("--{boundary}\n"))),
        ),
        ("a boundary too long", format!("Content-Type: multipart/mixed; boundary={}\n\n", fill("x"))),
        ("an endless header", fill("X: y\n")),
        ("an endless field", format!("X: {}", fill("y"))),
        ("an endless folded field", format!("X: y\n{}", fill(" y\n"))),
        ("a header without line ends", fill("x")),
        ("colons", fill(":")),
        ("empty lines", fill("\n")),
        ("carriage returns", fill("\r")),
        ("NULs", fill("\0")),
        ("bytes above ASCII", fill("\u{ff}")),
        ("parameters", typed(format!("text/plain{}", fill("; a=b")))),
        ("parameters without value", typed(format!("text/plain{}", fill(";")))),
        (
            "continuations",
            typed(format!("text/plain{}", (0..60_000).map(|n| format!("; a*{n}=b")).collect::<String>())),
        ),
        (
            "continuations of many names",
            typed(format!("text/plain{}", (0..490).map(|n| format!("; a{n}*1*=b")).collect::<String>())),
        ),
        ("an endless quoted parameter", typed(format!("text/plain; a=\"{}", fill("\\")))),
        ("quotes", typed(fill("\""))),
        ("comments", typed(fill("("))),
        ("comments, closed", typed(format!("{}{}", fill("("), fill(")")))),
        ("percent signs", typed(format!("text/plain; a*=utf-8''{}", fill("%4")))),
        ("encoded words in a type", typed(fill("=?utf-8?q?x?= "))),
        ("types", fill("Content-Type: text/plain\n")),
        ("dispositions", fill("Content-Disposition: attachment; filename=x\n")),
        ("transfer encodings", fill("Content-Transfer-Encoding: base64\n")),
        ("mbox lines", fill("From x\n")),
        ("slashes", typed(fill("/"))),
        ("one byte short of a header", "Content-Type: multipart/mixed; boundary=b\n\n--b".to_owned()),
    ]
}

#[test]
fn forty_bombs_stay_within_bounds() {
    let bombs = bombs();
    assert!(bombs.len() >= 40);
    for (name, raw) in bombs {
        let scan = scan(raw.as_bytes());
        let listed = sections(&scan.structure);
        assert_eq!(listed.len(), scan.contents.len(), "{name}");
        assert!(listed.len() <= MOST_PARTS, "{name}");
        assert!(listed.iter().all(|(section, _)| section.len() <= DEEPEST + 1), "{name}");
        assert!(scan.contents.iter().all(|range| range.end <= raw.len() && range.start <= range.end), "{name}");
    }
}

#[test]
fn what_goes_beyond_a_bound_is_called_a_problem() {
    let problem = |raw: &str| scan(raw.as_bytes()).problem;
    assert_eq!(problem(&"Content-Type: message/rfc822\n\n".repeat(40)), Some("Parts are nested too deep"));
    let parts = format!("Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n".repeat(20_000));
    assert_eq!(problem(&parts), Some("There are too many parts"));
    assert_eq!(problem(&"X: y\n".repeat(300_000)), Some("The header is too large"));
    let parameters = format!("Content-Type: text/html{}\n\n", "; a=b".repeat(1000));
    assert_eq!(problem(&parameters), Some("A part has too many parameters"));
    assert_eq!(scan(parameters.as_bytes()).structure.subtype, "html");
}

proptest! {
    #[test]
    fn no_bytes_can_break_it(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just("Content-Type: "), Just("multipart/mixed"), Just("multipart/digest"), Just("message/rfc822"), Just("text/plain"),
                Just("; boundary=b"), Just("; boundary=\"b"), Just("; a*0*=utf-8''%"), Just("; a*1="), Just("\"\\"), Just("("), Just(")"),
                Just("Content-Disposition: "), Just("="), Just("'"), Just("\n"), Just("\r\n"), Just("\n\n"), Just("--b"), Just("--b--"),
                Just(" "), Just("x"), Just("\u{e9}"), Just("=?utf-8?q?"), Just("?="), Just(":"), Just(";"),
            ],
            0..40,
        )
    ) {
        let raw = pieces.concat();
        let scan = scan(raw.as_bytes());
        prop_assert_eq!(sections(&scan.structure).len(), scan.contents.len());
        prop_assert!(scan.contents.iter().all(|range| raw.as_bytes().get(range.clone()).is_some()));
    }
}
