//! The engine's errors as Python exceptions. Which class a code has is said once, in `mailtide/_errors.py`.

use crate::bulk;
use mailtide::{Code, Context, MailError, Retry};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The exception for an error.
pub fn to_py(py: Python<'_>, error: &MailError) -> PyErr {
    build(py, error).map_or_else(|failed| failed, PyErr::from_value)
}

fn build<'py>(py: Python<'py>, error: &MailError) -> PyResult<Bound<'py, PyAny>> {
    let delay = match error.retry() {
        Retry::Later(Some(delay)) => Some(delay.as_secs_f64()),
        _ => None,
    };
    let result = error.bulk().map(|result| bulk::to_py(py, result)).transpose()?;
    py.import(intern!(py, "mailtide._errors"))?.getattr(intern!(py, "_build"))?.call1((
        error.code().as_str(),
        error.message(),
        error.to_string(),
        error.retry().as_str(),
        delay,
        context(py, error.context())?,
        result,
    ))
}

fn context<'py>(py: Python<'py>, context: &Context) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let set = |name: &str, value: Option<&str>| value.map_or(Ok(()), |value| dict.set_item(name, value));
    set("host", context.host.as_deref())?;
    set("mailbox", context.mailbox.as_deref())?;
    set("command", context.command.as_deref())?;
    set("server", context.server.as_deref())?;
    set("server_code", context.server_code.as_deref())?;
    set("hint", context.hint.as_deref())?;
    context.uid.map_or(Ok(()), |uid| dict.set_item("uid", uid))?;
    context.position.map_or(Ok(()), |position| dict.set_item("position", position))?;
    Ok(dict)
}

/// For what a newer engine may tell and this door does not know.
pub fn unexpected(py: Python<'_>, what: &str) -> PyErr {
    to_py(py, &MailError::new(Code::Internal, format!("The engine told something unknown: {what}")))
}

/// Short for methods that fail before they call the engine.
pub trait OrRaise<T> {
    /// The value, or the exception.
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for mailtide::Result<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| to_py(py, &error))
    }
}

/// An error of the Python layer: `make_error("usage.selection", "…", "…")`.
#[pyfunction]
#[pyo3(signature = (code, message, hint=None))]
pub fn make_error(py: Python<'_>, code: &str, message: &str, hint: Option<&str>) -> PyResult<Py<PyAny>> {
    let code = Code::ALL.iter().find(|known| known.as_str() == code).copied().unwrap_or(Code::Internal);
    let error = MailError::new(code, message);
    let error = match hint {
        Some(hint) => error.hint(hint),
        None => error,
    };
    build(py, &error).map(Bound::unbind)
}

/// Every code there is.
#[pyfunction]
pub fn codes() -> Vec<&'static str> {
    Code::ALL.iter().map(|code| code.as_str()).collect()
}
