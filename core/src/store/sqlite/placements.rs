//! Placements and tombstones.

use super::tx::Tx;
use super::{messages, unreadable};
use crate::error::Result;
use crate::imap::UidSet;
use crate::store::{
    Flags, Frame, ListRow, MailboxId, MessageId, Page, PlacementRow, ShownParts, ShownRow, Tombstone, Wanted,
};
use rusqlite::{Row, params};

/// Columns of a placement, in the order in which [`row`] reads them.
macro_rules! columns {
    () => {
        "p.mailbox, p.uid, p.remote_uid, p.message, p.bits, p.keywords, p.agreed, p.agreed_keywords, p.mod_seq,
         p.save_date"
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM placements p ", $rest)
    };
}

/// How many columns that are.
const COLUMNS: usize = 10;

pub(super) fn by_uid(tx: &Tx<'_>, mailbox: MailboxId, uid: u32) -> Result<Option<PlacementRow>> {
    tx.one(select!("WHERE mailbox = ?1 AND uid = ?2"), (mailbox.0, uid), row)
}

pub(super) fn by_remote(tx: &Tx<'_>, mailbox: MailboxId, uid: u32) -> Result<Option<PlacementRow>> {
    tx.one(select!("WHERE mailbox = ?1 AND remote_uid = ?2"), (mailbox.0, uid), row)
}

pub(super) fn within(tx: &Tx<'_>, mailbox: MailboxId, uids: &UidSet) -> Result<Vec<PlacementRow>> {
    let sql = select!("WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid");
    let mut rows = Vec::new();
    for (first, last) in uids.ranges() {
        rows.append(&mut tx.all(sql, (mailbox.0, first, last), row)?);
    }
    Ok(rows)
}

pub(super) fn shown(tx: &Tx<'_>, mailbox: MailboxId, uids: &UidSet, parts: ShownParts) -> Result<Vec<ShownRow>> {
    macro_rules! shown {
        ($more:literal, $joins:literal) => {
            concat!(
                "SELECT ",
                columns!(),
                $more,
                " FROM placements p ",
                $joins,
                " WHERE p.mailbox = ?1 AND p.uid BETWEEN ?2 AND ?3 AND p.message IS NOT NULL ORDER BY p.uid"
            )
        };
    }
    let sql = match (parts.facts, parts.headers) {
        (false, false) => shown!("", ""),
        (true, false) => shown!(", m.size, m.date, m.zone, m.thread", "LEFT JOIN messages m ON m.id = p.message"),
        (false, true) => shown!(", h.data", "LEFT JOIN headers h ON h.message = p.message"),
        (true, true) => shown!(
            ", m.size, m.date, m.zone, m.thread, h.data",
            "LEFT JOIN messages m ON m.id = p.message LEFT JOIN headers h ON h.message = p.message"
        ),
    };
    let mut rows = Vec::new();
    for (first, last) in uids.ranges() {
        tx.each(sql, (mailbox.0, first, last), |from| {
            rows.extend(shown_row(from, parts)?);
            Ok(())
        })?;
    }
    Ok(rows)
}

fn shown_row(from: &Row<'_>, parts: ShownParts) -> Result<Option<ShownRow>> {
    let placement = row(from)?;
    let Some(message) = placement.message else { return Ok(None) };
    let facts = if parts.facts { messages::facts(from, COLUMNS)? } else { None };
    let at = COLUMNS + if parts.facts { messages::FACTS } else { 0 };
    let headers = if parts.headers { from.get::<_, Option<Vec<u8>>>(at)?.map(Frame::new) } else { None };
    Ok(Some(ShownRow { placement, message, facts, headers }))
}

pub(super) fn of_message(tx: &Tx<'_>, message: MessageId) -> Result<Vec<PlacementRow>> {
    tx.all(select!("WHERE message = ?1 ORDER BY mailbox, uid"), [message.0], row)
}

pub(super) fn changed_since(tx: &Tx<'_>, mailbox: MailboxId, mod_seq: u64) -> Result<Vec<PlacementRow>> {
    let sql = select!("WHERE mailbox = ?1 AND mod_seq > ?2 AND message IS NOT NULL ORDER BY mod_seq");
    tx.all(sql, (mailbox.0, mod_seq), row)
}

