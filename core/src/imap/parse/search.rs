//! SEARCH, ESEARCH, SORT and THREAD.

use super::{Context, Result};
use crate::imap::{Esearch, MailboxName, ThreadNode, UidSet, Untagged};
use crate::wire::Cursor;

/// `SEARCH 2 84 882 [(MODSEQ n)]`.
pub(super) fn search(c: &mut Cursor<'_>) -> Result<Untagged> {
    let mut fault = None;
    let ids = std::iter::from_fn(|| match c.peek_value() {
        Some(b'0'..=b'9') => c.number32().map_err(|e| fault = Some(e)).ok(),
        _ => None,
    });
    let ids: UidSet = ids.collect();
    let mod_seq = if c.peek() == Some(b'(') { mod_seq(c)? } else { None };
    match fault {
        Some(fault) => Err(fault),
        // A result cut short must not look like a whole one.
        None if !c.is_at_end() => Err(c.expected("a number")),
        None => Ok(Untagged::Search { ids, mod_seq }),
    }
}

fn mod_seq(c: &mut Cursor<'_>) -> Result<Option<u64>> {
    let mut mod_seq = None;
    c.open()?;
    while !c.close()? {
        let name = c.astring()?;
        if name.eq_ignore_ascii_case(b"MODSEQ") {
            mod_seq = Some(c.number()?);
        }
    }
    Ok(mod_seq)
}

/// Numbers up to the end of the line, in their order.
pub(super) fn numbers(c: &mut Cursor<'_>) -> Result<Vec<u32>> {
    let mut numbers = Vec::new();
    while !c.is_at_end() {
        if c.peek_value() == Some(b'(') {
            mod_seq(c)?;
        } else {
            numbers.push(c.number32()?);
        }
    }
    Ok(numbers)
}

/// `[(TAG "A1" …)] [UID] name value …`.
pub(super) fn esearch(c: &mut Cursor<'_>, context: Context<'_>) -> Result<Esearch> {
    let mut found = Esearch::default();
    if c.peek_value() == Some(b'(') {
        c.list(|c| correlator(c, &mut found, context))?;
    }
    while !c.is_at_end() {
        let name = c.atom()?;
        match name.to_ascii_uppercase().as_slice() {
            b"UID" => found.uid = true,
            b"MIN" => found.min = Some(c.number32()?),
            b"MAX" => found.max = Some(c.number32()?),
            b"COUNT" => found.count = Some(c.number()?),
            b"ALL" => found.all = Some(set(c)?),
            b"MODSEQ" => found.mod_seq = Some(c.number()?),
            b"PARTIAL" => found.partial = Some(partial(c)?),
            _ => found.other.push((name, c.value()?)),
        }
    }
    Ok(found)
}

fn correlator(c: &mut Cursor<'_>, found: &mut Esearch, context: Context<'_>) -> Result<()> {
    let name = c.astring()?;
    match name.to_ascii_uppercase().as_slice() {
        b"TAG" => found.tag = Some(String::from_utf8_lossy(&c.astring()?).into_owned()),
        b"MAILBOX" => found.mailbox = Some(MailboxName::from_server(c.astring()?, context.utf8)),
        b"UIDVALIDITY" => found.uid_validity = Some(c.number32()?),
        _ => found.other.push((name, c.value()?)),
    }
    Ok(())
}

fn partial(c: &mut Cursor<'_>) -> Result<(bytes::Bytes, UidSet)> {
    c.open()?;
    let range = c.astring()?;
    let uids = if c.nil() { UidSet::new() } else { set(c)? };
    while !c.close()? {
        c.value()?;
    }
    Ok((range, uids))
}

fn set(c: &mut Cursor<'_>) -> Result<UidSet> {
    let text = c.astring()?;
    UidSet::from_server(&text).ok_or_else(|| c.expected("a set of numbers"))
}

/// Deepest nesting of a THREAD answer, which is read without recursion.
const MAX_NESTING: usize = 1 << 20;

/// `(2)(3 6 (4 23)(44 7 96))`: a list goes one deeper with every number, its lists branch off from there.
pub(super) fn thread(c: &mut Cursor<'_>) -> Result<Vec<ThreadNode>> {
    let mut nodes = Vec::new();
    // The depth at which each open list began: threads grow longer than the limit on nesting allows for.
    let mut outer: Vec<u32> = Vec::new();
    let mut depth = 0;
    while !c.is_at_end() {
        match c.peek_value() {
            Some(b'(') if outer.len() >= MAX_NESTING => return Err(c.expected("less nesting")),
            Some(b'(') => {
                if c.rest().starts_with(b"((") {
                    nodes.push(ThreadNode { id: None, depth });
                    outer.push(depth);
                    depth += 1;
                } else {
                    outer.push(depth);
                }
                c.eat(b'(');
            }
            Some(b')') => {
                depth = outer.pop().ok_or_else(|| c.expected("fewer closing parentheses"))?;
                c.eat(b')');
            }
            _ => {
                nodes.push(ThreadNode { id: Some(c.number32()?), depth });
                depth += 1;
            }
        }
    }
    if outer.is_empty() { Ok(nodes) } else { Err(c.expected("a closing parenthesis")) }
}
