//! MESSAGELIMIT and SAVELIMIT (RFC 9738): how many messages a command may be about.
//!
//! A server that stops at its limit answers `OK` all the same, with a code that says how far it came. A result with that
//! code is a part, never the whole: what is missing in it has not been deleted.

use super::Extension;
use crate::imap::{ResponseCode, UidSet};

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "MESSAGELIMIT",
    rfc: 9738,
    about: "Commands are kept to what the server does at once, and a partial result is completed",
    fallback: "Every server has such a limit, and most do not tell it; windows are small in any case",
};

/// The messages of each command: at most `limit` of them ([`Capabilities::message_limit`]).
///
/// [`Capabilities::message_limit`]: crate::imap::Capabilities::message_limit
#[must_use]
pub fn batches(limit: Option<u64>, uids: &UidSet) -> Vec<UidSet> {
    match limit {
        Some(limit) => uids.chunks(limit),
        None => vec![uids.clone()],
    }
}

/// What is still to be done of `asked` after an answer with this code: the messages below the last one that the server
/// has come to, since it works from the highest UID down. `None` where it has done all.
#[must_use]
pub fn rest(asked: &UidSet, code: Option<&ResponseCode>) -> Option<UidSet> {
    let below = UidSet::range(1, last(code)?.checked_sub(1).filter(|uid| *uid > 0)?);
    Some(asked.intersection(&below)).filter(|rest| !rest.is_empty())
}

/// Whether an answer with this code holds a part only.
#[must_use]
pub fn is_partial(code: Option<&ResponseCode>) -> bool {
    last(code).is_some()
}

fn last(code: Option<&ResponseCode>) -> Option<u32> {
    if let Some(ResponseCode::MessageLimit { uid, .. }) = code { *uid } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::extension::tests::responses;
    use crate::imap::{Capabilities, Response};

    fn code(line: &str) -> Option<ResponseCode> {
        match responses(line).remove(0) {
            Response::Tagged { code, .. } | Response::Status { code, .. } => code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn commands_keep_to_the_limit() {
        let caps: Capabilities = ["MESSAGELIMIT=1000", "SAVELIMIT=2000"].into_iter().collect();
        assert_eq!((caps.message_limit(), caps.save_limit()), (Some(1000), Some(2000)));
        let shown = |limit| -> Vec<String> {
            batches(limit, &UidSet::range(1, 2500)).iter().map(ToString::to_string).collect()
        };
        assert_eq!(shown(caps.message_limit()), ["1:1000", "1001:2000", "2001:2500"]);
        assert_eq!(shown(None), ["1:2500"]);
        let nonsense: Capabilities = ["MESSAGELIMIT=0", "MESSAGELIMIT=x"].into_iter().collect();
        assert_eq!(nonsense.message_limit(), None);
    }

    /// RFC 9738 section 3.1.
    #[test]
    fn a_partial_answer_says_where_to_go_on() {
        let stopped = code("03 OK [MESSAGELIMIT 1000 23221] FETCH completed with 1000 partial results\r\n");
        assert!(is_partial(stopped.as_ref()));
        let rest = rest(&UidSet::parse("23000:24221,30000").unwrap(), stopped.as_ref());
        assert_eq!(rest.unwrap().to_string(), "23000:23220");
    }

    #[test]
    fn an_answer_that_is_whole_has_no_rest() {
        let all = UidSet::range(1, 9);
        assert_eq!(rest(&all, None), None);
        assert_eq!(rest(&all, code("1 OK done\r\n").as_ref()), None);
        // The last one it has come to was the first there is, or the first that was asked about.
        assert_eq!(rest(&all, code("1 OK [MESSAGELIMIT 1000 1] done\r\n").as_ref()), None);
        assert_eq!(rest(&UidSet::range(5, 9), code("1 OK [MESSAGELIMIT 1000 5] done\r\n").as_ref()), None);
        // Without a UID the command was not done at all, and is refused.
        assert!(!is_partial(code("1 NO [MESSAGELIMIT 1000] too many\r\n").as_ref()));
    }
}
