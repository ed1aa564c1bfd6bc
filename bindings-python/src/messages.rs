//! One fetch: messages in batches, so that the border between the languages is crossed once for many.

use crate::call::Call;
use crate::errors::OrRaise;
use crate::light;
use crate::message::Message;
use crate::runtime::Owned;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use std::sync::{Arc, OnceLock};
use tokio::sync::Mutex;

/// The handle of one fetch. Dropping it ends the fetch.
#[pyclass(frozen, module = "mailtide._native")]
pub struct Fetch {
    messages: Owned<Arc<Mutex<mailtide::Messages>>>,
    exact: Arc<OnceLock<bool>>,
    blocking: bool,
}

impl Fetch {
    pub fn new(messages: mailtide::Messages, blocking: bool) -> Self {
        let messages = Owned::new(Arc::new(Mutex::new(messages)));
        Self { messages, exact: Arc::default(), blocking }
    }
}

#[pymethods]
impl Fetch {
    /// Up to 256 messages; an empty list at the end.
    fn next_batch(&self, py: Python<'_>) -> PyResult<Call> {
        let (messages, exact) = (Arc::clone(self.messages.get().or_raise(py)?), self.exact.clone());
        let blocking = self.blocking;
        let next = async move {
            let mut messages = messages.lock().await;
            let batch = messages.next_batch().await?;
            messages.exact().map(|known| exact.set(known));
            Ok(batch.unwrap_or_default())
        };
        Ok(Call::then(next, move |py, batch| {
            let batch = batch.into_iter().map(|message| light::new(py, Message::new(message, blocking)));
            batch.collect::<PyResult<Vec<_>>>()?.into_py_any(py)
        }))
    }

    /// Whether the result is what the query says, word for word; `None` before the first batch.
    #[getter]
    fn exact(&self) -> Option<bool> {
        self.exact.get().copied()
    }
}
