//! The flags of one message: a bit for each that has a name, and the other keywords.

use crate::imap::Flag;
use std::fmt;

/// The flags of a message. `\Recent` belongs to sessions and is never in it (RFC 9051 section 2.3.2).
///
/// Keywords have no case: they are compared without it, and kept in the spelling that came first.
///
/// ```
/// use mailtide::{imap::Flag, store::Flags};
///
/// let flags: Flags = [Flag::SEEN, Flag::parse("$Invoice").unwrap()].into_iter().collect();
/// assert!(flags.contains(&Flag::parse("$INVOICE").unwrap()));
/// assert_eq!(flags.to_string(), "\\Seen $Invoice");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    bits: u32,
    /// Ascending without regard to case, no two alike, none that has a bit.
    keywords: Vec<Keyword>,
}

/// Bits as stores keep them: the place in this list. Append only.
const BITS: &[Flag] = &[
    Flag::SEEN,
    Flag::ANSWERED,
    Flag::FLAGGED,
    Flag::DELETED,
    Flag::DRAFT,
    Flag::FORWARDED,
    Flag::MDN_SENT,
    Flag::JUNK,
    Flag::NOT_JUNK,
    Flag::PHISHING,
    Flag::IMPORTANT,
];

impl Flags {
    /// The bit of `\Seen` in [`Flags::bits`].
    pub const SEEN: u32 = 1;
    /// The bit of `\Answered`.
    pub const ANSWERED: u32 = 1 << 1;
    /// The bit of `\Flagged`.
    pub const FLAGGED: u32 = 1 << 2;
    /// The bit of `\Deleted`.
    pub const DELETED: u32 = 1 << 3;
    /// The bit of `\Draft`.
    pub const DRAFT: u32 = 1 << 4;

    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What a store kept: bits, and the other keywords separated by spaces.
    #[must_use]
    pub fn from_parts(bits: u32, keywords: &str) -> Self {
        let mut flags = Self { bits: bits & Self::all_bits(), keywords: Vec::new() };
        for keyword in keywords.split(' ').filter(|keyword| !keyword.is_empty()) {
            flags.insert(&Flag::from_server(keyword.as_bytes()));
        }
        flags
    }

    /// The flags that have a bit.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// The other keywords, separated by spaces; `None` where there are none.
    #[must_use]
    pub fn keywords(&self) -> Option<String> {
        let words: Vec<_> = self.keywords.iter().map(|keyword| keyword.0.as_str()).collect();
        (!words.is_empty()).then(|| words.join(" "))
    }

    /// Whether `flag` is in it.
    #[must_use]
    pub fn contains(&self, flag: &Flag) -> bool {
        bit(flag).map_or_else(|| self.place(flag).is_ok(), |bit| self.bits & bit != 0)
    }

    /// Adds `flag`; whether it was not there. `\Recent`, and what could not be written again, is not taken.
    pub fn insert(&mut self, flag: &Flag) -> bool {
        if let Some(bit) = bit(flag) {
            let is_new = self.bits & bit == 0;
            self.bits |= bit;
            return is_new;
        }
        let is_kept = *flag != Flag::RECENT && *flag != Flag::ANY && !flag.as_str().contains([' ', '\0']);
        match self.place(flag) {
            Err(at) if is_kept && !flag.as_str().is_empty() => {
                self.keywords.insert(at, Keyword(flag.as_str().to_owned()));
                true
            }
            _ => false,
        }
    }

    /// Takes `flag` away; whether it was there.
    pub fn remove(&mut self, flag: &Flag) -> bool {
        if let Some(bit) = bit(flag) {
            let was_there = self.bits & bit != 0;
            self.bits &= !bit;
            return was_there;
        }
        self.place(flag).map(|at| self.keywords.remove(at)).is_ok()
    }

    /// The flags, those with a bit first.
    pub fn iter(&self) -> impl Iterator<Item = Flag> + '_ {
        let named = BITS.iter().filter(|flag| self.contains(flag)).cloned();
        named.chain(self.keywords.iter().map(|keyword| Flag::from_server(keyword.0.as_bytes())))
    }

    /// What is in this one and not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.iter().filter(|flag| !other.contains(flag)).collect()
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.iter().chain(other.iter()).collect()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bits == 0 && self.keywords.is_empty()
    }

    fn all_bits() -> u32 {
        (1 << BITS.len()) - 1
    }

    fn place(&self, flag: &Flag) -> Result<usize, usize> {
        let wanted = flag.as_str();
        self.keywords.binary_search_by(|keyword| compare(&keyword.0, wanted))
    }
}

impl FromIterator<Flag> for Flags {
    fn from_iter<I: IntoIterator<Item = Flag>>(flags: I) -> Self {
        let mut set = Self::new();
        for flag in flags {
            set.insert(&flag);
        }
        set
    }
}

impl<'a> FromIterator<&'a Flag> for Flags {
    fn from_iter<I: IntoIterator<Item = &'a Flag>>(flags: I) -> Self {
        flags.into_iter().cloned().collect()
    }
}

/// As they travel, separated by spaces.
impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.iter().map(|flag| flag.as_str().to_owned()).collect();
        f.write_str(&words.join(" "))
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({self})")
    }
}

/// A keyword; equal to itself in any case.
#[derive(Clone)]
struct Keyword(String);

impl PartialEq for Keyword {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Keyword {}

impl std::hash::Hash for Keyword {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_ascii_lowercase().hash(state);
    }
}

fn bit(flag: &Flag) -> Option<u32> {
    BITS.iter().position(|known| known == flag).map(|at| 1 << at)
}

fn compare(left: &str, right: &str) -> std::cmp::Ordering {
    let lower = |text: &str| text.bytes().map(|byte| byte.to_ascii_lowercase()).collect::<Vec<_>>();
    lower(left).cmp(&lower(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(words: &str) -> Flags {
        words.split_whitespace().map(|word| Flag::from_server(word.as_bytes())).collect()
    }

    #[test]
    fn what_is_kept_comes_back() {
        for words in ["", "\\Seen", "\\Seen $Forwarded $Invoice été", "\\Custom a b C"] {
            let set = flags(words);
            let again = Flags::from_parts(set.bits(), set.keywords().as_deref().unwrap_or_default());
            assert_eq!(set, again);
            assert_eq!(set.iter().count(), words.split_whitespace().count());
        }
    }

    #[test]
    fn keywords_have_no_case() {
        let mut set = flags("$Invoice");
        assert!(!set.insert(&Flag::from_server(b"$INVOICE")));
        assert_eq!(set, flags("$invoice"));
        assert_eq!(set.to_string(), "$Invoice");
        assert!(set.remove(&Flag::from_server(b"$invoicE")) && set.is_empty());
    }

    #[test]
    fn recent_and_what_is_no_flag_are_not_kept() {
        assert!(flags("\\Recent \\*").is_empty());
        let mut set = Flags::new();
        assert!(!set.insert(&Flag::from_server(b"a b")) && !set.insert(&Flag::from_server(b"")));
    }

    #[test]
    fn differences_are_per_flag() {
        let (old, new) = (flags("\\Seen a b"), flags("\\Flagged A c"));
        assert_eq!(new.difference(&old), flags("\\Flagged c"));
        assert_eq!(old.difference(&new), flags("\\Seen b"));
        assert_eq!(old.union(&new), flags("\\Seen \\Flagged a b c"));
    }
}
