//! Where does a response end? The framer's only question.

use super::line::{DECIDE, begins_response, ends_in_quotes, is_status, trim_end};
use super::literal::announced;
use super::{LiteralHeader, WireError};
use crate::limits::Limits;
use bytes::{Bytes, BytesMut};
use memchr::memchr;
use std::ops::ControlFlow::{self, Break, Continue};

/// Literals up to this size stay inside their response; larger ones leave in pieces of at most this size.
pub const PIECE: usize = 64 * 1024;

/// Least size of a piece that is not the last of its literal. A peer that sends single bytes must not make us keep a
/// reference for each of them.
const LEAST_PIECE: usize = 4 * 1024;

/// Most line feeds that one response may hide in quoted strings.
const MAX_FOLDS: u8 = 64;

/// What the framer has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A response, or the rest of one after a large literal, with its line end and its small literals.
    Line(Bytes),
    /// The text up to and including the header of a large literal, whose pieces follow.
    Head(Bytes, LiteralHeader),
    /// Some bytes of the large literal, at most [`PIECE`].
    Piece(Bytes),
    /// Only for a server, once for each synchronising literal: the client waits for a `+` before it sends the bytes.
    Wait(LiteralHeader),
}

/// Cuts a byte stream into responses (or, for a server, commands).
///
/// NULs and empty lines between responses are dropped, as some servers send them. A server sees empty lines, since one
/// may be the answer to its last challenge (RFC 9051 section 6.2.2).
///
/// A literal's header counts as such even where the quotes before it do not match. To overlook a literal would make
/// responses of the bytes of a stranger's message; to see one too many only fails this connection.
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
    current: Progress,
    examined: u64,
    failed: Option<WireError>,
}

/// How far the response at the front of the buffer has been read. Offsets are into the buffer.
#[derive(Debug, Default)]
struct Progress {
    begun: bool,
    kind: Kind,
    awaits: Awaits,
    /// All before this has been examined.
    scanned: usize,
    /// Where the run of text after the last literal begins.
    text: usize,
    /// Bytes of text before that, and number of literals.
    line: usize,
    literals: usize,
    /// Whether the text up to `quoted` ends inside a quoted string.
    open: bool,
    quoted: usize,
    folds: u8,
}

/// What the first line says about the ones after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Unknown,
    /// Ends in text for people, in which `{5}` announces nothing and quotes need not match.
    Status,
    /// `* ` and anything else: may hold literals, and line feeds in quoted strings.
    Data,
    /// A command, or something that is neither.
    Other,
}

#[derive(Clone, Copy, Debug, Default)]
enum Awaits {
    #[default]
    LineEnd,
    /// The bytes of the literal whose header ends at `scanned`.
    Literal { header: LiteralHeader, reported: bool },
    /// Enough of the next line to tell whether the line feed was part of a quoted string.
    NextLine,
}

/// Go on, or return this; `None` means that more bytes are needed.
type Step = Result<ControlFlow<Option<Event>>, WireError>;

impl Framer {
    /// A framer for what a server sends.
    #[must_use]
    pub fn for_client(limits: Limits) -> Self {
        Self { limits, client: true, remaining: 0, current: Progress::default(), examined: 0, failed: None }
    }

    /// A framer for what a client sends: it says when a `+` is waited for.
    #[must_use]
    pub fn for_server(limits: Limits) -> Self {
        Self { client: false, ..Self::for_client(limits) }
    }

    /// Bytes looked at so far, to show that the time is linear in the input. Each byte counts up to a few times.
    #[must_use]
    pub fn examined(&self) -> u64 {
        self.examined
    }

    /// Whether the stream stands between two responses.
    #[must_use]
    pub fn is_between(&self) -> bool {
        !self.current.begun && self.remaining == 0
    }

