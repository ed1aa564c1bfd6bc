//! Which messages of a mailbox have which system flags: what counts and searches by flags are answered with.

use crate::imap::{Flag, UidSet};
use crate::store::Flags;

/// Bits of flags of which there is a set.
const KEPT: [u32; 5] = [Flags::SEEN, Flags::ANSWERED, Flags::FLAGGED, Flags::DELETED, Flags::DRAFT];

/// The visible messages of a mailbox, and those of them that have a system flag, as our UIDs. Memory follows the gaps
/// between UIDs, 8 bytes each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlagSets {
    all: UidSet,
    /// In the order of [`KEPT`].
    with: [UidSet; KEPT.len()],
}

impl FlagSets {
    /// All that are visible.
    #[must_use]
    pub fn all(&self) -> &UidSet {
        &self.all
    }

    /// Those with a system flag; `None` for a keyword.
    #[must_use]
    pub fn with(&self, flag: &Flag) -> Option<&UidSet> {
        let bit = [flag].into_iter().collect::<Flags>().bits();
        let at = KEPT.iter().position(|kept| *kept == bit)?;
        self.with.get(at)
    }

    /// How many have not been seen.
    #[must_use]
    pub fn unseen(&self) -> u64 {
        self.all.len().saturating_sub(self.count(&Flag::SEEN))
    }

    /// The first that has not been seen.
    #[must_use]
    pub fn first_unseen(&self) -> Option<u32> {
        self.all.difference(self.with(&Flag::SEEN)?).first()
    }

    /// How many are marked as deleted.
    #[must_use]
    pub fn deleted(&self) -> u64 {
        self.count(&Flag::DELETED)
    }

    fn count(&self, flag: &Flag) -> u64 {
        self.with(flag).map_or(0, UidSet::len)
    }

    /// Adds a message with these flags ([`Flags::bits`]) that is not in it.
    pub(in crate::store) fn add(&mut self, uid: u32, bits: u32) {
        self.all.insert(uid);
        for (bit, set) in KEPT.iter().zip(&mut self.with) {
            if bits & bit != 0 {
                set.insert(uid);
            }
        }
    }

    /// What has become of some messages since: those of `now` are there with these flags, those of `gone` are not there.
    pub(in crate::store) fn follow(&mut self, now: &Self, gone: &UidSet) {
        let touched = now.all.union(gone);
        let sets = std::iter::once((&mut self.all, &now.all)).chain(self.with.iter_mut().zip(&now.with));
        for (set, now) in sets {
            *set = set.difference(&touched).union(&now.difference(gone));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_follow_what_has_changed() {
        let mut sets = FlagSets::default();
        (1..=5).for_each(|uid| sets.add(uid, if uid < 3 { Flags::SEEN } else { Flags::DELETED | 1 << 9 }));
        assert_eq!((sets.unseen(), sets.deleted(), sets.first_unseen()), (3, 3, Some(3)));
        let mut now = FlagSets::default();
        now.add(3, Flags::SEEN);
        now.add(7, 0);
        sets.follow(&now, &"1,5".parse().unwrap());
        assert_eq!((sets.all().to_string(), sets.first_unseen()), ("2:4,7".to_owned(), Some(4)));
        assert_eq!(sets.with(&Flag::SEEN).unwrap().to_string(), "2:3");
        assert_eq!(sets.with(&Flag::DELETED).unwrap().to_string(), "4");
        assert_eq!(sets.with(&Flag::FORWARDED), None);
    }
}
