//! The bytes of a section (RFC 9051 section 6.4.5, RFC 3516).

use super::decoded::Decoding;
use super::large::{Large, Work};
use super::message::{Looked, Message, Taken};
use super::stream::Source;
use crate::error::{Code, MailError, Result};
use crate::imap::BodyStructure;
use crate::message::{ParsedMessage, TransferEncoding, decode_transfer, part_at};
use crate::server::command::{SectionItem, SectionKind};
use bytes::Bytes;
use std::ops::Range;
use std::sync::Arc;

/// Most bytes of the header of a nested message whose fields are chosen, in a large one.
const HEADER: u64 = 2 << 20;

/// What a section holds.
pub(super) enum Data {
    /// There is no such part.
    None,
    /// Bytes, and whether they need a literal8.
    Bytes(Bytes, bool),
    /// So many bytes that are read as they are written, and whether they may need a literal8.
    Stream(Source, u64, bool),
    Number(u64),
}

pub(super) fn section(message: &Message<'_>, item: &SectionItem) -> Looked<Data> {
    let is_whole = item.path.is_empty();
    // A header is held also where the body is not.
    Ok(match &item.kind {
        SectionKind::Content if is_whole => whole(message, item.partial)?,
        SectionKind::Header if is_whole => bytes(message.header()?, item),
        SectionKind::Fields(names, wanted) if is_whole => bytes(fields(&message.header()?, names, *wanted), item),
        _ => match message.taken()? {
            Taken::Parsed(parsed) => of_parsed(parsed, item)?.map_or(Data::None, |found| bytes(found, item)),
            Taken::Large(large) => return of_large(message, large, item),
        },
    })
}

fn bytes(bytes: Bytes, item: &SectionItem) -> Data {
    if item.kind == SectionKind::BinarySize {
        return Data::Number(bytes.len() as u64);
    }
    let bytes = cut(bytes, item.partial);
    let is_binary = item.kind == SectionKind::Binary && bytes.contains(&0);
    Data::Bytes(bytes, is_binary)
}

fn cut(mut bytes: Bytes, partial: Option<(u32, u32)>) -> Bytes {
    let at = cut_range(&(0..bytes.len() as u64), partial);
    // Places in what is in memory.
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    bytes.truncate(place(at.end));
    bytes.split_off(place(at.start).min(bytes.len()))
}

/// The part of a place that is asked for, as far as there is any.
fn cut_range(at: &Range<u64>, partial: Option<(u32, u32)>) -> Range<u64> {
    let Some((first, count)) = partial else { return at.clone() };
    let first = (at.start + u64::from(first)).min(at.end);
    first..(first + u64::from(count)).min(at.end)
}

/// A whole message is not held in memory, unless it had to be fetched.
fn whole(message: &Message<'_>, partial: Option<(u32, u32)>) -> Result<Data> {
    if let Some(given) = message.given() {
        return Ok(Data::Bytes(cut(given.clone(), partial), false));
    }
    let mut content = message.content()?;
    let at = cut_range(&(0..content.size()), partial);
    if at.start > 0 {
        content.seek(at.start);
    }
    Ok(Data::Stream(Source::Content(Box::new(content)), at.end - at.start, false))
}

fn of_parsed(parsed: &ParsedMessage, item: &SectionItem) -> Result<Option<Bytes>> {
    let path = item.path.as_slice();
    let own = |bytes: &[u8]| parsed.raw().slice_ref(bytes);
    Ok(match &item.kind {
        SectionKind::Text if path.is_empty() => Some(own(parsed.text_block())),
        SectionKind::Content => parsed.section(path).map(own),
        SectionKind::Mime => parsed.part_header(path).map(own),
        SectionKind::Header => parsed.nested(path).map(|(header, _)| own(header)),
        SectionKind::Text => parsed.nested(path).map(|(_, text)| own(text)),
        SectionKind::Fields(names, wanted) => parsed.nested(path).map(|(header, _)| fields(header, names, *wanted)),
        SectionKind::Binary | SectionKind::BinarySize => decoded(parsed, path)?,
    })
}

/// A part without its transfer encoding; of the whole message there is none.
fn decoded(parsed: &ParsedMessage, path: &[u32]) -> Result<Option<Bytes>> {
    if path.is_empty() {
        return Ok(Some(parsed.raw().clone()));
    }
    let (Some(content), Some(part)) = (parsed.section(path), part_at(parsed.structure(), path)) else {
        return Ok(None);
    };
    Ok(Some(decode_transfer(content, encoding(part)?).into()))
}

