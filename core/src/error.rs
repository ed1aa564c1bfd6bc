//! The one error type: what went wrong, whether trying again helps, and what a person needs to act.

use crate::bulk::BulkResult;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// `Result` with a [`MailError`].
pub type Result<T, E = MailError> = std::result::Result<T, E>;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $retry:ident;)*) => {
        /// What went wrong, as the same string in every language ([`Code::as_str`]).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name),* }

        impl Code {
            /// Every code, for tests and documentation.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// The stable string, such as `auth.rejected`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text),* }
            }

            /// The usual advice for this code; an error may carry better.
            const fn retry(self) -> Retry {
                match self { $(Code::$name => Retry::$retry()),* }
            }
        }
    };
}

codes! {
    /// The server refused the user name, password or token.
    AuthRejected = "auth.rejected", ask_user;
    /// The token is no longer valid and no callback gave a newer one.
    AuthTokenExpired = "auth.token_expired", ask_user;
    /// Nothing that the server offers fits the credentials given.
    AuthNoMechanism = "auth.no_mechanism", never;
    /// No password or token was given, or the callback for one failed.
    AuthMissing = "auth.missing", ask_user;
    /// The server answered `NO`: it understood and will not do it.
    ServerRefused = "server.refused", never;
    /// The server answered `BAD`: it did not understand, or says so.
    ServerBad = "server.bad", never;
    /// The server said `BYE` and closes the connection.
    ServerBye = "server.bye", reconnect;
    /// The server asks for fewer or slower requests.
    ServerThrottled = "server.throttled", later;
    /// The server is in trouble for now (`[UNAVAILABLE]`, `[INUSE]`, `[SERVERBUG]`).
    ServerUnavailable = "server.unavailable", later;
    /// The server lacks the extension that this needs, and there is no safe substitute.
    ServerUnsupported = "server.unsupported", never;
    /// What the server sent is not IMAP.
    ServerProtocol = "server.protocol", reconnect;
    /// The mailbox is over its quota.
    ServerOverQuota = "server.over_quota", ask_user;
    /// The connection was lost.
    NetLost = "net.lost", reconnect;
    /// No connection could be made.
    NetConnect = "net.connect", reconnect;
    /// The name of the server could not be resolved.
    NetDns = "net.dns", reconnect;
    /// Nothing happened for too long.
    NetTimeout = "net.timeout", reconnect;
    /// TLS failed: certificate, name, or protocol.
    NetTls = "net.tls", ask_user;
    /// Somebody between us and the server answers in its place, or strips TLS.
    NetTampered = "net.tampered", ask_user;
    /// There is no such mailbox.
    MailboxMissing = "mailbox.missing", never;
    /// A mailbox of that name is there already.
    MailboxExists = "mailbox.exists", never;
    /// The mailbox still holds messages or children.
    MailboxNotEmpty = "mailbox.not_empty", never;
    /// The UIDVALIDITY has changed: numbers kept from before mean nothing now.
    MailboxReset = "mailbox.reset", never;
    /// The mailbox cannot be written to.
    MailboxReadOnly = "mailbox.read_only", never;
    /// The message is no longer there.
    MessageMissing = "message.missing", never;
    /// The message cannot be parsed; its raw bytes are still to be had.
    MessageMalformed = "message.malformed", never;
    /// Some of many were not done; the error carries which.
    BulkPartial = "bulk.partial", never;
    /// A bound of [`Limits`](crate::Limits) was exceeded.
    LimitExceeded = "limit.exceeded", never;
    /// The query is not of the language.
    QuerySyntax = "query.syntax", never;
    /// What was given as a selection is none.
    UsageSelection = "usage.selection", never;
    /// What was given as a flag is none.
    UsageFlag = "usage.flag", never;
    /// An argument is not of the kind or range that is needed.
    UsageArgument = "usage.argument", never;
    /// A write was asked of a session opened read-only.
    UsageReadOnly = "usage.read_only", never;
    /// The session, watch or engine was closed, or was made before a fork.
    UsageClosed = "usage.closed", never;
    /// The address or URL of an account cannot be used.
    UsageAddress = "usage.address", never;
    /// The disk is full, or the quota of its user.
    StoreFull = "store.full", ask_user;
    /// The store's file, or the disk it is on, cannot be written to.
    StoreReadOnly = "store.read_only", ask_user;
    /// The disk failed while the store was read or written.
    StoreIo = "store.io", ask_user;
    /// What is in the store's file is not what was written there; see `repair`.
    StoreDamaged = "store.damaged", ask_user;
    /// Somebody else has been writing to the store for too long.
    StoreLocked = "store.locked", later;
    /// The store was written by a newer version of this library.
    StoreNewer = "store.newer", never;
    /// Somebody else has taken over the lease under which this was written.
    StoreLeaseLost = "store.lease_lost", later;
    /// The change feed no longer reaches back to this cursor, or the cursor is another store's: read everything anew.
    CursorExpired = "cursor.expired", never;
    /// The body of this message is not held here.
    BodyNotHere = "body.not_here", reconnect;
    /// The operation was cancelled.
    Cancelled = "cancelled", never;
    /// A file could not be read or written.
    FileIo = "file.io", never;
    /// A fault of this library; please report it.
    Internal = "internal", never;
}

