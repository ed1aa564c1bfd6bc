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
//! the index answers exactly; all others have to be verified on the text. **Seams** between words ([`Token::Seam`])
//! leave few texts to verify a phrase on, and are proof themselves where two words have three letters or fewer.

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

/// What an index of words has of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// A word.
    Word(&'a str),
    /// A place where one word follows another and a space is all between them, as the last three letters of the first, the
    /// space, and the first three of the second. Seams tell of most texts that have all words of a phrase that the phrase
    /// is not in them.
    Seam(&'a str),
}

/// Calls `each` with every word of folded text and every seam, repeated ones too, as pieces of it.
///
/// ```
/// use mailtide::query::{Token, tokens};
///
/// let (mut words, mut seams) = (Vec::new(), Vec::new());
/// tokens("the panel, and the moth: 日本語", |token| match token {
///     Token::Word(word) => words.push(word),
///     Token::Seam(seam) => seams.push(seam),
/// });
/// assert_eq!(words, ["the", "panel", "and", "the", "moth", "日本", "本語"]);
/// assert_eq!(seams, ["the pan", "and the", "the mot"]);
/// ```
pub fn tokens<'a>(folded: &'a str, mut each: impl FnMut(Token<'a>)) {
    let (mut left, mut gap) = (None::<Run<'_>>, None::<Run<'_>>);
    for run in runs(folded) {
        match run.class {
            Class::Letter => pieces(run.text, &mut |word| each(Token::Word(word))),
            Class::Dense => pairs(run.text, &mut |pair| each(Token::Word(pair))),
            Class::Sign => each(Token::Word(run.text)),
            Class::Gap => {}
        }
        if let (Some(left), Some(gap)) = (left, gap)
            && is_seam(left, gap, run)
        {
            each(Token::Seam(seam(folded, left, run)));
        }
        (left, gap) = (gap, Some(run));
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

/// With fewer letters of a word that may begin further left, a seam would be looked for among nearly all there are.
const FEWEST: usize = 2;

/// Seams that every text has in which this one is found; and whether having them is proof that it is. Words at its
/// beginning and end may go on there.
#[must_use]
pub fn wanted_seams(folded: &str) -> (Vec<Wanted>, bool) {
    let runs: Vec<Run<'_>> = runs(folded).collect();
    let mut out = Vec::new();
    for (at, window) in runs.windows(3).enumerate() {
        let [left, gap, right] = window else { continue };
        let open = (at == 0 && !is_long(left.text), at + 3 == runs.len() && !is_long(right.text));
        if is_seam(*left, *gap, *right) && (!open.0 || left.text.chars().count() >= FEWEST) {
            out.push(Wanted { text: seam(folded, *left, *right).to_owned(), edge: Edge::new(open.0, open.1) });
        }
    }
    let is_proof = match (runs.as_slice(), out.as_slice()) {
        ([left, gap, right], [seam]) => seam.text.len() == left.text.len() + gap.text.len() + right.text.len(),
        _ => false,
    };
    (out, is_proof)
}

fn is_seam(left: Run<'_>, gap: Run<'_>, right: Run<'_>) -> bool {
    gap.text == " " && left.class == Class::Letter && right.class == Class::Letter
}

fn is_long(word: &str) -> bool {
    word.chars().nth(REACH - 1).is_some()
}

/// The seam of two words that follow each other in a text.
fn seam<'a>(text: &'a str, left: Run<'a>, right: Run<'a>) -> &'a str {
    let from = left.text.char_indices().rev().nth(REACH - 1).map_or(0, |(at, _)| at);
    let until = right.text.char_indices().nth(REACH).map_or(right.text.len(), |(at, _)| at);
    text.get(left.at + from..right.at + until).unwrap_or_default()
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

fn pieces<'a>(word: &'a str, each: &mut impl FnMut(&'a str)) {
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

fn pairs<'a>(run: &'a str, each: &mut impl FnMut(&'a str)) {
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

#[derive(Clone, Copy)]
struct Run<'a> {
    class: Class,
    text: &'a str,
    /// Where it begins.
    at: usize,
}

/// Runs of one class; a sign is a run of its own.
fn runs(text: &str) -> impl Iterator<Item = Run<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..)?;
        let class = class(rest.chars().next()?);
        let run = rest.get(..length(rest, class))?;
        let begin = at;
        at += run.len();
        Some(Run { class, text: run, at: begin })
    })
}

/// How long the run is that a text begins with, in bytes.
fn length(text: &str, class: Class) -> usize {
    if class == Class::Sign {
        return text.chars().next().map_or(0, char::len_utf8);
    }
    // Most of most texts is ASCII, which need not be decoded.
    let is_more = |byte: &u8| byte.is_ascii() && self::class(char::from(*byte)) == class;
    let plain = text.bytes().take_while(is_more).count();
    match text.get(plain..) {
        Some(rest) if !rest.as_bytes().first().is_none_or(u8::is_ascii) => {
            plain + rest.find(|c: char| self::class(c) != class).unwrap_or(rest.len())
        }
        _ => plain,
    }
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