pub(super) fn uids(tx: &Tx<'_>, mailbox: MailboxId) -> Result<UidSet> {
    Ok(super::sets::all(tx, mailbox)?.all().clone())
}

pub(super) fn keywords(tx: &Tx<'_>, mailbox: MailboxId) -> Result<Flags> {
    let sql = "SELECT DISTINCT keywords FROM placements WHERE mailbox = ?1 AND keywords IS NOT NULL";
    let all = tx.all(sql, [mailbox.0], |row| Ok(Flags::from_parts(0, &row.get::<_, String>(0)?)))?;
    Ok(all.iter().flat_map(Flags::iter).collect())
}

pub(super) fn remote_uids(tx: &Tx<'_>, mailbox: MailboxId) -> Result<UidSet> {
    let sql = "SELECT remote_uid FROM placements WHERE mailbox = ?1 AND remote_uid IS NOT NULL ORDER BY remote_uid";
    uid_set(tx, sql, mailbox)
}

pub(super) fn reserved(tx: &Tx<'_>, mailbox: MailboxId) -> Result<UidSet> {
    let sql = "SELECT remote_uid FROM placements WHERE mailbox = ?1 AND message IS NULL AND remote_uid IS NOT NULL
               ORDER BY remote_uid";
    uid_set(tx, sql, mailbox)
}

fn uid_set(tx: &Tx<'_>, sql: &str, mailbox: MailboxId) -> Result<UidSet> {
    Ok(tx.all(sql, [mailbox.0], |row| Ok(row.get::<_, u32>(0)?))?.into_iter().collect())
}

pub(super) fn list(tx: &Tx<'_>, mailbox: MailboxId, page: Page) -> Result<Vec<ListRow>> {
    macro_rules! list {
        ($rest:literal) => {
            concat!(
                "SELECT ",
                columns!(),
                ", ",
                messages::columns!(),
                " FROM placements p JOIN messages m ON m.id = p.message LEFT JOIN bodies b ON b.id = m.body
                  WHERE p.mailbox = ?1 AND ",
                $rest
            )
        };
    }
    let (sql, after) = if page.newest_first {
        (list!("p.uid < ?2 ORDER BY p.uid DESC LIMIT ?3"), page.after.map_or(i64::MAX, i64::from))
    } else {
        (list!("p.uid > ?2 ORDER BY p.uid LIMIT ?3"), page.after.map_or(0, i64::from))
    };
    tx.all(sql, params![mailbox.0, after, limit(page.limit)], |from| {
        Ok(ListRow { placement: row(from)?, message: messages::row(from, COLUMNS)? })
    })
}

pub(super) fn without_body(tx: &Tx<'_>, mailbox: MailboxId, before: Option<u32>, most: usize) -> Result<Vec<Wanted>> {
    let sql = "SELECT p.uid, p.remote_uid, p.message, m.size, m.date
               FROM placements p JOIN messages m ON m.id = p.message
               WHERE p.mailbox = ?1 AND p.uid < ?2 AND p.remote_uid IS NOT NULL AND m.body IS NULL
                   AND m.problem IS NULL ORDER BY p.uid DESC LIMIT ?3";
    let before = before.map_or(i64::MAX, i64::from);
    tx.all(sql, params![mailbox.0, before, limit(most)], |row| {
        Ok(Wanted {
            mailbox,
            uid: row.get(0)?,
            remote_uid: row.get(1)?,
            message: MessageId(row.get(2)?),
            size: row.get(3)?,
            date: row.get(4)?,
        })
    })
}

/// A placement's columns, in the order of ?1 to ?10.
macro_rules! values {
    ($row:ident) => {
        params![
            $row.mailbox.0,
            $row.uid,
            $row.remote_uid,
            $row.message.map(|id| id.0),
            $row.flags.bits(),
            $row.flags.keywords(),
            $row.agreed.as_ref().map(Flags::bits),
            $row.agreed.as_ref().and_then(Flags::keywords),
            $row.mod_seq,
            $row.save_date
        ]
    };
}

pub(super) fn insert(tx: &Tx<'_>, row: &PlacementRow) -> Result<()> {
    let sql = "INSERT INTO placements (mailbox, uid, remote_uid, message, bits, keywords, agreed, agreed_keywords,
                   mod_seq, save_date) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    tx.run_one("insert_placement", sql, values!(row))
}

