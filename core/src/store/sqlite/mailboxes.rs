//! Mailboxes.

use super::tx::Tx;
use crate::error::{Code, MailError, Result};
use crate::imap::Role;
use crate::store::{Counts, MailboxId, MailboxRow, MailboxState, NewMailbox, RemoteMailbox};
use rusqlite::{Row, named_params};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, delimiter, role, attributes, uid_validity, uid_next, mod_seq, tombstones_from, state, ",
            "reason, remote_name, remote_uid_validity, remote_uid_next, remote_mod_seq, remote_exists, ",
            "remote_object_id, bodies_from, audited, resets, resets_day, suspects, unlisted, remote_empty_mod_seq FROM mailboxes ",
            $rest
        )
    };
}

pub(super) fn all(tx: &Tx<'_>) -> Result<Vec<MailboxRow>> {
    tx.all(select!("WHERE state <> 'gone' ORDER BY name"), [], row)
}

pub(super) fn by_id(tx: &Tx<'_>, id: MailboxId) -> Result<Option<MailboxRow>> {
    tx.one(select!("WHERE id = ?1"), [id.0], row)
}

pub(super) fn by_name(tx: &Tx<'_>, name: &str) -> Result<Option<MailboxRow>> {
    tx.one(select!("WHERE name = ?1 AND state <> 'gone'"), [name], row)
}

pub(super) fn by_remote(tx: &Tx<'_>, name: &[u8]) -> Result<Option<MailboxRow>> {
    tx.one(select!("WHERE remote_name = ?1 AND remote_name IS NOT NULL AND state <> 'gone'"), [name], row)
}

pub(super) fn counts(tx: &Tx<'_>, mailbox: MailboxId) -> Result<Counts> {
    let sql = "SELECT count(p.message), coalesce(sum(p.message IS NOT NULL AND (p.bits & 1) = 0), 0),
                   coalesce(sum(p.message IS NOT NULL AND (p.bits & 8) <> 0), 0), coalesce(sum(m.size), 0),
                   count(*) - count(p.message)
               FROM placements p LEFT JOIN messages m ON m.id = p.message WHERE p.mailbox = ?1";
    let counts = tx.one(sql, [mailbox.0], |row| {
        Ok(Counts {
            messages: row.get(0)?,
            unseen: row.get(1)?,
            deleted: row.get(2)?,
            size: row.get(3)?,
            reserved: row.get(4)?,
        })
    })?;
    Ok(counts.unwrap_or_default())
}

pub(super) fn insert(tx: &Tx<'_>, new: &NewMailbox) -> Result<MailboxId> {
    refuse_twin(tx, &new.name, None)?;
    let last: u32 =
        tx.one("SELECT value FROM meta WHERE name = 'uid_validity'", [], |row| Ok(row.get(0)?))?.unwrap_or(0);
    let uid_validity = new.uid_validity.max(last.saturating_add(1));
    tx.run_one("uid_validity", "UPDATE meta SET value = ?1 WHERE name = 'uid_validity'", [uid_validity])?;
    let sql = "INSERT INTO mailboxes (name, attributes, uid_validity, uid_next, mod_seq, tombstones_from, state,
                   remote_uid_validity, remote_uid_next, remote_mod_seq, remote_exists, bodies_from, audited, resets,
                   resets_day, suspects, unlisted, remote_empty_mod_seq)
               VALUES (?1, '', ?2, 1, 1, 1, 'fresh', 0, 0, 0, 0, 0, 0, 0, 0, '', 0, 0)";
    let id = MailboxId(tx.insert("insert_mailbox", sql, (&new.name, uid_validity))?);
    let row = MailboxRow {
        id,
        name: new.name.clone(),
        delimiter: new.delimiter,
        role: new.role,
        attributes: new.attributes.clone(),
        uid_validity,
        uid_next: 1,
        mod_seq: 1,
        tombstones_from: 1,
        state: new.state,
        reason: None,
        remote: new.remote.clone(),
    };
    update(tx, &row)?;
    Ok(id)
}

