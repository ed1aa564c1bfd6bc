//! LIST, LSUB and STATUS.

use super::{Context, Result};
use crate::imap::{ListRow, MailboxName, MailboxStatus, StatusItems};
use crate::wire::{Cursor, Octets, Value};
use bytes::Bytes;

/// `(attributes) "delimiter" name [(extended)]`.
pub(super) fn list(c: &mut Cursor<'_>, context: Context<'_>) -> Result<ListRow> {
    let mut attributes = Vec::new();
    if !c.nil() {
        c.list(|c| {
            c.keep(2)?;
            attributes.push(String::from_utf8_lossy(&c.astring()?).into_owned());
            Ok(())
        })?;
    }
    let delimiter = delimiter(c)?;
    let mailbox = name(c, context, Open::First)?;
    let mut row =
        ListRow { attributes, delimiter, mailbox, child_info: Vec::new(), old_name: None, extended: Vec::new() };
    if c.peek_value() == Some(b'(') {
        c.list(|c| extended(c, &mut row, context))?;
    }
    Ok(row)
}

/// What separates levels: one character, or NIL. Servers also send an empty string for none, or leave out the quotes.
pub(super) fn delimiter(c: &mut Cursor<'_>) -> Result<Option<char>> {
    let delimiter = c.nstring()?.map(Octets::into_bytes);
    Ok(delimiter.and_then(|d| String::from_utf8_lossy(&d).chars().next()))
}

fn extended(c: &mut Cursor<'_>, row: &mut ListRow, context: Context<'_>) -> Result<()> {
    let name = c.astring()?;
    let value = c.value()?;
    match name.as_ref() {
        n if n.eq_ignore_ascii_case(b"CHILDINFO") => {
            row.child_info = strings(value).map(|s| String::from_utf8_lossy(&s).to_ascii_uppercase()).collect();
        }
        n if n.eq_ignore_ascii_case(b"OLDNAME") => {
            row.old_name = strings(value).next().map(|s| MailboxName::from_server(s, context.utf8));
        }
        _ => row.extended.push((name, value)),
    }
    Ok(())
}

/// The strings of a list, or a single one.
fn strings(value: Value) -> impl Iterator<Item = Bytes> {
    let values = match value {
        Value::List(values) => values,
        single => vec![single],
    };
    values.into_iter().filter_map(|value| match value {
        Value::Atom(bytes) => Some(bytes),
        Value::String(octets) => Some(octets.into_bytes()),
        Value::List(_) => None,
    })
}

/// Which parenthesis ends a name that should have been quoted and holds spaces.
#[derive(Clone, Copy)]
enum Open {
    First,
    Last,
}

/// A mailbox, quoted, as a literal, or bare with spaces in it (several servers).
fn name(c: &mut Cursor<'_>, context: Context<'_>, until: Open) -> Result<MailboxName> {
    let raw = match c.peek_value() {
        Some(b'"' | b'{') => c.astring()?,
        _ => bare(c, until)?,
    };
    Ok(MailboxName::from_server(raw, context.utf8))
}

fn bare(c: &mut Cursor<'_>, until: Open) -> Result<Bytes> {
    let text = c.rest();
    let end = match until {
        Open::First => text.windows(2).position(|pair| pair == b" ("),
        Open::Last => last_list(text),
    };
    let raw = text.get(..end.unwrap_or(text.len())).unwrap_or_default().trim_ascii_end();
    if raw.is_empty() {
        return Err(c.expected("a mailbox name"));
    }
    c.eat_word(raw);
    Ok(Bytes::copy_from_slice(raw))
}

/// Where the list that ends the line begins.
fn last_list(text: &[u8]) -> Option<usize> {
    let mut depth = 0usize;
    text.iter().rposition(|byte| {
        depth += usize::from(*byte == b')');
        depth -= usize::from(*byte == b'(' && depth > 0);
        *byte == b'(' && depth == 0
    })
}

/// `name (item value …)`.
pub(super) fn status(c: &mut Cursor<'_>, context: Context<'_>) -> Result<MailboxStatus> {
    let mailbox = name(c, context, Open::Last)?;
    let mut items = StatusItems::default();
    // Some leave the list out where they know nothing.
    if c.peek_value() == Some(b'(') {
        c.list(|c| {
            let name = c.atom()?;
            let value = c.value()?;
            item(&mut items, name, value);
            Ok(())
        })?;
    }
    Ok(MailboxStatus { mailbox, items })
}

fn item(items: &mut StatusItems, name: Bytes, value: Value) {
    let upper = name.to_ascii_uppercase();
    let number = number(&value);
    let small = || number.and_then(|n| u32::try_from(n).ok());
    let known = match upper.as_slice() {
        b"MESSAGES" => set(&mut items.messages, small()),
        b"RECENT" => set(&mut items.recent, small()),
        b"UIDNEXT" => set(&mut items.uid_next, small().filter(|n| *n > 0)),
        b"UIDVALIDITY" => set(&mut items.uid_validity, small().filter(|n| *n > 0)),
        b"UNSEEN" => set(&mut items.unseen, small()),
        b"DELETED" => set(&mut items.deleted, small()),
        b"SIZE" => set(&mut items.size, number),
        b"HIGHESTMODSEQ" => set(&mut items.highest_mod_seq, number),
        // NIL says that there is no limit.
        b"APPENDLIMIT" => set(&mut items.append_limit, number) || is_nil(&value),
        b"MAILBOXID" => set(&mut items.mailbox_id, strings(value.clone()).next()),
        _ => false,
    };
    if !known {
        items.other.push((name, value));
    }
}

fn set<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    let known = value.is_some();
    *place = value;
    known
}

fn is_nil(value: &Value) -> bool {
    matches!(value, Value::Atom(atom) if atom.eq_ignore_ascii_case(b"NIL"))
}

/// A number, also as a string or literal (several servers); up to 63 bits.
fn number(value: &Value) -> Option<u64> {
    let digits = match value {
        Value::Atom(digits) => digits.clone(),
        Value::String(octets) => octets.clone().into_bytes(),
        Value::List(_) => return None,
    };
    let number = std::str::from_utf8(&digits).ok()?.parse::<i64>().ok()?;
    u64::try_from(number).ok()
}
