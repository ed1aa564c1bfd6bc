//! Everything about a store that is not mail: whose it is, who may use it, what it keeps, what it takes.

use super::{MailboxId, UserId};
use std::fmt;

/// A moment, given by the caller: nothing in a store's rules asks a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now(i64);

impl Now {
    /// The moment of that many milliseconds since 1970.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The moment of that many seconds since 1970.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Seconds since 1970.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// A UIDVALIDITY that is larger than those of earlier moments, until 2106.
    #[must_use]
    pub fn uid_validity(self) -> u32 {
        u32::try_from(self.seconds()).unwrap_or(1).max(1)
    }
}

/// What tells one store from every other, made at random when it was.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoreId(pub String);

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The account that a store mirrors. Never holds a password or token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its address, such as `ada@example.org`.
    pub address: String,
    /// How to reach it, as JSON of whoever reaches it.
    pub settings: String,
    /// The account's own id on its server or other proof that it is the same one: a mirror is never brought in step
    /// with another account's mail.
    pub identity: Option<String>,
}

/// Somebody who may log in to our server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The name to log in with.
    pub name: String,
    /// What a password is checked against; `None` for one who cannot log in.
    pub verifier: Option<Verifier>,
    /// Whether logging in is refused for now.
    pub disabled: bool,
}

/// A password that a user has made for one program, and can take away from it alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPassword {
    /// Whose it is.
    pub user: UserId,
    /// What for, such as `phone`; no two of a user have the same.
    pub label: String,
    /// When it was made, in seconds since 1970.
    pub created: i64,
    /// What it is checked against.
    pub verifier: Verifier,
}

/// What SCRAM keeps instead of a password (RFC 5802 section 3): useless for logging in elsewhere, but still worth
/// guessing at, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    /// Such as `SCRAM-SHA-256`.
    pub mechanism: String,
    /// Rounds of PBKDF2.
    pub iterations: u32,
    /// The salt.
    pub salt: Vec<u8>,
    /// StoredKey.
    pub stored_key: Vec<u8>,
    /// ServerKey.
    pub server_key: Vec<u8>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

/// What a user may do with a mailbox (RFC 4314).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// The user, `anyone`, or one of them with `-` before it.
    pub identifier: String,
    /// Letters of RFC 4314 section 2.1.
    pub rights: String,
}

/// A piece of metadata (RFC 5464).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The mailbox; `None` for the server.
    pub mailbox: Option<MailboxId>,
    /// Whose it is, under `/private`; `None` for `/shared`.
    pub user: Option<UserId>,
    /// Such as `/private/comment`, in lower case.
    pub entry: String,
    /// The value.
    pub value: Vec<u8>,
}

/// How much of a message is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Keep {
    /// Header, ENVELOPE, BODYSTRUCTURE, flags.
    Headers,
    /// That, and messages that are hardly more than text: up to 256 KiB, unless [`KeepRule::largest`] says otherwise. A
    /// message is held whole or not at all.
    Text,
    /// All.
    All,
}

impl Keep {
    /// `headers`, `text`, `all`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Headers => "headers",
            Self::Text => "text",
            Self::All => "all",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Headers, Self::Text, Self::All].into_iter().find(|keep| keep.as_str() == name)
    }
}

/// What is kept of a mailbox, or of all without a rule of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepRule {
    /// How much.
    pub keep: Keep,
    /// Bodies only of messages not older than this, in days.
    pub days: Option<u32>,
    /// Bodies only of messages up to this size, in bytes.
    pub largest: Option<u64>,
}

impl KeepRule {
    /// Whether the body of a message of that size (in bytes) and INTERNALDATE (in seconds since 1970) is kept.
    #[must_use]
    pub fn wants(&self, size: u64, date: i64, now: Now) -> bool {
        let largest = match self.keep {
            Keep::Headers => return false,
            Keep::Text => self.largest.unwrap_or(256 << 10),
            Keep::All => self.largest.unwrap_or(u64::MAX),
        };
        let oldest = self.days.map_or(i64::MIN, |days| now.seconds().saturating_sub(i64::from(days) * 86_400));
        size <= largest && date >= oldest
    }
}

impl Default for KeepRule {
    fn default() -> Self {
        Self { keep: Keep::All, days: None, largest: None }
    }
}

/// A fenced lease: who holds it may sync; whoever held it before can no longer write (see `store::lease`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What is leased, such as `sync`.
    pub name: String,
    /// Who holds it, for people.
    pub holder: String,
    /// Grows with every change of hands; a write under an older number is refused.
    pub fence: u64,
    /// When it was taken or renewed, in milliseconds since 1970.
    pub renewed: i64,
    /// How long it lasts from then, in milliseconds.
    pub ttl: i64,
}

/// What a store takes, in bytes unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The file, with what is free in it.
    pub file: u64,
    /// Free pages in the file.
    pub free: u64,
    /// The write-ahead log beside it.
    pub log: u64,
    /// Visible placements, a number.
    pub messages: u64,
    /// Contents that are here, a number.
    pub bodies: u64,
    /// What these contents take.
    pub bodies_stored: u64,
    /// What they are as messages.
    pub bodies_size: u64,
    /// Contents of deleted messages that are still restorable, a number.
    pub restorable: u64,
}
