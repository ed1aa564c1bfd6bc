//! The index of words as far as it was read: segments never change, so what is known of an id stays true.

use super::seen::Seen;
use crate::error::Result;
use crate::index::{Blocks, DocSet, Head};
use crate::store::{Reader, SegmentId};
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Most bytes of heads and words that are kept, 64 MiB: those of about a million messages.
const MOST: usize = 64 << 20;

/// Searches a store, and remembers the index of words. One for a store and a process; for one store only.
#[derive(Debug, Default)]
pub struct Searcher {
    cache: Mutex<Cache>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Cache {
    segments: HashMap<SegmentId, Arc<Segment>>,
    /// What the index holds, of these segments.
    held: Option<(Vec<SegmentId>, Arc<Known>)>,
}

/// Segments that were read, by ascending id.
pub(super) type Segments = Vec<(SegmentId, Arc<Segment>)>;

/// A segment that was read.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) head: Head,
    words: Vec<Bytes>,
    size: usize,
}

/// Of which messages the index holds all of the header, and of which all of the text.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) any: DocSet,
    pub(super) header: DocSet,
    pub(super) body: DocSet,
    /// Of what was [`Seen`] of texts.
    pub(super) generation: u64,
}

impl Known {
    pub(super) fn subtract(&mut self, stale: &DocSet) {
        self.any.subtract(stale);
        self.header.subtract(stale);
        self.body.subtract(stale);
    }
}

impl Searcher {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The segments that the snapshot has.
    pub(super) fn segments(&self, reader: &dyn Reader) -> Result<(Segments, Arc<Known>)> {
        let ids: Vec<SegmentId> = reader.segments()?.into_iter().map(|row| row.id).collect();
        let mut segments = Vec::with_capacity(ids.len());
        for id in &ids {
            let cached = self.lock().segments.get(id).cloned();
            segments.push((*id, cached.map_or_else(|| Segment::read(reader, *id).map(Arc::new), Ok)?));
        }
        let mut cache = self.lock();
        cache.segments.retain(|id, _| ids.contains(id));
        let mut size: usize = 0;
        for (id, segment) in &segments {
            size += segment.size;
            if size <= MOST {
                cache.segments.entry(*id).or_insert_with(|| Arc::clone(segment));
            }
        }
        self.forget(cache.held.as_ref().map(|(known, _)| known.as_slice()), &segments);
        if let Some((known, held)) = &cache.held
            && *known == ids
        {
            return Ok((segments, Arc::clone(held)));
        }
        let held = Arc::new(Known { generation: self.seen().generation(), ..known(&segments) });
        cache.held = Some((ids, Arc::clone(&held)));
        Ok((segments, held))
    }

    /// What was seen of texts. Locked after the cache, never before it.
    pub(super) fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Messages that have changed are in a segment that was not there before.
    fn forget(&self, known: Option<&[SegmentId]>, segments: &Segments) {
        let known = known.unwrap_or_default();
        if known.iter().eq(segments.iter().map(|(id, _)| id)) {
            return;
        }
        let new = segments.iter().filter(|(id, _)| !known.contains(id));
        self.seen().forget(&new.flat_map(|(_, segment)| &segment.head.docs).map(|doc| doc.id).collect());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn known(segments: &Segments) -> Known {
    let docs = || segments.iter().flat_map(|(_, segment)| &segment.head.docs);
    Known {
        any: docs().map(|doc| doc.id).collect(),
        header: docs().filter(|doc| doc.header).map(|doc| doc.id).collect(),
        body: docs().filter(|doc| doc.body).map(|doc| doc.id).collect(),
        generation: 0,
    }
}

impl Segment {
    pub(super) fn read(reader: &dyn Reader, id: SegmentId) -> Result<Self> {
        let head = Head::parse(&reader.segment_head(id)?)?;
        let count = u32::try_from(head.starts.len()).unwrap_or(u32::MAX);
        let words = (0..count).map(|block| Ok(Bytes::from(reader.segment_words(id, block)?)));
        let words = words.collect::<Result<Vec<_>>>()?;
        let size = head.docs.len() * 16 + words.iter().map(Bytes::len).sum::<usize>();
        Ok(Self { head, words, size })
    }
}

/// The blocks of a segment: words from memory, postings from the store.
pub(super) struct SegmentBlocks<'a> {
    pub(super) id: SegmentId,
    pub(super) segment: &'a Segment,
    pub(super) reader: &'a dyn Reader,
}

impl Blocks for SegmentBlocks<'_> {
    fn words(&self, block: u32) -> Result<Bytes> {
        match self.segment.words.get(block as usize) {
            Some(words) => Ok(words.clone()),
            None => Ok(self.reader.segment_words(self.id, block)?.into()),
        }
    }

    fn postings(&self, block: u32) -> Result<Bytes> {
        Ok(self.reader.segment_postings(self.id, block)?.into())
    }
}
