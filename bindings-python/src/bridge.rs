//! Brings results from the engine's threads to an event loop.
//!
//! A thread of the engine never waits for the interpreter: it queues a job and, if none was queued before, writes one
//! byte to a socket that the loop reads. One such wake-up runs every job queued so far.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyWeakrefReference;
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

mod wake;

pub use wake::Background;
use wake::Wake;

/// What the thread of the loop shall do.
pub type Job = Box<dyn FnOnce(Python<'_>) + Send>;

/// The queue towards one event loop, or towards the background thread.
pub struct Bridge {
    queue: Mutex<Queue>,
    awake: AtomicBool,
    wake: Wake,
}

#[derive(Default)]
struct Queue {
    jobs: Vec<Job>,
    closed: bool,
}

impl Bridge {
    fn new(wake: Wake) -> Arc<Self> {
        Arc::new(Self { queue: Mutex::default(), awake: AtomicBool::new(false), wake })
    }

    /// Queues a job. It is dropped when the loop is closed.
    pub fn push(&self, job: Job) {
        {
            let mut queue = self.lock();
            if queue.closed {
                return;
            }
            queue.jobs.push(job);
        }
        if !self.awake.swap(true, Ordering::AcqRel) && !self.wake.wake() {
            self.close();
        }
    }

    /// Runs what is queued.
    fn run(&self, py: Python<'_>) {
        self.awake.store(false, Ordering::Release);
        let jobs = std::mem::take(&mut self.lock().jobs);
        for job in jobs {
            job(py);
        }
    }

    /// Nobody reads any more: lets go of the futures that wait here, and with them of their loop.
    fn close(&self) {
        let jobs = {
            let mut queue = self.lock();
            queue.closed = true;
            std::mem::take(&mut queue.jobs)
        };
        drop(jobs);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the loop calls when there are jobs; the loop is its only owner, so it ends with the loop.
#[pyclass(frozen, module = "mailtide._native")]
struct Reader {
    bridge: Arc<Bridge>,
    wake: wake::Reader,
}

#[pymethods]
impl Reader {
    fn __call__(&self, py: Python<'_>) {
        self.wake.clear();
        self.bridge.run(py);
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.bridge.close();
    }
}

/// The bridge as the registry of loops keeps it.
#[pyclass(frozen, module = "mailtide._native")]
struct Link(Arc<Bridge>);

type Last = Option<(Py<PyWeakrefReference>, Arc<Bridge>)>;

thread_local! {
    /// The loop that this thread used last: nearly always the one it uses now.
    static LAST: RefCell<Last> = const { RefCell::new(None) };
}

/// The running event loop and the bridge to it. Without a running loop, asyncio's own `RuntimeError`.
pub fn current(py: Python<'_>) -> PyResult<(Bound<'_, PyAny>, Arc<Bridge>)> {
    static RUNNING: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let event_loop = RUNNING.import(py, "asyncio", "get_running_loop")?.call0()?;
    let last = LAST.with_borrow(|last| match last {
        Some((known, bridge)) if known.bind(py).upgrade().is_some_and(|known| known.is(&event_loop)) => {
            Some(bridge.clone())
        }
        _ => None,
    });
    let bridge = match last {
        Some(bridge) => bridge,
        None => remember(&event_loop)?,
    };
    Ok((event_loop, bridge))
}

fn remember(event_loop: &Bound<'_, PyAny>) -> PyResult<Arc<Bridge>> {
    let bridge = find_or_attach(event_loop)?;
    let known = PyWeakrefReference::new(event_loop)?.unbind();
    LAST.set(Some((known, bridge.clone())));
    Ok(bridge)
}

fn find_or_attach(event_loop: &Bound<'_, PyAny>) -> PyResult<Arc<Bridge>> {
    static LOOPS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = event_loop.py();
    let loops =
        LOOPS.get_or_try_init(py, || py.import("weakref")?.call_method0("WeakKeyDictionary").map(Bound::unbind))?;
    let loops = loops.bind(py);
    let known = loops.call_method1(intern!(py, "get"), (event_loop,))?;
    if let Ok(link) = known.cast::<Link>() {
        return Ok(link.get().0.clone());
    }
    let bridge = attach(event_loop)?;
    loops.set_item(event_loop, Link(bridge.clone()))?;
    Ok(bridge)
}

/// Makes a bridge to a loop that has none.
fn attach(event_loop: &Bound<'_, PyAny>) -> PyResult<Arc<Bridge>> {
    let py = event_loop.py();
    if let Some((wake, wake_reader, fd)) = wake::socket()? {
        let bridge = Bridge::new(wake);
        let reader = Reader { bridge: bridge.clone(), wake: wake_reader };
        match event_loop.call_method1(intern!(py, "add_reader"), (fd, reader)) {
            Ok(_) => return Ok(bridge),
            // Windows' Proactor loop has no readers.
            Err(error) if error.is_instance_of::<pyo3::exceptions::PyNotImplementedError>(py) => {}
            Err(error) => return Err(error),
        }
    }
    wake::through_call_soon(event_loop)
}
