//! Flags as Python strings.

use crate::errors::OrRaise;
use mailtide::imap::Flag;
use mailtide::{Code, MailError};
use pyo3::prelude::*;
use pyo3::types::{PyFrozenSet, PyString};

/// A set of the flags.
pub fn to_py<'py>(py: Python<'py>, flags: &[Flag]) -> PyResult<Bound<'py, PyFrozenSet>> {
    PyFrozenSet::new(py, flags.iter().map(|flag| PyString::intern(py, flag.as_str())))
}

/// One flag or several.
pub fn from_py(flags: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<Flag>> {
    let Some(flags) = flags else { return Ok(Vec::new()) };
    if flags.cast::<PyString>().is_ok() {
        return Ok(vec![one(flags)?]);
    }
    flags.try_iter()?.map(|flag| one(&flag?)).collect()
}

/// One flag; a system flag needs its backslash.
pub fn one(flag: &Bound<'_, PyAny>) -> PyResult<Flag> {
    let py = flag.py();
    match flag.cast::<PyString>() {
        Ok(text) => Flag::parse(text.to_str()?).or_raise(py),
        Err(_) => Err(MailError::new(Code::UsageFlag, "A flag is a str, such as Flag.SEEN")).or_raise(py),
    }
}
