//! `Address`: a name and an e-mail address.

use crate::light::{self, Light};
use mailtide::message::EmailAddress;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// An e-mail address with its display name, decoded.
#[pyclass(frozen, eq, hash, module = "mailtide")]
#[derive(PartialEq, Eq, Hash)]
pub struct Address(EmailAddress);

impl Light for Address {}

#[pymethods]
impl Address {
    #[new]
    #[pyo3(signature = (email, name=None, group=None))]
    fn new(email: String, name: Option<String>, group: Option<String>) -> Self {
        Self(EmailAddress { name, email, group })
    }

    /// The display name; `None` where there is none.
    #[getter]
    fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// `local@domain`; only the local part where the message gives no domain, empty where it gives neither.
    #[getter]
    fn email(&self) -> &str {
        &self.0.email
    }

    /// The group (`To: Friends: a@example.org;`) that it stands in.
    #[getter]
    fn group(&self) -> Option<&str> {
        self.0.group.as_deref()
    }

    /// The part after the last `@`.
    #[getter]
    fn domain(&self) -> Option<&str> {
        self.0.domain()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Address {}>", self.0)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let EmailAddress { name, email, group } = &slf.get().0;
        Ok((slf.getattr("__class__")?, (email, name, group).into_pyobject(slf.py())?))
    }
}

/// A tuple, so that Python's collector need not watch it.
pub fn tuple(py: Python<'_>, addresses: Vec<EmailAddress>) -> PyResult<Bound<'_, PyTuple>> {
    let addresses = addresses.into_iter().map(|address| light::new(py, Address(address)));
    PyTuple::new(py, addresses.collect::<PyResult<Vec<_>>>()?)
}
