//! Ends at every write: an error there, and the death of the process there. What was committed is there, nothing else,
//! and the store opens and is sound.

use super::*;
use std::sync::atomic::{AtomicU32, Ordering};

/// Writes down after each commit how many there were, where a crash cannot undo it.
type Commits<'a> = &'a mut dyn FnMut(&SqliteStore);

/// A little of everything, in eight transactions.
fn script(store: &SqliteStore, committed: Commits<'_>) -> Result<()> {
    let inbox = write(store, |writer| mirror(writer, "INBOX"))?;
    committed(store);
    let work = write(store, |writer| change::create(writer, "Work", (Some('/'), None), NOW))?;
    committed(store);
    write(store, |writer| arrive(writer, inbox, 1..6))?;
    committed(store);
    let set = |text: &str| text.parse::<crate::imap::UidSet>();
    let delta = change::FlagDelta { add: [crate::imap::Flag::SEEN].into_iter().collect(), remove: Flags::new() };
    write(store, |writer| {
        change::flag(writer, inbox, &set("1:3")?, &delta, NOW)?;
        change::move_to(writer, inbox, &set("2")?, work, NOW)
    })?;
    committed(store);
    write(store, |writer| append(writer, inbox, 9))?;
    committed(store);
    write(store, |writer| arrive::vanished(writer, inbox, &set("4:5")?, NOW))?;
    committed(store);
    write(store, |writer| change::rename(writer, work, "Play", NOW))?;
    committed(store);
    write(store, |writer| change::delete(writer, work, NOW))?;
    committed(store);
    Ok(())
}

/// The states after each commit, from an undisturbed run; and how many writes it took.
fn undisturbed() -> (Vec<Vec<String>>, u32) {
    let (_folder, path) = place();
    let count = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&count);
    let fault: Fault = Arc::new(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    let store = SqliteStore::open(&path, options(fault)).unwrap();
    let mut states = vec![state(&store)];
    script(&store, &mut |store| states.push(state(store))).unwrap();
    (states, count.load(Ordering::SeqCst))
}

fn options(fault: Fault) -> SqliteOptions {
    SqliteOptions { fault: Some(fault), id: Some("same".to_owned()), ..SqliteOptions::default() }
}

/// Calls `end` at the write of that number.
fn at(number: u32, end: fn() -> Result<()>) -> Fault {
    let count = AtomicU32::new(0);
    Arc::new(move |_| if count.fetch_add(1, Ordering::SeqCst) == number { end() } else { Ok(()) })
}

#[test]
fn an_error_at_any_write_leaves_what_was_committed() {
    let (states, writes) = undisturbed();
    assert!(writes > 150, "{writes}");
    for number in 0..writes {
        let (_folder, path) = place();
        let store = SqliteStore::open(&path, options(at(number, || Err(Code::StoreIo.into())))).unwrap();
        let mut commits = 0;
        let error = script(&store, &mut |_| commits += 1).unwrap_err();
        assert_eq!(error.code(), Code::StoreIo, "write {number}");
        assert!(state(&store) == states[commits], "write {number}: not as after {commits} commits");
        assert_eq!(store.check().unwrap(), [""; 0], "write {number}");
    }
}

/// In the other process: the script, until it dies at that write.
pub(super) fn run(path: &Path, number: u32) {
    let store = SqliteStore::open(path, options(at(number, || std::process::abort()))).unwrap();
    let mut commits = 0u32;
    script(&store, &mut |_| {
        commits += 1;
        std::fs::write(upkeep::beside(path, ".commits"), commits.to_string()).unwrap();
    })
    .unwrap();
}

#[test]
fn a_process_that_dies_at_any_write_leaves_what_was_committed() {
    let (states, writes) = undisturbed();
    let step = if std::env::var_os("CRASH_EVERY_WRITE").is_some() { 1 } else { 7 };
    for number in (0..writes).step_by(step) {
        let (_folder, path) = place();
        let died = super::process::start(&format!("crash {number}"), &path).wait().unwrap();
        assert!(!died.success(), "write {number}");
        let commits = std::fs::read_to_string(upkeep::beside(&path, ".commits")).unwrap_or_default();
        let store = store_at(&path);
        assert!(state(&store) == states[commits.parse().unwrap_or(0usize)], "write {number}, {commits} commits");
        assert_eq!(store.check().unwrap(), [""; 0], "write {number}");
        write(&store, |writer| writer.set_note("alive", Some(b"1"))).unwrap();
    }
}
