//! Where does a response end? The framer's only question.

use super::literal::announced;
use super::{LiteralHeader, WireError};
use crate::limits::Limits;
use bytes::{Bytes, BytesMut};
use memchr::memchr;

/// Literals up to this size stay inside their response; larger ones leave in pieces of at most this size.
pub const PIECE: usize = 64 * 1024;

/// Most line feeds that one response may hide in quoted strings.
const MAX_FOLDS: u8 = 8;

/// What the framer has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A response, or the rest of one after a large literal, with its line end and its small literals.
    Line(Bytes),
    /// The text up to and including the header of a large literal, whose pieces follow.
    Head(Bytes, LiteralHeader),
    /// Some bytes of the large literal, at most [`PIECE`].
    Piece(Bytes),
    /// Only for a server: the client waits for a `+` before it sends this literal.
    Wait(LiteralHeader),
}

/// Cuts a byte stream into responses (or, for a server, commands).
///
/// ```
/// use bytes::BytesMut;
/// use mailtide::wire::{Event, Framer};
///
/// let mut framer = Framer::for_client(mailtide::Limits::default());
/// let mut buffer = BytesMut::from("* 2 FETCH (BODY[] {2}\r\nhi");
/// assert_eq!(framer.next(&mut buffer), Ok(None)); // the closing parenthesis is still on its way
/// buffer.extend_from_slice(b")\r\n* 3 EX");
/// assert!(matches!(framer.next(&mut buffer), Ok(Some(Event::Line(line))) if line.ends_with(b"hi)\r\n")));
/// assert_eq!(framer.next(&mut buffer), Ok(None));
/// ```
#[derive(Debug)]
pub struct Framer {
    limits: Limits,
    client: bool,
    /// What is left of a large literal.
    remaining: u64,
    /// Where the next look at the buffer begins; all before it has been examined.
    scanned: usize,
    /// Where the current run of text (after the last inline literal) begins.
    text: usize,
    /// Bytes of text and number of literals in the response so far.
    line: usize,
    literals: usize,
    /// Whether the response so far may hold literals: a status text that ends in `{5}` announces nothing.
    plain: bool,
    /// Whether a response has begun, so that padding before it can be told from its content.
    begun: bool,
    waited: bool,
    /// Line feeds taken as part of a quoted string, so that rescanning stays bounded.
    folds: u8,
    examined: u64,
}

impl Framer {
    /// A framer for what a server sends.
    #[must_use]
    pub fn for_client(limits: Limits) -> Self {
        Self {
            limits,
            client: true,
            remaining: 0,
            scanned: 0,
            text: 0,
            line: 0,
            literals: 0,
            plain: false,
            begun: false,
            waited: false,
            folds: 0,
            examined: 0,
        }
    }

    /// A framer for what a client sends: it says when a `+` is waited for.
    #[must_use]
    pub fn for_server(limits: Limits) -> Self {
        Self { client: false, ..Self::for_client(limits) }
    }

    /// Bytes looked at so far, to show that the time is linear in the input.
    #[must_use]
    pub fn examined(&self) -> u64 {
        self.examined
    }

    /// Whether the stream stands between two responses.
    #[must_use]
    pub fn is_between(&self) -> bool {
        !self.begun && self.remaining == 0
    }

