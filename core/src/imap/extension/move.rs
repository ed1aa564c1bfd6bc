//! MOVE (RFC 6851): to another mailbox in one step.

use super::Extension;
use crate::error::Result;
use crate::imap::command::{self, StoreAction, StoreOptions};
use crate::imap::{Capabilities, Flag, MailboxName, UidSet};
use crate::wire::Command;

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "MOVE",
    rfc: 6851,
    about: "A move is one step that nothing can interrupt",
    fallback: "COPY, then \\Deleted, then UID EXPUNGE; without UIDPLUS the originals stay, marked \\Deleted",
};

/// How messages can be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MovePlan {
    /// UID MOVE.
    Move,
    /// COPY, mark `\Deleted`, and UID EXPUNGE of just these.
    CopyAndExpunge,
    /// COPY and mark `\Deleted`. The originals stay where they are: a plain EXPUNGE would remove what others have marked.
    CopyAndMark,
}

/// How messages are moved on this server.
#[must_use]
pub fn plan(caps: &Capabilities) -> MovePlan {
    match (caps.has("MOVE"), caps.has("UIDPLUS")) {
        (true, _) => MovePlan::Move,
        (false, true) => MovePlan::CopyAndExpunge,
        (false, false) => MovePlan::CopyAndMark,
    }
}

impl MovePlan {
    /// The commands. Each may be sent only when the one before it has ended in `OK`: nothing is marked that was not
    /// copied, and nothing expunged that was not marked.
    pub fn commands(self, uids: &UidSet, to: &MailboxName) -> Result<Vec<Command>> {
        if self == Self::Move {
            return Ok(vec![command::uid_move(uids, to)?]);
        }
        let silent = StoreOptions { silent: true, unchanged_since: None };
        let mut commands =
            vec![command::uid_copy(uids, to)?, command::uid_store(uids, StoreAction::Add, &[Flag::DELETED], silent)?];
        if self == Self::CopyAndExpunge {
            commands.push(command::uid_expunge(uids)?);
        }
        Ok(commands)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    fn names(caps: &[&str]) -> Vec<&'static str> {
        let caps: Capabilities = caps.iter().collect();
        let commands = plan(&caps).commands(&UidSet::from(7), &MailboxName::new("Archive", false)).unwrap();
        commands.iter().map(Command::name).collect()
    }

    #[test]
    fn no_plan_has_an_expunge_that_could_remove_what_others_marked() {
        assert_eq!(names(&["IMAP4rev2"]), ["UID MOVE"]);
        assert_eq!(names(&["UIDPLUS"]), ["UID COPY", "UID STORE", "UID EXPUNGE"]);
        assert_eq!(names(&[]), ["UID COPY", "UID STORE"]);
    }

    #[test]
    fn moving_nothing_is_refused() {
        let error = MovePlan::Move.commands(&UidSet::new(), &MailboxName::new("a", false)).unwrap_err();
        assert_eq!(error.code(), Code::UsageSelection);
    }
}
