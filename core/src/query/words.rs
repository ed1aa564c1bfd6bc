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
//! the index answers exactly; all others have to be verified on the text. **Seams** between words ([`seams`]) leave few texts to
//! verify a phrase on, and are proof themselves where two words have three letters or fewer.

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

/// With fewer letters of a word that may begin further left, a seam would be looked for among nearly all there are.
const FEWEST: usize = 2;

/// Calls `each` with the seams of folded text, repeated ones too: places where one word follows another and a space is
/// all between them, as the last three letters of the first, the space, and the first three of the second. They tell of
/// most texts that have all words of a phrase that the phrase is not in them.
///
/// ```
/// let mut seams = Vec::new();
/// mailtide::query::seams("the panel, and the moth", |seam| seams.push(seam.to_owned()));
/// assert_eq!(seams, ["the pan", "and the", "the mot"]);
/// ```
pub fn seams(folded: &str, mut each: impl FnMut(&str)) {
    let mut seam = String::new();
    let (mut left, mut gap) = (None::<Run<'_>>, None::<Run<'_>>);
    for run in runs(folded) {
        if let (Some(left), Some(gap)) = (left, gap)
            && is_seam(left, gap, run)
        {
            seam.clear();
            join(&mut seam, left.text, run.text);
            each(&seam);
        }
        (left, gap) = (gap, Some(run));
    }
}

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
            let mut text = String::new();
            join(&mut text, left.text, right.text);
            out.push(Wanted { text, edge: Edge::new(open.0, open.1) });
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

fn join(out: &mut String, left: &str, right: &str) {
    let from = left.char_indices().rev().nth(REACH - 1).map_or(0, |(at, _)| at);
    let until = right.char_indices().nth(REACH).map_or(right.len(), |(at, _)| at);
    out.push_str(left.get(from..).unwrap_or(left));
    out.push(' ');
    out.push_str(right.get(..until).unwrap_or(right));
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

#[derive(Clone, Copy)]
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
