//! CONDSTORE (RFC 7162): what has changed since, and changes that do not overwrite those of others.

use super::Extension;
use crate::imap::command::{FetchModifiers, StoreOptions};
use crate::imap::{Capabilities, ResponseCode, UidSet};

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

/// The mailbox's highest MODSEQ as a code tells it: `Some(None)` for a mailbox that keeps none (NOMODSEQ, or a number that
/// is no MODSEQ: Purelymail says 0), and `None` for a code that tells nothing of it.
#[must_use]
pub fn highest(code: &ResponseCode) -> Option<Option<u64>> {
    match code {
        ResponseCode::HighestModSeq(highest) => Some(valid(*highest)),
        ResponseCode::NoModSeq => Some(None),
        _ => None,
    }
}

/// What a conditional STORE has left alone, since somebody else has changed it: the code of its `OK`. None of these has
/// been changed; their flags have to be fetched before it is tried again.
#[must_use]
pub fn modified(code: Option<&ResponseCode>) -> UidSet {
    if let Some(ResponseCode::Modified(uids)) = code { uids.clone() } else { UidSet::new() }
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
    use crate::imap::command::{self, FetchItem, StoreAction};
    use crate::imap::extension::tests::{responses, text};
    use crate::imap::{Flag, Response};

    #[test]
    fn zero_and_numbers_of_64_bits_are_no_modseqs() {
        assert_eq!([0, 1, i64::MAX as u64, 1 << 63].map(valid), [None, Some(1), Some(i64::MAX as u64), None]);
    }

    /// RFC 7162 section 3.1.2.1, 3.1.2.2 and 3.1.3, and the transcript of Dovecot that MailKit has.
    #[test]
    fn codes_tell_the_highest_and_what_was_left_alone() {
        let code = |line: &str| match responses(line).remove(0) {
            Response::Tagged { code, .. } | Response::Status { code, .. } => code.unwrap(),
            other => panic!("{other:?}"),
        };
        assert_eq!(highest(&code("* OK [HIGHESTMODSEQ 715194045007] Highest\r\n")), Some(Some(715_194_045_007)));
        for none in ["* OK [NOMODSEQ] Sorry, this mailbox format doesn't\r\n", "* OK [HIGHESTMODSEQ 0]\r\n"] {
            assert_eq!(highest(&code(none)), Some(None));
        }
        assert_eq!(highest(&code("* OK [UIDNEXT 4392]\r\n")), None);
        let stored = code("A1 OK [MODIFIED 7,9] Store completed (0.001 + 0.000 secs).\r\n");
        assert_eq!(modified(Some(&stored)).to_string(), "7,9");
        assert!(modified(None).is_empty());
    }

    /// RFC 7162 section 3.1.3 and 3.1.4.1.
    #[test]
    fn commands_name_the_modseq_before_the_flags() {
        let (caps, set) = (["CONDSTORE"].into_iter().collect(), UidSet::from(7));
        let options = unchanged_since(&caps, Some(320_162_338));
        let store = command::uid_store(&set, StoreAction::Add, &[Flag::SEEN], options).unwrap();
        assert_eq!(text(&store), "UID STORE 7 (UNCHANGEDSINCE 320162338) +FLAGS (\\Seen)");
        let fetch = command::uid_fetch(&set, &[FetchItem::Flags], changed_since(&caps, Some(12_345))).unwrap();
        assert_eq!(text(&fetch), "UID FETCH 7 (FLAGS) (CHANGEDSINCE 12345)");
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
