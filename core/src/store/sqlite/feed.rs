//! The change feed.

use super::placements::limit;
use super::tx::Tx;
use super::unreadable;
use crate::error::Result;
use crate::store::{BodyId, Change, FeedRow, Flags, IntentId, MailboxId, MessageId, OutboxId};
use rusqlite::{Row, params};

pub(super) fn after(tx: &Tx<'_>, number: u64, most: usize) -> Result<Vec<FeedRow>> {
    let sql = "SELECT number, at, kind, mailbox, uid, ref, bits, text, before_bits, before_text FROM feed
               WHERE number > ?1 ORDER BY number LIMIT ?2";
    tx.all(sql, params![number, limit(most)], |row| {
        Ok(FeedRow { number: row.get(0)?, at: row.get(1)?, change: change(row)? })
    })
}

pub(super) fn bounds(tx: &Tx<'_>) -> Result<(u64, u64)> {
    let floor = tx.one("SELECT value FROM meta WHERE name = 'feed_floor'", [], |row| Ok(row.get(0)?))?;
    // Not the largest number in the table: the newest entries may have been taken by the retention as well.
    let newest = tx.one("SELECT seq FROM sqlite_sequence WHERE name = 'feed'", [], |row| Ok(row.get(0)?))?;
    Ok((floor.unwrap_or(0), newest.unwrap_or(0)))
}

pub(super) fn insert(tx: &Tx<'_>, at: i64, change: &Change) -> Result<u64> {
    let Columns { kind, mailbox, uid, reference, bits, text, before } = columns(change);
    let (before_bits, before_text) = before.unzip();
    let sql = "INSERT INTO feed (at, kind, mailbox, uid, ref, bits, text, before_bits, before_text)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let values = params![at, kind, mailbox, uid, reference, bits, text, before_bits, before_text.flatten()];
    let number = tx.insert("insert_feed", sql, values)?;
    Ok(number.unsigned_abs())
}

pub(super) fn prune(tx: &Tx<'_>, at: i64) -> Result<u64> {
    // By number and not by time, should a clock have gone back: what is below the mark goes as a whole.
    let last = tx.one("SELECT max(number) FROM feed WHERE at < ?1", [at], |row| Ok(row.get::<_, Option<i64>>(0)?))?;
    let Some(last) = last.flatten() else { return Ok(0) };
    tx.run_one("feed_floor", "UPDATE meta SET value = max(value, ?1) WHERE name = 'feed_floor'", [last])?;
    Ok(tx.run("prune_feed", "DELETE FROM feed WHERE number <= ?1", [last])? as u64)
}

#[derive(Default)]
struct Columns {
    kind: i64,
    mailbox: Option<i64>,
    uid: Option<u32>,
    reference: Option<i64>,
    bits: Option<u32>,
    text: Option<String>,
    before: Option<(u32, Option<String>)>,
}

fn columns(change: &Change) -> Columns {
    let none = Columns::default();
    match change {
        Change::MailboxAdded { mailbox } => Columns { kind: 1, mailbox: Some(mailbox.0), ..none },
        Change::MailboxChanged { mailbox } => Columns { kind: 2, mailbox: Some(mailbox.0), ..none },
        Change::MailboxRenamed { mailbox, from } => {
            Columns { kind: 3, mailbox: Some(mailbox.0), text: Some(from.clone()), ..none }
        }
        Change::MailboxGone { mailbox } => Columns { kind: 4, mailbox: Some(mailbox.0), ..none },
        Change::MailboxReset { mailbox } => Columns { kind: 5, mailbox: Some(mailbox.0), ..none },
        Change::Added { mailbox, uid, message, flags } => Columns {
            kind: 6,
            mailbox: Some(mailbox.0),
            uid: Some(*uid),
            reference: Some(message.0),
            bits: Some(flags.bits()),
            text: flags.keywords(),
            ..none
        },
        Change::Flagged { mailbox, uid, flags, before } => Columns {
            kind: 7,
            mailbox: Some(mailbox.0),
            uid: Some(*uid),
            bits: Some(flags.bits()),
            text: flags.keywords(),
            before: Some((before.bits(), before.keywords())),
            ..none
        },
        Change::Removed { mailbox, uid, message } => {
            Columns { kind: 8, mailbox: Some(mailbox.0), uid: Some(*uid), reference: message.map(|id| id.0), ..none }
        }
        // The content's id stands where others have a mailbox.
        Change::BodyHere { message, body } => {
            Columns { kind: 9, mailbox: Some(body.0), reference: Some(message.0), ..none }
        }
        Change::BodyGone { message } => Columns { kind: 10, reference: Some(message.0), ..none },
        Change::Intent { intent } => Columns { kind: 11, reference: Some(intent.0), ..none },
        Change::Outbox { outbox } => Columns { kind: 12, reference: Some(outbox.0), ..none },
    }
}

fn change(row: &Row<'_>) -> Result<Change> {
    let mailbox = || row.get(3).map(MailboxId);
    let message = || row.get(5).map(MessageId);
    let text = row.get::<_, Option<String>>(7)?.unwrap_or_default();
    let flags = || row.get(6).map(|bits| Flags::from_parts(bits, &text));
    let before = || {
        let text = row.get::<_, Option<String>>(9)?.unwrap_or_default();
        row.get(8).map(|bits| Flags::from_parts(bits, &text))
    };
    Ok(match row.get(2)? {
        1 => Change::MailboxAdded { mailbox: mailbox()? },
        2 => Change::MailboxChanged { mailbox: mailbox()? },
        3 => Change::MailboxRenamed { mailbox: mailbox()?, from: text },
        4 => Change::MailboxGone { mailbox: mailbox()? },
        5 => Change::MailboxReset { mailbox: mailbox()? },
        6 => Change::Added { mailbox: mailbox()?, uid: row.get(4)?, message: message()?, flags: flags()? },
        7 => Change::Flagged { mailbox: mailbox()?, uid: row.get(4)?, flags: flags()?, before: before()? },
        8 => Change::Removed {
            mailbox: mailbox()?,
            uid: row.get(4)?,
            message: row.get::<_, Option<i64>>(5)?.map(MessageId),
        },
        9 => Change::BodyHere { message: message()?, body: row.get(3).map(BodyId)? },
        10 => Change::BodyGone { message: message()? },
        11 => Change::Intent { intent: row.get(5).map(IntentId)? },
        12 => Change::Outbox { outbox: row.get(5).map(OutboxId)? },
        _ => return Err(unreadable("feed entry")),
    })
}
