//! Messages to be sent: queued, handed to the submission server, filed in Sent, each once.
//!
//! ```text
//! Outbox (calls) -> Pass (what is due) -> Connection (wire) -> smtp (what is said) -> net::Stream
//!        |               |
//!        +--- Entry (states, pure) -> Ledger (a store, which commits each state before its step)
//! ```

mod account;
mod connection;
mod copy;
mod entry;
mod ledger;
mod moment;
#[allow(clippy::module_inception)]
mod outbox;
mod pass;
mod queue;
mod sent;
mod smtp;
mod store_ledger;
mod wire;

pub use account::SmtpAccount;
pub use entry::{CopyState, Decision, Entry, OnDoubt, Recipient, RecipientState, State};
pub use ledger::{Body, Ledger, NewEntry, SentFolder, in_memory};
pub use moment::{Moment, SystemMoment};
pub use outbox::Outbox;
pub use pass::PassReport;
pub use queue::SendOptions;
pub use sent::LiveSent;
pub use store_ledger::StoreLedger;
#[doc(hidden)]
pub use {connection::Dial, wire::Io};

#[cfg(test)]
mod tests;
