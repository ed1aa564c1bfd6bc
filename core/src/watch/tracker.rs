//! What the server has told of the open mailbox, in the order it told it: a pure state machine.

use super::snapshot::Snapshot;
use crate::imap::{FetchRow, Response, UidSet, Untagged};
use std::collections::BTreeMap;

/// Most messages that a mailbox can have here, since each costs four bytes from when the server says that it is there.
const MOST: usize = 4_000_000;

/// Follows sequence numbers, since EXPUNGE and FETCH name messages by them (RFC 9051 section 7.5.1).
#[derive(Clone, Debug)]
pub(super) struct Tracker {
    /// UID by sequence number, 0 where it is not known yet.
    uids: Vec<u32>,
    pub seen: Snapshot,
    /// Rows of messages that were not known, with all that was asked for.
    pub arrived: BTreeMap<u32, FetchRow>,
    /// Whether a message has come of which nothing is known yet.
    unknown: bool,
    /// Whether the server's numbers make no sense: what is there has to be asked anew.
    pub lost: bool,
}

impl Tracker {
    /// A mailbox of which only its UIDVALIDITY and number of messages are known.
    pub fn new(uid_validity: u32, exists: u32) -> Self {
        let mut tracker = Self::empty(uid_validity);
        tracker.exists(exists as usize);
        tracker
    }

    fn empty(uid_validity: u32) -> Self {
        Self {
            uids: Vec::new(),
            seen: Snapshot::new(uid_validity),
            arrived: BTreeMap::new(),
            unknown: false,
            lost: false,
        }
    }

    /// Whether the server has told of messages whose UIDs are not known.
    pub fn has_unknown(&self) -> bool {
        self.unknown
    }

    /// The rows that were asked for have come. Those still unknown are not asked for again before something happens.
    pub fn asked(&mut self) -> bool {
        let all = !self.uids.contains(&0);
        self.unknown = false;
        all
    }

    /// Takes one untagged response.
    pub fn take(&mut self, response: Response) {
        match response {
            Response::Data(Untagged::Exists(count)) => self.exists(count as usize),
            Response::Data(Untagged::Expunge(seq)) => self.expunge(seq as usize),
            Response::Data(Untagged::Vanished { earlier: false, uids }) => self.vanished(&uids),
            Response::Data(Untagged::Fetch(row)) => self.row(*row),
            _ => {}
        }
    }

    fn exists(&mut self, count: usize) {
        if count < self.uids.len() || count > MOST {
            // Only EXPUNGE may make it smaller, and nobody has so many.
            self.lost = true;
        } else if count > self.uids.len() {
            self.uids.resize(count, 0);
            self.unknown = true;
        }
    }

    fn expunge(&mut self, seq: usize) {
        let Some(at) = seq.checked_sub(1).filter(|at| *at < self.uids.len()) else {
            self.lost = true;
            return;
        };
        let uid = self.uids.remove(at);
        if uid != 0 {
            self.forget(&[uid].into_iter().collect());
        }
    }

    fn vanished(&mut self, uids: &UidSet) {
        self.uids.retain(|uid| *uid == 0 || !uids.contains(*uid));
        self.forget(uids);
    }

    fn forget(&mut self, uids: &UidSet) {
        self.arrived.retain(|uid, _| !uids.contains(*uid));
        self.seen.remove(uids);
    }

    fn row(&mut self, row: FetchRow) {
        let at = (row.seq as usize).checked_sub(1);
        let Some(place) = at.and_then(|at| self.uids.get_mut(at)) else {
            // A row for a message that the server has not told of (or tells of too late).
            return;
        };
        match row.uid {
            Some(uid) if *place == 0 => *place = uid,
            Some(uid) if *place != uid => {
                self.lost = true;
                return;
            }
            _ => {}
        }
        let uid = *place;
        if uid == 0 {
            return;
        }
        if let Some(flags) = &row.flags {
            self.seen.put(uid, flags);
        }
        if row.is_more_than_flags() {
            self.arrived.insert(uid, row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::Flag;

    fn row(seq: u32, uid: Option<u32>, flags: &[Flag]) -> Response {
        Response::Data(Untagged::Fetch(Box::new(FetchRow {
            seq,
            uid,
            flags: Some(flags.to_vec()),
            ..FetchRow::default()
        })))
    }

    fn three() -> Tracker {
        let mut tracker = Tracker::new(7, 3);
        (1..=3).for_each(|n| tracker.take(row(n, Some(n * 10), &[])));
        assert!(tracker.asked());
        tracker
    }

    #[test]
    fn an_expunge_moves_the_later_numbers_down() {
        let mut tracker = three();
        tracker.take(Response::Data(Untagged::Expunge(2)));
        tracker.take(row(2, None, &[Flag::SEEN]));
        assert_eq!(tracker.seen.uids.to_string(), "10,30");
        assert_eq!(tracker.seen.flags_of(30), [Flag::SEEN]);
        assert!(!tracker.lost);
    }

    #[test]
    fn a_new_message_is_unknown_until_its_row_comes() {
        let mut tracker = three();
        tracker.take(Response::Data(Untagged::Exists(4)));
        assert!(tracker.has_unknown());
        tracker.take(row(4, Some(99), &[]));
        assert!(tracker.asked());
        assert_eq!((tracker.has_unknown(), tracker.seen.uid_next), (false, 100));
    }

    #[test]
    fn numbers_that_make_no_sense_are_noticed() {
        let nonsense = [
            Response::Data(Untagged::Expunge(4)),
            Response::Data(Untagged::Expunge(0)),
            Response::Data(Untagged::Exists(2)),
            row(1, Some(11), &[]),
        ];
        for response in nonsense {
            let mut tracker = three();
            tracker.take(response);
            assert!(tracker.lost);
        }
    }

    #[test]
    fn vanished_ranges_take_what_is_there() {
        let mut tracker = three();
        let uids = UidSet::from_server(b"15:4294967295").unwrap();
        tracker.take(Response::Data(Untagged::Vanished { earlier: false, uids }));
        assert_eq!(tracker.seen.uids.to_string(), "10");
        tracker.take(row(1, None, &[Flag::SEEN]));
        assert_eq!(tracker.seen.flags_of(10), [Flag::SEEN]);
    }
}
