//! BODYSTRUCTURE of a raw message, complete as a server gives it: lines counted, defaults filled in, nested envelopes.

use super::envelope::envelope_text;
use super::headers::Headers;
use super::parsed::ParsedMessage;
use crate::imap::{BodyStructure, Envelope};
use bytes::Bytes;

/// What a server says of a message's structure (RFC 9051 section 7.5.2).
///
/// Text without a charset is `us-ascii` and what has no transfer encoding is `7bit` (RFC 2045 sections 5.2 and 6.1).
///
/// ```
/// use mailtide::imap::render;
/// use mailtide::message::{ParsedMessage, described_structure};
///
/// let message = ParsedMessage::parse("Subject: a\r\n\r\none\r\ntwo\r\n");
/// let text = render::body_structure(&described_structure(&message));
/// assert_eq!(text, r#"("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 10 2 NIL NIL NIL NIL)"#);
/// ```
#[must_use]
pub fn described_structure(message: &ParsedMessage) -> BodyStructure {
    let mut structure = message.structure().clone();
    let places: Vec<_> = message.contents().map(|(header, content)| (header, LineCount::Of(content))).collect();
    complete(&mut structure, &mut places.into_iter());
    structure
}

/// How many lines a content has.
#[derive(Clone, Copy, Debug)]
pub(super) enum LineCount<'a> {
    /// As many as these bytes, counted where they are wanted.
    Of(&'a [u8]),
    Known(u64),
}

impl LineCount<'_> {
    fn count(self) -> u64 {
        match self {
            Self::Of(content) => memchr::memchr_iter(b'\n', content).count() as u64,
            Self::Known(lines) => lines,
        }
    }
}

/// Completes parts in the order in which they are numbered, never deeper than the scan goes; of each is given its header
/// and its lines.
pub(super) fn complete<'a>(part: &mut BodyStructure, places: &mut dyn Iterator<Item = (&'a [u8], LineCount<'a>)>) {
    let (_, lines) = places.next().unwrap_or((b"", LineCount::Known(0)));
    if part.is_multipart() {
        part.parts.iter_mut().for_each(|child| complete(child, places));
        return;
    }
    part.encoding.get_or_insert_with(|| Bytes::from_static(b"7bit"));
    let is_text = part.media_type.as_ref() == b"text";
    if is_text && part.parameter("charset").is_none() {
        part.parameters.push(("charset".into(), "us-ascii".into()));
    }
    if is_text || !part.parts.is_empty() {
        part.lines = Some(lines.count());
    }
    if let Some(child) = part.parts.first_mut() {
        // The next place is that of the nested message.
        let mut places = places.peekable();
        let header = places.peek().map(|(header, _)| header.to_vec()).unwrap_or_default();
        part.envelope = Envelope::parse(envelope_text(&Headers::parse(header))).ok().map(Box::new);
        complete(child, &mut places);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::render;

    #[test]
    fn a_nested_message_has_its_envelope_and_its_lines() {
        let raw = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\npart one\r\n--b\r\n\
            Content-Type: message/rfc822\r\n\r\nSubject: inner\r\nFrom: in@example.org\r\n\r\ninside\r\n--b--\r\n";
        let message = ParsedMessage::parse(raw);
        let text = render::body(&described_structure(&message));
        let from = r#"((NIL NIL "in" "example.org"))"#;
        let leaf =
            |octets, lines| format!(r#"("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" {octets} {lines})"#);
        let expected = format!(
            r#"({}("message" "rfc822" NIL NIL NIL "7bit" 46 (NIL "inner" {from} {from} {from} NIL NIL NIL NIL NIL) {} 3) "mixed")"#,
            leaf(8, 0),
            leaf(6, 0)
        );
        assert_eq!(String::from_utf8_lossy(&text), expected);
        assert_eq!(message.part_header(&[1]), Some(&b"\r\n"[..]));
        let (header, text) = message.nested(&[2]).unwrap();
        assert_eq!((header.len(), text), (40, &b"inside"[..]));
        assert_eq!(message.nested(&[1]), None);
        assert!(message.header_block().ends_with(b"boundary=b\r\n\r\n"));
    }
}
