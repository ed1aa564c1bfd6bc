//! Plain data of a local store: options in, the dataclasses of `mailtide/_local.py` out.

use crate::callback::Listener;
use crate::errors::{self, OrRaise};
use crate::{dates, draft, info};
use mailtide::journal::Pending;
use mailtide::outbox::{self, OnDoubt, PassReport};
use mailtide::store::upkeep::Evicted;
use mailtide::store::{Keep, KeepRule, Repaired, Usage};
use mailtide::sync::{Counts, Paused, Progress, SyncOptions, SyncReport, Work};
use mailtide::{Code, DeletedMessage, FollowOptions, MailError, SendOptions};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyDict, PyTuple, PyTzInfo};
use std::sync::Arc;
use std::time::Duration;

/// `dry_run, bytes_a_day, progress`, as the Python layer passes them.
pub fn sync_options(
    py: Python<'_>,
    (dry_run, bytes_a_day, progress): (bool, Option<u64>, Option<&Bound<'_, PyAny>>),
    blocking: bool,
) -> PyResult<SyncOptions> {
    let mut options = SyncOptions::default();
    (options.dry_run, options.bytes_a_day) = (dry_run, bytes_a_day);
    if let Some(listener) = Listener::new(py, progress, blocking)? {
        options.on_progress = Some(Arc::new(move |progress: &Progress| {
            let progress = progress.clone();
            listener.tell(move |py| told(py, progress));
        }));
    }
    Ok(options)
}

/// `bytes_a_day, progress, every_seconds`, as the Python layer passes them.
pub fn follow_options(
    py: Python<'_>,
    (bytes_a_day, progress, every_seconds): (Option<u64>, Option<&Bound<'_, PyAny>>, Option<u64>),
    blocking: bool,
) -> PyResult<FollowOptions> {
    let sync = sync_options(py, (false, bytes_a_day, progress), blocking)?;
    let every = every_seconds.map_or(FollowOptions::default().every, Duration::from_secs);
    Ok(FollowOptions { sync, every })
}

fn told(py: Python<'_>, progress: Progress) -> PyResult<Py<PyAny>> {
    let Progress { phase, mailbox, done, total, bytes, rate, remaining } = progress;
    let remaining = remaining.map(|time| time.as_secs_f64());
    info::class(py, "Progress")?.call1((phase, done, total, bytes, mailbox, rate, remaining)).map(Bound::unbind)
}

/// `at` in seconds since 1970, `on_doubt`, `copy`, `key`, as the Python layer passes them.
#[derive(FromPyObject)]
pub struct SendArguments(Option<i64>, String, bool, Option<String>);

impl SendArguments {
    pub fn read(self, py: Python<'_>) -> PyResult<SendOptions> {
        let Self(send_at, on_doubt, copy, key) = self;
        let unknown = || MailError::new(Code::UsageArgument, "on_doubt= is ask, resend or assume_sent");
        let on_doubt = OnDoubt::parse(&on_doubt).ok_or_else(unknown).or_raise(py)?;
        Ok(SendOptions { send_at, on_doubt, no_copy: !copy, key })
    }
}

/// `what, days, largest`.
pub fn keep_rule(py: Python<'_>, (what, days, largest): (String, Option<u32>, Option<u64>)) -> PyResult<KeepRule> {
    let unknown = || MailError::new(Code::UsageArgument, "keep= is headers, text or all");
    Ok(KeepRule { keep: Keep::parse(&what).ok_or_else(unknown).or_raise(py)?, days, largest })
}

fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import(intern!(py, "mailtide._local"))?.getattr(name)
}

/// A `SyncReport`.
pub fn report(py: Python<'_>, report: SyncReport) -> PyResult<Py<PyAny>> {
    let step = class(py, "Step")?;
    let work = report.work.iter().map(|work| step.call1((&work.mailbox, action(work), work.to_string())));
    let problems = report.problems.iter().map(|error| errors::to_py(py, error).into_value(py));
    let mailboxes = PyDict::new(py);
    for (name, counts) in &report.mailboxes {
        mailboxes.set_item(name, class(py, "SyncCounts")?.call1(PyTuple::new(py, numbers(counts))?)?)?;
    }
    let mut fields = vec![PyTuple::new(py, work.collect::<PyResult<Vec<_>>>()?)?.into_any()];
    for number in numbers(&report.total) {
        fields.push(number.into_pyobject(py)?.into_any());
    }
    let stuck = report.stuck.iter().map(|change| waiting(py, change)).collect::<PyResult<Vec<_>>>()?;
    let pauses = report.paused.into_iter().map(|paused| pause(py, paused)).collect::<PyResult<Vec<_>>>()?;
    fields.push(mailboxes.into_any());
    fields.push(PyTuple::new(py, pauses)?.into_any());
    fields.push(PyTuple::new(py, stuck)?.into_any());
    fields.push(PyTuple::new(py, problems)?.into_any());
    class(py, "SyncReport")?.call1(PyTuple::new(py, fields)?).map(Bound::unbind)
}

fn numbers(counts: &Counts) -> [u64; 9] {
    let Counts { asked, added, removed, flags, applied, superseded, parked, bodies, bytes } = *counts;
    [asked, added, removed, flags, applied, superseded, parked, bodies, bytes]
}

/// The stable name of what is done, as in the JSON of the work.
fn action(work: &Work) -> String {
    let whole = serde_json::to_value(&work.action).unwrap_or_default();
    whole.get("action").and_then(|name| name.as_str()).unwrap_or_default().to_owned()
}

/// A list of `Paused`.
pub fn paused(py: Python<'_>, all: Vec<Paused>) -> PyResult<Py<PyAny>> {
    let list = all.into_iter().map(|paused| pause(py, paused)).collect::<PyResult<Vec<_>>>()?;
    Ok(list.into_pyobject(py)?.unbind())
}

fn pause(py: Python<'_>, Paused { mailbox, reason, advice }: Paused) -> PyResult<Bound<'_, PyAny>> {
    class(py, "Paused")?.call1((mailbox, reason, advice))
}

/// A list of `Pending`.
pub fn pending(py: Python<'_>, changes: Vec<Pending>) -> PyResult<Py<PyAny>> {
    let list = changes.iter().map(|change| waiting(py, change)).collect::<PyResult<Vec<_>>>()?;
    Ok(list.into_pyobject(py)?.unbind())
}

fn waiting<'py>(py: Python<'py>, change: &Pending) -> PyResult<Bound<'py, PyAny>> {
    let entry = &change.entry;
    let fields = vec![
        entry.id.into_pyobject(py)?.into_any(),
        entry.intent.kind().into_pyobject(py)?.into_any(),
        entry.intent.mailbox().name.as_str().into_pyobject(py)?.into_any(),
        entry.intent.to_string().into_pyobject(py)?.into_any(),
        entry.state.name().into_pyobject(py)?.into_any(),
        change.reason().into_pyobject(py)?.into_any(),
        change.why().into_pyobject(py)?.into_any(),
        change.advice().into_pyobject(py)?.into_any(),
        change.server().into_pyobject(py)?.into_any(),
        change.behind.into_pyobject(py)?.into_any(),
        entry.attempts.into_pyobject(py)?.into_any(),
        later(py, entry.not_before)?.into_pyobject(py)?.into_any(),
        moment(py, entry.created)?.into_any(),
    ];
    class(py, "Pending")?.call1(PyTuple::new(py, fields)?)
}

