//! What is remembered of texts that were looked at: whether a phrase can be in them, in about ten bits a seam.
//!
//! A phrase of very common words has nearly all messages for candidates, and to read their texts takes time. Whoever has
//! done so once need not do it again for that phrase, nor for most others.

use crate::index::DocSet;
use std::collections::HashMap;

/// Most bytes that are kept, 32 MiB: those of about 60,000 texts.
const MOST: usize = 32 << 20;
/// Bits for a seam, and how many of them are set: one text in a hundred is looked at in vain.
const BITS: usize = 10;
const PROBES: u64 = 4;

/// A Bloom filter of the seams of each text, by message.
#[derive(Debug, Default)]
pub(super) struct Seen {
    filters: HashMap<i64, Box<[u64]>>,
    size: usize,
    /// Changes whenever a text may have changed.
    generation: u64,
}

impl Seen {
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether a message certainly lacks one of these seams, as of that generation.
    pub(super) fn lacks(&self, generation: u64, id: i64, seams: &[u64]) -> bool {
        let Some(filter) = self.filters.get(&id).filter(|_| generation == self.generation) else { return false };
        let has = |(word, bit)| filter.get(word).is_some_and(|bits: &u64| bits & bit != 0);
        seams.iter().any(|seam| !places(*seam, filter.len()).all(has))
    }

    /// Remembers the seams of a message, where it is known that these are still so.
    pub(super) fn learn(&mut self, generation: u64, id: i64, seams: &[u64]) {
        let words = (seams.len() * BITS).div_ceil(64).max(1);
        if generation != self.generation || self.size + words * 8 > MOST || self.filters.contains_key(&id) {
            return;
        }
        let mut filter = vec![0; words].into_boxed_slice();
        for (word, bit) in seams.iter().flat_map(|seam| places(*seam, words)) {
            if let Some(bits) = filter.get_mut(word) {
                *bits |= bit;
            }
        }
        self.size += words * 8;
        self.filters.insert(id, filter);
    }

    /// Forgets messages whose texts may have changed.
    pub(super) fn forget(&mut self, ids: &DocSet) {
        self.generation += 1;
        self.filters.retain(|id, _| !ids.contains(*id));
        self.size = self.filters.values().map(|filter| filter.len() * 8).sum();
    }
}

/// Word and bit of each probe.
fn places(seam: u64, words: usize) -> impl Iterator<Item = (usize, u64)> {
    let bits = words as u64 * 64;
    let step = seam >> 32 | 1;
    (0..PROBES).map(move |n| {
        let at = seam.wrapping_add(step.wrapping_mul(n)) % bits.max(1);
        (usize::try_from(at / 64).unwrap_or(0), 1 << (at % 64))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{seams, wanted_seams};

    #[test]
    fn what_a_text_has_is_never_denied_and_what_it_lacks_mostly_is() {
        let (mut seen, text) = (Seen::default(), "the panel, and the moth of relay 70 in the panel");
        seen.learn(0, 7, &seams(text));
        for found in ["the panel", "anel, and the m", "the moth of rel", "of relay", "70 in the"] {
            assert!(text.contains(found) && !seen.lacks(0, 7, &wanted_seams(found)), "{found}");
        }
        for missing in ["the the", "panel and", "moth in the", "relay 70 offered"] {
            assert!(seen.lacks(0, 7, &wanted_seams(missing)), "{missing}");
        }
        // The end of a word that is not known.
        assert!(!seen.lacks(0, 7, &wanted_seams("he panel")) && !seen.lacks(0, 7, &wanted_seams("el an")));
        assert!(!seen.lacks(0, 8, &wanted_seams("the the")), "nothing is known of that one");
    }

    #[test]
    fn what_may_have_changed_is_forgotten() {
        let (mut seen, phrase) = (Seen::default(), wanted_seams("the the"));
        seen.learn(0, 1, &seams("the moth"));
        seen.learn(0, 2, &seams("the moth"));
        seen.forget(&[1].into_iter().collect());
        assert!(!seen.lacks(1, 1, &phrase) && seen.lacks(1, 2, &phrase));
        assert!(!seen.lacks(0, 2, &phrase), "an older snapshot may have had another text");
        seen.learn(0, 1, &seams("the moth"));
        assert!(!seen.lacks(1, 1, &phrase), "what an older snapshot had is not learned");
    }
}
