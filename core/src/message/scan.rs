//! The parts of a raw message, found in one bounded walk: the same tree and numbers that a server's BODYSTRUCTURE has.

use super::headers::{Field, Lines, field_name, fields};
use super::words::decode_header;
use crate::imap::{BodyStructure, Disposition};
use bytes::Bytes;
use mail_parser::parsers::MessageStream;
use mail_parser::{ContentType, HeaderValue};
use memchr::memmem;
use std::ops::Range;

/// Deepest nesting of multiparts and messages.
const DEEPEST: usize = 32;
/// Most parts.
const MOST_PARTS: usize = 10_000;
/// Largest header of a message or part, in bytes.
const LARGEST_HEADER: usize = 1 << 20;
/// Longest `Content-Type` or `Content-Disposition` that is parsed, in bytes.
const LONGEST_TYPE: usize = 64 * 1024;
/// Most parameters in one: joining the continuations of RFC 2231 takes time for every pair (CVE-2026-27859).
const MOST_PARAMETERS: usize = 500;
/// Longest boundary. RFC 2046 section 5.1.1 allows 70 characters.
const LONGEST_BOUNDARY: usize = 1000;

/// A raw message taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Scan {
    /// As a server would describe it, without envelopes; names and values of parameters are decoded as far as mail-parser
    /// does.
    pub(super) structure: BodyStructure,
    /// Where the message's own header is.
    pub(super) header: Range<usize>,
    /// Content of every part, in the order of [`sections`](super::sections).
    pub(super) contents: Vec<Range<usize>>,
    /// The header of every part with its empty line, in the same order.
    pub(super) headers: Vec<Range<usize>>,
    /// Why it is not all there, where it is not.
    pub(super) problem: Option<&'static str>,
}

/// Takes a message apart. Never fails: beyond a bound, or where the structure is broken, a part stays whole.
pub(super) fn scan(raw: &[u8]) -> Scan {
    let mut scanner = Scanner { raw, contents: Vec::new(), headers: Vec::new(), problem: None };
    let start = envelope_line(raw);
    let (header, body) = scanner.split(start..raw.len());
    let structure = scanner.part(&header, body, Kind::Plain, DEEPEST);
    let Scanner { contents, headers, problem, .. } = scanner;
    Scan { structure, header, contents, headers, problem }
}

/// What a header says of its part, as far as it says it.
pub(super) fn describe(header: &[u8], kind: Kind) -> BodyStructure {
    let mut scanner = Scanner { raw: header, contents: Vec::new(), headers: Vec::new(), problem: None };
    scanner.describe(&(0..header.len()), kind)
}

/// What parts a multipart.
pub(super) fn boundary(part: &BodyStructure) -> Option<&Bytes> {
    part.parameter("boundary").filter(|boundary| !boundary.is_empty() && boundary.len() <= LONGEST_BOUNDARY)
}

/// Gives the parts their lengths, in the order in which they are scanned.
pub(super) fn measure(part: &mut BodyStructure, lengths: &mut impl Iterator<Item = u64>) {
    part.octets = lengths.next();
    part.parts.iter_mut().for_each(|child| measure(child, lengths));
}

/// Length of the `From ` line of an mbox file, which is no part of the message.
fn envelope_line(raw: &[u8]) -> usize {
    if is_envelope_line(raw) { Lines { text: raw, at: 0 }.next().map_or(0, |line| line.end) } else { 0 }
}

/// Whether a message begins with such a line.
pub(super) fn is_envelope_line(raw: &[u8]) -> bool {
    raw.starts_with(b"From ") || raw.starts_with(b">From ")
}

/// What a part without `Content-Type` is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Plain,
    /// In a `multipart/digest` (RFC 2046 section 5.1.5).
    Message,
}

struct Scanner<'a> {
    raw: &'a [u8],
    contents: Vec<Range<usize>>,
    headers: Vec<Range<usize>>,
    problem: Option<&'static str>,
}

