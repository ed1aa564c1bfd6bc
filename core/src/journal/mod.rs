//! The journal: what was changed here and the server has not confirmed yet, and the rules for getting it there.
//!
//! A local change stands here as an [`Intent`] from the same transaction that made it, and ends exactly once: applied,
//! superseded by a later change, or parked with its reason. Everything in this room is a function of values; the store
//! keeps the rows, and the synchronisation sends the commands.

mod digest;
mod intent;
mod state;

pub use digest::{Digest, Traits};
pub use intent::{Entry, Intent, Landing, Place, Target};
pub use state::{Cause, Note, Reason, State, Step};
