//! What goes wrong, as data: each fault strikes one command of one actor.

use crate::edit::Edit;
use serde::{Deserialize, Serialize};

/// Something that happens at a command instead of, or besides, its execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// The connection ends; the command was never read.
    CutBefore,
    /// The connection ends when so many bytes of the command have been read.
    CutInside(u16),
    /// The command is done, and the connection ends after so many bytes of its answer.
    CutReply(u16),
    /// The connection ends, and the command is done so many milliseconds later.
    LateEffect(u32),
    /// The server says BYE instead.
    Bye,
    /// The command is done, and the answer is BYE.
    ByeAfter,
    /// The command is refused.
    Refuse(Refusal),
    /// Rows of the answer come twice.
    Duplicate,
    /// The answer carries data that nobody asked for.
    Unsolicited,
    /// The answer takes so many milliseconds.
    Slow(u32),
    /// Somebody else changes something just before.
    Edit(Edit),
    /// The mailbox that is opened looks empty until the connection ends.
    Empty,
    /// LIST gives nothing, and says OK.
    EmptyList,
    /// Headers and bodies are those of another message of the mailbox.
    Swap,
}

/// How a command is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// `NO [UNAVAILABLE]`.
    Unavailable,
    /// `NO [INUSE]`.
    InUse,
    /// `NO [LIMIT]`.
    Limit,
    /// `NO [OVERQUOTA]`.
    OverQuota,
    /// `NO [SERVERBUG]`.
    ServerBug,
    /// `NO` and nothing else.
    Plain,
    /// `BAD`, with the time that Exchange wants to be left alone.
    Throttled,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Unavailable, Self::InUse, Self::Limit, Self::OverQuota, Self::ServerBug, Self::Plain, Self::Throttled];

    /// The answer without its tag.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Unavailable => "NO [UNAVAILABLE] Try again later",
            Self::InUse => "NO [INUSE] Mailbox is in use",
            Self::Limit => "NO [LIMIT] Too many operations",
            Self::OverQuota => "NO [OVERQUOTA] Quota exceeded",
            Self::ServerBug => "NO [SERVERBUG] Internal error occurred",
            Self::Plain => "NO Not now",
            Self::Throttled => "BAD Request is throttled. Suggested Backoff Time: 29961 milliseconds",
        }
    }
}
