//! Plain data of a local mailbox: options in, reports out as JSON.

use crate::error::{bad_argument, error_json};
use crate::options::progress;
use crate::queue::Queue;
use mailtide::journal::State;
use mailtide::outbox::{Entry, OnDoubt};
use mailtide::store::{Keep, KeepRule, MailboxId, Usage};
use mailtide::sync::{SyncOptions, SyncReport, Work};
use mailtide::{Mail, OnProgress, Progress, Result, SendOptions, journal};
use napi_derive::napi;
use serde_json::{Value, json};
use std::sync::Arc;

/// Which bodies are held.
#[napi(object)]
pub struct KeepInput {
    pub what: Option<String>,
    pub days: Option<u32>,
    pub largest: Option<f64>,
}

/// How a pass goes.
#[napi(object)]
pub struct SyncInput {
    pub dry_run: bool,
    pub bytes_a_day: Option<f64>,
    pub progress: Option<u32>,
}

/// How a message is sent.
#[napi(object)]
pub struct SendInput {
    pub at_seconds: Option<f64>,
    pub key: Option<String>,
    pub no_copy: bool,
    pub on_doubt: Option<String>,
}

impl KeepInput {
    pub fn into_rule(self) -> napi::Result<KeepRule> {
        let what = self.what.as_deref().unwrap_or("all");
        let unknown = || bad_argument("keep is headers, text or all");
        let keep = Keep::parse(what).ok_or_else(unknown)?;
        Ok(KeepRule { keep, days: self.days, largest: self.largest.map(|n| n as u64) })
    }
}

impl SyncInput {
    pub fn into_options(self, queue: &Arc<Queue>) -> SyncOptions {
        let mut options = SyncOptions::default();
        options.dry_run = self.dry_run;
        options.bytes_a_day = self.bytes_a_day.map(|n| n as u64);
        options.on_progress = self.progress.map(|id| {
            let OnProgress(tell) = progress(queue.callback(id));
            Arc::new(move |p: &mailtide::sync::Progress| {
                tell(Progress { phase: p.phase, done: p.done, total: Some(p.total), bytes: p.bytes });
            }) as mailtide::sync::OnSyncProgress
        });
        options
    }
}

impl SendInput {
    pub fn into_options(self) -> napi::Result<SendOptions> {
        let parse =
            |word: &str| OnDoubt::parse(word).ok_or_else(|| bad_argument("onDoubt is ask, resend or assume_sent"));
        let on_doubt = self.on_doubt.as_deref().map_or(Ok(OnDoubt::default()), parse)?;
        let send_at = self.at_seconds.map(|seconds| seconds as i64);
        Ok(SendOptions { send_at, on_doubt, no_copy: self.no_copy, key: self.key })
    }
}

/// What a pass did; paused mailboxes by their names.
pub async fn report_json(mail: &Mail, report: SyncReport) -> Result<Value> {
    let paused: Vec<MailboxId> = report.paused.iter().copied().collect();
    let names = mail.store().read(move |reader| {
        let rows = paused.into_iter().filter_map(|id| reader.mailbox(id).transpose());
        rows.map(|row| row.map(|row| row.name)).collect::<Result<Vec<_>>>()
    });
    Ok(json!({
        "work": report.work.iter().map(work_json).collect::<Vec<_>>(),
        "asked": report.asked,
        "added": report.added,
        "removed": report.removed,
        "flags": report.flags,
        "applied": report.applied,
        "superseded": report.superseded,
        "parked": report.parked,
        "bodies": report.bodies,
        "bytes": report.bytes,
        "paused": names.await?,
        "problems": report.problems.iter().map(error_json).collect::<Vec<_>>(),
    }))
}

fn work_json(work: &Work) -> Value {
    let action = serde_json::to_value(&work.action).unwrap_or_default();
    json!({ "mailbox": work.mailbox, "action": action.get("action"), "text": work.to_string() })
}

/// A local change that waits; times in milliseconds since 1970.
pub fn pending_json(entry: &journal::Entry) -> Value {
    let (reason, server) = match &entry.state {
        State::Parked { reason, server } => (Some(*reason), server.clone()),
        _ => (None, None),
    };
    json!({
        "id": entry.id,
        "kind": entry.intent.kind(),
        "mailbox": entry.intent.mailbox().name.as_str(),
        "text": entry.intent.to_string(),
        "state": entry.state.name(),
        "reason": reason.map(journal::Reason::as_str),
        "why": reason.map(journal::Reason::sentence),
        "server": server,
        "attempts": entry.attempts,
        "notBefore": later(entry.not_before),
        "created": entry.created.saturating_mul(1000),
    })
}

/// A message to be sent; times in milliseconds since 1970.
pub fn outgoing_json(entry: &Entry) -> Value {
    let recipient =
        |r: &mailtide::outbox::Recipient| json!({ "address": r.address, "state": r.state.as_str(), "reply": r.reply });
    json!({
        "id": entry.id,
        "messageId": entry.message_id,
        "sender": entry.sender,
        "recipients": entry.recipients.iter().map(recipient).collect::<Vec<_>>(),
        "state": entry.state.as_str(),
        "needsDecision": entry.needs_decision(),
        "attempts": entry.attempts,
        "reply": entry.reply,
        "created": entry.created.saturating_mul(1000),
        "notBefore": later(entry.not_before),
    })
}

pub fn usage_json(usage: &Usage) -> Value {
    json!({
        "file": usage.file,
        "free": usage.free,
        "log": usage.log,
        "messages": usage.messages,
        "bodies": usage.bodies,
        "bodiesStored": usage.bodies_stored,
        "bodiesSize": usage.bodies_size,
        "restorable": usage.restorable,
    })
}

/// 0 is at once, and the end of time is never.
fn later(seconds: i64) -> Option<i64> {
    Some(seconds).filter(|s| (1..i64::MAX).contains(s)).map(|s| s.saturating_mul(1000))
}
