//! What an engine looks like to the simulation: it syncs, takes local changes, and can be asked, killed and restarted.

use crate::model::Actor;
use crate::network::Network;
use crate::smtp::Sink;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;

/// Something that an engine is going to have done.
pub type Soon<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Names a placement on one device, for ever.
pub type LocalId = u64;

/// Names a local change on one device, for ever.
pub type Ticket = u64;

/// How a pass of sync ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pass {
    /// It came to its end.
    Done,
    /// It gave up; why.
    Failed(String),
    /// The process died at a call of the store.
    Crashed,
}

/// What became of a local change when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acted {
    /// It was acknowledged, and must not be forgotten.
    Taken(Ticket),
    /// It was refused; nothing has changed.
    Refused(String),
    /// The process died: it may have happened or not.
    Crashed,
}

/// A local change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "what a variant holds is what its line says")]
pub enum Verb {
    /// A flag is set or taken away.
    Flag { message: LocalId, flag: String, set: bool },
    /// A message is moved.
    Move { message: LocalId, to: String },
    /// A message is copied.
    Copy { message: LocalId, to: String },
    /// A message is removed for good.
    Delete { message: LocalId },
    /// A message is added.
    Append { mailbox: String, bytes: Vec<u8>, flags: BTreeSet<String> },
    /// A mailbox is made.
    Create { name: String },
    /// A mailbox gets another name.
    Rename { name: String, to: String },
    /// A mailbox is removed with all that is in it.
    Remove { name: String },
    /// A message is sent.
    Send { bytes: Vec<u8> },
}

/// What has become of a local change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The server does not have it yet.
    Pending,
    /// The server has it.
    Applied,
    /// Somebody else's later change has made it void.
    Superseded,
    /// It is part of a later local change now, or both together came to nothing.
    Merged,
    /// It cannot be done; why.
    Parked(String),
}

/// What has become of a message to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Not yet.
    Queued,
    /// The server has taken it.
    Accepted,
    /// The server has refused it.
    Rejected,
    /// Nobody knows, and it is not sent again by itself.
    Uncertain,
}

/// What a call of the store does instead of its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoreFault {
    /// Somebody else writes for too long.
    Busy,
    /// The disk is full, until the end of the step.
    Full,
    /// The disk fails once.
    Io,
    /// The disk is read-only, until the end of the step.
    ReadOnly,
    /// Another process has taken the lease.
    LeaseLost,
}

impl StoreFault {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Busy, Self::Full, Self::Io, Self::ReadOnly, Self::LeaseLost];
}

/// A mailbox as a device shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalMailbox {
    /// The server's UIDVALIDITY, where the server has it.
    pub uid_validity: Option<u32>,
    /// What is in it.
    pub messages: Vec<LocalMessage>,
}

/// A message as a device shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalMessage {
    /// Names it on this device.
    pub id: LocalId,
    /// Its UID on the server; `None` while the server does not have it there.
    pub uid: Option<u32>,
    /// Flags and keywords.
    pub flags: BTreeSet<String>,
    /// Its token; `None` while neither header nor body is there.
    pub token: Option<u64>,
    /// [`crate::letter::hash`] of its bytes; `None` while the body is not there.
    pub body: Option<u64>,
    /// Whether the device says that the server sends another message in its place.
    pub is_refused: bool,
}

/// Everything that a device shows.
pub type Snapshot = BTreeMap<String, LocalMailbox>;

/// An entry of a device's change feed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "what a variant holds is what its line says")]
pub enum Note {
    /// A message is there, with these flags.
    There { id: LocalId, flags: BTreeSet<String> },
    /// A message has left.
    Gone { id: LocalId },
}

/// One installation of the engine, on a disk of its own.
pub trait Device {
    /// One pass of sync.
    fn sync(&mut self) -> Soon<'_, Pass>;

    /// Makes a local change.
    fn act(&mut self, verb: Verb) -> Soon<'_, Acted>;

    /// What it shows.
    fn snapshot(&mut self) -> Soon<'_, Snapshot>;

    /// What has become of every local change that it knows of, messages to be sent excepted.
    fn fates(&mut self) -> Soon<'_, BTreeMap<Ticket, Fate>>;

    /// What has become of every message to be sent.
    fn outbox(&mut self) -> Soon<'_, BTreeMap<Ticket, Sent>>;

    /// The feed after a number, and the number to go on from.
    fn changes(&mut self, after: u64) -> Soon<'_, (Vec<Note>, u64)>;

    /// Lets the process die at the store's call of that number, counted from now; `None` lets it live.
    fn crash_at(&mut self, call: Option<u32>);

    /// Lets the store fail at the call of that number, counted from now; with `None` it works again.
    fn fail_at(&mut self, fault: Option<(u32, StoreFault)>);

    /// Lets a user change something in the middle of the next pass: before the store's call of that number in it.
    fn act_at(&mut self, act: Option<(u32, Verb)>) {
        drop(act);
    }

    /// What came of that change; `None` where the pass never got so far. With whether it changed what was to be seen then.
    fn acted(&mut self) -> Option<(Acted, bool)> {
        None
    }

    /// A new process of the next version: the store that it finds is one that the version before has written.
    fn upgrade(&mut self) -> Soon<'_, ()> {
        self.restart()
    }

    /// What it did that it must not, and that only the device itself can see.
    fn complaints(&mut self) -> Vec<String> {
        Vec::new()
    }

    /// A new process on the same disk: everything that was not committed is gone.
    fn restart(&mut self) -> Soon<'_, ()>;

    /// Sets the device's clock, in seconds ahead of the true time.
    fn set_clock(&mut self, ahead: i64);
}

/// Makes devices.
pub trait Engine {
    /// A device with an empty disk.
    fn device(&self, number: Actor, network: &Network, sink: &Sink) -> Box<dyn Device>;
}
