//! The index of words kept up: what is new goes in, in batches; small segments become large ones; what is gone goes.

use super::cache::{Room, Segment, SegmentBlocks};
use super::candidate::{fields, has_attachment};
use super::text;
use crate::error::Result;
use crate::index::{Batch, DocSet, Head, Merge, SegmentData, Source, to_merge};
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
/// while mail arrives, in transactions of their own. Where nothing is new, what an earlier version has indexed is brought
/// to this one. [`gather`] and [`Gathered::put`] are its two halves.
pub fn index(writer: &mut dyn Writer, limit: usize) -> Result<Indexed> {
    gather(writer, MessageId(0), limit)?.put(writer)
}

/// Words that were gathered, to be put into the index.
#[derive(Debug, Default)]
pub struct Gathered {
    segment: Option<SegmentData>,
    /// Messages, with the content that each had; `None` for one that is gone.
    docs: Vec<(MessageId, Option<Option<BodyId>>)>,
    is_more: bool,
    /// Whether these were indexed by an earlier version.
    is_renewing: bool,
    /// Whether segments hold something of messages that are gone or have changed.
    is_stale: bool,
}

/// Gathers the words of messages above `after` that are new or whose text has come: the costly part of [`index`], which
/// needs no transaction.
pub fn gather(reader: &dyn Reader, after: MessageId, limit: usize) -> Result<Gathered> {
    let mut ids = reader.unindexed(after, limit)?;
    let mut is_renewing = false;
    if ids.is_empty() && after == MessageId(0) {
        let heads = heads(reader)?;
        is_renewing = heads.iter().any(|(_, head)| !head.is_current);
        ids = outdated(reader, &heads, limit)?;
    }
    let mut gathered = Gathered::of(reader, &ids)?;
    let is_cut = gathered.docs.len() < ids.len() || ids.len() == limit && limit > 0;
    // After the last message that is renewed comes the end of the old segments.
    gathered.is_more = is_cut || is_renewing && !ids.is_empty();
    Ok(Gathered { is_renewing, is_stale: !reader.stale()?.is_empty(), ..gathered })
}

impl Gathered {
    fn of(reader: &dyn Reader, ids: &[MessageId]) -> Result<Self> {
        let (mut batch, mut docs) = (Batch::new(), Vec::new());
        for id in ids {
            add(&mut batch, reader, *id)?;
            docs.push((*id, content_of(reader, *id)?));
            if batch.size() >= LARGEST {
                break;
            }
        }
        Ok(Self { segment: (!batch.is_empty()).then(|| batch.finish()), docs, ..Self::default() })
    }

    /// The message to go on after while these are put down, if there may be more.
    #[must_use]
    pub fn next(&self) -> Option<MessageId> {
        self.docs.last().filter(|_| self.is_more && !self.is_renewing).map(|(id, _)| *id)
    }

