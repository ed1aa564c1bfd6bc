//! Options of the calls, as the Python layer passes them.

use crate::callback::on_progress;
use crate::errors::OrRaise;
use crate::flags;
use mailtide::{Code, MailError, Result};
use mailtide::{Columns, FetchOptions, FlagChange, Order, Parts, Since};
use pyo3::prelude::*;

/// `parts, columns, limit, order, exact, tz, progress`.
#[derive(FromPyObject)]
pub struct FetchArguments<'py>(
    Vec<String>,
    Option<Vec<String>>,
    Option<u64>,
    String,
    bool,
    Option<String>,
    Option<Bound<'py, PyAny>>,
);

impl FetchArguments<'_> {
    pub fn read(self, py: Python<'_>, blocking: bool) -> PyResult<FetchOptions> {
        let Self(names, wanted, limit, order, exact, time_zone, progress) = self;
        Ok(FetchOptions {
            parts: parts(&names).or_raise(py)?,
            columns: wanted.map_or(Ok(Columns::default()), |names| columns(&names)).or_raise(py)?,
            limit,
            order: self::order(&order).or_raise(py)?,
            exact,
            time_zone,
            on_progress: on_progress(py, progress.as_ref(), blocking)?,
        })
    }
}

fn parts(names: &[String]) -> Result<Parts> {
    let mut parts = Parts::default();
    for name in names {
        *match name.as_str() {
            "text" => &mut parts.text,
            "html" => &mut parts.html,
            "headers" => &mut parts.headers,
            "raw" => &mut parts.raw,
            other => return unknown("part", other, "Parts are text, html, headers and raw"),
        } = true;
    }
    Ok(parts)
}

fn columns(names: &[String]) -> Result<Columns> {
    let mut columns = Columns::NONE;
    for name in names {
        match name.as_str() {
            "uid" | "ref" => {}
            "flags" => columns.flags = true,
            "received" => columns.received = true,
            "size" => columns.size = true,
            "date" | "subject" | "from_" | "sender" | "reply_to" | "to" | "cc" | "bcc" | "message_id"
            | "in_reply_to" => columns.envelope = true,
            "attachments" => columns.structure = true,
            "thread" => columns.thread = true,
            other => return unknown("column", other, "Columns are the properties of a Message"),
        }
    }
    Ok(columns)
}

fn order(name: &str) -> Result<Order> {
    match name {
        "oldest" => Ok(Order::Oldest),
        "newest" => Ok(Order::Newest),
        other => unknown("order", other, "Orders are oldest and newest"),
    }
}

fn unknown<T>(what: &str, name: &str, hint: &str) -> Result<T> {
    Err(MailError::new(Code::UsageArgument, format!("There is no {what} {name:?}")).hint(hint))
}

type Flags<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

/// What `flag()` shall do.
pub fn flag_change(add: Flags<'_, '_>, remove: Flags<'_, '_>, set: Flags<'_, '_>) -> PyResult<FlagChange> {
    let set = set.map(|set| flags::from_py(Some(set))).transpose()?;
    Ok(FlagChange { add: flags::from_py(add)?, remove: flags::from_py(remove)?, set })
}

/// `now`, `all`, or a cursor.
pub fn since(since: &str) -> Since {
    match since {
        "now" => Since::Now,
        "all" => Since::All,
        cursor => Since::Cursor(cursor.to_owned()),
    }
}
