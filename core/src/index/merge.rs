//! Segments merged into one, without the messages that are gone.

use super::docset::DocSet;
use super::search::Source;
use super::segment::{BlockReader, Builder, Held, SegmentData};
use crate::error::Result;
use bytes::Bytes;
use std::collections::BTreeMap;

/// How many segments of about one size there may be.
const FEW: usize = 8;

/// Which of the segments should be merged now, given how many bytes each takes: once there are eight of about one size
/// (within a factor of eight), these. So the work for each byte is bounded by the logarithm of the whole.
#[must_use]
pub fn to_merge(sizes: &[u64]) -> Vec<usize> {
    let mut tiers: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (place, size) in sizes.iter().enumerate() {
        tiers.entry(size.max(&1).ilog2().saturating_sub(14) / 3).or_default().push(place);
    }
    tiers.into_values().find(|tier| tier.len() >= FEW).unwrap_or_default()
}

/// Merges segments. A message that is in several (its header in one, its text in another) becomes one.
pub struct Merge;

impl Merge {
    /// One segment of several. Messages of which `is_gone` is true are left out, with the words that nobody else has. A
    /// block of each is in memory at a time, and the result.
    pub fn run(segments: &[Source<'_>], gone: &DocSet) -> Result<SegmentData> {
        Self::as_current(segments, gone, segments.iter().all(|segment| segment.head.is_current))
    }

    /// The same, saying whether the result [is current](super::Head::is_current).
    pub fn as_current(segments: &[Source<'_>], gone: &DocSet, is_current: bool) -> Result<SegmentData> {
        let docs = documents(segments, gone);
        let places: BTreeMap<i64, u32> = docs.iter().zip(0..).map(|(doc, place)| (doc.id, place)).collect();
        let mut inputs = Vec::new();
        for segment in segments {
            let map = segment.head.docs.iter().map(|doc| places.get(&doc.id).copied()).collect();
            inputs.push(Input::open(segment, map)?);
        }
        let mut builder = Builder::new(docs, is_current);
        let (mut word, mut list) = (Vec::new(), Vec::new());
        while let Some(least) = inputs.iter().filter_map(|input| input.word()).min() {
            word.clear();
            word.extend_from_slice(least);
            list.clear();
            for input in &mut inputs {
                if input.word() == Some(word.as_slice()) {
                    input.take(&mut list)?;
                }
            }
            // The stable sort finds what ascends already: the postings of each segment.
            list.sort();
            list.dedup();
            if !list.is_empty() {
                builder.word(&word, &list);
            }
        }
        Ok(builder.finish())
    }
}

fn documents(segments: &[Source<'_>], gone: &DocSet) -> Vec<Held> {
    let mut docs: BTreeMap<i64, (Held, (bool, bool))> = BTreeMap::new();
    for held in segments.iter().flat_map(|segment| &segment.head.docs).filter(|held| !gone.contains(held.id)) {
        let nothing = Held { header: false, body: false, length: 0, ..*held };
        let (doc, with_seams) = docs.entry(held.id).or_insert((nothing, (false, false)));
        doc.header |= held.header;
        doc.body |= held.body;
        doc.length = doc.length.saturating_add(held.length);
        with_seams.0 |= held.seams && held.header;
        with_seams.1 |= held.seams && held.body;
    }
    let seams = |(doc, with_seams): (Held, _)| Held { seams: with_seams == (doc.header, doc.body), ..doc };
    docs.into_values().map(seams).collect()
}

/// One segment, word by word.
struct Input<'a, 's> {
    segment: &'a Source<'s>,
    /// Places of its messages in the new segment.
    map: Vec<Option<u32>>,
    next_block: u32,
    words: Bytes,
    /// Postings of all words of the block, decoded, and of each word where it and they end.
    postings: Vec<u32>,
    ends: Vec<(usize, usize)>,
    /// The word, by its place in the block, and where it and its postings begin.
    at: usize,
    begins: (usize, usize),
}

impl<'a, 's> Input<'a, 's> {
    fn open(segment: &'a Source<'s>, map: Vec<Option<u32>>) -> Result<Self> {
        let (postings, ends) = (Vec::new(), Vec::new());
        let mut input =
            Self { segment, map, next_block: 0, words: Bytes::new(), postings, ends, at: 0, begins: (0, 0) };
        input.load()?;
        Ok(input)
    }

    fn word(&self) -> Option<&[u8]> {
        let (end, _) = self.ends.get(self.at)?;
        self.words.get(self.begins.0..*end)
    }

    /// The word's postings, and on to the next one.
    fn take(&mut self, list: &mut Vec<u32>) -> Result<()> {
        let Some((word, end)) = self.ends.get(self.at).copied() else { return Ok(()) };
        let found = self.postings.get(self.begins.1..end).unwrap_or_default();
        list.extend(found.iter().filter_map(|number| self.map.get(*number as usize).copied().flatten()));
        // A line end lies between words.
        self.begins = (word + 1, end);
        self.at += 1;
        if self.at == self.ends.len() { self.load() } else { Ok(()) }
    }

    /// The next block that has words.
    fn load(&mut self) -> Result<()> {
        self.ends.clear();
        self.postings.clear();
        (self.at, self.begins) = (0, (0, 0));
        while self.ends.is_empty() && (self.next_block as usize) < self.segment.head.starts.len() {
            self.words = self.segment.blocks.words(self.next_block)?;
            let postings = self.segment.blocks.postings(self.next_block)?;
            self.next_block += 1;
            let mut reader = BlockReader::new(&self.words, &postings, self.segment.head.universe());
            let mut end = 0;
            while let Some(word) = reader.next(&mut self.postings)? {
                end += word.len() + 1;
                self.ends.push((end - 1, self.postings.len()));
            }
        }
        Ok(())
    }
}
