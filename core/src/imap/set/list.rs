//! UIDs whose order matters: COPYUID pairs what was copied with what came of it, one by one (RFC 4315 section 3).

use super::{UidSet, text};
use std::fmt;

/// UIDs in the order in which a server gave them, as ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UidList {
    ranges: Vec<(u32, u32)>,
}

impl UidList {
    /// What a server sent; ranges are ascending whichever end comes first. `None` where it is no set or holds a 0.
    #[must_use]
    pub fn from_server(text: &[u8]) -> Option<Self> {
        text::from_server(text).map(|ranges| Self { ranges })
    }

    /// How many UIDs, repeated ones counted each time.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|(first, last)| u64::from(last - first) + 1).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The UIDs in their order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.ranges.iter().flat_map(|(first, last)| *first..=*last)
    }

    /// The same without order.
    #[must_use]
    pub fn to_set(&self) -> UidSet {
        UidSet::from_ranges(self.ranges.clone())
    }

    /// Each of these with the one at its place in `target`, one at a time. `None` where their numbers differ: then
    /// nothing can be said about any of them.
    #[must_use]
    pub fn pairs<'a>(&'a self, target: &'a Self) -> Option<impl Iterator<Item = (u32, u32)> + 'a> {
        (self.len() == target.len()).then(|| self.iter().zip(target.iter()))
    }
}

impl fmt::Display for UidList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (first, last)) in self.ranges.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            if first == last { write!(f, "{comma}{first}")? } else { write!(f, "{comma}{first}:{last}")? }
        }
        Ok(())
    }
}
