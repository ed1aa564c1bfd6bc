//! Bytes of the engine, lent to Python without a copy (buffer protocol, in the stable interface since 3.11).
#![allow(unsafe_code)]

use pyo3::exceptions::{PyBufferError, PyIndexError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PySlice, PyString};
use std::ffi::{CStr, c_int};

/// A piece of a message as it came: `memoryview(data)` costs nothing, `bytes(data)` copies.
#[pyclass(frozen, module = "mailtide", name = "Bytes")]
pub struct Bytes(pub bytes::Bytes);

#[pymethods]
impl Bytes {
    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0)
    }

    /// The text that these bytes are in a charset.
    #[pyo3(signature = (encoding="utf-8", errors="strict"))]
    fn decode<'py>(&self, py: Python<'py>, encoding: &str, errors: &str) -> PyResult<Bound<'py, PyAny>> {
        self.__bytes__(py).call_method1("decode", (encoding, errors))
    }

    /// An index gives a number, a slice more `Bytes` over the same memory.
    fn __getitem__<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        match key.cast::<PySlice>() {
            Ok(slice) => self.slice(slice),
            Err(_) => Ok(self.at(key.extract()?)?.into_pyobject(py)?.into_any()),
        }
    }

    fn __contains__(&self, py: Python<'_>, item: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.__bytes__(py).contains(item)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        match (other.cast::<Self>(), other.cast::<PyBytes>()) {
            (Ok(other), _) => self.0 == other.get().0,
            (_, Ok(other)) => self.0 == other.as_bytes(),
            _ => false,
        }
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.__bytes__(py).hash()
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        Ok((py.get_type::<Self>().into_any(), (self.__bytes__(py),)))
    }

    #[new]
    fn new(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        from_py(data).map(Self)
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        let shown = PyBytes::new(py, self.0.get(..32).unwrap_or(&self.0)).repr()?;
        let more = if self.0.len() > 32 { "…" } else { "" };
        Ok(PyString::new(py, &format!("<mailtide.Bytes of {}: {shown}{more}>", self.0.len())))
    }

    /// # Safety
    /// Called by the interpreter with a view to fill. The view owns a reference to `slf`, and `slf` never changes.
    unsafe fn __getbuffer__(slf: &Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        if view.is_null() {
            return Err(PyBufferError::new_err("View is null"));
        }
        let data = &slf.get().0;
        let length = ffi::Py_ssize_t::try_from(data.len())?;
        let start = data.as_ptr().cast_mut().cast();
        // SAFETY: the memory lives as long as `slf`, to which the view gets its own reference; it is read-only.
        let filled = unsafe { ffi::PyBuffer_FillInfo(view, slf.as_ptr(), start, length, 1, flags) };
        if filled == 0 { Ok(()) } else { Err(PyErr::fetch(slf.py())) }
    }
}

impl Bytes {
    fn slice<'py>(&self, slice: &Bound<'py, PySlice>) -> PyResult<Bound<'py, PyAny>> {
        let py = slice.py();
        let range = slice.indices(self.0.len().try_into()?)?;
        if range.step != 1 {
            return self.__bytes__(py).get_item(slice);
        }
        let start = usize::try_from(range.start)?;
        let part = self.0.slice(start..start + range.slicelength);
        Ok(Bound::new(py, Self(part))?.into_any())
    }

    fn at(&self, index: isize) -> PyResult<u8> {
        let index = if index < 0 { index + isize::try_from(self.0.len())? } else { index };
        let byte = usize::try_from(index).ok().and_then(|index| self.0.get(index));
        byte.copied().ok_or_else(|| PyIndexError::new_err("index out of range"))
    }
}

/// Any bytes-like object; copied, but for our own.
pub fn from_py(data: &Bound<'_, PyAny>) -> PyResult<bytes::Bytes> {
    const NEEDED: &CStr = c"a bytes-like object is needed, not text";
    if let Ok(own) = data.cast::<Bytes>() {
        return Ok(own.get().0.clone());
    }
    if let Ok(plain) = data.cast::<PyBytes>() {
        return Ok(bytes::Bytes::copy_from_slice(plain.as_bytes()));
    }
    let buffer = pyo3::buffer::PyBuffer::<u8>::get(data).map_err(|_| PyTypeError::new_err(NEEDED.to_string_lossy()))?;
    buffer.to_vec(data.py()).map(bytes::Bytes::from)
}
