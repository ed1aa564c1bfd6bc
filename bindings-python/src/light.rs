//! Objects that Python's cyclic collector need not watch: fifty thousand of them would cost it more than all else.
#![allow(unsafe_code)]

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::pyclass::PyClass;

/// A class whose objects can never be part of a cycle: frozen, final, and holding nothing that could refer back.
pub trait Light: PyClass {}

/// A new object, unknown to the collector. Every pyclass is made known to it otherwise.
pub fn new<T: Light + Into<PyClassInitializer<T>>>(py: Python<'_>, value: T) -> PyResult<Bound<'_, T>> {
    let made = Bound::new(py, value)?;
    // SAFETY: a live object of a type with Py_TPFLAGS_HAVE_GC; taking away one that is not tracked does nothing, so
    // its deallocation is as always.
    unsafe { ffi::PyObject_GC_UnTrack(made.as_ptr().cast()) };
    Ok(made)
}
