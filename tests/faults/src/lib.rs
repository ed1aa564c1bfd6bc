//! A disk for SQLite that writes down what is done to it, can fail at any call, and can lose what was not synced.
//!
//! ```text
//! SQLite -> vfs (every call, before it happens) -> Disk (log, faults) ; log -> Model -> files as a Way leaves them
//! ```
//!
//! A run is recorded once. For each moment of it the [`Model`] then gives the files as they are found after the death of
//! the process or after a power loss there, and a test opens them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "this is a test: what is wrong in it shall fail loudly"
)]

mod disk;
mod model;
mod vfs;

pub use disk::{Change, Disk, Fault, Op, Plan};
pub use model::{Files, Model, Way};
