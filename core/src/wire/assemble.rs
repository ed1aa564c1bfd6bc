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
#[derive(Debug)]
pub struct Assembler {
    limits: Limits,
    texts: Vec<Bytes>,
    literals: Vec<Octets>,
    size: usize,
    diverted: bool,
    literal_left: u64,
}

impl Assembler {
    /// An assembler with these bounds.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, texts: Vec::new(), literals: Vec::new(), size: 0, diverted: false, literal_left: 0 }
    }

    /// Takes the next event; a frame when it is complete.
    pub fn push(&mut self, event: Event) -> Result<Option<Frame>, WireError> {
        match event {
            Event::Line(text) => self.line(text).map(Some),
            Event::Head(text, header) => self.head(text, header).map(|()| None),
            Event::Piece(piece) => self.piece(piece).map(|()| None),
            Event::Wait(_) => Ok(None),
        }
    }

    /// The text of the response so far, when a large literal has just been announced: what the pieces belong to.
    #[must_use]
    pub fn pending(&self) -> Option<&Bytes> {
        if self.literal_left > 0 { self.texts.last() } else { None }
    }

    /// From here on the pieces of the current literal are not kept: the caller hands them on.
    pub fn divert(&mut self) {
        if let (false, Some(Octets::Chunks(chunks))) = (self.diverted, self.literals.last()) {
            let seen = chunks.iter().map(|c| c.len() as u64).sum();
            self.diverted = true;
            self.literals.pop();
            self.literals.push(Octets::Streamed(seen));
        }
    }

    fn line(&mut self, text: Bytes) -> Result<Frame, WireError> {
        self.grow(text.len())?;
        self.texts.push(text);
        let mut texts = std::mem::take(&mut self.texts).into_iter();
        let literals = std::mem::take(&mut self.literals);
        self.size = 0;
        Ok(Frame { head: texts.next().unwrap_or_default(), tail: literals.into_iter().zip(texts).collect() })
    }

    fn head(&mut self, text: Bytes, header: LiteralHeader) -> Result<(), WireError> {
        if !announces_body(&text) && header.size > self.limits.literal as u64 {
            return Err(WireError::Limit("the size of a literal"));
        }
        self.grow(text.len())?;
        self.texts.push(text);
        self.literals.push(Octets::Chunks(Vec::new()));
        (self.diverted, self.literal_left) = (false, header.size);
        Ok(())
    }

    fn piece(&mut self, piece: Bytes) -> Result<(), WireError> {
        self.literal_left = self.literal_left.saturating_sub(piece.len() as u64);
        if !self.diverted {
            self.grow(piece.len())?;
        }
        match self.literals.last_mut() {
            Some(Octets::Chunks(chunks)) => chunks.push(piece),
            Some(Octets::Streamed(seen)) => *seen += piece.len() as u64,
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
