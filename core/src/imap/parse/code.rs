//! Response codes (RFC 9051 section 7.1), each in a cursor of its own so that no fault of theirs reaches the text.

use super::Context;
use super::data::words;
use crate::imap::{ResponseCode, UidList, UidSet};
use crate::wire::{Cursor, Frame};
use bytes::Bytes;

/// The code, if there is one, and the text after it.
pub(super) fn text(c: &mut Cursor<'_>, context: Context<'_>) -> (Option<ResponseCode>, String) {
    c.spaces();
    let code = if c.peek() == Some(b'[') { bracketed(c) } else { None };
    c.spaces();
    let text = String::from_utf8_lossy(&c.take_rest()).into_owned();
    (code.map(|inner| parse(inner, context)), text)
}

/// What stands between the brackets; the cursor moves behind them. Text that only begins like a code is left alone.
fn bracketed(c: &mut Cursor<'_>) -> Option<Bytes> {
    let rest = c.rest();
    let end = closing(rest).or_else(|| memchr::memchr(b']', rest))?;
    let inner = Bytes::copy_from_slice(rest.get(1..end)?);
    c.eat_word(rest.get(..=end)?);
    (!inner.is_empty()).then_some(inner)
}

/// The bracket that closes the code: one outside quotes and parentheses, since keywords may hold brackets.
fn closing(text: &[u8]) -> Option<usize> {
    let (mut quoted, mut escaped, mut depth) = (false, false, 0usize);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'\r' | b'\n' => return None,
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted => depth = depth.saturating_sub(1),
            b']' if !quoted && depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

fn parse(inner: Bytes, context: Context<'_>) -> ResponseCode {
    let frame = Frame::text(inner);
    let mut c = Cursor::new(&frame, context.limits);
    let name = match c.code_atom() {
        Ok(name) => name.to_ascii_uppercase(),
        Err(_) => Vec::new(),
    };
    let name = String::from_utf8_lossy(&name).into_owned();
    if let Some((_, code)) = ResponseCode::PLAIN.iter().find(|(plain, _)| *plain == name) {
        return code.clone();
    }
    let rest = String::from_utf8_lossy(c.rest()).trim().to_owned();
    typed(&name, &mut c).unwrap_or(ResponseCode::Other(name, rest))
}

/// The codes with arguments; `None` where those make no sense.
fn typed(name: &str, c: &mut Cursor<'_>) -> Option<ResponseCode> {
    let nonzero = |c: &mut Cursor<'_>| c.number32().ok().filter(|n| *n > 0);
    Some(match name {
        "CAPABILITY" => ResponseCode::Capability(words(c).iter().collect()),
        "BADCHARSET" => ResponseCode::BadCharset(listed(c)),
        "PERMANENTFLAGS" => ResponseCode::PermanentFlags(super::fetch::flags(c).ok()?),
        "UIDNEXT" => ResponseCode::UidNext(nonzero(c)?),
        "UIDVALIDITY" => ResponseCode::UidValidity(nonzero(c)?),
        "UNSEEN" => ResponseCode::Unseen(c.number32().ok()?),
        "HIGHESTMODSEQ" => ResponseCode::HighestModSeq(c.number().ok()?),
        "APPENDUID" => {
            ResponseCode::AppendUid { validity: nonzero(c)?, uids: UidList::from_server(&c.astring().ok()?)? }
        }
        "COPYUID" => ResponseCode::CopyUid { validity: nonzero(c)?, source: uids(c)?, target: uids(c)? },
        "MODIFIED" => ResponseCode::Modified(UidSet::from_server(&c.astring().ok()?)?),
        "MAILBOXID" => ResponseCode::MailboxId(listed(c).into_iter().next()?),
        "MESSAGELIMIT" => ResponseCode::MessageLimit { count: c.number32().ok()?, uid: c.number32().ok() },
        "BADEVENT" => ResponseCode::BadEvent(listed(c)),
        "INPROGRESS" => in_progress(c),
        _ => return None,
    })
}

/// A set in COPYUID; Exchange sends none where nothing was copied.
fn uids(c: &mut Cursor<'_>) -> Option<UidList> {
    if c.is_at_end() { Some(UidList::default()) } else { UidList::from_server(&c.astring().ok()?) }
}

fn listed(c: &mut Cursor<'_>) -> Vec<String> {
    let listed = c.open().is_ok();
    let words = words(c);
    if listed {
        let _ = c.close();
    }
    words
}

/// `INPROGRESS ("tag" 175 1000)`, each of them perhaps `NIL` (RFC 9585).
fn in_progress(c: &mut Cursor<'_>) -> ResponseCode {
    let _ = c.open();
    let tag = c.nstring().ok().flatten().map(|tag| String::from_utf8_lossy(&tag.into_bytes()).into_owned());
    let number = |c: &mut Cursor<'_>| if c.nil() { None } else { c.number().ok() };
    ResponseCode::InProgress { tag, done: number(c), total: number(c) }
}
