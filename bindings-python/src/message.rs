//! `Message`: what a fetch told of one message, decoded when it is asked for.

use crate::attachment::Attachment;
use crate::call::Call;
use crate::errors::OrRaise;
use crate::light::{self, Light};
use crate::reference::MessageRef;
use crate::runtime::Owned;
use crate::stream::Stream;
use crate::{address, bytes, dates, draft, flags};
use mailtide::imap::{AddressList, Envelope};
use mailtide::message::{ForwardOptions, ReplyOptions};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDateTime, PyFrozenSet, PyTuple};

type Date<'py> = PyResult<Option<Bound<'py, PyDateTime>>>;
type Tuple<'py> = PyResult<Bound<'py, PyTuple>>;

/// One message. Properties tell what came with the fetch and never do I/O; methods may.
#[pyclass(frozen, module = "mailtide")]
pub struct Message {
    message: Owned<mailtide::Message>,
    /// Decoded once: servers repeat it as `Sender` and `Reply-To`.
    from: PyOnceLock<Py<PyTuple>>,
    blocking: bool,
}

impl Message {
    pub fn new(message: mailtide::Message, blocking: bool) -> Self {
        Self { message: Owned::new(message), from: PyOnceLock::new(), blocking }
    }

    /// For what needs no connection.
    pub fn core(&self) -> &mailtide::Message {
        self.message.peek()
    }

    fn live(&self, py: Python<'_>) -> PyResult<mailtide::Message> {
        self.message.get().or_raise(py).cloned()
    }
}

/// Servers repeat `From` as `Sender` and `Reply-To` where the header has none.
fn repeats(envelope: &Envelope, list: AddressList) -> bool {
    envelope.addresses(list).eq(envelope.addresses(AddressList::From))
}

// It holds at most a tuple of addresses.
impl Light for Message {}

