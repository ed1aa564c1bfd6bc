//! What a single line tells about itself: its end, its quotes, and what kind of response it begins.

use memchr::{memchr, memchr_iter, memchr2_iter};

/// How much of a line has to be seen to tell what it is: a tag and a word.
pub(super) const DECIDE: usize = 64;

/// Whether a line begins a response, rather than going on with a quoted string; `None` if that cannot be told yet.
pub(super) fn begins_response(line: &[u8]) -> Option<bool> {
    match line {
        [] | [b'*' | b'+'] => None,
        [b'*', b' ', ..] | [b'+', b' ' | b'\r' | b'\n', ..] => Some(true),
        [b' ' | b'\t', ..] => Some(false),
        _ if line.len() < DECIDE && memchr(b'\n', line).is_none() => None,
        _ => Some(words(line).nth(1).is_some_and(is_status_word)),
    }
}

/// Whether a line is a status response, tagged or not, or a continuation. Exchange and others leave out the tag.
pub(super) fn is_status(line: &[u8]) -> bool {
    line.first() == Some(&b'+') || words(line).take(2).any(is_status_word)
}

fn is_status_word(word: &[u8]) -> bool {
    [&b"OK"[..], b"NO", b"BAD", b"BYE", b"PREAUTH"].iter().any(|s| word.eq_ignore_ascii_case(s))
}

/// The words at the beginning of the line that `text` begins with.
fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let head = text.get(..DECIDE).unwrap_or(text);
    let line = memchr(b'\n', head).and_then(|end| head.get(..end)).unwrap_or(head);
    line.split(|b| matches!(b, b' ' | b'\r')).filter(|w| !w.is_empty())
}

/// A line without its line end.
pub(super) fn trim_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Whether `text`, which begins inside a quoted string or not, ends inside one.
pub(super) fn ends_in_quotes(text: &[u8], mut open: bool) -> bool {
    // Counting is far quicker than looking at each.
    if memchr(b'\\', text).is_none() {
        return open ^ (memchr_iter(b'"', text).count() % 2 == 1);
    }
    let mut escaped = None;
    for at in memchr2_iter(b'"', b'\\', text) {
        if escaped == Some(at) {
            continue;
        }
        if text.get(at) == Some(&b'"') {
            open = !open;
        } else if open {
            escaped = Some(at + 1);
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_responses_are_known_by_their_first_two_words() {
        for line in
            ["* OK", "* ok x", "A1 NO [X] y", "+", "+ x", "+x", "BAD Request is throttled", "*  BYE", "* PREAUTH "]
        {
            assert!(is_status(line.as_bytes()), "{line}");
        }
        for line in ["* 1 FETCH OK", "* LIST () NIL OK", "* OKAY", "", "*", "x\nOK"] {
            assert!(!is_status(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn a_response_is_told_from_the_rest_of_a_string() {
        for (line, begins) in [
            ("", None),
            ("*", None),
            ("+", None),
            ("A1 O", None),
            ("A1 OK", None),
            ("* ", Some(true)),
            ("+\r", Some(true)),
            ("A1 OK\n", Some(true)),
            ("A1 FOO\n", Some(false)),
            (" A1 OK\n", Some(false)),
            ("\t", Some(false)),
            ("*x\n", Some(false)),
            ("x\nA1 OK\n", Some(false)),
        ] {
            assert_eq!(begins_response(line.as_bytes()), begins, "{line:?}");
        }
        assert_eq!(begins_response(&[b'x'; 64]), Some(false));
        assert_eq!(begins_response(&[b'x'; 63]), None);
    }

    #[test]
    fn quotes_are_counted_without_the_escaped_ones() {
        for (text, open) in
            [("", false), ("\"", true), ("\"a\"", false), ("\"\\\"", true), ("\"\\\\\"", false), ("\\\"", true)]
        {
            assert_eq!(ends_in_quotes(text.as_bytes(), false), open, "{text}");
        }
        assert!(!ends_in_quotes(b"a\\\" b\"", true));
    }
}
