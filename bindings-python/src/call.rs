//! One call into the engine, as Python sees it: a coroutine, or in the blocking twin a plain call.

use crate::bridge::{self, Bridge};
use crate::{errors, runtime};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use mailtide::{Code, MailError, Result};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyRuntimeError, PyStopIteration};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyIterator;
use pyo3::types::iterator::PySendResult;
use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;
use tokio::task::AbortHandle;

/// Turns what the engine returned into a Python object, on a thread that is attached.
type Reply = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;
type Work = BoxFuture<'static, Result<Reply>>;

/// How often a blocked thread looks for Ctrl-C.
const SIGNALS: Duration = Duration::from_millis(100);

/// A coroutine over one future of the engine. Nothing happens before it is awaited; cancelling drops the future.
#[pyclass(frozen, module = "mailtide._native")]
pub struct Call(Mutex<State>);

enum State {
    New(Work),
    Waiting(Py<PyIterator>, Task),
    Done,
}

/// A running future, dropped with this.
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Call {
    /// A call whose result Python can take as it is.
    pub fn new<F, T>(future: F) -> Self
    where
        F: Future<Output = Result<T>> + Send + 'static,
        T: for<'py> IntoPyObject<'py> + Send + 'static,
    {
        Self::then(future, |py, value| value.into_py_any(py))
    }

    /// A call that gives nothing.
    pub fn done<F>(future: F) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        Self::then(future, |py, ()| Ok(py.None()))
    }

    /// A call whose result still has to be converted.
    pub fn then<F, T, C>(future: F, convert: C) -> Self
    where
        F: Future<Output = Result<T>> + Send + 'static,
        T: Send + 'static,
        C: FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
    {
        let work = async move {
            let outcome = AssertUnwindSafe(future).catch_unwind().await.unwrap_or_else(|panic| Err(panicked(&*panic)));
            outcome.map(|value| -> Reply { Box::new(move |py| convert(py, value)) })
        };
        Self(Mutex::new(State::New(work.boxed())))
    }

    /// What a method of an object returns: a coroutine, or in the blocking twin the result itself.
    pub fn finish(self, py: Python<'_>, blocking: bool) -> PyResult<Py<PyAny>> {
        if blocking { self.wait(py) } else { self.into_py_any(py) }
    }

    /// Blocks this thread until the result is there.
    pub fn wait(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self.replace(State::Done) {
            State::New(work) => wait(py, &runtime::handle(py)?, work),
            State::Waiting(..) | State::Done => Err(PyRuntimeError::new_err("the call was awaited already")),
        }
    }

    fn replace(&self, state: State) -> State {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), state)
    }

    fn step(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self.replace(State::Done) {
            State::New(work) => self.start(py, work),
            State::Waiting(iterator, task) => self.resume(py, iterator, task),
            State::Done => Err(PyRuntimeError::new_err("cannot reuse already awaited coroutine")),
        }
    }

    fn start(&self, py: Python<'_>, work: Work) -> PyResult<Py<PyAny>> {
        let runtime = runtime::handle(py)?;
        if blocking() {
            return finished(wait(py, &runtime, work)?);
        }
        let (event_loop, bridge) = bridge::current(py)?;
        let (ready, work) = poll_once(py, &runtime, work);
        if let Some(outcome) = ready {
            return finished(convert(py, outcome)?);
        }
        let future = event_loop.call_method0(intern!(py, "create_future"))?;
        let iterator = future.call_method0(intern!(py, "__await__"))?.cast_into::<PyIterator>()?.unbind();
        let task = Task(runtime.spawn(deliver(work, bridge, future.unbind())).abort_handle());
        self.resume(py, iterator, task)
    }

    fn resume(&self, py: Python<'_>, iterator: Py<PyIterator>, task: Task) -> PyResult<Py<PyAny>> {
        match iterator.bind(py).send(py.None().bind(py))? {
            PySendResult::Next(value) => {
                self.replace(State::Waiting(iterator, task));
                Ok(value.unbind())
            }
            PySendResult::Return(value) => finished(value.unbind()),
        }
    }
}

