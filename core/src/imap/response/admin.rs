//! The data of ACL (RFC 4314), QUOTA (RFC 9208) and METADATA (RFC 5464).

use crate::imap::MailboxName;
use bytes::Bytes;

/// `ACL`: who may do what in a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acl {
    /// The mailbox.
    pub mailbox: MailboxName,
    /// Identifier and rights of each.
    pub entries: Vec<(String, String)>,
}

/// `LISTRIGHTS`: what an identifier can be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRights {
    /// The mailbox.
    pub mailbox: MailboxName,
    /// Who.
    pub identifier: String,
    /// Rights that it always has.
    pub required: String,
    /// Rights that it can be given; those in one string only together.
    pub optional: Vec<String>,
}

/// `MYRIGHTS`: what the user may do in a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MyRights {
    /// The mailbox.
    pub mailbox: MailboxName,
    /// Letters, one a right.
    pub rights: String,
}

/// `QUOTA`: how much of a quota root is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The root's name, perhaps empty.
    pub root: String,
    /// Its resources.
    pub resources: Vec<QuotaResource>,
}

/// One resource of a [`Quota`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaResource {
    /// `STORAGE` (in units of 1,024 bytes), `MESSAGE`, `MAILBOX`, …
    pub name: String,
    /// How much is used.
    pub usage: u64,
    /// How much there is.
    pub limit: u64,
}

/// `QUOTAROOT`: which quota roots a mailbox is under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaRoot {
    /// The mailbox.
    pub mailbox: MailboxName,
    /// Their names.
    pub roots: Vec<String>,
}

/// `METADATA`: annotations of a mailbox, or with an empty name of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The mailbox.
    pub mailbox: MailboxName,
    /// Entry and value, `None` for one that there is not.
    pub entries: Vec<(String, Option<Bytes>)>,
    /// Entries that have changed, told without being asked and without their values.
    pub changed: Vec<String>,
}
