//! Large content, a piece at a time.

use crate::bytes::Bytes;
use crate::call::Call;
use crate::errors::OrRaise;
use crate::runtime::Owned;
use mailtide::PartStream;
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyStopAsyncIteration, PyTypeError};
use pyo3::prelude::*;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Pieces of a message or attachment, of at most 256 KiB each. Iterates with `async for`, or `for` when blocking.
#[pyclass(frozen, module = "mailtide")]
pub struct Stream {
    stream: Owned<Arc<Mutex<PartStream>>>,
    blocking: bool,
}

impl Stream {
    pub fn new(py: Python<'_>, message: &mailtide::Message, path: Option<&str>, blocking: bool) -> PyResult<Self> {
        let stream = message.stream(path).or_raise(py)?;
        Ok(Self { stream: Owned::new(Arc::new(Mutex::new(stream))), blocking })
    }

    fn next(&self, py: Python<'_>) -> PyResult<Call> {
        let stream = Arc::clone(self.stream.get().or_raise(py)?);
        Ok(Call::then(async move { stream.lock().await.next().await }, |py, piece| match piece {
            Some(piece) => Bytes(piece).into_py_any(py),
            None => Err(PyStopAsyncIteration::new_err(())),
        }))
    }
}

#[pymethods]
impl Stream {
    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __anext__(&self, py: Python<'_>) -> PyResult<Call> {
        self.next(py)
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyResult<PyRef<'_, Self>> {
        let wrong = || PyTypeError::new_err("use `async for` here, or mailtide.blocking");
        slf.blocking.then_some(slf).ok_or_else(wrong)
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        match self.next(py)?.wait(py) {
            Err(end) if end.is_instance_of::<PyStopAsyncIteration>(py) => Ok(None),
            piece => piece.map(Some),
        }
    }
}
