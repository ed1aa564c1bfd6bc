//! Text as it is compared in mail held here: without case, accents, width and kind of white space.
//!
//! 1. Compatibility decomposition (NFKD): `ﬁ` is `fi`, `Ａ` is `A`, `①` is `1`, `é` is `e` and an accent.
//! 2. Accents go: the marks of Latin, Greek and Cyrillic, the points of Hebrew and Arabic. The vowel signs of Indic and
//!    South-East Asian scripts and the voicing marks of kana are letters to their readers, and stay.
//! 3. Lower case, and a few letters that do not decompose: `ß` is `ss`, `ø` is `o`, `ł` is `l`, `æ` is `ae`, `ı` is `i`.
//!    Curly quotes and long dashes are what a keyboard has for them.
//! 4. What nobody sees goes: soft hyphens, joiners, marks of direction.
//! 5. White space of any length and kind, line ends too, is one space.
//! 6. Recomposition (NFC), so that a Hangul syllable is one letter again.

use std::sync::OnceLock;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Folds text; see the module's header for what that means.
///
/// ```
/// use mailtide::query::fold;
///
/// assert_eq!(fold("Żółw\r\n  STRASSE"), fold("zolw straße"));
/// assert_eq!(fold("Ｍｏｔｈ"), "moth");
/// ```
#[must_use]
pub fn fold(text: &str) -> String {
    let mut out = Folder { out: String::with_capacity(text.len()), ends_blank: false };
    let mut clusters = Clusters { rest: text };
    while !clusters.rest.is_empty() {
        out.ascii(clusters.ascii());
        out.singles(&mut clusters);
        if let Some(cluster) = clusters.next() {
            out.cluster(cluster);
        }
    }
    out.out
}

/// Folded text that remembers where each byte of it came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Folded {
    pub(super) text: String,
    /// For each byte of `text`, where the letter that it belongs to begins in the original, and where that one ends.
    origins: Vec<(usize, usize)>,
}

impl Folded {
    pub(super) fn new(original: &str) -> Self {
        let mut folder = Folder { out: String::with_capacity(original.len()), ends_blank: false };
        let mut origins = Vec::with_capacity(original.len());
        let mut clusters = Clusters { rest: original };
        let mut at = 0;
        while let Some(cluster) = clusters.next() {
            folder.cluster(cluster);
            origins.resize(folder.out.len(), (at, at + cluster.len()));
            at += cluster.len();
        }
        Self { text: folder.out, origins }
    }

    /// Where in the original a piece of the folded text stands.
    pub(super) fn origin(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        let (first, _) = self.origins.get(start)?;
        let (_, last) = self.origins.get(end.checked_sub(1)?)?;
        Some((*first, *last))
    }
}

/// Letters with the marks that follow them; each is folded alone. ASCII letters come without theirs, which are accents or
/// nothing that joins with them.
struct Clusters<'a> {
    rest: &'a str,
}

impl<'a> Clusters<'a> {
    /// All that comes before the next letter beyond ASCII.
    fn ascii(&mut self) -> &'a str {
        let end = self.rest.bytes().position(|byte| !byte.is_ascii()).unwrap_or(self.rest.len());
        let (plain, rest) = self.rest.split_at_checked(end).unwrap_or_default();
        self.rest = rest;
        plain
    }

    fn next(&mut self) -> Option<&'a str> {
        let first = self.rest.chars().next()?;
        let end = if first.is_ascii() {
            1
        } else {
            let marks = self.rest.chars().skip(1).take_while(|c| is_joining(*c));
            first.len_utf8() + marks.map(char::len_utf8).sum::<usize>()
        };
        let (cluster, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        Some(cluster)
    }
}

/// A mark, or a vowel or final consonant of Hangul, in any width.
fn is_joining(c: char) -> bool {
    let mut first = None;
    if !c.is_ascii() {
        decompose_compatible(c, |c| first = first.or(Some(c)));
    }
    first.is_some_and(|c| matches!(c, '\u{1160}'..='\u{11FF}') || is_combining_mark(c))
}

