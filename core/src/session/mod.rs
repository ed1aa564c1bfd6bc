//! A live session: opening a connection, one task that owns it, and calls that share a few of them.
//!
//! ```text
//! Mailbox, Session (calls) -> Pool (which connection) -> Connection -> Driver (the task: Sender, Route) -> net::Stream
//! ```

mod account;
mod answer;
mod append;
mod choose;
mod connection;
mod credentials;
mod driver;
mod engine;
mod fetch;
mod fetching;
mod find;
mod guard;
mod guard_script;
mod info;
mod kept;
mod link;
mod mailbox;
mod manage;
mod message;
mod messages;
mod names;
mod observer;
mod open;
mod options;
mod part;
mod pool;
mod redact;
mod refusal;
mod route;
mod save;
mod selected;
mod selection;
mod sender;
#[allow(clippy::module_inception)]
mod session;
mod settle;
mod spool;
mod starttls;
mod task;
mod window;
mod write;

pub use account::Account;
pub use append::AppendSource;
pub use credentials::{
    Credentials, PasswordCallback, PasswordRequest, Token, TokenCallback, TokenReason, TokenRequest,
};
pub use engine::{Engine, EngineOptions, Stats};
pub use info::{MailboxInfo, MailboxStatus, Namespace, Namespaces, RawReply};
pub use mailbox::Mailbox;
pub use message::Message;
pub use messages::Messages;
pub use options::*;
pub use part::PartStream;
pub use selection::{Selection, Target};
pub use session::Session;

pub(crate) use connection::{Connection, Extra, Pending, closed, enabled};
pub(crate) use credentials::{Refused, Vault};
pub(crate) use find::now as query_moment;
pub(crate) use kept::{Body, Kept, Pieces};
pub(crate) use message::Loaded;
pub(crate) use messages::Batches;
pub(crate) use names::nothing_listed;
pub(crate) use observer::{Observed, observer};
pub(crate) use route::{Reply, Rows, Wants};
pub(crate) use selected::{Selected, Selecting, select};
pub(crate) use spool::{Whole, whole};
pub(crate) use task::Task;
pub(crate) use window::SET_TEXT;
pub(crate) use write::pairs;
