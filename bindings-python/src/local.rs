//! Plain data of a local store: options in, the dataclasses of `mailtide/_local.py` out.

use crate::callback::on_progress;
use crate::errors::{self, OrRaise};
use mailtide::journal::{self, State};
use mailtide::outbox::{self, OnDoubt};
use mailtide::store::upkeep::Evicted;
use mailtide::store::{Keep, KeepRule, MailboxId, Usage};
use mailtide::sync::{SyncOptions, SyncReport, Work};
use mailtide::{Code, Mail, MailError, Progress, Result, SendOptions};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyTuple, PyTzInfo};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// `dry_run, bytes_a_day, progress`, as the Python layer passes them.
pub fn sync_options(
    py: Python<'_>,
    (dry_run, bytes_a_day, progress): (bool, Option<u64>, Option<&Bound<'_, PyAny>>),
    blocking: bool,
) -> PyResult<SyncOptions> {
    let mut options = SyncOptions::default();
    (options.dry_run, options.bytes_a_day) = (dry_run, bytes_a_day);
    if let Some(tell) = on_progress(py, progress, blocking)? {
        let pace = Mutex::new(Pace::default());
        options.on_progress = Some(Arc::new(move |step| {
            if let Some(progress) = pace.lock().unwrap_or_else(PoisonError::into_inner).after(step) {
                tell.0(progress);
            }
        }));
    }
    Ok(options)
}

/// Sums up steps, and lets through ten reports a second and the last one of a phase.
#[derive(Default)]
struct Pace {
    bytes: u64,
    told: Option<Instant>,
}

const PAUSE: Duration = Duration::from_millis(100);

impl Pace {
    fn after(&mut self, step: &mailtide::sync::Progress) -> Option<Progress> {
        self.bytes += step.bytes;
        if step.done < step.total && self.told.is_some_and(|told| told.elapsed() < PAUSE) {
            return None;
        }
        self.told = Some(Instant::now());
        Some(Progress { phase: step.phase, done: step.done, total: Some(step.total), bytes: self.bytes })
    }
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

/// Names of the paused mailboxes.
pub async fn paused(mail: &Mail, report: &SyncReport) -> Result<Vec<String>> {
    let paused: Vec<MailboxId> = report.paused.iter().copied().collect();
    let names = mail.store().read(move |reader| {
        let rows = paused.into_iter().filter_map(|id| reader.mailbox(id).transpose());
        rows.map(|row| row.map(|row| row.name)).collect::<Result<Vec<_>>>()
    });
    names.await
}

fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import(intern!(py, "mailtide._local"))?.getattr(name)
}

/// A `SyncReport`.
pub fn report(py: Python<'_>, (report, paused): (SyncReport, Vec<String>)) -> PyResult<Py<PyAny>> {
    let step = class(py, "Step")?;
    let work = report.work.iter().map(|work| step.call1((&work.mailbox, action(work), work.to_string())));
    let problems = report.problems.iter().map(|error| errors::to_py(py, error).into_value(py));
    let numbers = [
        report.asked,
        report.added,
        report.removed,
        report.flags,
        report.applied,
        report.superseded,
        report.parked,
        report.bodies,
        report.bytes,
    ];
    let mut fields = vec![PyTuple::new(py, work.collect::<PyResult<Vec<_>>>()?)?.into_any()];
    for number in numbers {
        fields.push(number.into_pyobject(py)?.into_any());
    }
    fields.push(PyTuple::new(py, paused)?.into_any());
    fields.push(PyTuple::new(py, problems)?.into_any());
    class(py, "SyncReport")?.call1(PyTuple::new(py, fields)?).map(Bound::unbind)
}

/// The stable name of what is done, as in the JSON of the work.
fn action(work: &Work) -> String {
    let whole = serde_json::to_value(&work.action).unwrap_or_default();
    whole.get("action").and_then(|name| name.as_str()).unwrap_or_default().to_owned()
}

/// A list of `Pending`.
pub fn pending(py: Python<'_>, entries: Vec<journal::Entry>) -> PyResult<Py<PyAny>> {
    let class = class(py, "Pending")?;
    let list = entries.into_iter().map(|entry| {
        let (reason, server) = match &entry.state {
            State::Parked { reason, server } => (Some(*reason), server.as_deref()),
            _ => (None, None),
        };
        class.call1((
            entry.id,
            entry.intent.kind(),
            entry.intent.mailbox().name.as_str(),
            entry.intent.to_string(),
            entry.state.name(),
            reason.map(journal::Reason::as_str),
            reason.map(journal::Reason::sentence),
            server,
            entry.attempts,
            later(py, entry.not_before)?,
            moment(py, entry.created)?,
        ))
    });
    Ok(list.collect::<PyResult<Vec<_>>>()?.into_pyobject(py)?.unbind())
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
