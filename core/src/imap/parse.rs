//! From frames to [`Response`]s, leniently: what a standard defines is typed, what it does not is kept raw.

mod admin;
mod body;
mod code;
mod data;
mod envelope;
mod fetch;
mod mailbox;
mod search;
mod words;

pub(super) use body::body;
pub(super) use envelope::envelope;

use super::{Response, Status, StatusKind, Untagged};
use crate::limits::Limits;
use crate::wire::{Cursor, Frame, Value, WireError};
use bytes::Bytes;

type Result<T> = std::result::Result<T, WireError>;

/// What every parser here needs besides the cursor.
#[derive(Clone, Copy, Debug)]
struct Context<'a> {
    limits: &'a Limits,
    /// Whether mailbox names are UTF-8.
    utf8: bool,
}

/// Reads one response. `utf8` says whether UTF-8 names are enabled (UTF8=ACCEPT or IMAP4rev2).
///
/// An error concerns this response alone. FETCH rows have none: their `problems` tell what could not be read.
///
/// ```
/// use mailtide::imap::{Response, Untagged, parse_response};
/// use mailtide::wire::Frame;
///
/// let frame = Frame::text("* 3 EXISTS\r\n");
/// let response = parse_response(&frame, &mailtide::Limits::default(), false).unwrap();
/// assert_eq!(response, Response::Data(Untagged::Exists(3)));
/// ```
pub fn parse_response(frame: &Frame, limits: &Limits, utf8: bool) -> Result<Response> {
    let mut c = Cursor::new(frame, limits);
    let context = Context { limits, utf8 };
    while c.eat(0) {}
    if c.eat(b'+') {
        return Ok(continuation(&mut c, context));
    }
    // Exchange sends `[COPYUID …]` without the status it belongs to.
    if c.peek_value() == Some(b'[') {
        return Ok(status(&mut c, StatusKind::Ok, context));
    }
    let tag = c.astring()?;
    match tag.as_ref() {
        b"*" => untagged(&mut c, context),
        _ => tagged(&mut c, tag, context),
    }
}

fn continuation(c: &mut Cursor<'_>, context: Context<'_>) -> Response {
    c.eat(b' ');
    let raw = c.clone().take_rest();
    let (code, text) = code::text(c, context);
    Response::Continue { code, text, raw }
}

fn tagged(c: &mut Cursor<'_>, tag: Bytes, context: Context<'_>) -> Result<Response> {
    let before = c.clone();
    // A status without any tag (imap-flow's "tagless NO/BAD").
    if let Some(kind) = status_kind(&tag) {
        return Ok(status(c, kind, context));
    }
    let word = c.code_atom().unwrap_or_default();
    let status = match status_kind(&word) {
        Some(StatusKind::Ok) => Status::Ok,
        Some(StatusKind::No) => Status::No,
        Some(StatusKind::Bad) => Status::Bad,
        Some(StatusKind::Bye) => return Ok(self::status(c, StatusKind::Bye, context)),
        _ => return stray(before, &tag),
    };
    let (code, text) = code::text(c, context);
    Ok(Response::Tagged { tag, status, code, text })
}

/// Exchange says `Server Unavailable. 15` with neither tag nor status.
fn stray(mut c: Cursor<'_>, first: &[u8]) -> Result<Response> {
    let rest = String::from_utf8_lossy(c.rest()).trim().to_owned();
    if first.eq_ignore_ascii_case(b"Server") && rest.to_ascii_lowercase().starts_with("unavailable") {
        let code = Some(super::ResponseCode::Unavailable);
        return Ok(Response::Status { kind: StatusKind::Bad, code, text: format!("Server {rest}") });
    }
    c.spaces();
    Err(c.expected("OK, NO or BAD after the tag"))
}

fn status(c: &mut Cursor<'_>, kind: StatusKind, context: Context<'_>) -> Response {
    let (code, text) = code::text(c, context);
    Response::Status { kind, code, text }
}

fn status_kind(word: &[u8]) -> Option<StatusKind> {
    let kinds: [(&[u8], StatusKind); 5] = [
        (b"OK", StatusKind::Ok),
        (b"NO", StatusKind::No),
        (b"BAD", StatusKind::Bad),
        (b"BYE", StatusKind::Bye),
        (b"PREAUTH", StatusKind::Preauth),
    ];
    kinds.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, kind)| kind)
}

fn untagged(c: &mut Cursor<'_>, context: Context<'_>) -> Result<Response> {
    if c.peek_value() == Some(b'[') {
        return Ok(status(c, StatusKind::Ok, context));
    }
    if c.peek().is_some_and(|b| b.is_ascii_digit()) {
        return numbered(c).map(Response::Data);
    }
    let word = c.code_atom()?;
    match status_kind(&word) {
        Some(kind) => Ok(status(c, kind, context)),
        None => data::named(c, word, context).map(Response::Data),
    }
}

/// What begins with a number: a message's data, or a count of messages.
fn numbered(c: &mut Cursor<'_>) -> Result<Untagged> {
    let before = c.clone();
    let number = c.number()?;
    let name = c.keyword()?;
    let small = || u32::try_from(number).map_err(|_| before.expected("a 32-bit number"));
    Ok(match name {
        n if n.eq_ignore_ascii_case(b"FETCH") => Untagged::Fetch(fetch::row(c, small()?)),
        n if n.eq_ignore_ascii_case(b"UIDFETCH") => Untagged::Fetch(fetch::uid_row(c, small()?)),
        n if n.eq_ignore_ascii_case(b"EXISTS") => Untagged::Exists(small()?),
        n if n.eq_ignore_ascii_case(b"RECENT") => Untagged::Recent(small()?),
        n if n.eq_ignore_ascii_case(b"EXPUNGE") => Untagged::Expunge(small()?),
        _ => {
            let mut values = vec![Value::Atom(number.to_string().into())];
            values.extend(data::values(c));
            Untagged::Other { name: Bytes::copy_from_slice(name), values }
        }
    })
}

#[cfg(test)]
mod tests;