struct Folder {
    out: String,
    ends_blank: bool,
}

impl Folder {
    /// ASCII of any length, each letter of which is folded alone.
    fn ascii(&mut self, mut text: &str) {
        let is_blank = |byte: &u8| *byte <= b' ' || *byte == b'\x7F';
        while !text.is_empty() {
            let length = text.bytes().take_while(|byte| !is_blank(byte)).count();
            let (word, rest) = text.split_at_checked(length).unwrap_or_default();
            let begin = self.out.len();
            self.out.push_str(word);
            if let Some(letters) = self.out.get_mut(begin..) {
                letters.make_ascii_lowercase();
            }
            self.ends_blank &= word.is_empty();
            let blanks = rest.bytes().take_while(is_blank).count();
            if blanks > 0 {
                self.push(' ');
            }
            text = rest.get(blanks..).unwrap_or_default();
        }
    }

    /// Letters beyond ASCII that have no marks and become one letter each, as most of them in any script do.
    fn singles(&mut self, clusters: &mut Clusters<'_>) {
        let mut letters = clusters.rest.char_indices();
        let mut next = letters.next();
        let mut end = 0;
        while let Some((at, c)) = next {
            end = at;
            next = letters.next();
            let is_alone = next.is_none_or(|(_, c)| c.is_ascii() || single(c).is_some());
            let Some(folded) = single(c).filter(|_| is_alone) else { break };
            self.out.push(folded);
            self.ends_blank = false;
            end = at + c.len_utf8();
        }
        clusters.rest = clusters.rest.get(end..).unwrap_or_default();
    }

    fn cluster(&mut self, cluster: &str) {
        match cluster.as_bytes() {
            [byte] => self.push(char::from(byte.to_ascii_lowercase())),
            _ => self.joined(cluster),
        }
    }

    fn joined(&mut self, cluster: &str) {
        let mut folded = String::new();
        for c in cluster.chars() {
            decompose_compatible(c, |c| fold_char(c, &mut folded));
        }
        let mut letters = folded.chars();
        match (letters.next(), letters.next()) {
            (None, _) => {}
            (Some(c), None) => self.push(c),
            _ => folded.nfc().for_each(|c| self.push(c)),
        }
    }

    fn push(&mut self, c: char) {
        let is_blank = c.is_whitespace() || c.is_control();
        if !is_blank {
            self.out.push(c);
        } else if !self.ends_blank {
            self.out.push(' ');
        }
        self.ends_blank = is_blank;
    }
}

/// What a letter beyond ASCII becomes where that is one letter, and it joins with none before it; `None` otherwise, and
/// for blanks. Remembered by blocks of 256, each worked out when its first letter comes.
fn single(c: char) -> Option<char> {
    static BLOCKS: [OnceLock<[Option<char>; 256]>; 256] = [const { OnceLock::new() }; 256];
    let [block, low] = u16::try_from(u32::from(c)).ok()?.to_be_bytes();
    let letters = BLOCKS.get(usize::from(block))?.get_or_init(|| {
        std::array::from_fn(|low| {
            let code = u32::from(block) << 8 | u32::try_from(low).ok()?;
            char::from_u32(code).filter(|c| !c.is_ascii()).and_then(work_out_single)
        })
    });
    letters.get(usize::from(low)).copied().flatten()
}

fn work_out_single(c: char) -> Option<char> {
    let mut folder = Folder { out: String::new(), ends_blank: false };
    folder.joined(c.encode_utf8(&mut [0; 4]));
    let mut letters = folder.out.chars();
    let folded = letters.next().filter(|folded| *folded != ' ' && !is_joining(c))?;
    letters.next().is_none().then_some(folded)
}

