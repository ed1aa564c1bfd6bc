//! A way out of a damaged file: a new one, with everything of the old one that can still be read.
//!
//! What matters most cannot be downloaded again: the journal, the outbox, the account, and messages that have not
//! reached the server. All tables are read row by row, past what cannot be; then what no longer fits together is taken
//! out, and the cursors of the mirror go back to the beginning, so that the next pass compares everything and fetches
//! what is missing. No UID and no id is given again. The store gets another id: cursors of its feed are expired.

use super::file::{bare, file_error};
use super::upkeep::{beside, integrity};
use super::{SqliteOptions, SqliteStore, schema};
use crate::error::{Code, MailError, Result};
use crate::store::Store;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};
use std::fs;
use std::path::{Path, PathBuf};

/// What a repair has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// What was wrong; nothing for a sound file, which is left as it is.
    pub problems: Vec<String>,
    /// Tables of which not all could be read, with how many rows could.
    pub incomplete: Vec<(String, u64)>,
    /// Where the damaged file is now; `None` where there was nothing to repair.
    pub damaged: Option<PathBuf>,
}

/// Tables in which a row is found by its number alone, and that column's name.
const NUMBERED: &[(&str, &str)] = &[
    ("journal", "id"),
    ("outbox", "id"),
    ("mailboxes", "id"),
    ("users", "id"),
    ("dictionaries", "id"),
    ("messages", "id"),
    ("headers", "message"),
    ("bodies", "id"),
    ("chunks", "id"),
    ("account", "id"),
    ("keep", "mailbox"),
];
/// Tables that are read from both ends. The feed is left behind: its numbers mean nothing in another store.
const OTHERS: &[&str] = &[
    "recipients",
    "placements",
    "tombstones",
    "links",
    "user_flags",
    "rights",
    "subscriptions",
    "metadata",
    "notes",
    "body_parts",
];

pub(super) fn repair(path: &Path, options: &SqliteOptions) -> Result<Repaired> {
    let problems = problems(path, options)?;
    if problems.is_empty() {
        return Ok(Repaired { problems, incomplete: Vec::new(), damaged: None });
    }
    let fresh = beside(path, ".repairing");
    remove(&fresh)?;
    let incomplete = salvage(path, &fresh, options)?;
    let damaged = exchange(path, &fresh)?;
    Ok(Repaired { problems, incomplete, damaged: Some(damaged) })
}

/// What is wrong with the file. One of a newer version, or of another program, is an error and is not touched.
fn problems(path: &Path, options: &SqliteOptions) -> Result<Vec<String>> {
    let connection = bare(path, options)?;
    let looked = schema::version(&connection).and_then(|_| integrity(&connection));
    drop(connection);
    match looked {
        Ok(problems) if !problems.is_empty() => Ok(problems),
        Ok(_) => SqliteStore::open(path, options.clone())?.check(),
        Err(error) if error.code() == Code::StoreDamaged => Ok(vec![error.message().to_owned()]),
        Err(error) => Err(error),
    }
}

fn salvage(path: &Path, fresh: &Path, options: &SqliteOptions) -> Result<Vec<(String, u64)>> {
    drop(SqliteStore::open(fresh, SqliteOptions { id: None, ..options.clone() })?);
    let to = bare(fresh, options)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut incomplete = Vec::new();
    to.execute_batch("BEGIN IMMEDIATE")?;
    // A file whose first page is gone has nothing that could be read.
    match Connection::open_with_flags(path, flags) {
        Ok(from) => copy_all(&from, &to, &mut incomplete)?,
        Err(error) => log::warn!("nothing of the damaged store could be read: {error}"),
    }
    to.execute_batch(FITTING)?;
    to.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(incomplete)
}

fn copy_all(from: &Connection, to: &Connection, incomplete: &mut Vec<(String, u64)>) -> Result<()> {
    for (table, key) in NUMBERED {
        let (count, whole) = copy_numbered(from, to, table, key)?;
        incomplete.extend((!whole).then(|| ((*table).to_owned(), count)));
    }
    for table in OTHERS {
        let (count, whole) = copy_other(from, to, table)?;
        incomplete.extend((!whole).then(|| ((*table).to_owned(), count)));
    }
    copy_counters(from, to)
}

