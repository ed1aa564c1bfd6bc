//! `Address`: a name and an e-mail address.

use crate::light::{self, Light};
use crate::runtime::Owned;
use mailtide::imap::AddressList;
use mailtide::message::EmailAddress;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

/// An e-mail address with its display name, decoded when it is looked at.
#[pyclass(frozen, eq, hash, module = "mailtide")]
pub struct Address {
    decoded: OnceLock<Box<EmailAddress>>,
    source: Option<Source>,
}

/// The message, and which of its addresses.
struct Source(Owned<mailtide::Message>, AddressList, usize);

impl Address {
    fn of(source: Source) -> Self {
        Self { decoded: OnceLock::new(), source: Some(source) }
    }

    pub fn decoded(&self) -> &EmailAddress {
        self.decoded.get_or_init(|| {
            let source = self.source.as_ref();
            let address = source.and_then(|Source(message, list, n)| message.peek().single_addresses(*list)?.nth(*n));
            Box::new(address.unwrap_or_default().into())
        })
    }
}

impl From<EmailAddress> for Address {
    fn from(address: EmailAddress) -> Self {
        Self { decoded: OnceLock::from(Box::new(address)), source: None }
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.decoded() == other.decoded()
    }
}

impl Eq for Address {}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.decoded().hash(state);
    }
}

impl Light for Address {}

#[pymethods]
impl Address {
    #[new]
    #[pyo3(signature = (email, name=None, group=None))]
    fn new(email: String, name: Option<String>, group: Option<String>) -> Self {
        EmailAddress { name, email, group }.into()
    }

    /// The display name; `None` where there is none.
    #[getter]
    fn name(&self) -> Option<&str> {
        self.decoded().name.as_deref()
    }

    /// `local@domain`; only the local part where the message gives no domain, empty where it gives neither.
    #[getter]
    fn email(&self) -> &str {
        &self.decoded().email
    }

    /// The group (`To: Friends: a@example.org;`) that it stands in.
    #[getter]
    fn group(&self) -> Option<&str> {
        self.decoded().group.as_deref()
    }

    /// The part after the last `@`.
    #[getter]
    fn domain(&self) -> Option<&str> {
        self.decoded().domain()
    }

    fn __str__(&self) -> String {
        self.decoded().to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Address {}>", self.decoded())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let EmailAddress { name, email, group } = slf.get().decoded();
        Ok((slf.getattr("__class__")?, (email, name, group).into_pyobject(slf.py())?))
    }
}

/// The addresses of a field; a tuple, so that Python's collector need not watch it.
pub fn tuple<'py>(py: Python<'py>, message: &mailtide::Message, list: AddressList) -> PyResult<Bound<'py, PyTuple>> {
    let made: PyResult<Vec<_>> = match message.single_addresses(list).map(|all| all.len()) {
        Some(count) => {
            (0..count).map(|n| light::new(py, Address::of(Source(Owned::new(message.clone()), list, n)))).collect()
        }
        None => message.addresses(list).into_iter().map(|address| light::new(py, Address::from(address))).collect(),
    };
    PyTuple::new(py, made?)
}
