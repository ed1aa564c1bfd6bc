//! What the server said, put down: rows, feed entries and cursors in the caller's one transaction.
//!
//! What follows from it was decided before (`sync::resync`, a function of values); nothing here asks whether a deletion
//! is proven. Every call may be repeated: what is there already stays as it is, so that a pass that was interrupted
//! goes on from what it committed. UIDs are the server's unless said otherwise.

mod mailboxes;
mod messages;

pub use mailboxes::{Listed, advance, drop_mailbox, listed, pause, reset, resume, subscribed};
pub use messages::{
    Arrived, FlagsArrived, Prepared, body, headers, placed, prepare, prepared, quarantine, rebind, replace, reserve,
    set_flags, settle, trim, vanished,
};
