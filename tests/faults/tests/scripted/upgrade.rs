//! An older store is brought up to the next version, and it ends at any change of the disk: the store is the old one or
//! the new one, whole, and is brought up by whoever opens it next.

use crate::record::{folder, lay, options, paused, record};
use crate::state;
use crate::try_all;
use crate::world::{FILE, World};
use mailtide::Code;
use mailtide::store::{SqliteOptions, SqliteStore, Store};
use mailtide_faults::{Disk, Files, Model, Way};
use std::collections::HashSet;
use std::path::Path;

/// A step such as a later version may have: a column, an index, and a table made anew with all that is in it.
const NEXT: &str = "
    ALTER TABLE messages ADD COLUMN colour INTEGER NOT NULL DEFAULT 0;
    UPDATE messages SET colour = size % 7;
    CREATE INDEX message_colours ON messages (colour);
    CREATE TABLE links_anew (message INTEGER NOT NULL, kind INTEGER NOT NULL, hash INTEGER NOT NULL,
        PRIMARY KEY (hash, message, kind)) STRICT, WITHOUT ROWID;
    INSERT INTO links_anew SELECT message, kind, hash FROM links;
    DROP TABLE links;
    ALTER TABLE links_anew RENAME TO links;";

/// The step of the script before which the upgrade comes: much is pending then.
const BEFORE: usize = 12;

fn next(vfs: Option<&str>) -> SqliteOptions {
    let mut options = options(vfs);
    options.next_version = Some(NEXT);
    options
}

#[test]
fn an_upgrade_that_ends_anywhere_leaves_the_old_store_or_the_new_one() {
    let record = record("dovecot");
    let old = before(&record);
    let old_rows = rows_of(&old);
    let (log, new_rows) = upgrade(&old);
    let (mut model, mut known, mut points) = (Model::new(old.clone()), HashSet::new(), Vec::new());
    for at in 0..=log.len() {
        for way in Way::all(2) {
            let files = model.files(way, log.get(at));
            if known.insert(files.clone()) {
                points.push((at, way, files));
            }
        }
        log.get(at).into_iter().for_each(|op| model.apply(op));
    }
    try_all(
        &points,
        |(at, way, _)| format!("{way:?} before change {at}"),
        |(_, _, files)| try_point(files, old_rows, new_rows),
    );
    println!("{} changes of the disk, {} different disks", log.len(), points.len());
    let done = paused(go_on(&record, &points.last().unwrap().2));
    assert!(done == record.end, "the upgraded store ends otherwise");
}

/// The store before that step, closed.
fn before(record: &crate::record::Record) -> Files {
    let mut model = crate::record::model();
    record.log[..record.steps[BEFORE].changes].iter().for_each(|op| model.apply(op));
    let folder = folder();
    let path = lay(&model.files(Way::Kept, None), folder.path());
    drop(SqliteStore::open(&path, options(None)).unwrap());
    Files::read(folder.path()).unwrap()
}

fn rows_of(files: &Files) -> u64 {
    let folder = folder();
    state::rows(&lay(files, folder.path()))
}

/// What the disk has to do for it, and the rows of the new store.
fn upgrade(old: &Files) -> (Vec<mailtide_faults::Op>, u64) {
    let (folder, disk) = (folder(), Disk::recording());
    let path = lay(old, folder.path());
    drop(SqliteStore::open(&path, next(Some(disk.vfs()))).unwrap());
    assert!(disk.changes() > 30, "{}", disk.changes());
    (disk.log(), state::rows(&path))
}

fn try_point(files: &Files, old: u64, new: u64) {
    let folder = folder();
    let path = lay(files, folder.path());
    // An older library finds its own store, or says that it is too new.
    match SqliteStore::open(&path, options(None)) {
        Ok(store) => {
            assert_eq!(store.check().unwrap(), [""; 0]);
            drop(store);
            assert_eq!(state::rows(&path), old);
        }
        Err(error) => assert_eq!(error.code(), Code::StoreNewer, "{error}"),
    }
    assert_new(&path, new);
}

fn assert_new(path: &Path, new: u64) {
    let store = SqliteStore::open(path, next(None)).unwrap();
    assert_eq!(store.check().unwrap(), [""; 0]);
    drop(store);
    assert_eq!(state::rows(path), new);
}

async fn go_on(record: &crate::record::Record, files: &Files) -> (state::Mail, std::collections::BTreeMap<u64, u32>) {
    let (folder, moment) = (folder(), &record.steps[BEFORE]);
    let _ = lay(files, folder.path());
    let server = moment.server.lock().unwrap().survivor();
    let mut world = World::later(server, moment.sink.fork(), folder.path().join(FILE), next(None), moment.at).await;
    world.open().unwrap();
    (world.rest(BEFORE).await, world.sent())
}
