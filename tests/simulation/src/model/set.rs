//! Sets of numbers as IMAP writes them (RFC 9051 section 9, `sequence-set`).

use super::args::{Args, Bad};

/// A set as it was written; `*` is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set(Vec<(Option<u32>, Option<u32>)>);

impl Set {
    /// Reads a set. `$` is not one of them.
    pub fn read(args: &mut Args<'_>) -> Result<Self, Bad> {
        let text = args.until(|b| !(b.is_ascii_digit() || b"*:,".contains(&b)));
        Self::parse(text).ok_or_else(|| "Invalid sequence set".into())
    }

    /// Reads a set from text.
    pub fn parse(text: &str) -> Option<Self> {
        let ranges = text.split(',').map(|range| {
            let (first, last) = range.split_once(':').unwrap_or((range, range));
            Some((number(first)?, number(last)?))
        });
        ranges.collect::<Option<Vec<_>>>().map(Self)
    }

    /// Whether `n` is in it, where `*` is `highest`.
    pub fn has(&self, n: u32, highest: u32) -> bool {
        self.0.iter().any(|(first, last)| {
            let (first, last) = (first.unwrap_or(highest), last.unwrap_or(highest));
            (first.min(last)..=first.max(last)).contains(&n)
        })
    }

    /// How many numbers it names outright.
    pub fn is_single(&self) -> bool {
        matches!(self.0.as_slice(), [(Some(first), Some(last))] if first == last)
    }
}

fn number(text: &str) -> Option<Option<u32>> {
    if text == "*" { Some(None) } else { text.parse().ok().filter(|n| *n > 0).map(Some) }
}

/// Numbers in rising order, with runs as ranges: `1:3,7`.
pub fn compact(numbers: impl IntoIterator<Item = u32>) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for n in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == n => *last = n,
            _ => ranges.push((n, n)),
        }
    }
    let shown = |(first, last): (u32, u32)| if first == last { first.to_string() } else { format!("{first}:{last}") };
    ranges.into_iter().map(shown).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_run_both_ways_and_a_star_is_the_highest() {
        let set = Set::parse("4:2,9,20:*").unwrap();
        let inside: Vec<u32> = (1..=12).filter(|n| set.has(*n, 11)).collect();
        assert_eq!(inside, [2, 3, 4, 9, 11, 12]);
        assert_eq!(compact([1, 2, 3, 7, 9, 10]), "1:3,7,9:10");
        assert!(["", "0", "a", "1,,2", "4294967296"].iter().all(|bad| Set::parse(bad).is_none()));
    }
}
