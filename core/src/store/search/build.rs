//! The index of words kept up: what is new goes in, in batches; small segments become large ones; what is gone goes.

use super::cache::{Room, Segment, SegmentBlocks};
use super::gather::Texts;
use crate::error::Result;
use crate::index::{Batch, DocSet, Head, Merge, SegmentData, Source, to_merge};
use crate::store::{ContentHash, MessageId, Reader, SegmentId, Writer};

/// What [`index`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Indexed {
    /// How many messages were looked at.
    pub messages: usize,
    /// Whether there are more.
    pub is_more: bool,
}

/// Most memory that the words of one segment take while they are gathered and sorted, in bytes.
pub(super) const LARGEST: usize = 12 << 20;

/// Indexes messages that are new or whose text has come, at most `limit` of them or 12 MiB of memory for their words,
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
    docs: Vec<(MessageId, Option<Option<ContentHash>>)>,
    is_more: bool,
    /// Whether these were indexed by an earlier version.
    is_renewing: bool,
    /// Whether segments hold something of messages that are gone or have changed.
    is_stale: bool,
    /// Whether there are many small segments.
    is_scattered: bool,
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
    let is_scattered = !small(reader)?.is_empty();
    Ok(Gathered { is_renewing, is_stale: !reader.stale()?.is_empty(), is_scattered, ..gathered })
}

impl Gathered {
    pub(super) fn new(batch: Batch, docs: Vec<(MessageId, Option<Option<ContentHash>>)>) -> Self {
        Self { segment: (!batch.is_empty()).then(|| batch.finish()), docs, ..Self::default() }
    }

    fn of(reader: &dyn Reader, ids: &[MessageId]) -> Result<Self> {
        let (mut batch, mut docs) = (Batch::new(), Vec::new());
        for id in ids {
            if let Some(texts) = Texts::stored(reader, *id)? {
                texts.add_to(&mut batch, *id);
            }
            docs.push((*id, content_of(reader, *id)?));
            if batch.size() >= LARGEST {
                break;
            }
        }
        Ok(Self::new(batch, docs))
    }

    /// The message to go on after while these are put down, if there may be more.
    #[must_use]
    pub fn next(&self) -> Option<MessageId> {
        self.docs.last().filter(|_| self.is_more && !self.is_renewing).map(|(id, _)| *id)
    }

    /// Whether there is nothing to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.docs.is_empty() && !self.is_renewing && !self.is_stale && !self.is_scattered
    }

    /// Puts the words into the index, and merges segments where there are many. Where a content has come or gone since
    /// they were gathered, that is done anew.
    pub fn put(self, writer: &mut dyn Writer) -> Result<Indexed> {
        let indexed = self.put_apart(writer)?;
        merge_small(writer)?;
        Ok(indexed)
    }

    /// The same without merging anything: for whoever puts many of them down, one after the other.
    pub fn put_apart(mut self, writer: &mut dyn Writer) -> Result<Indexed> {
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
fn content_of(reader: &dyn Reader, id: MessageId) -> Result<Option<Option<ContentHash>>> {
    Ok(reader.message(id)?.map(|row| row.content))
}

/// Segments that should be merged now.
fn small(reader: &dyn Reader) -> Result<Vec<SegmentId>> {
    let rows = reader.segments()?;
    let sizes: Vec<u64> = rows.iter().map(|row| row.bytes).collect();
    Ok(to_merge(&sizes).into_iter().filter_map(|at| rows.get(at)).map(|row| row.id).collect())
}

fn merge_small(writer: &mut dyn Writer) -> Result<()> {
    let few = small(writer)?;
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
