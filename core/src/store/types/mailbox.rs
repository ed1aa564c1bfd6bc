//! Mailboxes: our own numbering, and the remote mailbox that one may mirror (decision 6).

use super::MailboxId;
use crate::imap::Role;

/// A mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxRow {
    /// Its id.
    pub id: MailboxId,
    /// Its name, decoded; unique among those that are not [`MailboxState::Gone`]. `INBOX` in capitals.
    pub name: String,
    /// What separates levels in the name.
    pub delimiter: Option<char>,
    /// What it is for.
    pub role: Option<Role>,
    /// Attributes of LIST, such as `\Noselect`.
    pub attributes: Vec<String>,
    /// Our UIDVALIDITY. It changes only when our own map is lost, never because the remote one did.
    pub uid_validity: u32,
    /// The UID that the next message gets.
    pub uid_next: u32,
    /// The largest MODSEQ that any change in this mailbox got (RFC 7162); at least 1.
    pub mod_seq: u64,
    /// Tombstones are complete above this MODSEQ: a client that comes with an older one asks for everything.
    pub tombstones_from: u64,
    /// How far it is.
    pub state: MailboxState,
    /// Why it is paused, for people; `None` unless [`MailboxState::Paused`].
    pub reason: Option<String>,
    /// The mailbox on the account's server; `None` for one of our own.
    pub remote: Option<RemoteMailbox>,
}

impl MailboxRow {
    /// MAILBOXID (RFC 8474): unique for ever, kept when it is renamed.
    #[must_use]
    pub fn object_id(&self) -> String {
        format!("F{}", self.id)
    }
}

/// What a new mailbox begins with. UIDNEXT and MODSEQ begin at 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMailbox {
    /// See [`MailboxRow::name`].
    pub name: String,
    /// See [`MailboxRow::delimiter`].
    pub delimiter: Option<char>,
    /// See [`MailboxRow::role`].
    pub role: Option<Role>,
    /// See [`MailboxRow::attributes`].
    pub attributes: Vec<String>,
    /// A lower bound for the UIDVALIDITY, usually seconds since 1970: the store takes a larger one where it must, so
    /// that a name that comes back never has an old UIDVALIDITY (RFC 9051 section 2.3.1.1).
    pub uid_validity: u32,
    /// See [`MailboxRow::state`].
    pub state: MailboxState,
    /// See [`MailboxRow::remote`].
    pub remote: Option<RemoteMailbox>,
}

/// The remote side of a mailbox, as both sides last agreed on it: the cursor of its rows.
///
/// The numbers move only in the transaction that holds the last row they cover (decision 4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteMailbox {
    /// The name as it travels (modified UTF-7, or whatever the server wrote).
    pub name: Vec<u8>,
    /// Its UIDVALIDITY; 0 before it was ever selected.
    pub uid_validity: u32,
    /// Every remote UID below this one has been reserved here; 0 where the server does not tell.
    pub uid_next: u32,
    /// Changes up to this HIGHESTMODSEQ are here; 0 for none (RFC 7162 section 3.1.2.2).
    pub highest_mod_seq: u64,
    /// A HIGHESTMODSEQ that was announced and brought nothing in the last pass: believed when it brings nothing again
    /// (Gmail raises it before the change can be seen); 0 for none.
    pub empty_mod_seq: u64,
    /// How many messages the server had then.
    pub exists: u32,
    /// Its MAILBOXID (RFC 8474).
    pub object_id: Option<String>,
    /// The cursor of bodies: all bodies of remote UIDs at or above this are here, as far as `keep` wants them; 0 for
    /// none yet.
    pub bodies_from: u32,
    /// When all its flags and UIDs were last compared, in seconds since 1970; 0 for never.
    pub audited: i64,
    /// How often its UIDVALIDITY has changed on the day of `resets_day`.
    pub resets: u32,
    /// The day of `resets`, in days since 1970.
    pub resets_day: i64,
    /// UIDs that were missing in the last full list but are not proven deleted yet, as a set; empty for none.
    pub suspects: String,
    /// How many listings in a row did not name it.
    pub unlisted: u32,
}

/// How far a mailbox is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MailboxState {
    /// Known by name only.
    Fresh,
    /// UIDs are reserved, headers are still coming; our server answers SELECT with `NO [UNAVAILABLE]`.
    Reserved,
    /// Every header is here.
    Ready,
    /// Something is wrong on the other side (a mass disappearance, a UIDVALIDITY that will not stay): nothing is taken
    /// away until it is looked at. Readable.
    Paused,
    /// Deleted. The row stays, so that its id, name and UIDVALIDITY are never given again.
    Gone,
}

impl MailboxState {
    /// Every state.
    pub const ALL: &'static [Self] = &[Self::Fresh, Self::Reserved, Self::Ready, Self::Paused, Self::Gone];

    /// `fresh`, `reserved`, `ready`, `paused`, `gone`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Reserved => "reserved",
            Self::Ready => "ready",
            Self::Paused => "paused",
            Self::Gone => "gone",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.as_str() == name)
    }
}

/// How many visible messages a mailbox holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All.
    pub messages: u64,
    /// Those without `\Seen`.
    pub unseen: u64,
    /// Those with `\Deleted`.
    pub deleted: u64,
    /// Their sizes together, in bytes (STATUS=SIZE, RFC 8438).
    pub size: u64,
    /// UIDs reserved whose header is not here yet; not in `messages`.
    pub reserved: u64,
}
