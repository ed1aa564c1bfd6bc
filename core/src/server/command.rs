//! Commands as values (RFC 9051 section 6 and the extensions that are offered).

use super::numbers::Numbers;
use crate::imap::command::StatusItem;
use crate::imap::{Flag, InternalDate, Role};
use crate::secret::Secret;
use crate::store::Flags;
use bytes::Bytes;
use jiff::civil::Date;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Command {
    Capability,
    Noop,
    StartTls,
    Logout,
    Id,
    Login { user: String, password: Secret },
    Authenticate { mechanism: String, initial: Option<Bytes> },
    Enable(Vec<String>),
    Namespace,
    List(List),
    Lsub { reference: String, pattern: String },
    Subscribe(String),
    Unsubscribe(String),
    Create { name: String, role: Option<Role> },
    Delete(String),
    Rename { from: String, to: String },
    Status { name: String, items: Vec<StatusItem> },
    Select(Select),
    Close,
    Unselect,
    Check,
    Expunge(Option<Numbers>),
    Fetch(Fetch),
    Store(Store),
    Search(Search),
    Sort(Search, Vec<SortKey>),
    Thread(Search, Algorithm),
    Copy(Copy),
    Move(Copy),
    Append { name: String, messages: Vec<NewMail> },
    Idle,
}

/// LIST, with what RFC 5258 adds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct List {
    pub reference: String,
    pub patterns: Vec<String>,
    /// Whether it is an extended one: then even an empty pattern matches names only.
    pub extended: bool,
    pub subscribed: bool,
    pub recursive: bool,
    pub special_use: bool,
    pub return_subscribed: bool,
    pub status: Vec<StatusItem>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Select {
    pub name: String,
    pub read_only: bool,
    pub condstore: bool,
    pub qresync: Option<Qresync>,
}

/// What a client knows of a mailbox (RFC 7162 section 3.2.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Qresync {
    pub uid_validity: u32,
    pub mod_seq: u64,
    pub known: Option<Numbers>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fetch {
    pub uid: bool,
    pub set: Numbers,
    pub items: Vec<FetchItem>,
    pub changed_since: Option<u64>,
    pub vanished: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FetchItem {
    Flags,
    Uid,
    InternalDate,
    Size,
    Envelope,
    BodyStructure,
    Body,
    ModSeq,
    EmailId,
    ThreadId,
    SaveDate,
    /// Whether the client would rather have none than wait.
    Preview {
        lazy: bool,
    },
    Section(SectionItem),
}

/// `BODY[…]`, `BINARY[…]`, `BINARY.SIZE[…]`, `RFC822…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SectionItem {
    /// The name that the answer carries, without a place in it: `BODY[HEADER]`.
    pub label: String,
    pub path: Vec<u32>,
    pub kind: SectionKind,
    /// First byte and number of bytes.
    pub partial: Option<(u32, u32)>,
    /// Whether it leaves `\Seen` alone.
    pub peek: bool,
}

impl SectionItem {
    /// Whether it is read as it is stored, and no message is taken apart for it.
    pub(super) fn is_quick(&self) -> bool {
        self.path.is_empty() && self.kind == SectionKind::Content || self.is_of_header()
    }

    /// Whether the header of the message says all of it.
    pub(super) fn is_of_header(&self) -> bool {
        self.path.is_empty() && matches!(self.kind, SectionKind::Header | SectionKind::Fields(..))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SectionKind {
    Content,
    Header,
    /// Names of fields, and whether these are wanted or the others.
    Fields(Vec<String>, bool),
    Text,
    Mime,
    /// Transfer encoding taken off (RFC 3516).
    Binary,
    BinarySize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Store {
    pub uid: bool,
    pub set: Numbers,
    pub unchanged_since: Option<u64>,
    pub how: StoreHow,
    pub silent: bool,
    pub flags: Flags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StoreHow {
    Add,
    Remove,
    Replace,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Copy {
    pub uid: bool,
    pub set: Numbers,
    pub to: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Search {
    pub uid: bool,
    /// What RETURN asks for; `None` without it.
    pub wanted: Option<Wanted>,
    pub key: Key,
}

/// RETURN (RFC 4731, RFC 5182).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub min: bool,
    pub max: bool,
    pub all: bool,
    pub count: bool,
    pub save: bool,
}

/// A search program (RFC 9051 section 6.4.4).
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Key {
    All,
    /// RECENT and NEW: nothing is recent here.
    None,
    Seq(Numbers),
    Uid(Numbers),
    Flag(Flag, bool),
    /// A header field of that name holds that text; every message with the field where the text is empty.
    Header(String, String),
    Body(String),
    Text(String),
    Larger(u64),
    Smaller(u64),
    Day(Clock, When, Date),
    /// Within so many seconds, or longer ago (RFC 5032).
    Younger(u64),
    Older(u64),
    ModSeq(u64),
    EmailId(String),
    ThreadId(String),
    Not(Box<Key>),
    Or(Box<Key>, Box<Key>),
    And(Vec<Key>),
}

/// Which date of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    Received,
    Sent,
    Saved,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Before,
    On,
    Since,
}

/// A criterion of SORT, and whether it is reversed (RFC 5256).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SortKey {
    pub by: SortBy,
    pub reverse: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SortBy {
    Arrival,
    Cc,
    Date,
    From,
    Size,
    Subject,
    To,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    OrderedSubject,
    References,
}

/// A message of APPEND.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NewMail {
    pub flags: Flags,
    pub date: Option<InternalDate>,
    pub body: Mail,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mail {
    Here(Bytes),
    /// It came apart from the command: the next of those.
    Apart,
}
