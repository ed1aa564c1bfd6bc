//! ENVELOPE and BODYSTRUCTURE as IMAP text (RFC 9051 section 7.5.2), the way a correct server writes them: what a store
//! keeps of a message, whatever faults the text had when it came.

use super::{Address, AddressList, BodyStructure, Disposition, Envelope};
use bytes::Bytes;

/// Longest string that is written in quotes.
const QUOTED: usize = 4096;

/// An ENVELOPE.
#[must_use]
pub fn envelope(envelope: &Envelope) -> Bytes {
    let mut out = Vec::new();
    write_envelope(&mut out, envelope);
    out.into()
}

/// A BODYSTRUCTURE.
#[must_use]
pub fn body_structure(part: &BodyStructure) -> Bytes {
    let mut out = Vec::new();
    write_part(&mut out, part, true);
    out.into()
}

/// The same without its extension data, as the item BODY wants it.
#[must_use]
pub fn body(part: &BodyStructure) -> Bytes {
    let mut out = Vec::new();
    write_part(&mut out, part, false);
    out.into()
}

/// A string, or `NIL`.
pub fn nstring(out: &mut Vec<u8>, text: Option<&[u8]>) {
    match text {
        Some(text) => string(out, text),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// In quotes where it may be, else a literal: line ends, and bytes of no known charset.
pub fn string(out: &mut Vec<u8>, text: &[u8]) {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t');
    if text.len() > QUOTED || !text.iter().all(is_plain) {
        out.extend_from_slice(format!("{{{}}}\r\n", text.len()).as_bytes());
        out.extend_from_slice(text);
        return;
    }
    quoted(out, text);
}

/// In quotes, for text that is known to be without line ends.
pub fn quoted(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

fn write_envelope(out: &mut Vec<u8>, e: &Envelope) {
    out.push(b'(');
    nstring(out, e.date());
    word(out, |out| nstring(out, e.subject()));
    for list in AddressList::ALL {
        word(out, |out| addresses(out, e.addresses(list)));
    }
    word(out, |out| nstring(out, e.in_reply_to()));
    word(out, |out| nstring(out, e.message_id()));
    out.push(b')');
}

fn addresses<'a>(out: &mut Vec<u8>, all: impl ExactSizeIterator<Item = Address<'a>>) {
    if all.len() == 0 {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for Address { name, route, mailbox, host } in all {
        out.push(b'(');
        nstring(out, name);
        for field in [route, mailbox, host] {
            word(out, |out| nstring(out, field));
        }
        out.push(b')');
    }
    out.push(b')');
}

/// As deep as the parser's limit lets a structure be.
fn write_part(out: &mut Vec<u8>, part: &BodyStructure, extended: bool) {
    out.push(b'(');
    if part.is_multipart() && !part.parts.is_empty() {
        part.parts.iter().for_each(|child| write_part(out, child, extended));
        word(out, |out| string(out, &part.subtype));
        if extended {
            word(out, |out| parameters(out, &part.parameters));
        }
    } else {
        write_leaf(out, part, extended);
    }
    if extended {
        write_extension(out, part);
    }
    out.push(b')');
}

fn write_extension(out: &mut Vec<u8>, part: &BodyStructure) {
    word(out, |out| disposition(out, part.disposition.as_ref()));
    word(out, |out| language(out, &part.language));
    word(out, |out| nstring(out, part.location.as_deref()));
}

fn write_leaf(out: &mut Vec<u8>, part: &BodyStructure, extended: bool) {
    string(out, &part.media_type);
    word(out, |out| string(out, &part.subtype));
    word(out, |out| parameters(out, &part.parameters));
    for field in [&part.id, &part.description, &part.encoding] {
        word(out, |out| nstring(out, field.as_deref()));
    }
    word(out, |out| number(out, part.octets));
    if let Some(child) = part.parts.first() {
        word(out, |out| match &part.envelope {
            Some(envelope) => write_envelope(out, envelope),
            None => out.extend_from_slice(b"NIL"),
        });
        word(out, |out| write_part(out, child, extended));
    }
    if part.lines.is_some() {
        word(out, |out| number(out, part.lines));
    }
    if extended {
        word(out, |out| nstring(out, part.md5.as_deref()));
    }
}

fn parameters(out: &mut Vec<u8>, pairs: &[(Bytes, Bytes)]) {
    if pairs.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for (at, (name, value)) in pairs.iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        string(out, name);
        word(out, |out| string(out, value));
    }
    out.push(b')');
}

fn disposition(out: &mut Vec<u8>, disposition: Option<&Disposition>) {
    let Some(Disposition { kind, parameters: pairs }) = disposition else {
        out.extend_from_slice(b"NIL");
        return;
    };
    out.push(b'(');
    string(out, kind);
    word(out, |out| parameters(out, pairs));
    out.push(b')');
}

fn language(out: &mut Vec<u8>, all: &[Bytes]) {
    match all {
        [] => out.extend_from_slice(b"NIL"),
        [single] => string(out, single),
        [first, more @ ..] => {
            out.push(b'(');
            string(out, first);
            more.iter().for_each(|one| word(out, |out| string(out, one)));
            out.push(b')');
        }
    }
}

fn number(out: &mut Vec<u8>, number: Option<u64>) {
    match number {
        Some(number) => out.extend_from_slice(number.to_string().as_bytes()),
        None => out.extend_from_slice(b"NIL"),
    }
}

fn word(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b' ');
    write(out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::{Response, Untagged, parse_response};
    use crate::limits::Limits;
    use crate::wire::Frame;

    fn read(envelope: &str, structure: &str) -> (Envelope, BodyStructure) {
        let line = format!("* 1 FETCH (UID 1 ENVELOPE {envelope} BODYSTRUCTURE {structure})");
        let frame = Frame::text(Bytes::from(line.clone()));
        let Ok(Response::Data(Untagged::Fetch(row))) = parse_response(&frame, &Limits::default(), false) else {
            panic!("{line}")
        };
        (row.envelope.unwrap(), row.body_structure.unwrap().read().unwrap())
    }

    const ENVELOPE: &str = r#"("Mon, 1 Jan 2024" "a \"quoted\" \\ one" (("Ada" NIL "ada" "x.org")(NIL NIL "group" NIL)(NIL NIL NIL NIL)) NIL NIL (("" NIL "b" "c")) NIL NIL NIL "<1@x>")"#;
    const LEAF: &str = r#"("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 12 1 NIL ("attachment" ("filename" "a b")) ("en" "de") "where")"#;

    #[test]
    fn what_is_written_reads_back_the_same() {
        let nested = format!(r#"("message" "rfc822" NIL NIL NIL "7bit" 99 {ENVELOPE} {LEAF} 7 NIL NIL NIL NIL)"#);
        let structures = [
            LEAF.to_owned(),
            r#"("image" "png" NIL "<id>" "what" "base64" NIL NIL NIL "en" NIL)"#.to_owned(),
            nested.clone(),
            format!(r#"({LEAF}{nested} "mixed" ("boundary" "=_x") NIL NIL NIL)"#),
        ];
        for structure in structures {
            let (envelope, part) = read(ENVELOPE, &structure);
            let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
            let (shown, again) = (text(super::envelope(&envelope)), text(body_structure(&part)));
            assert_eq!((shown.as_str(), again.as_str()), (ENVELOPE, structure.as_str()));
            assert_eq!(read(&shown, &again), (envelope, part));
        }
    }

    #[test]
    fn what_quotes_cannot_hold_is_a_literal() {
        let subject = |text: &[u8]| {
            let head = format!("(NIL {{{}}}\r\n", text.len());
            let tail = b" NIL NIL NIL NIL NIL NIL NIL NIL)";
            Envelope::parse([head.as_bytes(), text, tail].concat()).unwrap()
        };
        let shown = envelope(&subject(b"a\r\nb"));
        assert!(shown.starts_with(b"(NIL {4}\r\na\r\nb NIL"));
        assert!(envelope(&subject(b"caf\xe9")).starts_with(b"(NIL {4}\r\ncaf\xe9 NIL"));
    }
}
