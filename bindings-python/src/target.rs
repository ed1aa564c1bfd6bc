//! Names of mailboxes: a string is the server's own, a list is a path, a `Role` goes by special use.

use crate::errors::OrRaise;
use crate::mailbox::NativeMailbox;
use mailtide::Target;
use mailtide::imap::Role;
use mailtide::{Code, MailError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyList, PyString, PyTuple, PyType};

/// The mailbox that a user means.
pub fn from_py(name: &Bound<'_, PyAny>) -> PyResult<Target> {
    if name.is_instance(role_class(name.py())?)? {
        return role(name).map(Target::Role);
    }
    if let Ok(text) = name.cast::<PyString>() {
        return Ok(Target::Name(text.to_str()?.to_owned()));
    }
    if name.cast::<PyList>().is_ok() || name.cast::<PyTuple>().is_ok() {
        return name.extract().map(Target::Path);
    }
    if let Ok(mailbox) = name.cast::<NativeMailbox>() {
        return Ok(mailbox.get().target());
    }
    refused("A mailbox is named by a string, a list of levels, a Role, or a Mailbox").or_raise(name.py())
}

/// A role by its name or as a `Role`.
pub fn role(name: &Bound<'_, PyAny>) -> PyResult<Role> {
    let text = name.cast::<PyString>().map_err(PyErr::from)?;
    Role::parse(text.to_str()?).map_or_else(|| refused("There is no such role"), Ok).or_raise(name.py())
}

fn refused<T>(message: &str) -> mailtide::Result<T> {
    Err(MailError::new(Code::UsageArgument, message))
}

fn role_class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static ROLE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    ROLE.import(py, "mailtide._names", "Role")
}
