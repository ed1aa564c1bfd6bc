//! Plain data of a local mailbox: options in, reports out as JSON.

use crate::error::{bad_argument, error_json};
use crate::queue::Queue;
use mailtide::journal::Pending;
use mailtide::message::EmailAddress;
use mailtide::outbox::{Entry, OnDoubt, PassReport};
use mailtide::store::upkeep::Retention;
use mailtide::store::{Keep, KeepRule, Repaired, Usage};
use mailtide::sync::{Counts, OnSyncProgress, Paused, Progress, SyncOptions, SyncReport, Work};
use mailtide::{DeletedMessage, FollowOptions, SendOptions};
use napi_derive::napi;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

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

/// How a store is kept in step.
#[napi(object)]
pub struct FollowInput {
    pub sync: SyncInput,
    pub every_seconds: Option<f64>,
}

/// How many days what is gone is remembered.
#[napi(object)]
pub struct TidyInput {
    pub contents: Option<u32>,
    pub feed: Option<u32>,
    pub tombstones: Option<u32>,
    pub journal: Option<u32>,
}

impl From<TidyInput> for Retention {
    fn from(given: TidyInput) -> Self {
        let usual = Self::default();
        Self {
            contents: given.contents.unwrap_or(usual.contents),
            feed: given.feed.unwrap_or(usual.feed),
            tombstones: given.tombstones.unwrap_or(usual.tombstones),
            journal: given.journal.unwrap_or(usual.journal),
        }
    }
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
            let callback = queue.callback(id);
            Arc::new(move |progress: &Progress| callback.tell(&progress_json(progress))) as OnSyncProgress
        });
        options
    }
}

impl FollowInput {
    pub fn into_options(self, queue: &Arc<Queue>) -> FollowOptions {
        let seconds = |seconds: f64| Duration::from_secs(seconds as u64);
        let every = self.every_seconds.map_or(FollowOptions::default().every, seconds);
        FollowOptions { sync: self.sync.into_options(queue), every }
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

fn progress_json(progress: &Progress) -> Value {
    json!({
        "phase": progress.phase,
        "mailbox": progress.mailbox,
        "done": progress.done,
        "total": progress.total,
        "bytes": progress.bytes,
        "rate": progress.rate,
        "remaining": progress.remaining.map(|time| time.as_millis() as u64),
    })
}

/// What a pass did; mailboxes as pairs of name and counts.
pub fn report_json(report: &SyncReport) -> Value {
    let mut value = counts_json(&report.total);
    let mailboxes = report.mailboxes.iter().map(|(name, counts)| json!([name, counts_json(counts)]));
    let more = json!({
        "work": report.work.iter().map(work_json).collect::<Vec<_>>(),
        "mailboxes": mailboxes.collect::<Vec<_>>(),
        "paused": report.paused.iter().map(paused_json).collect::<Vec<_>>(),
        "stuck": report.stuck.iter().map(pending_json).collect::<Vec<_>>(),
        "problems": report.problems.iter().map(error_json).collect::<Vec<_>>(),
    });
    if let (Value::Object(fields), Value::Object(more)) = (&mut value, more) {
        fields.extend(more);
    }
    value
}

fn counts_json(counts: &Counts) -> Value {
    let Counts { asked, added, removed, flags, applied, superseded, parked, bodies, bytes } = counts;
    json!({
        "asked": asked,
        "added": added,
        "removed": removed,
        "flags": flags,
        "applied": applied,
        "superseded": superseded,
        "parked": parked,
        "bodies": bodies,
        "bytes": bytes,
    })
}

fn work_json(work: &Work) -> Value {
    let action = serde_json::to_value(&work.action).unwrap_or_default();
    json!({ "mailbox": work.mailbox, "action": action.get("action"), "text": work.to_string() })
}

/// A mailbox that waits for a word of the user.
pub fn paused_json(paused: &Paused) -> Value {
    json!({ "mailbox": paused.mailbox, "reason": paused.reason, "advice": paused.advice })
}

/// A local change that waits; times in milliseconds since 1970.
pub fn pending_json(pending: &Pending) -> Value {
    let entry = &pending.entry;
    json!({
        "id": entry.id,
        "kind": entry.intent.kind(),
        "mailbox": entry.intent.mailbox().name.as_str(),
        "text": entry.intent.to_string(),
        "state": entry.state.name(),
        "reason": pending.reason(),
        "why": pending.why(),
        "advice": pending.advice(),
        "server": pending.server(),
        "behind": pending.behind,
        "attempts": entry.attempts,
        "notBefore": later(entry.not_before),
        "created": entry.created.saturating_mul(1000),
    })
}

/// A message that was deleted; dates in seconds since 1970 with their zones' offsets.
pub fn deleted_json(deleted: &DeletedMessage) -> Value {
    let address = |one: &EmailAddress| json!({ "name": one.name, "email": one.email, "group": one.group });
    json!({
        "id": deleted.id,
        "subject": deleted.subject,
        "from": deleted.from.iter().map(address).collect::<Vec<_>>(),
        "date": deleted.date.map(|date| date.seconds),
        "dateOffset": deleted.date.map(|date| date.offset),
        "messageId": deleted.message_id,
        "received": deleted.received.seconds,
        "receivedOffset": deleted.received.offset,
        "size": deleted.size,
        "deletedAt": deleted.deleted_at,
        "mailboxes": deleted.mailboxes,
        "held": deleted.held,
    })
}

/// Which bodies are held.
pub fn keep_json(rule: &KeepRule) -> Value {
    json!({ "what": rule.keep.as_str(), "days": rule.days, "largest": rule.largest })
}

/// What a repair has come to.
pub fn repaired_json(repaired: &Repaired) -> Value {
    let damaged = repaired.damaged.as_ref().map(|path| path.to_string_lossy());
    json!({ "problems": repaired.problems, "incomplete": repaired.incomplete, "damaged": damaged })
}

/// What sending all that was due has done.
pub fn sent_json(report: &PassReport) -> Value {
    json!({
        "changed": report.changed.iter().map(outgoing_json).collect::<Vec<_>>(),
        "next": report.next.and_then(later),
        "trouble": report.trouble.as_ref().map(error_json),
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
