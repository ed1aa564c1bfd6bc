//! `export` and `import_`: options in, the dataclasses of `mailtide/_local.py` out.

use crate::callback::on_progress;
use crate::errors::OrRaise;
use crate::{selection, target};
use mailtide::archive::MboxQuoting;
use mailtide::{ArchiveFormat, Code, ExportOptions, Exported, ImportOptions, Imported, MailError, Selection};
use pyo3::intern;
use pyo3::prelude::*;

type Given<'py> = Option<Bound<'py, PyAny>>;

/// `format, mailbox, query, tz, progress`, as the Python layer passes them.
pub fn export_options(given: &Bound<'_, PyAny>, blocking: bool) -> PyResult<ExportOptions> {
    let py = given.py();
    let (format, mailbox, query, time_zone, progress): (String, Given<'_>, Given<'_>, Option<String>, Given<'_>) =
        given.extract()?;
    let unknown = || MailError::new(Code::UsageArgument, "format= is mbox or maildir");
    let no_query = || MailError::new(Code::UsageSelection, "query= is a query, for all mailboxes alike");
    let query = match selection::read(query.as_ref())? {
        Selection::Query(query) => Ok(Some(query)),
        Selection::All => Ok(None),
        _ => Err(no_query()),
    };
    Ok(ExportOptions {
        format: ArchiveFormat::parse(&format).ok_or_else(unknown).or_raise(py)?,
        mailbox: mailbox.as_ref().map(target::from_py).transpose()?,
        query: query.or_raise(py)?,
        time_zone,
        on_progress: on_progress(py, progress.as_ref(), blocking)?,
    })
}

/// `to, quoting, progress`.
pub fn import_options(given: &Bound<'_, PyAny>, blocking: bool) -> PyResult<ImportOptions> {
    let py = given.py();
    let (to, quoting, progress): (Given<'_>, String, Given<'_>) = given.extract()?;
    let unknown = || MailError::new(Code::UsageArgument, "quoting= is rd, o or none");
    Ok(ImportOptions {
        to: to.as_ref().map(target::from_py).transpose()?,
        quoting: MboxQuoting::parse(&quoting).ok_or_else(unknown).or_raise(py)?,
        on_progress: on_progress(py, progress.as_ref(), blocking)?,
    })
}

/// An `Exported`.
pub fn exported(py: Python<'_>, done: Exported) -> PyResult<Py<PyAny>> {
    class(py, "Exported")?.call1((done.mailboxes, done.messages, done.bytes)).map(Bound::unbind)
}

/// An `Imported`.
pub fn imported(py: Python<'_>, done: Imported) -> PyResult<Py<PyAny>> {
    class(py, "Imported")?.call1((done.messages, done.known, done.bytes)).map(Bound::unbind)
}

fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import(intern!(py, "mailtide._local"))?.getattr(name)
}
