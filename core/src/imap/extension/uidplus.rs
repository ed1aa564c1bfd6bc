//! UIDPLUS (RFC 4315): expunging just some messages, and learning where copies went.

use super::Extension;
use crate::error::{Code, MailError, Result};
use crate::imap::{Capabilities, UidSet, command};
use crate::wire::Command;

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "UIDPLUS",
    rfc: 4315,
    about: "Only what was deleted here is expunged, and a copy's UID is told",
    fallback: "Nothing is expunged, and where a copy or a new message went is not told",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_expunged_without_it() {
        let uids = UidSet::from(7);
        assert_eq!(expunge(&["UIDPLUS"].into_iter().collect(), &uids).unwrap().name(), "UID EXPUNGE");
        assert_eq!(expunge(&Capabilities::default(), &uids).unwrap_err().code(), Code::ServerUnsupported);
    }
}
