//! `Draft`, as the dataclass of `mailtide/_draft.py`, and addresses that are written to.

use crate::address::Address;
use crate::bytes;
use crate::errors::OrRaise;
use mailtide::message::{Draft, DraftAttachment, DraftContent, EmailAddress, parse_recipients};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyBytes, PyDict, PyTuple};
use std::path::PathBuf;

/// One address or several, as a header has them; what is none is `usage.address`.
#[pyfunction]
pub fn addresses<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyTuple>> {
    tuple(py, parse_recipients(text).or_raise(py)?)
}

/// The draft that a user has made.
pub fn from_py(draft: &Bound<'_, PyAny>) -> PyResult<Draft> {
    let list = |name: &str| several(&draft.getattr(name)?);
    let from: Option<Bound<'_, PyAny>> = draft.getattr("from_")?.extract()?;
    Ok(Draft {
        from: from.as_ref().map(sender).transpose()?,
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

/// A draft of the engine as a user may change it.
pub fn to_py(py: Python<'_>, draft: Draft) -> PyResult<Py<PyAny>> {
    let module = py.import(intern!(py, "mailtide._draft"))?;
    let class = module.getattr(intern!(py, "DraftAttachment"))?;
    let attach = draft.attachments.into_iter().map(|file| attached(&class, file)).collect::<PyResult<Vec<_>>>()?;
    let fields = PyDict::new(py);
    for (name, list) in [("to", draft.to), ("cc", draft.cc), ("bcc", draft.bcc), ("reply_to", draft.reply_to)] {
        fields.set_item(name, tuple(py, list)?)?;
    }
    fields.set_item("from_", draft.from.map(Address::from))?;
    fields.set_item("subject", draft.subject)?;
    for (name, text) in [("text", draft.text), ("html", draft.html), ("in_reply_to", draft.in_reply_to)] {
        fields.set_item(name, text)?;
    }
    fields.set_item("attach", attach)?;
    fields.set_item("references", draft.references)?;
    fields.set_item("headers", draft.headers)?;
    module.getattr(intern!(py, "Draft"))?.call((), Some(&fields)).map(Bound::unbind)
}

fn attached<'py>(class: &Bound<'py, PyAny>, file: DraftAttachment) -> PyResult<Bound<'py, PyAny>> {
    let py = class.py();
    let content = match file.content {
        DraftContent::Bytes(content) => PyBytes::new(py, &content).into_any(),
        DraftContent::File(path) => path.into_pyobject(py)?.into_any(),
    };
    let rest = [("media_type", file.media_type), ("content_id", file.content_id)].into_py_dict(py)?;
    class.call((file.filename, content), Some(&rest))
}

/// One address, as the Python layer has made it.
pub fn sender(address: &Bound<'_, PyAny>) -> PyResult<EmailAddress> {
    Ok(address.cast::<Address>()?.get().decoded().clone())
}

/// Recipients in any form that a draft takes.
pub fn recipients(given: &Bound<'_, PyAny>) -> PyResult<Vec<EmailAddress>> {
    let made = given.py().import(intern!(given.py(), "mailtide._draft"))?.call_method1("_addresses", (given,))?;
    several(&made)
}

/// The same, without their names.
pub fn emails(given: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    Ok(recipients(given)?.into_iter().map(|address| address.email).collect())
}

fn several(list: &Bound<'_, PyAny>) -> PyResult<Vec<EmailAddress>> {
    list.try_iter()?.map(|one| sender(&one?)).collect()
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

/// Addresses that are decoded already.
pub fn tuple(py: Python<'_>, list: Vec<EmailAddress>) -> PyResult<Bound<'_, PyTuple>> {
    PyTuple::new(py, list.into_iter().map(Address::from))
}
