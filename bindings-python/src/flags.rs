//! Flags as Python strings.

use crate::errors::OrRaise;
use mailtide::imap::Flag;
use mailtide::{Code, MailError};
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::{PyFrozenSet, PyString};
use std::sync::{Mutex, PoisonError};

type Known = Vec<(Vec<Flag>, Py<PyFrozenSet>)>;

/// Sets that were made already: most messages of a mailbox have one of a few.
static KNOWN: Mutex<Known> = Mutex::new(Vec::new());
const MOST_KNOWN: usize = 16;

/// A set of the flags.
pub fn to_py<'py>(py: Python<'py>, flags: &[Flag]) -> PyResult<Bound<'py, PyFrozenSet>> {
    let lock = || KNOWN.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
    if let Some((_, set)) = lock().iter().find(|(known, _)| known == flags) {
        return Ok(set.bind(py).clone());
    }
    // Not under the lock: this may run Python's collector, and with it anything.
    let set = PyFrozenSet::new(py, flags.iter().map(|flag| PyString::intern(py, flag.as_str())))?;
    let mut known = lock();
    if known.len() < MOST_KNOWN {
        known.push((flags.to_vec(), set.clone().unbind()));
    }
    Ok(set)
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
