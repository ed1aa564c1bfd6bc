//! The index of words kept up: what is new goes in, in batches; small segments become large ones; what is gone goes.

use super::cache::{Segment, SegmentBlocks};
use super::candidate::{fields, has_attachment};
use super::text;
use crate::error::Result;
use crate::index::{Batch, DocSet, Merge, SegmentData, Source, to_merge};
use crate::message;
use crate::query::Field;
use crate::store::{BodyId, MessageId, Reader, SegmentId, Writer};

/// What [`index`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Indexed {
    /// How many messages were looked at.
    pub messages: usize,
    /// Whether there are more.
    pub is_more: bool,
}

/// Most memory that the words of one segment take while they are gathered, in bytes.
const LARGEST: usize = 16 << 20;

/// Indexes messages that are new or whose text has come, at most `limit` of them or 16 MiB of memory for their words,
/// and merges segments where there are many. Headers are indexed at once, a text once its content is here: to be called
/// while mail arrives, in transactions of their own. [`gather`] and [`Gathered::put`] are its two halves.
pub fn index(writer: &mut dyn Writer, limit: usize) -> Result<Indexed> {
    gather(writer, MessageId(0), limit)?.put(writer)
}

/// Words that were gathered, to be put into the index.
#[derive(Debug)]
pub struct Gathered {
    segment: Option<SegmentData>,
    /// Messages, with the content that each had.
    docs: Vec<(MessageId, Option<BodyId>)>,
    is_more: bool,
}

/// Gathers the words of messages above `after` that are new or whose text has come: the costly part of [`index`], which
/// needs no transaction.
pub fn gather(reader: &dyn Reader, after: MessageId, limit: usize) -> Result<Gathered> {
    let ids = reader.unindexed(after, limit)?;
    let (mut batch, mut docs) = (Batch::new(), Vec::new());
    for id in &ids {
        docs.push((*id, add(&mut batch, reader, *id)?));
        if batch.size() >= LARGEST {
            break;
        }
    }
    let is_more = docs.len() < ids.len() || ids.len() == limit && limit > 0;
    Ok(Gathered { segment: (!batch.is_empty()).then(|| batch.finish()), docs, is_more })
}

impl Gathered {
    /// The message to go on after, if there may be more.
    #[must_use]
    pub fn next(&self) -> Option<MessageId> {
        self.docs.last().filter(|_| self.is_more).map(|(id, _)| *id)
    }

    /// Whether there was nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.docs.is_empty()
    }

    /// Puts the words into the index. A message whose text has come meanwhile stays to be indexed.
    pub fn put(self, writer: &mut dyn Writer) -> Result<Indexed> {
        forget(writer)?;
        for (id, body) in &self.docs {
            if content_of(writer, *id)? == *body {
                writer.set_indexed(*id)?;
            }
        }
        if let Some(segment) = &self.segment {
            writer.insert_segment(segment)?;
        }
        let rows = writer.segments()?;
        let sizes: Vec<u64> = rows.iter().map(|row| row.bytes).collect();
        let few: Vec<SegmentId> =
            to_merge(&sizes).into_iter().filter_map(|at| rows.get(at)).map(|row| row.id).collect();
        if !few.is_empty() {
            merge(writer, &few, &DocSet::new())?;
        }
        Ok(Indexed { messages: self.docs.len(), is_more: self.is_more })
    }
}

fn content_of(reader: &dyn Reader, id: MessageId) -> Result<Option<BodyId>> {
    Ok(reader.search_facts(id)?.and_then(|facts| facts.body))
}

/// Merges all segments into one, without what is gone: smallest and fastest. For a quiet moment; it takes time and
/// memory for the whole index.
pub fn tidy(writer: &mut dyn Writer) -> Result<()> {
    forget(writer)?;
    let ids: Vec<SegmentId> = writer.segments()?.into_iter().map(|row| row.id).collect();
    if ids.len() > 1 { merge(writer, &ids, &DocSet::new()) } else { Ok(()) }
}

/// Throws the index away, so that [`index`] builds it again: after damage, or with another version of the words.
pub fn rebuild(writer: &mut dyn Writer) -> Result<()> {
    for row in writer.segments()? {
        writer.delete_segment(row.id)?;
    }
    writer.set_unindexed()
}

/// Writes segments anew that hold something of messages that are gone or have changed, once these are many; until then
/// such messages are looked at, whatever the index says.
fn forget(writer: &mut dyn Writer) -> Result<()> {
    let stale = writer.stale()?;
    let gone: DocSet = stale.iter().map(|id| id.0).collect();
    let mut held = 0;
    let mut rewritten = Vec::new();
    for row in writer.segments()? {
        let head = crate::index::Head::parse(&writer.segment_head(row.id)?)?;
        held += head.docs.len();
        if head.docs.iter().any(|doc| gone.contains(doc.id)) {
            rewritten.push(row.id);
        }
    }
    if stale.len() < 64 && stale.len() * 8 < held {
        return Ok(());
    }
    for id in rewritten {
        merge(writer, &[id], &gone)?;
    }
    stale.into_iter().try_for_each(|id| writer.set_fresh(id))
}

/// Adds the words of a message; the content that it has.
fn add(batch: &mut Batch, reader: &dyn Reader, id: MessageId) -> Result<Option<BodyId>> {
    let (Some(row), Some(headers)) = (reader.message(id)?, reader.headers(id)?) else { return Ok(None) };
    let parsed = message::Headers::parse(headers.header.clone());
    let fields = fields(&parsed);
    let body = row.body.map(|_| text::text(reader, id)).transpose()?;
    let attached = match has_attachment(&headers.body_structure) {
        None if row.body.is_some() => Some(text::has_attachment(reader, id)?),
        known => known,
    };
    let mut texts: Vec<(Field, &str)> = fields.iter().map(|(field, text)| (*field, text.as_str())).collect();
    texts.extend((attached == Some(true)).then_some((Field::Traits, Field::ATTACHMENT)));
    texts.extend(parsed.get_raw("List-Id").map(|_| (Field::Traits, Field::LISTED)));
    texts.extend(body.as_deref().map(|text| (Field::Body, text)));
    batch.add(id.0, (attached.is_some(), body.is_some()), &texts);
    Ok(row.body)
}

fn merge(writer: &mut dyn Writer, ids: &[SegmentId], gone: &DocSet) -> Result<()> {
    let merged = {
        let reader: &dyn Reader = writer;
        let segments = ids.iter().map(|id| Segment::read(reader, *id)).collect::<Result<Vec<_>>>()?;
        let blocks: Vec<SegmentBlocks<'_>> =
            ids.iter().zip(&segments).map(|(id, segment)| SegmentBlocks { id: *id, segment, reader }).collect();
        let sources: Vec<Source<'_>> =
            blocks.iter().map(|blocks| Source { head: &blocks.segment.head, blocks }).collect();
        Merge::run(&sources, gone)?
    };
    ids.iter().try_for_each(|id| writer.delete_segment(*id))?;
    writer.insert_segment(&merged).map(drop)
}
