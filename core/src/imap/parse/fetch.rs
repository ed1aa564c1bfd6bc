//! FETCH rows. A fault in one item is a problem of the row; the other items stand.

use super::{Result, body, envelope};
use crate::imap::{FetchRow, Flag, InternalDate, Section, SectionData, StructureText};
use crate::wire::Cursor;
use bytes::Bytes;

/// The row after `* n FETCH`.
pub(super) fn row(c: &mut Cursor<'_>, seq: u32) -> Box<FetchRow> {
    let mut row = Box::new(FetchRow { seq, ..FetchRow::default() });
    if let Err(error) = items(c, &mut row) {
        row.problems.push((Bytes::new(), error.to_string()));
    }
    row
}

/// The row after `* n UIDFETCH` (RFC 9586), where the number is the UID.
pub(super) fn uid_row(c: &mut Cursor<'_>, uid: u32) -> Box<FetchRow> {
    let mut row = row(c, 0);
    row.uid = Some(uid);
    row
}

/// Most items of a row that can be read wrongly before the row is given up.
const MAX_PROBLEMS: usize = 32;

/// Most numbers in the name of a section: far more than parts can nest.
const MAX_PATH: usize = 100;

fn items(c: &mut Cursor<'_>, row: &mut FetchRow) -> Result<()> {
    c.open()?;
    while !c.close()? {
        let name = c.keyword()?;
        let before = c.clone();
        if let Err(error) = item(c, row, name) {
            if row.problems.len() >= MAX_PROBLEMS {
                return Err(error);
            }
            row.problems.push((Bytes::copy_from_slice(name), error.to_string()));
            // What is skipped has the same broken quotes as what could not be read.
            let structure = c.in_structure(false);
            *c = before;
            c.in_structure(structure);
            if c.peek_value() != Some(b')') {
                skip(c)?;
            }
        }
        c.in_structure(false);
    }
    Ok(())
}

fn item(c: &mut Cursor<'_>, row: &mut FetchRow, name: &[u8]) -> Result<()> {
    let is = |word: &[u8]| name.eq_ignore_ascii_case(word);
    match name.len() {
        3 if is(b"UID") => row.uid = Some(c.number32().and_then(|n| nonzero(c, n))?),
        4 if is(b"BODY") => row.body_structure = Some(structure(c)?),
        5 if is(b"FLAGS") => row.flags = Some(flags(c)?),
        6 if is(b"RFC822") => section(c, row, Section::default(), None)?,
        6 if is(b"MODSEQ") => row.mod_seq = Some(mod_seq(c)?),
        7 if is(b"EMAILID") => row.email_id = object_id(c)?,
        7 if is(b"PREVIEW") => row.preview = preview(c)?,
        8 if is(b"ENVELOPE") => {
            c.in_structure(true);
            row.envelope = Some(envelope::envelope(c)?);
        }
        8 if is(b"THREADID") => row.thread_id = object_id(c)?,
        8 if is(b"SAVEDATE") => row.save_date = date(c)?,
        11 if is(b"RFC822.SIZE") => row.size = Some(c.number()?),
        11 if is(b"RFC822.TEXT") => section(c, row, named_section("TEXT"), None)?,
        12 if is(b"INTERNALDATE") => row.internal_date = date(c)?,
        13 if is(b"BODYSTRUCTURE") => row.body_structure = Some(structure(c)?),
        13 if is(b"RFC822.HEADER") => section(c, row, named_section("HEADER"), None)?,
        _ => match section_name(name) {
            Some((wanted, origin)) => section(c, row, wanted, origin)?,
            None => row.other.push((Bytes::copy_from_slice(name), c.value()?)),
        },
    }
    Ok(())
}

fn nonzero(c: &Cursor<'_>, number: u32) -> Result<u32> {
    if number == 0 { Err(c.expected("a number above 0")) } else { Ok(number) }
}

/// A structure is passed over; one with a large literal in it is read here, since its text is in pieces.
fn structure(c: &mut Cursor<'_>) -> Result<StructureText> {
    c.in_structure(true);
    c.peek_value();
    let mut after = c.clone();
    skip(&mut after)?;
    let text = after.since(c);
    let structure = match text {
        Some(text) => StructureText::new(text),
        None => StructureText::of(body::body(c)?),
    };
    *c = after;
    Ok(structure)
}

