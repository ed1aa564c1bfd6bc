//! A message as FETCH looks at it: its row, its header, its bytes, each read when something asks for it.

use crate::error::{Code, MailError, Result};
use crate::imap::{BodyStructure, StructureText, render};
use crate::message::{Headers, ParsedMessage, described_structure, envelope_text};
use crate::store::body::{self, Content};
use crate::store::{self, MessageFacts, MessageId, PlacementRow, Reader, ShownRow};
use bytes::Bytes;
use std::cell::OnceCell;

/// Largest message that is taken apart in memory.
const LARGEST: u64 = 512 << 20;
/// Longest preview, in characters (RFC 8970 section 3.2).
const PREVIEW: usize = 200;

pub(super) struct Message<'a> {
    reader: &'a dyn Reader,
    shown: &'a ShownRow,
    facts: OnceCell<MessageFacts>,
    headers: OnceCell<store::Headers>,
    parsed: OnceCell<ParsedMessage>,
    /// The whole message, where it is not held and was fetched.
    given: Option<Bytes>,
}

impl<'a> Message<'a> {
    pub(super) fn new(reader: &'a dyn Reader, shown: &'a ShownRow, given: Option<Bytes>) -> Self {
        let (facts, headers, parsed) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self { reader, shown, facts, headers, parsed, given }
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
        self.given.as_ref()
    }

    /// The whole message as a stream: `body.not_here` where it is not held.
    pub(super) fn content(&self) -> Result<Content> {
        body::open(self.reader, self.id())
    }

    /// The whole message taken apart.
    pub(super) fn parsed(&self) -> Result<&ParsedMessage> {
        let raw = || match &self.given {
            Some(given) => Ok(given.clone()),
            None => body::read(self.reader, self.id(), LARGEST),
        };
        kept(&self.parsed, || Ok(ParsedMessage::parse(raw()?)))
    }

    /// Made of the header where the server that it came from could not make one.
    pub(super) fn envelope(&self) -> Result<Bytes> {
        let stored = &self.headers()?.envelope;
        if !stored.is_empty() {
            return Ok(stored.clone());
        }
        Ok(envelope_text(&Headers::parse(self.headers()?.header.clone())))
    }

    /// As it is stored, where all is said that has to be (of large messages lines were not counted); else made of the
    /// message.
    pub(super) fn structure_text(&self) -> Result<Bytes> {
        let stored = &self.headers()?.body_structure;
        if StructureText::new(stored.clone()).read().is_ok_and(|structure| is_complete(&structure)) {
            return Ok(stored.clone());
        }
        match self.parsed() {
            Ok(parsed) => Ok(render::body_structure(&described_structure(parsed))),
            Err(error) if error.code() == Code::BodyNotHere && !stored.is_empty() => Ok(stored.clone()),
            Err(error) => Err(error),
        }
    }

    pub(super) fn structure(&self) -> Result<BodyStructure> {
        match StructureText::new(self.structure_text()?).read() {
            Ok(structure) => Ok(structure),
            Err(_) => Ok(described_structure(self.parsed()?)),
        }
    }

    /// The beginning of the text in one line. Where the body is not held, a client that can wait for it gets none.
    pub(super) fn preview(&self, lazy: bool) -> Result<Option<String>> {
        let parsed = match self.parsed() {
            Err(error) if lazy && error.code() == Code::BodyNotHere => return Ok(None),
            parsed => parsed?,
        };
        let text = parsed.text();
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

fn kept<T>(cell: &OnceCell<T>, read: impl FnOnce() -> Result<T>) -> Result<&T> {
    if let Some(known) = cell.get() {
        return Ok(known);
    }
    let value = read()?;
    Ok(cell.get_or_init(|| value))
}

fn missing() -> MailError {
    MailError::new(Code::MessageMissing, "The message is no longer there")
}
