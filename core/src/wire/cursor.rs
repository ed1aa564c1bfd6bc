//! Walking a response token by token.

use super::item::{ends_atom, item_len};
use super::literal::{MAX_HEADER, announced, decimal};
use super::{Frame, Octets, PIECE, WireError, quoted};
use crate::limits::Limits;
use bytes::Bytes;
use memchr::memchr;
use std::borrow::Cow;

type Result<T> = std::result::Result<T, WireError>;

/// A place in a [`Frame`], moving forward only.
///
/// Methods that read a value skip the spaces before it, since servers send too many and too few of them. None of them
/// recurses; [`Cursor::list`] lets a caller recurse as deep as the limits allow.
///
/// ```
/// use mailtide::wire::{Cursor, Frame};
///
/// let frame = Frame::text("* LIST (\\Sent) \"/\" \"My \\\"Sent\\\"\"\r\n");
/// let mut cursor = Cursor::new(&frame, &mailtide::Limits::default());
/// assert_eq!(cursor.atom().unwrap(), "*");
/// assert_eq!(cursor.atom().unwrap(), "LIST");
/// let mut attributes = Vec::new();
/// cursor.list(|c| Ok(attributes.push(c.atom()?))).unwrap();
/// assert_eq!(attributes, ["\\Sent"]);
/// assert_eq!(cursor.string().unwrap().into_bytes(), "/");
/// assert_eq!(cursor.string().unwrap().into_bytes(), "My \"Sent\"");
/// assert!(cursor.is_at_end());
/// ```
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    frame: &'a Frame,
    /// Which text: 0 is the head, n the text after the nth large literal.
    segment: usize,
    text: &'a Bytes,
    at: usize,
    /// Bytes in the segments before this one, for error positions.
    before: usize,
    depth: usize,
    items: usize,
    values: usize,
    structure: bool,
}

/// Most values that are kept of one response, see [`Cursor::keep`].
const MAX_VALUES: usize = 100_000;