/// Reads the numbers first and then each row by itself, so that a row that cannot be read costs itself alone.
fn copy_numbered(from: &Connection, to: &Connection, table: &str, key: &str) -> Result<(u64, bool)> {
    let (mut numbers, mut whole) = (Vec::new(), true);
    for order in ["ASC", "DESC"] {
        let sql = format!("SELECT {key} FROM {table} ORDER BY {key} {order}");
        let read = each(from, &sql, &[], |row| {
            numbers.extend(row.first().cloned());
            Ok(())
        })?;
        if read {
            break;
        }
        whole = false;
    }
    let mut count = 0;
    let select = format!("SELECT * FROM {table} WHERE {key} = ?1");
    for number in numbers {
        let read = each(from, &select, &[number], |row| {
            count += u64::from(insert(to, table, row)?);
            Ok(())
        })?;
        whole &= read;
    }
    Ok((count, whole))
}

/// Reads forwards until something cannot be read, and then backwards from the end.
fn copy_other(from: &Connection, to: &Connection, table: &str) -> Result<(u64, bool)> {
    let (mut count, mut whole) = (0, true);
    let keys = primary_key(to, table)?;
    for order in ["ASC", "DESC"] {
        let order = keys.iter().map(|key| format!("{key} {order}")).collect::<Vec<_>>().join(", ");
        let sql = format!("SELECT * FROM {table} ORDER BY {order}");
        let read = each(from, &sql, &[], |row| {
            count += u64::from(insert(to, table, row)?);
            Ok(())
        })?;
        if read {
            break;
        }
        whole = false;
    }
    Ok((count, whole))
}

/// The largest numbers that were ever given, so that none is given again.
fn copy_counters(from: &Connection, to: &Connection) -> Result<()> {
    each(from, "SELECT name, seq FROM sqlite_sequence WHERE name <> 'feed'", &[], |row| {
        let sql = "UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1";
        if to.execute(sql, params_from_iter(row))? == 0 {
            to.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)", params_from_iter(row))?;
        }
        Ok(())
    })?;
    each(from, "SELECT value FROM meta WHERE name = 'uid_validity'", &[], |row| {
        to.execute("UPDATE meta SET value = max(value, ?1) WHERE name = 'uid_validity'", params_from_iter(row))?;
        Ok(())
    })?;
    Ok(())
}

/// Every row that a question gives; whether all could be read. Only what the new file says is an error here.
fn each(from: &Connection, sql: &str, params: &[Value], mut take: impl FnMut(&[Value]) -> Result<()>) -> Result<bool> {
    let Ok(mut statement) = from.prepare_cached(sql) else { return Ok(false) };
    let width = statement.column_count();
    let Ok(mut rows) = statement.query(params_from_iter(params)) else { return Ok(false) };
    loop {
        match rows.next() {
            Ok(None) => return Ok(true),
            Ok(Some(row)) => match (0..width).map(|at| row.get(at)).collect::<rusqlite::Result<Vec<Value>>>() {
                Ok(values) => take(&values)?,
                Err(_) => return Ok(false),
            },
            Err(_) => return Ok(false),
        }
    }
}

