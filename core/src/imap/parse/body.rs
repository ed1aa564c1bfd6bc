//! BODYSTRUCTURE (RFC 9051 section 7.5.2), with the faults that servers have in it.

use super::words::lower;
use super::{Result, envelope, fetch};
use crate::imap::{BodyStructure, Disposition};
use crate::wire::Cursor;
use bytes::Bytes;

/// A part and all below it. Recurses as deep as the cursor's limit allows.
pub(in crate::imap) fn body(c: &mut Cursor<'_>) -> Result<BodyStructure> {
    let mut part = BodyStructure::default();
    c.keep(10)?;
    c.open()?;
    match c.peek_value() {
        // Gmail sends `()` for a part that it cannot read.
        Some(b')') => {}
        Some(b'(') => multipart(c, &mut part)?,
        _ => {
            let first = lower(c.nbytes()?.unwrap_or_default());
            // A multipart of no parts shows its parameters where others have their subtype.
            if c.peek_value() == Some(b'(') {
                (part.media_type, part.subtype) = (MULTIPART, first);
                part.parameters = parameters(c)?;
                extension(c, &mut part)?;
            } else {
                part.media_type = first;
                single(c, &mut part)?;
            }
        }
    }
    rest(c)?;
    Ok(part)
}

const MULTIPART: Bytes = Bytes::from_static(b"multipart");

fn multipart(c: &mut Cursor<'_>, part: &mut BodyStructure) -> Result<()> {
    part.media_type = MULTIPART;
    while c.peek_value() == Some(b'(') {
        if part.parts.is_empty() {
            part.parts.reserve_exact(2);
        }
        part.parts.push(body(c)?);
    }
    if has_more(c) {
        part.subtype = lower(c.nbytes()?.unwrap_or_default());
    }
    if has_more(c) {
        part.parameters = parameters(c)?;
    }
    extension(c, part)
}

fn single(c: &mut Cursor<'_>, part: &mut BodyStructure) -> Result<()> {
    part.subtype = optional(c)?.map(lower).unwrap_or_default();
    if has_more(c) {
        part.parameters = parameters(c)?;
    }
    part.id = optional(c)?;
    part.description = optional(c)?;
    part.encoding = optional(c)?.map(lower);
    part.octets = number(c)?;
    if part.media_type.as_ref() == b"message" && matches!(part.subtype.as_ref(), b"rfc822" | b"global") {
        nested(c, part)?;
    }
    // Exchange leaves the lines of a text out, or sends -1.
    if matches!(c.peek_value(), Some(b'0'..=b'9' | b'-')) {
        part.lines = number(c)?;
    }
    part.md5 = optional(c)?;
    extension(c, part)
}

/// Envelope and body of a nested message. Exchange sends NIL for the envelope; others leave out both.
fn nested(c: &mut Cursor<'_>, part: &mut BodyStructure) -> Result<()> {
    if c.peek_value() == Some(b'(') {
        part.envelope = Some(Box::new(envelope::envelope(c)?));
    } else {
        let mut ahead = c.clone();
        if !(ahead.nil() && is_body(&ahead)) {
            return Ok(());
        }
        *c = ahead;
    }
    if c.peek_value() == Some(b'(') {
        envelope::push_tight(&mut part.parts, [body(c)?]);
    }
    Ok(())
}

/// Whether a list begins as a body does: with two strings, or with another list.
fn is_body(c: &Cursor<'_>) -> bool {
    let mut ahead = c.clone();
    ahead.open().is_ok()
        && (ahead.peek_value() == Some(b'(') || ahead.string().is_ok() && ahead.peek_value() == Some(b'"'))
}

/// Whether a list begins as a disposition with parameters does.
fn is_disposition(c: &Cursor<'_>) -> bool {
    let mut ahead = c.clone();
    ahead.open().is_ok() && ahead.string().is_ok() && ahead.peek_value() == Some(b'(')
}

/// Disposition, language and location: what both kinds of parts end in.
fn extension(c: &mut Cursor<'_>, part: &mut BodyStructure) -> Result<()> {
    if !has_more(c) {
        return Ok(());
    }
    part.disposition = disposition(c)?;
    // One NIL too many before it: a text whose lines were NIL.
    if part.disposition.is_none() && is_disposition(c) {
        part.disposition = disposition(c)?;
    }
    if has_more(c) {
        part.language = language(c)?;
    }
    part.location = optional(c)?;
    Ok(())
}

/// A disposition, as a list or (Exchange) as a string alone.
fn disposition(c: &mut Cursor<'_>) -> Result<Option<Disposition>> {
    if c.peek_value() != Some(b'(') {
        return Ok(c.nbytes()?.map(|kind| Disposition { kind: lower(kind), parameters: Vec::new() }));
    }
    c.open()?;
    let Some(kind) = optional(c)? else {
        rest(c)?;
        return Ok(None);
    };
    let parameters = match c.peek_value() {
        Some(b')') => Vec::new(),
        // Its parameters without parentheses of their own.
        Some(b'"') => pairs(c)?,
        _ => parameters(c)?,
    };
    rest(c)?;
    Ok(Some(Disposition { kind: lower(kind), parameters }))
}

/// `("name" "value" …)`, or NIL. Anything else is skipped.
fn parameters(c: &mut Cursor<'_>) -> Result<Vec<(Bytes, Bytes)>> {
    if c.peek_value() != Some(b'(') {
        c.nbytes()?;
        return Ok(Vec::new());
    }
    c.open()?;
    let pairs = pairs(c)?;
    rest(c)?;
    Ok(pairs)
}

/// Names and values up to the closing parenthesis; mail.ru sends NIL for an empty value.
fn pairs(c: &mut Cursor<'_>) -> Result<Vec<(Bytes, Bytes)>> {
    let mut pairs = Vec::new();
    while has_more(c) {
        c.keep(2)?;
        let name = optional(c)?.map(lower);
        let value = optional(c)?;
        envelope::push_tight(&mut pairs, name.map(|name| (name, value.unwrap_or_default())));
    }
    Ok(pairs)
}

fn language(c: &mut Cursor<'_>) -> Result<Vec<Bytes>> {
    let mut all = Vec::new();
    if c.peek_value() != Some(b'(') {
        all.extend(c.nbytes()?);
        return Ok(all);
    }
    c.open()?;
    while has_more(c) {
        c.keep(1)?;
        all.extend(optional(c)?);
    }
    rest(c)?;
    Ok(all)
}

/// Skips what is left of a list, and its closing parenthesis.
fn rest(c: &mut Cursor<'_>) -> Result<()> {
    while !c.close()? {
        fetch::skip(c)?;
    }
    Ok(())
}

/// Whether the list goes on. The end of the response is found by whoever closes the list.
fn has_more(c: &mut Cursor<'_>) -> bool {
    !matches!(c.peek_value(), None | Some(b')' | b'\r' | b'\n'))
}

/// A string, `NIL` or nothing; a list in its place is skipped.
fn optional(c: &mut Cursor<'_>) -> Result<Option<Bytes>> {
    if !has_more(c) {
        return Ok(None);
    }
    if c.peek() == Some(b'(') { fetch::skip(c).map(|()| None) } else { c.nbytes() }
}

/// A number; `None` for what is none, such as `NIL` and `-1`.
fn number(c: &mut Cursor<'_>) -> Result<Option<u64>> {
    match c.peek_value() {
        Some(b'0'..=b'9') => c.number().map(Some),
        _ => optional(c).map(|_| None),
    }
}