#[pymethods]
impl Message {
    #[getter]
    fn r#ref<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, MessageRef>> {
        light::new(py, MessageRef::from(self.core().reference()))
    }

    #[getter]
    fn uid(&self) -> u32 {
        self.core().uid()
    }

    #[getter]
    fn flags<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyFrozenSet>> {
        flags::to_py(py, self.core().flags())
    }

    #[getter]
    fn size(&self) -> Option<u64> {
        self.core().size()
    }

    #[getter]
    fn received<'py>(&self, py: Python<'py>) -> Date<'py> {
        self.core().received().map_or(Ok(None), |date| dates::to_py(py, date))
    }

    #[getter]
    fn date<'py>(&self, py: Python<'py>) -> Date<'py> {
        self.core().date().map_or(Ok(None), |date| dates::to_py(py, date))
    }

    #[getter]
    fn subject(&self) -> Option<String> {
        self.core().subject()
    }

    #[getter]
    fn from_<'py>(&self, py: Python<'py>) -> Tuple<'py> {
        let from =
            self.from.get_or_try_init(py, || address::tuple(py, self.core(), AddressList::From).map(Bound::unbind));
        from.map(|from| from.bind(py).clone())
    }

    #[getter]
    fn sender<'py>(&self, py: Python<'py>) -> Tuple<'py> {
        match self.core().envelope() {
            Some(envelope) if repeats(envelope, AddressList::Sender) => self.from_(py),
            _ => address::tuple(py, self.core(), AddressList::Sender),
        }
    }

    #[getter]
    fn reply_to<'py>(&self, py: Python<'py>) -> Tuple<'py> {
        match self.core().envelope() {
            Some(envelope) if repeats(envelope, AddressList::ReplyTo) => self.from_(py),
            _ => address::tuple(py, self.core(), AddressList::ReplyTo),
        }
    }

    #[getter]
    fn to<'py>(&self, py: Python<'py>) -> Tuple<'py> {
        address::tuple(py, self.core(), AddressList::To)
    }

    #[getter]
    fn cc<'py>(&self, py: Python<'py>) -> Tuple<'py> {
        address::tuple(py, self.core(), AddressList::Cc)
    }

    #[getter]
    fn bcc<'py>(&self, py: Python<'py>) -> Tuple<'py> {
        address::tuple(py, self.core(), AddressList::Bcc)
    }

    #[getter]
    fn message_id(&self) -> Option<String> {
        self.core().message_id()
    }

    #[getter]
    fn in_reply_to(&self) -> Option<String> {
        self.core().in_reply_to()
    }

    #[getter]
    fn mod_seq(&self) -> Option<u64> {
        self.core().mod_seq()
    }

    #[getter]
    fn thread(&self) -> Option<String> {
        self.core().thread()
    }

    #[getter]
    fn attachments<'py>(&self, py: Python<'py>) -> Tuple<'py> {
        let attachments = self.core().attachments().into_iter();
        let attachments = attachments.map(|one| light::new(py, Attachment::new(self.core(), one, self.blocking)));
        PyTuple::new(py, attachments.collect::<PyResult<Vec<_>>>()?)
    }

    #[getter]
    fn problems<'py>(&self, py: Python<'py>) -> Tuple<'py> {
        PyTuple::new(py, self.core().problems())
    }

    /// The text as a person would read it: plain, else the HTML without its markup.
    fn text(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let message = self.live(py)?;
        Call::new(async move { message.text().await }).finish(py, self.blocking)
    }

    /// The HTML text as the sender wrote it, or `None`: never show it without a sanitiser.
    fn html(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let message = self.live(py)?;
        Call::new(async move { message.html().await }).finish(py, self.blocking)
    }

    /// The whole header.
    fn headers(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let message = self.live(py)?;
        Call::then(async move { message.headers().await }, crate::headers::to_py).finish(py, self.blocking)
    }

    /// The whole message as its bytes are.
    fn raw(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let message = self.live(py)?;
        Call::new(async move { message.raw().await.map(bytes::Bytes) }).finish(py, self.blocking)
    }

    /// The whole message, a piece at a time.
    fn stream(&self, py: Python<'_>) -> PyResult<Stream> {
        Stream::new(py, &self.live(py)?, None, self.blocking)
    }

    /// A draft that answers it: to the sender or to `all`, in its thread, its text quoted below what is written.
    #[pyo3(signature = (text="", *, all=false, quote=true, attribution=None, me=None))]
    fn reply(
        &self,
        py: Python<'_>,
        text: &str,
        all: bool,
        quote: bool,
        attribution: Option<String>,
        me: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let (message, me) = (self.live(py)?, me.map_or(Ok(Vec::new()), draft::emails)?);
        let options = ReplyOptions { all, me, text: text.to_owned(), no_quote: !quote, attribution };
        Call::then(async move { message.reply(&options).await }, draft::to_py).finish(py, self.blocking)
    }

    /// A draft that passes it on, with its attachments unless they are to stay behind.
    #[pyo3(signature = (to=None, text="", *, attachments=true))]
    fn forward(
        &self,
        py: Python<'_>,
        to: Option<&Bound<'_, PyAny>>,
        text: &str,
        attachments: bool,
    ) -> PyResult<Py<PyAny>> {
        let (message, to) = (self.live(py)?, to.map_or(Ok(Vec::new()), draft::recipients)?);
        let options = ForwardOptions { to, text: text.to_owned(), no_attachments: !attachments };
        Call::then(async move { message.forward(&options).await }, draft::to_py).finish(py, self.blocking)
    }

    /// Pickled, it is what is known of it: events are pickled, and carry messages.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import(intern!(slf.py(), "mailtide._snapshot"))?.call_method1("reduce", (slf,))
    }

    fn __repr__(&self) -> String {
        let subject: String = self.core().subject().unwrap_or_default().chars().take(60).collect();
        format!("<Message {} {subject:?}>", self.core().uid())
    }

    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import(intern!(slf.py(), "mailtide._views"))?.call_method1("message_html", (slf,))
    }
}