/// Any value, for what no standard defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An atom, number or flag, as it stands.
    Atom(Bytes),
    /// A quoted string or literal, decoded.
    String(Octets),
    /// A parenthesised list.
    List(Vec<Value>),
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of `frame`.
    #[must_use]
    pub fn new(frame: &'a Frame, limits: &Limits) -> Self {
        Self {
            frame,
            segment: 0,
            text: &frame.head,
            at: 0,
            before: 0,
            depth: limits.depth,
            items: limits.items,
            values: MAX_VALUES,
            structure: false,
        }
    }

    /// From here on quotes close only where ENVELOPE and BODYSTRUCTURE let a string end.
    pub fn in_structure(&mut self, on: bool) -> bool {
        std::mem::replace(&mut self.structure, on)
    }

    /// The next byte, spaces included.
    #[must_use]
    pub fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// The next byte after spaces.
    pub fn peek_value(&mut self) -> Option<u8> {
        self.spaces();
        self.peek()
    }

    /// Takes `byte` if it is next; does not skip spaces.
    pub fn eat(&mut self, byte: u8) -> bool {
        let hit = self.peek() == Some(byte);
        self.at += usize::from(hit);
        hit
    }

    /// Takes `word` if it is next, in any case; does not skip spaces.
    pub fn eat_word(&mut self, word: &[u8]) -> bool {
        let hit = self.rest().get(..word.len()).is_some_and(|w| w.eq_ignore_ascii_case(word));
        self.at += if hit { word.len() } else { 0 };
        hit
    }

    /// Skips spaces (and tabs); whether there were any.
    pub fn spaces(&mut self) -> bool {
        let from = self.at;
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        self.at > from
    }

    /// Whether only the line end is left.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.rest().iter().all(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'))
    }

    /// What is left of the current text, with the line end.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The text that the cursor is in: all of the response, or what lies between two large literals.
    #[must_use]
    pub fn text(&self) -> &'a Bytes {
        self.text
    }

    /// What lies between an earlier place and here; `None` where a large literal does.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Option<Bytes> {
        (self.segment == earlier.segment && earlier.at <= self.at).then(|| self.text.slice(earlier.at..self.at))
    }

    /// What is left of the current text, without the line end, and moves there.
    pub fn take_rest(&mut self) -> Bytes {
        let rest = self.rest();
        let end = rest.iter().rposition(|b| !matches!(b, b'\r' | b'\n')).map_or(0, |at| at + 1);
        self.take(end)
    }

    /// An atom in the widest sense: everything up to a space, parenthesis, quote or line end.
    ///
    /// In the name of a FETCH item (`BODY`, `BINARY`) a `[` begins a section that runs to its `]`, spaces and parentheses
    /// included, as in `BODY[HEADER.FIELDS (DATE)]`.
    pub fn atom(&mut self) -> Result<Bytes> {
        self.spaces();
        let len = self.atom_len()?;
        Ok(self.take(len))
    }

    /// The same, for a word that is only looked at.
    pub fn keyword(&mut self) -> Result<&'a [u8]> {
        self.spaces();
        let len = self.atom_len()?;
        let word = self.rest().get(..len).unwrap_or_default();
        self.at += len;
        Ok(word)
    }

    /// An atom that also ends at `]` and `[`: inside a response code.
    pub fn code_atom(&mut self) -> Result<Bytes> {
        self.word(|b| ends_atom(b) || matches!(b, b'[' | b']'))
    }

    /// A number of up to 63 bits.
    pub fn number(&mut self) -> Result<u64> {
        self.count()?;
        self.spaces();
        let digits = self.rest().iter().take_while(|b| b.is_ascii_digit()).count();
        let number = self.rest().get(..digits).filter(|d| !d.is_empty()).and_then(decimal);
        let number = number.ok_or_else(|| self.expected("a number"))?;
        self.at += digits;
        Ok(number)
    }

    /// A number of up to 32 bits.
    pub fn number32(&mut self) -> Result<u32> {
        let at = self.at;
        let number = self.number()?;
        u32::try_from(number).map_err(|_| {
            self.at = at;
            self.expected("a 32-bit number")
        })
    }

    /// A quoted string or a literal.
    pub fn string(&mut self) -> Result<Octets> {
        self.count()?;
        match self.peek_value() {
            Some(b'"') => self.quoted().map(Octets::Whole),
            Some(b'{' | b'~') => self.literal(),
            _ => Err(self.expected("a string")),
        }
    }

    /// A string, or an atom in its place (mailbox names, and what sloppy servers leave unquoted).
    pub fn astring(&mut self) -> Result<Bytes> {
        if self.is_at_string() { self.string().map(Octets::into_bytes) } else { self.word(ends_atom) }
    }

    /// The same without taking hold of the response: borrowed where it can be used as it stands.
    pub fn atext(&mut self) -> Result<Cow<'a, [u8]>> {
        match self.peek_value() {
            Some(b'"') => self.count().and_then(|()| self.quoted_text()),
            _ if self.is_at_string() => self.string().map(|octets| Cow::Owned(octets.into_bytes().into())),
            _ => self.word_text(ends_atom).map(Cow::Borrowed),
        }
    }

    /// A string, or `NIL`, or an atom in place of a string.
    pub fn nstring(&mut self) -> Result<Option<Octets>> {
        if self.is_at_string() {
            return self.string().map(Some);
        }
        let word = self.word(ends_atom)?;
        Ok((!word.eq_ignore_ascii_case(b"NIL")).then_some(Octets::Whole(word)))
    }

    /// The same in one piece; quick for quotes and `NIL`, of which ENVELOPE and BODYSTRUCTURE consist.
    pub fn nbytes(&mut self) -> Result<Option<Bytes>> {
        match self.peek_value() {
            Some(b'"') => self.count().and_then(|()| self.quoted()).map(Some),
            _ if self.nil() => Ok(None),
            _ => Ok(self.nstring()?.map(Octets::into_bytes)),
        }
    }

    /// The same without taking hold of the response: borrowed where it can be used as it stands.
    pub fn ntext(&mut self) -> Result<Option<Cow<'a, [u8]>>> {
        match self.peek_value() {
            Some(b'"') => self.count().and_then(|()| self.quoted_text()).map(Some),
            _ if self.nil() => Ok(None),
            _ => Ok(self.nstring()?.map(|octets| Cow::Owned(octets.into_bytes().into()))),
        }
    }

    /// Takes `NIL` if it is next, as a whole word.
    pub fn nil(&mut self) -> bool {
        self.spaces();
        let rest = self.rest();
        let whole = rest.get(3).is_none_or(|b| ends_atom(*b) || *b == b']');
        let hit = whole && rest.get(..3).is_some_and(|w| w.eq_ignore_ascii_case(b"NIL"));
        self.at += if hit { 3 } else { 0 };
        hit
    }

    /// A parenthesised list: `item` is called at each item, and must move the cursor.
    ///
    /// The caller may recurse; beyond the limit's depth this is [`WireError::Malformed`].
    pub fn list(&mut self, mut item: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        self.open()?;
        while !self.close()? {
            let before = (self.segment, self.at);
            item(self)?;
            if (self.segment, self.at) == before {
                return Err(self.expected("a list item"));
            }
        }
        Ok(())
    }

    /// Takes an opening parenthesis and goes one level deeper; [`Cursor::close`] comes back.
    pub fn open(&mut self) -> Result<()> {
        self.count()?;
        if self.peek_value() != Some(b'(') {
            return Err(self.expected("an opening parenthesis"));
        }
        self.depth = self.depth.checked_sub(1).ok_or_else(|| self.expected("less nesting"))?;
        self.at += 1;
        Ok(())
    }

    /// Takes a closing parenthesis if it is next; an error where the response ends instead.
    pub fn close(&mut self) -> Result<bool> {
        match self.peek_value() {
            Some(b')') => {
                self.at += 1;
                self.depth += 1;
                Ok(true)
            }
            None | Some(b'\r' | b'\n') => Err(self.expected("a closing parenthesis")),
            Some(_) => Ok(false),
        }
    }

    /// Any value, without recursion. One response may hold 100,000 of them.
    pub fn value(&mut self) -> Result<Value> {
        let mut open: Vec<Vec<Value>> = Vec::new();
        loop {
            let value = match self.peek_value() {
                Some(b'(') => {
                    self.open()?;
                    open.push(Vec::new());
                    continue;
                }
                Some(b')') if !open.is_empty() => {
                    self.close()?;
                    Value::List(open.pop().unwrap_or_default())
                }
                _ if self.is_at_string() => Value::String(self.string()?),
                _ => Value::Atom(self.atom()?),
            };
            self.keep(1)?;
            match open.last_mut() {
                Some(list) => list.push(value),
                None => return Ok(value),
            }
        }
    }

    /// To be called before something of about `weight` times 40 bytes is kept of the response: refused once it has
    /// become more than any real one holds. Two bytes on the wire may become four hundred in memory.
    pub fn keep(&mut self, weight: usize) -> Result<()> {
        self.values = self.values.checked_sub(weight).ok_or_else(|| self.expected("fewer values"))?;
        Ok(())
    }

    /// An error that says what was expected here.
    #[must_use]
    pub fn expected(&self, what: &'static str) -> WireError {
        WireError::Malformed { expected: what, at: self.before + self.at }
    }

    fn count(&mut self) -> Result<()> {
        self.items = self.items.checked_sub(1).ok_or_else(|| self.expected("fewer items"))?;
        Ok(())
    }

    fn take(&mut self, len: usize) -> Bytes {
        let end = self.at.saturating_add(len).min(self.text.len());
        let taken = self.text.slice(self.at.min(end)..end);
        self.at = end;
        taken
    }

    /// Length of the atom here; an error if there is none.
    fn atom_len(&mut self) -> Result<usize> {
        self.count()?;
        let rest = self.rest();
        let item = if let Some(b'B' | b'b') = self.peek() { item_len(rest) } else { None };
        let len = item.or_else(|| rest.iter().position(|b| ends_atom(*b))).unwrap_or(rest.len());
        if len == 0 { Err(self.expected("an atom")) } else { Ok(len) }
    }

    fn word(&mut self, ends: impl Fn(u8) -> bool) -> Result<Bytes> {
        Ok(self.text.slice_ref(self.word_text(ends)?))
    }

    fn word_text(&mut self, ends: impl Fn(u8) -> bool) -> Result<&'a [u8]> {
        self.count()?;
        self.spaces();
        let rest = self.rest();
        let len = rest.iter().position(|b| ends(*b)).unwrap_or(rest.len());
        let word = rest.get(..len).filter(|word| !word.is_empty()).ok_or_else(|| self.expected("an atom"))?;
        self.at += len;
        Ok(word)
    }

    /// Whether a quoted string or literal is next, after spaces. A `~` alone begins an atom, as in `~/Mail`.
    fn is_at_string(&mut self) -> bool {
        self.spaces();
        matches!(self.rest(), [b'"' | b'{', ..] | [b'~', b'{', ..])
    }

    fn quoted(&mut self) -> Result<Bytes> {
        Ok(match self.quoted_text()? {
            Cow::Borrowed(content) => self.text.slice_ref(content),
            Cow::Owned(content) => content.into(),
        })
    }

    fn quoted_text(&mut self) -> Result<Cow<'a, [u8]>> {
        let rest = self.rest();
        let found = quoted::find(rest, self.structure).ok_or_else(|| self.expected("a closing quote"))?;
        let content = rest.get(1..found.close).unwrap_or_default();
        self.at += found.close + 1;
        Ok(if found.escaped { Cow::Owned(quoted::unescape(content)) } else { Cow::Borrowed(content) })
    }

    fn literal(&mut self) -> Result<Octets> {
        let start = self.rest().get(..MAX_HEADER).unwrap_or(self.rest());
        let line = memchr(b'\n', start).ok_or_else(|| self.expected("a line end after the literal's size"))?;
        let header = start.get(..line).unwrap_or_default();
        let header = announced(header.strip_suffix(b"\r").unwrap_or(header))?;
        let size = header.ok_or_else(|| self.expected("the size of a literal"))?.size;
        self.at += line + 1;
        if size > PIECE as u64 && self.at >= self.text.len() {
            return self.large();
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > self.rest().len() {
            return Err(self.expected("all bytes of a literal"));
        }
        Ok(Octets::Whole(self.take(size)))
    }

    fn large(&mut self) -> Result<Octets> {
        let (octets, text) = self.frame.tail.get(self.segment).ok_or_else(|| self.expected("a large literal"))?;
        self.before += self.text.len();
        (self.segment, self.text, self.at) = (self.segment + 1, text, 0);
        Ok(octets.clone())
    }
}

#[cfg(test)]
mod tests;
