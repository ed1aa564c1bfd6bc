//! ESEARCH (RFC 4731): search results as ranges, or only their number.

use super::Extension;
use crate::imap::command::{SearchOptions, SearchReturn};
use crate::imap::{Capabilities, Esearch, UidSet};

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "ESEARCH",
    rfc: 4731,
    about: "Results come as ranges, and a count comes without them",
    fallback: "A plain SEARCH, counted here",
};

/// How to ask for `returns`: as they are, or as a plain search.
#[must_use]
pub fn options(caps: &Capabilities, returns: &[SearchReturn], utf8: bool) -> SearchOptions {
    let returns = if caps.has("ESEARCH") { returns.to_vec() } else { Vec::new() };
    SearchOptions { returns, utf8 }
}

/// What a search has found, however it was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The UIDs; empty where only their number was asked for.
    pub uids: UidSet,
    /// How many.
    pub count: u64,
    /// The highest MODSEQ among them.
    pub mod_seq: Option<u64>,
}

impl Found {
    /// Takes in a SEARCH answer; servers may send several.
    pub fn search(&mut self, ids: &UidSet, mod_seq: Option<u64>) {
        self.uids.merge(ids);
        self.count = self.uids.len();
        self.mod_seq = self.mod_seq.max(mod_seq);
    }

    /// Takes in an ESEARCH answer.
    pub fn esearch(&mut self, answer: &Esearch) {
        let parts = answer.all.iter().chain(answer.partial.iter().map(|(_, uids)| uids));
        parts.for_each(|uids| self.uids.merge(uids));
        self.count = answer.count.unwrap_or(0).max(self.uids.len());
        self.mod_seq = self.mod_seq.max(answer.mod_seq);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_without_it_gets_a_plain_search() {
        let with: Capabilities = ["IMAP4rev2"].into_iter().collect();
        assert_eq!(options(&with, &[SearchReturn::Count], false).returns, [SearchReturn::Count]);
        assert!(options(&Capabilities::default(), &[SearchReturn::Count], false).returns.is_empty());
    }

    #[test]
    fn answers_of_both_kinds_say_the_same() {
        let (mut plain, mut extended) = (Found::default(), Found::default());
        let uids: UidSet = [1, 2, 5].into_iter().collect();
        plain.search(&uids, Some(9));
        extended.esearch(&Esearch { all: Some(uids), mod_seq: Some(9), ..Esearch::default() });
        assert_eq!(plain, extended);
        let mut counted = Found::default();
        counted.esearch(&Esearch { count: Some(3), ..Esearch::default() });
        assert_eq!((counted.count, counted.uids.is_empty()), (3, true));
    }
}
