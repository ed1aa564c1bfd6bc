//! Mistakes that can be planted at run time, one at a time, to prove that the simulation sees them (`tests/simulation`).
//! With the feature `planted`, which only tests have, [`planted`] says whether one is; without it, it is never so, and
//! nothing of this is left.

/// A mistake of a kind that mail programs have made. Its line says what is done instead of the right thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// What one list of UIDs does not show is gone (`sync/resync.rs`).
    OneListDeletes,
    /// Messages go on under their numbers although UIDVALIDITY is another one (`sync/resync.rs`).
    ValidityIgnored,
    /// What has left the server stays here (`sync/resync.rs`).
    GoneKept,
    /// A list of mailboxes without INBOX is whole, and what it does not name is gone (`sync/plan.rs`).
    ListTrusted,
    /// Nothing looks for what a cursor has missed (`sync/plan.rs`).
    NoAudit,
    /// STORE replaces all flags (`sync/apply/command.rs`).
    FlagsOverwrite,
    /// CLOSE instead of UID EXPUNGE (`sync/apply/command.rs`).
    PlainExpunge,
    /// UIDs are used without comparing UIDVALIDITY with that of the open mailbox (`sync/apply/push/begin.rs`).
    NumbersTrusted,
    /// A command is sent before its step is committed (`sync/apply/push.rs`).
    StepNotCommitted,
    /// A mailbox is not opened where another one is open (`sync/apply/line.rs`).
    MailboxNotOpened,
    /// A body is taken for what was asked for (`sync/apply/bodies.rs`).
    BodyUnchecked,
    /// A pass goes on after its lease was lost (`sync/books.rs`).
    LeaseNotFenced,
    /// An APPEND without answer is sent again (`journal/steps/doubt.rs`).
    BlindAppend,
    /// A COPY without answer is sent again (`journal/steps/doubt.rs`).
    BlindCopy,
    /// The original of a move goes although no copy was found (`journal/steps/doubt.rs`).
    MoveWithoutProof,
    /// What is deleted is only marked (`journal/steps.rs`).
    MarkedOnly,
    /// NO counts as done (`journal/answer.rs`).
    RefusalIsSuccess,
    /// What was set and taken away again before it was sent is set (`journal/merge.rs`).
    UndoForgotten,
    /// A message is recognised by its Message-ID alone (`journal/digest.rs`).
    MessageIdIsIdentity,
    /// What a change was merged with is forgotten (`store/change.rs`).
    MergeForgotten,
    /// Flags that arrive are not told in the feed (`store/place.rs`).
    FeedForgotten,
    /// The UID of the newest message is given again when that is gone (`store/place.rs`).
    UidReuse,
    /// That the final dot is sent is not committed before (`outbox/pass.rs`).
    DotNotCommitted,
    /// The copy in Sent is added without looking for it after a lost answer (`outbox/pass.rs`).
    BlindFiling,
    /// A message without answer after the final dot is sent again (`outbox/entry.rs`).
    Resend,
}

impl Bug {
    /// All of them.
    #[cfg(feature = "planted")]
    pub const ALL: [Self; 25] = [
        Self::OneListDeletes,
        Self::ValidityIgnored,
        Self::GoneKept,
        Self::ListTrusted,
        Self::NoAudit,
        Self::FlagsOverwrite,
        Self::PlainExpunge,
        Self::NumbersTrusted,
        Self::StepNotCommitted,
        Self::MailboxNotOpened,
        Self::BodyUnchecked,
        Self::LeaseNotFenced,
        Self::BlindAppend,
        Self::BlindCopy,
        Self::MoveWithoutProof,
        Self::MarkedOnly,
        Self::RefusalIsSuccess,
        Self::UndoForgotten,
        Self::MessageIdIsIdentity,
        Self::MergeForgotten,
        Self::FeedForgotten,
        Self::UidReuse,
        Self::DotNotCommitted,
        Self::BlindFiling,
        Self::Resend,
    ];

    /// The bug of that name.
    #[cfg(feature = "planted")]
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bug| format!("{bug:?}") == name)
    }
}

#[cfg(feature = "planted")]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

/// Plants a mistake in what this thread does from now on, or none.
#[cfg(feature = "planted")]
pub fn plant(bug: Option<Bug>) {
    PLANTED.set(bug);
}

/// Whether that mistake is to be made.
#[cfg(feature = "planted")]
pub(crate) fn planted(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

/// No mistake is to be made.
#[cfg(not(feature = "planted"))]
pub(crate) const fn planted(_: Bug) -> bool {
    false
}
