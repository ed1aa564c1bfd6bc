//! What the index of words says against a text, for searches by other rules than the query language's: those of IMAP's
//! SEARCH, which disregards case alone.

use super::cache::{Searcher, SegmentBlocks};
use crate::error::Result;
use crate::index::{self, DocSet, Source};
use crate::query::{Edge, Field, Wanted, WordTerm};
use crate::store::Reader;

/// So much of a word is within one piece of it, however long the word is (see `query::words`).
const LONGEST: usize = 24;

impl Searcher {
    /// Messages whose text does not have `text` in it, in whatever case. Others may have it or not: those are to be looked
    /// at. Also says it of bodies that were let go.
    ///
    /// A text that has `text` has its letters and digits of ASCII one after the other, and folding leaves them so: what is
    /// folded away joins more, and never parts. So they stand within one word of the index, wherever that begins and ends.
    pub(crate) fn lacking(&self, reader: &dyn Reader, text: &str) -> Result<DocSet> {
        let wanted = inner_words(text);
        if wanted.is_empty() {
            return Ok(DocSet::new());
        }
        let (is_proof, seams, are_seams_proof) = (false, Vec::new(), false);
        let term = WordTerm { fields: &[Field::Body], wanted, is_proof, seams, are_seams_proof };
        let (segments, known) = self.segments(reader)?;
        let blocks: Vec<_> = segments.iter().map(|(id, segment)| SegmentBlocks { id: *id, segment, reader }).collect();
        let sources: Vec<Source<'_>> =
            blocks.iter().map(|blocks| Source { head: &blocks.segment.head, blocks }).collect();
        let mut lacking = known.body.clone();
        lacking.subtract(&index::search(&term, &sources, false)?.docs);
        // Of these the index may hold something older.
        lacking.subtract(&reader.stale()?.into_iter().map(|id| id.0).collect());
        Ok(lacking)
    }
}

fn inner_words(text: &str) -> Vec<Wanted> {
    let runs = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|run| !run.is_empty());
    let word = |run: &str| run.chars().take(LONGEST).collect::<String>().to_ascii_lowercase();
    runs.map(|run| Wanted { text: word(run), edge: Edge::Inside }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{Token, fold, tokens};
    use proptest::prelude::*;

    /// Letters that folding changes, joins, drops, or takes apart, and those that lower case does.
    const TRICKY: &str = "[a-cA-C0-1 \\-_.@'\\r\\n\u{ad}\u{200d}\u{301}\u{307}\u{327}\u{20e3}\u{5b0}\u{130}\u{212a}\u{212b}\
        éßﬁ①Ａａ日本かがสวี한글ᄀ\u{1161}😀µſıøłæ]{0,60}";

    proptest! {
        #[test]
        fn a_word_of_the_index_has_whatever_a_text_has(text in TRICKY, from in 0usize..60, length in 1usize..40) {
            let needle: String = text.to_lowercase().chars().skip(from).take(length).collect();
            let mut indexed = Vec::new();
            tokens(&fold(&text), |token| {
                if let Token::Word(word) = token {
                    indexed.push(word.to_owned());
                }
            });
            for Wanted { text: wanted, .. } in inner_words(&needle) {
                prop_assert!(indexed.iter().any(|word| word.contains(&wanted)), "{text:?} {needle:?} {wanted:?}");
            }
        }
    }

    #[test]
    fn a_long_word_is_looked_for_by_its_beginning() {
        let wanted = inner_words(&format!("x-{}", "y".repeat(100)));
        assert_eq!(wanted.iter().map(|wanted| wanted.text.len()).collect::<Vec<_>>(), [1, LONGEST]);
        assert!(inner_words("->é").is_empty());
    }
}
