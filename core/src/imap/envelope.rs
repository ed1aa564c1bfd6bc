//! ENVELOPE (RFC 9051 section 7.5.2): the header fields a server has parsed for us, still encoded.

use super::parse;
use crate::limits::Limits;
use crate::wire::{Cursor, Frame, WireError};
use bytes::Bytes;
use std::borrow::Cow;
use std::fmt;

/// An ENVELOPE as the server sent it; `message` decodes encoded words and charsets.
///
/// It keeps the text it was read from, and knows where in it each field stands: a mailbox has many of them, and most of
/// their fields are never looked at.
#[derive(Clone, Default)]
pub struct Envelope {
    text: Bytes,
    /// Date, subject, In-Reply-To, Message-ID.
    fields: [Span; 4],
    /// Where in `addresses` From, Sender, Reply-To, To, Cc and Bcc end.
    ends: [u32; 6],
    /// Name, route, mailbox, host.
    addresses: Box<[[Span; 4]]>,
}

/// One address of an [`Envelope`], still encoded. A group begins with one that has a mailbox and no host, and ends with
/// one that has neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Address<'a> {
    /// Display name, encoded.
    pub name: Option<&'a [u8]>,
    /// Source route (obsolete).
    pub route: Option<&'a [u8]>,
    /// The part before the `@`, or the name of a group.
    pub mailbox: Option<&'a [u8]>,
    /// The part after the `@`.
    pub host: Option<&'a [u8]>,
}

/// A field of an [`Envelope`] that holds addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressList {
    /// `From`.
    From,
    /// `Sender`; servers repeat `From` where the header has none.
    Sender,
    /// `Reply-To`; servers repeat `From` where the header has none.
    ReplyTo,
    /// `To`.
    To,
    /// `Cc`.
    Cc,
    /// `Bcc`.
    Bcc,
}

impl Envelope {
    /// Reads the value of an ENVELOPE item, as a server sends it or a store has kept it.
    ///
    /// ```
    /// use mailtide::imap::{AddressList, Envelope};
    ///
    /// let text = r#"(NIL "Tea?" ((NIL NIL "ada" "b.org")) NIL NIL NIL NIL NIL NIL "<1@b.org>")"#;
    /// let envelope = Envelope::parse(text).unwrap();
    /// assert_eq!(envelope.subject(), Some(&b"Tea?"[..]));
    /// assert_eq!(envelope.addresses(AddressList::From).next().unwrap().mailbox, Some(&b"ada"[..]));
    /// ```
    pub fn parse(text: impl Into<Bytes>) -> Result<Self, WireError> {
        let frame = Frame::text(text);
        let mut cursor = Cursor::new(&frame, &Limits::default());
        cursor.in_structure(true);
        parse::envelope(&mut cursor)
    }

    /// `Date`, as in the header.
    #[must_use]
    pub fn date(&self) -> Option<&[u8]> {
        self.field(0)
    }

    /// `Subject`, encoded.
    #[must_use]
    pub fn subject(&self) -> Option<&[u8]> {
        self.field(1)
    }

    /// `In-Reply-To`.
    #[must_use]
    pub fn in_reply_to(&self) -> Option<&[u8]> {
        self.field(2)
    }

    /// `Message-ID`, with its angle brackets.
    #[must_use]
    pub fn message_id(&self) -> Option<&[u8]> {
        self.field(3)
    }

    /// The addresses of one field, in their order.
    pub fn addresses(
        &self,
        list: AddressList,
    ) -> impl DoubleEndedIterator<Item = Address<'_>> + ExactSizeIterator + Clone {
        let at = list as usize;
        let begin = at.checked_sub(1).and_then(|at| self.ends.get(at)).copied().unwrap_or_default() as usize;
        let end = self.ends.get(at).copied().unwrap_or_default() as usize;
        self.addresses.get(begin..end).unwrap_or_default().iter().map(|[name, route, mailbox, host]| Address {
            name: name.of(&self.text),
            route: route.of(&self.text),
            mailbox: mailbox.of(&self.text),
            host: host.of(&self.text),
        })
    }

    fn field(&self, at: usize) -> Option<&[u8]> {
        self.fields.get(at)?.of(&self.text)
    }
}

/// Where a string stands in the text; the default stands nowhere (`NIL`).
#[derive(Clone, Copy)]
struct Span {
    at: u32,
    len: u32,
}

impl Default for Span {
    fn default() -> Self {
        Self { at: u32::MAX, len: 0 }
    }
}

impl Span {
    fn new(at: usize, len: usize) -> Self {
        match (u32::try_from(at), u32::try_from(len)) {
            (Ok(at), Ok(len)) => Self { at, len },
            // No response is as long as that.
            _ => Self::default(),
        }
    }

    fn of(self, text: &[u8]) -> Option<&[u8]> {
        text.get(self.at as usize..)?.get(..self.len as usize)
    }
}

/// Puts an envelope together from its strings, in their order.
///
/// As long as they can be used as they stand, the response itself is the text; the first that cannot makes it a copy.
pub(super) struct Builder<'a> {
    response: &'a Bytes,
    copy: Option<Vec<u8>>,
    fields: [Span; 4],
    ends: [u32; 6],
    addresses: Vec<[Span; 4]>,
}

/// A string, or `NIL`.
pub(super) type Text<'a> = Option<Cow<'a, [u8]>>;

impl<'a> Builder<'a> {
    pub fn new(response: &'a Bytes) -> Self {
        // Room for what most messages have: From, Sender, Reply-To, one in To and one to spare.
        let addresses = Vec::with_capacity(5);
        Self { response, copy: None, fields: [Span::default(); 4], ends: [0; 6], addresses }
    }

    pub fn date(&mut self, text: Text<'a>) {
        self.set(0, text);
    }

