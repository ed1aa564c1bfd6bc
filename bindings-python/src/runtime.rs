//! The threads that the engine runs on: started with the first use, and again in a child after fork.

use crate::errors::OrRaise;
use mailtide::{Code, MailError, Result};
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio::runtime::{Builder, Handle, Runtime};

/// How many forks lie between the first process and this one.
static GENERATION: AtomicU32 = AtomicU32::new(0);

static CURRENT: Mutex<Option<(u32, Handle)>> = Mutex::new(None);

/// The number of this process; a value that was made under another one belongs to a parent.
pub fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// Called by Python in the child, before anything else runs there.
#[pyfunction]
pub fn after_fork() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// The runtime of this process. The threads of a parent's are not there after a fork, so a child makes its own.
pub fn handle(py: Python<'_>) -> PyResult<Handle> {
    let here = generation();
    let mut current = CURRENT.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
    if let Some((owner, handle)) = &*current
        && *owner == here
    {
        return Ok(handle.clone());
    }
    let runtime = start().or_raise(py)?;
    let handle = runtime.handle().clone();
    // Never dropped: that would wait for its threads, which may be gone (fork) or busy.
    std::mem::forget(runtime);
    std::mem::forget(current.replace((here, handle.clone())));
    Ok(handle)
}

fn start() -> Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("mailtide")
        .enable_all()
        .build()
        .map_err(|error| MailError::new(Code::Internal, format!("The engine's threads cannot be started: {error}")))
}

/// A value that works in the process that made it, and nowhere else.
///
/// In a forked child the threads and locks behind it are gone: using it is an error, and dropping it does nothing.
pub struct Owned<T> {
    generation: u32,
    value: std::mem::ManuallyDrop<T>,
}

impl<T> Owned<T> {
    pub fn new(value: T) -> Self {
        Self { generation: generation(), value: std::mem::ManuallyDrop::new(value) }
    }

    /// The value, unless this is a forked child.
    pub fn get(&self) -> Result<&T> {
        if self.generation == generation() { Ok(&self.value) } else { Err(forked()) }
    }

    /// The value in any process, for what needs no threads and no locks.
    pub fn peek(&self) -> &T {
        &self.value
    }
}

fn forked() -> MailError {
    MailError::new(Code::UsageClosed, "This was opened before a fork").hint("Connect again in the child process")
}

impl<T> Drop for Owned<T> {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        if self.generation == generation() {
            // SAFETY: this is the only place that drops it, and the value is not used again.
            unsafe { std::mem::ManuallyDrop::drop(&mut self.value) }
        }
    }
}
