//! The bytes of a section (RFC 9051 section 6.4.5, RFC 3516).

use super::message::Message;
use crate::error::{Code, MailError, Result};
use crate::message::{TransferEncoding, decode_transfer, part_at};
use crate::server::command::{SectionItem, SectionKind};
use crate::store::body::Content;
use bytes::Bytes;

/// What a section holds.
pub(super) enum Data {
    /// There is no such part.
    None,
    /// Bytes, and whether they need a literal8.
    Bytes(Bytes, bool),
    /// So many bytes of a content, from where it stands.
    Content(Box<Content>, u64),
    Number(u64),
}

pub(super) fn section(message: &Message<'_>, item: &SectionItem) -> Result<Data> {
    if item.path.is_empty() && item.kind == SectionKind::Content {
        return whole(message, item.partial);
    }
    let Some(bytes) = bytes(message, item)? else { return Ok(Data::None) };
    if item.kind == SectionKind::BinarySize {
        return Ok(Data::Number(bytes.len() as u64));
    }
    let bytes = cut(bytes, item.partial);
    let is_binary = item.kind == SectionKind::Binary && bytes.contains(&0);
    Ok(Data::Bytes(bytes, is_binary))
}

fn cut(bytes: Bytes, partial: Option<(u32, u32)>) -> Bytes {
    let Some((first, count)) = partial else { return bytes };
    let first = (first as usize).min(bytes.len());
    bytes.slice(first..first.saturating_add(count as usize).min(bytes.len()))
}

/// A whole message is not held in memory, unless it had to be fetched.
fn whole(message: &Message<'_>, partial: Option<(u32, u32)>) -> Result<Data> {
    if let Some(given) = message.given() {
        return Ok(Data::Bytes(cut(given.clone(), partial), false));
    }
    let mut content = message.content()?;
    let (first, count) = partial.map_or((0, u64::MAX), |(first, count)| (u64::from(first), u64::from(count)));
    let first = first.min(content.size());
    if first > 0 {
        content.seek(first);
    }
    let length = count.min(content.size() - first);
    Ok(Data::Content(Box::new(content), length))
}

fn bytes(message: &Message<'_>, item: &SectionItem) -> Result<Option<Bytes>> {
    let path = item.path.as_slice();
    // A header is held also where the body is not.
    match &item.kind {
        SectionKind::Header if path.is_empty() => return message.header().map(Some),
        SectionKind::Fields(names, wanted) if path.is_empty() => {
            return Ok(Some(fields(&message.header()?, names, *wanted)));
        }
        _ => {}
    }
    let parsed = message.parsed()?;
    let own = |bytes: &[u8]| parsed.raw().slice_ref(bytes);
    Ok(match &item.kind {
        SectionKind::Text if path.is_empty() => Some(own(parsed.text_block())),
        SectionKind::Content => parsed.section(path).map(own),
        SectionKind::Mime => parsed.part_header(path).map(own),
        SectionKind::Header => parsed.nested(path).map(|(header, _)| own(header)),
        SectionKind::Text => parsed.nested(path).map(|(_, text)| own(text)),
        SectionKind::Fields(names, wanted) => parsed.nested(path).map(|(header, _)| fields(header, names, *wanted)),
        SectionKind::Binary | SectionKind::BinarySize => decoded(message, path)?,
    })
}

/// A part without its transfer encoding; of the whole message there is none.
fn decoded(message: &Message<'_>, path: &[u32]) -> Result<Option<Bytes>> {
    let parsed = message.parsed()?;
    if path.is_empty() {
        return Ok(Some(parsed.raw().clone()));
    }
    let (Some(content), Some(part)) = (parsed.section(path), part_at(parsed.structure(), path)) else {
        return Ok(None);
    };
    let label = part.encoding.as_deref().unwrap_or(b"7bit");
    let encoding = TransferEncoding::from_label(label);
    let is_known = [&b"7bit"[..], b"8bit", b"binary"].iter().any(|known| label.eq_ignore_ascii_case(known));
    if encoding == TransferEncoding::Identity && !is_known {
        return Err(MailError::new(Code::MessageMalformed, "This transfer encoding is not known"));
    }
    Ok(Some(decode_transfer(content, encoding).into()))
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
