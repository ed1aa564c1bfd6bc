//! Quoted strings, strict ones fast and broken ones as well as can be.

use memchr::{memchr, memchr2};

/// Where the string that begins at `input[0] == b'"'` ends, and whether it holds escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quoted {
    /// Offset of the closing quote.
    pub close: usize,
    pub escaped: bool,
}

/// Most inner quotes that a string in a structure may have. Without a bound, a caller who tries again after each string
/// that does not end would make the time quadratic.
const MAX_INNER: usize = 32;

/// Finds the closing quote. With `structure` (ENVELOPE, BODYSTRUCTURE) a quote closes only where the grammar allows the
/// string to end: DavMail, QQ and others leave inner quotes unescaped. Where no quote does, the first one closes.
pub(super) fn find(input: &[u8], structure: bool) -> Option<Quoted> {
    let first = next_quote(input, Quoted { close: 0, escaped: false })?;
    if !structure {
        return Some(first);
    }
    let mut found = first;
    for _ in 0..MAX_INNER {
        if closes(input.get(found.close + 1..).unwrap_or_default()) {
            return Some(found);
        }
        let Some(next) = next_quote(input, found) else { break };
        found = next;
    }
    Some(first)
}

/// The next quote after `last` that is not escaped.
fn next_quote(input: &[u8], last: Quoted) -> Option<Quoted> {
    let mut at = last.close + 1;
    let mut escaped = last.escaped;
    loop {
        let found = at + quote_or_escape(input.get(at..)?)?;
        if input.get(found) == Some(&b'"') {
            return Some(Quoted { close: found, escaped });
        }
        escaped = true;
        at = found + 1 + usize::from(matches!(input.get(found + 1), Some(b'"' | b'\\')));
    }
}

/// The next `"` or `\`. Most strings are shorter than what makes a search by vectors worth its start.
fn quote_or_escape(input: &[u8]) -> Option<usize> {
    let short = input.get(..SHORT).unwrap_or(input);
    let near = short.iter().position(|b| matches!(b, b'"' | b'\\'));
    near.or_else(|| Some(short.len() + memchr2(b'"', b'\\', input.get(short.len()..)?)?))
}

/// See [`quote_or_escape`].
const SHORT: usize = 16;

/// Whether a string may end before `rest`, inside ENVELOPE or BODYSTRUCTURE.
fn closes(rest: &[u8]) -> bool {
    match rest {
        [] | [b')' | b'(' | b'\r' | b'\n', ..] | [b' '] => true,
        [b' ', next @ ..] => begins_value(next),
        _ => false,
    }
}

/// Whether this begins one of the values that those structures hold: string, list, number or NIL; or ends a list.
fn begins_value(next: &[u8]) -> bool {
    match next {
        [b'"' | b'(' | b')' | b'{' | b' ' | b'\r' | b'\n', ..] | [b'~', b'{', ..] => true,
        [b'-', b'0'..=b'9', ..] => true,
        [b'0'..=b'9', ..] => ends_word(next.iter().find(|b| !b.is_ascii_digit())),
        [b'N' | b'n', b'I' | b'i', b'L' | b'l', after @ ..] => ends_word(after.first()),
        _ => false,
    }
}

fn ends_word(next: Option<&u8>) -> bool {
    matches!(next, None | Some(b' ' | b')' | b'(' | b'\r' | b'\n'))
}

/// Takes the escapes out: `\"` and `\\`. Any other backslash is kept, as in `C:\path`.
pub(super) fn unescape(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = memchr(b'\\', rest) {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(before);
        rest = match from {
            [_, escaped @ (b'"' | b'\\'), tail @ ..] | [escaped, tail @ ..] => {
                out.push(*escaped);
                tail
            }
            [] => &[],
        };
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &str, structure: bool) -> Option<String> {
        let found = find(input.as_bytes(), structure)?;
        let content = &input.as_bytes()[1..found.close];
        Some(String::from_utf8(if found.escaped { unescape(content) } else { content.to_vec() }).unwrap())
    }

    #[test]
    fn strict_strings_end_at_the_first_quote_that_is_not_escaped() {
        for structure in [false, true] {
            assert_eq!(read(r#""" NIL"#, structure).unwrap(), "");
            assert_eq!(read(r#""ab" "cd""#, structure).unwrap(), "ab");
            assert_eq!(read(r#""a\"b\\" NIL"#, structure).unwrap(), r#"a"b\"#);
            assert_eq!(read(r#""C:\path\a.png") "#, structure).unwrap(), r"C:\path\a.png");
            assert_eq!(read(r#""open"#, structure), None);
            assert_eq!(read(r#""open\""#, structure), None);
            assert_eq!(read(r#"""#, structure), None);
        }
    }

    #[test]
    fn inner_quotes_that_are_not_escaped_stay_in_a_structure() {
        assert_eq!(read(r#""a "quoted" b" NIL"#, true).unwrap(), r#"a "quoted" b"#);
        assert_eq!(read(r#""a "quoted" b" NIL"#, false).unwrap(), "a ");
        assert_eq!(read(r#""""" "x")"#, true).unwrap(), "\"\"");
        assert_eq!(read(r#""HTML"" ("a" "b")"#, true).unwrap(), r#"HTML""#);
        assert_eq!(read(r#""say "x" Nilpotent" NIL"#, true).unwrap(), r#"say "x" Nilpotent"#);
        assert_eq!(read(r#""the 7" 12th" 3)"#, true).unwrap(), r#"the 7" 12th"#);
    }

    #[test]
    fn a_string_that_no_structure_could_end_is_read_as_a_strict_one() {
        assert_eq!(read(r#""abc"xyz"#, true).unwrap(), "abc");
        let quotes = |n| format!("\"abc{}\" NIL", "\"x".repeat(n));
        assert_eq!(read(&quotes(31), true).unwrap().len(), 3 + 62);
        assert_eq!(read(&quotes(32), true).unwrap(), "abc");
    }
}