impl<'a> Scanner<'a> {
    fn slice(&self, range: Range<usize>) -> &'a [u8] {
        self.raw.get(range).unwrap_or_default()
    }

    fn broken(&mut self, problem: &'static str) {
        self.problem.get_or_insert(problem);
    }

    /// Header and body. A part that does not begin with a field has no header at all.
    fn split(&mut self, part: Range<usize>) -> (Range<usize>, Range<usize>) {
        let text = self.slice(part.clone());
        let mut lines = Lines { text, at: 0 };
        let first = lines.next().unwrap_or_default();
        let is_blank = |line: &Range<usize>| matches!(text.get(line.clone()), Some(b"\n" | b"\r\n"));
        if is_blank(&first) {
            return (part.start..part.start, part.start + first.end..part.end);
        }
        if field_name(text.get(first).unwrap_or_default()).is_none() {
            return (part.start..part.start, part);
        }
        for line in lines {
            if is_blank(&line) {
                return (part.start..part.start + line.start, part.start + line.end..part.end);
            }
            if line.end > LARGEST_HEADER {
                self.broken("The header is too large");
                return (part.start..part.start + line.start, part.start + line.start..part.end);
            }
        }
        (part.clone(), part.end..part.end)
    }

    fn part(&mut self, header: &Range<usize>, body: Range<usize>, kind: Kind, depth: usize) -> BodyStructure {
        let mut part = self.describe(header, kind);
        part.octets = Some(body.len() as u64);
        self.contents.push(body.clone());
        self.headers.push(header.start..body.start);
        if self.contents.len() >= MOST_PARTS {
            self.broken("There are too many parts");
            return opaque(part);
        }
        let is_multipart = part.is_multipart();
        if !is_multipart && !is_plain_message(&part) {
            return part;
        }
        let Some(depth) = depth.checked_sub(1) else {
            self.broken("Parts are nested too deep");
            return opaque(part);
        };
        if is_multipart {
            self.multipart(part, body, depth)
        } else {
            let (header, body) = self.split(body);
            part.parts = vec![self.part(&header, body, Kind::Plain, depth)];
            part
        }
    }

    fn multipart(&mut self, mut part: BodyStructure, body: Range<usize>, depth: usize) -> BodyStructure {
        let kind = if part.subtype.as_ref() == b"digest" { Kind::Message } else { Kind::Plain };
        let boundary = boundary(&part).cloned();
        let pieces = boundary.map(|boundary| self.pieces(body, &boundary)).unwrap_or_default();
        if pieces.is_empty() {
            self.broken("A multipart without parts");
            return opaque(part);
        }
        for piece in pieces {
            if self.contents.len() >= MOST_PARTS {
                self.broken("There are too many parts");
                break;
            }
            let (header, body) = self.split(piece);
            part.parts.push(self.part(&header, body, kind, depth));
        }
        part
    }

    /// What stands between the delimiter lines (RFC 2046 section 5.1.1). The line end before a delimiter belongs to it. A
    /// missing last one is forgiven.
    fn pieces(&mut self, body: Range<usize>, boundary: &[u8]) -> Vec<Range<usize>> {
        let text = self.slice(body.clone());
        let delimiter = [b"--", boundary].concat();
        let mut pieces = Vec::new();
        let mut open: Option<usize> = None;
        for at in memmem::find_iter(text, &delimiter) {
            let Some((is_last, after)) = delimiter_line(text, at, delimiter.len()) else { continue };
            if let Some(start) = open.replace(after) {
                pieces.push(body.start + start..body.start + before_line_end(text, at).max(start));
            }
            if is_last {
                return pieces;
            }
            if pieces.len() >= MOST_PARTS {
                self.broken("There are too many parts");
                return pieces;
            }
        }
        if let Some(start) = open {
            self.broken("The last boundary of a multipart is missing");
            pieces.push(body.start + start..body.end);
        }
        pieces
    }

    fn describe(&mut self, header: &Range<usize>, kind: Kind) -> BodyStructure {
        let block = self.slice(header.clone());
        let mut part = default_type(kind);
        for Field { name, value } in fields(block) {
            let value = block.get(value).unwrap_or_default();
            let text = || Some(Bytes::copy_from_slice(value.trim_ascii()));
            match block.get(name).unwrap_or_default().to_ascii_lowercase().as_slice() {
                b"content-type" => self.content_type(value, &mut part),
                b"content-disposition" => part.disposition = self.disposition(value),
                b"content-transfer-encoding" => part.encoding = Some(value.trim_ascii().to_ascii_lowercase().into()),
                b"content-id" => part.id = text(),
                b"content-description" => part.description = text(),
                b"content-location" => part.location = text(),
                _ => {}
            }
        }
        part
    }

    fn content_type(&mut self, value: &[u8], part: &mut BodyStructure) {
        let Some(parsed) = self.parse(value) else { return };
        // A type without a subtype says nothing (RFC 2045 section 5.2).
        let Some(subtype) = parsed.subtype() else { return };
        part.media_type = lower(parsed.ctype());
        part.subtype = lower(subtype);
        part.parameters = parameters(&parsed);
    }

    fn disposition(&mut self, value: &[u8]) -> Option<Disposition> {
        let parsed = self.parse(value)?;
        Some(Disposition { kind: lower(parsed.ctype()), parameters: parameters(&parsed) })
    }

    fn parse(&mut self, value: &[u8]) -> Option<ContentType<'static>> {
        let parameters = memchr::memchr_iter(b'=', value).count();
        let value = if value.len() > LONGEST_TYPE || parameters > MOST_PARAMETERS {
            self.broken("A part has too many parameters");
            value.get(..memchr::memchr(b';', value).unwrap_or(0)).unwrap_or_default()
        } else {
            value
        };
        // mail-parser takes bytes for UTF-8; other raw bytes are decoded before it sees them.
        let mut text =
            if std::str::from_utf8(value).is_ok() { value.to_vec() } else { decode_header(value).into_bytes() };
        text.push(b'\n');
        match MessageStream::new(&text).parse_content_type().into_owned() {
            HeaderValue::ContentType(parsed) => Some(parsed),
            _ => None,
        }
    }
}

