//! Messages to be sent.

use super::placements::limit;
use super::tx::Tx;
use crate::error::Result;
use crate::store::{BodyId, NewOutbox, OutboxId, OutboxRow, RecipientRow};
use rusqlite::{Row, params};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, key, message_id, sender, body, payload, created, state, changed, attempts, not_before, reply, ",
            "sent_copy, over FROM outbox ",
            $rest
        )
    };
}

pub(super) fn by_id(tx: &Tx<'_>, id: OutboxId) -> Result<Option<OutboxRow>> {
    with_recipients(tx, tx.one(select!("WHERE id = ?1"), [id.0], row)?)
}

pub(super) fn by_key(tx: &Tx<'_>, key: &str) -> Result<Option<OutboxRow>> {
    with_recipients(tx, tx.one(select!("WHERE key = ?1"), [key], row)?)
}

pub(super) fn over(tx: &Tx<'_>, at: i64, most: usize) -> Result<Vec<OutboxId>> {
    let sql = "SELECT id FROM outbox WHERE over = 1 AND changed < ?1 ORDER BY changed LIMIT ?2";
    tx.all(sql, (at, limit(most)), |row| Ok(OutboxId(row.get(0)?)))
}

pub(super) fn open(tx: &Tx<'_>) -> Result<Vec<OutboxRow>> {
    let rows = tx.all(select!("WHERE over = 0 ORDER BY id"), [], row)?;
    rows.into_iter().filter_map(|row| with_recipients(tx, Some(row)).transpose()).collect()
}

pub(super) fn recipients(tx: &Tx<'_>, id: OutboxId) -> Result<Vec<RecipientRow>> {
    let sql = "SELECT address, state, reply FROM recipients WHERE outbox = ?1 ORDER BY number";
    tx.all(sql, [id.0], |row| {
        Ok(RecipientRow { outbox: id, address: row.get(0)?, state: row.get(1)?, reply: row.get(2)? })
    })
}

pub(super) fn insert(tx: &Tx<'_>, new: &NewOutbox, not_before: i64) -> Result<OutboxId> {
    let sql = "INSERT INTO outbox (key, message_id, sender, body, payload, created, state, changed, attempts,
                   not_before, over) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'queued', ?6, 0, ?7, 0)";
    let NewOutbox { key, message_id, sender, body, payload, created, .. } = new;
    let params = params![key, message_id, sender, body.0, payload, created, not_before];
    let id = OutboxId(tx.insert("insert_outbox", sql, params)?);
    for (number, address) in new.recipients.iter().enumerate() {
        let sql = "INSERT INTO recipients (outbox, number, address, state) VALUES (?1, ?2, ?3, 'waiting')";
        tx.run_one("insert_recipient", sql, params![id.0, limit(number), address])?;
    }
    Ok(id)
}

pub(super) fn update(tx: &Tx<'_>, row: &OutboxRow) -> Result<()> {
    let sql = "UPDATE outbox SET state = ?2, changed = ?3, attempts = ?4, not_before = ?5, reply = ?6, sent_copy = ?7,
                   over = ?8 WHERE id = ?1";
    let OutboxRow { id, state, changed, attempts, not_before, reply, sent_copy, over, .. } = row;
    tx.run_one("update_outbox", sql, params![id.0, state, changed, attempts, not_before, reply, sent_copy, over])
}

pub(super) fn update_recipient(tx: &Tx<'_>, row: &RecipientRow) -> Result<()> {
    let sql = "UPDATE recipients SET state = ?3, reply = ?4 WHERE outbox = ?1 AND number =
                   (SELECT min(number) FROM recipients WHERE outbox = ?1 AND address = ?2)";
    tx.run_one("update_recipient", sql, params![row.outbox.0, row.address, row.state, row.reply])
}

pub(super) fn delete(tx: &Tx<'_>, id: OutboxId) -> Result<()> {
    let body = tx.one("SELECT body FROM outbox WHERE id = ?1", [id.0], |row| Ok(BodyId(row.get(0)?)))?;
    tx.run("delete_recipients", "DELETE FROM recipients WHERE outbox = ?1", [id.0])?;
    tx.run_one("delete_outbox", "DELETE FROM outbox WHERE id = ?1", [id.0])?;
    match body {
        Some(body) if !super::bodies::is_used(tx, body)? => super::bodies::delete(tx, body),
        _ => Ok(()),
    }
}

fn with_recipients(tx: &Tx<'_>, row: Option<OutboxRow>) -> Result<Option<OutboxRow>> {
    let Some(mut row) = row else { return Ok(None) };
    row.new.recipients = recipients(tx, row.id)?.into_iter().map(|recipient| recipient.address).collect();
    Ok(Some(row))
}

fn row(row: &Row<'_>) -> Result<OutboxRow> {
    let new = NewOutbox {
        key: row.get(1)?,
        message_id: row.get(2)?,
        sender: row.get(3)?,
        recipients: Vec::new(),
        body: BodyId(row.get(4)?),
        payload: row.get(5)?,
        created: row.get(6)?,
    };
    Ok(OutboxRow {
        id: OutboxId(row.get(0)?),
        new,
        state: row.get(7)?,
        changed: row.get(8)?,
        attempts: row.get(9)?,
        not_before: row.get(10)?,
        reply: row.get(11)?,
        sent_copy: row.get(12)?,
        over: row.get(13)?,
    })
}
