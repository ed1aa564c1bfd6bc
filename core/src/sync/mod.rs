//! Bringing the store and the server in step.
//!
//! What is to be done is decided by functions of values ([`plan`] for an account, [`resync`] for a mailbox) and comes
//! out as [`Work`] that can be printed and kept; the rules for local changes are in [`journal`](crate::journal). [`sync`]
//! does what they say.

mod action;
mod apply;
mod books;
mod holder;
mod options;
pub mod parked;
pub mod paused;
pub mod plan;
mod progress;
pub mod resync;

pub use action::{Action, Cursor, Pause, Proof, Question, Work};
pub use apply::sync;
pub(crate) use apply::{Kept, sync_keeping};
pub use books::Clock;
pub(crate) use books::take_lease;
pub(crate) use holder::name as process_name;
pub use options::{Counts, Environment, OnSyncProgress, SyncOptions, SyncReport};
pub use paused::Paused;
pub use progress::Progress;
