//! A way out of a damaged file: a new one, with everything of the old one that can still be read.
//!
//! What matters most cannot be downloaded again: the journal, the outbox, the account, and messages that have not
//! reached the server. All tables are read past what cannot be ([`copy`]); then what no longer fits together is taken
//! out, and the cursors of the mirror go back to the beginning (`repair.sql`), so that the next pass compares everything
//! and fetches what is missing. No UID and no id is given again. The store gets another id: cursors of its feed are
//! expired.

use super::file::bare;
use super::upkeep::{beside, integrity};
use super::{SqliteOptions, SqliteStore, exchange, schema, verify};
use crate::error::{Code, Result};
use crate::store::Store;
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, params_from_iter};
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

/// Every table, what cannot be had again first; with the column by whose number a row is found, where there is one. The
/// feed is left behind: its numbers mean nothing in another store. The index of words is made again, leases are over.
const TABLES: &[(&str, Option<&str>)] = &[
    ("journal", Some("id")),
    ("outbox", Some("id")),
    ("recipients", None),
    ("account", Some("id")),
    ("mailboxes", Some("id")),
    ("placements", None),
    ("messages", Some("id")),
    ("headers", Some("message")),
    ("bodies", Some("id")),
    ("chunks", Some("id")),
    ("body_parts", None),
    ("dictionaries", Some("id")),
    ("links", None),
    ("tombstones", None),
    ("keep", Some("mailbox")),
    ("notes", None),
    ("subscriptions", None),
    ("metadata", None),
    ("users", Some("id")),
    ("app_passwords", None),
    ("user_flags", None),
    ("rights", None),
];

pub(super) fn repair(path: &Path, options: &SqliteOptions) -> Result<Repaired> {
    exchange::finish(path)?;
    let problems = problems(path, options)?;
    if problems.is_empty() {
        return Ok(Repaired { problems, incomplete: Vec::new(), damaged: None });
    }
    let fresh = beside(path, ".repairing");
    exchange::remove(&fresh)?;
    let incomplete = salvage(path, &fresh, options)?;
    let damaged = exchange::replace(path, &fresh)?;
    Ok(Repaired { problems, incomplete, damaged })
}

/// What is wrong with the file. One of a newer version, or of another program, is an error and is not touched.
fn problems(path: &Path, options: &SqliteOptions) -> Result<Vec<String>> {
    let connection = bare(path, options)?;
    let looked = schema::version(&connection, options.target()).and_then(|_| integrity(&connection));
    drop(connection);
    let looked = match looked {
        Ok(problems) if problems.is_empty() => SqliteStore::open(path, options.clone()).and_then(|store| store.check()),
        looked => looked,
    };
    match looked {
        Err(error) if error.code() == Code::StoreDamaged => Ok(vec![error.message().to_owned()]),
        looked => looked,
    }
}

/// A new store with all that can be read, closed and on the disk; the tables of which that is not all.
fn salvage(path: &Path, fresh: &Path, options: &SqliteOptions) -> Result<Vec<(String, u64)>> {
    let store = SqliteStore::open(fresh, SqliteOptions { id: None, ..options.clone() })?;
    let (from, to) = (bare(path, options)?, bare(fresh, options)?);
    // Lets SQLite read a file that has been cut short, or whose schema is not whole.
    let _ = from.execute_batch("PRAGMA writable_schema = ON");
    to.execute_batch("BEGIN IMMEDIATE")?;
    let mut incomplete = Vec::new();
    for (table, key) in TABLES {
        let (rows, is_whole) = copy(&from, &to, table, *key)?;
        incomplete.extend((!is_whole).then(|| ((*table).to_owned(), rows)));
    }
    copy_counters(&from, &to)?;
    to.execute_batch("COMMIT")?;
    let unreadable = verify::find(&store)?;
    to.execute_batch("BEGIN IMMEDIATE")?;
    unreadable.iter().try_for_each(|row| row.take_out(&to))?;
    to.execute_batch(include_str!("repair.sql"))?;
    to.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(incomplete)
}

/// How many rows could be copied, and whether these are all. Reads forwards until something cannot be read, and then
/// backwards from the end. Where rows have a number, the numbers are read so, and each row by itself: one that cannot be
/// read costs itself alone.
fn copy(from: &Connection, to: &Connection, table: &str, key: Option<&str>) -> Result<(u64, bool)> {
    let (mut rows, mut is_whole) = (0, true);
    let columns = key.map_or_else(|| primary_key(to, table), |key| Ok(vec![key.to_owned()]))?;
    let one = format!("SELECT * FROM {table} WHERE {} = ?1", columns.join(""));
    for direction in ["ASC", "DESC"] {
        let order = columns.iter().map(|column| format!("{column} {direction}")).collect::<Vec<_>>().join(", ");
        let all = format!("SELECT {} FROM {table} ORDER BY {order}", key.unwrap_or("*"));
        let came_to_its_end = each(from, &all, &[], |values| {
            if key.is_none() {
                rows += insert(to, table, values)?;
                return Ok(());
            }
            is_whole &= each(from, &one, values, |row| {
                rows += insert(to, table, row)?;
                Ok(())
            })?;
            Ok(())
        })?;
        if came_to_its_end {
            break;
        }
        is_whole = false;
    }
    Ok((rows, is_whole))
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
        let Ok(row) = rows.next() else { return Ok(false) };
        let Some(row) = row else { return Ok(true) };
        let Ok(values) = (0..width).map(|at| row.get(at)).collect::<rusqlite::Result<Vec<Value>>>() else {
            return Ok(false);
        };
        take(&values)?;
    }
}

/// How many rows are new: 1, or 0 for what the new file does not take (a value of the wrong kind, a number for the second
/// time).
fn insert(to: &Connection, table: &str, row: &[Value]) -> Result<u64> {
    let marks = vec!["?"; row.len()].join(", ");
    let sql = format!("INSERT OR IGNORE INTO {table} VALUES ({marks})");
    match to.prepare_cached(&sql)?.execute(params_from_iter(row)) {
        Ok(count) => Ok(count as u64),
        Err(rusqlite::Error::SqliteFailure(cause, _)) if cause.code == ErrorCode::ConstraintViolation => Ok(0),
        Err(error) => Err(error.into()),
    }
}

fn primary_key(to: &Connection, table: &str) -> Result<Vec<String>> {
    let mut statement = to.prepare("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk")?;
    let names = statement.query_map([table], |row| row.get(0))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}
