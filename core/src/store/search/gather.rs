//! Words gathered for the index: of what is stored, or of contents that are in memory anyway while they are put down.

use super::build::{Gathered, LARGEST};
use super::candidate::{fields, has_attachment};
use super::text;
use crate::error::Result;
use crate::index::Batch;
use crate::message::{self, ParsedMessage, SEARCHED};
use crate::query::Field;
use crate::store::{ContentHash, Headers, MessageId, Reader};
use bytes::Bytes;

/// What of a message is indexed, folded: the costly part of indexing it, which needs nothing but the message.
#[derive(Clone, Debug)]
pub struct Texts {
    texts: Vec<(Field, String)>,
    header: bool,
    body: bool,
}

impl Texts {
    /// Of a message in memory: its headers as they are stored, and its content.
    #[must_use]
    pub fn of(headers: &Headers, content: &Bytes) -> Self {
        let searched = content.slice(..content.len().min(SEARCHED));
        Self::new(headers, Some(&ParsedMessage::parse(searched)))
    }

    /// Of a stored message, whose text may not be here; `None` where it is gone.
    pub(super) fn stored(reader: &dyn Reader, id: MessageId) -> Result<Option<Self>> {
        let (Some(row), Some(headers)) = (reader.message(id)?, reader.headers(id)?) else { return Ok(None) };
        let parsed = row.body.map(|_| text::parsed(reader, id)).transpose()?;
        Ok(Some(Self::new(&headers, parsed.as_ref())))
    }

    fn new(headers: &Headers, parsed: Option<&ParsedMessage>) -> Self {
        let header = message::Headers::parse(headers.header.clone());
        let attached = has_attachment(&headers.body_structure)
            .or_else(|| parsed.map(|parsed| message::parts(parsed.structure()).has_attachment()));
        let mut texts = fields(&header);
        texts.extend((attached == Some(true)).then(|| (Field::Traits, Field::ATTACHMENT.to_owned())));
        texts.extend(header.get_raw("List-Id").map(|_| (Field::Traits, Field::LISTED.to_owned())));
        texts.extend(parsed.map(|parsed| (Field::Body, text::folded(parsed))));
        Self { texts, header: attached.is_some(), body: parsed.is_some() }
    }

    pub(super) fn add_to(&self, batch: &mut Batch, id: MessageId) {
        batch.add(id.0, (self.header, self.body), &self.texts);
    }
}

/// Words of messages whose contents were in memory, so that none has to be read and made again for the index. The
/// index has them once they are put there; until then, and where that never happens, these messages are not indexed yet.
#[derive(Debug, Default)]
pub struct Gathering {
    batch: Batch,
    docs: Vec<(MessageId, Option<Option<ContentHash>>)>,
}

impl Gathering {
    /// Adds a message whose content has been put down. Each only once.
    pub fn add(&mut self, message: MessageId, content: ContentHash, texts: &Texts) {
        texts.add_to(&mut self.batch, message);
        self.docs.push((message, Some(Some(content))));
    }

    /// Whether it has all that one segment takes.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.batch.size() >= LARGEST
    }

    /// Whether it has nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.docs.is_empty()
    }

    /// To be put into the index.
    #[must_use]
    pub fn finish(self) -> Gathered {
        Gathered::new(self.batch, self.docs)
    }
}