    /// Takes the next event off the front of `buffer`; `None` means that more bytes are needed.
    ///
    /// Between two calls the caller only appends to the buffer. An error is final, since the stream cannot be followed
    /// beyond it: every later call returns it again.
    pub fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Event>, WireError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let event = self.advance(buffer);
        self.failed = event.as_ref().err().cloned();
        event
    }

    /// For a server that answers [`Event::Wait`] with `NO`: drops the command, whose literal the client will not send.
    pub fn refuse(&mut self, buffer: &mut BytesMut) {
        if let Awaits::Literal { .. } = self.current.awaits {
            let _ = self.take(buffer);
            self.current = Progress::default();
        }
    }

    fn advance(&mut self, buffer: &mut BytesMut) -> Result<Option<Event>, WireError> {
        if self.remaining > 0 {
            return Ok(self.piece(buffer));
        }
        if !self.current.begun && !self.begin(buffer) {
            return Ok(None);
        }
        loop {
            let step = match self.current.awaits {
                Awaits::LineEnd => self.line_end(buffer)?,
                Awaits::Literal { header, reported } => self.literal(buffer, header, reported)?,
                Awaits::NextLine => self.next_line(buffer),
            };
            if let Break(event) = step {
                return Ok(event);
            }
        }
    }

    /// Drops what lies between two responses; whether one has begun.
    fn begin(&mut self, buffer: &mut BytesMut) -> bool {
        if self.client {
            let padding = buffer.iter().take_while(|b| matches!(b, 0 | b'\r' | b'\n')).count();
            if padding > 0 {
                self.examined += padding as u64;
                let _ = buffer.split_to(padding);
            }
        }
        self.current.begun = !buffer.is_empty();
        self.current.begun
    }

    fn line_end(&mut self, buffer: &mut BytesMut) -> Step {
        let unseen = buffer.get(self.current.scanned..).unwrap_or_default();
        let found = memchr(b'\n', unseen);
        let seen = found.map_or(unseen.len(), |at| at + 1);
        self.examined += seen as u64;
        self.current.scanned += seen;
        self.check_length()?;
        if found.is_none() {
            return Ok(Break(None));
        }
        if self.current.kind == Kind::Unknown {
            self.current.kind = if self.client { Kind::of(buffer) } else { Kind::Other };
        }
        if self.current.kind == Kind::Status {
            return Ok(Break(Some(self.finish(buffer))));
        }
        let text = buffer.get(self.current.text..self.current.scanned).unwrap_or_default();
        if let Some(header) = announced(trim_end(text))? {
            return self.announce(header);
        }
        if self.is_in_quotes(buffer) {
            self.current.awaits = Awaits::NextLine;
            return Ok(Continue(()));
        }
        Ok(Break(Some(self.finish(buffer))))
    }

    fn check_length(&self) -> Result<(), WireError> {
        let Progress { line, scanned, text, .. } = self.current;
        if line + (scanned - text) > self.limits.line {
            return Err(WireError::Limit("the length of a line"));
        }
        if scanned > self.limits.response { Err(TOO_LONG) } else { Ok(()) }
    }

    fn announce(&mut self, header: LiteralHeader) -> Step {
        self.current.literals += 1;
        if self.current.literals > self.limits.literals {
            return Err(WireError::Limit("literals in one response"));
        }
        self.current.line += self.current.scanned - self.current.text;
        self.current.text = self.current.scanned;
        self.current.awaits = Awaits::Literal { header, reported: false };
        Ok(Continue(()))
    }

    fn literal(&mut self, buffer: &mut BytesMut, header: LiteralHeader, reported: bool) -> Step {
        if !self.client && header.synchronising && !reported {
            self.current.awaits = Awaits::Literal { header, reported: true };
            return Ok(Break(Some(Event::Wait(header))));
        }
        if header.size > PIECE as u64 {
            return self.large(buffer, header);
        }
        let end = self.current.scanned + usize::try_from(header.size).unwrap_or(PIECE);
        if end > self.limits.response {
            return Err(TOO_LONG);
        }
        if buffer.len() < end {
            return Ok(Break(None));
        }
        self.text_from(end);
        Ok(Continue(()))
    }

    fn large(&mut self, buffer: &mut BytesMut, header: LiteralHeader) -> Step {
        if header.size > self.limits.body {
            return Err(WireError::Limit("the size of a body"));
        }
        self.remaining = header.size;
        let head = self.take(buffer);
        self.text_from(0);
        Ok(Break(Some(Event::Head(head, header))))
    }

    /// The text goes on here, after a literal.
    fn text_from(&mut self, at: usize) {
        (self.current.text, self.current.scanned) = (at, at);
        (self.current.quoted, self.current.open) = (at, false);
        self.current.awaits = Awaits::LineEnd;
    }

    fn piece(&mut self, buffer: &mut BytesMut) -> Option<Event> {
        let left = usize::try_from(self.remaining).unwrap_or(usize::MAX);
        if buffer.len() < left.min(LEAST_PIECE) {
            return None;
        }
        let len = left.min(PIECE).min(buffer.len());
        self.remaining -= len as u64;
        Some(Event::Piece(buffer.split_to(len).freeze()))
    }

    /// Whether the line ends inside a quoted string, as some servers send folded parameters in BODYSTRUCTURE.
    fn is_in_quotes(&mut self, buffer: &BytesMut) -> bool {
        if self.current.kind != Kind::Data || self.current.folds == MAX_FOLDS {
            return false;
        }
        let text = buffer.get(self.current.quoted..self.current.scanned).unwrap_or_default();
        self.examined += text.len() as u64;
        self.current.open = ends_in_quotes(text, self.current.open);
        self.current.quoted = self.current.scanned;
        self.current.open
    }

    fn next_line(&mut self, buffer: &mut BytesMut) -> ControlFlow<Option<Event>> {
        let next = buffer.get(self.current.scanned..).unwrap_or_default();
        self.examined += next.len().min(DECIDE) as u64;
        match begins_response(next) {
            None => Break(None),
            Some(true) => Break(Some(self.finish(buffer))),
            Some(false) => {
                self.current.folds += 1;
                self.current.awaits = Awaits::LineEnd;
                Continue(())
            }
        }
    }

    fn finish(&mut self, buffer: &mut BytesMut) -> Event {
        let line = self.take(buffer);
        self.current = Progress::default();
        Event::Line(line)
    }

    fn take(&self, buffer: &mut BytesMut) -> Bytes {
        buffer.split_to(self.current.scanned.min(buffer.len())).freeze()
    }
}

const TOO_LONG: WireError = WireError::Limit("the size of one response");

impl Kind {
    fn of(line: &[u8]) -> Self {
        if is_status(line) {
            Self::Status
        } else if line.starts_with(b"* ") {
            Self::Data
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests;
