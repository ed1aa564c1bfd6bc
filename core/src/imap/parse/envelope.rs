//! ENVELOPE (RFC 9051 section 7.5.2), with the faults that servers have in it.

use super::Result;
use crate::imap::envelope::Builder;
use crate::imap::{AddressList, Envelope};
use crate::wire::Cursor;

/// Adds to a vector that mostly holds just one: the first growth of a `Vec` makes room for four, which costs more in
/// fresh memory than reading the row.
pub(super) fn push_tight<T>(all: &mut Vec<T>, more: impl IntoIterator<Item = T>) {
    for one in more {
        if all.is_empty() {
            all.reserve_exact(1);
        }
        all.push(one);
    }
}

/// An envelope. Fields may be missing at the end (QQ, where there is no Message-ID), or the addresses altogether
/// (Lark); Domino wraps all in another pair of parentheses.
pub(in crate::imap) fn envelope(c: &mut Cursor<'_>) -> Result<Envelope> {
    let mut envelope = Builder::new(c.text());
    c.open()?;
    let wrapped = c.peek_value() == Some(b'(');
    if wrapped {
        c.open()?;
    }
    let mut field = 0;
    while !c.close()? {
        field = self::field(c, &mut envelope, field)? + 1;
    }
    while wrapped && !c.close()? {
        super::fetch::skip(c)?;
    }
    Ok(envelope.build())
}

/// Reads the field that is due; which one it was.
fn field<'a>(c: &mut Cursor<'a>, envelope: &mut Builder<'a>, due: usize) -> Result<usize> {
    let is_list = c.peek_value() == Some(b'(');
    let due = if (2..8).contains(&due) && is_text(c) { 8 } else { due };
    match due {
        0 | 1 | 8 | 9 if is_list => super::fetch::skip(c)?,
        0 => envelope.date(c.ntext()?),
        1 => envelope.subject(c.ntext()?),
        8 => envelope.in_reply_to(c.ntext()?),
        9 => envelope.message_id(c.ntext()?),
        _ => match AddressList::of_field(due) {
            Some(list) => addresses(c, envelope, list)?,
            None => super::fetch::skip(c)?,
        },
    }
    Ok(due)
}

/// Whether a string with content is next, where a list of addresses should be.
fn is_text(c: &Cursor<'_>) -> bool {
    matches!(c.rest(), [b'"', next, ..] if *next != b'"') || c.rest().starts_with(b"{")
}

fn addresses<'a>(c: &mut Cursor<'a>, envelope: &mut Builder<'a>, list: AddressList) -> Result<()> {
    if c.peek_value() == Some(b'(') {
        c.list(|c| match c.peek() {
            Some(b'(') => address(c, envelope),
            // SmarterMail sends `(NIL)` for none.
            _ => c.ntext().map(drop),
        })?;
    } else {
        c.ntext()?;
    }
    envelope.end(list);
    Ok(())
}

/// One address; one without fields is none.
fn address<'a>(c: &mut Cursor<'a>, envelope: &mut Builder<'a>) -> Result<()> {
    let mut parts = [const { None }; 4];
    c.keep(3)?;
    c.open()?;
    let mut field = 0;
    while !c.close()? {
        match parts.get_mut(field) {
            Some(part) if c.peek() != Some(b'(') => *part = c.ntext()?,
            _ => super::fetch::skip(c)?,
        }
        field += 1;
    }
    if field > 0 {
        envelope.address(parts);
    }
    Ok(())
}
