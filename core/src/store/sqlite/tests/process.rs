//! Two processes with one store. The other one is this test program again, told by its environment what to do.

use super::*;
use crate::store::{Handle, lease};
use std::process::{Child, Command};

const TASK: &str = "MAILTIDE_STORE_TEST_TASK";

/// Starts this program as another process with a task.
pub(super) fn start(task: &str, path: &Path) -> Child {
    let name = "store::sqlite::tests::process::the_other_process";
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--quiet"])
        .env(TASK, format!("{task} {}", path.display()))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

/// Does nothing unless it is the other process.
#[test]
fn the_other_process() {
    let Ok(task) = std::env::var(TASK) else { return };
    let mut words = task.splitn(3, ' ');
    let (task, number) = (words.next().unwrap(), words.next().unwrap());
    let path = PathBuf::from(words.next().unwrap());
    match task {
        "count" => count(&store_at(&path), number.parse().unwrap()),
        "hold" => hold(&path),
        "crash" => super::crash::run(&path, number.parse().unwrap()),
        _ => panic!("{task}"),
    }
}

fn count(store: &SqliteStore, times: u32) {
    for _ in 0..times {
        write(store, |writer| {
            let count = writer.note("count")?.map_or(0, |bytes| u32::from_be_bytes(bytes.try_into().unwrap()));
            writer.set_note("count", Some(&(count + 1).to_be_bytes()))
        })
        .unwrap();
    }
}

/// Takes the lease and a transaction, and keeps both until it is killed.
fn hold(path: &Path) {
    let store = store_at(path);
    write(&store, |writer| lease::take(writer, lease::SYNC, "the other", Duration::from_secs(60), NOW)).unwrap();
    let mut writer = store.write(Durability::Full).unwrap();
    writer.set_note("unfinished", Some(b"1")).unwrap();
    std::fs::write(upkeep::beside(path, ".ready"), b"").unwrap();
    std::thread::sleep(Duration::from_secs(600));
}

#[test]
fn both_write_and_no_change_is_lost() {
    let (_folder, path) = place();
    let store = store_at(&path);
    let mut other = start("count 200", &path);
    count(&store, 200);
    assert!(other.wait().unwrap().success());
    let count = store.read().unwrap().note("count").unwrap();
    assert_eq!(count, Some(400u32.to_be_bytes().to_vec()));
}

#[tokio::test]
async fn each_hears_of_the_changes_of_the_other() {
    let (_folder, path) = place();
    let handle = Handle::new(Arc::new(store_at(&path))).unwrap();
    let mut changes = handle.changes();
    let mut other = start("count 1", &path);
    tokio::time::timeout(Duration::from_secs(60), changes.changed()).await.unwrap().unwrap();
    assert!(handle.read(|reader| reader.note("count")).await.unwrap().is_some());
    assert!(other.wait().unwrap().success());
}

#[test]
fn a_killed_holder_leaves_nothing_behind_and_its_lease_ends() {
    let (_folder, path) = place();
    let store = SqliteStore::open(&path, SqliteOptions { wait: Duration::from_millis(20), ..SqliteOptions::default() });
    let store = store.unwrap();
    let mut other = start("hold -", &path);
    let ready = upkeep::beside(&path, ".ready");
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while !ready.exists() && std::time::Instant::now() < deadline {
        std::thread::yield_now();
    }
    assert_eq!(store.write(Durability::Full).err().unwrap().code(), Code::StoreLocked);
    other.kill().unwrap();
    other.wait().unwrap();
    let take =
        |at| write(&store, |writer| lease::take(writer, lease::SYNC, "me", Duration::from_secs(60), at)).unwrap();
    assert_eq!(store.read().unwrap().note("unfinished").unwrap(), None);
    assert_eq!(take(Now::from_seconds(NOW.seconds() + 59)), None);
    assert!(take(Now::from_seconds(NOW.seconds() + 60)).is_some());
}
