//! The schema and its changes. A store is brought up in one transaction that sets `user_version` last, so that a crash
//! at any moment leaves the version before or the one after.

use crate::error::{Code, MailError, Result};
use rusqlite::Connection;

/// "Mtde", so that `file` and others can tell a store from another SQLite file.
pub(super) const APPLICATION_ID: i32 = 0x4d74_6465;

/// One step from each version to the next; the first makes everything. Steps that were released are never changed.
const MIGRATIONS: &[fn(&Connection) -> rusqlite::Result<()>] = &[first, second, third];

/// The version that this library writes.
pub(super) fn current() -> i32 {
    i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX)
}

/// Which version a store is brought to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    version: i32,
    /// SQL of one step more than there are, for tests of an upgrade.
    next: Option<&'static str>,
}

impl Target {
    /// The current version; with `next` the one after it.
    pub(super) fn new(next: Option<&'static str>) -> Self {
        Self { version: current() + i32::from(next.is_some()), next }
    }

    /// An earlier version.
    #[cfg(test)]
    pub(super) fn earlier(version: i32) -> Self {
        Self { version, next: None }
    }
}

/// Brings the file to that version. A newer one is [`Code::StoreNewer`], and is not touched.
pub(super) fn migrate(connection: &Connection, store_id: &str, to: Target) -> Result<()> {
    if version(connection, to)? >= to.version {
        return Ok(());
    }
    connection.execute_batch("BEGIN EXCLUSIVE")?;
    let done = steps(connection, store_id, to);
    if done.is_err() {
        // The first error is the one to tell; dropping the connection would roll back as well.
        let _ = connection.execute_batch("ROLLBACK");
    }
    done
}

/// The version of the file; refuses what is newer, and what is no store at all.
pub(super) fn version(connection: &Connection, newest: Target) -> Result<i32> {
    if !connection.is_autocommit() {
        return read_version(connection, newest);
    }
    // One snapshot: another process may be making the store just now.
    connection.execute_batch("BEGIN")?;
    let version = read_version(connection, newest);
    if !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    version
}

fn read_version(connection: &Connection, newest: Target) -> Result<i32> {
    let version: i32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION_ID && (tables > 0 || version != 0) {
        return Err(MailError::new(Code::UsageArgument, "This file belongs to another program"));
    }
    let newest = newest.version.max(current());
    if version > newest {
        let text = format!("This store has version {version}; this library knows versions up to {newest}");
        return Err(MailError::new(Code::StoreNewer, text).hint("Use a newer Mailtide"));
    }
    Ok(version)
}

fn steps(connection: &Connection, store_id: &str, to: Target) -> Result<()> {
    // Asked again: somebody else may have been faster.
    let from = version(connection, to)?;
    let index = |version: i32| usize::try_from(version).unwrap_or_default();
    for step in MIGRATIONS.iter().take(index(to.version)).skip(index(from)) {
        step(connection)?;
    }
    if let Some(next) = to.next.filter(|_| from <= current()) {
        connection.execute_batch(next)?;
    }
    if from == 0 {
        connection.execute("INSERT INTO meta VALUES ('store', ?1)", [store_id])?;
    }
    connection.execute_batch(&format!(
        "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {}; COMMIT",
        to.version.max(from)
    ))?;
    Ok(())
}

fn first(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(include_str!("schema.sql"))?;
    connection.execute_batch("INSERT INTO meta VALUES ('uid_validity', 0), ('feed_floor', 0)")
}

/// Passwords for one program each, and which keywords a mailbox has.
fn second(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TABLE app_passwords (
             user INTEGER NOT NULL,
             label TEXT NOT NULL,
             created INTEGER NOT NULL,
             mechanism TEXT NOT NULL,
             iterations INTEGER NOT NULL,
             salt BLOB NOT NULL,
             stored_key BLOB NOT NULL,
             server_key BLOB NOT NULL,
             PRIMARY KEY (user, label)
         ) STRICT, WITHOUT ROWID;
         CREATE INDEX placement_keywords ON placements (mailbox, keywords) WHERE keywords IS NOT NULL;",
    )
}

/// The flags that a message had where it was, for when it is restored; and where a message was.
fn third(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "ALTER TABLE tombstones ADD COLUMN bits INTEGER NOT NULL DEFAULT 0;
         ALTER TABLE tombstones ADD COLUMN keywords TEXT;
         CREATE INDEX tombstone_messages ON tombstones (message) WHERE message IS NOT NULL;",
    )
}
