//! `Mail.search`: options in, the dataclasses of `mailtide/_search.py` out.

use crate::errors::OrRaise;
use crate::light;
use crate::message::Message;
use crate::{selection, target};
use mailtide::query::{Query, Snippet};
use mailtide::store::search::SearchOrder;
use mailtide::{Code, MailError, MailHit, MailSearchOptions, Selection};
use pyo3::IntoPyObjectExt;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// The query; only a query finds messages in all mailboxes.
pub fn query(given: &Bound<'_, PyAny>) -> PyResult<Query> {
    let no_query = || MailError::new(Code::UsageSelection, "A search of all mailboxes takes a query");
    let query = match selection::read(Some(given))? {
        Selection::Query(query) => Ok(query),
        _ => Err(no_query()),
    };
    query.or_raise(given.py())
}

/// `mailbox, order, limit, snippets, tz`, as the Python layer passes them.
pub fn options(given: &Bound<'_, PyAny>) -> PyResult<MailSearchOptions> {
    let (mailbox, order, limit, snippets, time_zone): (Option<Bound<'_, PyAny>>, String, _, _, _) = given.extract()?;
    let unknown = || MailError::new(Code::UsageArgument, "order= is newest, oldest or rank");
    let order = SearchOrder::parse(&order).ok_or_else(unknown).or_raise(given.py())?;
    let mailbox = mailbox.as_ref().map(target::from_py).transpose()?;
    Ok(MailSearchOptions { mailbox, order, limit, snippets, time_zone })
}

/// `Hit`s.
pub fn hits(py: Python<'_>, hits: Vec<MailHit>, blocking: bool) -> PyResult<Py<PyAny>> {
    let class = class(py, "Hit")?;
    let hit = |hit: MailHit| {
        let message = light::new(py, Message::new(hit.message, blocking))?;
        class.call1((message, hit.score, hit.snippet.map(|found| snippet(py, &found)).transpose()?))
    };
    hits.into_iter().map(hit).collect::<PyResult<Vec<_>>>()?.into_py_any(py)
}

/// A `Snippet`, its marks in characters.
fn snippet<'py>(py: Python<'py>, snippet: &Snippet) -> PyResult<Bound<'py, PyAny>> {
    let marks = snippet.marks_counted(|_| 1).into_iter().map(|mark| (mark.start, mark.end));
    let marks = PyTuple::new(py, marks.collect::<Vec<_>>())?;
    class(py, "Snippet")?.call1((&snippet.text, marks, snippet.begins_inside, snippet.ends_inside))
}

fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import(intern!(py, "mailtide._search"))?.getattr(name)
}
