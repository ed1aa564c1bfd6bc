//! The index of words kept up: what is new goes in, in batches; small segments become large ones; what is gone goes.

use super::cache::{Room, Segment, SegmentBlocks};
use super::candidate::{fields, has_attachment};
use super::text;
use crate::error::Result;
use crate::index::{Batch, DocSet, Head, Merge, SegmentData, Source, to_merge};
use crate::message;
use crate::query::Field;
use crate::store::{MessageId, Reader, SegmentId, Writer};

/// What [`index`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Indexed {
    /// How many messages were looked at.
    pub messages: usize,
    /// Whether there are more.
    pub is_more: bool,
}

/// Indexes messages that are new or whose text has come, at most `limit` of them or 16 MiB of memory for their words,
/// and merges segments where there are many. Headers are indexed at once, a text once its content is here: to be called
/// while mail arrives, in transactions of their own. Where nothing is new, what an earlier version has indexed is brought
/// to this one.
pub fn index(writer: &mut dyn Writer, limit: usize) -> Result<Indexed> {
    const LARGEST: usize = 16 << 20;
    let heads = forget(writer)?;
    let mut ids = writer.unindexed(MessageId(0), limit)?;
    let is_renewing = ids.is_empty();
    if is_renewing {
        ids = outdated(writer, &heads, limit)?;
    }
    let mut batch = Batch::new();
    let mut taken = 0;
    for id in &ids {
        add(&mut batch, writer, *id)?;
        taken += 1;
        if batch.size() >= LARGEST {
            break;
        }
    }
    for id in ids.iter().take(taken) {
        writer.set_indexed(*id)?;
    }
    if !batch.is_empty() {
        writer.insert_segment(&batch.finish())?;
    }
    let rows = writer.segments()?;
    let sizes: Vec<u64> = rows.iter().map(|row| row.bytes).collect();
    let few: Vec<SegmentId> = to_merge(&sizes).into_iter().filter_map(|at| rows.get(at)).map(|row| row.id).collect();
    if !few.is_empty() {
        merge(writer, &few, |sources| Merge::run(sources, &DocSet::new()))?;
    }
    // After the last message that is renewed comes the end of the old segments.
    let is_more = taken < ids.len() || ids.len() == limit && limit > 0 || is_renewing && taken > 0;
    Ok(Indexed { messages: taken, is_more })
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
/// such messages are looked at, whatever the index says. The heads of all segments.
fn forget(writer: &mut dyn Writer) -> Result<Heads> {
    let stale = writer.stale()?;
    let gone: DocSet = stale.iter().map(|id| id.0).collect();
    let heads = heads(writer)?;
    let held: usize = heads.iter().map(|(_, head)| head.docs.len()).sum();
    if stale.is_empty() || stale.len() < 64 && stale.len() * 8 < held {
        return Ok(heads);
    }
    for (id, head) in &heads {
        if head.docs.iter().any(|doc| gone.contains(doc.id)) {
            merge(writer, &[*id], |sources| Merge::run(sources, &gone))?;
        }
    }
    stale.into_iter().try_for_each(|id| writer.set_fresh(id))?;
    self::heads(writer)
}

type Heads = Vec<(SegmentId, Head)>;

fn heads(reader: &dyn Reader) -> Result<Heads> {
    let ids = reader.segments()?.into_iter().map(|row| row.id);
    ids.map(|id| Ok((id, Head::parse(&reader.segment_head(id)?)?))).collect()
}

/// Messages that an earlier version has indexed without seams and whose text is here, at most `limit`. Where there are
/// none any more, its segments are written anew without those that have been indexed again: what is left of it are words
/// of texts that were let go.
fn outdated(writer: &mut dyn Writer, heads: &Heads, limit: usize) -> Result<Vec<MessageId>> {
    let old = || heads.iter().filter(|(_, head)| !head.is_current);
    let renewed = heads.iter().flat_map(|(_, head)| &head.docs).filter(|doc| doc.seams).map(|doc| doc.id);
    let renewed: DocSet = renewed.collect();
    let mut ids = Vec::new();
    for doc in old().flat_map(|(_, head)| &head.docs).filter(|doc| !doc.seams && !renewed.contains(doc.id)) {
        if ids.len() == limit {
            break;
        }
        ids.extend(writer.message(MessageId(doc.id))?.filter(|row| row.body.is_some() || !doc.body).map(|row| row.id));
    }
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        for (id, head) in old() {
            let twice = head.docs.iter().filter(|doc| !doc.seams && renewed.contains(doc.id));
            let twice = twice.map(|doc| doc.id).collect();
            merge(writer, &[*id], |sources| Merge::as_current(sources, &twice, true))?;
        }
    }
    Ok(ids)
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
