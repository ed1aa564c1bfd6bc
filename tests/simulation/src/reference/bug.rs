//! The mistakes that can be switched on.

/// A mistake of a kind that real clients have made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// An id of a row that is gone is given again (the find of the first prototype).
    RowidReuse,
    /// The cursor is written before what it covers.
    CursorEarly,
    /// A flag goes out as the whole list.
    FlagsOverwrite,
    /// VANISHED is believed without counting.
    VanishedTrusted,
    /// An APPEND without answer is sent again.
    BlindAppend,
    /// EXPUNGE without UIDs.
    PlainExpunge,
    /// UIDVALIDITY is not compared.
    ValidityIgnored,
    /// A LIST that ends in NO counts as complete.
    ListTrusted,
    /// A COPY without answer is sent again.
    BlindCopy,
    /// What the server says replaces flags that are still to be sent.
    FlagsForgotten,
    /// NO counts as done.
    RefusalIsSuccess,
    /// A message is recognised by its Message-ID alone.
    MessageIdIsIdentity,
    /// A body is taken for what was asked for.
    BodyUnchecked,
    /// The feed is written after the change, in a transaction of its own.
    FeedApart,
    /// Changes are sent by message number.
    SequenceNumbers,
    /// What one list does not show is gone.
    OneListDeletes,
    /// That the final dot is sent is not written down before.
    DotNotCommitted,
    /// A message without answer after the final dot is sent again.
    Resend,
    /// The journal is written after the change, in a transaction of its own.
    JournalApart,
    /// A move goes on although its copy failed.
    MoveWithoutProof,
    /// Nothing looks for what a cursor has missed.
    NoAudit,
    /// A message that was added is taken to have the UID that UIDNEXT announced.
    UidNextBelieved,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::RowidReuse,
        Self::CursorEarly,
        Self::FlagsOverwrite,
        Self::VanishedTrusted,
        Self::BlindAppend,
        Self::PlainExpunge,
        Self::ValidityIgnored,
        Self::ListTrusted,
        Self::BlindCopy,
        Self::FlagsForgotten,
        Self::RefusalIsSuccess,
        Self::MessageIdIsIdentity,
        Self::BodyUnchecked,
        Self::FeedApart,
        Self::SequenceNumbers,
        Self::OneListDeletes,
        Self::DotNotCommitted,
        Self::Resend,
        Self::JournalApart,
        Self::MoveWithoutProof,
        Self::NoAudit,
        Self::UidNextBelieved,
    ];

    /// The bug of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bug| format!("{bug:?}") == name)
    }
}
