//! Sets of UIDs, kept as ranges and never expanded (RFC 9051 section 9, `sequence-set`).

mod list;
mod text;

pub use list::UidList;

use crate::error::{MailError, Result};
use std::fmt;
use std::str::FromStr;

/// A set of UIDs.
///
/// Memory and time follow the number of ranges, so that `1:4294967295` costs as little as `1`. 0 is no UID
/// (RFC 9051 section 2.3.1.1) and is never in a set.
///
/// ```
/// use mailtide::imap::UidSet;
///
/// let set: UidSet = "1:5,9".parse().unwrap();
/// assert_eq!(set.len(), 6);
/// assert!(set.contains(9) && !set.contains(6));
/// assert_eq!([9, 2, 1, 3].into_iter().collect::<UidSet>().to_string(), "1:3,9");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct UidSet {
    /// Ascending, not touching, both ends included.
    pub(super) ranges: Vec<(u32, u32)>,
}

impl UidSet {
    /// A set of none.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All from `first` to `last`, in either order, both included.
    #[must_use]
    pub fn range(first: u32, last: u32) -> Self {
        let mut set = Self::new();
        set.insert_range(first, last);
        set
    }

    /// What a user wrote, such as `1:5,9`. `0`, `*` and anything else that is no number is
    /// [`Code::UsageSelection`](crate::Code::UsageSelection).
    pub fn parse(text: &str) -> Result<Self> {
        text::parse(text)
    }

    /// What a server sent: `*` is the largest UID there can be, order and repetition do not matter. `None` where it is
    /// no set.
    #[must_use]
    pub fn from_server(text: &[u8]) -> Option<Self> {
        text::from_server(text).map(Self::from_ranges)
    }

    /// How many UIDs.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|(first, last)| u64::from(last - first) + 1).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether `uid` is in it.
    #[must_use]
    pub fn contains(&self, uid: u32) -> bool {
        let at = self.ranges.partition_point(|(_, last)| *last < uid);
        self.ranges.get(at).is_some_and(|(first, _)| *first <= uid)
    }

    /// The smallest UID.
    #[must_use]
    pub fn first(&self) -> Option<u32> {
        self.ranges.first().map(|range| range.0)
    }

    /// The largest UID.
    #[must_use]
    pub fn last(&self) -> Option<u32> {
        self.ranges.last().map(|range| range.1)
    }

