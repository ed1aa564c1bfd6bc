//! LIST, LSUB and STATUS.

use super::mailbox;
use crate::error::Result;
use crate::imap::MailboxName;
use crate::wire::{Command, Encoder};

/// What STATUS and LIST-STATUS can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StatusItem {
    /// How many messages.
    Messages,
    /// How many recent ones (RFC 3501).
    Recent,
    /// The next UID.
    UidNext,
    /// UIDVALIDITY.
    UidValidity,
    /// How many unread ones.
    Unseen,
    /// How many with `\Deleted` (IMAP4rev2).
    Deleted,
    /// Bytes of all (STATUS=SIZE or IMAP4rev2).
    Size,
    /// The highest MODSEQ (CONDSTORE).
    HighestModSeq,
    /// The largest message that can be appended (APPENDLIMIT).
    AppendLimit,
    /// The mailbox's id (OBJECTID).
    MailboxId,
}

impl StatusItem {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Messages,
        Self::Recent,
        Self::UidNext,
        Self::UidValidity,
        Self::Unseen,
        Self::Deleted,
        Self::Size,
        Self::HighestModSeq,
        Self::AppendLimit,
        Self::MailboxId,
    ];

    /// As IMAP writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Messages => "MESSAGES",
            Self::Recent => "RECENT",
            Self::UidNext => "UIDNEXT",
            Self::UidValidity => "UIDVALIDITY",
            Self::Unseen => "UNSEEN",
            Self::Deleted => "DELETED",
            Self::Size => "SIZE",
            Self::HighestModSeq => "HIGHESTMODSEQ",
            Self::AppendLimit => "APPENDLIMIT",
            Self::MailboxId => "MAILBOXID",
        }
    }
}

/// What to list. The plain fields go to every server; the others only to one with LIST-EXTENDED
/// ([`extension::list_extended`](crate::imap::extension::list_extended) sees to that).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// The name from which patterns are read, mostly empty.
    pub reference: String,
    /// Patterns with `*` (anything) and `%` (anything but the delimiter); none means `*`.
    pub patterns: Vec<String>,
    /// Whether patterns are UTF-8 as they stand.
    pub utf8: bool,
    /// Only what the user has subscribed to (selection option `SUBSCRIBED`).
    pub subscribed_only: bool,
    /// Only mailboxes of a special use (selection option `SPECIAL-USE`).
    pub special_use_only: bool,
    /// Tell of each whether it is subscribed to (return option `SUBSCRIBED`).
    pub return_subscribed: bool,
    /// Tell of each whether it has children (return option `CHILDREN`). Dovecot leaves it out otherwise.
    pub return_children: bool,
    /// Tell the special use of each (return option `SPECIAL-USE`). Dovecot leaves it out otherwise.
    pub return_special_use: bool,
    /// Tell the status of each (LIST-STATUS, RFC 5819).
    pub return_status: Vec<StatusItem>,
}

impl ListQuery {
    /// Whether it needs LIST-EXTENDED.
    #[must_use]
    pub fn is_extended(&self) -> bool {
        self.patterns.len() > 1 || self.subscribed_only || self.special_use_only || self.has_returns()
    }

    fn has_returns(&self) -> bool {
        self.return_subscribed || self.return_children || self.return_special_use || !self.return_status.is_empty()
    }

    fn flags(options: &[(bool, &'static str)]) -> Vec<&'static str> {
        options.iter().filter(|(on, _)| *on).map(|(_, word)| *word).collect()
    }
}

/// `LIST`, extended as far as the query asks for it.
pub fn list(query: &ListQuery) -> Result<Command> {
    let mut e = Encoder::new("LIST");
    let select = ListQuery::flags(&[(query.subscribed_only, "SUBSCRIBED"), (query.special_use_only, "SPECIAL-USE")]);
    if !select.is_empty() {
        e.list(|e| words(e, &select))?;
    }
    mailbox(&mut e, &MailboxName::new(&query.reference, query.utf8))?;
    match query.patterns.as_slice() {
        [] => pattern(&mut e, "*", query.utf8),
        [single] => pattern(&mut e, single, query.utf8),
        many => e.list(|e| many.iter().try_for_each(|p| pattern(e, p, query.utf8))).map(drop),
    }?;
    if query.has_returns() {
        e.word("RETURN").list(|e| returns(e, query))?;
    }
    Ok(e.finish())
}

/// `LSUB` (RFC 3501): what the user has subscribed to.
pub fn lsub(reference: &str, of: &str, utf8: bool) -> Result<Command> {
    let mut e = Encoder::new("LSUB");
    mailbox(&mut e, &MailboxName::new(reference, utf8))?;
    pattern(&mut e, of, utf8)?;
    Ok(e.finish())
}

/// `STATUS`.
pub fn status(name: &MailboxName, items: &[StatusItem]) -> Result<Command> {
    let mut e = Encoder::new("STATUS");
    mailbox(&mut e, name)?;
    status_items(&mut e, items)?;
    Ok(e.finish())
}

fn returns(e: &mut Encoder, query: &ListQuery) -> Result<()> {
    let plain = ListQuery::flags(&[
        (query.return_subscribed, "SUBSCRIBED"),
        (query.return_children, "CHILDREN"),
        (query.return_special_use, "SPECIAL-USE"),
    ]);
    words(e, &plain)?;
    if !query.return_status.is_empty() {
        status_items(e.word("STATUS"), &query.return_status)?;
    }
    Ok(())
}

fn words(e: &mut Encoder, words: &[&'static str]) -> Result<()> {
    for word in words {
        e.word(word);
    }
    Ok(())
}

fn status_items(e: &mut Encoder, items: &[StatusItem]) -> Result<()> {
    e.list(|e| {
        for item in items {
            e.word(item.as_str());
        }
        Ok(())
    })?;
    Ok(())
}

/// Patterns always go in quotes: `*` and `%` are no atoms everywhere.
fn pattern(e: &mut Encoder, pattern: &str, utf8: bool) -> Result<()> {
    e.string(MailboxName::new(pattern, utf8).raw()).map(drop)
}
