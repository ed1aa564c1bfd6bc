//! What a server says of its mailboxes, as the dataclasses of `mailtide/_types.py`.

use mailtide::{MailboxInfo, MailboxStatus, Namespace, Namespaces, Progress, RawReply, Stats};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// The dataclass of this name.
pub fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import(intern!(py, "mailtide._types"))?.getattr(name)
}

pub fn status(py: Python<'_>, status: MailboxStatus) -> PyResult<Py<PyAny>> {
    let fields = (
        status.messages,
        status.unseen,
        status.deleted,
        status.uid_next,
        status.uid_validity,
        status.size,
        status.highest_mod_seq,
        status.append_limit,
        status.mailbox_id,
    );
    class(py, "MailboxStatus")?.call1(fields).map(Bound::unbind)
}

pub fn mailboxes(py: Python<'_>, list: Vec<MailboxInfo>) -> PyResult<Py<PyAny>> {
    let class = class(py, "MailboxInfo")?;
    let list = list.into_iter().map(|info| class.call1(fields(py, info)?)).collect::<PyResult<Vec<_>>>()?;
    Ok(list.into_pyobject(py)?.unbind())
}

fn fields(py: Python<'_>, info: MailboxInfo) -> PyResult<Bound<'_, PyTuple>> {
    (
        info.name,
        info.delimiter,
        PyTuple::new(py, info.path)?,
        info.role.map(mailtide::imap::Role::as_str),
        info.role_guessed,
        info.selectable,
        info.has_children,
        info.subscribed,
        PyTuple::new(py, info.attributes)?,
        info.status.map(|known| status(py, known)).transpose()?,
    )
        .into_pyobject(py)
}

pub fn namespaces(py: Python<'_>, spaces: Namespaces) -> PyResult<Py<PyAny>> {
    let one = class(py, "Namespace")?;
    let group = |list: Vec<Namespace>| {
        let list = list.into_iter().map(|space| one.call1((space.prefix, space.delimiter)));
        PyTuple::new(py, list.collect::<PyResult<Vec<_>>>()?)
    };
    let groups = (group(spaces.personal)?, group(spaces.other_users)?, group(spaces.shared)?);
    class(py, "Namespaces")?.call1(groups).map(Bound::unbind)
}

pub fn raw_reply(py: Python<'_>, reply: RawReply) -> PyResult<Py<PyAny>> {
    class(py, "RawReply")?.call1((PyTuple::new(py, reply.untagged)?, reply.text)).map(Bound::unbind)
}

pub fn progress(py: Python<'_>, progress: Progress) -> PyResult<Py<PyAny>> {
    let Progress { phase, done, total, bytes } = progress;
    class(py, "Progress")?.call1((phase, done, total, bytes)).map(Bound::unbind)
}

pub fn stats(py: Python<'_>, stats: Stats) -> PyResult<Py<PyAny>> {
    let fields = (stats.connections, stats.opened, stats.commands, stats.bytes_in, stats.bytes_out);
    class(py, "Stats")?.call1(fields).map(Bound::unbind)
}
