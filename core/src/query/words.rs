//! The words of folded text, for an index of words without positions; and what such an index must hold for a text to be
//! found in it.
//!
//! What is looked for is a substring of the folded text, so an index can only ever name candidates:
//!
//! * A **word** is a run of letters and digits. Everything else in ASCII, and punctuation, lies between words: hyphens,
//!   `@`, dots. An address is several words, a phrase too, and both are found by their words and then looked at.
//! * Scripts written **without spaces** (Han, kana, Thai, Lao, Khmer, Myanmar) are indexed as overlapping pairs of
//!   characters, a lone one by itself.
//! * A **sign** beyond ASCII (an emoji, a currency) is a word of its own.
//! * Words of more than 48 characters are indexed in overlapping pieces.
//!
//! The first and last word of what is looked for may continue on the outside: of `race Hop`, the index must have a word
//! that ends with `race` and one that begins with `hop`. One word alone may stand anywhere in another. That single case
//! the index answers exactly; all others have to be verified on the text.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Longest word that is indexed whole, in characters.
const LONGEST: usize = 48;

/// Any substring of this many characters is within one of the pieces of a long word.
const OVERLAP: usize = 24;

/// What an index must have a word for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Folded.
    pub text: String,
    /// How a word has it.
    pub edge: Edge,
}

/// How a word of the index has the one that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// It is that.
    Whole,
    /// It begins with it.
    Prefix,
    /// It ends with it.
    Suffix,
    /// It has it anywhere.
    Inside,
}

impl Edge {
    fn new(open_left: bool, open_right: bool) -> Self {
        match (open_left, open_right) {
            (false, false) => Edge::Whole,
            (false, true) => Edge::Prefix,
            (true, false) => Edge::Suffix,
            (true, true) => Edge::Inside,
        }
    }
}

/// Calls `each` with every word of folded text, repeated ones too.
///
/// ```
/// let mut words = Vec::new();
/// mailtide::query::words("ada@example.org: 日本語", |word| words.push(word.to_owned()));
/// assert_eq!(words, ["ada", "example", "org", "日本", "本語"]);
/// ```
pub fn words(folded: &str, mut each: impl FnMut(&str)) {
    for run in runs(folded) {
        match run.class {
            Class::Letter => pieces(run.text, &mut each),
            Class::Dense => pairs(run.text, &mut each),
            Class::Sign => each(run.text),
            Class::Gap => {}
        }
    }
}

/// What an index must have for folded text to be found, all of it; and whether that is proof. Empty where an index of
/// words cannot help.
#[must_use]
pub fn wanted(folded: &str) -> (Vec<Wanted>, bool) {
    let mut out = Vec::new();
    let runs: Vec<Run<'_>> = runs(folded).collect();
    for (at, run) in runs.iter().enumerate() {
        let edge = Edge::new(at == 0, at + 1 == runs.len());
        match run.class {
            Class::Letter => out.push(wanted_word(run.text, edge)),
            Class::Dense => wanted_pairs(run.text, &mut out),
            Class::Sign => out.push(Wanted { text: run.text.to_owned(), edge: Edge::Whole }),
            Class::Gap => {}
        }
    }
    let is_proof = match (runs.as_slice(), out.as_slice()) {
        ([run], [wanted]) => run.text == wanted.text,
        _ => false,
    };
    (out, is_proof)
}

/// How many letters beside a seam count.
const REACH: usize = 3;

/// Hashes of the seams of folded text, repeated ones too: places where one word follows another, as the last three
/// letters of the first, what stands between, and the first three of the second. They tell of most texts that have all
/// words of a phrase that the phrase is not in them.
#[must_use]
pub fn seams(folded: &str) -> Vec<u64> {
    seams_where(folded, |_, _| true)
}

/// Seams that every text has in which this one is found. A short word at its beginning or end may go on there, so what
/// it is the end of is not known.
#[must_use]
pub fn wanted_seams(folded: &str) -> Vec<u64> {
    let is_long = |text: &str| text.chars().nth(REACH - 1).is_some();
    seams_where(folded, |(left, is_first), (right, is_last)| {
        (!is_first || is_long(left)) && (!is_last || is_long(right))
    })
}