/// Whether and how trying again may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same call will fail again.
    Never,
    /// Try again, after the delay that the server asked for where it named one.
    Later(Option<Duration>),
    /// Try again on a new connection.
    Reconnect,
    /// Somebody has to do something first: a new password, room in the mailbox, a certificate.
    AskUser,
}

impl Retry {
    const fn never() -> Self {
        Self::Never
    }

    const fn later() -> Self {
        Self::Later(None)
    }

    const fn reconnect() -> Self {
        Self::Reconnect
    }

    const fn ask_user() -> Self {
        Self::AskUser
    }

    /// `never`, `later`, `reconnect` or `ask_user`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Later(_) => "later",
            Self::Reconnect => "reconnect",
            Self::AskUser => "ask_user",
        }
    }
}

/// Where it happened. Never holds a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Context {
    /// The server's name.
    pub host: Option<String>,
    /// The mailbox, decoded.
    pub mailbox: Option<String>,
    /// The message.
    pub uid: Option<u32>,
    /// The command's name, such as `UID FETCH`.
    pub command: Option<String>,
    /// The server's own text.
    pub server: Option<String>,
    /// The response code that the server gave, such as `TRYCREATE`.
    pub server_code: Option<String>,
    /// Where in the input, in characters from 0.
    pub position: Option<usize>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// An error of this library.
///
/// Cheap to clone, since one lost connection fails every command that waits on it.
#[derive(Clone)]
pub struct MailError(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    code: Code,
    retry: Retry,
    message: String,
    context: Context,
    bulk: Option<BulkResult>,
}

impl MailError {
    /// An error with the usual advice for its code.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            code,
            retry: code.retry(),
            message: message.into(),
            context: Context::default(),
            bulk: None,
        }))
    }

    /// A write that was done in part; see [`MailError::bulk`].
    #[must_use]
    pub fn partial(result: BulkResult) -> Self {
        let (failed, unknown) = (result.failed.len(), result.unknown.len());
        let message = format!("{} done, {failed} failed, {unknown} unknown", result.done.len());
        Self::new(Code::BulkPartial, message).edit(|inner| inner.bulk = Some(result))
    }

    /// What went wrong.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Whether trying again may help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// One sentence for a person, without the context.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it happened.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.0.context
    }

    /// What a write has done before it failed, for [`Code::BulkPartial`].
    #[must_use]
    pub fn bulk(&self) -> Option<&BulkResult> {
        self.0.bulk.as_ref()
    }

    /// The same error with other advice.
    #[must_use]
    pub fn with_retry(self, retry: Retry) -> Self {
        self.edit(|inner| inner.retry = retry)
    }

    /// The same error with more context.
    #[must_use]
    pub fn with(self, set: impl FnOnce(&mut Context)) -> Self {
        self.edit(|inner| set(&mut inner.context))
    }

    /// The same error with a hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        self.with(|context| context.hint = Some(hint.into()))
    }

    /// The same error at a place in the input.
    #[must_use]
    pub fn at(self, position: usize) -> Self {
        self.with(|context| context.position = Some(position))
    }

    /// The same error in a mailbox.
    #[must_use]
    pub fn in_mailbox(self, name: &str) -> Self {
        self.with(|context| context.mailbox = Some(name.to_owned()))
    }

    fn edit(mut self, set: impl FnOnce(&mut Inner)) -> Self {
        set(Arc::make_mut(&mut self.0));
        self
    }
}

impl fmt::Display for MailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let context = self.context();
        f.write_str(self.message())?;
        if let Some(position) = context.position {
            write!(f, " at position {position}")?;
        }
        if let Some(mailbox) = &context.mailbox {
            write!(f, " (mailbox {mailbox:?})")?;
        }
        if let Some(server) = &context.server {
            write!(f, ": {server}")?;
        }
        if let Some(hint) = &context.hint {
            write!(f, ". {hint}")?;
        }
        write!(f, " [{}]", self.code().as_str())
    }
}

impl fmt::Debug for MailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailError")
            .field("code", &self.code().as_str())
            .field("message", &self.message())
            .field("retry", &self.retry())
            .field("context", self.context())
            .finish()
    }
}

impl std::error::Error for MailError {}

impl From<Code> for MailError {
    fn from(code: Code) -> Self {
        Self::new(code, code.as_str())
    }
}