#[pymethods]
impl Call {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.step(py)
    }

    fn send(&self, py: Python<'_>, value: Py<PyAny>) -> PyResult<Py<PyAny>> {
        drop(value);
        self.step(py)
    }

    #[pyo3(signature = (exception, value=None, traceback=None, /))]
    fn throw(
        &self,
        py: Python<'_>,
        exception: Py<PyAny>,
        value: Option<Py<PyAny>>,
        traceback: Option<Py<PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        // Whatever comes in ends the wait, and with it the call.
        drop((self.replace(State::Done), traceback));
        let exception = exception.into_bound(py);
        let raised = match value {
            Some(value) if exception.is_callable() => exception.call1((value,))?,
            _ => exception,
        };
        Err(PyErr::from_value(raised))
    }

    fn close(&self) {
        drop(self.replace(State::Done));
    }

    /// A task that nobody finishes is a cycle through this.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(state) = self.0.try_lock()
            && let State::Waiting(iterator, _) = &*state
        {
            visit.call(iterator)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        drop(self.replace(State::Done));
    }

    fn __repr__(&self) -> &'static str {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            State::New(_) => "<mailtide call, not awaited>",
            State::Waiting(..) => "<mailtide call, running>",
            State::Done => "<mailtide call, done>",
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if matches!(self.replace(State::Done), State::New(_)) {
            Python::try_attach(warn_never_awaited);
        }
    }
}

fn warn_never_awaited(py: Python<'_>) {
    let category = py.get_type::<pyo3::exceptions::PyRuntimeWarning>();
    if let Err(error) = PyErr::warn(py, &category, c"a mailtide call was never awaited: nothing was done", 1) {
        error.write_unraisable(py, None);
    }
}

/// The end of a coroutine is an exception that carries its value.
fn finished(value: Py<PyAny>) -> PyResult<Py<PyAny>> {
    Err(PyStopIteration::new_err((value,)))
}

/// Many calls need no wait at all: their result is here already.
fn poll_once(py: Python<'_>, runtime: &tokio::runtime::Handle, mut work: Work) -> (Option<Result<Reply>>, Work) {
    py.detach(move || {
        let _inside = runtime.enter();
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match work.as_mut().poll(&mut context) {
            std::task::Poll::Ready(outcome) => (Some(outcome), work),
            std::task::Poll::Pending => (None, work),
        }
    })
}

async fn deliver(work: Work, bridge: Arc<Bridge>, future: Py<PyAny>) {
    let outcome = work.await;
    bridge.push(Box::new(move |py| {
        if let Err(error) = resolve(py, outcome, future.bind(py)) {
            error.write_unraisable(py, None);
        }
    }));
}

fn resolve(py: Python<'_>, outcome: Result<Reply>, future: &Bound<'_, PyAny>) -> PyResult<()> {
    if future.call_method0(intern!(py, "done"))?.is_truthy()? {
        return Ok(());
    }
    match convert(py, outcome) {
        Ok(value) => future.call_method1(intern!(py, "set_result"), (value,))?,
        Err(error) => future.call_method1(intern!(py, "set_exception"), (error,))?,
    };
    Ok(())
}

fn convert(py: Python<'_>, outcome: Result<Reply>) -> PyResult<Py<PyAny>> {
    let reply = outcome.map_err(|error| errors::to_py(py, &error))?;
    std::panic::catch_unwind(AssertUnwindSafe(|| reply(py)))
        .unwrap_or_else(|panic| Err(errors::to_py(py, &panicked(&*panic))))
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> MailError {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    MailError::new(Code::Internal, format!("The engine panicked: {}", text.unwrap_or("no message")))
        .hint("Please report it")
}

/// Blocks this thread, others go on; Ctrl-C drops the future.
fn wait(py: Python<'_>, runtime: &tokio::runtime::Handle, work: Work) -> PyResult<Py<PyAny>> {
    let (sender, mut receiver) = mpsc::sync_channel(1);
    let _task = Task(runtime.spawn(async move { sender.send(work.await) }).abort_handle());
    loop {
        let (received, back) = py.detach(move || (receiver.recv_timeout(SIGNALS), receiver));
        receiver = back;
        match received {
            Ok(outcome) => return convert(py, outcome),
            Err(mpsc::RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(errors::to_py(py, &MailError::from(Code::Cancelled)));
            }
        }
    }
}

thread_local! {
    static BLOCKING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is inside [`run_blocking`].
pub fn blocking() -> bool {
    BLOCKING.get()
}

/// Runs a coroutine to its end on this thread, where every [`Call`] blocks instead of asking the event loop.
#[pyfunction]
pub fn run_blocking(coroutine: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let py = coroutine.py();
    let before = BLOCKING.replace(true);
    let step = coroutine.call_method1(intern!(py, "send"), (py.None(),));
    BLOCKING.set(before);
    match step {
        Err(error) if error.is_instance_of::<PyStopIteration>(py) => {
            error.value(py).getattr(intern!(py, "value")).map(Bound::unbind)
        }
        Err(error) => Err(error),
        Ok(_) => Err(PyRuntimeError::new_err("an asyncio object was awaited in a blocking call")),
    }
}
