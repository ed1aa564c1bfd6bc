//! UNSELECT (RFC 3691): leaving a mailbox without expunging it.

use super::Extension;
use crate::error::Result;
use crate::imap::command::{self, SelectOptions};
use crate::imap::{Capabilities, MailboxName};
use crate::wire::Command;

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "UNSELECT",
    rfc: 3691,
    about: "A mailbox is left as it is",
    fallback: "The mailbox is opened once more with EXAMINE, from where CLOSE expunges nothing",
};

/// The commands that leave `mailbox`; `read_only` says whether it was opened with EXAMINE.
pub fn plan(caps: &Capabilities, mailbox: &MailboxName, read_only: bool) -> Result<Vec<Command>> {
    if caps.has("UNSELECT") {
        return Ok(vec![command::unselect()]);
    }
    let mut commands = Vec::new();
    if !read_only {
        commands.push(command::select(mailbox, SelectOptions { read_only: true, condstore: false })?);
    }
    commands.push(command::close());
    Ok(commands)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_is_sent_only_to_what_was_examined() {
        let inbox = MailboxName::new("INBOX", false);
        let names = |caps: &[&str], read_only| -> Vec<_> {
            plan(&caps.iter().collect(), &inbox, read_only).unwrap().iter().map(Command::name).collect()
        };
        assert_eq!(names(&["UNSELECT"], false), ["UNSELECT"]);
        assert_eq!(names(&[], true), ["CLOSE"]);
        assert_eq!(names(&[], false), ["EXAMINE", "CLOSE"]);
    }
}
