//! The journal: entries as JSON, with what they are found by beside them.

use super::tx::Tx;
use super::unreadable;
use crate::error::{Code, MailError, Result};
use crate::journal::{Entry, Intent};
use crate::store::{IntentId, MailboxId};
use rusqlite::{Row, params};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, intent, detail, attempts, not_before, created FROM journal ", $rest)
    };
}

pub(super) fn by_id(tx: &Tx<'_>, id: IntentId) -> Result<Option<Entry>> {
    tx.one(select!("WHERE id = ?1"), [id.0], row)
}

pub(super) fn pending(tx: &Tx<'_>) -> Result<Vec<Entry>> {
    tx.all(select!("WHERE over = 0 ORDER BY id"), [], row)
}

pub(super) fn pending_in(tx: &Tx<'_>, remote: &[u8], uid_validity: u32) -> Result<Vec<Entry>> {
    let sql = select!("WHERE over = 0 AND remote_name = ?1 AND remote_uid_validity = ?2 ORDER BY id");
    tx.all(sql, (remote, uid_validity), row)
}

pub(super) fn pending_at(tx: &Tx<'_>, mailbox: MailboxId, uid: u32) -> Result<Vec<Entry>> {
    let sql = select!(
        "WHERE id IN (SELECT id FROM journal WHERE over = 0 AND source = ?1 AND source_uid = ?2
                      UNION SELECT id FROM journal WHERE over = 0 AND landing = ?1 AND landing_uid = ?2) ORDER BY id"
    );
    tx.all(sql, (mailbox.0, uid), row)
}

pub(super) fn insert(tx: &Tx<'_>, intent: &Intent, created: i64) -> Result<IntentId> {
    let sql = "INSERT INTO journal (kind, intent, state, detail, attempts, not_before, created, changed, over)
               VALUES ('', '', '', '', 0, 0, ?1, ?1, 0)";
    let id = tx.insert("insert_intent", sql, [created])?;
    let (state, not_before, attempts) = (crate::journal::State::Waiting, 0, 0);
    write(tx, &Entry { id, intent: intent.clone(), state, attempts, not_before, created }, created)?;
    Ok(IntentId(id))
}

pub(super) fn update(tx: &Tx<'_>, entry: &Entry, now: i64) -> Result<()> {
    write(tx, entry, now)
}

pub(super) fn prune(tx: &Tx<'_>, at: i64) -> Result<u64> {
    Ok(tx.run("prune_intents", "DELETE FROM journal WHERE over = 1 AND changed < ?1", [at])? as u64)
}

fn write(tx: &Tx<'_>, entry: &Entry, now: i64) -> Result<()> {
    let sql = "UPDATE journal SET kind = ?2, intent = ?3, state = ?4, detail = ?5, attempts = ?6, not_before = ?7,
                   changed = ?8, over = ?9, remote_name = ?10, remote_uid_validity = ?11, remote_uid = ?12,
                   source = ?13, source_uid = ?14, landing = ?15, landing_uid = ?16 WHERE id = ?1";
    let (target, landing) = (entry.intent.target(), entry.intent.landing());
    let params = params![
        entry.id,
        entry.intent.kind(),
        json(&entry.intent)?,
        entry.state.name(),
        json(&entry.state)?,
        entry.attempts,
        entry.not_before,
        now,
        entry.state.is_over(),
        entry.intent.mailbox().name.raw(),
        target.and_then(|target| target.uid_validity),
        target.and_then(|target| target.uid),
        target.map(|target| target.mailbox.id),
        target.map(|target| target.local),
        landing.map(|landing| landing.mailbox.id),
        landing.map(|landing| landing.local)
    ];
    tx.run_one("update_intent", sql, params)
}

fn row(row: &Row<'_>) -> Result<Entry> {
    let (intent, state): (String, String) = (row.get(1)?, row.get(2)?);
    Ok(Entry {
        id: row.get(0)?,
        intent: serde_json::from_str(&intent).map_err(|_| unreadable("journal entry"))?,
        state: serde_json::from_str(&state).map_err(|_| unreadable("journal entry"))?,
        attempts: row.get(3)?,
        not_before: row.get(4)?,
        created: row.get(5)?,
    })
}

fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| MailError::new(Code::Internal, error.to_string()))
}