    pub fn subject(&mut self, text: Text<'a>) {
        self.set(1, text);
    }

    pub fn in_reply_to(&mut self, text: Text<'a>) {
        self.set(2, text);
    }

    pub fn message_id(&mut self, text: Text<'a>) {
        self.set(3, text);
    }

    /// One more address of the list that is being read.
    pub fn address(&mut self, parts: [Text<'a>; 4]) {
        let spans = parts.map(|part| self.span(part));
        self.addresses.push(spans);
    }

    /// All addresses since the last list belong to this one.
    pub fn end(&mut self, list: AddressList) {
        let end = u32::try_from(self.addresses.len()).unwrap_or(u32::MAX);
        self.ends.iter_mut().skip(list as usize).for_each(|known| *known = end);
    }

    pub fn build(self) -> Envelope {
        let text = self.copy.map_or_else(|| self.response.clone(), Bytes::from);
        Envelope { text, fields: self.fields, ends: self.ends, addresses: self.addresses.into() }
    }

    fn set(&mut self, at: usize, text: Text<'a>) {
        let span = self.span(text);
        if let Some(field) = self.fields.get_mut(at) {
            *field = span;
        }
    }

    fn span(&mut self, text: Text<'a>) -> Span {
        let Some(text) = text else { return Span::default() };
        if let (None, Cow::Borrowed(text)) = (&self.copy, &text)
            && let Some(at) = place(self.response, text)
        {
            return Span::new(at, text.len());
        }
        let copy = self.own();
        let at = copy.len();
        copy.extend_from_slice(&text);
        Span::new(at, text.len())
    }

    /// The copy, made now if it is not there yet.
    fn own(&mut self) -> &mut Vec<u8> {
        let (response, fields, addresses) = (self.response, &mut self.fields, &mut self.addresses);
        self.copy.get_or_insert_with(|| {
            let mut copy = Vec::new();
            for span in fields.iter_mut().chain(addresses.iter_mut().flatten()) {
                if let Some(text) = span.of(response) {
                    *span = Span::new(copy.len(), text.len());
                    copy.extend_from_slice(text);
                }
            }
            copy
        })
    }
}

/// Where `part` lies within `whole`.
fn place(whole: &[u8], part: &[u8]) -> Option<usize> {
    let at = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    (at + part.len() <= whole.len()).then_some(at)
}

impl AddressList {
    /// All of them, in their order on the wire.
    pub const ALL: [Self; 6] = [Self::From, Self::Sender, Self::ReplyTo, Self::To, Self::Cc, Self::Bcc];

    /// By the number of the field, the date being the first.
    pub(super) fn of_field(number: usize) -> Option<Self> {
        Self::ALL.get(number.checked_sub(2)?).copied()
    }
}

impl PartialEq for Envelope {
    fn eq(&self, other: &Self) -> bool {
        (0..4).all(|at| self.field(at) == other.field(at))
            && AddressList::ALL.into_iter().all(|list| self.addresses(list).eq(other.addresses(list)))
    }
}

impl Eq for Envelope {}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |text: Option<&[u8]>| text.map(Bytes::copy_from_slice);
        let list = |list| self.addresses(list).map(Shown).collect::<Vec<_>>();
        f.debug_struct("Envelope")
            .field("date", &text(self.date()))
            .field("subject", &text(self.subject()))
            .field("from", &list(AddressList::From))
            .field("sender", &list(AddressList::Sender))
            .field("reply_to", &list(AddressList::ReplyTo))
            .field("to", &list(AddressList::To))
            .field("cc", &list(AddressList::Cc))
            .field("bcc", &list(AddressList::Bcc))
            .field("in_reply_to", &text(self.in_reply_to()))
            .field("message_id", &text(self.message_id()))
            .finish()
    }
}

/// An address whose bytes are shown as text.
struct Shown<'a>(Address<'a>);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |text: Option<&[u8]>| text.map(Bytes::copy_from_slice);
        let Address { name, route, mailbox, host } = self.0;
        f.debug_struct("Address")
            .field("name", &text(name))
            .field("route", &text(route))
            .field("mailbox", &text(mailbox))
            .field("host", &text(host))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(envelope: &Envelope, list: AddressList) -> Vec<&str> {
        envelope.addresses(list).map(|a| std::str::from_utf8(a.mailbox.unwrap()).unwrap()).collect()
    }

    #[test]
    fn a_string_that_cannot_be_used_as_it_stands_makes_the_text_a_copy_and_nothing_moves() {
        let plain = r#"("d" "s" ((NIL NIL "a" "h")) ((NIL NIL "b" "h")) NIL ((NIL NIL "c" "h")(NIL NIL "e" "h")) NIL NIL "r" "m")"#;
        let escaped = plain.replace("\"b\"", "\"b\\\"\\\\\"").replace("\"m\"", "{1}\r\nm");
        let (plain, escaped) = (Envelope::parse(plain).unwrap(), Envelope::parse(escaped).unwrap());
        for envelope in [&plain, &escaped] {
            assert_eq!((envelope.date(), envelope.subject()), (Some(&b"d"[..]), Some(&b"s"[..])));
            assert_eq!((envelope.in_reply_to(), envelope.message_id()), (Some(&b"r"[..]), Some(&b"m"[..])));
            assert_eq!(names(envelope, AddressList::From), ["a"]);
            assert_eq!(names(envelope, AddressList::ReplyTo), [""; 0]);
            assert_eq!(names(envelope, AddressList::To), ["c", "e"]);
            assert_eq!(names(envelope, AddressList::Bcc), [""; 0]);
        }
        assert_eq!(names(&escaped, AddressList::Sender), ["b\"\\"]);
        assert_ne!(plain, escaped);
        assert_eq!(escaped, escaped.clone());
    }
}
