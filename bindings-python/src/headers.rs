//! Headers as the mapping of `mailtide/_types.py`.

use crate::info;
use mailtide::message::Headers;
use pyo3::prelude::*;

/// All fields, decoded.
pub fn to_py(py: Python<'_>, headers: Headers) -> PyResult<Py<PyAny>> {
    let fields: Vec<_> = headers.iter().collect();
    info::class(py, "Headers")?.call1((fields,)).map(Bound::unbind)
}
