//! The embedded store: one SQLite file, with a write-ahead log beside it while it is open.
//!
//! Any number of processes may have it open. Readers never wait for writers; writers wait for each other. Pages are of
//! 4 KiB: measured on real mail, a store takes 0.37 of the messages' bytes with them, 0.38 with 8 KiB, 0.40 with 16.

mod admin;
mod bodies;
mod error;
mod exchange;
mod feed;
mod file;
mod journal;
mod mailboxes;
mod messages;
mod outbox;
mod placements;
mod reader;
mod repair;
mod schema;
mod search;
mod sets;
mod tx;
mod upkeep;
mod verify;
mod writer;

pub use repair::Repaired;

use super::codec::Codec;
use super::{Durability, Reader, Store, StoreId, Usage, Writer};
use crate::error::{Code, MailError, Result};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tx::Tx;

/// Called with the name of every write before it happens, and with `begin` (of a durable transaction), `begin_bulk` and
/// `commit`; an error fails it in its place, and a test may as well end the process there.
pub type Fault = Arc<dyn Fn(&'static str) -> Result<()> + Send + Sync>;

/// How to open a store.
#[derive(Clone)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// How long to wait while another process writes, before `store.locked`. 10 seconds.
    pub wait: Duration,
    /// How much of the file the connection that writes keeps in memory, in KiB: 8,192, so that a first pass writes pages
    /// of indexes seldom.
    pub cache: u32,
    /// The name of a SQLite VFS that the program has registered, for tests of what disks can do. The system's own.
    pub vfs: Option<String>,
    /// A hook before every write, for tests. None.
    pub fault: Option<Fault>,
    /// The id of the store if this makes it; at random where it is `None`. Letters and digits.
    pub id: Option<String>,
    /// SQL that makes one version more of the schema, for tests of an upgrade. None.
    #[cfg(any(test, feature = "test-support"))]
    #[doc(hidden)]
    pub next_version: Option<&'static str>,
}

impl SqliteOptions {
    fn target(&self) -> schema::Target {
        #[cfg(any(test, feature = "test-support"))]
        return schema::Target::new(self.next_version);
        #[cfg(not(any(test, feature = "test-support")))]
        schema::Target::new(None)
    }
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(10),
            cache: 8192,
            vfs: None,
            fault: None,
            id: None,
            #[cfg(any(test, feature = "test-support"))]
            next_version: None,
        }
    }
}

/// A store in one SQLite file.
///
/// ```
/// use mailtide::store::{Durability, SqliteOptions, SqliteStore, Store};
///
/// let folder = tempfile::tempdir().unwrap();
/// let store = SqliteStore::open(&folder.path().join("ada.mail"), SqliteOptions::default()).unwrap();
/// let mut writer = store.write(Durability::Full).unwrap();
/// writer.set_note("colour", Some(b"blue")).unwrap();
/// writer.commit().unwrap();
/// assert_eq!(store.read().unwrap().note("colour").unwrap().as_deref(), Some(&b"blue"[..]));
/// ```
pub struct SqliteStore {
    path: PathBuf,
    options: SqliteOptions,
    id: StoreId,
    codec: Codec,
    writer: Mutex<Connection>,
    /// Whether the writer is set to sync each commit; `None` in the beginning.
    syncs: Mutex<Option<bool>>,
    /// Connections that no reader has now.
    readers: Mutex<Vec<Connection>>,
    sets: sets::Sets,
    /// Asked for `data_version` only; opened when first asked.
    watcher: Mutex<Option<Connection>>,
}

impl SqliteStore {
    /// Opens the store in that file, or makes one, readable by its owner only. Brings an older one up to date.
    ///
    /// `store.newer` for one of a newer version, `usage.argument` for a file of another program, `store.damaged` for
    /// what is no SQLite file or a broken one: see [`SqliteStore::repair`].
    pub fn open(path: &Path, options: SqliteOptions) -> Result<Self> {
        let writer = file::open_or_make(path, &options)?;
        let id: String = writer.query_row("SELECT value FROM meta WHERE name = 'store'", [], |row| row.get(0))?;
        Ok(Self {
            path: path.to_owned(),
            options,
            id: StoreId(id),
            codec: Codec::default(),
            writer: Mutex::new(writer),
            syncs: Mutex::default(),
            readers: Mutex::default(),
            sets: sets::Sets::default(),
            watcher: Mutex::default(),
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Saves what can be saved of a damaged file: see [`Repaired`]. Nobody may have it open.
    ///
    /// A sound file is left as it is. Otherwise the damaged one stays beside the new one, its name ending in `.damaged`;
    /// the journal, the outbox and the account come first, everything else as far as it can be read, and the next pass
    /// compares the mirror with the server from the beginning.
    pub fn repair(path: &Path, options: &SqliteOptions) -> Result<Repaired> {
        repair::repair(path, options)
    }

    /// A connection for a reader: one that is free, or another.
    fn reader(&self) -> Result<Connection> {
        let free = lock(&self.readers).pop();
        free.map_or_else(|| file::connect(&self.path, &self.options), Ok)
    }

    fn give_back(&self, connection: Connection) {
        /// More than run at once in a process; each holds a few pages.
        const MOST: usize = 4;
        let mut readers = lock(&self.readers);
        if readers.len() < MOST {
            readers.push(connection);
        }
    }

    fn fault(&self, name: &'static str) -> Result<()> {
        self.options.fault.as_ref().map_or(Ok(()), |fault| fault(name))
    }
}

impl Store for SqliteStore {
    fn id(&self) -> &StoreId {
        &self.id
    }

    fn read(&self) -> Result<Box<dyn Reader + '_>> {
        Ok(Box::new(Tx::read(self)?))
    }

    fn write(&self, durability: Durability) -> Result<Box<dyn Writer + '_>> {
        Ok(Box::new(Tx::write(self, durability)?))
    }

    fn version(&self) -> Result<u64> {
        let mut watcher = lock(&self.watcher);
        if watcher.is_none() {
            *watcher = Some(file::connect(&self.path, &self.options)?);
        }
        let Some(connection) = watcher.as_ref() else { return Err(MailError::from(Code::Internal)) };
        let version: i64 = connection.query_row("PRAGMA data_version", [], |row| row.get(0))?;
        Ok(version.unsigned_abs())
    }

    fn usage(&self) -> Result<Usage> {
        upkeep::usage(self)
    }

    fn shrink(&self, bytes: u64) -> Result<u64> {
        upkeep::shrink(self, bytes)
    }

    fn backup(&self, path: &Path) -> Result<()> {
        upkeep::backup(self, path)
    }

    fn check(&self) -> Result<Vec<String>> {
        upkeep::check(self)
    }
}

/// A panic while it was held has left nothing half done: transactions roll back when they are dropped.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A value in the file that was never written there.
fn unreadable(what: &str) -> MailError {
    MailError::new(Code::StoreDamaged, format!("The store's file is damaged: a {what} cannot be read"))
}

#[cfg(test)]
mod tests;
