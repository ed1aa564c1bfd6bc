//! The schema and its changes. A store is brought up in one transaction that sets `user_version` last, so that a crash
//! at any moment leaves the version before or the one after.

use crate::error::{Code, MailError, Result};
use rusqlite::Connection;

/// "Mtde", so that `file` and others can tell a store from another SQLite file.
pub(super) const APPLICATION_ID: i32 = 0x4d74_6465;

/// One step from each version to the next; the first makes everything. Steps that were released are never changed.
const MIGRATIONS: &[fn(&Connection) -> rusqlite::Result<()>] = &[first];

/// The version that this library writes.
pub(super) fn current() -> i32 {
    i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX)
}

/// Brings the file to the current version. A newer one is [`Code::StoreNewer`], and is not touched.
pub(super) fn migrate(connection: &Connection, store_id: &str) -> Result<()> {
    if version(connection)? == current() {
        return Ok(());
    }
    connection.execute_batch("BEGIN EXCLUSIVE")?;
    let done = steps(connection, store_id);
    if done.is_err() {
        // The first error is the one to tell; dropping the connection would roll back as well.
        let _ = connection.execute_batch("ROLLBACK");
    }
    done
}

/// The version of the file; refuses what is newer, and what is no store at all.
pub(super) fn version(connection: &Connection) -> Result<i32> {
    let version: i32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION_ID && (tables > 0 || version != 0) {
        return Err(MailError::new(Code::UsageArgument, "This file belongs to another program"));
    }
    if version > current() {
        let text = format!("This store has version {version}; this library knows versions up to {}", current());
        return Err(MailError::new(Code::StoreNewer, text).hint("Use a newer Mailtide"));
    }
    Ok(version)
}

fn steps(connection: &Connection, store_id: &str) -> Result<()> {
    // Asked again: somebody else may have been faster.
    let from = version(connection)?;
    for step in MIGRATIONS.iter().skip(usize::try_from(from).unwrap_or_default()) {
        step(connection)?;
    }
    if from == 0 {
        connection.execute("INSERT INTO meta VALUES ('store', ?1)", [store_id])?;
    }
    connection.execute_batch(&format!(
        "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {}; COMMIT",
        current()
    ))?;
    Ok(())
}

fn first(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(include_str!("schema.sql"))?;
    connection.execute_batch("INSERT INTO meta VALUES ('uid_validity', 0), ('feed_floor', 0)")
}
