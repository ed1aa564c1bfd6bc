//! `UidSet`: many UIDs as ranges.

use crate::errors::OrRaise;
use crate::selection;
use mailtide::imap;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::sync::{Mutex, PoisonError};

/// A set of UIDs, kept as ranges: `UidSet("1:5,9")` or `UidSet([1, 2, 3])`.
#[pyclass(frozen, eq, hash, module = "mailtide")]
#[derive(PartialEq, Eq, Hash)]
pub struct UidSet(pub imap::UidSet);

#[pymethods]
impl UidSet {
    #[new]
    fn new(uids: &Bound<'_, PyAny>) -> PyResult<Self> {
        match uids.cast::<PyString>() {
            Ok(text) => text.to_str()?.parse().map(Self).or_raise(uids.py()),
            Err(_) => uids.try_iter()?.map(|uid| selection::uid(&uid?)).collect::<PyResult<_>>().map(Self),
        }
    }

    fn __len__(&self) -> PyResult<usize> {
        Ok(usize::try_from(self.0.len())?)
    }

    fn __contains__(&self, uid: u32) -> bool {
        self.0.contains(uid)
    }

    fn __iter__(&self) -> Uids {
        let ranges = self.0.ranges().to_vec();
        Uids(Mutex::new(Box::new(ranges.into_iter().flat_map(|(first, last)| first..=last))))
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("UidSet({:?})", self.0.to_string())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((slf.getattr("__class__")?, (slf.get().0.to_string(),)))
    }
}

/// The UIDs of a set, one by one: a set may hold four billion.
#[pyclass(frozen, module = "mailtide._native")]
struct Uids(Mutex<Box<dyn Iterator<Item = u32> + Send>>);

#[pymethods]
impl Uids {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self) -> Option<u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next()
    }
}
