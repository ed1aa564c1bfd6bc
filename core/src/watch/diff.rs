//! What has changed between two views of a mailbox: a pure question.

use super::snapshot::Snapshot;
use crate::imap::{Flag, UidSet};
use std::collections::{BTreeMap, BTreeSet};

/// The changes that make one snapshot out of another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub removed: UidSet,
    pub new: UidSet,
    /// By UID: flags added, flags removed.
    pub flags: BTreeMap<u32, (Vec<Flag>, Vec<Flag>)>,
}

/// The changes from `told` to `seen`, which must be of the same UIDVALIDITY.
pub(super) fn diff(told: &Snapshot, seen: &Snapshot) -> Changes {
    let both = told.uids.intersection(&seen.uids);
    let none = UidSet::default();
    let mut flags: BTreeMap<u32, (Vec<Flag>, Vec<Flag>)> = BTreeMap::new();
    let names: BTreeSet<&Flag> = told.flags.keys().chain(seen.flags.keys()).collect();
    for flag in names {
        let before = told.flags.get(flag).unwrap_or(&none);
        let after = seen.flags.get(flag).unwrap_or(&none);
        if before == after {
            continue;
        }
        for uid in after.difference(before).intersection(&both).iter() {
            flags.entry(uid).or_default().0.push(flag.clone());
        }
        for uid in before.difference(after).intersection(&both).iter() {
            flags.entry(uid).or_default().1.push(flag.clone());
        }
    }
    Changes { removed: told.uids.difference(&seen.uids), new: seen.uids.difference(&told.uids), flags }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(rows: &[(u32, &[Flag])]) -> Snapshot {
        let mut snapshot = Snapshot::new(7);
        rows.iter().for_each(|(uid, flags)| snapshot.put(*uid, flags));
        snapshot
    }

    #[test]
    fn every_kind_of_change_is_told_once() {
        let told = snapshot(&[(1, &[Flag::SEEN]), (2, &[]), (3, &[Flag::FLAGGED])]);
        let seen = snapshot(&[(2, &[Flag::SEEN, Flag::DRAFT]), (3, &[]), (4, &[Flag::SEEN])]);
        let changes = diff(&told, &seen);
        assert_eq!(changes.removed.to_string(), "1");
        assert_eq!(changes.new.to_string(), "4");
        assert_eq!(changes.flags.len(), 2);
        assert_eq!(changes.flags[&2].0.len(), 2);
        assert_eq!(changes.flags[&3], (vec![], vec![Flag::FLAGGED]));
    }

    #[test]
    fn nothing_changed_is_nothing_told() {
        let same = snapshot(&[(1, &[Flag::SEEN]), (9, &[])]);
        assert_eq!(diff(&same, &same), Changes::default());
    }

    #[test]
    fn recent_is_no_change() {
        assert_eq!(diff(&snapshot(&[(1, &[])]), &snapshot(&[(1, &[Flag::RECENT])])), Changes::default());
    }
}
