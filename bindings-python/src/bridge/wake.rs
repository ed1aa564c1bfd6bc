//! How a loop is told that there are jobs: a byte on a socket, or `call_soon_threadsafe` from a thread of our own.

use super::{Bridge, Reader as LoopReader};
use crate::runtime::generation;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};

#[cfg(unix)]
use std::os::unix::net::UnixStream as Socket;

/// The writing end.
pub enum Wake {
    /// A loop that can read sockets.
    #[cfg(unix)]
    Socket(Socket),
    /// A loop that cannot: the background thread calls this.
    Soon(Arc<Background>, Arc<OnceLock<Py<PyAny>>>),
    /// The background thread itself.
    Background(Arc<Signal>),
}

impl Wake {
    /// Whether there is still somebody to wake.
    pub fn wake(&self) -> bool {
        match self {
            #[cfg(unix)]
            Self::Socket(socket) => match std::io::Write::write(&mut &*socket, &[1]) {
                Ok(_) => true,
                Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
            },
            Self::Soon(background, callback) => {
                let callback = callback.clone();
                background.bridge.push(Box::new(move |py| {
                    // A closed loop raises RuntimeError: there is nobody left to tell.
                    let _ = callback.get().map(|callback| callback.call0(py));
                }));
                true
            }
            Self::Background(signal) => signal.set(),
        }
    }
}

/// The reading end.
pub enum Reader {
    #[cfg(unix)]
    Socket(Socket),
    None,
}

impl Reader {
    /// Takes away the byte that woke the loop.
    pub fn clear(&self) {
        #[cfg(unix)]
        if let Self::Socket(socket) = self {
            let _ = std::io::Read::read(&mut &*socket, &mut [0; 16]);
        }
    }
}

/// Both ends and the number to watch, where the platform has such sockets.
#[cfg(unix)]
pub fn socket() -> PyResult<Option<(Wake, Reader, i32)>> {
    let (reader, writer) = Socket::pair()?;
    reader.set_nonblocking(true)?;
    writer.set_nonblocking(true)?;
    let fd = std::os::fd::AsRawFd::as_raw_fd(&reader);
    Ok(Some((Wake::Socket(writer), Reader::Socket(reader), fd)))
}

#[cfg(not(unix))]
pub fn socket() -> PyResult<Option<(Wake, Reader, i32)>> {
    Ok(None)
}

/// A bridge that wakes its loop by `call_soon_threadsafe`, called by the background thread.
pub fn through_call_soon(event_loop: &Bound<'_, PyAny>) -> PyResult<Arc<Bridge>> {
    let py = event_loop.py();
    let callback = Arc::new(OnceLock::new());
    let bridge = Bridge::new(Wake::Soon(Background::current(py)?, callback.clone()));
    let reader = Bound::new(py, LoopReader { bridge: bridge.clone(), wake: Reader::None })?;
    let soon = event_loop.getattr(intern!(py, "call_soon_threadsafe"))?;
    let partial = py.import("functools")?.call_method1("partial", (soon, reader))?;
    let _ = callback.set(partial.unbind());
    Ok(bridge)
}

/// Where the background thread sleeps.
#[derive(Default)]
pub struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    raised: bool,
    stopped: bool,
}

impl Signal {
    fn set(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.raised = true;
        self.changed.notify_one();
        !state.stopped
    }

    fn stop(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).stopped = true;
        self.changed.notify_one();
    }

    /// Sleeps until there are jobs; false when it is time to end.
    fn wait(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while !state.raised && !state.stopped {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::take(&mut state.raised)
    }
}

/// A thread for callbacks that belong to no loop: log lines, statistics, and everything of the blocking twin.
pub struct Background {
    /// The queue towards the thread.
    pub bridge: Arc<Bridge>,
    generation: u32,
}

static BACKGROUND: Mutex<Option<Arc<Background>>> = Mutex::new(None);

impl Background {
    /// The thread of this process, started with the first use.
    pub fn current(py: Python<'_>) -> PyResult<Arc<Self>> {
        let here = generation();
        let mut current = BACKGROUND.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        if let Some(background) = &*current
            && background.generation == here
        {
            return Ok(background.clone());
        }
        let started = Self::start(py, here)?;
        // After a fork the thread is not there, and its locks may be held for ever.
        std::mem::forget(current.replace(started.clone()));
        Ok(started)
    }

    fn start(py: Python<'_>, generation: u32) -> PyResult<Arc<Self>> {
        let signal = Arc::new(Signal::default());
        let bridge = Bridge::new(Wake::Background(signal.clone()));
        let (work, sleep) = (bridge.clone(), signal.clone());
        let thread = std::thread::Builder::new().name("mailtide-callbacks".into()).spawn(move || {
            while sleep.wait() {
                Python::attach(|py| work.run(py));
            }
        })?;
        // The interpreter must not end while the thread is in it.
        let stop = StopAtExit { generation, signal, thread: Mutex::new(Some(thread)) };
        py.import("atexit")?.call_method1("register", (stop,))?;
        Ok(Arc::new(Self { bridge, generation }))
    }
}

/// Ends the background thread, after what is queued.
#[pyclass(frozen, module = "mailtide._native")]
struct StopAtExit {
    generation: u32,
    signal: Arc<Signal>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

#[pymethods]
impl StopAtExit {
    fn __call__(&self, py: Python<'_>) {
        if self.generation != generation() {
            return;
        }
        self.signal.stop();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        py.detach(|| thread.map(std::thread::JoinHandle::join));
    }
}