    /// Takes the next event off the front of `buffer`; `None` means that more bytes are needed.
    ///
    /// An error is final: the stream cannot be followed beyond it.
    pub fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Event>, WireError> {
        if self.remaining > 0 {
            return Ok(self.piece(buffer));
        }
        if !self.begun && !self.begin(buffer) {
            return Ok(None);
        }
        loop {
            let Some(unseen) = buffer.get(self.scanned..) else { return Ok(None) };
            let Some(offset) = memchr(b'\n', unseen) else {
                self.examined += unseen.len() as u64;
                self.scanned = buffer.len();
                return self.bounded(buffer.len() - self.text).map(|()| None);
            };
            self.examined += offset as u64 + 1;
            let end = self.scanned + offset + 1;
            self.bounded(end - self.text)?;
            let text = buffer.get(self.text..end).unwrap_or_default();
            let header = if self.plain { None } else { announced(trim_line_end(text)).transpose()? };
            let Some(header) = header else {
                // A line feed inside a quoted string, as some servers send it in BODYSTRUCTURE.
                if self.client && !self.plain && self.folds < MAX_FOLDS && open_quote(text) {
                    match buffer.get(end) {
                        None => {
                            self.scanned = end - 1;
                            return Ok(None);
                        }
                        Some(b'*' | b'+') => {}
                        Some(_) if self.text == 0 && !text.starts_with(b"* ") => {}
                        Some(_) => {
                            (self.scanned, self.folds) = (end, self.folds + 1);
                            continue;
                        }
                    }
                }
                return Ok(Some(self.finish(buffer, end)));
            };
            self.literals += 1;
            if self.literals > self.limits.literals {
                return Err(WireError::Limit("literals in one response"));
            }
            self.line += end - self.text;
            if header.size > PIECE as u64 {
                return self.large(buffer, end, header).map(Some);
            }
            if !self.client && header.synchronising && !self.waited && buffer.len() == end {
                (self.waited, self.scanned, self.line) = (true, end - 1, self.line - (end - self.text));
                self.literals -= 1;
                return Ok(Some(Event::Wait(header)));
            }
            let after = end + usize::try_from(header.size).unwrap_or(usize::MAX);
            if after > self.limits.response {
                return Err(WireError::Limit("the size of one response"));
            }
            if buffer.len() < after {
                // Look at this header again once its literal is whole.
                (self.scanned, self.line) = (end - 1, self.line - (end - self.text));
                self.literals -= 1;
                return Ok(None);
            }
            (self.text, self.scanned, self.waited) = (after, after, false);
        }
    }

    /// Drops padding before a response (NULs, as some servers send, and empty lines); whether one has begun.
    fn begin(&mut self, buffer: &mut BytesMut) -> bool {
        let padding = buffer.iter().take_while(|b| matches!(b, 0 | b'\r' | b'\n')).count();
        self.examined += padding as u64;
        let _ = buffer.split_to(padding);
        if buffer.is_empty() {
            return false;
        }
        if self.client && !is_decided(buffer) {
            return false;
        }
        self.plain = self.client && is_status(buffer);
        self.begun = true;
        true
    }

    fn bounded(&self, more: usize) -> Result<(), WireError> {
        if self.line + more > self.limits.line { Err(WireError::Limit("the length of a line")) } else { Ok(()) }
    }

    fn finish(&mut self, buffer: &mut BytesMut, end: usize) -> Event {
        (self.scanned, self.text, self.line, self.literals) = (0, 0, 0, 0);
        (self.plain, self.begun, self.waited, self.folds) = (false, false, false, 0);
        Event::Line(buffer.split_to(end).freeze())
    }

    fn large(&mut self, buffer: &mut BytesMut, end: usize, header: LiteralHeader) -> Result<Event, WireError> {
        if header.size > self.limits.body {
            return Err(WireError::Limit("the size of a body"));
        }
        (self.scanned, self.text, self.remaining) = (0, 0, header.size);
        Ok(Event::Head(buffer.split_to(end).freeze(), header))
    }

    fn piece(&mut self, buffer: &mut BytesMut) -> Option<Event> {
        let most = PIECE.min(usize::try_from(self.remaining).unwrap_or(PIECE)).min(buffer.len());
        if most == 0 {
            return None;
        }
        self.remaining -= most as u64;
        Some(Event::Piece(buffer.split_to(most).freeze()))
    }
}

/// The longest prefix that has to be seen before [`is_status`] can answer: a tag and a word.
const DECIDE: usize = 64;

fn is_decided(buffer: &[u8]) -> bool {
    buffer.len() >= DECIDE || memchr(b'\n', buffer).is_some() || words(buffer).nth(2).is_some()
}

/// Whether this begins a status response or a continuation, which end in human text and hold no literals.
fn is_status(buffer: &[u8]) -> bool {
    let head = buffer.get(..DECIDE).unwrap_or(buffer);
    let mut words = words(head);
    if words.next().is_some_and(|w| w.starts_with(b"+")) {
        return true;
    }
    let word = words.next().unwrap_or_default();
    let word = word.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
    [&b"OK"[..], b"NO", b"BAD", b"BYE", b"PREAUTH"].iter().any(|s| word.eq_ignore_ascii_case(s))
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|b| *b == b' ').filter(|w| !w.is_empty())
}

fn trim_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Whether a line ends inside a quoted string.
fn open_quote(text: &[u8]) -> bool {
    let mut open = false;
    let mut escaped = false;
    if memchr(b'"', text).is_none() {
        return false;
    }
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if open => escaped = true,
            b'"' => open = !open,
            _ => {}
        }
    }
    open
}
