//! The file: how it is made, who may read it, and which files are not taken.

use super::*;
use crate::store::{Flags, MessageId};
use std::fs;

fn pragma(path: &Path, name: &str) -> i64 {
    let connection = Connection::open(path).unwrap();
    connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).unwrap()
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_it_its_log_and_its_copies() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = place();
    let store = store_at(&path);
    write(&store, |writer| writer.set_note("a", Some(b"1"))).unwrap();
    store.backup(&folder.path().join("copy.mail")).unwrap();
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.path()).unwrap().flatten() {
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["a.mail", "a.mail-shm", "a.mail-wal", "copy.mail"]);
}

#[test]
fn a_new_file_has_what_cannot_be_added_later() {
    let (_folder, path) = place();
    drop(store_at(&path));
    assert_eq!(pragma(&path, "auto_vacuum"), 2, "incremental");
    assert_eq!(pragma(&path, "page_size"), 4096);
    assert_eq!(pragma(&path, "user_version"), i64::from(schema::current()));
    assert_eq!(pragma(&path, "application_id"), i64::from(schema::APPLICATION_ID));
}

#[test]
fn every_earlier_version_is_brought_up_and_keeps_what_it_has() {
    for version in 0..=schema::current() {
        let (_folder, path) = place();
        {
            let connection = Connection::open(&path).unwrap();
            connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL").unwrap();
            schema::migrate(&connection, "old", schema::Target::earlier(version)).unwrap();
            if version > 0 {
                connection.execute("INSERT INTO notes VALUES ('kept', x'01')", []).unwrap();
                let left = "INSERT INTO tombstones (mailbox, mod_seq, uid, message, at) VALUES (1, 2, 3, 4, 5)";
                connection.execute(left, []).unwrap();
            }
        }
        let store = store_at(&path);
        assert_eq!(pragma(&path, "user_version"), i64::from(schema::current()));
        assert_eq!(store.check().unwrap(), [""; 0]);
        let kept = store.read().unwrap().note("kept").unwrap();
        assert_eq!(kept.is_some(), version > 0, "version {version}");
        let left = store.read().unwrap().tombstones_of(MessageId(4)).unwrap();
        let told: Vec<_> = left.iter().map(|left| (left.uid, left.flags.clone())).collect();
        assert_eq!(told, if version > 0 { vec![(3, Flags::new())] } else { Vec::new() }, "version {version}");
        assert_eq!(store.id().0 == "old", version > 0);
    }
}

#[test]
fn a_newer_file_is_refused_and_not_touched() {
    let (_folder, path) = place();
    drop(store_at(&path));
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 999; PRAGMA journal_mode = DELETE").unwrap();
    let before = fs::read(&path).unwrap();
    let error = SqliteStore::open(&path, SqliteOptions::default()).err().unwrap();
    assert_eq!(error.code(), Code::StoreNewer);
    assert_eq!(error.context().hint.as_deref(), Some("Use a newer Mailtide"));
    assert_eq!(SqliteStore::repair(&path, &SqliteOptions::default()).unwrap_err().code(), Code::StoreNewer);
    assert!(fs::read(&path).unwrap() == before);
}

#[test]
fn a_file_of_another_program_is_refused_and_not_touched() {
    let (_folder, path) = place();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE songs (name)").unwrap();
    let before = fs::read(&path).unwrap();
    for error in [
        SqliteStore::open(&path, SqliteOptions::default()).err().unwrap(),
        SqliteStore::repair(&path, &SqliteOptions::default()).unwrap_err(),
    ] {
        assert_eq!(error.code(), Code::UsageArgument);
    }
    assert!(fs::read(&path).unwrap() == before);
}

#[test]
fn what_is_no_store_or_cannot_be_made_is_an_error() {
    let (folder, path) = place();
    fs::write(&path, b"From ada@x Mon Jan  1 00:00:00 2024\nSubject: this is an mbox\n".repeat(100)).unwrap();
    assert_eq!(SqliteStore::open(&path, SqliteOptions::default()).err().unwrap().code(), Code::StoreDamaged);
    let nowhere = folder.path().join("nowhere/a.mail");
    assert_eq!(SqliteStore::open(&nowhere, SqliteOptions::default()).err().unwrap().code(), Code::FileIo);
}

#[test]
fn many_make_the_same_file_at_once() {
    let (_folder, path) = place();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || store_at(&path).id().clone())
        })
        .collect();
    let ids: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[test]
fn a_copy_is_whole_and_never_takes_the_place_of_a_file() {
    let (folder, path) = place();
    let store = store_at(&path);
    let inbox = write(&store, |writer| mirror(writer, "INBOX")).unwrap();
    write(&store, |writer| arrive(writer, inbox, 1..40)).unwrap();
    let copy = folder.path().join("copy.mail");
    store.backup(&copy).unwrap();
    let before = state(&store);
    write(&store, |writer| append(writer, inbox, 1)).unwrap();
    let opened = store_at(&copy);
    assert_eq!(state(&opened), before);
    assert_eq!(opened.check().unwrap(), [""; 0]);
    assert_eq!(pragma(&copy, "auto_vacuum"), 2);
    assert_eq!(store.backup(&copy).unwrap_err().code(), Code::FileIo);
    assert_eq!(state(&store_at(&copy)), before);
}

#[test]
fn a_full_disk_is_told_and_nothing_is_lost() {
    let (_folder, path) = place();
    let store = store_at(&path);
    let inbox = write(&store, |writer| mirror(writer, "INBOX")).unwrap();
    let limit = |pages: i64| {
        let connection = lock(&store.writer);
        let _: i64 = connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get(0)).unwrap();
    };
    limit(pragma(&path, "page_count") + 10);
    let before = state(&store);
    let error = write(&store, |writer| arrive(writer, inbox, 1..500)).unwrap_err();
    assert_eq!(error.code(), Code::StoreFull);
    assert_eq!(state(&store), before);
    limit(1 << 30);
    write(&store, |writer| arrive(writer, inbox, 1..500)).unwrap();
    assert_eq!(store.check().unwrap(), [""; 0]);
}

#[test]
fn a_store_that_cannot_be_written_to_is_told_and_can_be_read() {
    let (_folder, path) = place();
    let store = store_at(&path);
    write(&store, |writer| writer.set_note("a", Some(b"1"))).unwrap();
    lock(&store.writer).execute_batch("PRAGMA query_only = ON").unwrap();
    let error = write(&store, |writer| writer.set_note("b", Some(b"1"))).unwrap_err();
    assert_eq!(error.code(), Code::StoreReadOnly);
    assert_eq!(store.read().unwrap().note("a").unwrap(), Some(b"1".to_vec()));
}

#[test]
fn a_lock_that_does_not_come_is_told() {
    let (_folder, path) = place();
    let (one, wait) = (store_at(&path), Duration::from_millis(50));
    let two = SqliteStore::open(&path, SqliteOptions { wait, ..SqliteOptions::default() }).unwrap();
    let held = one.write(Durability::Full).unwrap();
    assert_eq!(two.write(Durability::Full).err().unwrap().code(), Code::StoreLocked);
    assert!(two.read().unwrap().mailboxes().unwrap().is_empty(), "readers never wait");
    drop(held);
    assert!(two.write(Durability::Full).is_ok());
}