    /// Whether there is nothing to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.docs.is_empty() && !self.is_renewing && !self.is_stale
    }

    /// Puts the words into the index. Where a content has come or gone since they were gathered, that is done anew.
    pub fn put(mut self, writer: &mut dyn Writer) -> Result<Indexed> {
        forget(writer)?;
        if !self.is_as_gathered(writer)? {
            let ids: Vec<MessageId> = self.docs.iter().map(|(id, _)| *id).collect();
            self = Self { is_more: self.is_more, ..Self::of(writer, &ids)? };
        }
        if self.is_renewing && self.docs.is_empty() {
            leave_renewed(writer)?;
        }
        self.docs.iter().try_for_each(|(id, _)| writer.set_indexed(*id))?;
        if let Some(segment) = &self.segment {
            writer.insert_segment(segment)?;
        }
        merge_small(writer)?;
        Ok(Indexed { messages: self.docs.len(), is_more: self.is_more })
    }

    fn is_as_gathered(&self, reader: &dyn Reader) -> Result<bool> {
        for (id, content) in &self.docs {
            if content_of(reader, *id)? != *content {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The content that a message has; `None` where the message is gone.
fn content_of(reader: &dyn Reader, id: MessageId) -> Result<Option<Option<BodyId>>> {
    Ok(reader.search_facts(id)?.map(|facts| facts.body))
}

fn merge_small(writer: &mut dyn Writer) -> Result<()> {
    let rows = writer.segments()?;
    let sizes: Vec<u64> = rows.iter().map(|row| row.bytes).collect();
    let few: Vec<SegmentId> = to_merge(&sizes).into_iter().filter_map(|at| rows.get(at)).map(|row| row.id).collect();
    if few.is_empty() { Ok(()) } else { merge(writer, &few, |sources| Merge::run(sources, &DocSet::new())) }
}

/// Merges all segments into one, without what is gone: smallest and fastest. For a quiet moment; it takes time and
/// memory for the whole index.
pub fn tidy(writer: &mut dyn Writer) -> Result<()> {
    forget(writer)?;
    let ids: Vec<SegmentId> = writer.segments()?.into_iter().map(|row| row.id).collect();
    if ids.len() > 1 { merge(writer, &ids, |sources| Merge::run(sources, &DocSet::new())) } else { Ok(()) }
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
    if stale.is_empty() {
        return Ok(());
    }
    let heads = heads(writer)?;
    let held: usize = heads.iter().map(|(_, head)| head.docs.len()).sum();
    if stale.len() < 64 && stale.len() * 8 < held {
        return Ok(());
    }
    let gone: DocSet = stale.iter().map(|id| id.0).collect();
    for (id, head) in &heads {
        if head.docs.iter().any(|doc| gone.contains(doc.id)) {
            merge(writer, &[*id], |sources| Merge::run(sources, &gone))?;
        }
    }
    stale.into_iter().try_for_each(|id| writer.set_fresh(id))
}

type Heads = Vec<(SegmentId, Head)>;

fn heads(reader: &dyn Reader) -> Result<Heads> {
    let ids = reader.segments()?.into_iter().map(|row| row.id);
    ids.map(|id| Ok((id, Head::parse(&reader.segment_head(id)?)?))).collect()
}

/// Messages that this version has indexed.
fn renewed(heads: &Heads) -> DocSet {
    heads.iter().flat_map(|(_, head)| &head.docs).filter(|doc| doc.seams).map(|doc| doc.id).collect()
}

/// Messages that an earlier version has indexed without seams and whose text is here, at most `limit`.
fn outdated(reader: &dyn Reader, heads: &Heads, limit: usize) -> Result<Vec<MessageId>> {
    let renewed = renewed(heads);
    let old = heads.iter().filter(|(_, head)| !head.is_current).flat_map(|(_, head)| &head.docs);
    let mut ids = Vec::new();
    for doc in old.filter(|doc| !doc.seams && !renewed.contains(doc.id)) {
        if ids.len() == limit {
            break;
        }
        ids.extend(reader.message(MessageId(doc.id))?.filter(|row| row.body.is_some() || !doc.body).map(|row| row.id));
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// Writes the segments of an earlier version anew without the messages that have been indexed again: what is left of
/// them are words of texts that were let go.
fn leave_renewed(writer: &mut dyn Writer) -> Result<()> {
    let heads = heads(writer)?;
    let renewed = renewed(&heads);
    for (id, head) in heads.iter().filter(|(_, head)| !head.is_current) {
        let twice = head.docs.iter().filter(|doc| !doc.seams && renewed.contains(doc.id));
        let twice = twice.map(|doc| doc.id).collect();
        merge(writer, &[*id], |sources| Merge::as_current(sources, &twice, true))?;
    }
    Ok(())
}

fn add(batch: &mut Batch, reader: &dyn Reader, id: MessageId) -> Result<()> {
    let (Some(row), Some(headers)) = (reader.message(id)?, reader.headers(id)?) else { return Ok(()) };
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
    Ok(())
}

fn merge(
    writer: &mut dyn Writer,
    ids: &[SegmentId],
    run: impl FnOnce(&[Source<'_>]) -> Result<SegmentData>,
) -> Result<()> {
    let merged = {
        let reader: &dyn Reader = writer;
        let none = Room::default();
        let segments = ids.iter().map(|id| Segment::read(reader, *id, &none)).collect::<Result<Vec<_>>>()?;
        let blocks: Vec<SegmentBlocks<'_>> =
            ids.iter().zip(&segments).map(|(id, segment)| SegmentBlocks { id: *id, segment, reader }).collect();
        let sources: Vec<Source<'_>> =
            blocks.iter().map(|blocks| Source { head: &blocks.segment.head, blocks }).collect();
        run(&sources)?
    };
    ids.iter().try_for_each(|id| writer.delete_segment(*id))?;
    if merged.blocks.is_empty() { Ok(()) } else { writer.insert_segment(&merged).map(drop) }
}
