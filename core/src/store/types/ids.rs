//! Identifiers of rows. None is ever given twice in the life of a store, also not after a deletion: a queued deletion
//! must never hit a newer message (`reliability.md` E6).

use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        })*
    };
}

impl MessageId {
    /// EMAILID (RFC 8474): unique for ever.
    #[must_use]
    pub fn object_id(self) -> String {
        format!("M{self}")
    }
}

impl ThreadId {
    /// THREADID (RFC 8474), as our server and messages tell it.
    #[must_use]
    pub fn object_id(self) -> String {
        format!("T{self}")
    }

    /// The thread that is told so; `None` for any other text.
    #[must_use]
    pub fn from_object_id(text: &str) -> Option<Self> {
        let id = Self(text.strip_prefix('T')?.parse().ok()?);
        Some(id).filter(|id| id.0 > 0 && id.object_id() == text)
    }
}

ids! {
    /// A mailbox.
    MailboxId;
    /// A message: its header and content, wherever it is placed.
    MessageId;
    /// A thread: the id of the first message that was known of it.
    ThreadId;
    /// A stored content.
    BodyId;
    /// An entry of the journal. Later entries have larger ids.
    IntentId;
    /// A message to be sent.
    OutboxId;
    /// A segment of the index of words.
    SegmentId;
    /// Somebody who may log in to our server.
    UserId;
}
