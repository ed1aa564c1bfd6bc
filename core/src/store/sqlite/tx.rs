//! A transaction: a connection that has begun one and will end it.

use super::{SqliteStore, lock};
use crate::error::{Code, MailError, Result};
use crate::store::Durability;
use rusqlite::{Connection, Params, Row};
use std::cell::Cell;
use std::ops::Deref;
use std::sync::MutexGuard;

/// An open transaction. Rolled back when it is dropped.
pub(super) struct Tx<'a> {
    pub(super) store: &'a SqliteStore,
    connection: Held<'a>,
    /// Something failed: SQLite may have rolled back by itself, and what follows would stand alone.
    failed: Cell<bool>,
    ended: bool,
}

enum Held<'a> {
    /// From the readers; given back at the end.
    Reader(Option<Connection>),
    Writer(MutexGuard<'a, Connection>),
}

impl<'a> Tx<'a> {
    pub(super) fn read(store: &'a SqliteStore) -> Result<Self> {
        let tx = Self::new(store, Held::Reader(Some(store.reader()?)));
        // A deferred transaction has its snapshot from its first question on.
        tx.command("BEGIN")?;
        tx.one("SELECT 1 FROM meta WHERE name = 'store'", [], |_| Ok(()))?;
        Ok(tx)
    }

    pub(super) fn write(store: &'a SqliteStore, durability: Durability) -> Result<Self> {
        let tx = Self::new(store, Held::Writer(lock(&store.writer)));
        let (begin, synchronous, is_full) = match durability {
            Durability::Full => ("begin", "PRAGMA synchronous = FULL", true),
            Durability::Bulk => ("begin_bulk", "PRAGMA synchronous = NORMAL", false),
        };
        let mut syncs = lock(&store.syncs);
        if *syncs != Some(is_full) {
            // Cannot be changed inside a transaction.
            tx.connection()?.execute_batch(synchronous)?;
            *syncs = Some(is_full);
        }
        drop(syncs);
        store.fault(begin)?;
        tx.command("BEGIN IMMEDIATE")?;
        Ok(tx)
    }

    fn new(store: &'a SqliteStore, connection: Held<'a>) -> Self {
        Self { store, connection, failed: Cell::new(false), ended: false }
    }

    /// Whether it sees what was committed, and nothing else.
    pub(super) fn is_snapshot(&self) -> bool {
        matches!(self.connection, Held::Reader(_))
    }

    pub(super) fn connection(&self) -> Result<&Connection> {
        match &self.connection {
            Held::Reader(connection) => connection.as_ref().ok_or_else(|| Code::Internal.into()),
            Held::Writer(connection) => Ok(connection.deref()),
        }
    }

    /// Ends it. Where something failed before, nothing of it may be kept.
    pub(super) fn commit(mut self) -> Result<()> {
        if self.failed.get() {
            return Err(MailError::new(
                Code::Internal,
                "Something failed earlier in this transaction: it cannot be kept",
            ));
        }
        self.store.fault("commit")?;
        self.command("COMMIT")?;
        self.ended = true;
        Ok(())
    }

    /// Begins a part of it.
    pub(super) fn begin_part(&self) -> Result<()> {
        self.is_sound()?;
        self.command("SAVEPOINT part")
    }

    /// Ends the part. SQLite undoes the whole transaction by itself where a disk fails: then nothing may follow, since it
    /// would stand alone.
    pub(super) fn end_part(&self, keep: bool) -> Result<bool> {
        let is_kept = keep && !self.failed.get();
        let ended = match (self.connection()?.is_autocommit(), is_kept) {
            (true, _) => Err(MailError::new(Code::StoreIo, "The transaction was undone")),
            (false, true) => self.command("RELEASE part"),
            (false, false) => self.command("ROLLBACK TO part").and_then(|()| self.command("RELEASE part")),
        };
        self.failed.set(ended.is_err());
        ended.map(|()| is_kept)
    }

    fn command(&self, sql: &str) -> Result<()> {
        Ok(self.connection()?.prepare_cached(sql)?.execute([]).map(drop)?)
    }

    fn is_sound(&self) -> Result<()> {
        match self.failed.get() {
            true => Err(MailError::new(Code::Internal, "Something failed earlier in this transaction")),
            false => Ok(()),
        }
    }

    /// The first row.
    pub(super) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut statement = self.connection()?.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(map).transpose()
    }

    /// Every row.
    pub(super) fn all<T>(&self, sql: &str, params: impl Params, map: impl Fn(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
        let mut out = Vec::new();
        self.each(sql, params, |row| {
            out.push(map(row)?);
            Ok(())
        })?;
        Ok(out)
    }

    /// Calls `each` with every row.
    pub(super) fn each(
        &self,
        sql: &str,
        params: impl Params,
        mut each: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut statement = self.connection()?.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            each(row)?;
        }
        Ok(())
    }

    /// A write, by its name for the fault hook; how many rows.
    pub(super) fn run(&self, name: &'static str, sql: &str, params: impl Params) -> Result<usize> {
        let done = self.try_run(name, sql, params);
        self.failed.set(self.failed.get() || done.is_err());
        done
    }

    /// A write of exactly one row.
    pub(super) fn run_one(&self, name: &'static str, sql: &str, params: impl Params) -> Result<()> {
        match self.run(name, sql, params)? {
            1 => Ok(()),
            count => {
                self.failed.set(true);
                Err(MailError::new(Code::Internal, format!("{name} found {count} rows instead of one")))
            }
        }
    }

    /// A new row; its id.
    pub(super) fn insert(&self, name: &'static str, sql: &str, params: impl Params) -> Result<i64> {
        self.run(name, sql, params)?;
        Ok(self.connection()?.last_insert_rowid())
    }

    fn try_run(&self, name: &'static str, sql: &str, params: impl Params) -> Result<usize> {
        self.is_sound()?;
        self.store.fault(name)?;
        Ok(self.connection()?.prepare_cached(sql)?.execute(params)?)
    }
}

impl Drop for Tx<'_> {
    fn drop(&mut self) {
        if !self.ended
            && let Ok(connection) = self.connection()
            && !connection.is_autocommit()
            && let Err(error) = connection.execute_batch("ROLLBACK")
        {
            log::warn!("a transaction of the store could not be rolled back: {error}");
        }
        if let Held::Reader(connection) = &mut self.connection
            && let Some(connection) = connection.take()
            && connection.is_autocommit()
        {
            self.store.give_back(connection);
        }
    }
}
