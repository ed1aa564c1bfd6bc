//! `MessageRef`: the address of a message, to keep, compare, pickle and write down.

use crate::errors::OrRaise;
use crate::light::Light;
use mailtide::{Code, MailError};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

/// The address of one message. It stays true as long as the mailbox keeps its UIDVALIDITY.
#[pyclass(frozen, eq, ord, hash, from_py_object, module = "mailtide")]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageRef(pub mailtide::MessageRef);

impl From<&mailtide::MessageRef> for MessageRef {
    fn from(reference: &mailtide::MessageRef) -> Self {
        Self(reference.clone())
    }
}

impl Light for MessageRef {}

#[pymethods]
impl MessageRef {
    #[new]
    fn new(py: Python<'_>, account: String, mailbox: String, uid_validity: u32, uid: u32) -> PyResult<Self> {
        let zero = || MailError::new(Code::UsageArgument, "A UID and a UIDVALIDITY are numbers from 1 to 4294967295");
        let numbers = if uid == 0 || uid_validity == 0 { Err(zero()) } else { Ok(()) };
        numbers.or_raise(py)?;
        let (account, mailbox) = (account.into(), mailbox.into());
        Ok(Self(mailtide::MessageRef { account, mailbox, uid_validity, uid }))
    }

    /// The account, as `user@host`.
    #[getter]
    fn account(&self) -> &str {
        &self.0.account
    }

    /// The mailbox's decoded name.
    #[getter]
    fn mailbox(&self) -> &str {
        &self.0.mailbox
    }

    /// The mailbox's UIDVALIDITY when the UID was learned.
    #[getter]
    fn uid_validity(&self) -> u32 {
        self.0.uid_validity
    }

    /// The message's UID.
    #[getter]
    fn uid(&self) -> u32 {
        self.0.uid
    }

    /// As plain data, for JSON.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("account", &*self.0.account)?;
        dict.set_item("mailbox", &*self.0.mailbox)?;
        dict.set_item("uid_validity", self.0.uid_validity)?;
        dict.set_item("uid", self.0.uid)?;
        Ok(dict)
    }

    /// Back from `to_dict()`.
    #[classmethod]
    fn from_dict<'py>(cls: &Bound<'py, PyType>, data: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
        let field = |name: &'static str| data.get_item(name)?.ok_or_else(|| PyKeyError::new_err(name));
        cls.call1((field("account")?, field("mailbox")?, field("uid_validity")?, field("uid")?))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let inner = &slf.get().0;
        let fields = (&*inner.account, &*inner.mailbox, inner.uid_validity, inner.uid).into_pyobject(slf.py())?;
        Ok((slf.getattr("__class__")?, fields))
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        let mailtide::MessageRef { account, mailbox, uid_validity, uid } = &self.0;
        format!("MessageRef({account:?}, {mailbox:?}, {uid_validity}, {uid})")
    }
}
