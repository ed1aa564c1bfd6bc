//! Seeded histories of two devices and somebody else's client against a modelled IMAP server, and an oracle that judges
//! what came of them.
//!
//! ```text
//! seed -> history (an explicit list of steps) -> run (server, SMTP sink, devices, faults) -> oracle -> shrink -> one line
//! ```
//!
//! The engine that is tried is a [`device::Device`]. This crate does not depend on `mailtide`: the model is written from
//! the RFCs, so that a misreading in the engine meets another reading here.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "this is a test: what is wrong in it shall fail loudly"
)]

pub mod device;
pub mod edit;
pub mod fault;
pub mod history;
pub mod letter;
pub mod model;
pub mod network;
pub mod oracle;
pub mod personality;
pub mod random;
pub mod reference;
pub mod run;
pub mod runner;
pub mod shrink;
pub mod smtp;