fn encoding(part: &BodyStructure) -> Result<TransferEncoding> {
    let label = part.encoding.as_deref().unwrap_or(b"7bit");
    let encoding = TransferEncoding::from_label(label);
    let is_known = [&b"7bit"[..], b"8bit", b"binary"].iter().any(|known| label.eq_ignore_ascii_case(known));
    if encoding == TransferEncoding::Identity && !is_known {
        return Err(MailError::new(Code::MessageMalformed, "This transfer encoding is not known"));
    }
    Ok(encoding)
}

/// Of a large message no more is in memory than is written at a time.
fn of_large(message: &Message<'_>, large: &Arc<Large>, item: &SectionItem) -> Looked<Data> {
    let (outlined, path) = (large.outlined(), item.path.as_slice());
    let found = match &item.kind {
        SectionKind::Text if path.is_empty() => Some(outlined.text_block()),
        SectionKind::Content => outlined.section(path),
        SectionKind::Mime => outlined.part_header(path),
        SectionKind::Header => outlined.nested(path).map(|(header, _)| header),
        SectionKind::Text => outlined.nested(path).map(|(_, text)| text),
        SectionKind::Fields(names, wanted) => {
            let Some((header, _)) = outlined.nested(path) else { return Ok(Data::None) };
            return Ok(bytes(fields(&message.bytes(&header, HEADER)?, names, *wanted), item));
        }
        SectionKind::Binary | SectionKind::BinarySize => return decoded_large(message, large, item),
    };
    Ok(found.map(|at| stretch(message, &at, item)).transpose()?.unwrap_or(Data::None))
}

/// The bytes at that place as they are.
fn stretch(message: &Message<'_>, at: &Range<u64>, item: &SectionItem) -> Result<Data> {
    if item.kind == SectionKind::BinarySize {
        return Ok(Data::Number(at.end - at.start));
    }
    let (at, mut content) = (cut_range(at, item.partial), message.content()?);
    content.seek(at.start);
    let is_binary = item.kind == SectionKind::Binary;
    Ok(Data::Stream(Source::Content(Box::new(content)), at.end - at.start, is_binary))
}

fn decoded_large(message: &Message<'_>, large: &Arc<Large>, item: &SectionItem) -> Looked<Data> {
    let (outlined, path) = (large.outlined(), item.path.as_slice());
    if path.is_empty() {
        let all = 0..message.content()?.size();
        return Ok(stretch(message, &all, item)?);
    }
    let (Some(at), Some(part)) = (outlined.section(path), part_at(outlined.structure(), path)) else {
        return Ok(Data::None);
    };
    let encoding = encoding(part)?;
    if encoding == TransferEncoding::Identity {
        return Ok(stretch(message, &at, item)?);
    }
    let content = message.content()?;
    let Some(decoded) = large.decoded(&at) else {
        return Err(Work::decode(large, at, content, encoding).into());
    };
    if item.kind == SectionKind::BinarySize {
        return Ok(Data::Number(decoded.size));
    }
    let wanted = cut_range(&(0..decoded.size), item.partial);
    let decoding = Decoding::new(&decoded, content, &at, wanted.start);
    Ok(Data::Stream(Source::Decoding(Box::new(decoding)), wanted.end - wanted.start, true))
}

/// The fields of a header that have these names, or the others, and an empty line.
fn fields(header: &[u8], names: &[String], wanted: bool) -> Bytes {
    let mut out = Vec::new();
    let mut is_taken = false;
    for line in header.split_inclusive(|byte| *byte == b'\n') {
        if matches!(line, b"\r\n" | b"\n") {
            break;
        }
        // A folded line belongs to the field before it.
        if !matches!(line.first(), Some(b' ' | b'\t')) {
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii_end();
            is_taken = names.iter().any(|wanted| name.eq_ignore_ascii_case(wanted.as_bytes())) == wanted;
        }
        if is_taken {
            out.extend_from_slice(line);
        }
    }
    if !out.is_empty() && !out.ends_with(b"\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_chosen_with_their_folded_lines() {
        let header = b"From: a\r\nSubject: x\r\n y\r\nX-Long : z\r\n\r\n";
        let chosen = |names: &[&str], wanted| {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            String::from_utf8(fields(header, &names, wanted).to_vec()).unwrap()
        };
        assert_eq!(chosen(&["subject", "x-long"], true), "Subject: x\r\n y\r\nX-Long : z\r\n\r\n");
        assert_eq!(chosen(&["subject", "x-long"], false), "From: a\r\n\r\n");
        assert_eq!(chosen(&["none"], true), "\r\n");
    }
}
