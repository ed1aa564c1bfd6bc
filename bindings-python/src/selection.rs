//! Which messages a call is about. Reads take a query string too; a write that got one is a mistake, and refused.

use crate::errors::OrRaise;
use crate::message::Message;
use crate::query::Q;
use crate::reference::MessageRef;
use crate::uidset::UidSet;
use mailtide::Selection;
use mailtide::{Code, MailError, imap};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyInt, PyMapping, PyString};

/// A selection to read: a query string, nothing for all, or what a write takes.
pub fn read(selection: Option<&Bound<'_, PyAny>>) -> PyResult<Selection> {
    let Some(selection) = selection else { return Ok(Selection::All) };
    match selection.cast::<PyString>() {
        Ok(text) => Q::parse(selection.py(), text.to_str()?).map(Selection::Query),
        Err(_) => write(selection),
    }
}

/// A selection to write to: `Message | MessageRef | int | an iterable of those | UidSet | Q`.
pub fn write(selection: &Bound<'_, PyAny>) -> PyResult<Selection> {
    if let Ok(query) = selection.cast::<Q>() {
        return Ok(Selection::Query(query.get().0.clone()));
    }
    if let Ok(uids) = selection.cast::<UidSet>() {
        return Ok(Selection::Uids(uids.get().0.clone()));
    }
    let mut found = Found::default();
    if !found.add(selection)? {
        found.add_all(selection)?;
    }
    found.finish(selection.py())
}

#[derive(Default)]
struct Found {
    refs: Vec<mailtide::MessageRef>,
    uids: Vec<u32>,
}

impl Found {
    /// Takes one message; false where it is none.
    fn add(&mut self, item: &Bound<'_, PyAny>) -> PyResult<bool> {
        if let Ok(message) = item.cast::<Message>() {
            self.refs.push(message.get().core().reference().clone());
        } else if let Ok(reference) = item.cast::<MessageRef>() {
            self.refs.push(reference.get().0.clone());
        } else if item.cast::<PyInt>().is_ok() && item.cast::<PyBool>().is_err() {
            self.uids.push(uid(item)?);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn add_all(&mut self, items: &Bound<'_, PyAny>) -> PyResult<()> {
        let items = match items.try_iter() {
            Ok(iterator) if !is_text_or_mapping(items) => iterator,
            _ => return Err(refused(items)),
        };
        for item in items {
            let item = item?;
            if !self.add(&item)? {
                return Err(refused(&item));
            }
        }
        Ok(())
    }

    fn finish(self, py: Python<'_>) -> PyResult<Selection> {
        match (self.refs.is_empty(), self.uids.is_empty()) {
            (true, _) => Ok(Selection::Uids(self.uids.into_iter().collect::<imap::UidSet>())),
            (false, true) => Ok(Selection::Refs(self.refs)),
            (false, false) => error("A selection holds UIDs or refs, not both", "Use message.ref for all").or_raise(py),
        }
    }
}

/// A UID; `True` is none.
pub fn uid(number: &Bound<'_, PyAny>) -> PyResult<u32> {
    let number_only = number.cast::<PyBool>().is_err();
    let uid = number.extract::<u32>().ok().filter(|uid| number_only && *uid != 0);
    uid.map_or_else(|| error("A UID is a number from 1 to 4294967295", "Sequence numbers are not used here"), Ok)
        .or_raise(number.py())
}

fn is_text_or_mapping(items: &Bound<'_, PyAny>) -> bool {
    items.cast::<PyString>().is_ok()
        || items.cast::<PyBytes>().is_ok()
        || items.cast::<PyByteArray>().is_ok()
        || items.cast::<PyMapping>().is_ok()
}

fn refused(item: &Bound<'_, PyAny>) -> PyErr {
    let kind = item.get_type().name().map_or_else(|_| "this".to_owned(), |name| name.to_string());
    let hint = match kind.as_str() {
        "str" => "For UIDs use UidSet(\"1:5,9\") or numbers, for a query q(\"…\")",
        "Messages" => "Take await messages.list()",
        _ => "Give a Message, a MessageRef, a UID, several of those, a UidSet or a Q",
    };
    let refused: mailtide::Result<()> = error(&format!("A {kind} does not say which messages"), hint);
    refused.or_raise(item.py()).err().unwrap_or_else(|| PyErr::new::<pyo3::exceptions::PyTypeError, _>(hint))
}

fn error<T>(message: &str, hint: &str) -> mailtide::Result<T> {
    Err(MailError::new(Code::UsageSelection, message).hint(hint))
}
