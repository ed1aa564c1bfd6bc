//! From the framer's events to whole responses.

use super::{Event, LiteralHeader, WireError};
use crate::limits::Limits;
use bytes::{Bytes, BytesMut};

/// The bytes of a string as they came: usually one slice of the read buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Octets {
    /// All of it, in one piece.
    Whole(Bytes),
    /// All of it, as the pieces in which it came.
    Chunks(Vec<Bytes>),
    /// It was handed on as it came; this many bytes.
    Streamed(u64),
}

impl Octets {
    /// Number of bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Whole(bytes) => bytes.len() as u64,
            Self::Chunks(chunks) => chunks.iter().map(|c| c.len() as u64).sum(),
            Self::Streamed(len) => *len,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All bytes in one piece; empty for what was handed on. Copies only what came in several pieces.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Whole(bytes) => bytes,
            Self::Chunks(chunks) => join(&chunks),
            Self::Streamed(_) => Bytes::new(),
        }
    }
}

fn join(chunks: &[Bytes]) -> Bytes {
    let mut whole = BytesMut::with_capacity(chunks.iter().map(Bytes::len).sum());
    for chunk in chunks {
        whole.extend_from_slice(chunk);
    }
    whole.freeze()
}

/// One whole response: text, with large literals apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The text with its small literals, up to the first large literal or the end.
    pub head: Bytes,
    /// Each large literal, and the text after it.
    pub tail: Vec<(Octets, Bytes)>,
}

impl Frame {
    /// A frame of text alone.
    #[must_use]
    pub fn text(bytes: impl Into<Bytes>) -> Self {
        Self { head: bytes.into(), tail: Vec::new() }
    }

    /// Bytes held in memory.
    #[must_use]
    pub fn size(&self) -> usize {
        let tail =
            self.tail.iter().map(|(o, t)| if let Octets::Streamed(_) = o { 0 } else { o.len() as usize } + t.len());
        self.head.len() + tail.sum::<usize>()
    }
}

/// Collects events into frames, within the limits; pieces of a body may be diverted as they come.
///
/// To hand a body on while it arrives, look at [`Assembler::pending`] after each [`Event::Head`], call
/// [`Assembler::divert`], and hand on a copy of each [`Event::Piece`] before it is pushed here. The frame then holds
/// [`Octets::Streamed`] in place of the bytes, and only comes when the body was whole.
#[derive(Debug)]
pub struct Assembler {
    limits: Limits,
    texts: Vec<Bytes>,
    literals: Vec<Octets>,
    /// Bytes kept.
    size: usize,
    literal_left: u64,
}

impl Assembler {
    /// An assembler with these bounds.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, texts: Vec::new(), literals: Vec::new(), size: 0, literal_left: 0 }
    }

    /// Takes the next event; a frame when it is complete. An error is final.
    pub fn push(&mut self, event: Event) -> Result<Option<Frame>, WireError> {
        match event {
            Event::Line(text) => self.line(text).map(Some),
            Event::Head(text, header) => self.head(text, header).map(|()| None),
            Event::Piece(piece) => self.piece(piece).map(|()| None),
            Event::Wait(_) => Ok(None),
        }
    }

    /// The text before the large literal that is on its way, from the response's beginning or the large literal before.
    #[must_use]
    pub fn pending(&self) -> Option<&Bytes> {
        if self.literal_left > 0 { self.texts.last() } else { None }
    }

    /// The response so far, with what has come of its last large literal; `None` between two responses.
    #[must_use]
    pub fn partial(&self) -> Option<Frame> {
        let (head, texts) = self.texts.split_first()?;
        let texts = texts.iter().cloned().chain([Bytes::new()]);
        Some(Frame { head: head.clone(), tail: self.literals.iter().cloned().zip(texts).collect() })
    }

    /// Bytes of the current large literal that have not come yet.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.literal_left
    }

    /// From here on the pieces of the current large literal are not kept: the caller hands them on. Returns the pieces
    /// that came before.
    pub fn divert(&mut self) -> Vec<Bytes> {
        let Some(current @ Octets::Chunks(_)) = self.literals.last_mut().filter(|_| self.literal_left > 0) else {
            return Vec::new();
        };
        let seen = current.len();
        let kept = std::mem::replace(current, Octets::Streamed(seen));
        self.size = self.size.saturating_sub(usize::try_from(seen).unwrap_or(usize::MAX));
        if let Octets::Chunks(chunks) = kept { chunks } else { Vec::new() }
    }

    fn line(&mut self, text: Bytes) -> Result<Frame, WireError> {
        self.grow(text.len())?;
        self.size = 0;
        if self.texts.is_empty() {
            return Ok(Frame { head: text, tail: Vec::new() });
        }
        self.texts.push(text);
        let mut texts = std::mem::take(&mut self.texts).into_iter();
        let literals = std::mem::take(&mut self.literals);
        Ok(Frame { head: texts.next().unwrap_or_default(), tail: literals.into_iter().zip(texts).collect() })
    }

    fn head(&mut self, text: Bytes, header: LiteralHeader) -> Result<(), WireError> {
        let body = announces_body(&text) || is_append(self.texts.first().unwrap_or(&text));
        if !body && header.size > self.limits.literal as u64 {
            return Err(WireError::Limit("the size of a literal"));
        }
        self.grow(text.len())?;
        self.texts.push(text);
        self.literals.push(Octets::Chunks(Vec::new()));
        self.literal_left = header.size;
        Ok(())
    }

    fn piece(&mut self, piece: Bytes) -> Result<(), WireError> {
        self.literal_left = self.literal_left.saturating_sub(piece.len() as u64);
        match self.literals.last_mut() {
            Some(Octets::Streamed(seen)) => *seen += piece.len() as u64,
            Some(Octets::Chunks(chunks)) => {
                let len = piece.len();
                chunks.push(piece);
                self.grow(len)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn grow(&mut self, by: usize) -> Result<(), WireError> {
        self.size += by;
        if self.size > self.limits.response { Err(WireError::Limit("the size of one response")) } else { Ok(()) }
    }
}

/// Whether the literal announced at the end of `text` is the body of a message: its name ends in `]`, in `>` (a partial),
/// or is one of the RFC822 names.
fn announces_body(text: &[u8]) -> bool {
    let name = text.iter().rposition(|b| *b == b'{').and_then(|at| text.get(..at)).unwrap_or_default();
    let name = name.strip_suffix(b"~").unwrap_or(name).trim_ascii_end();
    let word = name.rsplit(|b| matches!(b, b' ' | b'(')).next().unwrap_or_default();
    name.ends_with(b"]") || name.ends_with(b">") || word.get(..6).is_some_and(|w| w.eq_ignore_ascii_case(b"RFC822"))
}

/// Whether a command, whose first text this is, brings messages: APPEND, REPLACE (RFC 8508), UID REPLACE.
fn is_append(text: &[u8]) -> bool {
    let mut words = text.split(|b| *b == b' ');
    let tagged = words.next() != Some(b"*");
    tagged && words.take(2).any(|w| w.eq_ignore_ascii_case(b"APPEND") || w.eq_ignore_ascii_case(b"REPLACE"))
}

#[cfg(test)]
mod tests;
