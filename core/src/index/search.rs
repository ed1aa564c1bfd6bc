//! Words looked up in segments.

use super::damaged;
use super::docset::DocSet;
use super::segment::{BlockReader, Head, SEAM};
use crate::error::Result;
use crate::query::{Edge, Field, Wanted, WordTerm};
use bytes::Bytes;
use memchr::memmem;
use std::collections::HashMap;

/// Where the blocks of one segment are read.
pub trait Blocks {
    /// The words of a block.
    fn words(&self, block: u32) -> Result<Bytes>;
    /// Its postings.
    fn postings(&self, block: u32) -> Result<Bytes>;
}

/// A segment to search.
pub struct Source<'a> {
    /// Its head.
    pub head: &'a Head,
    /// Its blocks.
    pub blocks: &'a dyn Blocks,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hits {
    /// Messages that have a word for everything that is wanted.
    pub docs: DocSet,
    /// How much each of them is about it; empty where nobody asked.
    pub scores: HashMap<i64, f32>,
}

/// Messages that have a word for everything that a term wants, in any of its fields. Different words may come from
/// different fields: that is to be verified, as the term's [`is_proof`](WordTerm::is_proof) says.
///
/// With `ranked`, a score goes with them: the rarer a word, the shorter the message, the more telling the field (subject,
/// then sender), the higher (as BM25 has it, for words that are there once).
pub fn search(term: &WordTerm, segments: &[Source<'_>], ranked: bool) -> Result<Hits> {
    let mut total = Hits::default();
    let held: usize = segments.iter().map(|segment| segment.head.docs.len()).sum();
    let fields: Vec<u8> = term.fields.iter().map(|field| *field as u8).collect();
    for (number, wanted) in term.wanted.iter().enumerate() {
        let found = one(wanted, &fields, segments, ranked.then_some(held))?;
        if number == 0 {
            total = found;
        } else {
            total.docs.intersect(&found.docs);
            for (id, score) in found.scores {
                *total.scores.entry(id).or_default() += score;
            }
        }
        if total.docs.is_empty() {
            break;
        }
    }
    let docs = &total.docs;
    total.scores.retain(|id, _| docs.contains(*id));
    Ok(total)
}

/// Messages that have every seam that a term wants, each in any of its fields; `None` where it wants none. Only of
/// messages that are [held with seams](super::Held::seams) does that say anything.
pub fn search_seams(term: &WordTerm, segments: &[Source<'_>]) -> Result<Option<DocSet>> {
    let fields: Vec<u8> = term.fields.iter().map(|field| *field as u8 | SEAM).collect();
    let mut all: Option<DocSet> = None;
    for seam in &term.seams {
        let found = one(seam, &fields, segments, None)?.docs;
        match &mut all {
            Some(all) => all.intersect(&found),
            None => all = Some(found),
        }
    }
    Ok(all)
}

fn one(wanted: &Wanted, fields: &[u8], segments: &[Source<'_>], ranked: Option<usize>) -> Result<Hits> {
    let mut hits = Hits::default();
    for segment in segments {
        let mut found = Found { seen: vec![false; segment.head.docs.len()], left: segment.head.docs.len() };
        for block in blocks(wanted, fields, segment.head) {
            // Ranking wants the best of all words a message has; else the first is as good as any.
            if found.left > 0 || ranked.is_some() {
                look_up(segment, block, (wanted, fields), &mut |word, list| {
                    found.take(list);
                    hits.score(segment.head, (word, wanted), list, ranked);
                })?;
            }
        }
        let docs = segment.head.docs.iter().zip(found.seen).filter(|(_, is_seen)| *is_seen);
        hits.docs.extend(docs.map(|(doc, _)| doc.id));
    }
    Ok(hits)
}

/// The messages of a segment that were found, by number.
struct Found {
    seen: Vec<bool>,
    /// How many were not.
    left: usize,
}

impl Found {
    fn take(&mut self, list: &[u32]) {
        for number in list {
            if let Some(seen) = self.seen.get_mut(*number as usize) {
                self.left -= usize::from(!*seen);
                *seen = true;
            }
        }
    }
}

/// Calls `each` with the words of a block that fit, and their postings.
fn look_up(
    segment: &Source<'_>,
    block: u32,
    (wanted, fields): (&Wanted, &[u8]),
    each: &mut dyn FnMut(&[u8], &[u32]),
) -> Result<()> {
    let words = segment.blocks.words(block)?;
    let lines = lines(&words, wanted, fields);
    if lines.is_empty() {
        return Ok(());
    }
    let postings = segment.blocks.postings(block)?;
    let mut reader = BlockReader::new(&words, &postings, segment.head.universe());
    let (mut place, mut list) = (0, Vec::new());
    for line in lines {
        for _ in place..line {
            reader.skip()?;
        }
        place = line + 1;
        list.clear();
        let word = reader.next(&mut list)?.ok_or_else(damaged)?;
        each(word, &list);
    }
    Ok(())
}

impl Hits {
    fn score(&mut self, head: &Head, (word, wanted): (&[u8], &Wanted), list: &[u32], ranked: Option<usize>) {
        let Some(held) = ranked else { return };
        let weight = weight(word, wanted, list.len(), held);
        for doc in list.iter().filter_map(|number| head.docs.get(*number as usize)) {
            let length = (doc.length.max(1) as f32 / 128.0).log2().max(0.0);
            let score = self.scores.entry(doc.id).or_default();
            *score = score.max(weight / (1.0 + 0.1 * length));
        }
    }
}

/// How telling it is to have a word. `count` messages have it, of `held`.
fn weight(word: &[u8], wanted: &Wanted, count: usize, held: usize) -> f32 {
    let rarity = (1.0 + held as f32 / count as f32).ln();
    let field = match word.first() {
        Some(field) if *field == Field::Subject as u8 => 3.0,
        Some(field) if *field == Field::From as u8 => 2.0,
        Some(field) if *field == Field::Body as u8 => 1.0,
        _ => 1.5,
    };
    // The word itself says more than one that happens to hold it.
    let whole = if word.len() == wanted.text.len() + 1 { 1.0 } else { 0.5 };
    rarity * field * whole
}

/// The blocks that may have such words. Where the beginning of a word is known, words in order say which.
fn blocks(wanted: &Wanted, fields: &[u8], head: &Head) -> Vec<u32> {
    let count = u32::try_from(head.starts.len()).unwrap_or(u32::MAX);
    let mut out = Vec::new();
    for field in fields {
        let mut from = vec![*field];
        let mut until = vec![*field + 1];
        if matches!(wanted.edge, Edge::Whole | Edge::Prefix) {
            from.extend(wanted.text.as_bytes());
            until.clone_from(&from);
            // No byte of UTF-8 is as high.
            until.push(0xFF);
        }
        let at = |key: &Vec<u8>| head.starts.partition_point(|start| start <= key);
        out.extend((at(&from).saturating_sub(1)..at(&until)).filter_map(|n| u32::try_from(n).ok()));
    }
    out.sort_unstable();
    out.dedup();
    out.retain(|block| *block < count);
    out
}

/// The lines of a block that have such words, ascending.
fn lines(words: &[u8], wanted: &Wanted, fields: &[u8]) -> Vec<usize> {
    let needle = wanted.text.as_bytes();
    let (mut line, mut counted, mut end) = (0, 0, 0);
    let mut out = Vec::new();
    for at in memmem::find_iter(words, needle) {
        // A second time in the same word.
        if at < end {
            continue;
        }
        line += memchr::memchr_iter(b'\n', words.get(counted..at).unwrap_or_default()).count();
        counted = at;
        let start = words.get(..at).and_then(|before| memchr::memrchr(b'\n', before)).map_or(0, |n| n + 1);
        let stop = words.get(at..).and_then(|after| memchr::memchr(b'\n', after)).map_or(words.len(), |n| at + n);
        let Some((field, word)) = words.get(start..stop).and_then(<[u8]>::split_first) else { continue };
        if fields.contains(field) && fits(word, needle, wanted.edge) {
            out.push(line);
            end = stop;
        }
    }
    out
}

fn fits(word: &[u8], text: &[u8], edge: Edge) -> bool {
    match edge {
        Edge::Whole => word == text,
        Edge::Prefix => word.starts_with(text),
        Edge::Suffix => word.ends_with(text),
        Edge::Inside => true,
    }
}

#[cfg(test)]
mod tests;
