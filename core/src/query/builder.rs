//! Queries built in code rather than parsed, and joined by operators.

use super::ast::{Expr, Term};
use super::{AddressField, Age, Day, Query, Unit};
use crate::imap::Flag;
use std::ops::{BitAnd, BitOr, Not};

impl Query {
    fn term(term: Term) -> Self {
        Self { expr: Expr::Term(term) }
    }

    fn flag(flag: Flag, set: bool) -> Self {
        Self::term(Term::Flag(flag, set))
    }

    /// `from:`: the name or address of a sender has `text`.
    #[must_use]
    pub fn from_(text: impl Into<String>) -> Self {
        Self::term(Term::Address(AddressField::From, text.into()))
    }

    /// `to:`
    #[must_use]
    pub fn to(text: impl Into<String>) -> Self {
        Self::term(Term::Address(AddressField::To, text.into()))
    }

    /// `cc:`
    #[must_use]
    pub fn cc(text: impl Into<String>) -> Self {
        Self::term(Term::Address(AddressField::Cc, text.into()))
    }

    /// `bcc:`
    #[must_use]
    pub fn bcc(text: impl Into<String>) -> Self {
        Self::term(Term::Address(AddressField::Bcc, text.into()))
    }

    /// `subject:`
    #[must_use]
    pub fn subject(text: impl Into<String>) -> Self {
        Self::term(Term::Subject(text.into()))
    }

    /// `body:`: the text without the header.
    #[must_use]
    pub fn body(text: impl Into<String>) -> Self {
        Self::term(Term::Body(text.into()))
    }

    /// `text:`, or a bare word: header or text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::term(Term::Text(text.into()))
    }

    /// `list:`: the List-Id has `text`; `*` for any.
    #[must_use]
    pub fn list(text: impl Into<String>) -> Self {
        Self::term(Term::List(Some(text.into()).filter(|text| text != "*")))
    }

    /// `header:Name=text`: that field has `text`; with `None`, the field is there.
    #[must_use]
    pub fn header(name: impl Into<String>, text: Option<String>) -> Self {
        Self::term(Term::Header(name.into(), text))
    }

    /// `is:unread`
    #[must_use]
    pub fn unread() -> Self {
        Self::flag(Flag::SEEN, false)
    }

    /// `is:read`
    #[must_use]
    pub fn read() -> Self {
        Self::flag(Flag::SEEN, true)
    }

    /// `is:flagged`
    #[must_use]
    pub fn flagged() -> Self {
        Self::flag(Flag::FLAGGED, true)
    }

    /// `is:answered`
    #[must_use]
    pub fn answered() -> Self {
        Self::flag(Flag::ANSWERED, true)
    }

    /// `is:$Invoice`: any flag or keyword.
    #[must_use]
    pub fn with_flag(flag: Flag) -> Self {
        Self::flag(flag, true)
    }

    /// `has:attachment`
    #[must_use]
    pub fn has_attachment() -> Self {
        Self::term(Term::HasAttachment)
    }

    /// `in:`: in the mailbox of that exact name.
    #[must_use]
    pub fn in_mailbox(name: impl Into<String>) -> Self {
        Self::term(Term::In(name.into()))
    }

    /// `larger:`: more than so many bytes.
    #[must_use]
    pub fn larger(bytes: u64) -> Self {
        Self::term(Term::Larger(bytes))
    }

    /// `smaller:`: fewer bytes.
    #[must_use]
    pub fn smaller(bytes: u64) -> Self {
        Self::term(Term::Smaller(bytes))
    }

    /// `newer:`: received within that time.
    #[must_use]
    pub fn newer(count: u32, unit: Unit) -> Self {
        Self::term(Term::Newer(Age { count, unit }))
    }

    /// `older:`: received longer ago.
    #[must_use]
    pub fn older(count: u32, unit: Unit) -> Self {
        Self::term(Term::Older(Age { count, unit }))
    }

    /// `after:`: received on that day or later.
    #[must_use]
    pub fn after(day: impl Into<Day>) -> Self {
        Self::term(Term::After(day.into()))
    }

    /// `before:`: received before that day.
    #[must_use]
    pub fn before(day: impl Into<Day>) -> Self {
        Self::term(Term::Before(day.into()))
    }

    /// `on:`: received on that day.
    #[must_use]
    pub fn on(day: impl Into<Day>) -> Self {
        Self::term(Term::On(day.into()))
    }

    /// `label:`
    #[must_use]
    pub fn label(name: impl Into<String>) -> Self {
        Self::term(Term::Label(name.into()))
    }

    /// `thread:`: of the thread of that id, as [`Message::thread`](crate::Message::thread) tells it.
    #[must_use]
    pub fn thread(id: impl Into<String>) -> Self {
        Self::term(Term::Thread(id.into()))
    }

    /// IMAP's own search language, such as `KEYWORD $Invoice`; it goes to the server as it is and cannot be matched on a
    /// message in hand.
    #[must_use]
    pub fn raw(imap: impl Into<String>) -> Self {
        Self::term(Term::Raw(imap.into()))
    }
}

impl BitAnd for Query {
    type Output = Query;

    /// Both.
    fn bitand(self, other: Query) -> Query {
        Query { expr: Expr::and(vec![self.expr, other.expr]) }
    }
}

impl BitOr for Query {
    type Output = Query;

    /// Either.
    fn bitor(self, other: Query) -> Query {
        Query { expr: Expr::or(vec![self.expr, other.expr]) }
    }
}

impl Not for Query {
    type Output = Query;

    /// What does not match.
    fn not(self) -> Query {
        Query { expr: self.expr.negated() }
    }
}