/// A decomposed character.
fn fold_char(c: char, out: &mut String) {
    match c {
        _ if is_accent(c) || is_invisible(c) => {}
        'ß' | 'ẞ' => out.push_str("ss"),
        'æ' | 'Æ' => out.push_str("ae"),
        'œ' | 'Œ' => out.push_str("oe"),
        'þ' | 'Þ' => out.push_str("th"),
        'ø' | 'Ø' => out.push('o'),
        'đ' | 'Đ' | 'ð' | 'Ð' => out.push('d'),
        'ł' | 'Ł' => out.push('l'),
        'ħ' | 'Ħ' => out.push('h'),
        'ŧ' | 'Ŧ' => out.push('t'),
        'ı' => out.push('i'),
        'ς' => out.push('σ'),
        '\u{2018}' | '\u{2019}' | '\u{201B}' | '\u{02BC}' | '\u{2032}' => out.push('\''),
        '\u{201C}' | '\u{201D}' | '\u{201F}' | '\u{2033}' => out.push('"'),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => out.push('-'),
        _ => out.extend(c.to_lowercase()),
    }
}

fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036F}' | '\u{0483}'..='\u{0489}'
        | '\u{0591}'..='\u{05BD}' | '\u{05BF}' | '\u{05C1}' | '\u{05C2}' | '\u{05C4}' | '\u{05C5}' | '\u{05C7}'
        | '\u{0610}'..='\u{061A}' | '\u{0640}' | '\u{064B}'..='\u{065F}' | '\u{0670}' | '\u{06D6}'..='\u{06DC}'
        | '\u{06DF}'..='\u{06E4}' | '\u{06E7}' | '\u{06E8}' | '\u{06EA}'..='\u{06ED}'
        | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
}

fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{180E}' | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_accents_and_width_do_not_count() {
        for (text, folded) in [
            ("Zoë MÜLLER", "zoe muller"),
            ("Zoe\u{308}", "zoe"),
            ("ŻÓŁW", "zolw"),
            ("Straße STRASSE", "strasse strasse"),
            ("Smørrebrød", "smorrebrod"),
            ("İstanbul ışık IŞIK", "istanbul isik isik"),
            ("ΟΔΥΣΣΕΥΣ Ὀδυσσεύς", "οδυσσευσ οδυσσευσ"),
            ("Ёлка", "елка"),
            ("שָׁלוֹם", "שלום"),
            ("مُحَمَّد", "محمد"),
            ("ﬁne ＡＢＣ ①", "fine abc 1"),
            ("don’t “wait” – go", "don't \"wait\" - go"),
            ("in\u{AD}visi\u{200B}ble", "invisible"),
            ("a\r\n\t b\u{A0}c", "a b c"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    #[test]
    fn marks_that_make_another_letter_stay() {
        assert_ne!(fold("ガ"), fold("カ"));
        assert_eq!(fold("ｶﾞ"), fold("ガ"));
        assert_ne!(fold("की"), fold("का"));
        assert_ne!(fold("ที่"), fold("ทา"));
        assert_eq!(fold("한글"), "한글");
        assert_eq!(fold("\u{1112}\u{1161}\u{11AB}"), "한");
        assert!(!fold("한").contains(&fold("하")));
    }

    #[test]
    fn a_place_in_folded_text_leads_back_to_the_original() {
        let original = "Die STRASSE: Zoe\u{308}  Groß";
        let folded = Folded::new(original);
        for (needle, found) in [("strasse", "STRASSE"), ("zoe gr", "Zoe\u{308}  Gr"), ("ss", "SS"), ("oss", "oß")] {
            let at = folded.text.find(needle).unwrap();
            let (start, end) = folded.origin(at, at + needle.len()).unwrap();
            assert_eq!(&original[start..end], found);
        }
        assert_eq!(folded.origin(0, 0), None);
        assert_eq!(folded.origin(0, 1000), None);
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing_more(text in "\\PC{0,40}|[a-zA-Zéßø \u{308}\u{301}가-힣ㄱ-ㅎ\u{1100}-\u{11FF}ก-๙かがｶﾞ\u{3099}日本  \u{3000}Жжё]{0,20}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once.clone());
            prop_assert_eq!(Folded::new(&text).text, once);
        }
    }
}
