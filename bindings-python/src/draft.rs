//! `Draft`, as the dataclass of `mailtide/_draft.py`, and addresses that are written to.

use crate::address::Address;
use crate::bytes;
use crate::errors::OrRaise;
use mailtide::message::{Draft, DraftAttachment, DraftContent, EmailAddress, parse_recipients};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::path::PathBuf;

/// One address or several, as a header has them; what is none is `usage.address`.
#[pyfunction]
pub fn addresses<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyTuple>> {
    tuple(py, parse_recipients(text).or_raise(py)?)
}

/// The draft that a user has made.
pub fn from_py(draft: &Bound<'_, PyAny>) -> PyResult<Draft> {
    let list = |name: &str| several(&draft.getattr(name)?);
    let from: Option<Bound<'_, Address>> = draft.getattr("from_")?.extract()?;
    Ok(Draft {
        from: from.map(|from| from.get().decoded().clone()),
        to: list("to")?,
        cc: list("cc")?,
        bcc: list("bcc")?,
        reply_to: list("reply_to")?,
        subject: draft.getattr("subject")?.extract()?,
        text: draft.getattr("text")?.extract()?,
        html: draft.getattr("html")?.extract()?,
        attachments: draft.getattr("attach")?.try_iter()?.map(|one| attachment(&one?)).collect::<PyResult<_>>()?,
        in_reply_to: draft.getattr("in_reply_to")?.extract()?,
        references: draft.getattr("references")?.extract()?,
        headers: draft.getattr("headers")?.extract()?,
    })
}

fn several(list: &Bound<'_, PyAny>) -> PyResult<Vec<EmailAddress>> {
    list.try_iter()?.map(|one| Ok(one?.cast::<Address>()?.get().decoded().clone())).collect()
}

fn attachment(given: &Bound<'_, PyAny>) -> PyResult<DraftAttachment> {
    let content = given.getattr("content")?;
    let path = content.hasattr("__fspath__")?;
    Ok(DraftAttachment {
        filename: given.getattr("filename")?.extract()?,
        media_type: given.getattr("media_type")?.extract()?,
        content: if path {
            DraftContent::File(content.extract::<PathBuf>()?)
        } else {
            DraftContent::Bytes(bytes::from_py(&content)?)
        },
        content_id: given.getattr("content_id")?.extract()?,
    })
}

/// A draft of the engine (a reply, a forwarded message) for the user to go on with.
pub fn to_py(py: Python<'_>, draft: Draft) -> PyResult<Py<PyAny>> {
    let classes = py.import(intern!(py, "mailtide._draft"))?;
    let fields = PyDict::new(py);
    for (name, list) in [("to", draft.to), ("cc", draft.cc), ("bcc", draft.bcc), ("reply_to", draft.reply_to)] {
        fields.set_item(name, tuple(py, list)?)?;
    }
    fields.set_item("from_", draft.from.map(Address::from))?;
    fields.set_item("subject", draft.subject)?;
    fields.set_item("text", draft.text)?;
    fields.set_item("html", draft.html)?;
    let attach = draft.attachments.into_iter().map(|one| attached(&classes, one)).collect::<PyResult<Vec<_>>>()?;
    fields.set_item("attach", attach)?;
    fields.set_item("in_reply_to", draft.in_reply_to)?;
    fields.set_item("references", draft.references)?;
    fields.set_item("headers", draft.headers)?;
    classes.getattr("Draft")?.call((), Some(&fields)).map(Bound::unbind)
}

fn attached<'py>(classes: &Bound<'py, PyModule>, one: DraftAttachment) -> PyResult<Bound<'py, PyAny>> {
    let py = classes.py();
    let content = match one.content {
        DraftContent::Bytes(bytes) => pyo3::types::PyBytes::new(py, &bytes).into_any(),
        DraftContent::File(path) => path.into_pyobject(py)?.into_any(),
    };
    let more = PyDict::new(py);
    more.set_item("media_type", one.media_type)?;
    more.set_item("content_id", one.content_id)?;
    classes.getattr("DraftAttachment")?.call((one.filename, content), Some(&more))
}

fn tuple(py: Python<'_>, list: Vec<EmailAddress>) -> PyResult<Bound<'_, PyTuple>> {
    PyTuple::new(py, list.into_iter().map(Address::from))
}
