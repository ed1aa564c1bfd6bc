//! The journal: what was changed here and the server has not confirmed yet, and the rules for getting it there.
//!
//! A local change stands here as an [`Intent`] from the same transaction that made it, and ends exactly once: applied,
//! superseded by a later change, or parked with its reason. Everything in this room is a function of values; the store
//! keeps the rows, and the synchronisation sends the commands.
//!
//! ```text
//! a local change -> merge -> the store's row -> order::ready -> steps::begin -> command -> answer::read
//!                                                   ^              steps::doubt <- a lost answer
//! ```

pub mod answer;
mod digest;
mod intent;
pub mod merge;
pub mod order;
mod pending;
pub mod retry;
mod state;
pub mod steps;
#[cfg(test)]
mod tests;

pub use digest::{Digest, Traits};
pub use intent::{Entry, Intent, Landing, Payload, Place, Target};
pub use pending::{Pending, pending};
pub use state::{Cause, Note, Reason, State, Step};
