//! `Attachment`: what is attached, and its content when that is asked for.

use crate::bytes;
use crate::call::Call;
use crate::callback::on_progress;
use crate::errors::OrRaise;
use crate::light::Light;
use crate::runtime::Owned;
use crate::stream::Stream;
use pyo3::prelude::*;
use std::path::PathBuf;

/// An attachment as the server describes it; nothing of it has been fetched.
#[pyclass(frozen, module = "mailtide")]
pub struct Attachment {
    message: Owned<mailtide::Message>,
    attachment: mailtide::message::Attachment,
    blocking: bool,
}

impl Attachment {
    pub fn new(message: &mailtide::Message, attachment: mailtide::message::Attachment, blocking: bool) -> Self {
        Self { message: Owned::new(message.clone()), attachment, blocking }
    }

    fn live(&self, py: Python<'_>) -> PyResult<mailtide::Message> {
        self.message.get().or_raise(py).cloned()
    }
}

impl Light for Attachment {}

#[pymethods]
impl Attachment {
    /// Its section number in the message, such as `2.1`.
    #[getter]
    fn path(&self) -> String {
        self.attachment.path()
    }

    /// The name that the sender gave, decoded; anything may be in it. `save()` makes it safe.
    #[getter]
    fn filename(&self) -> Option<&str> {
        self.attachment.filename.as_deref()
    }

    /// `application/pdf`, lower case.
    #[getter]
    fn media_type(&self) -> &str {
        &self.attachment.media_type
    }

    /// Bytes, near enough: servers tell the size as it is encoded.
    #[getter]
    fn size(&self) -> Option<u64> {
        self.attachment.size()
    }

    /// Whether it is shown within the text.
    #[getter]
    fn inline(&self) -> bool {
        self.attachment.inline
    }

    /// `Content-ID` without its angle brackets.
    #[getter]
    fn content_id(&self) -> Option<&str> {
        self.attachment.content_id.as_deref()
    }

    /// The content, decoded.
    fn bytes(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let (message, path) = (self.live(py)?, self.attachment.path());
        Call::new(async move { message.part(&path).await.map(bytes::Bytes) }).finish(py, self.blocking)
    }

    /// Writes the content into a folder, under a safe name that no file there has, and gives the path.
    #[pyo3(signature = (directory, *, progress=None))]
    fn save(&self, py: Python<'_>, directory: PathBuf, progress: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        let (message, path) = (self.live(py)?, self.attachment.path());
        let progress = on_progress(py, progress, self.blocking)?;
        Call::new(async move { message.save_part(&path, &directory, progress).await }).finish(py, self.blocking)
    }

    /// The content, decoded, a piece at a time.
    fn stream(&self, py: Python<'_>) -> PyResult<Stream> {
        Stream::new(py, &self.live(py)?, Some(&self.attachment.path()), self.blocking)
    }

    fn __repr__(&self) -> String {
        let size = self.size().map_or_else(String::new, |size| format!(", {size} bytes"));
        format!("<Attachment {} {:?} {}{size}>", self.path(), self.filename().unwrap_or_default(), self.media_type())
    }
}
