//! `Draft`, as the dataclass of `mailtide/_draft.py`, and addresses that are written to.

use crate::address::Address;
use crate::bytes;
use crate::errors::OrRaise;
use mailtide::message::{Draft, DraftAttachment, DraftContent, EmailAddress, parse_recipients};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
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

fn tuple(py: Python<'_>, list: Vec<EmailAddress>) -> PyResult<Bound<'_, PyTuple>> {
    PyTuple::new(py, list.into_iter().map(Address::from))
}