pub(super) fn update(tx: &Tx<'_>, row: &PlacementRow) -> Result<()> {
    let sql = "UPDATE placements SET remote_uid = ?3, message = ?4, bits = ?5, keywords = ?6, agreed = ?7,
                   agreed_keywords = ?8, mod_seq = ?9, save_date = ?10 WHERE mailbox = ?1 AND uid = ?2";
    tx.run_one("update_placement", sql, values!(row))
}

pub(super) fn delete(tx: &Tx<'_>, mailbox: MailboxId, uid: u32) -> Result<()> {
    let sql = "DELETE FROM placements WHERE mailbox = ?1 AND uid = ?2";
    tx.run_one("delete_placement", sql, (mailbox.0, uid))
}

macro_rules! tombstones {
    ($rest:literal) => {
        concat!("SELECT mailbox, uid, remote_uid, message, bits, keywords, mod_seq, at FROM tombstones ", $rest)
    };
}

pub(super) fn tombstones(tx: &Tx<'_>, mailbox: MailboxId, mod_seq: u64) -> Result<Vec<Tombstone>> {
    let sql = tombstones!("WHERE mailbox = ?1 AND mod_seq > ?2 ORDER BY mod_seq, uid");
    tx.all(sql, (mailbox.0, mod_seq), tombstone)
}

pub(super) fn tombstones_of(tx: &Tx<'_>, message: MessageId) -> Result<Vec<Tombstone>> {
    tx.all(tombstones!("WHERE message = ?1 ORDER BY at, mailbox, mod_seq"), [message.0], tombstone)
}

fn tombstone(row: &Row<'_>) -> Result<Tombstone> {
    Ok(Tombstone {
        mailbox: MailboxId(row.get(0)?),
        uid: row.get(1)?,
        remote_uid: row.get(2)?,
        message: row.get::<_, Option<i64>>(3)?.map(MessageId),
        flags: Flags::from_parts(row.get(4)?, row.get::<_, Option<String>>(5)?.as_deref().unwrap_or_default()),
        mod_seq: row.get(6)?,
        at: row.get(7)?,
    })
}

pub(super) fn insert_tombstone(tx: &Tx<'_>, tombstone: &Tombstone) -> Result<()> {
    let sql = "INSERT INTO tombstones (mailbox, mod_seq, uid, remote_uid, message, bits, keywords, at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let Tombstone { mailbox, uid, remote_uid, message, flags, mod_seq, at } = tombstone;
    let (message, bits, keywords) = (message.map(|id| id.0), flags.bits(), flags.keywords());
    tx.run_one("insert_tombstone", sql, params![mailbox.0, mod_seq, uid, remote_uid, message, bits, keywords, at])
}

pub(super) fn prune_tombstones(tx: &Tx<'_>, at: i64) -> Result<u64> {
    let floor = "UPDATE mailboxes SET tombstones_from = max(tombstones_from, coalesce(
                     (SELECT max(mod_seq) + 1 FROM tombstones t WHERE t.mailbox = mailboxes.id AND t.at < ?1), 0))";
    tx.run("tombstones_from", floor, [at])?;
    // By MODSEQ and not by time, should a clock have gone back: what is below the mark goes as a whole.
    let sql = "DELETE FROM tombstones WHERE mod_seq < (SELECT tombstones_from FROM mailboxes WHERE id = mailbox)";
    Ok(tx.run("prune_tombstones", sql, [])? as u64)
}

fn row(row: &Row<'_>) -> Result<PlacementRow> {
    let agreed: Option<u32> = row.get(6)?;
    let (own, other): (Option<String>, Option<String>) = (row.get(5)?, row.get(7)?);
    let uid: u32 = row.get(1)?;
    if uid == 0 {
        return Err(unreadable("UID"));
    }
    Ok(PlacementRow {
        mailbox: MailboxId(row.get(0)?),
        uid,
        remote_uid: row.get(2)?,
        message: row.get::<_, Option<i64>>(3)?.map(MessageId),
        flags: Flags::from_parts(row.get(4)?, own.as_deref().unwrap_or_default()),
        agreed: agreed.map(|bits| Flags::from_parts(bits, other.as_deref().unwrap_or_default())),
        mod_seq: row.get(8)?,
        save_date: row.get(9)?,
    })
}

/// A LIMIT that SQLite takes.
pub(super) fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
