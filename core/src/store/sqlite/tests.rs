//! The promises of every store, and what is SQLite's own.

use super::*;

pub(super) fn open(folder: &Path) -> Box<dyn Store> {
    Box::new(SqliteStore::open(&folder.join("a.mail"), SqliteOptions::default()).unwrap())
}

mod promises {
    crate::store::suite::store_suite!(crate::store::sqlite::tests::open);
}
