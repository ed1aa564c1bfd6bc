//! What the steps are decided from, and what comes of it.

use crate::imap::Flag;
use crate::journal::{State, Step};
use std::fmt;

/// What the server can do, as far as it changes the steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Means {
    /// MOVE (RFC 6851).
    pub can_move: bool,
    /// UIDPLUS (RFC 4315): UID EXPUNGE, and the UIDs of what was placed.
    pub uid_plus: bool,
    /// The largest message that APPEND takes, in bytes (RFC 7889).
    pub append_limit: Option<u64>,
}

/// Where the message of an intent is on the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum At {
    /// The intent is about no message on the server.
    #[default]
    Nowhere,
    /// There, with this UID.
    Uid(u32),
    /// An earlier intent is to bring it there, and has not yet.
    Coming,
    /// UIDVALIDITY changed and it was not found again yet: another pass looks for it.
    Sought,
    /// It left the server.
    Gone,
    /// UIDVALIDITY changed and it was not found again.
    Lost,
}

/// What is known just before a step. Facts that an intent of this kind does not need may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Where the message is.
    pub at: At,
    /// UIDVALIDITY and UIDNEXT of the mailbox a message goes to; `None` where there is none.
    pub to: Option<(u32, u32)>,
    /// The mailbox that is written to can only be read.
    pub read_only: bool,
    /// Its UIDVALIDITY changes again and again.
    pub unstable: bool,
    /// Flags that it keeps (PERMANENTFLAGS); `None` where the server does not say, which means all.
    pub keeps: Option<Vec<Flag>>,
    /// Whether the bytes to append are here.
    pub has_body: bool,
    /// UIDVALIDITY, UIDNEXT and message count of a mailbox to be removed; `None` where it is not there.
    pub holds: Option<(u32, u32, u32)>,
}

/// A command of an intent. The message is the one at [`Facts::at`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// `UID STORE -FLAGS.SILENT` and `+FLAGS.SILENT`.
    Store {
        /// Flags to set.
        add: Vec<Flag>,
        /// Flags to take away.
        remove: Vec<Flag>,
    },
    /// `UID MOVE`.
    Move,
    /// `UID COPY`.
    Copy,
    /// `APPEND`.
    Append,
    /// `UID STORE +FLAGS.SILENT (\Deleted)`.
    Mark,
    /// `UID EXPUNGE`.
    Expunge,
    /// `CREATE`.
    Create,
    /// `RENAME`.
    Rename,
    /// `DELETE`.
    Remove,
    /// `SUBSCRIBE`.
    Subscribe,
    /// `UNSUBSCRIBE`.
    Unsubscribe,
}

/// What comes next for an intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Commit `step`, then send the command.
    Send {
        /// The step.
        step: Step,
        /// Its command.
        act: Act,
    },
    /// Commit `step`, then see what is there ([`doubt`](super::doubt())).
    Look {
        /// The step.
        step: Step,
    },
    /// It has ended, or is parked. `placed` is where its message arrived: UIDVALIDITY and UID.
    End {
        /// How.
        state: State,
        /// Where.
        placed: Option<(u32, u32)>,
    },
    /// Nothing can be said yet. Try again later; `step` is to be kept.
    Wait {
        /// The step.
        step: Option<Step>,
    },
}

/// What was found after a lost answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sighting {
    /// Whether the original is in its mailbox still.
    pub original: bool,
    /// Whether its mailbox looks empty.
    pub is_empty: bool,
    /// UIDVALIDITY of the mailbox it goes to; `None` where that is gone.
    pub uid_validity: Option<u32>,
    /// Its UIDNEXT now.
    pub uid_next: u32,
    /// UIDs there, from the UIDNEXT of the step on (all, under another UIDVALIDITY), that are the same by size and
    /// header, and that no placement here has. Ascending.
    pub copies: Vec<u32>,
    /// No copy is there any more, but something was placed there since, and the same message has arrived in another
    /// mailbox: somebody has moved it on.
    pub moved_on: bool,
    /// For a rename: whether the old name is listed, and whether the new one is.
    pub names: (bool, bool),
    /// The command was answered, so that nothing of it comes late; it only did not say where the message went.
    pub answered: bool,
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Store { .. } => "UID STORE",
            Self::Move => "UID MOVE",
            Self::Copy => "UID COPY",
            Self::Append => "APPEND",
            Self::Mark => "UID STORE \\Deleted",
            Self::Expunge => "UID EXPUNGE",
            Self::Create => "CREATE",
            Self::Rename => "RENAME",
            Self::Remove => "DELETE",
            Self::Subscribe => "SUBSCRIBE",
            Self::Unsubscribe => "UNSUBSCRIBE",
        })
    }
}