/// Where a delimiter line ends and whether it is the last; `None` where the text found is something else, such as a longer
/// boundary that begins the same.
fn delimiter_line(text: &[u8], at: usize, len: usize) -> Option<(bool, usize)> {
    let starts_line = at == 0 || text.get(at - 1) == Some(&b'\n');
    let rest = text.get(at + len..).filter(|_| starts_line)?;
    let (is_last, rest) = rest.strip_prefix(b"--").map_or((false, rest), |rest| (true, rest));
    let end = memchr::memchr(b'\n', rest);
    let line = rest.get(..end.unwrap_or(rest.len()))?;
    let is_delimiter = is_last || line.iter().all(u8::is_ascii_whitespace);
    is_delimiter.then(|| (is_last, text.len() - rest.len() + end.map_or(rest.len(), |end| end + 1)))
}

fn before_line_end(text: &[u8], at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.strip_suffix(b"\n").map_or(at, |before| before.strip_suffix(b"\r").unwrap_or(before).len())
}

fn default_type(kind: Kind) -> BodyStructure {
    let (media_type, subtype) = match kind {
        Kind::Plain => ("text", "plain"),
        Kind::Message => ("message", "rfc822"),
    };
    BodyStructure { media_type: media_type.into(), subtype: subtype.into(), ..BodyStructure::default() }
}

/// A nested message may not be encoded (RFC 2046 section 5.2.1); one that is stays a file.
pub(super) fn is_plain_message(part: &BodyStructure) -> bool {
    use super::transfer::TransferEncoding::{Base64, QuotedPrintable, Uuencode};
    let is_message = part.media_type.as_ref() == b"message" && matches!(part.subtype.as_ref(), b"rfc822" | b"global");
    is_message && !matches!(super::parts::encoding_of(part), Base64 | QuotedPrintable | Uuencode)
}

/// What was not taken apart: a multipart is text, with everything in it; a message is a file.
fn opaque(mut part: BodyStructure) -> BodyStructure {
    if part.is_multipart() {
        (part.media_type, part.subtype) = ("text".into(), "plain".into());
    }
    part
}

fn lower(text: &str) -> Bytes {
    text.to_ascii_lowercase().into()
}

fn parameters(parsed: &ContentType<'_>) -> Vec<(Bytes, Bytes)> {
    let attributes = parsed.attributes().unwrap_or_default();
    attributes.iter().map(|a| (lower(&a.name), Bytes::copy_from_slice(a.value.as_bytes()))).collect()
}

#[cfg(test)]
mod tests;
