//! Response codes: the machine-readable part of a status (RFC 9051 section 7.1, and the IANA registry).

use crate::imap::{Capabilities, Flag, UidList, UidSet};
use std::fmt;

/// What stands in brackets before the text of a status.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseCode {
    /// The text must be shown to a person.
    Alert,
    /// The server does not know the charset; those it knows.
    BadCharset(Vec<String>),
    /// What the server can do.
    Capability(Capabilities),
    /// A message's header could not be parsed.
    Parse,
    /// Flags that can be changed for good. [`Flag::ANY`] means that new keywords can be made.
    PermanentFlags(Vec<Flag>),
    /// The mailbox cannot be written to.
    ReadOnly,
    /// The mailbox can be written to.
    ReadWrite,
    /// The target is missing and could be made.
    TryCreate,
    /// The UID that the next message will have, at least.
    UidNext(u32),
    /// The mailbox's UIDVALIDITY.
    UidValidity(u32),
    /// Sequence number of the first unseen message.
    Unseen(u32),
    /// Where APPEND has put it (RFC 4315).
    AppendUid {
        /// UIDVALIDITY of the mailbox.
        validity: u32,
        /// The UIDs, in the order of the messages.
        uids: UidList,
    },
    /// Where COPY or MOVE has put them (RFC 4315). Both lists are empty where nothing was there to copy.
    CopyUid {
        /// UIDVALIDITY of the target.
        validity: u32,
        /// The UIDs of the originals.
        source: UidList,
        /// The UIDs of the copies, in the same order.
        target: UidList,
    },
    /// The mailbox forgets its UIDs.
    UidNotSticky,
    /// The mailbox's highest MODSEQ (RFC 7162); 0, which is none, where a server sends that.
    HighestModSeq(u64),
    /// The mailbox has no MODSEQs.
    NoModSeq,
    /// What a conditional STORE has left alone (UIDs or sequence numbers).
    Modified(UidSet),
    /// The mailbox selected before is closed: what follows is of the new one.
    Closed,
    /// In trouble for now (RFC 5530, as all to `NonExistent`).
    Unavailable,
    /// User name or password are wrong.
    AuthenticationFailed,
    /// The user may not act for the identity asked for.
    AuthorizationFailed,
    /// The password has expired.
    Expired,
    /// TLS is needed first.
    PrivacyRequired,
    /// Somebody must talk to the administrator.
    ContactAdmin,
    /// Not permitted.
    NoPerm,
    /// The mailbox is in use.
    InUse,
    /// Somebody else has expunged what was asked for.
    ExpungeIssued,
    /// The server's data are damaged.
    Corruption,
    /// A fault of the server.
    ServerBug,
    /// A fault of the client.
    ClientBug,
    /// Never possible.
    Cannot,
    /// A limit of the server.
    Limit,
    /// No room.
    OverQuota,
    /// There already.
    AlreadyExists,
    /// Not there.
    NonExistent,
    /// The result of SEARCH was not saved (RFC 5182).
    NotSaved,
    /// The mailbox has children (RFC 9051).
    HasChildren,
    /// Unknown transfer encoding (RFC 3516).
    UnknownCte,
    /// The message is too big (RFC 7889 section 5.1 and RFC 4469).
    TooBig,
    /// The mailbox's id (RFC 8474).
    MailboxId(String),
    /// No more messages than this at once (RFC 9738), and the UID up to which it was done.
    MessageLimit {
        /// How many.
        count: u32,
        /// The lowest UID that was processed.
        uid: Option<u32>,
    },
    /// The server tells no more unasked: too much has happened (NOTIFY, RFC 5465).
    NotificationOverflow,
    /// The server does not know an event asked for with NOTIFY; those it knows.
    BadEvent(Vec<String>),
    /// Sequence numbers cannot be used any more (UIDONLY, RFC 9586).
    UidRequired,
    /// Compressed already (RFC 4978).
    CompressionActive,
    /// The special use cannot be given (RFC 6154).
    UseAttr,
    /// The command is still at work (RFC 9585).
    InProgress {
        /// Its tag.
        tag: Option<String>,
        /// How much is done.
        done: Option<u64>,
        /// Of how much.
        total: Option<u64>,
    },
    /// Fewer or slower requests, please (Gmail).
    Throttled,
    /// Any other, or one of these whose arguments make no sense: name in capitals, and the rest as it stands.
    Other(String, String),
}

impl ResponseCode {
    /// Its name in capitals, such as `TRYCREATE`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Alert => "ALERT",
            Self::BadCharset(_) => "BADCHARSET",
            Self::Capability(_) => "CAPABILITY",
            Self::PermanentFlags(_) => "PERMANENTFLAGS",
            Self::UidNext(_) => "UIDNEXT",
            Self::UidValidity(_) => "UIDVALIDITY",
            Self::Unseen(_) => "UNSEEN",
            Self::AppendUid { .. } => "APPENDUID",
            Self::CopyUid { .. } => "COPYUID",
            Self::HighestModSeq(_) => "HIGHESTMODSEQ",
            Self::Modified(_) => "MODIFIED",
            Self::MailboxId(_) => "MAILBOXID",
            Self::MessageLimit { .. } => "MESSAGELIMIT",
            Self::BadEvent(_) => "BADEVENT",
            Self::InProgress { .. } => "INPROGRESS",
            Self::Other(name, _) => name,
            plain => Self::PLAIN.iter().find(|(_, code)| code == plain).map_or("", |(name, _)| *name),
        }
    }

    /// The codes that take no arguments.
    pub(in crate::imap) const PLAIN: &'static [(&'static str, ResponseCode)] = &[
        ("ALERT", Self::Alert),
        ("PARSE", Self::Parse),
        ("READ-ONLY", Self::ReadOnly),
        ("READ-WRITE", Self::ReadWrite),
        ("TRYCREATE", Self::TryCreate),
        ("UIDNOTSTICKY", Self::UidNotSticky),
        ("NOMODSEQ", Self::NoModSeq),
        ("CLOSED", Self::Closed),
        ("UNAVAILABLE", Self::Unavailable),
        ("AUTHENTICATIONFAILED", Self::AuthenticationFailed),
        ("AUTHORIZATIONFAILED", Self::AuthorizationFailed),
        ("EXPIRED", Self::Expired),
        ("PRIVACYREQUIRED", Self::PrivacyRequired),
        ("CONTACTADMIN", Self::ContactAdmin),
        ("NOPERM", Self::NoPerm),
        ("INUSE", Self::InUse),
        ("EXPUNGEISSUED", Self::ExpungeIssued),
        ("CORRUPTION", Self::Corruption),
        ("SERVERBUG", Self::ServerBug),
        ("CLIENTBUG", Self::ClientBug),
        ("CANNOT", Self::Cannot),
        ("LIMIT", Self::Limit),
        ("OVERQUOTA", Self::OverQuota),
        ("ALREADYEXISTS", Self::AlreadyExists),
        ("NONEXISTENT", Self::NonExistent),
        ("NOTSAVED", Self::NotSaved),
        ("HASCHILDREN", Self::HasChildren),
        ("UNKNOWN-CTE", Self::UnknownCte),
        ("TOOBIG", Self::TooBig),
        ("NOTIFICATIONOVERFLOW", Self::NotificationOverflow),
        ("UIDREQUIRED", Self::UidRequired),
        ("COMPRESSIONACTIVE", Self::CompressionActive),
        ("USEATTR", Self::UseAttr),
        ("THROTTLED", Self::Throttled),
    ];
}

impl fmt::Display for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
