//! IMAP for programs.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)
)]

mod auth;
mod bulk;
mod error;
mod limits;
mod mail;
mod net;
mod planted;
mod recent;
mod secret;
mod session;
mod watch;

pub mod archive;
#[cfg(feature = "cli")]
pub mod cli;
pub mod imap;
pub mod index;
pub mod journal;
pub mod message;
pub mod outbox;
pub mod query;
pub mod server;
pub mod store;
pub mod sync;
pub mod testing;
pub mod wire;

pub use auth::Mechanism;
pub use bulk::{BulkResult, Done, MessageRef};
pub use error::{Code, Context, MailError, Result, Retry};
pub use limits::Limits;
pub use mail::{
    AnyMailbox, ArchiveFormat, DeletedMessage, ExportOptions, Exported, FollowOptions, ImportOptions, Imported,
    LocalMailbox, Mail, MailHit, MailOptions, MailSearchOptions, Mailboxes,
};
pub use net::{ClientCertificate, NetOptions, Proxy, ProxyKind, Roots, Security};
#[cfg(feature = "test-support")]
#[doc(hidden)]
pub use net::{Dialer, Given};
pub use outbox::{Outbox, SendOptions, SmtpAccount};
#[cfg(feature = "planted")]
#[doc(hidden)]
pub use planted::{Bug, plant};
pub use query::Query;
pub use secret::Secret;
pub use session::{
    Account, AppendOptions, AppendSource, Columns, CreateOptions, Credentials, Engine, EngineOptions, FetchOptions,
    FlagChange, ListOptions, LogLine, Mailbox, MailboxInfo, MailboxStatus, Message, Messages, Namespace, Namespaces,
    OnProgress, Order, PartStream, Parts, PasswordCallback, PasswordRequest, Progress, RawReply, Selection, Session,
    Stats, Target, Token, TokenCallback, TokenReason, TokenRequest, WriteOptions,
};
pub use watch::{Event, Since, Watch, WatchCloser, WatchCursor, WatchEvent, WatchOptions};