pub(super) fn update(tx: &Tx<'_>, row: &MailboxRow) -> Result<()> {
    if row.state != MailboxState::Gone {
        refuse_twin(tx, &row.name, Some(row.id))?;
    }
    let none = RemoteMailbox::default();
    let remote = row.remote.as_ref().unwrap_or(&none);
    let sql = "UPDATE mailboxes SET name = :name, delimiter = :delimiter, role = :role, attributes = :attributes,
                   uid_validity = :uid_validity, uid_next = :uid_next, mod_seq = :mod_seq,
                   tombstones_from = :tombstones_from, state = :state, reason = :reason, remote_name = :remote_name,
                   remote_uid_validity = :remote_uid_validity, remote_uid_next = :remote_uid_next,
                   remote_mod_seq = :remote_mod_seq, remote_exists = :remote_exists,
                   remote_object_id = :remote_object_id, bodies_from = :bodies_from, audited = :audited,
                   resets = :resets, resets_day = :resets_day, suspects = :suspects, unlisted = :unlisted,
                   remote_empty_mod_seq = :remote_empty_mod_seq
               WHERE id = :id";
    let params = named_params! {
        ":id": row.id.0, ":name": row.name, ":delimiter": row.delimiter.map(String::from),
        ":role": row.role.map(Role::as_str), ":attributes": row.attributes.join(" "),
        ":uid_validity": row.uid_validity, ":uid_next": row.uid_next, ":mod_seq": row.mod_seq,
        ":tombstones_from": row.tombstones_from, ":state": row.state.as_str(), ":reason": row.reason,
        ":remote_name": row.remote.as_ref().map(|remote| &remote.name[..]),
        ":remote_uid_validity": remote.uid_validity, ":remote_uid_next": remote.uid_next,
        ":remote_mod_seq": remote.highest_mod_seq, ":remote_exists": remote.exists,
        ":remote_object_id": remote.object_id, ":bodies_from": remote.bodies_from, ":audited": remote.audited,
        ":resets": remote.resets, ":resets_day": remote.resets_day, ":suspects": remote.suspects,
        ":unlisted": remote.unlisted, ":remote_empty_mod_seq": remote.empty_mod_seq,
    };
    tx.run_one("update_mailbox", sql, params)
}

pub(super) fn advance(tx: &Tx<'_>, id: MailboxId, uid_next: u32, mod_seq: u64) -> Result<()> {
    let sql = "UPDATE mailboxes SET uid_next = ?2, mod_seq = ?3 WHERE id = ?1";
    tx.run_one("advance_mailbox", sql, (id.0, uid_next, mod_seq))
}

fn refuse_twin(tx: &Tx<'_>, name: &str, own: Option<MailboxId>) -> Result<()> {
    let sql = "SELECT id FROM mailboxes WHERE name = ?1 AND state <> 'gone'";
    match tx.one(sql, [name], |row| Ok(MailboxId(row.get(0)?)))? {
        Some(other) if Some(other) != own => {
            Err(MailError::new(Code::MailboxExists, "There is a mailbox of that name").in_mailbox(name))
        }
        _ => Ok(()),
    }
}

fn row(row: &Row<'_>) -> Result<MailboxRow> {
    let (role, state): (Option<String>, String) = (row.get(3)?, row.get(9)?);
    let (delimiter, attributes): (Option<String>, String) = (row.get(2)?, row.get(4)?);
    Ok(MailboxRow {
        id: MailboxId(row.get(0)?),
        name: row.get(1)?,
        delimiter: delimiter.and_then(|text| text.chars().next()),
        role: role.and_then(|name| Role::parse(&name)),
        attributes: attributes.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect(),
        uid_validity: row.get(5)?,
        uid_next: row.get(6)?,
        mod_seq: row.get(7)?,
        tombstones_from: row.get(8)?,
        state: MailboxState::parse(&state).ok_or_else(|| super::unreadable("mailbox state"))?,
        reason: row.get(10)?,
        remote: remote(row)?,
    })
}

fn remote(row: &Row<'_>) -> Result<Option<RemoteMailbox>> {
    let Some(name) = row.get(11)? else { return Ok(None) };
    Ok(Some(RemoteMailbox {
        name,
        uid_validity: row.get(12)?,
        uid_next: row.get(13)?,
        highest_mod_seq: row.get(14)?,
        exists: row.get(15)?,
        object_id: row.get(16)?,
        bodies_from: row.get(17)?,
        audited: row.get(18)?,
        resets: row.get(19)?,
        resets_day: row.get(20)?,
        suspects: row.get(21)?,
        unlisted: row.get(22)?,
        empty_mod_seq: row.get(23)?,
    }))
}