/// Whether it is new; what the new file does not take (a value of the wrong kind, a second row of a number) is left.
fn insert(to: &Connection, table: &str, row: &[Value]) -> Result<bool> {
    let marks = vec!["?"; row.len()].join(", ");
    let sql = format!("INSERT OR IGNORE INTO {table} VALUES ({marks})");
    match to.prepare_cached(&sql)?.execute(params_from_iter(row)) {
        Ok(count) => Ok(count > 0),
        Err(rusqlite::Error::SqliteFailure(cause, _)) if cause.code == rusqlite::ErrorCode::ConstraintViolation => {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

fn primary_key(to: &Connection, table: &str) -> Result<Vec<String>> {
    let mut statement = to.prepare("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk")?;
    let names = statement.query_map([table], |row| row.get(0))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}

/// Puts the new file in the place of the damaged one; where that is now.
fn exchange(path: &Path, fresh: &Path) -> Result<PathBuf> {
    let damaged = (1..)
        .map(|number| beside(path, &if number == 1 { ".damaged".to_owned() } else { format!(".damaged.{number}") }))
        .find(|name| !name.exists())
        .ok_or_else(|| MailError::from(Code::Internal))?;
    // The log first: beside another file it would be taken for that one's.
    for ending in ["-wal", "-shm"] {
        let log = beside(path, ending);
        if log.exists() {
            fs::rename(&log, beside(&damaged, ending)).map_err(|error| file_error(&error))?;
        }
    }
    fs::rename(path, &damaged).map_err(|error| file_error(&error))?;
    fs::rename(fresh, path).map_err(|error| file_error(&error))?;
    Ok(damaged)
}

fn remove(path: &Path) -> Result<()> {
    for name in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        match fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(file_error(&error)),
            _ => {}
        }
    }
    Ok(())
}

/// Takes out what no longer fits together, in an order in which each step makes the next one true.
const FITTING: &str = "
    -- Contents that are not whole, headers that are not there, and what that leaves of messages.
    DELETE FROM bodies WHERE staged IS NOT NULL OR chunks <>
        (SELECT count(*) FROM chunks c WHERE c.id BETWEEN bodies.id * 65536 AND bodies.id * 65536 + 65535);
    DELETE FROM body_parts WHERE part NOT IN (SELECT id FROM bodies);
    DELETE FROM bodies WHERE parts <> (SELECT count(*) FROM body_parts p WHERE p.body = bodies.id);
    UPDATE messages SET body = NULL WHERE body IS NOT NULL AND body NOT IN (SELECT id FROM bodies);
    DELETE FROM messages WHERE id NOT IN (SELECT message FROM headers);
    DELETE FROM headers WHERE message NOT IN (SELECT id FROM messages);
    DELETE FROM links WHERE message NOT IN (SELECT id FROM messages);
    DELETE FROM outbox WHERE body NOT IN (SELECT id FROM bodies);
    DELETE FROM recipients WHERE outbox NOT IN (SELECT id FROM outbox);
    -- A mailbox that the journal or a placement needs, under the name that the journal has, or a number.
    INSERT OR IGNORE INTO mailboxes (id, name, attributes, uid_validity, uid_next, mod_seq, tombstones_from, state,
            remote_name, remote_uid_validity, remote_uid_next, remote_mod_seq, remote_empty_mod_seq, remote_exists,
            bodies_from, audited, resets, resets_day, suspects, unlisted)
        SELECT DISTINCT mailbox, 'Recovered ' || mailbox, '', 1, 1, 1, 1, 'ready', NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, '', 0
        FROM placements WHERE mailbox NOT IN (SELECT id FROM mailboxes) AND message IN (SELECT id FROM messages);
    -- What was visible and has lost its message is only reserved again: the next pass fetches it.
    UPDATE placements SET message = NULL, agreed = NULL, agreed_keywords = NULL
        WHERE message NOT IN (SELECT id FROM messages) AND remote_uid IS NOT NULL;
    DELETE FROM placements WHERE message NOT IN (SELECT id FROM messages)
        OR (message IS NULL AND remote_uid IS NULL) OR mailbox NOT IN (SELECT id FROM mailboxes);
    UPDATE messages SET deleted_at = NULL WHERE id IN (SELECT message FROM placements);
    UPDATE messages SET deleted_at = unixepoch() WHERE deleted_at IS NULL
        AND id NOT IN (SELECT message FROM placements WHERE message IS NOT NULL);
    DELETE FROM bodies WHERE id NOT IN (SELECT body FROM messages WHERE body IS NOT NULL)
        AND id NOT IN (SELECT body FROM outbox) AND id NOT IN (SELECT part FROM body_parts);
    -- What was only in these.
    DELETE FROM body_parts WHERE body NOT IN (SELECT id FROM bodies);
    DELETE FROM bodies WHERE id NOT IN (SELECT body FROM messages WHERE body IS NOT NULL)
        AND id NOT IN (SELECT body FROM outbox) AND id NOT IN (SELECT part FROM body_parts);
    DELETE FROM chunks WHERE id / 65536 NOT IN (SELECT id FROM bodies);
    -- No number is given again, and everything is compared anew.
    UPDATE mailboxes SET
        uid_next = max(uid_next, coalesce((SELECT max(uid) + 1 FROM placements p WHERE p.mailbox = mailboxes.id), 1),
            coalesce((SELECT max(uid) + 1 FROM tombstones t WHERE t.mailbox = mailboxes.id), 1)),
        mod_seq = max(mod_seq, coalesce((SELECT max(mod_seq) FROM placements p WHERE p.mailbox = mailboxes.id), 1),
            coalesce((SELECT max(mod_seq) FROM tombstones t WHERE t.mailbox = mailboxes.id), 1)),
        remote_uid_next = 0, remote_mod_seq = 0, remote_empty_mod_seq = 0, remote_exists = 0, bodies_from = 0,
        audited = 0, suspects = '';
    UPDATE mailboxes SET tombstones_from = mod_seq + 1;
    UPDATE mailboxes SET state = 'reserved' WHERE state = 'ready'
        AND id IN (SELECT mailbox FROM placements WHERE message IS NULL);
    UPDATE meta SET value = max(value, (SELECT coalesce(max(uid_validity), 0) FROM mailboxes), unixepoch())
        WHERE name = 'uid_validity';
    UPDATE mailboxes SET uid_validity = (SELECT value FROM meta WHERE name = 'uid_validity') WHERE uid_validity = 1;
";
