//! What is told of a message that was never in memory, beside the same message taken apart in memory.

use super::*;
use crate::message::{ParsedMessage, described_structure};
use proptest::prelude::*;

fn outlined(raw: &[u8], window: usize, piece: usize) -> Outlined {
    let mut outline = Outline::with_window(window);
    raw.chunks(piece).for_each(|piece| outline.push(piece));
    outline.finish()
}

fn long(lines: usize) -> String {
    "0123456789abcdef --\r\n--c dump --b\r\n".repeat(lines)
}

/// That both say the same of it.
fn same(raw: &str, outlined: &Outlined) {
    let parsed = ParsedMessage::parse(raw.to_owned());
    let slice = |range: Range<u64>| &raw.as_bytes()[range.start as usize..range.end as usize];
    assert_eq!(outlined.header_block(), parsed.header_block(), "{raw}");
    assert_eq!(outlined.headers().raw(), parsed.headers().raw());
    assert_eq!(outlined.structure(), &described_structure(&parsed), "{raw}");
    assert_eq!(outlined.parts(), &crate::message::parts(parsed.structure()));
    assert_eq!(slice(outlined.text_block()), parsed.text_block());
    for (section, _) in sections(parsed.structure()) {
        assert_eq!(outlined.section(&section).map(slice), parsed.section(&section), "{section:?} of {raw}");
        assert_eq!(outlined.part_header(&section).map(slice), parsed.part_header(&section), "{section:?} of {raw}");
        let nested = outlined.nested(&section).map(|(header, text)| (slice(header), slice(text)));
        assert_eq!(nested, parsed.nested(&section), "{section:?} of {raw}");
    }
}

fn mixed() -> String {
    let body = long(500);
    format!(
        "Subject: moth\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\n{body}\r\n\
         --b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\n{body}-- \r\n-\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nContent-Type: multipart/digest; boundary=\"c d\"\
         \r\n\r\n--c d\r\n\r\nSubject: deep\r\n\r\n{body}\r\n--c d\r\nContent-Type: text/html\r\n\r\n{body}\r\n--c d--\r\n\
         --b\r\n{body}\r\n--b\r\n\r\n--b--\r\n{body}"
    )
}

#[test]
fn a_large_message_has_the_parts_that_it_has_in_memory() {
    let raw = mixed();
    for piece in [1, 7, 100_000] {
        same(&raw, &outlined(raw.as_bytes(), 300, piece));
        same(&raw.replace("\r\n", "\n"), &outlined(raw.replace("\r\n", "\n").as_bytes(), 300, piece));
    }
}

#[test]
fn odd_ones_are_what_they_are_in_memory() {
    let multi = |body: &str| format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{body}");
    for raw in [
        String::new(),
        "no header at all\r\nx".into(),
        "\r\nbody".into(),
        "Subject: x".into(),
        "From me\r\nSubject: x\r\n\r\nbody".into(),
        "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nbody\r\n".into(),
        "Content-Type: message/rfc822\r\n\r\nbody\r\n".into(),
        "Content-Type: multipart/mixed; boundary=b\r\n--b\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--".into(),
        "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\nx".into(),
        multi("--b\r\n--b\r\n--b--"),
        multi("--b\r\n\r\nx"),
        multi("no parts"),
        multi(&format!("--b{}--b\r\n\r\nx\r\n--b--", "-".repeat(4000))),
        multi(&format!("--b{}\r\n\r\nx\r\n--b--", " ".repeat(3000))),
        multi(
            "--b\r\nContent-Type: multipart/mixed; boundary=b-1\r\n\r\n--b-1\r\n\r\nx\r\n--b-1--\r\n--b\r\n\r\ny\r\n--b--",
        ),
    ] {
        (1..5).for_each(|piece| same(&raw, &outlined(raw.as_bytes(), 300, piece)));
    }
}

#[test]
fn only_what_may_matter_is_kept() {
    let mut outline = Outline::default();
    outline.push(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n");
    let text = long(1000) + "\r\n";
    (0..100).for_each(|_| outline.push(text.as_bytes()));
    outline.push(b"--b--\r\n");
    assert!(outline.kept.len() == 61 && outline.gaps.len() <= 2, "{} {:?}", outline.kept.len(), outline.gaps);
    let part = outline.finish().structure.parts.remove(0);
    assert_eq!((part.octets, part.lines), (Some(100 * text.len() as u64 - 2), Some(100 * 2001 - 1)));
}

#[test]
fn what_is_passed_is_counted_without_being_read() {
    let line = "QUJD".repeat(19) + "\r\n";
    let before = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n";
    for (head, after) in [
        ("Content-Type: text/x\r\n\r\n", "\r\n--b\r\n\r\nx\r\n--b--\r\n"),
        ("Content-Type: text/x\r\n\r\n", "--b--\r\n"),
        ("\r\n", "more\r\n--b--\r\n"),
        ("", "--b--\r\n"),
    ] {
        let mut outline = Outline::default();
        outline.push(format!("{before}{head}").as_bytes());
        outline.pass(100 * line.len() as u64, 100, b"\r\n");
        outline.push(after.as_bytes());
        same(&format!("{before}{head}{}{after}", line.repeat(100)), &outline.finish());
    }
}

#[test]
fn many_boundaries_are_told_apart_by_where_they_begin() {
    let mut outline = Outline::default();
    outline.boundaries.extend(["a", "ab-", "abc", "b"].map(Bytes::from));
    let begins = |outline: &Outline, line: &str| outline.is_boundary(line.as_bytes());
    for (line, expected) in [("a\r\n", true), ("abd", true), ("b--", true), ("", false), ("c", false), ("Ab", false)] {
        assert_eq!(begins(&outline, line), expected, "{line}");
    }
    outline.boundaries.remove(&b"a"[..]);
    assert!(!begins(&outline, "ab\r\n") && begins(&outline, "ab-c"));
}

proptest! {
    #[test]
    fn any_message_whose_headers_fit_has_its_own_parts(
        parts in prop::collection::vec(("(\\PC|[-\r\n]|--b|\r\n--c\r\n){0,100}", 0..5_usize), 0..5), piece in 1..50_usize,
    ) {
        let mut raw = "Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned();
        for (text, kind) in &parts {
            let kind = [
                "",
                "Content-Type: message/rfc822\r\n",
                "Content-Type: image/png\r\n",
                "Content-Type: multipart/digest; boundary=c\r\n",
                "Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=c\r\n",
            ][*kind];
            raw += &format!("--b\r\n{kind}\r\nx{}\r\n", text.replace(':', ""));
        }
        raw += "--b--\r\n";
        same(&raw, &outlined(raw.as_bytes(), 200, piece));
    }
}
