//! How far an intent has come, and how it ended.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where an intent stands. In JSON an object with `state` and what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Nothing was sent yet.
    #[default]
    Waiting,
    /// A command may have been sent. `step` is committed before that command, and says what is known from before it.
    Started {
        /// The step whose command may be under way.
        step: Step,
    },
    /// The server has confirmed it.
    Applied {
        /// What the user should know all the same.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Note>,
    },
    /// It is not needed any more.
    Superseded {
        /// Why.
        by: Cause,
    },
    /// It cannot be done as things are. Somebody retries or drops it; what does not depend on it goes on.
    Parked {
        /// Why.
        reason: Reason,
        /// The server's own words, at most 500 characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<String>,
    },
}

impl State {
    /// The bare state: `waiting`, `started`, `applied`, `superseded` or `parked`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Started { .. } => "started",
            Self::Applied { .. } => "applied",
            Self::Superseded { .. } => "superseded",
            Self::Parked { .. } => "parked",
        }
    }

    /// Whether it has ended for good: applied or superseded.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Applied { .. } | Self::Superseded { .. })
    }

    /// Whether it is still to be sent, or its answer to be found out.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Waiting | Self::Started { .. })
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting => f.write_str("waiting"),
            Self::Started { step } => write!(f, "started: {step}"),
            Self::Applied { note: None } => f.write_str("applied"),
            Self::Applied { note: Some(note) } => write!(f, "applied: {note}"),
            Self::Superseded { by } => write!(f, "superseded: {by}"),
            Self::Parked { reason, server: None } => write!(f, "parked: {reason}"),
            Self::Parked { reason, server: Some(text) } => write!(f, "parked: {reason}: {text}"),
        }
    }
}

/// A numbered step of an intent, with what has to be known should its answer be lost. Committed before its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// The one command of an intent that may be repeated as it is: STORE, CREATE, DELETE, SUBSCRIBE, UNSUBSCRIBE; and
    /// RENAME, after a look at the list.
    Send,
    /// APPEND, COPY or MOVE into a mailbox: a copy that arrived has a UID from `uid_next` on.
    Place {
        /// UIDVALIDITY of the mailbox it goes to.
        uid_validity: u32,
        /// Its UIDNEXT before the command.
        uid_next: u32,
        /// When somebody first looked for the copy after a lost answer and found none, in seconds since 1970.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unseen: Option<i64>,
    },
    /// The server has confirmed [`Step::Place`] and not said which UID the copy has (no UIDPLUS).
    Find {
        /// UIDVALIDITY of the mailbox it went to.
        uid_validity: u32,
        /// Its UIDNEXT before the command.
        uid_next: u32,
    },
    /// `UID STORE +FLAGS.SILENT (\Deleted)` on the original. After a COPY its copy is known.
    Mark {
        /// UIDVALIDITY of the mailbox the copy went to, and the copy's UID; `None` for a deletion.
        copy: Option<(u32, u32)>,
    },
    /// `UID EXPUNGE` of the original.
    Expunge {
        /// As in [`Step::Mark`].
        copy: Option<(u32, u32)>,
    },
}

impl Step {
    /// Its number, from 1, in the longest way that an intent can take: place, find, mark, expunge.
    #[must_use]
    pub const fn number(&self) -> u8 {
        match self {
            Self::Send | Self::Place { .. } => 1,
            Self::Find { .. } => 2,
            Self::Mark { .. } => 3,
            Self::Expunge { .. } => 4,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Send => "sent",
            Self::Place { .. } => "being placed",
            Self::Find { .. } => "placed, to be found there",
            Self::Mark { .. } => "being marked",
            Self::Expunge { .. } => "being expunged",
        })
    }
}

macro_rules! sentences {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal, $sentence:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $text)] $variant),* }

        impl $name {
            /// Every one, for tests and documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable word that stores and languages share.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// One sentence for a person.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence),* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.sentence())
            }
        }
    };
}

