//! The message on the wire: one kind of line end, and no line that could be taken for its end (RFC 5321 section 4.5.2).
//!
//! A receiver that takes `\n.\n` or `\r.\r` for the end of a message would read the rest as commands of the same session
//! (SMTP smuggling, CVE-2023-51764 to 51766). So every line end is CRLF before dots are doubled, and a lone CR is
//! refused: whatever a receiver makes of one, it is never asked to.

use super::super::ledger::Body;
use crate::error::{Code, MailError, Result};
use bytes::{Bytes, BytesMut};

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
    match memchr::memchr2(b'\r', 0, line).and_then(|at| line.get(at)) {
        Some(0) => return Err(bad(number, "holds a NUL byte")),
        Some(_) => return Err(bad(number, "holds a CR that ends no line")),
        None => {}
    }
    if line.len() > LONGEST_LINE { Err(bad(number, "is longer than 998 bytes")) } else { Ok(()) }
}

fn bad(number: usize, what: &str) -> MailError {
    MailError::new(Code::UsageArgument, format!("The message cannot be sent: line {} {what}", number + 1))
}

/// What has to be known of a message before it is offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Its length in wire form, without the dots that are doubled.
    pub size: u64,
    pub is_ascii: bool,
    /// Whether the header holds raw UTF-8 (RFC 6532).
    pub has_utf8_header: bool,
}

impl Facts {
    /// Reads a message through.
    ///
    /// # Errors
    ///
    /// [`Code::UsageArgument`] where it is not in wire form, and what the body says.
    pub async fn of(body: &mut dyn Body) -> Result<Self> {
        let mut reading = Examined::default();
        while let Some(piece) = body.next().await? {
            reading.push(&piece)?;
        }
        reading.facts()
    }
}

/// A message that is read through, in pieces.
#[derive(Debug)]
struct Examined {
    facts: Facts,
    in_header: bool,
    /// Bytes of the line so far, with its CR.
    line: usize,
    lines: usize,
    last: u8,
}

impl Default for Examined {
    fn default() -> Self {
        let facts = Facts { size: 0, is_ascii: true, has_utf8_header: false };
        Self { facts, in_header: true, line: 0, lines: 0, last: 0 }
    }
}

impl Examined {
    fn push(&mut self, piece: &[u8]) -> Result<()> {
        self.facts.size += piece.len() as u64;
        piece.iter().try_for_each(|byte| self.byte(*byte))
    }

    fn byte(&mut self, byte: u8) -> Result<()> {
        let ends = std::mem::replace(&mut self.last, byte) == b'\r';
        match byte {
            b'\n' if ends => {
                self.in_header &= self.line > 1;
                (self.line, self.lines) = (0, self.lines + 1);
                return Ok(());
            }
            b'\n' => return Err(bad(self.lines, "ends without a CR")),
            _ if ends => return Err(bad(self.lines, "holds a CR that ends no line")),
            0 => return Err(bad(self.lines, "holds a NUL byte")),
            _ => {}
        }
        self.line += 1;
        self.facts.is_ascii &= byte.is_ascii();
        self.facts.has_utf8_header |= self.in_header && !byte.is_ascii();
        if self.line > LONGEST_LINE + 1 || self.line > LONGEST_LINE && byte != b'\r' {
            return Err(bad(self.lines, "is longer than 998 bytes"));
        }
        Ok(())
    }

    fn facts(self) -> Result<Facts> {
        let is_ended = self.line == 0 && self.facts.size > 0;
        if is_ended { Ok(self.facts) } else { Err(bad(self.lines, "has no end")) }
    }
}

/// The bytes of a message on their way, with the dots at the beginning of lines doubled.
pub(crate) struct Stuffed<'a> {
    body: &'a mut dyn Body,
    rest: Bytes,
    at_line_start: bool,
    /// What the body has said when it could not be read.
    pub failure: Option<MailError>,
}

impl<'a> Stuffed<'a> {
    /// `body` is in wire form.
    pub fn new(body: &'a mut dyn Body) -> Self {
        Self { body, rest: Bytes::new(), at_line_start: true, failure: None }
    }

    /// The next `count` bytes, and those dots.
    pub async fn next(&mut self, count: usize) -> Result<Vec<u8>> {
        let piece = self.take(count).await.inspect_err(|error| self.failure = Some(error.clone()))?;
        Ok(self.stuffed(&piece))
    }

    async fn take(&mut self, count: usize) -> Result<Bytes> {
        let mut out = BytesMut::with_capacity(count);
        while out.len() < count {
            if self.rest.is_empty() {
                let cut = || MailError::new(Code::StoreDamaged, "The message to be sent is shorter than it was");
                self.rest = self.body.next().await?.ok_or_else(cut)?;
            }
            let some = self.rest.split_to((count - out.len()).min(self.rest.len()));
            out.extend_from_slice(&some);
        }
        Ok(out.freeze())
    }

    fn stuffed(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(piece.len() + piece.len() / 32 + 2);
        for line in piece.split_inclusive(|b| *b == b'\n') {
            if self.at_line_start && line.first() == Some(&b'.') {
                out.push(b'.');
            }
            out.extend_from_slice(line);
            self.at_line_start = line.last() == Some(&b'\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::ledger::in_memory;
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

    #[tokio::test]
    async fn dots_are_doubled_wherever_the_pieces_are_cut() {
        let message = Bytes::from_static(b".\r\n..a\r\nb.\r\n.\r\n");
        for most in 1..20 {
            let mut body = in_memory(message.clone());
            let (mut stuffed, mut out, mut left) = (Stuffed::new(&mut *body), Vec::new(), message.len());
            while left > 0 {
                out.extend(stuffed.next(most.min(left)).await.unwrap());
                left -= most.min(left);
            }
            assert_eq!(out, b"..\r\n...a\r\nb.\r\n..\r\n", "{most}");
            assert!(stuffed.next(1).await.is_err() && stuffed.failure.is_some());
        }
    }

    #[tokio::test]
    async fn a_message_is_examined_as_it_goes_by() {
        let facts = async |raw: &str| Facts::of(&mut *in_memory(raw.to_owned().into())).await;
        let known = |is_ascii, has_utf8_header, size| Facts { size, is_ascii, has_utf8_header };
        assert_eq!(facts("Subject: x\r\n\r\nx\r\n").await.unwrap(), known(true, false, 17));
        assert_eq!(facts("Subject: x\r\n\r\nö\r\n").await.unwrap(), known(false, false, 18));
        assert_eq!(facts("Subject: ö\r\n\r\nx\r\n").await.unwrap(), known(false, true, 18));
        assert!(facts(&format!("{}\r\n", "x".repeat(998))).await.is_ok());
        for raw in ["", "x", "x\n", "x\r\n\r", "\r\r\n", "x\ry\r\n", "x\0\r\n", &format!("{}\r\n", "x".repeat(999))] {
            assert_eq!(facts(raw).await.unwrap_err().code(), Code::UsageArgument, "{raw:?}");
        }
    }
}
