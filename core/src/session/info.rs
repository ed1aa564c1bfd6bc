//! What a server says of its mailboxes.

use crate::imap::{self, Role};

/// A mailbox as LIST describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailboxInfo {
    /// Decoded name, as the server has it.
    pub name: String,
    /// Delimiter of its hierarchy; `None` for a flat one.
    pub delimiter: Option<char>,
    /// Name in levels.
    pub path: Vec<String>,
    /// Special use, from the server or (see `role_guessed`) from the name.
    pub role: Option<Role>,
    /// Whether the role was guessed from a well-known name.
    pub role_guessed: bool,
    /// Whether it can be opened.
    pub selectable: bool,
    /// Whether it has children; `None` where the server does not say.
    pub has_children: Option<bool>,
    /// Whether it is subscribed; `None` where that was not asked.
    pub subscribed: Option<bool>,
    /// All attributes as the server wrote them.
    pub attributes: Vec<String>,
    /// Its status, where that was asked.
    pub status: Option<MailboxStatus>,
}

/// STATUS of a mailbox (RFC 9051 section 6.3.11). What a server does not tell is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailboxStatus {
    /// Number of messages.
    pub messages: Option<u64>,
    /// Number of messages without `\Seen`.
    pub unseen: Option<u64>,
    /// Number of messages with `\Deleted` (IMAP4rev2).
    pub deleted: Option<u64>,
    /// Next UID to be given out.
    pub uid_next: Option<u32>,
    /// UIDVALIDITY.
    pub uid_validity: Option<u32>,
    /// Total size in octets (STATUS=SIZE, RFC 8438).
    pub size: Option<u64>,
    /// Highest MODSEQ (CONDSTORE, RFC 7162), up to 63 bits.
    pub highest_mod_seq: Option<u64>,
    /// Largest message that APPEND takes, in octets (APPENDLIMIT, RFC 7889).
    pub append_limit: Option<u64>,
    /// Identifier that survives renames (OBJECTID, RFC 8474).
    pub mailbox_id: Option<String>,
}

/// NAMESPACE (RFC 2342).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespaces {
    /// One's own mailboxes.
    pub personal: Vec<Namespace>,
    /// Other users' mailboxes.
    pub other_users: Vec<Namespace>,
    /// Shared mailboxes.
    pub shared: Vec<Namespace>,
}

/// One namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    /// What names in it begin with, delimiter included.
    pub prefix: String,
    /// Its delimiter; `None` for a flat one.
    pub delimiter: Option<char>,
}

impl From<&imap::Namespace> for Namespace {
    fn from(namespace: &imap::Namespace) -> Self {
        Self { prefix: namespace.prefix.as_str().to_owned(), delimiter: namespace.delimiter }
    }
}

/// The answer to a raw command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawReply {
    /// Untagged responses, without their line ends; bytes that are no UTF-8 are replaced.
    pub untagged: Vec<String>,
    /// The text of the tagged OK, code included.
    pub text: String,
}
