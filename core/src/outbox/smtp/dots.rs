//! The message on the wire: one kind of line end, and no line that could be taken for its end (RFC 5321 section 4.5.2).
//!
//! A receiver that takes `\n.\n` or `\r.\r` for the end of a message would read the rest as commands of the same session
//! (SMTP smuggling, CVE-2023-51764 to 51766). So every line end is CRLF before dots are doubled, and a lone CR is
//! refused: whatever a receiver makes of one, it is never asked to.

use crate::error::{Code, MailError, Result};
use bytes::Bytes;

/// RFC 5322 section 2.1.1, without the line end.
const LONGEST_LINE: usize = 998;

/// The message with CRLF for every line end, also after its last line.
///
/// # Errors
///
/// [`Code::UsageArgument`] for a lone CR, a NUL or a line of more than 998 bytes.
pub(crate) fn wire_form(raw: &Bytes) -> Result<Bytes> {
    let (mut lines, mut is_wire_form) = (0_usize, true);
    let mut rest: &[u8] = raw;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest);
        let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest);
        let content = if end.is_some() { line.strip_suffix(b"\r").unwrap_or(line) } else { line };
        is_wire_form &= end.is_some() && content.len() < line.len();
        check(content, lines)?;
        lines += 1;
        rest = end.and_then(|end| rest.get(end + 1..)).unwrap_or_default();
    }
    if is_wire_form && lines > 0 {
        return Ok(raw.clone());
    }
    let mut out = Vec::with_capacity(raw.len() + lines + 2);
    for line in raw.strip_suffix(b"\n").unwrap_or(raw).split(|b| *b == b'\n') {
        out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        out.extend_from_slice(b"\r\n");
    }
    Ok(out.into())
}

fn check(line: &[u8], number: usize) -> Result<()> {
    let bad = |what: &str| {
        MailError::new(Code::UsageArgument, format!("The message cannot be sent: line {} {what}", number + 1))
    };
    match memchr::memchr2(b'\r', 0, line).and_then(|at| line.get(at)) {
        Some(0) => return Err(bad("holds a NUL byte")),
        Some(_) => return Err(bad("holds a CR that ends no line")),
        None => {}
    }
    if line.len() > LONGEST_LINE { Err(bad("is longer than 998 bytes")) } else { Ok(()) }
}

/// Gives a message in wire form in pieces, with the dots at the beginning of lines doubled.
#[derive(Debug)]
pub(super) struct Stuffed {
    rest: Bytes,
    at_line_start: bool,
}

impl Stuffed {
    /// `message` is in wire form.
    pub fn new(message: Bytes) -> Self {
        Self { rest: message, at_line_start: true }
    }

    /// The next piece, of at most `most` bytes and those dots.
    pub fn next(&mut self, most: usize) -> Option<Vec<u8>> {
        if self.rest.is_empty() {
            return None;
        }
        let piece = self.rest.split_to(most.clamp(1, self.rest.len()));
        let mut out = Vec::with_capacity(piece.len() + piece.len() / 32 + 2);
        for line in piece.split_inclusive(|b| *b == b'\n') {
            if self.at_line_start && line.first() == Some(&b'.') {
                out.push(b'.');
            }
            out.extend_from_slice(line);
            self.at_line_start = line.last() == Some(&b'\n');
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(raw: &'static [u8]) -> Vec<u8> {
        wire_form(&Bytes::from_static(raw)).unwrap().to_vec()
    }

    #[test]
    fn every_line_ends_with_crlf() {
        assert_eq!(wire(b"a\nb\r\nc"), b"a\r\nb\r\nc\r\n");
        assert_eq!(wire(b"a\r\n\r\n.\r\n"), b"a\r\n\r\n.\r\n");
        assert_eq!(wire(b"a\n\n"), b"a\r\n\r\n");
        assert_eq!(wire(b"\n"), b"\r\n");
        assert_eq!(wire(b""), b"\r\n");
    }

    #[test]
    fn what_receivers_read_differently_is_refused() {
        let long = vec![b'x'; 999];
        for raw in [&b"a\rb\r\n"[..], b"a\r", b"\r.\r", b"a\r\r\n", b"a\n.\r\rb\n", b"a\0\n", b"\r\n.\r\0\n", &long] {
            assert_eq!(
                wire_form(&Bytes::copy_from_slice(raw)).map_err(|e| e.code()),
                Err(Code::UsageArgument),
                "{raw:?}"
            );
        }
    }

    #[test]
    fn dots_are_doubled_wherever_the_pieces_are_cut() {
        let message = Bytes::from_static(b".\r\n..a\r\nb.\r\n.\r\n");
        for most in 1..20 {
            let (mut stuffed, mut out) = (Stuffed::new(message.clone()), Vec::new());
            while let Some(piece) = stuffed.next(most) {
                out.extend(piece);
            }
            assert_eq!(out, b"..\r\n...a\r\nb.\r\n..\r\n", "{most}");
        }
    }
}
