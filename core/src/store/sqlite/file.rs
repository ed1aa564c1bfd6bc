//! Opening and making the file.

use super::{SqliteOptions, exchange, lock, schema};
use crate::error::{Code, MailError, Result};
use ring::rand::{SecureRandom, SystemRandom};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Mutex;

/// Closing a file ends all locks that its process has on it (POSIX), so making one here must not fall between the
/// opening of the same file elsewhere in this process and its locks.
static MAKING: Mutex<()> = Mutex::new(());

/// The first connection to a store: makes it, or brings it up to date.
pub(super) fn open_or_make(path: &Path, options: &SqliteOptions) -> Result<Connection> {
    let _making = lock(&MAKING);
    exchange::finish(path)?;
    make(path)?;
    let connection = bare(path, options)?;
    schema::version(&connection, options.target())?;
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    if pages == 0 {
        // Both take effect in an empty file only, and have to come before the log. The second writes to a file that is
        // not empty, each time.
        connection.execute_batch("PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL;")?;
    }
    let mode = use_log(&connection, options)?;
    if mode != "wal" {
        return Err(MailError::new(Code::StoreIo, format!("This disk has no write-ahead log (only {mode:?})"))
            .hint("Keep the store on a local disk"));
    }
    let id = options.id.clone().map_or_else(new_id, Ok)?;
    schema::migrate(&connection, &id, options.target())?;
    settle(&connection)?;
    connection.pragma_update(None, "cache_size", -i64::from(options.cache))?;
    Ok(connection)
}

/// Switches to the write-ahead log. That needs the file for itself, and where another process has it, SQLite does not
/// wait as it does elsewhere.
fn use_log(connection: &Connection, options: &SqliteOptions) -> Result<String> {
    let began = std::time::Instant::now();
    loop {
        let mode: rusqlite::Result<String> = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0));
        match mode.map_err(MailError::from) {
            Err(error) if error.code() == Code::StoreLocked && began.elapsed() < options.wait => {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            mode => return mode,
        }
    }
}

/// Another connection to a store that is open already.
pub(super) fn connect(path: &Path, options: &SqliteOptions) -> Result<Connection> {
    let connection = bare(path, options)?;
    settle(&connection)?;
    // Every commit empties what a reader has kept of the file, so little of it is of use; the system keeps the rest.
    connection.pragma_update(None, "cache_size", -512)?;
    Ok(connection)
}

/// A connection that has asked for nothing yet.
pub(super) fn bare(path: &Path, options: &SqliteOptions) -> Result<Connection> {
    // No URI: a name may begin with "file:". One thread at a time has a connection, so SQLite need not lock it.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = match &options.vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs.as_str())?,
        None => Connection::open_with_flags(path, flags)?,
    };
    connection.busy_timeout(options.wait)?;
    connection.set_prepared_statement_cache_capacity(128);
    // A plan that does not look at what is bound is not made anew with each value: that was a twelfth of a first pass.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// What holds for a connection, not for the file.
fn settle(connection: &Connection) -> Result<()> {
    // The log is written into the file every 64 MiB, so that a first pass waits seldom for the disk and pages of indexes
    // are written once; after a large pass it is cut back to 16. On macOS fsync alone does not reach the disk.
    connection.execute_batch(
        "PRAGMA foreign_keys = OFF; PRAGMA journal_size_limit = 16777216;
         PRAGMA wal_autocheckpoint = 16000; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;
         PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;",
    )?;
    Ok(())
}

/// An empty file of mode 0600, which the log beside it inherits; nothing where there is one already. SQLite does not
/// see to it that its name outlives a power loss, since it did not make it.
fn make(path: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => sync_folder(path),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(file_error(&error)),
    }
}

/// So that a name in the folder of that file is itself on the disk. Windows has no such thing.
pub(super) fn sync_folder(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| file_error(&error))?;
    }
    Ok(())
}

/// What the system says of a file, as our error.
pub(super) fn file_error(error: &std::io::Error) -> MailError {
    let code = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Code::StoreFull,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Code::StoreReadOnly,
        ErrorKind::NotFound | ErrorKind::AlreadyExists => Code::FileIo,
        _ => Code::StoreIo,
    };
    MailError::new(code, error.to_string())
}

/// 16 letters and digits: 80 bits of chance.
pub(super) fn new_id() -> Result<String> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| MailError::new(Code::Internal, "The system gave no random numbers"))?;
    Ok(bytes.iter().filter_map(|byte| LETTERS.get(usize::from(byte % 32))).map(|letter| char::from(*letter)).collect())
}
