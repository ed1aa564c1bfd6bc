//! ENVELOPE (RFC 9051 section 7.5.2), with the faults that servers have in it.

use super::Result;
use crate::imap::{Address, Envelope};
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
pub(super) fn envelope(c: &mut Cursor<'_>) -> Result<Envelope> {
    let mut envelope = Envelope::default();
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
    Ok(envelope)
}

/// Reads the field that is due; which one it was.
fn field(c: &mut Cursor<'_>, envelope: &mut Envelope, due: usize) -> Result<usize> {
    let is_list = c.peek_value() == Some(b'(');
    let due = if (2..8).contains(&due) && is_text(c) { 8 } else { due };
    match due {
        0 | 1 | 8 | 9 if is_list => super::fetch::skip(c)?,
        0 => envelope.date = c.nbytes()?,
        1 => envelope.subject = c.nbytes()?,
        2 => envelope.from = addresses(c)?,
        3 => envelope.sender = addresses(c)?,
        4 => envelope.reply_to = addresses(c)?,
        5 => envelope.to = addresses(c)?,
        6 => envelope.cc = addresses(c)?,
        7 => envelope.bcc = addresses(c)?,
        8 => envelope.in_reply_to = c.nbytes()?,
        9 => envelope.message_id = c.nbytes()?,
        _ => super::fetch::skip(c)?,
    }
    Ok(due)
}

/// Whether a string with content is next, where a list of addresses should be.
fn is_text(c: &Cursor<'_>) -> bool {
    matches!(c.rest(), [b'"', next, ..] if *next != b'"') || c.rest().starts_with(b"{")
}

fn addresses(c: &mut Cursor<'_>) -> Result<Vec<Address>> {
    let mut all = Vec::new();
    if c.peek_value() != Some(b'(') {
        c.nbytes()?;
        return Ok(all);
    }
    c.list(|c| {
        match c.peek() {
            Some(b'(') => push_tight(&mut all, address(c)?),
            // SmarterMail sends `(NIL)` for none.
            _ => drop(c.nbytes()?),
        }
        Ok(())
    })?;
    Ok(all)
}

/// One address; `None` where it has no fields.
fn address(c: &mut Cursor<'_>) -> Result<Option<Address>> {
    let mut address = Address::default();
    c.keep(3)?;
    c.open()?;
    let mut field = 0;
    while !c.close()? {
        match field {
            _ if c.peek() == Some(b'(') => super::fetch::skip(c)?,
            0 => address.name = c.nbytes()?,
            1 => address.route = c.nbytes()?,
            2 => address.mailbox = c.nbytes()?,
            3 => address.host = c.nbytes()?,
            _ => super::fetch::skip(c)?,
        }
        field += 1;
    }
    Ok((field > 0).then_some(address))
}