fn seams_where(folded: &str, counts: impl Fn((&str, bool), (&str, bool)) -> bool) -> Vec<u64> {
    let runs: Vec<Run<'_>> = runs(folded).collect();
    let mut out = Vec::new();
    for (at, window) in runs.windows(3).enumerate() {
        let [left, gap, right] = window else { continue };
        let are_words = left.class == Class::Letter && gap.class == Class::Gap && right.class == Class::Letter;
        if are_words && counts((left.text, at == 0), (right.text, at + 3 == runs.len())) {
            let from = left.text.char_indices().rev().nth(REACH - 1).map_or(0, |(at, _)| at);
            let until = right.text.char_indices().nth(REACH).map_or(right.text.len(), |(at, _)| at);
            let mut hasher = DefaultHasher::new();
            (left.text.get(from..), gap.text, right.text.get(..until)).hash(&mut hasher);
            out.push(hasher.finish());
        }
    }
    out
}

/// A long one may lie across pieces; its beginning does not.
fn wanted_word(word: &str, edge: Edge) -> Wanted {
    match word.char_indices().nth(OVERLAP) {
        Some((end, _)) => Wanted { text: word.get(..end).unwrap_or(word).to_owned(), edge: Edge::Inside },
        None => Wanted { text: word.to_owned(), edge },
    }
}

fn wanted_pairs(run: &str, out: &mut Vec<Wanted>) {
    let edge = if run.chars().nth(1).is_some() { Edge::Whole } else { Edge::Inside };
    pairs(run, &mut |pair| out.push(Wanted { text: pair.to_owned(), edge }));
}

fn pieces(word: &str, each: &mut impl FnMut(&str)) {
    if word.len() <= LONGEST {
        return each(word);
    }
    let starts: Vec<usize> = word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
    let length = starts.len() - 1;
    for first in (0..).step_by(OVERLAP) {
        let last = (first + LONGEST).min(length);
        if let (Some(start), Some(end)) = (starts.get(first), starts.get(last)) {
            each(word.get(*start..*end).unwrap_or_default());
        }
        if last == length {
            break;
        }
    }
}

fn pairs(run: &str, each: &mut impl FnMut(&str)) {
    let starts: Vec<usize> = run.char_indices().map(|(at, _)| at).chain([run.len()]).collect();
    if starts.len() <= 2 {
        return each(run);
    }
    for window in starts.windows(3) {
        if let [start, _, end] = window {
            each(run.get(*start..*end).unwrap_or_default());
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Letter,
    Dense,
    Sign,
    Gap,
}

struct Run<'a> {
    class: Class,
    text: &'a str,
}

/// Runs of one class; a sign is a run of its own.
fn runs(text: &str) -> impl Iterator<Item = Run<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let class = class(rest.chars().next()?);
        let end = match class {
            Class::Sign => rest.chars().next().map_or(0, char::len_utf8),
            _ => rest.find(|c: char| self::class(c) != class).unwrap_or(rest.len()),
        };
        let (run, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(Run { class, text: run })
    })
}

fn class(c: char) -> Class {
    if c.is_ascii() {
        return if c.is_ascii_alphanumeric() { Class::Letter } else { Class::Gap };
    }
    match c {
        // Punctuation and spaces: general, CJK, half and full width.
        '\u{00A0}'..='\u{00BF}' if !c.is_alphanumeric() => Class::Gap,
        '\u{2000}'..='\u{206F}' | '\u{3000}'..='\u{3004}' | '\u{3008}'..='\u{3020}' | '\u{3030}' => Class::Gap,
        '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' => Class::Dense,
        '\u{2E80}'..='\u{2FDF}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{312F}' => Class::Dense,
        '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' => Class::Dense,
        '\u{20000}'..='\u{3FFFF}' => Class::Dense,
        _ if c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c) => Class::Letter,
        _ if c.is_whitespace() || c.is_control() => Class::Gap,
        _ => Class::Sign,
    }
}

#[cfg(test)]
mod tests;
