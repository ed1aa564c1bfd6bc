//! What a server says (RFC 9051 section 7), read by [`parse_response`](super::parse_response).

mod admin;
mod code;
mod data;

pub use admin::{Acl, ListRights, Metadata, MyRights, Quota, QuotaResource, QuotaRoot};
pub use code::ResponseCode;
pub use data::{Esearch, ListRow, MailboxStatus, Namespace, Namespaces, StatusItems, ThreadNode};

use super::{Capabilities, FetchRow, Flag, UidSet};
use crate::wire::Value;
use bytes::Bytes;

/// One response.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Response {
    /// The end of the command with this tag.
    Tagged {
        /// The command's tag.
        tag: Bytes,
        /// How it went.
        status: Status,
        /// The response code.
        code: Option<ResponseCode>,
        /// The server's words.
        text: String,
    },
    /// An untagged status: a greeting, a notice, a farewell.
    Status {
        /// Which.
        kind: StatusKind,
        /// The response code.
        code: Option<ResponseCode>,
        /// The server's words.
        text: String,
    },
    /// `+`: the server waits for more of the command.
    Continue {
        /// The response code.
        code: Option<ResponseCode>,
        /// The server's words, without the code.
        text: String,
        /// All after the `+` as it came: the challenge of a SASL exchange, still in base64.
        raw: Bytes,
    },
    /// Data, asked for or not.
    Data(Untagged),
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Done.
    Ok,
    /// Understood and not done.
    No,
    /// Not understood, or a fault of the server.
    Bad,
}

/// The kind of an untagged status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatusKind {
    /// A notice, or the greeting of a server that waits for a login.
    Ok,
    /// A warning.
    No,
    /// A complaint that belongs to no command, or whose command the server could not tell.
    Bad,
    /// The server closes the connection.
    Bye,
    /// The greeting of a server for whom the client is logged in already.
    Preauth,
}

/// Data that a server sends.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Untagged {
    /// `CAPABILITY`.
    Capability(Capabilities),
    /// `ENABLED` (RFC 5161), upper-cased.
    Enabled(Vec<String>),
    /// `LIST`, or Gmail's older `XLIST`.
    List(ListRow),
    /// `LSUB`.
    Lsub(ListRow),
    /// `STATUS` of a mailbox.
    Status(MailboxStatus),
    /// `FLAGS`: the flags in use in the mailbox.
    Flags(Vec<Flag>),
    /// `SEARCH`.
    Search {
        /// UIDs or sequence numbers, as was asked.
        ids: UidSet,
        /// The highest MODSEQ of the messages found (RFC 7162).
        mod_seq: Option<u64>,
    },
    /// `ESEARCH` (RFC 4731).
    Esearch(Esearch),
    /// `SORT` (RFC 5256): UIDs or sequence numbers in order.
    Sort(Vec<u32>),
    /// `THREAD` (RFC 5256): the trees, flattened in reading order.
    Thread(Vec<ThreadNode>),
    /// `EXISTS`: how many messages the mailbox holds.
    Exists(u32),
    /// `RECENT`.
    Recent(u32),
    /// `EXPUNGE`: the message with this sequence number is gone, and all later ones move down by one.
    Expunge(u32),
    /// `VANISHED` (RFC 7162).
    Vanished {
        /// Whether they were gone before; then no sequence number changes.
        earlier: bool,
        /// UIDs, some of which may never have been there.
        uids: UidSet,
    },
    /// `FETCH`.
    Fetch(Box<FetchRow>),
    /// `NAMESPACE` (RFC 2342).
    Namespace(Namespaces),
    /// `ID` (RFC 2971): what the server says about itself; empty for `NIL`.
    Id(Vec<(String, Option<String>)>),
    /// `ACL`.
    Acl(Acl),
    /// `LISTRIGHTS`.
    ListRights(ListRights),
    /// `MYRIGHTS`.
    MyRights(MyRights),
    /// `QUOTA`.
    Quota(Quota),
    /// `QUOTAROOT`.
    QuotaRoot(QuotaRoot),
    /// `METADATA`.
    Metadata(Metadata),
    /// What has no type here: its name, and the values after it (a number before the name comes first).
    Other {
        /// As the server wrote it.
        name: Bytes,
        /// The rest of the line.
        values: Vec<Value>,
    },
}
