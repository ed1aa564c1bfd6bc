//! A disk under a VFS of its own: its log, and what goes wrong on it.

use crate::vfs::{Call, Slot};
use rusqlite::ffi;
use std::ffi::c_int;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What was done to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was opened, and made where it was not there.
    Opened,
    /// Bytes were written there.
    Write(u64, Box<[u8]>),
    /// It got this length.
    Truncate(u64),
    /// What was done to it has reached the disk.
    Sync,
    /// It was deleted, durably or not.
    Delete(bool),
}

/// A change of a file.
#[derive(Clone, Debug)]
pub struct Op {
    /// Its name, without its folder.
    pub file: Arc<str>,
    /// What was done to it.
    pub change: Change,
}

/// What a disk says instead of doing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no room for what is written.
    Full,
    /// Writing, syncing, cutting and deleting fail.
    WriteError,
    /// Reading fails.
    ReadError,
    /// Nothing may be written.
    ReadOnly,
    /// A lock cannot be had.
    Busy,
    /// There is no room for the shared memory.
    NoSharedMemory,
}

/// When a fault strikes.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What happens.
    pub fault: Fault,
    /// At the call of that number among those that it can strike, counted from now.
    pub at: u64,
    /// Whether at every one after it as well.
    pub lasts: bool,
}

/// A disk. Its VFS has the name [`Disk::vfs`].
pub struct Disk {
    slot: &'static Slot,
    state: Arc<Mutex<State>>,
}

/// Called with the length of the log before each change.
type Hook = Arc<dyn Fn(usize) + Send + Sync>;

#[derive(Default)]
struct State {
    log: Vec<Op>,
    keeps_log: bool,
    hook: Option<Hook>,
    plan: Option<Plan>,
    /// Calls that the planned fault could have struck.
    met: u64,
    struck: u64,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Full, Self::WriteError, Self::ReadError, Self::ReadOnly, Self::Busy, Self::NoSharedMemory];

    /// What SQLite is told, where a fault can strike that call.
    fn code(self, call: Call<'_>) -> Option<c_int> {
        match (self, call) {
            (Self::Full, Call::Write(..)) => Some(ffi::SQLITE_FULL),
            (Self::WriteError, Call::Write(..)) => Some(ffi::SQLITE_IOERR_WRITE),
            (Self::WriteError, Call::Sync) => Some(ffi::SQLITE_IOERR_FSYNC),
            (Self::WriteError, Call::Truncate(_)) => Some(ffi::SQLITE_IOERR_TRUNCATE),
            (Self::WriteError, Call::Delete(_)) => Some(ffi::SQLITE_IOERR_DELETE),
            (Self::ReadError, Call::Read) => Some(ffi::SQLITE_IOERR_READ),
            (Self::ReadOnly, Call::Write(..)) => Some(ffi::SQLITE_READONLY),
            (Self::Busy, Call::Lock) => Some(ffi::SQLITE_BUSY),
            (Self::NoSharedMemory, Call::Share) => Some(ffi::SQLITE_IOERR_SHMSIZE),
            _ => None,
        }
    }
}

impl Disk {
    /// A disk on which nothing goes wrong yet and that writes nothing down.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it takes a VFS of the program")]
    pub fn new() -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let own = Arc::clone(&state);
        let slot = Slot::take(Arc::new(move |name, call| answer(&own, name, call)));
        Self { slot, state }
    }

    /// The same, with a log.
    #[must_use]
    pub fn recording() -> Self {
        let disk = Self::new();
        lock(&disk.state).keeps_log = true;
        disk
    }

    /// The name of its VFS.
    #[must_use]
    pub fn vfs(&self) -> &str {
        &self.slot.name
    }

    /// Calls this before each change, with how many there were before it.
    pub fn before_each(&self, hook: impl Fn(usize) + Send + Sync + 'static) {
        lock(&self.state).hook = Some(Arc::new(hook));
    }

    /// Lets something go wrong, or nothing any more.
    pub fn plan(&self, plan: Option<Plan>) {
        let mut state = lock(&self.state);
        (state.plan, state.met, state.struck) = (plan, 0, 0);
    }

    /// How many calls the planned fault could have struck, and how many it has.
    #[must_use]
    pub fn met(&self) -> (u64, u64) {
        let state = lock(&self.state);
        (state.met, state.struck)
    }

    /// How many changes there were.
    #[must_use]
    pub fn changes(&self) -> usize {
        lock(&self.state).log.len()
    }

    /// All that was done to it.
    #[must_use]
    pub fn log(&self) -> Vec<Op> {
        lock(&self.state).log.clone()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.slot.give_back();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(state: &Mutex<State>, name: &str, call: Call<'_>) -> Result<(), c_int> {
    let change = match call {
        Call::Read | Call::Lock | Call::Share => None,
        Call::Open => Some(Change::Opened),
        Call::Write(at, bytes) => Some(Change::Write(at, bytes.into())),
        Call::Truncate(size) => Some(Change::Truncate(size)),
        Call::Sync => Some(Change::Sync),
        Call::Delete(durable) => Some(Change::Delete(durable)),
    };
    let mut state_now = lock(state);
    state_now.strike(call)?;
    let Some(change) = change.filter(|_| state_now.keeps_log) else { return Ok(()) };
    let (hook, count) = (state_now.hook.clone(), state_now.log.len());
    drop(state_now);
    // Without the lock: it may ask this disk how far it is.
    if let Some(hook) = hook {
        hook(count);
    }
    lock(state).log.push(Op { file: name.into(), change });
    Ok(())
}

impl State {
    fn strike(&mut self, call: Call<'_>) -> Result<(), c_int> {
        let Some((plan, code)) = self.plan.and_then(|plan| Some((plan, plan.fault.code(call)?))) else {
            return Ok(());
        };
        let at = self.met;
        self.met += 1;
        if at == plan.at || (plan.lasts && at > plan.at) {
            self.struck += 1;
            return Err(code);
        }
        Ok(())
    }
}