/// Flags in parentheses. Some servers leave out the spaces between system flags.
pub(super) fn flags(c: &mut Cursor<'_>) -> Result<Vec<Flag>> {
    let mut flags = Vec::new();
    if c.nil() {
        return Ok(flags);
    }
    c.list(|c| {
        let word = c.atext()?;
        c.keep(2 * (1 + word.iter().skip(1).filter(|b| **b == b'\\').count()))?;
        match word.iter().skip(1).any(|b| *b == b'\\') && word.starts_with(b"\\") {
            true => flags.extend(glued(&word)),
            false if word.is_empty() => {}
            false => flags.push(Flag::from_server(&word)),
        }
        Ok(())
    })?;
    Ok(flags)
}

fn glued(word: &[u8]) -> impl Iterator<Item = Flag> + '_ {
    let names = word.split(|b| *b == b'\\').filter(|name| !name.is_empty());
    names.map(|name| Flag::from_server(&[b"\\", name].concat()))
}

/// `(12345)`, or the number alone.
fn mod_seq(c: &mut Cursor<'_>) -> Result<u64> {
    if c.peek_value() != Some(b'(') {
        return c.number();
    }
    c.open()?;
    let number = c.number()?;
    while !c.close()? {
        skip(c)?;
    }
    Ok(number)
}

/// `(id)` or NIL.
fn object_id(c: &mut Cursor<'_>) -> Result<Option<Bytes>> {
    if c.peek_value() != Some(b'(') {
        return c.nbytes();
    }
    let mut id = None;
    c.list(|c| {
        id = c.nbytes()?;
        Ok(())
    })?;
    Ok(id)
}

/// A string or NIL; early drafts wrapped it together with the name of the algorithm.
fn preview(c: &mut Cursor<'_>) -> Result<Option<Bytes>> {
    object_id(c)
}

fn date(c: &mut Cursor<'_>) -> Result<Option<InternalDate>> {
    match c.ntext()? {
        None => Ok(None),
        Some(date) => InternalDate::parse(&date).map(Some).ok_or_else(|| c.expected("a date")),
    }
}

fn section(c: &mut Cursor<'_>, row: &mut FetchRow, section: Section, origin: Option<u64>) -> Result<()> {
    c.keep(4)?;
    let data = c.nstring()?;
    envelope::push_tight(&mut row.sections, [SectionData { section, origin, data }]);
    Ok(())
}

fn named_section(text: &str) -> Section {
    Section { text: text.to_owned(), ..Section::default() }
}

/// `BODY[1.2.HEADER]<0>` or `BINARY[1]`: which section, and its origin.
fn section_name(name: &[u8]) -> Option<(Section, Option<u64>)> {
    let open = name.iter().position(|b| *b == b'[')?;
    let close = name.iter().rposition(|b| *b == b']').filter(|close| *close > open)?;
    let binary = match name.get(..open)? {
        n if n.eq_ignore_ascii_case(b"BODY") => false,
        n if n.eq_ignore_ascii_case(b"BINARY") => true,
        _ => return None,
    };
    let origin = match name.get(close + 1..)? {
        [] => None,
        range => Some(origin(range)?),
    };
    let mut section = Section { binary, ..Section::default() };
    let mut rest = std::str::from_utf8(name.get(open + 1..close)?).ok()?;
    while let (Some((number, after)), true) = (leading_number(rest), section.path.len() < MAX_PATH) {
        section.path.push(number);
        rest = after;
    }
    section.text = rest.to_ascii_uppercase();
    Some((section, origin))
}

fn leading_number(text: &str) -> Option<(u32, &str)> {
    let (number, rest) = text.split_once('.').unwrap_or((text, ""));
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((number.parse().ok()?, rest))
}

/// `<0>`; some servers repeat the length as well.
fn origin(range: &[u8]) -> Option<u64> {
    let inner = range.strip_prefix(b"<")?.strip_suffix(b">")?;
    std::str::from_utf8(inner.split(|b| *b == b'.').next()?).ok()?.parse().ok()
}

/// Passes over one value, however deep, without recursion and without counting it against the depth.
pub(super) fn skip(c: &mut Cursor<'_>) -> Result<()> {
    let mut depth = 0u64;
    loop {
        match c.peek_value() {
            Some(b'(') => depth += u64::from(c.eat(b'(')),
            Some(b')') if depth > 0 => depth -= u64::from(c.eat(b')')),
            Some(b'"') => drop(c.ntext()?),
            Some(b'{') => drop(c.string()?),
            Some(b'~') if c.rest().starts_with(b"~{") => drop(c.string()?),
            _ => drop(c.keyword()?),
        }
        if depth == 0 {
            return Ok(());
        }
    }
}
