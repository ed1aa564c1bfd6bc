//! X-GM-EXT-1 (Gmail, documented at developers.google.com/gmail/imap/imap-extensions): ids, threads and labels.
//!
//! On Gmail a mailbox is a label, and a message with three labels is shown three times. Its `X-GM-MSGID` says that it is
//! one. `\Deleted` and EXPUNGE take away a label only; what is to go has to be moved to the trash.

use super::Extension;
use crate::imap::{Capabilities, FetchRow, Label};
use crate::wire::Value;
use bytes::Bytes;

/// Its line in the registry. Gmail has no RFC for it; the number is that of the protocol it extends.
pub const EXTENSION: Extension = Extension {
    capability: "X-GM-EXT-1",
    rfc: 3501,
    about: "A message that is in several mailboxes is known as one",
    fallback: "A message is known by OBJECTID, or by what it looks like",
};

/// What stands before an id of Gmail where it is told, so that it is not taken for one of OBJECTID.
const PREFIX: &str = "gm-";

/// Whether the server is Gmail.
#[must_use]
pub fn is_offered(caps: &Capabilities) -> bool {
    caps.has("X-GM-EXT-1")
}

/// `X-GM-MSGID` of a row: the same in every mailbox that shows the message.
#[must_use]
pub fn message_id(row: &FetchRow) -> Option<u64> {
    number(row, b"X-GM-MSGID")
}

/// `X-GM-THRID` of a row.
#[must_use]
pub fn thread_id(row: &FetchRow) -> Option<u64> {
    number(row, b"X-GM-THRID")
}

/// An id as it is told and stored: `gm-1266894439832287888`.
#[must_use]
pub fn told_id(id: u64) -> String {
    format!("{PREFIX}{id}")
}

/// The id that is told so; `None` for any other text.
#[must_use]
pub fn read_id(text: &str) -> Option<u64> {
    let id = text.strip_prefix(PREFIX)?.parse().ok()?;
    Some(id).filter(|id| told_id(*id) == text)
}

/// `X-GM-LABELS` of a row, the mailbox's own not among them; `None` where they were not asked for.
#[must_use]
pub fn labels(row: &FetchRow) -> Option<Vec<Label>> {
    match item(row, b"X-GM-LABELS")? {
        Value::List(values) => Some(values.iter().filter_map(label).collect()),
        single => Some(label(single).into_iter().collect()),
    }
}

/// One label; Gmail also sends `NIL` among them.
fn label(value: &Value) -> Option<Label> {
    let raw = match value {
        Value::Atom(atom) if atom.eq_ignore_ascii_case(b"NIL") => return None,
        Value::Atom(atom) => atom.clone(),
        Value::String(octets) => octets.clone().into_bytes(),
        Value::List(_) => return None,
    };
    Some(Label::from_server(raw)).filter(|label| !label.as_str().is_empty())
}

fn number(row: &FetchRow, name: &[u8]) -> Option<u64> {
    let digits: Bytes = match item(row, name)? {
        Value::Atom(digits) => digits.clone(),
        Value::String(octets) => octets.clone().into_bytes(),
        Value::List(_) => return None,
    };
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

/// The item told last, as for items that have a type.
fn item<'a>(row: &'a FetchRow, name: &[u8]) -> Option<&'a Value> {
    row.other.iter().rev().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::command::{self, SearchOptions, StoreAction, StoreOptions};
    use crate::imap::extension::tests::{rows, text};
    use crate::imap::{SearchKey, UidSet};

    fn named(row: &FetchRow) -> Vec<String> {
        labels(row).unwrap().iter().map(ToString::to_string).collect()
    }

    /// Google's own examples, what MailKit has recorded, and quoted, literal and encoded labels.
    #[test]
    fn ids_and_labels_are_read() {
        let rows = rows(
            "* 1 FETCH (X-GM-MSGID 1278455344230334865 X-GM-THRID 1266894439832287888 \
             X-GM-LABELS (\\Inbox \\Sent Important \"Muy Importante\"))\r\n\
             * 2 FETCH (X-GM-LABELS (\\Important \"Custom Label\" NIL) UID 2)\r\n\
             * 3 FETCH (X-GM-LABELS (\"\\\\Inbox\" {3}\r\na\"b Entw&APw-rfe))\r\n* 4 FETCH (X-GM-LABELS ())\r\n",
        );
        assert_eq!(message_id(&rows[0]), Some(1_278_455_344_230_334_865));
        assert_eq!(thread_id(&rows[0]), Some(1_266_894_439_832_287_888));
        assert_eq!(named(&rows[0]), ["\\Inbox", "\\Sent", "Important", "Muy Importante"]);
        assert_eq!(named(&rows[1]), ["\\Important", "Custom Label"]);
        assert_eq!(named(&rows[2]), ["\\Inbox", "a\"b", "Entwürfe"]);
        assert_eq!((named(&rows[3]).len(), labels(&FetchRow::default())), (0, None));
    }

    #[test]
    fn only_what_is_told_is_read_as_an_id() {
        assert_eq!(read_id(&told_id(u64::MAX)), Some(u64::MAX));
        for odd in ["", "1266894439832287888", "gm-", "gm-x", "gm-+1", "gm-01", "GM-1", "gm-18446744073709551616"] {
            assert_eq!(read_id(odd), None, "{odd}");
        }
    }

    #[test]
    fn labels_are_changed_and_searched_for_in_utf7() {
        let labels = [Label::new("\\Starred"), Label::new("Entwürfe"), Label::new("Muy Importante")];
        let set = UidSet::from(7);
        let store = command::uid_store_labels(&set, StoreAction::Add, &labels, StoreOptions::default()).unwrap();
        assert_eq!(text(&store), "UID STORE 7 +X-GM-LABELS (\\Starred \"Entw&APw-rfe\" \"Muy Importante\")");
        assert!(command::uid_store_labels(&set, StoreAction::Remove, &[], StoreOptions::default()).is_err());
        let key = SearchKey::And(vec![
            SearchKey::GmLabel(Label::new("Muy Importante")),
            SearchKey::GmMessageId(1_278_455_344_230_334_865),
            SearchKey::GmThreadId(1_266_894_439_832_287_888),
        ]);
        let search = command::uid_search(&key, &SearchOptions::default()).unwrap();
        let expected = "UID SEARCH X-GM-LABELS \"Muy Importante\" X-GM-MSGID 1278455344230334865 \
                        X-GM-THRID 1266894439832287888";
        assert_eq!(text(&search), expected);
    }
}
