//! Messages to a segment.

use super::segment::{Builder, Held, SEAM, SegmentData};
use crate::query::{Field, seams, words};
use std::collections::{BTreeMap, HashMap};

/// Most different words that are taken of one message; the rest of a longer one is not indexed, and the message is
/// looked at for every query.
const MOST_WORDS: usize = 50_000;

/// Most different seams that are taken of one message; of a longer one they prove nothing.
const MOST_SEAMS: usize = 100_000;

/// Messages whose words are being gathered. Takes memory for every different word and four bytes for every message that
/// has it: [`Batch::size`] says about how much.
#[derive(Debug, Default)]
pub struct Batch {
    /// By id: what is held, and its number in `lists`.
    docs: BTreeMap<i64, (Held, u32)>,
    lists: HashMap<Box<[u8]>, Vec<u32>>,
    size: usize,
}

impl Batch {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many messages it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.docs.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.docs.is_empty()
    }

    /// About how many bytes of memory it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Adds the header fields of a message, its text, or both: whatever `texts` has, folded by [`fold`](crate::query::fold).
    /// `header` and `body` say which are whole. A message may be added in two steps, never twice with the same.
    ///
    /// Ids ascend within a store and are at most 2^32.
    pub fn add(&mut self, id: i64, (header, body): (bool, bool), texts: &[(Field, &str)]) {
        let next = u32::try_from(self.docs.len()).unwrap_or(u32::MAX);
        let new = Held { id, header: false, body: false, seams: true, length: 0 };
        let (held, number) = self.docs.entry(id).or_insert((new, next));
        let number = *number;
        let (mut taken, mut seams_taken) = (0, 0);
        let mut key = Vec::new();
        let mut take = |field: u8, word: &str, (taken, most): (&mut usize, usize)| {
            key.clear();
            key.push(field);
            key.extend(word.as_bytes());
            if *taken < most && post(&mut self.lists, &key, number, &mut self.size) {
                *taken += 1;
            }
        };
        for (field, text) in texts {
            words(text, |word| take(*field as u8, word, (&mut taken, MOST_WORDS)));
            seams(text, |seam| take(*field as u8 | SEAM, seam, (&mut seams_taken, MOST_SEAMS)));
        }
        held.length += u32::try_from(taken).unwrap_or(u32::MAX);
        // What is not there whole must not be taken for proof that a word is missing.
        held.header |= header && taken < MOST_WORDS;
        held.body |= body && taken < MOST_WORDS;
        held.seams &= seams_taken < MOST_SEAMS;
        self.size += 64;
    }

    /// The segment.
    #[must_use]
    pub fn finish(self) -> SegmentData {
        let mut places = vec![0; self.docs.len()];
        for (place, (_, number)) in (0..).zip(self.docs.values()) {
            if let Some(slot) = places.get_mut(*number as usize) {
                *slot = place;
            }
        }
        let mut lists: Vec<(Box<[u8]>, Vec<u32>)> = self.lists.into_iter().collect();
        lists.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let mut builder = Builder::new(self.docs.into_values().map(|(held, _)| held).collect(), true);
        for (word, list) in lists {
            let mut list: Vec<u32> = list.iter().filter_map(|number| places.get(*number as usize).copied()).collect();
            list.sort_unstable();
            list.dedup();
            builder.word(&word, &list);
        }
        builder.finish()
    }
}

/// Whether the message had not got that word yet.
fn post(lists: &mut HashMap<Box<[u8]>, Vec<u32>>, key: &[u8], number: u32, size: &mut usize) -> bool {
    match lists.get_mut(key) {
        Some(list) if list.last() == Some(&number) => return false,
        Some(list) => list.push(number),
        None => {
            *size += key.len() + 80;
            lists.insert(key.into(), vec![number]);
        }
    }
    *size += 6;
    true
}
