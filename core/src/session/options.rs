//! Options of the calls, one struct each; `Default` is what a call without options does.

use crate::imap::{Flag, InternalDate, Role};
use std::fmt;
use std::sync::Arc;

/// How far a long call has come. Reported at most ten times a second, and at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done: `search`, `fetch`, `append`, `save`, …
    pub phase: &'static str,
    /// Messages (or bytes, for one body) done.
    pub done: u64,
    /// Of how many, where that is known.
    pub total: Option<u64>,
    /// Bytes that have crossed the network for this call.
    pub bytes: u64,
}

/// A callback for [`Progress`].
#[derive(Clone)]
pub struct OnProgress(pub Arc<dyn Fn(Progress) + Send + Sync>);

impl fmt::Debug for OnProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnProgress")
    }
}

/// What to load ahead with each message of a fetch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// The plain text, from the part that holds it.
    pub text: bool,
    /// The HTML text.
    pub html: bool,
    /// The whole header.
    pub headers: bool,
    /// The whole message.
    pub raw: bool,
}

/// Which properties of a message to ask the server for. `uid` always comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// `flags`.
    pub flags: bool,
    /// `received` (INTERNALDATE).
    pub received: bool,
    /// `size` (RFC822.SIZE).
    pub size: bool,
    /// `date subject from sender reply_to to cc bcc in_reply_to message_id` (ENVELOPE).
    pub envelope: bool,
    /// `attachments`, and where the text is (BODYSTRUCTURE).
    pub structure: bool,
    /// `thread` (THREADID, X-GM-THRID), where the server has it.
    pub thread: bool,
}

impl Columns {
    /// No property but `uid`.
    pub const NONE: Self =
        Self { flags: false, received: false, size: false, envelope: false, structure: false, thread: false };
}

impl Default for Columns {
    fn default() -> Self {
        Self { flags: true, received: true, size: true, envelope: true, structure: true, thread: true }
    }
}

/// In which order messages come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By ascending UID.
    #[default]
    Oldest,
    /// By descending UID.
    Newest,
}

/// Options of [`Mailbox::fetch`](super::Mailbox::fetch).
#[derive(Clone, Debug, Default)]
pub struct FetchOptions {
    /// What to load ahead.
    pub parts: Parts,
    /// Which properties to ask for.
    pub columns: Columns,
    /// At most this many messages.
    pub limit: Option<u64>,
    /// In which order.
    pub order: Order,
    /// Let the engine match words itself where the server might match them otherwise.
    pub exact: bool,
    /// IANA name of the time zone that `after:`, `before:` and `on:` mean; the system's unless given.
    pub time_zone: Option<String>,
    /// Called as messages arrive.
    pub on_progress: Option<OnProgress>,
}

/// Options of the writes: flag, move, copy, delete, expunge.
#[derive(Clone, Debug, Default)]
pub struct WriteOptions {
    /// Refuse beforehand when the selection holds more messages than this.
    pub limit: Option<u64>,
    /// Return a result with failures instead of [`Code::BulkPartial`](crate::Code::BulkPartial).
    pub partial: bool,
    /// Create the target mailbox if it is missing.
    pub create: bool,
    /// Time zone for a query; see [`FetchOptions::time_zone`].
    pub time_zone: Option<String>,
}

/// What to do with flags: `set` replaces all and goes without the others; else `remove` happens, then `add`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlagChange {
    /// Flags to add.
    pub add: Vec<Flag>,
    /// Flags to take away.
    pub remove: Vec<Flag>,
    /// Flags to replace all others with.
    pub set: Option<Vec<Flag>>,
}

/// Options of [`Mailbox::append`](super::Mailbox::append).
#[derive(Clone, Debug, Default)]
pub struct AppendOptions {
    /// Flags of the new message.
    pub flags: Vec<Flag>,
    /// INTERNALDATE of the new message; the server's clock unless given.
    pub received: Option<InternalDate>,
    /// Create the mailbox if it is missing.
    pub create: bool,
    /// Called as bytes are sent.
    pub on_progress: Option<OnProgress>,
}

/// Options of [`Session::mailboxes`](super::Session::mailboxes).
#[derive(Clone, Debug, Default)]
pub struct ListOptions {
    /// Only mailboxes whose names fit this pattern (`*` and `%`, RFC 9051 section 6.3.9).
    pub pattern: Option<String>,
    /// Only subscribed ones.
    pub subscribed: bool,
    /// Ask for the status of each as well: one round trip where the server can (LIST-STATUS, RFC 5819).
    pub status: bool,
}

/// Options of [`Session::create_mailbox`](super::Session::create_mailbox).
#[derive(Clone, Debug, Default)]
pub struct CreateOptions {
    /// Special use of the new mailbox (CREATE-SPECIAL-USE, RFC 6154).
    pub role: Option<Role>,
    /// Do not mind if it is there already.
    pub exist_ok: bool,
}

/// One redacted line of the protocol, for [`EngineOptions::logger`](super::EngineOptions::logger).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Number of the connection within its engine.
    pub connection: u64,
    /// Whether we sent it.
    pub sent: bool,
    /// The line. Credentials and literals are replaced by their length.
    pub text: String,
}
