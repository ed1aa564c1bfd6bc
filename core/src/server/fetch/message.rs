//! A message as FETCH looks at it: its row, its header, its bytes, each read when something asks for it.

use super::large::{Large, Work};
use super::stream::up_to;
use crate::error::{Code, MailError, Result};
use crate::imap::{BodyStructure, StructureText, render};
use crate::message::{Headers, ParsedMessage, described_structure, envelope_text, join_text};
use crate::server::lately::Lately;
use crate::store::body::{self, Content};
use crate::store::{self, MessageFacts, MessageId, PlacementRow, Reader, ShownRow};
use bytes::{Bytes, BytesMut};
use std::cell::OnceCell;
use std::ops::Range;
use std::sync::Arc;

/// Longest preview, in characters (RFC 8970 section 3.2).
const PREVIEW: usize = 200;
/// Most bytes of a large message that are read for its preview.
const PREVIEWED: u64 = 1 << 20;

pub(super) struct Message<'a> {
    reader: &'a dyn Reader,
    shown: &'a ShownRow,
    facts: OnceCell<MessageFacts>,
    headers: OnceCell<store::Headers>,
    taken: OnceCell<Taken>,
    known: Known,
    lately: &'a Lately,
}

/// What was found out before its row could be made.
#[derive(Clone, Default)]
pub(super) struct Known {
    /// The whole message, where it is not held and was fetched.
    pub given: Option<Bytes>,
    /// Where the parts of a large one are.
    pub large: Option<Arc<Large>>,
}

/// A message taken apart.
pub(super) enum Taken {
    Parsed(Box<ParsedMessage>),
    Large(Arc<Large>),
}

/// Why something cannot be said of a message.
pub(super) enum Lack {
    /// This has to be done first.
    Work(Work),
    /// `body.not_here` where its body has to be fetched first.
    Error(MailError),
}

/// Something that is said of a message.
pub(super) type Looked<T> = std::result::Result<T, Lack>;

impl From<MailError> for Lack {
    fn from(error: MailError) -> Self {
        Self::Error(error)
    }
}

impl From<Work> for Lack {
    fn from(work: Work) -> Self {
        Self::Work(work)
    }
}

impl<'a> Message<'a> {
    pub(super) fn new(reader: &'a dyn Reader, shown: &'a ShownRow, known: Known, lately: &'a Lately) -> Self {
        let (facts, headers, taken) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self { reader, shown, facts, headers, taken, known, lately }
    }

    pub(super) fn placement(&self) -> &PlacementRow {
        &self.shown.placement
    }

    pub(super) fn id(&self) -> MessageId {
        self.shown.message
    }

    pub(super) fn facts(&self) -> Result<&MessageFacts> {
        kept(&self.facts, || self.shown.read_facts(self.reader)?.ok_or_else(missing))
    }

    fn headers(&self) -> Result<&store::Headers> {
        kept(&self.headers, || self.shown.read_headers(self.reader)?.ok_or_else(missing))
    }

    /// The header, with its empty line.
    pub(super) fn header(&self) -> Result<Bytes> {
        let header = &self.headers()?.header;
        let is_whole = [&b"\r\n\r\n"[..], b"\n\n", b"\n\r\n"].iter().any(|end| header.ends_with(end));
        if is_whole || header.as_ref() == b"\r\n" {
            return Ok(header.clone());
        }
        let line_end: &[u8] = if header.is_empty() || header.ends_with(b"\n") { b"\r\n" } else { b"\r\n\r\n" };
        Ok([header.as_ref(), line_end].concat().into())
    }

    /// The whole message, where it is in memory already.
    pub(super) fn given(&self) -> Option<&Bytes> {
        self.known.given.as_ref()
    }

    /// The whole message as a stream: `body.not_here` where it is not held.
    pub(super) fn content(&self) -> Result<Content> {
        body::open(self.reader, self.id())
    }

    /// The whole message taken apart.
    pub(super) fn taken(&self) -> Looked<&Taken> {
        kept(&self.taken, || {
            if let Some(given) = &self.known.given {
                return Ok(Taken::parsed(given.clone()));
            }
            if let Some(large) = &self.known.large {
                return Ok(Taken::Large(Arc::clone(large)));
            }
            let content = self.content()?;
            if content.size() <= body::SMALL {
                return Ok(Taken::parsed(content.rest(self.reader)?));
            }
            let known = self.lately.larges.find(&content.hash());
            known.map(Taken::Large).ok_or_else(|| Work::outline(content).into())
        })
    }

