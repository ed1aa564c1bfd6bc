//! Sets of numbers as a client writes them (RFC 9051 section 9, `sequence-set`): `*` stays open until it is known what
//! the largest number is.

use crate::imap::UidSet;

/// A set of sequence numbers or UIDs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Numbers {
    /// `$`: what the last search has saved (RFC 5182).
    Saved,
    /// Ranges as they were written; 0 is `*`.
    Ranges(Vec<(u32, u32)>),
}

impl Numbers {
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        if text == b"$" {
            return Some(Self::Saved);
        }
        let range = |part: &[u8]| {
            let mut ends = part.splitn(2, |byte| *byte == b':');
            let first = number(ends.next()?)?;
            Some((first, ends.next().map_or(Some(first), number)?))
        };
        text.split(|byte| *byte == b',').map(range).collect::<Option<Vec<_>>>().map(Self::Ranges)
    }

    /// The numbers, where `last` is what `*` stands for; 0 where there is nothing for it to stand for.
    pub(super) fn resolve(&self, last: u32, saved: &UidSet) -> UidSet {
        let Self::Ranges(ranges) = self else { return saved.clone() };
        let mut set = UidSet::new();
        for (first, end) in ranges {
            let known = |number: u32| if number == 0 { last } else { number };
            // Without a last one, what reaches up to it is what was written.
            match (known(*first), known(*end)) {
                (0, 0) => {}
                (0, one) | (one, 0) => set.insert(one),
                (first, end) => set.insert_range(first, end),
            }
        }
        set
    }

    /// Whether there is a sequence number in it that no message has, where there are `last` messages.
    pub(super) fn exceeds(&self, last: u32) -> bool {
        let Self::Ranges(ranges) = self else { return false };
        let beyond = |number: u32| number > last || last == 0;
        ranges.iter().any(|(first, end)| beyond(*first) || beyond(*end))
    }
}

/// A number that is no zero, or `*` as 0.
fn number(text: &[u8]) -> Option<u32> {
    if text == b"*" {
        return Some(0);
    }
    let is_number = text.first().is_some_and(|first| (b'1'..=b'9').contains(first));
    let text = std::str::from_utf8(text).ok().filter(|text| is_number && text.bytes().all(|b| b.is_ascii_digit()))?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str, last: u32) -> Option<String> {
        Numbers::parse(text.as_bytes()).map(|numbers| numbers.resolve(last, &UidSet::range(7, 9)).to_string())
    }

    #[test]
    fn stars_stand_for_the_last_one() {
        for (text, set) in [
            ("1", "1"),
            ("5,1:3", "1:3,5"),
            ("2:*", "2:10"),
            ("*", "10"),
            ("500:*", "10:500"),
            ("*:4", "4:10"),
            ("$", "7:9"),
        ] {
            assert_eq!(resolved(text, 10).as_deref(), Some(set), "{text}");
        }
        for wrong in ["", "0", "1:", ":1", "a", "1,,2", "+1", "01", "4294967296", "1:2:3", "$,1"] {
            assert_eq!(resolved(wrong, 10), None, "{wrong}");
        }
        assert_eq!(resolved("1:*", 0).as_deref(), Some("1"));
    }

    #[test]
    fn sequence_numbers_end_with_the_messages() {
        let exceeds = |text: &str, last| Numbers::parse(text.as_bytes()).unwrap().exceeds(last);
        assert!(exceeds("1:3", 2) && exceeds("*", 0) && exceeds("1", 0));
        assert!(!exceeds("1:*", 2) && !exceeds("2,1", 2));
    }
}
