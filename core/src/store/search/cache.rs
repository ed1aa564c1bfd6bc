//! The index of words as far as it was read: segments never change, so what is known of an id stays true.

use super::text::Lately;
use crate::error::Result;
use crate::index::{Blocks, DocSet, Head, Held};
use crate::store::{Reader, SegmentId};
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Most bytes of words that are kept, 64 MiB: those of about a million messages.
const MOST: usize = 64 << 20;

/// Most bytes of texts that are kept, 8 MiB.
const TEXTS: usize = 8 << 20;

/// Searches a store, and remembers the index of words and the texts it looked at lately. One for a store and a process; for one store only.
#[derive(Debug)]
pub struct Searcher {
    cache: Mutex<Cache>,
    room: Room,
    pub(super) lately: Lately,
}

/// How many bytes of words may still be kept.
pub(super) type Room = Arc<AtomicUsize>;

#[derive(Debug, Default)]
struct Cache {
    segments: HashMap<SegmentId, Arc<Segment>>,
    /// What the index holds, of these segments.
    held: Option<(Vec<SegmentId>, Arc<Known>)>,
}

/// Segments that were read, by ascending id.
pub(super) type Segments = Vec<(SegmentId, Arc<Segment>)>;

/// A segment whose head was read; words follow as they are looked at.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) head: Head,
    words: Vec<OnceLock<Bytes>>,
    room: Room,
}

/// Of which messages the index holds all of the header, and of which all of the text.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) any: DocSet,
    pub(super) header: DocSet,
    pub(super) body: DocSet,
    /// Of which it holds the seams of the header, and of which those of the text.
    pub(super) header_seams: DocSet,
    pub(super) body_seams: DocSet,
}

impl Known {
    pub(super) fn subtract(&mut self, stale: &DocSet) {
        let Self { any, header, body, header_seams, body_seams } = self;
        [any, header, body, header_seams, body_seams].into_iter().for_each(|docs| docs.subtract(stale));
    }
}

impl Default for Searcher {
    fn default() -> Self {
        Self { cache: Mutex::default(), room: Arc::new(AtomicUsize::new(MOST)), lately: Lately::new(TEXTS) }
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
            segments.push((*id, cached.map_or_else(|| Segment::read(reader, *id, &self.room).map(Arc::new), Ok)?));
        }
        let mut cache = self.lock();
        cache.segments.retain(|id, _| ids.contains(id));
        for (id, segment) in &segments {
            cache.segments.entry(*id).or_insert_with(|| Arc::clone(segment));
        }
        if let Some((known, held)) = &cache.held
            && *known == ids
        {
            return Ok((segments, Arc::clone(held)));
        }
        let held = Arc::new(known(&segments));
        cache.held = Some((ids, Arc::clone(&held)));
        Ok((segments, held))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn known(segments: &Segments) -> Known {
    let docs = |is_held: fn(&&Held) -> bool| {
        let all = segments.iter().flat_map(|(_, segment)| &segment.head.docs);
        all.filter(is_held).map(|doc| doc.id).collect()
    };
    Known {
        any: docs(|_| true),
        header: docs(|doc| doc.header),
        body: docs(|doc| doc.body),
        header_seams: docs(|doc| doc.header && doc.seams),
        body_seams: docs(|doc| doc.body && doc.seams),
    }
}

impl Segment {
    pub(super) fn read(reader: &dyn Reader, id: SegmentId, room: &Room) -> Result<Self> {
        let head = Head::parse(&reader.segment_head(id)?)?;
        let words = head.starts.iter().map(|_| OnceLock::new()).collect();
        Ok(Self { head, words, room: Arc::clone(room) })
    }

    /// Keeps the words of a block, where there is room for them.
    fn keep(&self, block: u32, words: &Bytes) {
        let take = |room: usize| room.checked_sub(words.len());
        let Some(place) = self.words.get(block as usize) else { return };
        if self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
            && place.set(words.clone()).is_err()
        {
            // Somebody else was faster.
            self.room.fetch_add(words.len(), Ordering::Relaxed);
        }
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        let kept: usize = self.words.iter().filter_map(OnceLock::get).map(Bytes::len).sum();
        self.room.fetch_add(kept, Ordering::Relaxed);
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
        if let Some(words) = self.segment.words.get(block as usize).and_then(OnceLock::get) {
            return Ok(words.clone());
        }
        let words = self.reader.segment_words(self.id, block)?.into();
        self.segment.keep(block, &words);
        Ok(words)
    }

    fn postings(&self, block: u32) -> Result<Bytes> {
        Ok(self.reader.segment_postings(self.id, block)?.into())
    }
}
