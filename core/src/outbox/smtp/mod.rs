//! SMTP submission (RFC 6409, RFC 5321): what is said, apart from the sockets that it is said over.
//!
//! ```text
//! bytes -> Replies (bounded) -> a machine: Opening, Upgrade, Login or Transaction -> Step -> wire
//! ```
//!
//! A machine is given one reply at a time and says what to do next; it knows no socket, clock or disk, so a dialogue can
//! be cut, delayed or forged at any byte in a test. What was said in clear before STARTTLS has a machine of its own, of
//! which nothing survives but the stream.

mod capability;
mod dots;
mod login;
mod opening;
mod reply;
mod transaction;

pub(crate) use capability::Capabilities;
pub(crate) use dots::{Facts, Stuffed, wire_form};
pub(crate) use login::{Login, mechanism};
pub(crate) use opening::{Opening, Upgrade};
pub(crate) use reply::{Replies, Reply};
pub(crate) use transaction::{Envelope, Fate, Stage, Transaction};

use crate::error::Result;
use zeroize::Zeroizing;

/// What a machine wants next.
#[derive(Debug)]
pub(crate) enum Step {
    /// These bytes go out.
    Send(Zeroizing<Vec<u8>>),
    /// The next so many bytes of the message go out, with their dots doubled.
    Body(usize),
    /// One reply is to be read.
    Hear(Patience),
    /// This has to be durable before anything else happens.
    Commit(Stage),
    /// Nothing may be waiting to be read; a refusal that is there already is handed in like one that was asked for.
    Quiet,
    /// The machine has nothing more to do.
    Done,
}

/// How long a reply may take (RFC 5321 section 4.5.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// For the greeting.
    Greeting,
    /// For a command that a server answers at once.
    Command,
    /// For one that makes it ask others: MAIL, RCPT, DATA.
    Slow,
    /// After the final dot: ten minutes. Giving up earlier makes duplicates (RFC 1047).
    Dot,
}

/// A side of a dialogue.
pub(crate) trait Machine: Send {
    /// The next step; `heard` is the reply that the last [`Step::Hear`] or [`Step::Quiet`] brought.
    fn step(&mut self, heard: Option<Reply>) -> Result<Step>;
}

/// A command line without secrets; its parts have been checked.
fn line(text: &str) -> Step {
    Step::Send(Zeroizing::new(format!("{text}\r\n").into_bytes()))
}
