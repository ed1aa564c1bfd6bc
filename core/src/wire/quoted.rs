//! Quoted strings, strict ones fast and broken ones as well as can be.

use memchr::{memchr, memchr2};

/// Where the string that begins at `input[0] == b'"'` ends, and whether it holds escapes.
pub(super) struct Quoted {
    /// Offset of the closing quote.
    pub close: usize,
    pub escaped: bool,
}

/// Finds the closing quote. With `structure` (ENVELOPE, BODYSTRUCTURE) a quote closes only where the grammar allows the
/// string to end: DavMail, QQ and others leave inner quotes unescaped.
pub(super) fn find(input: &[u8], structure: bool) -> Option<Quoted> {
    let mut at = 1;
    let mut escaped = false;
    loop {
        let found = at + memchr2(b'"', b'\\', input.get(at..)?)?;
        let next = input.get(found + 1).copied();
        if input.get(found) == Some(&b'\\') {
            escaped = true;
            at = found + 1 + usize::from(matches!(next, Some(b'"' | b'\\')));
        } else if !structure || closes(input.get(found + 1..).unwrap_or_default()) {
            return Some(Quoted { close: found, escaped });
        } else {
            at = found + 1;
        }
    }
}

/// Whether a string may end before `rest`, inside ENVELOPE or BODYSTRUCTURE.
fn closes(rest: &[u8]) -> bool {
    match rest {
        [] | [b')' | b'(' | b'\r' | b'\n', ..] => true,
        [b' ', next, ..] => {
            matches!(next, b'"' | b'(' | b')' | b'{' | b'~' | b' ' | b'0'..=b'9' | b'N' | b'n' | b'-' | b'\r')
        }
        [b' '] => true,
        _ => false,
    }
}

/// Takes the escapes out: `\"` and `\\`. Any other backslash is kept, as in `C:\path`.
pub(super) fn unescape(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = memchr(b'\\', rest) {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(before);
        match from {
            [_, c @ (b'"' | b'\\'), tail @ ..] => {
                out.push(*c);
                rest = tail;
            }
            [c, tail @ ..] => {
                out.push(*c);
                rest = tail;
            }
            [] => rest = &[],
        }
    }
    out.extend_from_slice(rest);
    out
}
