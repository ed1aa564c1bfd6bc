//! CONDSTORE (RFC 7162): what has changed since, and changes that do not overwrite those of others.

use super::Extension;
use crate::imap::Capabilities;
use crate::imap::command::{FetchModifiers, StoreOptions};

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "CONDSTORE",
    rfc: 7162,
    about: "Changed flags are asked for, and not all flags",
    fallback: "The flags of all messages are fetched and compared",
};

/// A MODSEQ is above 0 and below 2^63; anything else is none.
#[must_use]
pub fn valid(mod_seq: u64) -> Option<u64> {
    (1..=i64::MAX as u64).contains(&mod_seq).then_some(mod_seq)
}

/// Whether the server keeps MODSEQs. QRESYNC brings them with it, and Apache James announces only that.
#[must_use]
pub fn is_offered(caps: &Capabilities) -> bool {
    caps.has("CONDSTORE") || caps.has("QRESYNC")
}

/// How to fetch what has changed after `known`; without the extension or a MODSEQ known, everything.
#[must_use]
pub fn changed_since(caps: &Capabilities, known: Option<u64>) -> FetchModifiers {
    let changed_since = known.and_then(valid).filter(|_| is_offered(caps));
    FetchModifiers { changed_since, vanished: false }
}

/// How to store without overwriting what has changed after `known`; without the extension, as it is.
#[must_use]
pub fn unchanged_since(caps: &Capabilities, known: Option<u64>) -> StoreOptions {
    StoreOptions { silent: false, unchanged_since: known.and_then(valid).filter(|_| is_offered(caps)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_and_numbers_of_64_bits_are_no_modseqs() {
        assert_eq!([0, 1, i64::MAX as u64, 1 << 63].map(valid), [None, Some(1), Some(i64::MAX as u64), None]);
    }

    #[test]
    fn a_server_without_it_is_asked_for_everything() {
        let with: Capabilities = ["QRESYNC"].into_iter().collect();
        assert_eq!(changed_since(&with, Some(7)).changed_since, Some(7));
        assert_eq!(changed_since(&with, Some(0)).changed_since, None);
        assert_eq!(changed_since(&Capabilities::default(), Some(7)).changed_since, None);
        assert_eq!(unchanged_since(&Capabilities::default(), Some(7)).unchanged_since, None);
    }
}
