//! UIDPLUS (RFC 4315): expunging just some messages, and learning where copies went.

use super::Extension;
use crate::error::{Code, MailError, Result};
use crate::imap::{Capabilities, SearchKey, UidSet, command};
use crate::wire::Command;

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "UIDPLUS",
    rfc: 4315,
    about: "Only what was deleted here is expunged, and a copy's UID is told",
    fallback: "Nothing is expunged; a new message is looked for by its Message-ID",
};

/// The command that removes these for good. Without UIDPLUS it is [`Code::ServerUnsupported`]: a plain EXPUNGE would
/// also remove what others have marked.
pub fn expunge(caps: &Capabilities, uids: &UidSet) -> Result<Command> {
    if caps.has("UIDPLUS") {
        return command::uid_expunge(uids);
    }
    Err(MailError::new(Code::ServerUnsupported, "The server cannot expunge single messages (UIDPLUS)")
        .hint("The messages are marked \\Deleted; another client can expunge the mailbox"))
}

/// What finds an appended message whose UID the server has not told: its Message-ID, at or above the UIDNEXT seen
/// before. Of several found, none can be taken for it (RFC 4549 section 4.2.2.2).
#[must_use]
pub fn appended(message_id: &str, uid_next: u32) -> SearchKey {
    let newer = SearchKey::Uid(UidSet::range(uid_next, u32::MAX));
    SearchKey::And(vec![newer, SearchKey::Header("Message-ID".to_owned(), message_id.to_owned())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_expunged_without_it() {
        let uids = UidSet::from(7);
        assert_eq!(expunge(&["UIDPLUS"].into_iter().collect(), &uids).unwrap().name(), "UID EXPUNGE");
        assert_eq!(expunge(&Capabilities::default(), &uids).unwrap_err().code(), Code::ServerUnsupported);
    }

    #[test]
    fn an_appended_message_is_looked_for_among_new_ones() {
        let command = command::uid_search(&appended("<a@b>", 7), &Default::default()).unwrap();
        let expected = br#"UID SEARCH UID 7:4294967295 HEADER Message-ID "<a@b>""#;
        assert_eq!(command.pieces(), [crate::wire::Piece::Text(expected.to_vec())]);
    }
}
