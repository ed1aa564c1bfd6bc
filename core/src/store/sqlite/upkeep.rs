//! What keeps the file well: how much it takes, giving room back, copies, and looking for damage.

use super::file::{connect, file_error, sync_folder};
use super::tx::Tx;
use super::{SqliteStore, lock, verify};
use crate::error::{Code, MailError, Result};
use crate::store::Usage;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

pub(super) fn usage(store: &SqliteStore) -> Result<Usage> {
    let tx = Tx::read(store)?;
    let page = number(tx.connection()?, "PRAGMA page_size")?;
    let whole = "SELECT count(*), coalesce(sum(size), 0) FROM bodies
                 WHERE staged IS NULL AND id NOT IN (SELECT part FROM body_parts)";
    let (bodies, bodies_size) = tx.one(whole, [], |row| Ok((row.get(0)?, row.get(1)?)))?.unwrap_or_default();
    Ok(Usage {
        file: page * number(tx.connection()?, "PRAGMA page_count")?,
        free: page * number(tx.connection()?, "PRAGMA freelist_count")?,
        log: std::fs::metadata(beside(&store.path, "-wal")).map_or(0, |log| log.len()),
        messages: number(tx.connection()?, "SELECT count(*) FROM placements WHERE message IS NOT NULL")?,
        bodies,
        bodies_stored: number(tx.connection()?, "SELECT coalesce(sum(stored), 0) FROM bodies WHERE staged IS NULL")?,
        bodies_size,
        restorable: number(tx.connection()?, "SELECT count(*) FROM messages WHERE deleted_at IS NOT NULL")?,
    })
}

pub(super) fn shrink(store: &SqliteStore, bytes: u64) -> Result<u64> {
    let connection = lock(&store.writer);
    let page = number(&connection, "PRAGMA page_size")?.max(1);
    let before = number(&connection, "PRAGMA freelist_count")?;
    let pages = bytes.div_ceil(page).min(before);
    if pages == 0 {
        return Ok(0);
    }
    store.fault("shrink")?;
    drain(&connection, &format!("PRAGMA incremental_vacuum({pages})"))?;
    // The file itself gets shorter when the log has been written into it; where readers are in the way, later.
    drain(&connection, "PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(before.saturating_sub(number(&connection, "PRAGMA freelist_count")?) * page)
}

pub(super) fn backup(store: &SqliteStore, path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Mode 0600 from the beginning, and at its name only when it is whole.
    let copy = tempfile::Builder::new()
        .prefix(".backup-")
        .tempfile_in(folder)
        .map_err(|error| file_error(&error))?
        .into_temp_path();
    let name = copy.to_str().ok_or_else(|| MailError::new(Code::UsageArgument, "The path is no text"))?;
    connect(&store.path, &store.options)?.execute("VACUUM INTO ?1", [name])?;
    File::open(&copy).and_then(|file| file.sync_all()).map_err(|error| file_error(&error))?;
    copy.persist_noclobber(path).map_err(|error| file_error(&error.error))?;
    sync_folder(path)
}

/// Questions whose answer is the number of rows that should not be there.
const QUESTIONS: &[(&str, &str)] = &[
    (
        "placements without their mailbox",
        "SELECT count(*) FROM placements WHERE mailbox NOT IN (SELECT id FROM mailboxes)",
    ),
    (
        "placements without their message",
        "SELECT count(*) FROM placements WHERE message IS NOT NULL AND message NOT IN (SELECT id FROM messages)",
    ),
    ("messages without their headers", "SELECT count(*) FROM messages WHERE id NOT IN (SELECT message FROM headers)"),
    (
        "messages without their content",
        "SELECT count(*) FROM messages WHERE body IS NOT NULL
             AND body NOT IN (SELECT id FROM bodies WHERE staged IS NULL)",
    ),
    (
        "contents without all their chunks",
        "SELECT count(*) FROM bodies b WHERE staged IS NULL AND chunks <>
             (SELECT count(*) FROM chunks c WHERE c.id BETWEEN b.id * 65536 AND b.id * 65536 + 65535)",
    ),
    (
        "contents without all their parts",
        "SELECT count(*) FROM bodies b WHERE staged IS NULL AND parts <>
             (SELECT count(*) FROM body_parts p JOIN bodies o ON o.id = p.part AND o.staged IS NULL WHERE p.body = b.id)",
    ),
    ("parts without their content", "SELECT count(*) FROM body_parts WHERE body NOT IN (SELECT id FROM bodies)"),
    (
        "contents that nobody has",
        "SELECT count(*) FROM bodies WHERE staged IS NULL AND id NOT IN (SELECT body FROM messages WHERE body IS NOT NULL)
             AND id NOT IN (SELECT body FROM outbox) AND id NOT IN (SELECT part FROM body_parts)",
    ),
    (
        "messages to be sent without their content",
        "SELECT count(*) FROM outbox WHERE body NOT IN (SELECT id FROM bodies WHERE staged IS NULL)",
    ),
    (
        "UIDs that would be given again",
        "SELECT count(*) FROM placements p JOIN mailboxes m ON m.id = p.mailbox WHERE p.uid >= m.uid_next",
    ),
    (
        "placements changed later than their mailbox",
        "SELECT count(*) FROM placements p JOIN mailboxes m ON m.id = p.mailbox WHERE p.mod_seq > m.mod_seq",
    ),
    (
        "messages placed nowhere that nobody deleted",
        "SELECT count(*) FROM messages WHERE deleted_at IS NULL AND id NOT IN
             (SELECT message FROM placements WHERE message IS NOT NULL)",
    ),
];

pub(super) fn check(store: &SqliteStore) -> Result<Vec<String>> {
    let tx = Tx::read(store)?;
    let mut problems = integrity(tx.connection()?)?;
    if !problems.is_empty() {
        return Ok(problems);
    }
    for (what, sql) in QUESTIONS {
        let count = number(tx.connection()?, sql)?;
        problems.extend((count > 0).then(|| format!("{count} {what}")));
    }
    drop(tx);
    let mut unreadable = BTreeMap::new();
    for row in verify::find(store)? {
        *unreadable.entry(row.what).or_insert(0) += 1;
    }
    problems.extend(unreadable.into_iter().map(|(what, count)| format!("{count} {what} that cannot be read")));
    Ok(problems)
}

/// What SQLite itself finds wrong.
pub(super) fn integrity(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}

/// The file of that ending beside the store's own.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn number(connection: &Connection, sql: &str) -> Result<u64> {
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// Runs a statement to its end; some do their work row by row.
fn drain(connection: &Connection, sql: &str) -> Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}
