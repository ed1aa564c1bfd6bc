//! OBJECTID (RFC 8474): ids of mailboxes, messages and threads that survive renames and moves.

use super::{Extension, gmail};
use crate::imap::command::FetchItem;
use crate::imap::{Capabilities, FetchRow};

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "OBJECTID",
    rfc: 8474,
    about: "A renamed mailbox and a moved message are known again",
    fallback: "Gmail's own numbers; else UIDVALIDITY and what a few messages look like",
};

/// Longest id (RFC 8474 section 7).
const LONGEST: usize = 255;

/// An id: 1 to 255 letters, digits, `_` and `-`. Anything else is none: Cyrus 3.6 gives freed memory as MAILBOXID.
#[must_use]
pub fn valid(id: &[u8]) -> Option<&str> {
    let fits = (1..=LONGEST).contains(&id.len());
    let plain = id.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    std::str::from_utf8(id).ok().filter(|_| fits && plain)
}

/// What to fetch for the ids of messages and threads: those of OBJECTID, or of Gmail; nothing where there are none.
#[must_use]
pub fn items(caps: &Capabilities) -> &'static [FetchItem] {
    if caps.has("OBJECTID") {
        &[FetchItem::EmailId, FetchItem::ThreadId]
    } else if gmail::is_offered(caps) {
        &[FetchItem::GmMessageId, FetchItem::GmThreadId]
    } else {
        &[]
    }
}

/// What to fetch for the ids of threads alone.
#[must_use]
pub fn thread_item(caps: &Capabilities) -> Option<&'static FetchItem> {
    items(caps).iter().find(|item| matches!(item, FetchItem::ThreadId | FetchItem::GmThreadId))
}

/// The ids of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ids {
    /// Its own. Two messages of one account with the same id are the same, byte for byte.
    pub message: Option<String>,
    /// Its thread's; a server may have none (`NIL`).
    pub thread: Option<String>,
}

/// The ids that a row tells, OBJECTID's or else Gmail's (see [`gmail::told_id`]).
#[must_use]
pub fn ids(row: &FetchRow) -> Ids {
    let own = |id: &Option<bytes::Bytes>| id.as_deref().and_then(valid).map(str::to_owned);
    Ids {
        message: own(&row.email_id).or_else(|| gmail::message_id(row).map(gmail::told_id)),
        thread: own(&row.thread_id).or_else(|| gmail::thread_id(row).map(gmail::told_id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::extension::tests::{responses, rows};
    use crate::imap::{Response, ResponseCode};

    fn caps(names: &[&str]) -> Capabilities {
        names.iter().collect()
    }

    /// RFC 8474 section 5.3, and `NIL` as Fastmail sends it.
    #[test]
    fn ids_of_messages_and_threads_are_read() {
        let rows = rows(
            "* 3 FETCH (EMAILID (M5fdc09b49ea703) THREADID (T11863d02dd95b5))\r\n\
             * 4 FETCH (EMAILID (M4fdc09b49ea629) THREADID NIL)\r\n\
             * 5 FETCH (X-GM-MSGID 1278455344230334865 X-GM-THRID 1266894439832287888)\r\n",
        );
        let shown = |at: usize| (ids(&rows[at]).message.unwrap(), ids(&rows[at]).thread);
        assert_eq!(shown(0), ("M5fdc09b49ea703".to_owned(), Some("T11863d02dd95b5".to_owned())));
        assert_eq!(shown(1), ("M4fdc09b49ea629".to_owned(), None));
        assert_eq!(shown(2), ("gm-1278455344230334865".to_owned(), Some("gm-1266894439832287888".to_owned())));
    }

    /// RFC 8474 section 4.1 and 4.2.
    #[test]
    fn the_id_of_a_mailbox_comes_with_creating_and_opening_it() {
        let told = responses(
            "3 OK [MAILBOXID (F2212ea87-6097-4256-9d51-71338625)] Completed\r\n\
             * OK [MAILBOXID (F2212ea87-6097-4256-9d51-71338625)] Ok\r\n",
        );
        let id = ResponseCode::MailboxId("F2212ea87-6097-4256-9d51-71338625".to_owned());
        assert!(matches!(&told[0], Response::Tagged { code: Some(code), .. } if *code == id));
        assert!(matches!(&told[1], Response::Status { code: Some(code), .. } if *code == id));
    }

    #[test]
    fn what_is_no_id_is_none() {
        assert_eq!(valid(b"F2212ea87-6097"), Some("F2212ea87-6097"));
        for odd in [&b""[..], b"a b", b"a\nb", "é".as_bytes(), &[b'a'; 256]] {
            assert_eq!(valid(odd), None);
        }
    }

    #[test]
    fn a_server_without_it_is_asked_for_what_it_has() {
        assert_eq!(items(&caps(&["OBJECTID", "X-GM-EXT-1"])), [FetchItem::EmailId, FetchItem::ThreadId]);
        assert_eq!(items(&caps(&["X-GM-EXT-1"])), [FetchItem::GmMessageId, FetchItem::GmThreadId]);
        assert!(items(&caps(&["IMAP4rev2"])).is_empty());
        assert_eq!(thread_item(&caps(&["OBJECTID"])), Some(&FetchItem::ThreadId));
        assert_eq!(thread_item(&caps(&["X-GM-EXT-1"])), Some(&FetchItem::GmThreadId));
    }
}
