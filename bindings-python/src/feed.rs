//! Where the bytes of a new message come from: memory, a file, or chunks that Python hands over one by one.

use crate::bytes;
use crate::call::Call;
use mailtide::AppendSource;
use mailtide::{Code, MailError};
use pyo3::prelude::*;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use tokio::sync::mpsc;

/// A message to append; good for one call.
#[pyclass(frozen, module = "mailtide._native")]
pub struct Source(Mutex<Option<AppendSource>>);

impl Source {
    fn new(source: AppendSource) -> Self {
        Self(Mutex::new(Some(source)))
    }

    pub fn take(&self) -> PyResult<AppendSource> {
        let source = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        source.ok_or_else(|| pyo3::exceptions::PyRuntimeError::new_err("this source was used already"))
    }
}

#[pymethods]
impl Source {
    #[staticmethod]
    fn bytes(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self::new(AppendSource::Bytes(bytes::from_py(data)?)))
    }

    #[staticmethod]
    fn file(path: PathBuf) -> Self {
        Self::new(AppendSource::File(path))
    }

    /// A source and the feed that fills it. At most four chunks wait in between.
    #[staticmethod]
    fn stream(length: Option<u64>) -> (Self, Feed) {
        let (sender, chunks) = mpsc::channel(4);
        (Self::new(AppendSource::Stream { len: length, chunks }), Feed(Mutex::new(Some(sender))))
    }
}

type Sender = mpsc::Sender<mailtide::Result<::bytes::Bytes>>;

/// Takes chunks for a [`Source`].
#[pyclass(frozen, module = "mailtide._native")]
pub struct Feed(Mutex<Option<Sender>>);

#[pymethods]
impl Feed {
    /// Hands over a chunk; waits while the connection is slower. False once nobody takes them any more.
    fn send(&self, chunk: &Bound<'_, PyAny>) -> PyResult<Call> {
        let (sender, chunk) = (self.sender(), bytes::from_py(chunk)?);
        Ok(Call::new(async move {
            let Some(sender) = sender else { return Ok(false) };
            Ok(sender.send(Ok(chunk)).await.is_ok())
        }))
    }

    /// Gives up: nothing is appended.
    fn fail(&self, reason: &str) -> Call {
        let sender = self.sender();
        self.finish();
        let error = MailError::new(Code::UsageArgument, format!("The stream to append raised {reason}"));
        Call::done(async move {
            if let Some(sender) = sender {
                let _ = sender.send(Err(error)).await;
            }
            Ok(())
        })
    }

    /// All chunks were sent.
    fn finish(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Feed {
    fn sender(&self) -> Option<Sender> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
