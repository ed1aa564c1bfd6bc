//! The header of a message: its fields in order, decoded when asked for.

use super::address::{EmailAddress, parse_addresses};
use super::date::parse_date;
use super::words::decode_header;
use crate::imap::InternalDate;
use bytes::Bytes;
use std::borrow::Cow;
use std::ops::Range;

/// Most fields that are told apart; what follows stays in the raw block.
const MOST_FIELDS: usize = 10_000;

/// A header: the fields of a message in their order, several of a name where there are several.
///
/// ```
/// use mailtide::message::Headers;
///
/// let headers = Headers::parse(&b"Received: a\r\nSubject: =?utf-8?Q?caf=C3=A9?=\r\nreceived: b\r\n\r\n"[..]);
/// assert_eq!(headers.get("subject").as_deref(), Some("café"));
/// assert_eq!(headers.get_all("Received").collect::<Vec<_>>(), ["a", "b"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    block: Bytes,
    fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: Range<usize>,
    /// Without the line end, folding still in it.
    pub(super) value: Range<usize>,
}

impl Headers {
    /// Takes a header block, up to its empty line or its end. Lines that are no field are skipped.
    #[must_use]
    pub fn parse(block: impl Into<Bytes>) -> Self {
        let block = block.into();
        let fields = fields(&block).take(MOST_FIELDS).collect();
        Self { block, fields }
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The block as it came.
    #[must_use]
    pub fn raw(&self) -> &Bytes {
        &self.block
    }

    /// Every field: its name as it is written, its value decoded.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, str>, String)> {
        self.fields.iter().map(|field| (self.name(field), decode_header(self.value(field))))
    }

    /// The first field of that name, decoded; names have no case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        self.get_raw(name).map(decode_header)
    }

    /// All fields of that name, decoded, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = String> + 'a {
        self.named(name).map(decode_header)
    }

    /// The first field of that name as it came: encoded, folded, without the line end.
    #[must_use]
    pub fn get_raw(&self, name: &str) -> Option<&[u8]> {
        self.named(name).next()
    }

    /// The addresses of all fields of that name.
    #[must_use]
    pub fn addresses(&self, name: &str) -> Vec<EmailAddress> {
        self.named(name).flat_map(parse_addresses).collect()
    }

    /// The `Date` field; see [`parse_date`].
    #[must_use]
    pub fn date(&self) -> Option<InternalDate> {
        self.get_raw("Date").and_then(parse_date)
    }

    fn named<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.fields
            .iter()
            .filter(move |field| self.slice(&field.name).eq_ignore_ascii_case(name.as_bytes()))
            .map(|field| self.value(field))
    }

    fn name(&self, field: &Field) -> Cow<'_, str> {
        String::from_utf8_lossy(self.slice(&field.name))
    }

    fn value(&self, field: &Field) -> &[u8] {
        self.slice(&field.value).trim_ascii()
    }

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        self.block.get(range.clone()).unwrap_or_default()
    }
}

/// The fields of a block, as places in it.
pub(super) fn fields(block: &[u8]) -> impl Iterator<Item = Field> + '_ {
    let mut lines = Lines { text: block, at: 0 }.peekable();
    std::iter::from_fn(move || {
        loop {
            let line = lines.next().filter(|line| !is_blank(block, line))?;
            let mut end = line.end;
            while let Some(more) = lines.next_if(|next| is_folded(block, next)) {
                end = more.end;
            }
            if let Some(name) = field_name(block.get(line.clone()).unwrap_or_default()) {
                let colon = line.start + name.len();
                let value = block.get(colon..end).unwrap_or_default();
                // White space may stand before the colon (RFC 5322 section 4.5).
                let value_at = colon + memchr::memchr(b':', value).map_or(0, |at| at + 1);
                let end = value_at + block.get(value_at..end).unwrap_or_default().trim_ascii_end().len();
                return Some(Field { name: line.start..colon, value: value_at..end });
            }
        }
    })
}

/// The name that a line begins with, where it begins a field (RFC 5322 section 2.2).
pub(super) fn field_name(line: &[u8]) -> Option<&[u8]> {
    let colon = memchr::memchr(b':', line)?;
    let name = line.get(..colon)?.trim_ascii_end();
    let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    is_name.then_some(name)
}

fn is_blank(block: &[u8], line: &Range<usize>) -> bool {
    matches!(block.get(line.clone()), Some(b"\n" | b"\r\n" | b"\r"))
}

/// A line of white space alone folds too, where another field or folded line follows: it is no end of the header.
fn is_folded(block: &[u8], line: &Range<usize>) -> bool {
    matches!(block.get(line.start), Some(b' ' | b'\t'))
}

/// Lines with their ends.
pub(super) struct Lines<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
}

impl Iterator for Lines<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let start = self.at;
        self.at += memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        Some(start..self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(block: &'static [u8]) -> Vec<(String, String)> {
        Headers::parse(block).iter().map(|(name, value)| (name.into_owned(), value)).collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn fields_are_read_in_order_and_unfolded() {
        let block = b"Subject: two\r\n lines\r\nX-Empty:\r\nx-tab:\ta\nOld : b\r\n\r\nBody: no\r\n";
        let expected = [pair("Subject", "two lines"), pair("X-Empty", ""), pair("x-tab", "a"), pair("Old", "b")];
        assert_eq!(pairs(block), expected);
        let headers = Headers::parse(&block[..]);
        assert_eq!(headers.get_raw("subject"), Some(&b"two\r\n lines"[..]));
        assert_eq!((headers.len(), headers.get("Body")), (4, None));
    }

    #[test]
    fn lines_that_are_no_field_are_skipped() {
        assert_eq!(
            pairs(b"From ada Mon Jan  1\nSubject: x\nno colon here\n folded to it\nTo: y"),
            [pair("Subject", "x"), pair("To", "y"),]
        );
        assert_eq!(pairs(b": no name\nb\xe4d: x\n"), []);
        assert_eq!(pairs(b""), []);
        assert_eq!(pairs(b"\r\nSubject: body"), []);
    }

    #[test]
    fn addresses_and_date_are_typed() {
        let headers = Headers::parse(&b"To: a@b.c\nTo: \"D, E\" <d@e.f>\nDate: 5 Jan 2003 18:00:00 +0000\n\n"[..]);
        let to: Vec<_> = headers.addresses("to").iter().map(ToString::to_string).collect();
        assert_eq!(to, ["a@b.c", "\"D, E\" <d@e.f>"]);
        assert_eq!(headers.date().unwrap().seconds, 1_041_789_600);
    }

    #[test]
    fn a_flood_of_fields_is_cut() {
        assert_eq!(Headers::parse("a:b\n".repeat(50_000)).len(), MOST_FIELDS);
    }
}
