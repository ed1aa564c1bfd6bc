//! What a pass does, as values: a person can read them, a program can keep them, and only `apply` carries them out.

use crate::imap::UidSet;
use crate::journal::State;
use crate::store::Flags;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An action in a mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// The local id of the mailbox; `None` before there is one.
    pub id: Option<i64>,
    /// The mailbox's name on the server, decoded.
    pub mailbox: String,
    /// What to do.
    pub action: Action,
}

/// One thing to do. UIDs are the server's unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// The mailbox is new on the server.
    Add,
    /// Somebody renamed it on the server.
    Rename {
        /// Its new name.
        to: String,
        /// Whether a sample of its messages has to show first that it is the same: the server has no MAILBOXID.
        confirm: bool,
    },
    /// The list does not name it. It stays until a second list agrees.
    Miss {
        /// How many lists in a row have not named it.
        times: u32,
    },
    /// Two lists that agree do not name it: it is gone.
    Drop,
    /// Open it and ask.
    Ask {
        /// What.
        question: Question,
    },
    /// Take our UIDs for these, in their order, before anything of them is fetched.
    Reserve {
        /// Which.
        #[serde(with = "set")]
        uids: UidSet,
    },
    /// Fetch what makes them visible, newest first.
    Headers {
        /// Which.
        #[serde(with = "set")]
        uids: UidSet,
    },
    /// Fetch what tells which message each one is: the mailbox was numbered anew.
    Identify {
        /// Which.
        #[serde(with = "set")]
        uids: UidSet,
    },
    /// Fetch bodies, newest first.
    Bodies {
        /// Which.
        #[serde(with = "set")]
        uids: UidSet,
        /// Their sizes together, in bytes.
        bytes: u64,
    },
    /// Both sides now agree on `agreed`; here the message has `flags` (what is not sent yet included).
    Flags {
        /// The message.
        uid: u32,
        /// As they are seen here.
        #[serde(with = "words")]
        flags: Flags,
        /// As the server has them.
        #[serde(with = "words")]
        agreed: Flags,
    },
    /// Take these away here: they are gone on the server.
    Remove {
        /// Which.
        #[serde(with = "set")]
        uids: UidSet,
        /// How that is known.
        proof: Proof,
    },
    /// These are missing, and not proven to be gone. All that were suspected before and are not named are there again.
    Suspect {
        /// Which.
        #[serde(with = "set")]
        uids: UidSet,
    },
    /// A local change has ended by what the server says.
    Settle {
        /// The journal's entry.
        intent: i64,
        /// How.
        state: State,
    },
    /// The server has part of a local flag change already; this is left of it.
    Trim {
        /// The journal's entry.
        intent: i64,
        /// Flags still to set.
        #[serde(with = "words")]
        add: Flags,
        /// Flags still to take away.
        #[serde(with = "words")]
        remove: Flags,
    },
    /// UIDVALIDITY changed: forget the numbers, keep the messages.
    Reset {
        /// The old one.
        from: u32,
        /// The new one.
        to: u32,
    },
    /// A message that lost its number has it again.
    Rebind {
        /// Our UID.
        local: u32,
        /// The server's new one.
        uid: u32,
    },
    /// Messages that were not found again after a reset, by our UIDs: they stay until that is so in another pass. All
    /// that were not found before and are not named are there again, or gone.
    Unfound {
        /// Our UIDs.
        #[serde(with = "set")]
        locals: UidSet,
    },
    /// Messages that were not found again after a reset leave; their content stays for 30 days.
    Quarantine {
        /// Our UIDs.
        #[serde(with = "set")]
        locals: UidSet,
    },
    /// Take nothing away here and change nothing there, and say why.
    Pause {
        /// Why.
        reason: Pause,
    },
    /// The reason for the pause is over.
    Resume,
    /// All of the pass is here: the next one begins from this. Always the last.
    Advance {
        /// Where.
        cursor: Cursor,
    },
    /// A local change goes to the server.
    Send {
        /// The journal's entry.
        intent: i64,
        /// What it is, for a person.
        what: String,
    },
}

