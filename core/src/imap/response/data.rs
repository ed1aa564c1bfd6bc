//! The data of LIST, STATUS, ESEARCH, THREAD and NAMESPACE.

use crate::imap::{MailboxName, Role, UidSet};
use crate::wire::Value;
use bytes::Bytes;

/// A mailbox in an answer to LIST or LSUB (RFC 9051 section 7.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRow {
    /// Attributes with their backslash, as the server wrote them.
    pub attributes: Vec<String>,
    /// What separates levels of the hierarchy; `None` where there are none.
    pub delimiter: Option<char>,
    /// The mailbox.
    pub mailbox: MailboxName,
    /// `CHILDINFO` (RFC 5258): why it is listed although it does not match itself, such as `SUBSCRIBED`.
    pub child_info: Vec<String>,
    /// `OLDNAME` (RFC 9051): what it was called, or what it was asked as.
    pub old_name: Option<MailboxName>,
    /// Other extended data: name and value.
    pub extended: Vec<(Bytes, Value)>,
}

impl ListRow {
    /// Whether it has an attribute, such as `\Noselect`, in any case.
    #[must_use]
    pub fn has_attribute(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|a| a.eq_ignore_ascii_case(attribute))
    }

    /// Whether it can be selected.
    #[must_use]
    pub fn is_selectable(&self) -> bool {
        !self.has_attribute("\\Noselect") && !self.has_attribute("\\NonExistent")
    }

    /// Whether there are mailboxes below it, where the server says so (CHILDREN, RFC 3348).
    #[must_use]
    pub fn has_children(&self) -> Option<bool> {
        if self.has_attribute("\\HasChildren") {
            return Some(true);
        }
        (self.has_attribute("\\HasNoChildren") || self.has_attribute("\\Noinferiors")).then_some(false)
    }

    /// Its special use, by its attributes; the inbox by its name.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        let inbox = self.mailbox.is_inbox().then_some(Role::Inbox);
        inbox.or_else(|| self.attributes.iter().find_map(|a| Role::from_attribute(a)))
    }
}

/// An answer to STATUS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxStatus {
    /// The mailbox.
    pub mailbox: MailboxName,
    /// What is known of it.
    pub items: StatusItems,
}

/// The items of a STATUS; absent what was not asked for, or makes no sense.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusItems {
    /// How many messages.
    pub messages: Option<u32>,
    /// How many that no session has seen.
    pub recent: Option<u32>,
    /// The UID that the next message will have, at least.
    pub uid_next: Option<u32>,
    /// UIDVALIDITY.
    pub uid_validity: Option<u32>,
    /// How many without `\Seen`.
    pub unseen: Option<u32>,
    /// How many with `\Deleted` (RFC 9051).
    pub deleted: Option<u32>,
    /// Their sizes together, in bytes (STATUS=SIZE, RFC 8438).
    pub size: Option<u64>,
    /// The highest MODSEQ (RFC 7162).
    pub highest_mod_seq: Option<u64>,
    /// The largest message that can be appended, in bytes (RFC 7889); absent for no limit.
    pub append_limit: Option<u64>,
    /// The mailbox's id (RFC 8474).
    pub mailbox_id: Option<Bytes>,
    /// Other items, and those whose value is not of their kind: name and value.
    pub other: Vec<(Bytes, Value)>,
}

/// An answer to an extended SEARCH (RFC 4731, RFC 9051 section 7.3.4).
///
/// Without `all`, `min`, `max` and `count` nothing was found, but only if they were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Esearch {
    /// The tag of the command that it answers.
    pub tag: Option<String>,
    /// Whether the numbers are UIDs.
    pub uid: bool,
    /// The smallest.
    pub min: Option<u32>,
    /// The largest.
    pub max: Option<u32>,
    /// How many.
    pub count: Option<u64>,
    /// All of them.
    pub all: Option<UidSet>,
    /// The highest MODSEQ of those found.
    pub mod_seq: Option<u64>,
    /// Part of them (RFC 9394): the range asked for as it came, and those in it.
    pub partial: Option<(Bytes, UidSet)>,
    /// The mailbox that was searched (MULTISEARCH, RFC 7377).
    pub mailbox: Option<MailboxName>,
    /// Its UIDVALIDITY.
    pub uid_validity: Option<u32>,
    /// Other return data: name and value.
    pub other: Vec<(Bytes, Value)>,
}

/// A message in a THREAD answer. The nodes stand in reading order; the children of a node are those that follow it with
/// a `depth` one greater, until one that is not deeper than it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadNode {
    /// UID or sequence number; `None` for a parent that is missing.
    pub id: Option<u32>,
    /// Distance from the root.
    pub depth: u32,
}

/// The namespaces of a server (RFC 2342).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespaces {
    /// The user's own.
    pub personal: Vec<Namespace>,
    /// Other people's.
    pub other_users: Vec<Namespace>,
    /// Shared by all.
    pub shared: Vec<Namespace>,
}

/// A prefix, and what separates levels below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// Such as `INBOX.`; empty for no prefix.
    pub prefix: MailboxName,
    /// Absent where there is no hierarchy.
    pub delimiter: Option<char>,
}
