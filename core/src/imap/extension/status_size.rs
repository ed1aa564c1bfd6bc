//! STATUS=SIZE (RFC 8438): how many bytes a mailbox holds.

use super::Extension;
use crate::error::Result;
use crate::imap::command::{self, FetchItem, FetchModifiers, StatusItem};
use crate::imap::{Capabilities, MailboxName, UidSet};
use crate::wire::Command;

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "STATUS=SIZE",
    rfc: 8438,
    about: "The size of a mailbox is asked for",
    fallback: "The sizes of its messages are fetched and added up",
};

/// The command that tells it: STATUS, or with the mailbox selected a FETCH of all sizes.
pub fn plan(caps: &Capabilities, mailbox: &MailboxName) -> Result<Command> {
    if caps.has("STATUS=SIZE") {
        return command::status(mailbox, &[StatusItem::Size]);
    }
    command::uid_fetch(&UidSet::range(1, u32::MAX), &[FetchItem::Size], FetchModifiers::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_without_it_tells_each_message() {
        let inbox = MailboxName::new("INBOX", false);
        assert_eq!(plan(&["STATUS=SIZE"].into_iter().collect(), &inbox).unwrap().name(), "STATUS");
        assert_eq!(plan(&Capabilities::default(), &inbox).unwrap().name(), "UID FETCH");
    }
}