/// Up to where both sides agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// UIDVALIDITY; 0 before the first pass.
    pub uid_validity: u32,
    /// Every UID below is known here.
    pub uid_next: u32,
    /// HIGHESTMODSEQ; 0 for none.
    pub mod_seq: u64,
    /// How many messages the server had.
    pub exists: u32,
    /// Whether this pass has compared all UIDs and all flags.
    pub audited: bool,
}

/// What is asked of a mailbox, the cheapest that can be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "question", rename_all = "snake_case")]
pub enum Question {
    /// SELECT with QRESYNC (RFC 7162): all changes and removals since then, in one answer.
    Resync {
        /// Since this MODSEQ.
        mod_seq: u64,
    },
    /// `UID FETCH 1:* (FLAGS) (CHANGEDSINCE …)`, and the list of UIDs where it can have changed.
    Changes {
        /// Since this MODSEQ.
        mod_seq: u64,
        /// Whether the list of UIDs is needed.
        uids: bool,
    },
    /// The flags of the newest, and the list of UIDs where it can have changed: the server tells no changes.
    Window {
        /// How many of the newest.
        newest: u32,
        /// Whether the list of UIDs is needed.
        uids: bool,
    },
    /// All UIDs and all flags.
    All,
}

/// How it is known that a message is gone (decision 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// VANISHED or EXPUNGE, and the number of messages agrees.
    Vanished,
    /// Two full lists of one UIDVALIDITY.
    TwoLists,
    /// The user looked at the pause and said so.
    Confirmed,
}

/// Why a mailbox is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Pause {
    /// Too many messages are missing at once.
    Disappearance {
        /// How many.
        missing: u64,
        /// Of how many.
        of: u64,
    },
    /// UIDVALIDITY changed too often today.
    Unstable {
        /// How often.
        resets: u32,
    },
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.mailbox, self.action)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add => f.write_str("new on the server"),
            Self::Rename { to, confirm: false } => write!(f, "is now called {to:?}"),
            Self::Rename { to, confirm: true } => write!(f, "may now be called {to:?}"),
            Self::Miss { times } => write!(f, "not in the list ({times})"),
            Self::Drop => f.write_str("gone from the server"),
            Self::Ask { question } => write!(f, "ask for {question}"),
            Self::Reserve { uids } => write!(f, "number {uids}"),
            Self::Headers { uids } => write!(f, "fetch headers of {uids}"),
            Self::Identify { uids } if uids.is_empty() => f.write_str("identify none"),
            Self::Identify { uids } => write!(f, "identify {uids}"),
            Self::Bodies { uids, bytes } => write!(f, "fetch bodies of {uids}, {bytes} bytes"),
            Self::Flags { uid, flags, .. } => write!(f, "flags of {uid} are ({flags})"),
            Self::Remove { uids, proof } => write!(f, "remove {uids}: {proof}"),
            Self::Suspect { uids } if uids.is_empty() => f.write_str("none missing any more"),
            Self::Suspect { uids } => write!(f, "missing {uids}, to be looked at again"),
            Self::Settle { intent, state } => write!(f, "local change {intent} is {state}"),
            Self::Trim { intent, add, remove } => write!(f, "left of local change {intent}: +({add}) -({remove})"),
            Self::Reset { from, to } => write!(f, "UIDVALIDITY {from} is now {to}"),
            Self::Rebind { local, uid } => write!(f, "message {local} is now {uid} on the server"),
            Self::Unfound { locals } if locals.is_empty() => f.write_str("none to be found again any more"),
            Self::Unfound { locals } => write!(f, "not found again: {locals}, to be looked for once more"),
            Self::Quarantine { locals } => write!(f, "not found again: {locals}"),
            Self::Pause { reason } => write!(f, "paused: {reason}"),
            Self::Resume => f.write_str("no longer paused"),
            Self::Advance { cursor } => write!(f, "{cursor}"),
            Self::Send { what, .. } => write!(f, "send: {what}"),
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { uid_validity, uid_next, mod_seq, exists, .. } = self;
        write!(f, "in step: UIDVALIDITY {uid_validity}, UIDNEXT {uid_next}, MODSEQ {mod_seq}, {exists} messages")
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resync { mod_seq } => write!(f, "everything since {mod_seq} (QRESYNC)"),
            Self::Changes { mod_seq, uids: false } => write!(f, "changes since {mod_seq}"),
            Self::Changes { mod_seq, uids: true } => write!(f, "changes since {mod_seq} and all UIDs"),
            Self::Window { newest, uids: false } => write!(f, "the flags of the newest {newest}"),
            Self::Window { newest, uids: true } => write!(f, "the flags of the newest {newest} and all UIDs"),
            Self::All => f.write_str("all UIDs and flags"),
        }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vanished => "the server said so and the count agrees",
            Self::TwoLists => "missing from two full lists",
            Self::Confirmed => "confirmed by the user",
        })
    }
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disappearance { missing, of } => {
                write!(f, "{missing} of {of} messages are missing on the server at once; nothing was removed here")
            }
            Self::Unstable { resets } => {
                write!(f, "the server has numbered the mailbox anew {resets} times today; nothing is written to it")
            }
        }
    }
}