    /// Some bytes of it, no more than that.
    pub(super) fn bytes(&self, at: &Range<u64>, most: u64) -> Result<Bytes> {
        let (mut content, mut left) = (self.content()?, most.min(at.end - at.start));
        let mut out = BytesMut::new();
        content.seek(at.start);
        while left > 0 {
            let piece = up_to(&mut content, self.reader, left)?;
            left -= piece.len() as u64;
            out.extend_from_slice(&piece);
        }
        Ok(out.freeze())
    }

    /// Made of the header where the server that it came from could not make one.
    pub(super) fn envelope(&self) -> Result<Bytes> {
        let stored = &self.headers()?.envelope;
        if !stored.is_empty() {
            return Ok(stored.clone());
        }
        Ok(envelope_text(&Headers::parse(self.headers()?.header.clone())))
    }

    /// As it is stored, where all is said that has to be (of large messages lines were not counted once); else made of
    /// the message.
    pub(super) fn structure_text(&self) -> Looked<Bytes> {
        let stored = &self.headers()?.body_structure;
        if StructureText::new(stored.clone()).read().is_ok_and(|structure| is_complete(&structure)) {
            return Ok(stored.clone());
        }
        match self.made_structure() {
            Ok(structure) => Ok(render::body_structure(&structure)),
            Err(Lack::Error(error)) if error.code() == Code::BodyNotHere && !stored.is_empty() => Ok(stored.clone()),
            Err(lack) => Err(lack),
        }
    }

    pub(super) fn structure(&self) -> Looked<BodyStructure> {
        match StructureText::new(self.structure_text()?).read() {
            Ok(structure) => Ok(structure),
            Err(_) => self.made_structure(),
        }
    }

    fn made_structure(&self) -> Looked<BodyStructure> {
        Ok(match self.taken()? {
            Taken::Parsed(parsed) => described_structure(parsed),
            Taken::Large(large) => large.outlined().structure().clone(),
        })
    }

    /// The beginning of the text in one line. Where the body is not held, a client that can wait for it gets none.
    pub(super) fn preview(&self, lazy: bool) -> Looked<Option<String>> {
        let text = match self.taken() {
            Err(Lack::Error(error)) if lazy && error.code() == Code::BodyNotHere => return Ok(None),
            Err(lack) => return Err(lack),
            Ok(Taken::Parsed(parsed)) => parsed.text(),
            Ok(Taken::Large(large)) => self.beginning(large)?,
        };
        let mut preview = String::new();
        for word in text.split_whitespace() {
            let word: String = word.chars().filter(|c| !c.is_control()).collect();
            if !preview.is_empty() {
                preview.push(' ');
            }
            preview.push_str(&word);
            if preview.len() > PREVIEW * 4 {
                break;
            }
        }
        Ok(Some(preview.chars().take(PREVIEW).collect()))
    }

    /// The beginning of the text of a large message.
    fn beginning(&self, large: &Large) -> Result<String> {
        let (mut left, mut pieces) = (PREVIEWED, Vec::new());
        for part in &large.outlined().parts().text {
            let at = large.outlined().section(&part.section).unwrap_or_default();
            let content = self.bytes(&at, left)?;
            pieces.push((part.is_html, part.decode(&content).text));
            left -= content.len() as u64;
            if left == 0 {
                break;
            }
        }
        Ok(join_text(pieces))
    }
}

impl Taken {
    fn parsed(raw: Bytes) -> Self {
        Self::Parsed(Box::new(ParsedMessage::parse(raw)))
    }
}

/// Whether a structure says of each part what RFC 9051 section 7.5.2 wants. As deep as its parser lets it be.
fn is_complete(part: &BodyStructure) -> bool {
    if part.is_multipart() {
        return !part.parts.is_empty() && part.parts.iter().all(is_complete);
    }
    let has_lines = part.lines.is_some() || part.media_type.as_ref() != b"text" && part.parts.is_empty();
    let is_nested = part.parts.is_empty() || part.envelope.is_some();
    part.octets.is_some() && part.encoding.is_some() && has_lines && is_nested && part.parts.iter().all(is_complete)
}

fn kept<T, E>(cell: &OnceCell<T>, read: impl FnOnce() -> std::result::Result<T, E>) -> std::result::Result<&T, E> {
    if let Some(known) = cell.get() {
        return Ok(known);
    }
    let value = read()?;
    Ok(cell.get_or_init(|| value))
}

fn missing() -> MailError {
    MailError::new(Code::MessageMissing, "The message is no longer there")
}
