//! Promises 1 to 4: snapshots, transactions, ids; and leases.

use super::{Bench, NOW};
use crate::Code;
use crate::store::*;
use std::time::Duration;

pub fn a_reader_is_a_snapshot(bench: &Bench) {
    let before = bench.store.read().unwrap();
    bench.write(|writer| writer.set_note("a", Some(b"1")));
    assert_eq!(before.note("a").unwrap(), None);
    assert_eq!(bench.read(|reader| reader.note("a")), Some(b"1".to_vec()));
    assert_eq!(bench.another().read().unwrap().note("a").unwrap(), Some(b"1".to_vec()));
    assert_eq!(before.note("a").unwrap(), None);
}

pub fn an_uncommitted_change_never_was(bench: &Bench) {
    let mut writer = bench.store.write(Durability::Full).unwrap();
    writer.set_note("a", Some(b"1")).unwrap();
    assert_eq!(writer.note("a").unwrap(), Some(b"1".to_vec()), "it sees what it has written");
    drop(writer);
    assert_eq!(bench.read(|reader| reader.note("a")), None);
    let number = bench.write(|writer| writer.insert_feed(0, &Change::MailboxAdded { mailbox: MailboxId(1) }));
    assert_eq!(number, 1);
}

pub fn a_failure_spoils_its_transaction(bench: &Bench) {
    let inbox = bench.own("INBOX");
    let mut writer = bench.store.write(Durability::Full).unwrap();
    writer.set_note("a", Some(b"1")).unwrap();
    let missing = writer.delete_placement(inbox, 77);
    assert_eq!(missing.unwrap_err().code(), Code::Internal);
    assert!(writer.set_note("b", Some(b"1")).is_err());
    assert!(writer.commit().is_err());
    assert_eq!(bench.read(|reader| reader.note("a")), None);
}

pub fn a_part_is_undone_alone(bench: &Bench) {
    let inbox = bench.own("INBOX");
    let mut writer = bench.store.write(Durability::Full).unwrap();
    let mut part = |name: &str, keep: bool, fails: bool| {
        writer.begin_part().unwrap();
        writer.set_note(name, Some(b"1")).unwrap();
        if fails {
            writer.delete_placement(inbox, 77).unwrap_err();
        }
        writer.end_part(keep).unwrap()
    };
    assert!(part("a", true, false));
    assert!(!part("b", false, false), "nobody wants it");
    assert!(!part("c", true, true), "something failed in it");
    assert!(!part("d", false, true));
    assert!(part("e", true, false));
    writer.commit().unwrap();
    let noted = ["a", "b", "c", "d", "e"].map(|name| bench.read(|reader| reader.note(name)).is_some());
    assert_eq!(noted, [true, false, false, false, true]);
}

pub fn writers_wait_for_each_other(bench: &Bench) {
    let writers = |store: Box<dyn Store>| {
        std::thread::spawn(move || {
            for _ in 0..50 {
                let mut writer = store.write(Durability::Bulk).unwrap();
                let count = writer.note("count").unwrap().map_or(0, |bytes| bytes[0]);
                writer.set_note("count", Some(&[count + 1])).unwrap();
                writer.commit().unwrap();
            }
        })
    };
    let threads: Vec<_> = (0..4).map(|_| writers(bench.another())).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(bench.read(|reader| reader.note("count")), Some(vec![200]));
}

pub fn ids_are_never_given_twice(bench: &Bench) {
    let (work, trash) = (bench.own("Work"), bench.own("Trash"));
    let first = bench.append(work, "one");
    let message = bench.placement(work, first).message.unwrap();
    let body = bench.read(|reader| reader.message(message)).unwrap().body.unwrap();
    bench.write(|writer| {
        change::expunge(writer, work, &super::set("1"), NOW)?;
        writer.delete_message(message)?;
        change::delete(writer, trash, NOW)
    });
    let second = bench.append(work, "two");
    assert_eq!((first, second), (1, 2), "UIDs");
    let again = bench.placement(work, second).message.unwrap();
    assert!(again > message, "messages");
    assert!(bench.read(|reader| reader.message(again)).unwrap().body.unwrap() > body, "bodies");
    assert!(bench.own("Trash") > trash, "mailboxes");
    assert_eq!(bench.read(|reader| reader.body(body)), None);
    bench.is_sound();
}

pub fn what_was_committed_is_there_after_opening_again(bench: &Bench) {
    let inbox = bench.own("INBOX");
    bench.append(inbox, "one");
    let before = bench.read(|reader| reader.mailboxes());
    let again = bench.another();
    let reader = again.read().unwrap();
    assert_eq!(reader.mailboxes().unwrap(), before);
    let message = reader.placement(inbox, 1).unwrap().unwrap().message.unwrap();
    let content = body::read(&*reader, message, 1000);
    assert_eq!(content.unwrap(), "Subject: one\r\nMessage-ID: <one@x>\r\n\r\ntext");
}

pub fn a_store_keeps_its_id(bench: &Bench) {
    assert_eq!(bench.store.id(), bench.another().id());
    assert_ne!(bench.store.id(), Bench::new(bench.open).store.id());
}

pub fn the_version_tells_of_every_commit(bench: &Bench) {
    let other = bench.another();
    let before = other.version().unwrap();
    assert_eq!(other.version().unwrap(), before);
    bench.write(|writer| writer.set_note("a", Some(b"1")));
    let after = other.version().unwrap();
    assert_ne!(after, before);
    let own = bench.store.version().unwrap();
    bench.write(|writer| writer.set_note("a", Some(b"2")));
    assert_ne!(bench.store.version().unwrap(), own, "also one's own");
}

pub fn a_lease_has_one_holder_and_a_late_one_is_fenced(bench: &Bench) {
    let at = |seconds: i64| Now::from_seconds(1_000 + seconds);
    let take = |holder: &str, now| {
        bench.write(|writer| lease::take(writer, lease::SYNC, holder, Duration::from_secs(60), now))
    };
    let first = take("one", at(0)).unwrap();
    assert_eq!(take("two", at(59)), None);
    let first = bench.write(|writer| lease::renew(writer, &first, at(50)));
    assert_eq!(take("two", at(100)), None);
    bench.read(|reader| lease::check(reader, &first));
    let second = take("two", at(111)).unwrap();
    assert!(second.fence > first.fence);
    assert_eq!(bench.refused(|writer| lease::check(writer, &first)), Code::StoreLeaseLost);
    assert_eq!(bench.refused(|writer| lease::renew(writer, &first, at(112))), Code::StoreLeaseLost);
    bench.write(|writer| lease::release(writer, &first));
    assert_eq!(take("three", at(112)), None, "only its holder gives it back");
    bench.write(|writer| lease::release(writer, &second));
    assert!(take("three", at(112)).is_some());
    assert!(take("four", at(-1_000)).is_some(), "a clock that was set back");
}
