//! Promise 7: the feed.

use super::{Bench, NOW, flags, set};
use crate::Code;
use crate::store::*;
use std::collections::BTreeMap;

fn since(bench: &Bench, cursor: &Cursor, limit: usize) -> crate::Result<super::super::feed::Batch> {
    let reader = bench.store.read().unwrap();
    super::super::feed::since(&*reader, bench.store.id(), cursor, limit)
}

fn start(bench: &Bench) -> Cursor {
    Cursor { store: bench.store.id().clone(), number: 0 }
}

/// A little of everything.
fn live(bench: &Bench) -> MailboxId {
    let (inbox, work) = (bench.mirror("INBOX"), bench.mirror("Work"));
    bench.arrive(inbox, 1..=5);
    let delta = change::FlagDelta { add: flags("\\Seen x"), remove: flags("") };
    bench.write(|writer| {
        change::flag(writer, inbox, &set("2:3"), &delta, NOW)?;
        change::move_to(writer, inbox, &set("3:4"), work, NOW)?;
        change::expunge(writer, inbox, &set("5"), NOW)?;
        change::rename(writer, work, "Play", NOW)
    });
    bench.append(inbox, "one");
    inbox
}

pub fn the_feed_tells_everything_once_and_in_order(bench: &Bench) {
    live(bench);
    let mut cursor = start(bench);
    let mut seen = Vec::new();
    loop {
        let batch = since(bench, &cursor, 3).unwrap();
        seen.extend(batch.rows);
        cursor = Cursor::parse(&batch.cursor.to_string()).unwrap();
        if batch.is_last {
            break;
        }
    }
    let numbers: Vec<_> = seen.iter().map(|row| row.number).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert_eq!(seen, since(bench, &start(bench), 1000).unwrap().rows);
    assert_eq!(bench.read(|reader| super::super::feed::now(reader, bench.store.id())), cursor);
    assert!(since(bench, &cursor, 9).unwrap().rows.is_empty());
    let renamed = seen.iter().find_map(|row| match &row.change {
        Change::MailboxRenamed { from, .. } => Some(from.as_str()),
        _ => None,
    });
    assert_eq!(renamed, Some("Work"));
}

pub fn a_cursor_outlives_its_retention_with_an_error(bench: &Bench) {
    let at =
        |seconds| bench.write(|writer| writer.insert_feed(seconds, &Change::MailboxChanged { mailbox: MailboxId(1) }));
    for second in 1..=4 {
        at(second * 100);
    }
    assert_eq!(bench.write(|writer| writer.prune_feed(250)), 2);
    let cursor = |number| Cursor { number, ..start(bench) };
    assert_eq!(since(bench, &cursor(1), 9).unwrap_err().code(), Code::CursorExpired);
    assert_eq!(since(bench, &cursor(2), 9).unwrap().rows.len(), 2);
    assert_eq!(since(bench, &cursor(5), 9).unwrap_err().code(), Code::CursorExpired, "it comes from the future");
    assert_eq!(bench.write(|writer| writer.prune_feed(i64::MAX)), 2);
    assert_eq!(since(bench, &cursor(3), 9).unwrap_err().code(), Code::CursorExpired);
    assert!(since(bench, &cursor(4), 9).unwrap().is_last);
    assert_eq!(at(500), 5, "numbers go on");
}

pub fn a_cursor_of_another_store_is_refused(bench: &Bench) {
    let cursor = Cursor { store: StoreId("another".to_owned()), number: 0 };
    assert_eq!(since(bench, &cursor, 9).unwrap_err().code(), Code::CursorExpired);
    for text in ["", "x", ":1", "a:b", "a b:1", "a:1:2"] {
        assert_eq!(Cursor::parse(text).unwrap_err().code(), Code::UsageArgument, "{text:?}");
    }
}

pub fn a_consumer_can_rebuild_the_state(bench: &Bench) {
    let inbox = live(bench);
    let mut state = BTreeMap::new();
    for row in since(bench, &start(bench), 1000).unwrap().rows {
        match row.change {
            Change::Added { mailbox, uid, flags, .. } => {
                state.insert((mailbox, uid), flags);
            }
            Change::Flagged { mailbox, uid, flags, before } => {
                assert_eq!(state.insert((mailbox, uid), flags), Some(before), "what it had before is told");
            }
            Change::Removed { mailbox, uid, .. } => {
                assert!(state.remove(&(mailbox, uid)).is_some());
            }
            _ => {}
        }
    }
    state.retain(|(mailbox, _), _| *mailbox == inbox);
    let rows = bench.read(|reader| reader.placements(inbox, &set("1:99")));
    let here: BTreeMap<_, _> = rows.into_iter().map(|row| ((inbox, row.uid), row.flags)).collect();
    assert_eq!(state, here);
}
