//! Bringing the store and the server in step.
//!
//! What is to be done is decided by functions of values ([`plan`] for an account, [`resync`] for a mailbox) and comes
//! out as [`Work`] that can be printed and kept; the rules for local changes are in [`journal`](crate::journal).

mod action;
pub mod plan;
pub mod resync;

pub use action::{Action, Cursor, Pause, Proof, Question, Work};
