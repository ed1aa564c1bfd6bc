//! Messages to a segment.

use super::segment::{Builder, Held, SEAM, SegmentData};
use super::vocabulary::Vocabulary;
use crate::query::{Field, Token, tokens};
use std::collections::BTreeMap;

/// Most different words that are taken of one message; the rest of a longer one is not indexed, and the message is
/// looked at for every query.
const MOST_WORDS: usize = 50_000;

/// Most different seams that are taken of one message; of a longer one they prove nothing.
const MOST_SEAMS: usize = 100_000;

/// Messages whose words are being gathered. Takes memory for every different word and for every message that has it:
/// [`Batch::size`] says about how much.
#[derive(Debug, Default)]
pub struct Batch {
    /// By id: what is held, and its number in `postings`.
    docs: BTreeMap<i64, (Held, u32)>,
    words: Vocabulary,
    /// Which word is in which message, by the numbers of both, in the order in which they came.
    postings: Vec<(u32, u32)>,
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

    /// About how many bytes of memory it takes, [`Batch::finish`] included.
    #[must_use]
    pub fn size(&self) -> usize {
        self.docs.len() * 64 + self.words.size() + self.postings.len() * 12
    }

    /// Adds the header fields of a message, its text, or both: whatever `texts` has, folded by [`fold`](crate::query::fold).
    /// `header` and `body` say which are whole. A message may be added in two steps, never twice with the same.
    ///
    /// Ids ascend within a store and are at most 2^32.
    pub fn add(&mut self, id: i64, (header, body): (bool, bool), texts: &[(Field, impl AsRef<str>)]) {
        let next = u32::try_from(self.docs.len()).unwrap_or(u32::MAX);
        let new = Held { id, header: false, body: false, seams: true, length: 0 };
        let (held, number) = self.docs.entry(id).or_insert((new, next));
        let (mut taken, mut seams_taken) = (0, 0);
        for (field, text) in texts {
            tokens(text.as_ref(), |token| {
                let (field, text, taken, most) = match token {
                    Token::Word(word) => (*field as u8, word, &mut taken, MOST_WORDS),
                    Token::Seam(seam) => (*field as u8 | SEAM, seam, &mut seams_taken, MOST_SEAMS),
                };
                if *taken < most
                    && let Some(word) = self.words.take(field, text, *number)
                {
                    self.postings.push((word, *number));
                    *taken += 1;
                }
            });
        }
        held.length += u32::try_from(taken).unwrap_or(u32::MAX);
        // What is not there whole must not be taken for proof that a word is missing.
        held.header |= header && taken < MOST_WORDS;
        held.body |= body && taken < MOST_WORDS;
        held.seams &= seams_taken < MOST_SEAMS;
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
        let lists = Lists::of(self.words.len(), self.postings, &places);
        let mut builder = Builder::new(self.docs.into_values().map(|(held, _)| held).collect(), true);
        let mut list = Vec::new();
        for (number, word) in self.words.sorted() {
            list.clear();
            list.extend_from_slice(lists.of_word(number));
            list.sort();
            list.dedup();
            builder.word(word, &list);
        }
        builder.finish()
    }
}

/// Postings by word.
struct Lists {
    /// Where those of each word end.
    ends: Vec<u32>,
    places: Vec<u32>,
}

impl Lists {
    /// Puts the postings together that are of one word, with the places of their messages.
    fn of(words: usize, postings: Vec<(u32, u32)>, places: &[u32]) -> Self {
        let mut ends = vec![0_u32; words];
        for (word, _) in &postings {
            if let Some(count) = ends.get_mut(*word as usize) {
                *count += 1;
            }
        }
        // First where each begins; what is put there moves it to its end.
        let mut begin = 0;
        for end in &mut ends {
            (*end, begin) = (begin, begin + *end);
        }
        let mut sorted = vec![0; postings.len()];
        for (word, number) in postings {
            if let Some(end) = ends.get_mut(word as usize)
                && let Some(slot) = sorted.get_mut(*end as usize)
            {
                *slot = places.get(number as usize).copied().unwrap_or_default();
                *end += 1;
            }
        }
        Self { ends, places: sorted }
    }

    fn of_word(&self, number: u32) -> &[u32] {
        let number = number as usize;
        let begin = number.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(number).copied().unwrap_or(begin);
        self.places.get(begin as usize..end as usize).unwrap_or_default()
    }
}