/// A list of `DeletedMessage`.
pub fn deleted(py: Python<'_>, all: Vec<DeletedMessage>) -> PyResult<Py<PyAny>> {
    let list = all.into_iter().map(|one| gone(py, one)).collect::<PyResult<Vec<_>>>()?;
    Ok(list.into_pyobject(py)?.unbind())
}

fn gone(py: Python<'_>, one: DeletedMessage) -> PyResult<Bound<'_, PyAny>> {
    let fields = (
        one.id,
        one.subject,
        draft::tuple(py, one.from)?,
        one.date.map_or(Ok(None), |date| dates::to_py(py, date))?,
        one.message_id,
        dates::to_py(py, one.received)?,
        one.size,
        moment(py, one.deleted_at)?,
        PyTuple::new(py, one.mailboxes)?,
        one.held,
    );
    class(py, "DeletedMessage")?.call1(fields)
}

/// A `Keep`.
pub fn keep(py: Python<'_>, rule: KeepRule) -> PyResult<Py<PyAny>> {
    class(py, "Keep")?.call1((rule.keep.as_str(), rule.days, rule.largest)).map(Bound::unbind)
}

/// A `Repaired`.
pub fn repaired(py: Python<'_>, repaired: Repaired) -> PyResult<Py<PyAny>> {
    let Repaired { problems, incomplete, damaged } = repaired;
    let fields = (PyTuple::new(py, problems)?, PyTuple::new(py, incomplete)?, damaged);
    class(py, "Repaired")?.call1(fields).map(Bound::unbind)
}

/// A `SendReport`.
pub fn sent(py: Python<'_>, report: PassReport) -> PyResult<Py<PyAny>> {
    let changed = report.changed.into_iter().map(|entry| outgoing(py, entry)).collect::<PyResult<Vec<_>>>()?;
    let next = report.next.map(|next| later(py, next)).transpose()?.flatten();
    let trouble = report.trouble.map(|error| errors::to_py(py, &error).into_value(py));
    class(py, "SendReport")?.call1((PyTuple::new(py, changed)?, next, trouble)).map(Bound::unbind)
}

/// An `Outgoing`.
pub fn outgoing(py: Python<'_>, entry: outbox::Entry) -> PyResult<Py<PyAny>> {
    let one = class(py, "OutgoingRecipient")?;
    let recipients = entry.recipients.iter().map(|r| one.call1((&r.address, r.state.as_str(), r.reply.as_deref())));
    let recipients = PyTuple::new(py, recipients.collect::<PyResult<Vec<_>>>()?)?;
    let fields = (
        entry.id,
        &entry.message_id,
        &entry.sender,
        recipients,
        entry.state.as_str(),
        entry.needs_decision(),
        entry.attempts,
        entry.reply.as_deref(),
        moment(py, entry.created)?,
        later(py, entry.not_before)?,
    );
    class(py, "Outgoing")?.call1(fields).map(Bound::unbind)
}

/// An `Outgoing`, or `None`.
pub fn maybe_outgoing(py: Python<'_>, entry: Option<outbox::Entry>) -> PyResult<Py<PyAny>> {
    entry.map_or_else(|| Ok(py.None()), |entry| outgoing(py, entry))
}

/// A list of `Outgoing`.
pub fn outgoings(py: Python<'_>, entries: Vec<outbox::Entry>) -> PyResult<Py<PyAny>> {
    let list = entries.into_iter().map(|entry| outgoing(py, entry)).collect::<PyResult<Vec<_>>>()?;
    Ok(list.into_pyobject(py)?.unbind())
}

/// A `Usage`.
pub fn usage(py: Python<'_>, usage: Usage) -> PyResult<Py<PyAny>> {
    let fields = (
        usage.file,
        usage.free,
        usage.log,
        usage.messages,
        usage.bodies,
        usage.bodies_stored,
        usage.bodies_size,
        usage.restorable,
    );
    class(py, "Usage")?.call1(fields).map(Bound::unbind)
}

/// An `Evicted`.
pub fn evicted(py: Python<'_>, evicted: Evicted) -> PyResult<Py<PyAny>> {
    class(py, "Evicted")?.call1((evicted.bodies, evicted.bytes)).map(Bound::unbind)
}

/// 0 is at once, and the end of time is never.
fn later(py: Python<'_>, seconds: i64) -> PyResult<Option<Bound<'_, PyDateTime>>> {
    if (1..i64::MAX).contains(&seconds) { moment(py, seconds).map(Some) } else { Ok(None) }
}

fn moment(py: Python<'_>, seconds: i64) -> PyResult<Bound<'_, PyDateTime>> {
    let zone = PyTzInfo::utc(py)?.to_owned();
    #[allow(clippy::cast_precision_loss)]
    PyDateTime::from_timestamp(py, seconds as f64, Some(&zone))
}
