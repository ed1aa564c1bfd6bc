//! The outcome of a write on many messages, as the dataclasses of `mailtide/_types.py`.

use crate::errors;
use crate::reference::MessageRef;
use mailtide::{BulkResult, Done};
use pyo3::intern;
use pyo3::prelude::*;

/// A `BulkResult`.
pub fn to_py<'py>(py: Python<'py>, result: &BulkResult) -> PyResult<Bound<'py, PyAny>> {
    let types = py.import(intern!(py, "mailtide._types"))?;
    let (done, failed) = (types.getattr(intern!(py, "Done"))?, types.getattr(intern!(py, "Failed"))?);
    let done = result.done.iter().map(|one| done.call1(pair(one))).collect::<PyResult<Vec<_>>>()?;
    let failed = result
        .failed
        .iter()
        .map(|(reference, error)| failed.call1((MessageRef::from(reference), errors::to_py(py, error))))
        .collect::<PyResult<Vec<_>>>()?;
    let unknown: Vec<MessageRef> = result.unknown.iter().map(MessageRef::from).collect();
    types.getattr(intern!(py, "BulkResult"))?.call1((tuple(py, done)?, tuple(py, failed)?, tuple(py, unknown)?))
}

fn pair(done: &Done) -> (MessageRef, Option<MessageRef>) {
    (MessageRef::from(&done.source), done.target.as_ref().map(MessageRef::from))
}

fn tuple<'py, T: IntoPyObject<'py>>(py: Python<'py>, items: Vec<T>) -> PyResult<Bound<'py, pyo3::types::PyTuple>> {
    pyo3::types::PyTuple::new(py, items)
}
