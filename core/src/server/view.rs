//! What one session knows of its mailbox: which UID has which sequence number. It changes only when the client is told.

use crate::imap::UidSet;

/// The messages of a selected mailbox, as this client was told of them. Memory follows the gaps between UIDs, not the
/// messages.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    uids: UidSet,
    /// For each range of `uids`, how many messages come before it.
    before: Vec<u32>,
}

impl View {
    pub(super) fn new(uids: UidSet) -> Self {
        let mut view = Self { uids, before: Vec::new() };
        view.count();
        view
    }

    fn count(&mut self) {
        let mut before = 0_u32;
        let counted = self.uids.ranges().iter().map(|(first, last)| {
            let here = before;
            before = before.saturating_add(last - first + 1);
            here
        });
        self.before = counted.collect();
    }

    pub(super) fn uids(&self) -> &UidSet {
        &self.uids
    }

    /// How many messages there are: the largest sequence number.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.uids.len()).unwrap_or(u32::MAX)
    }

    /// The largest UID; 0 where there is none.
    pub(super) fn last_uid(&self) -> u32 {
        self.uids.last().unwrap_or(0)
    }

    pub(super) fn seq(&self, uid: u32) -> Option<u32> {
        let at = self.uids.ranges().partition_point(|(_, last)| *last < uid);
        let (first, _) = self.uids.ranges().get(at).filter(|(first, _)| *first <= uid)?;
        Some(self.before.get(at)? + (uid - first) + 1)
    }

    /// The UIDs of those messages.
    pub(super) fn uids_of(&self, seqs: &UidSet) -> UidSet {
        let mut uids = UidSet::new();
        for ((first, last), before) in self.uids.ranges().iter().zip(&self.before) {
            let here = UidSet::range(before + 1, before + (last - first) + 1);
            for (low, high) in here.intersection(seqs).ranges() {
                uids.insert_range(first + (low - before - 1), first + (high - before - 1));
            }
        }
        uids
    }

    /// The sequence numbers of those UIDs that are here.
    pub(super) fn seqs_of(&self, uids: &UidSet) -> UidSet {
        let mut seqs = UidSet::new();
        for ((first, last), before) in self.uids.ranges().iter().zip(&self.before) {
            for (low, high) in UidSet::range(*first, *last).intersection(uids).ranges() {
                seqs.insert_range(before + (low - first) + 1, before + (high - first) + 1);
            }
        }
        seqs
    }

    /// Adds new messages; UIDs that are not above all known ones are left out.
    pub(super) fn add(&mut self, uids: &UidSet) {
        let last = self.last_uid();
        let new = uids.difference(&UidSet::range(0, last));
        self.uids.merge(if last == 0 { uids } else { &new });
        self.count();
    }

    /// Takes messages away.
    pub(super) fn remove(&mut self, uids: &UidSet) {
        self.uids = self.uids.difference(uids);
        self.count();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_follow_the_uids() {
        let mut view = View::new("3,5:7,20".parse().unwrap());
        let seqs: Vec<_> = [3, 4, 5, 7, 20].map(|uid| view.seq(uid)).into();
        assert_eq!(seqs, [Some(1), None, Some(2), Some(4), Some(5)]);
        assert_eq!(view.uids_of(&UidSet::range(2, 5)).to_string(), "5:7,20");
        assert_eq!(view.seqs_of(&UidSet::range(4, 6)).to_string(), "2:3");
        view.remove(&UidSet::from(5));
        view.add(&"19,21".parse().unwrap());
        assert_eq!((view.seq(20), view.seq(21), view.len()), (Some(4), Some(5), 5));
        let mut empty = View::default();
        empty.add(&UidSet::from(1));
        assert_eq!((empty.seq(1), empty.last_uid()), (Some(1), 1));
    }

    proptest! {
        #[test]
        fn uids_and_numbers_lead_to_each_other(uids in prop::collection::btree_set(1u32..60, 0..30)) {
            let view = View::new(uids.iter().copied().collect());
            for (seq, uid) in (1..).zip(&uids) {
                prop_assert_eq!(view.seq(*uid), Some(seq));
                prop_assert_eq!(view.uids_of(&UidSet::from(seq)), UidSet::from(*uid));
                prop_assert_eq!(view.seqs_of(&UidSet::from(*uid)), UidSet::from(seq));
            }
            prop_assert_eq!(view.len() as usize, uids.len());
        }
    }
}