    /// The ranges, ascending, both ends included; no two touch.
    #[must_use]
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.ranges
    }

    /// The UIDs, ascending. Can be reversed.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = u32> + '_ {
        self.ranges.iter().flat_map(|(first, last)| *first..=*last)
    }

    /// Adds one UID.
    pub fn insert(&mut self, uid: u32) {
        self.insert_range(uid, uid);
    }

    /// Adds all from `first` to `last`, in either order, both included.
    pub fn insert_range(&mut self, first: u32, last: u32) {
        let (mut first, mut last) = (first.min(last).max(1), first.max(last));
        if last == 0 {
            return;
        }
        // The ranges that overlap or touch the new one melt into it.
        let from = self.ranges.partition_point(|range| range.1 < first - 1);
        let to = from
            + self.ranges.get(from..).unwrap_or_default().partition_point(|range| range.0 <= last.saturating_add(1));
        if let (Some(low), Some(high)) = (self.ranges.get(from), self.ranges.get(to.wrapping_sub(1)))
            && from < to
        {
            (first, last) = (first.min(low.0), last.max(high.1));
        }
        self.ranges.splice(from..to, [(first, last)]);
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::from_ranges(self.ranges.iter().chain(&other.ranges).copied().collect())
    }

    /// Adds all of `other`; quick where they come in order, as servers send them.
    pub fn merge(&mut self, other: &Self) {
        match (self.last(), other.ranges.split_first()) {
            (_, None) => {}
            (Some(last), Some(((first, end), rest))) if *first > last => {
                self.insert_range(*first, *end);
                self.ranges.extend_from_slice(rest);
            }
            _ => *self = self.union(other),
        }
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (mut left, mut right) = (self.ranges.iter().peekable(), other.ranges.iter().peekable());
        let mut ranges = Vec::new();
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            let (first, last) = (a.0.max(b.0), a.1.min(b.1));
            if first <= last {
                ranges.push((first, last));
            }
            let left_ends_first = a.1 < b.1;
            if left_ends_first {
                left.next()
            } else {
                right.next()
            };
        }
        Self { ranges }
    }

    /// What is in this one and not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.intersection(&other.complement())
    }

    /// The `count` largest UIDs: the newest messages.
    #[must_use]
    pub fn newest(&self, count: u64) -> Self {
        let mut left = count;
        let mut ranges = Vec::new();
        for (first, last) in self.ranges.iter().rev() {
            let Some(most) = left.checked_sub(1) else { break };
            let first = (*first).max(last.saturating_sub(u32::try_from(most).unwrap_or(u32::MAX)));
            left -= u64::from(last - first) + 1;
            ranges.push((first, *last));
        }
        ranges.reverse();
        Self { ranges }
    }

    /// The `count` smallest UIDs: the oldest messages.
    #[must_use]
    pub fn oldest(&self, count: u64) -> Self {
        let mut left = count;
        let mut ranges = Vec::new();
        for (first, last) in &self.ranges {
            let Some(most) = left.checked_sub(1) else { break };
            let last = (*last).min(first.saturating_add(u32::try_from(most).unwrap_or(u32::MAX)));
            left -= u64::from(last - first) + 1;
            ranges.push((*first, last));
        }
        Self { ranges }
    }

    /// The same UIDs in sets of at most `count` (at least one) each, ascending.
    #[must_use]
    pub fn chunks(&self, count: u64) -> Vec<Self> {
        let count = u32::try_from(count.max(1)).unwrap_or(u32::MAX);
        let mut chunks: Vec<Self> = Vec::new();
        let mut room = 0;
        for (mut first, last) in self.ranges.iter().copied() {
            loop {
                if room == 0 {
                    chunks.push(Self::new());
                    room = count;
                }
                let end = last.min(first.saturating_add(room - 1));
                if let Some(chunk) = chunks.last_mut() {
                    chunk.ranges.push((first, end));
                }
                room -= end - first + 1;
                match end.checked_add(1).filter(|next| *next <= last) {
                    Some(next) => first = next,
                    None => break,
                }
            }
        }
        chunks
    }

    /// The same UIDs in sets whose printed form is at most `length` bytes each, so that no command line becomes longer
    /// than servers read (RFC 2683 section 3.2.1.5). A single range longer than that is a set of its own.
    #[must_use]
    pub fn chunks_by_text(&self, length: usize) -> Vec<Self> {
        let mut chunks: Vec<Self> = Vec::new();
        let mut used = usize::MAX;
        for range in &self.ranges {
            let width = text::width(*range);
            match chunks.last_mut().filter(|_| used.saturating_add(width + 1) <= length) {
                Some(chunk) => {
                    chunk.ranges.push(*range);
                    used += width + 1;
                }
                None => {
                    chunks.push(Self { ranges: vec![*range] });
                    used = width;
                }
            }
        }
        chunks
    }

    /// Ranges in any order, overlapping or not.
    fn from_ranges(mut ranges: Vec<(u32, u32)>) -> Self {
        for range in &mut ranges {
            *range = (range.0.min(range.1).max(1), range.0.max(range.1));
        }
        ranges.retain(|range| range.1 > 0);
        if !ranges.is_sorted() {
            ranges.sort_unstable();
        }
        ranges.dedup_by(|next, kept| {
            let joins = next.0 <= kept.1.saturating_add(1);
            kept.1 = if joins { kept.1.max(next.1) } else { kept.1 };
            joins
        });
        Self { ranges }
    }

    fn complement(&self) -> Self {
        let mut ranges = Vec::with_capacity(self.ranges.len() + 1);
        let mut next = Some(1);
        for (first, last) in &self.ranges {
            if let Some(from) = next.filter(|from| from < first) {
                ranges.push((from, first - 1));
            }
            next = last.checked_add(1);
        }
        ranges.extend(next.map(|from| (from, u32::MAX)));
        Self { ranges }
    }
}

impl FromIterator<u32> for UidSet {
    fn from_iter<I: IntoIterator<Item = u32>>(uids: I) -> Self {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for uid in uids {
            match ranges.last_mut().filter(|last| last.1.checked_add(1) == Some(uid)) {
                Some(last) => last.1 = uid,
                None => ranges.push((uid, uid)),
            }
        }
        Self::from_ranges(ranges)
    }
}

impl Extend<u32> for UidSet {
    fn extend<I: IntoIterator<Item = u32>>(&mut self, uids: I) {
        self.merge(&uids.into_iter().collect());
    }
}

impl From<u32> for UidSet {
    fn from(uid: u32) -> Self {
        Self::range(uid, uid)
    }
}

impl FromStr for UidSet {
    type Err = MailError;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl fmt::Display for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (first, last)) in self.ranges.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            if first == last { write!(f, "{comma}{first}")? } else { write!(f, "{comma}{first}:{last}")? }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
