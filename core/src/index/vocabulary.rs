//! Words by number, each with the message that had it last.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// Different words, each with the number of its field before it, in one piece of memory: there are many, and most are short.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    text: Vec<u8>,
    words: Vec<Word>,
    /// Numbers of words, by the hash of their text.
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

#[derive(Clone, Copy, Debug)]
struct Word {
    /// Where its text ends; it begins where the one before ends.
    end: u32,
    /// The message that had it last.
    last: u32,
}

/// Most bytes of text: what is behind them would have no place.
const MOST: usize = u32::MAX as usize;

impl Vocabulary {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// About how many bytes of memory they take, sorted ones included.
    pub(super) fn size(&self) -> usize {
        self.text.len() + self.words.len() * (size_of::<Word>() + 28)
    }

    /// The number of a word that a message has; `None` where it has been told before that this one has it.
    pub(super) fn take(&mut self, field: u8, text: &str, message: u32) -> Option<u32> {
        let hash = self.hasher.hash_one((field, text.as_bytes()));
        let is_it = |number: &u32| self.bytes(*number).split_first() == Some((&field, text.as_bytes()));
        match self.table.find(hash, is_it).copied() {
            Some(number) => {
                let word = self.words.get_mut(number as usize)?;
                let is_new = word.last != message;
                word.last = message;
                is_new.then_some(number)
            }
            None => self.insert(hash, (field, text), message),
        }
    }

    fn insert(&mut self, hash: u64, (field, text): (u8, &str), message: u32) -> Option<u32> {
        let end = u32::try_from(self.text.len() + 1 + text.len()).ok().filter(|end| (*end as usize) < MOST)?;
        let number = u32::try_from(self.words.len()).ok()?;
        self.text.push(field);
        self.text.extend_from_slice(text.as_bytes());
        self.words.push(Word { end, last: message });
        let Self { text, words, table, hasher } = self;
        table.insert_unique(hash, number, |number| {
            let (field, text) = bytes(text, words, *number).split_first().unwrap_or((&0, &[]));
            hasher.hash_one((*field, text))
        });
        Some(number)
    }

    fn bytes(&self, number: u32) -> &[u8] {
        bytes(&self.text, &self.words, number)
    }

    /// All of them with their numbers, ascending.
    pub(super) fn sorted(&self) -> impl Iterator<Item = (u32, &[u8])> {
        // Most are told apart by their first eight bytes, which are compared at once.
        let mut sorted: Vec<(u64, u32)> =
            (0..).take(self.words.len()).map(|number| (beginning(self.bytes(number)), number)).collect();
        sorted.sort_unstable_by(|(a, x), (b, y)| a.cmp(b).then_with(|| self.bytes(*x).cmp(self.bytes(*y))));
        sorted.into_iter().map(move |(_, number)| (number, self.bytes(number)))
    }
}

fn bytes<'a>(text: &'a [u8], words: &[Word], number: u32) -> &'a [u8] {
    let number = number as usize;
    let begin = number.checked_sub(1).and_then(|before| words.get(before)).map_or(0, |word| word.end);
    let end = words.get(number).map_or(begin, |word| word.end);
    text.get(begin as usize..end as usize).unwrap_or_default()
}

/// The first eight bytes as a number that compares as they do; zeros where there are fewer.
fn beginning(word: &[u8]) -> u64 {
    let mut first = [0; 8];
    first.iter_mut().zip(word).for_each(|(to, from)| *to = *from);
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_one_number_and_is_taken_once_of_each_message() {
        let mut words = Vocabulary::default();
        let taken =
            [(1, "moth", 7), (1, "moth", 7), (2, "moth", 7), (1, "moth", 8), (1, "", 8), (1, "moths and more", 8)];
        let numbers = taken.map(|(field, text, message)| words.take(field, text, message));
        assert_eq!(numbers, [Some(0), None, Some(1), Some(0), Some(2), Some(3)]);
        let sorted: Vec<_> = words.sorted().collect();
        let expected: [(u32, &[u8]); 4] =
            [(2, b"\x01"), (0, b"\x01moth"), (3, b"\x01moths and more"), (1, b"\x02moth")];
        assert_eq!(sorted, expected);
    }

    #[test]
    fn words_that_begin_alike_are_in_the_order_of_their_bytes() {
        let mut words = Vocabulary::default();
        let mut texts: Vec<String> =
            (0..2000).map(|n| format!("{}{}", "alike and alike ".repeat(n % 3), n * 7919 % 2003)).collect();
        for text in &texts {
            words.take(b'x', text, 0);
        }
        texts.sort();
        assert!(words.sorted().map(|(_, word)| &word[1..]).eq(texts.iter().map(String::as_bytes)));
    }
}
