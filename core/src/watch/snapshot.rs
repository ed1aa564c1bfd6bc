//! What is known of a mailbox's messages, kept as ranges.

use crate::imap::{Flag, UidSet};
use std::collections::BTreeMap;

/// The messages of a mailbox and their flags. A mailbox of a hundred thousand messages mostly takes a few hundred
/// ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    pub uid_validity: u32,
    /// Every UID below this has been told of.
    pub uid_next: u32,
    pub uids: UidSet,
    pub flags: BTreeMap<Flag, UidSet>,
}

impl Snapshot {
    pub fn new(uid_validity: u32) -> Self {
        Self { uid_validity, uid_next: 1, ..Self::default() }
    }

    /// Adds a message, or sets the flags of one that is there.
    pub fn put(&mut self, uid: u32, flags: &[Flag]) {
        self.uids.insert(uid);
        self.uid_next = self.uid_next.max(uid.saturating_add(1));
        let one: UidSet = [uid].into_iter().collect();
        for (flag, uids) in &mut self.flags {
            if uids.contains(uid) && !flags.contains(flag) {
                *uids = uids.difference(&one);
            }
        }
        for flag in flags.iter().filter(|f| **f != Flag::RECENT) {
            self.flags.entry(flag.clone()).or_default().insert(uid);
        }
    }

    pub fn remove(&mut self, gone: &UidSet) {
        self.uids = self.uids.difference(gone);
        for uids in self.flags.values_mut() {
            *uids = uids.difference(gone);
        }
        self.flags.retain(|_, uids| !uids.is_empty());
    }

    pub fn flags_of(&self, uid: u32) -> Vec<Flag> {
        self.flags.iter().filter(|(_, uids)| uids.contains(uid)).map(|(flag, _)| flag.clone()).collect()
    }
}