/// Sets of UIDs as IMAP writes them.
mod set {
    use crate::imap::UidSet;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(set: &UidSet, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(set)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<UidSet, D::Error> {
        let text = String::deserialize(from)?;
        if text.is_empty() {
            return Ok(UidSet::new());
        }
        UidSet::from_server(text.as_bytes()).ok_or_else(|| de::Error::custom("a set of UIDs was expected"))
    }
}

/// Flags as they travel.
mod words {
    use crate::imap::Flag;
    use crate::store::Flags;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(flags: &Flags, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(flags)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Flags, D::Error> {
        let text = String::deserialize(from)?;
        Ok(text.split_whitespace().map(|word| Flag::from_server(word.as_bytes())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Cause;

    #[test]
    fn a_plan_can_be_kept_and_read() {
        let (uids, flags): (UidSet, Flags) = (UidSet::range(3, 7), [crate::imap::Flag::SEEN].into_iter().collect());
        let cursor = Cursor { uid_validity: 7, uid_next: 8, mod_seq: 9, exists: 5, audited: false };
        let actions = [
            (Action::Add, "new on the server"),
            (Action::Rename { to: "B".to_owned(), confirm: true }, "may now be called \"B\""),
            (Action::Ask { question: Question::Resync { mod_seq: 9 } }, "ask for everything since 9 (QRESYNC)"),
            (Action::Reserve { uids: uids.clone() }, "number 3:7"),
            (Action::Suspect { uids: UidSet::new() }, "none missing any more"),
            (Action::Flags { uid: 3, flags: flags.clone(), agreed: Flags::new() }, "flags of 3 are (\\Seen)"),
            (Action::Remove { uids: uids.clone(), proof: Proof::TwoLists }, "remove 3:7: missing from two full lists"),
            (
                Action::Settle { intent: 4, state: State::Superseded { by: Cause::MessageGone } },
                "local change 4 is superseded: the message was removed on the server",
            ),
            (
                Action::Pause { reason: Pause::Disappearance { missing: 30, of: 40 } },
                "paused: 30 of 40 messages are missing on the server at once; nothing was removed here",
            ),
            (Action::Advance { cursor }, "in step: UIDVALIDITY 7, UIDNEXT 8, MODSEQ 9, 5 messages"),
        ];
        for (action, text) in actions {
            let work = Work { id: Some(1), mailbox: "INBOX".to_owned(), action };
            assert_eq!(work.to_string(), format!("\"INBOX\": {text}"));
            let json = serde_json::to_string(&work).unwrap();
            assert_eq!(serde_json::from_str::<Work>(&json).unwrap(), work);
        }
    }
}
