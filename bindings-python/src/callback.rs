//! Functions of the user that the engine calls: on the event loop that asked for it, or on a thread of their own.

use crate::bridge::{self, Background, Bridge};
use crate::call::blocking;
use crate::info;
use mailtide::OnProgress;
use mailtide::{Code, MailError, Result};
use pyo3::intern;
use pyo3::prelude::*;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Where functions given to a call are called.
#[derive(Clone)]
pub struct Home {
    bridge: Arc<Bridge>,
    event_loop: bool,
}

impl Home {
    /// The running event loop, or for the blocking twin the background thread.
    pub fn current(py: Python<'_>) -> PyResult<Self> {
        if blocking() {
            return Self::background(py);
        }
        Ok(Self { bridge: bridge::current(py)?.1, event_loop: true })
    }

    /// The background thread.
    pub fn background(py: Python<'_>) -> PyResult<Self> {
        Ok(Self { bridge: Background::current(py)?.bridge.clone(), event_loop: false })
    }

    /// Calls `function` at some time soon; what it raises is reported as unraisable.
    pub fn tell<A>(&self, function: &Arc<Py<PyAny>>, arguments: A)
    where
        A: FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send + 'static,
    {
        let function = Arc::clone(function);
        self.bridge.push(Box::new(move |py| {
            let told = arguments(py).and_then(|argument| function.call1(py, (argument,)));
            if let Err(error) = told {
                error.write_unraisable(py, Some(function.bind(py)));
            }
        }));
    }

    /// Calls `function`, waits for what it returns, or for what it awaits, and reads that.
    pub async fn ask<A, R, T>(&self, function: &Arc<Py<PyAny>>, arguments: A, read: R) -> Result<T>
    where
        A: FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send + 'static,
        R: FnOnce(PyResult<Bound<'_, PyAny>>) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let answer = Answer::new(move |value| drop(sender.send(read(value))));
        let function = Arc::clone(function);
        let helper = if self.event_loop { "ask" } else { "ask_in_thread" };
        self.bridge.push(Box::new(move |py| {
            if let Err(error) = start(py, helper, &function, arguments, answer) {
                error.write_unraisable(py, Some(function.bind(py)));
            }
        }));
        receiver.await.unwrap_or_else(|_| Err(MailError::new(Code::AuthMissing, "The callback gave no answer")))
    }
}

fn start<A>(py: Python<'_>, helper: &str, function: &Py<PyAny>, arguments: A, answer: Answer) -> PyResult<()>
where
    A: FnOnce(Python<'_>) -> PyResult<Py<PyAny>>,
{
    let helpers = py.import(intern!(py, "mailtide._callbacks"))?;
    helpers.call_method1(helper, (function, arguments(py)?, answer)).map(drop)
}

type Read = Box<dyn FnOnce(PyResult<Bound<'_, PyAny>>) + Send>;

/// What kind of exception it is, without what it says: that may be a secret.
pub fn kind(error: &PyErr) -> String {
    let name = Python::attach(|py| error.get_type(py).name().map(|name| name.to_string()));
    name.unwrap_or_else(|_| "an exception".to_owned())
}

/// What Python calls with the value or the exception.
#[pyclass(frozen, module = "mailtide._native")]
struct Answer(Mutex<Option<Read>>);

impl Answer {
    fn new(read: impl FnOnce(PyResult<Bound<'_, PyAny>>) + Send + 'static) -> Self {
        Self(Mutex::new(Some(Box::new(read))))
    }
}

#[pymethods]
impl Answer {
    fn __call__(&self, value: Bound<'_, PyAny>, error: Option<Bound<'_, PyAny>>) {
        let read = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(read) = read {
            read(error.map_or(Ok(value), |error| Err(PyErr::from_value(error))));
        }
    }
}

/// A function that is told of progress, and where it is called.
pub struct Listener {
    home: Home,
    function: Arc<Py<PyAny>>,
}

impl Listener {
    /// `progress=`: a function, or `True` for a bar; called where the call was made.
    pub fn new(py: Python<'_>, progress: Option<&Bound<'_, PyAny>>, blocking: bool) -> PyResult<Option<Self>> {
        let Some(progress) = progress else { return Ok(None) };
        let module = py.import(intern!(py, "mailtide._progress"))?;
        let function = module.call_method1(intern!(py, "callback"), (progress,))?;
        if function.is_none() {
            return Ok(None);
        }
        let home = if blocking { Home::background(py)? } else { Home::current(py)? };
        Ok(Some(Self { home, function: Arc::new(function.unbind()) }))
    }

    /// Calls it at some time soon.
    pub fn tell<P>(&self, progress: P)
    where
        P: FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send + 'static,
    {
        self.home.tell(&self.function, progress);
    }
}

/// The same for calls that tell no more than how many are done.
pub fn on_progress(
    py: Python<'_>,
    progress: Option<&Bound<'_, PyAny>>,
    blocking: bool,
) -> PyResult<Option<OnProgress>> {
    let listener = Listener::new(py, progress, blocking)?;
    Ok(listener
        .map(|listener| OnProgress(Arc::new(move |progress| listener.tell(move |py| info::progress(py, progress))))))
}