sentences! {
    /// What the user should know of an intent that was applied.
    Note {
        /// The server has no UIDPLUS; a plain EXPUNGE would take other people's marked messages with it.
        LeftMarked = "left_marked",
            "the server cannot expunge one message (no UIDPLUS): the original stays there, marked as deleted";
        /// The server does not keep this keyword.
        KeptHere = "kept_here", "the server does not keep this keyword: it stays here only";
    }
}

sentences! {
    /// Why an intent is not needed any more.
    Cause {
        /// The message left the server by another hand.
        MessageGone = "message_gone", "the message was removed on the server";
        /// The mailbox left the server by another hand.
        MailboxGone = "mailbox_gone", "the mailbox was removed on the server";
        /// Somebody else made the same change.
        AlreadySo = "already_so", "the server has it so already";
        /// A later local change undid it or took it in before it was sent.
        LaterLocal = "later_local", "a later change here took its place";
        /// The user dropped it.
        Dropped = "dropped", "it was dropped";
    }
}

sentences! {
    /// Why an intent cannot be done as things are.
    Reason {
        /// No room on the server.
        OverQuota = "over_quota", "the mailbox is over its quota";
        /// The mailbox was opened read-only, or the server says so.
        ReadOnly = "read_only", "the mailbox cannot be written to";
        /// The user lacks the right.
        NotPermitted = "not_permitted", "the server does not permit it";
        /// The mailbox it goes to does not exist.
        MailboxMissing = "mailbox_missing", "the mailbox it goes to is not there";
        /// A mailbox of the new name exists and is another one.
        MailboxExists = "mailbox_exists", "another mailbox has that name already";
        /// The mailbox to delete holds messages that were never seen here, or children.
        MailboxChanged = "mailbox_changed", "the mailbox holds what was not here when it was deleted";
        /// The name is none that the server takes.
        NameRefused = "name_refused", "the server refuses the name";
        /// The message is larger than the server takes.
        TooBig = "too_big", "the message is larger than the server takes";
        /// The server refuses the message itself.
        MessageRefused = "message_refused", "the server refuses the message";
        /// The bytes that were to be sent are not here any more.
        BodyMissing = "body_missing", "the text of the message is not here";
        /// A reply was lost, and what is there now fits more than once or in part.
        Ambiguous = "ambiguous", "an answer was lost, and what is there now does not tell whether it was done";
        /// UIDVALIDITY changed and the message was not found again.
        LostTrack = "lost_track", "the mailbox was rebuilt and the message was not found again";
        /// UIDVALIDITY changes again and again: nothing is written by number.
        Unstable = "unstable", "the mailbox changes its numbers again and again, nothing is written to it";
        /// The server cannot do it, and there is no safe substitute.
        Unsupported = "unsupported", "the server cannot do it";
        /// Tried too often without an answer that decides.
        TooManyTries = "too_many_tries", "it was tried too often";
        /// The server said no for a reason of its own.
        Refused = "refused", "the server refuses it";
    }
}

impl Reason {
    /// What a person can do about it.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::OverQuota => "Make room on the server and retry it, or drop it",
            Self::ReadOnly | Self::NotPermitted => "Get the right to write there and retry it, or drop it",
            Self::MailboxMissing => "Create the mailbox and retry it, or drop it",
            Self::MailboxExists => "Rename one of the two and retry it, or drop it",
            Self::MailboxChanged => "Drop it, and the mailbox is seen again with what it holds; or empty it and retry",
            Self::NameRefused => "Drop it and choose another name",
            Self::TooBig => "Drop it, or have the server's limit raised and retry it",
            Self::MessageRefused => "Read what the server says; drop it, or retry it when that is mended",
            Self::BodyMissing => "Drop it: there is nothing that could be sent",
            Self::Ambiguous => "Look at the server: drop it if it was done there, else retry it",
            Self::LostTrack => "Drop it, and make the change again on the message as it is now",
            Self::Unstable => "Retry it when the server keeps its numbers, or drop it",
            Self::Unsupported => "Drop it: this server cannot do it",
            Self::TooManyTries => "Retry it when the server is well, or drop it",
            Self::Refused => "Read what the server says; retry it or drop it",
        }
    }
}
