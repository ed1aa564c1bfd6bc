//! Damaged files: told as such, and a way out that keeps the journal.

use super::*;
use std::collections::BTreeMap;
use std::fs;

/// A store with a little of everything, closed; and what is pending in it.
fn filled(path: &Path) -> Vec<String> {
    let store = store_at(path);
    let inbox = write(&store, |writer| mirror(writer, "INBOX")).unwrap();
    let work = write(&store, |writer| mirror(writer, "Work")).unwrap();
    write(&store, |writer| arrive(writer, inbox, 1..300)).unwrap();
    dictionary::keep_up(&store).unwrap();
    write(&store, |writer| {
        append(writer, inbox, 900)?;
        append(writer, work, 901)?;
        change::move_to(writer, inbox, &"5:6".parse().unwrap(), work, NOW)?;
        change::expunge(writer, inbox, &"7".parse().unwrap(), NOW)?;
        change::create(writer, "New", (None, None), NOW)
    })
    .unwrap();
    pending(&store)
}

fn pending(store: &dyn Store) -> Vec<String> {
    store.read().unwrap().pending().unwrap().iter().map(|entry| format!("{entry:?}")).collect()
}

/// Which table or index each page belongs to, from 1 on.
fn pages(path: &Path) -> BTreeMap<usize, String> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection.prepare("SELECT pageno, name FROM dbstat").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get::<_, usize>(0)?, row.get(1)?))).unwrap();
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

fn repair(path: &Path) -> Repaired {
    SqliteStore::repair(path, &SqliteOptions::default()).unwrap()
}

#[test]
fn a_sound_file_is_left_as_it_is() {
    let (_folder, path) = place();
    filled(&path);
    let before = fs::read(&path).unwrap();
    let nothing = Repaired { problems: vec![], incomplete: vec![], damaged: None };
    assert_eq!(repair(&path), nothing);
    assert!(fs::read(&path).unwrap() == before);
}

#[test]
fn whichever_page_is_damaged_a_sound_store_with_the_rest_comes_out() {
    let (folder, path) = place();
    let before = filled(&path);
    let (sound, pages) = (fs::read(&path).unwrap(), pages(&path));
    let mut with_journal = 0;
    // The first page of every table and index, and some of the others.
    let mut seen = std::collections::BTreeSet::new();
    let chosen = pages.iter().filter(|(number, name)| seen.insert(name.as_str()) || *number % 11 == 0);
    for (number, name) in chosen {
        let path = folder.path().join(format!("{number}.mail"));
        let mut bytes = sound.clone();
        bytes[(number - 1) * 4096..number * 4096].fill(0xa5);
        fs::write(&path, bytes).unwrap();
        let repaired = repair(&path);
        assert!(!repaired.problems.is_empty(), "{name}: page {number}");
        assert!(repaired.damaged.as_ref().unwrap().exists());
        let store = store_at(&path);
        assert_eq!(store.check().unwrap(), [""; 0], "{name}: page {number}");
        if pending(&store) == before {
            with_journal += 1;
        } else {
            assert!(matches!(name.as_str(), "journal" | "sqlite_schema"), "{name}: page {number} cost the journal");
        }
        // What comes next has a number of its own.
        let (inbox, last) = inbox(&store);
        assert!(write(&store, |writer| append(writer, inbox, 77)).unwrap() > last, "{name}: page {number}");
    }
    assert!(with_journal > 30, "{with_journal}");
}

/// INBOX, made anew where it was lost, and the largest UID that it ever gave.
fn inbox(store: &SqliteStore) -> (MailboxId, u32) {
    match store.read().unwrap().mailbox_named("INBOX").unwrap() {
        Some(row) => (row.id, 299),
        None => (write(store, |writer| mirror(writer, "INBOX")).unwrap(), 0),
    }
}

#[test]
fn the_mirror_is_compared_from_the_beginning_and_unsent_mail_is_whole() {
    let (_folder, path) = place();
    filled(&path);
    let (sound, pages) = (fs::read(&path).unwrap(), pages(&path));
    let number = pages.iter().find(|(_, name)| *name == "headers").unwrap().0;
    let mut bytes = sound.clone();
    bytes[(number - 1) * 4096 + 8..number * 4096].fill(0);
    fs::write(&path, bytes).unwrap();
    let old = store_at(&path).id().clone();
    let repaired = repair(&path);
    assert!(repaired.incomplete.iter().any(|(table, _)| table == "headers"), "{repaired:?}");
    let store = store_at(&path);
    assert_ne!(*store.id(), old, "cursors of the old feed mean nothing here");
    let reader = store.read().unwrap();
    let inbox = reader.mailbox_named("INBOX").unwrap().unwrap();
    let remote = inbox.remote.unwrap();
    assert_eq!((remote.uid_validity, remote.uid_next, remote.highest_mod_seq), (7, 0, 0));
    let work = reader.mailbox_named("Work").unwrap().unwrap();
    for row in reader.placements(work.id, &"1:9".parse().unwrap()).unwrap() {
        if let Some(message) = row.message.filter(|_| row.remote_uid.is_none()) {
            assert!(!body::read(&*reader, message, 10_000).unwrap().is_empty());
        }
    }
}

#[test]
fn a_file_cut_short_or_without_its_first_page_is_replaced() {
    let (_folder, path) = place();
    filled(&path);
    let sound = fs::read(&path).unwrap();
    for bytes in [&sound[..sound.len() / 2], &[0x11; 9000]] {
        fs::write(&path, bytes).unwrap();
        assert!(!repair(&path).problems.is_empty());
        assert_eq!(store_at(&path).check().unwrap(), [""; 0]);
    }
    let damaged = upkeep::beside(&path, ".damaged.2");
    assert!(damaged.exists(), "none is written over another");
}

#[test]
fn a_damaged_row_is_an_error_and_never_an_empty_answer() {
    let (_folder, path) = place();
    filled(&path);
    let (mut bytes, pages) = (fs::read(&path).unwrap(), pages(&path));
    for (number, _) in pages.iter().filter(|(_, name)| *name == "headers" || *name == "placements") {
        bytes[(number - 1) * 4096 + 100..number * 4096].fill(0xff);
    }
    fs::write(&path, bytes).unwrap();
    let store = store_at(&path);
    let reader = store.read().unwrap();
    assert_eq!(reader.uids(MailboxId(1)).unwrap_err().code(), Code::StoreDamaged);
    assert_eq!(reader.headers(crate::store::MessageId(1)).unwrap_err().code(), Code::StoreDamaged);
    let page = crate::store::Page { after: None, limit: 10, newest_first: true };
    assert_eq!(reader.list(MailboxId(1), page).unwrap_err().code(), Code::StoreDamaged);
}
