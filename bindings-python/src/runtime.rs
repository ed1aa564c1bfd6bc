//! The threads that the engine runs on: started with the first use, and again in a child after fork.

use crate::errors;
use mailtide::{Code, MailError, Result};
use pyo3::prelude::*;
use std::sync::{Mutex, PoisonError};
use tokio::runtime::{Builder, Handle, Runtime};

/// The runtime of one process. After fork its threads are not there in the child, so it is known by its process.
static CURRENT: Mutex<Option<(u32, Handle)>> = Mutex::new(None);

/// The runtime of this process.
///
/// Being attached keeps others from forking while the lock is held.
pub fn handle(py: Python<'_>) -> PyResult<Handle> {
    let pid = std::process::id();
    let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((owner, handle)) = &*current
        && *owner == pid
    {
        return Ok(handle.clone());
    }
    let runtime = start().map_err(|error| errors::to_py(py, &error))?;
    let handle = runtime.handle().clone();
    // Never dropped: that would wait for its threads, which may be gone (fork) or inside an engine.
    std::mem::forget(runtime);
    *current = Some((pid, handle.clone()));
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
    pid: u32,
    value: Option<T>,
}

impl<T> Owned<T> {
    pub fn new(value: T) -> Self {
        Self { pid: std::process::id(), value: Some(value) }
    }

    /// The value, unless this is a forked child.
    pub fn get(&self) -> Result<&T> {
        let here = self.value.as_ref().filter(|_| self.pid == std::process::id());
        here.ok_or_else(|| MailError::new(Code::UsageClosed, "This was opened before a fork").hint(FORKED))
    }
}

const FORKED: &str = "Connect again in the child process";

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        if self.pid != std::process::id() {
            std::mem::forget(self.value.take());
        }
    }
}
