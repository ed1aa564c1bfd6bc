//! What the retention takes, and what is let go.

use super::{Bench, NOW, flags, set};
use crate::Code;
use crate::store::*;
use bytes::Bytes;

const DAY: i64 = 86_400;

fn later(days: i64) -> Now {
    Now::from_seconds(NOW.seconds() + days * DAY)
}

/// Gives a visible message a body of that many bytes.
fn fill(bench: &Bench, mailbox: MailboxId, uid: u32, length: usize) {
    let message = bench.placement(mailbox, uid).message.unwrap();
    bench.write(|writer| {
        let content: Vec<u8> = (0..length).map(|n| (n * n / 7 + uid as usize) as u8).collect();
        let body = body::put(writer, &content, &Bytes::new(), NOW)?;
        arrive::body(writer, message, body, NOW)
    });
}

pub fn what_was_deleted_goes_for_good_after_its_days(bench: &Bench) {
    let inbox = bench.own("INBOX");
    bench.append(inbox, "one");
    let message = bench.placement(inbox, 1).message.unwrap();
    bench.write(|writer| change::expunge(writer, inbox, &set("1"), NOW));
    let retention = upkeep::Retention::default();
    assert_eq!(upkeep::tidy(&*bench.store, &retention, later(30)).unwrap(), 0);
    assert!(bench.read(|reader| reader.message(message)).is_some());
    assert_eq!(upkeep::tidy(&*bench.store, &retention, later(31)).unwrap(), 1);
    assert_eq!(bench.read(|reader| reader.message(message)), None);
    assert_eq!(bench.store.usage().unwrap().bodies, 0);
    let restored = bench.refused(|writer| change::restore(writer, message, inbox, NOW));
    assert_eq!(restored, Code::MessageMissing);
    bench.is_sound();
}

pub fn what_is_let_go_gives_its_room_back_and_can_be_had_again(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    bench.arrive(inbox, 1..=6);
    (1..=6).for_each(|uid| fill(bench, inbox, uid, 300_000));
    bench.append(inbox, "not there yet");
    let before = bench.store.usage().unwrap();
    let all = upkeep::evict(&*bench.store, u64::MAX, NOW).unwrap();
    let after = bench.store.usage().unwrap();
    assert_eq!((all.bodies, after.bodies, after.free), (6, 1, 0));
    assert!(after.file < before.file && all.bytes >= before.file - after.file, "{before:?} {after:?}");
    assert_eq!(bench.read(|reader| reader.without_body(inbox, None, 9)).len(), 6);
    let kept = bench.placement(inbox, 7).message.unwrap();
    assert!(bench.read(|reader| body::read(reader, kept, 1000)).ends_with(b"text"));
    bench.is_sound();
}

pub fn the_oldest_go_first_and_only_as_many_as_needed(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    bench.arrive(inbox, 1..=4);
    (1..=4).for_each(|uid| fill(bench, inbox, uid, 300_000));
    assert_eq!(upkeep::evict(&*bench.store, 1, NOW).unwrap().bodies, 1);
    let left = bench.read(|reader| reader.without_body(inbox, None, 9));
    assert_eq!(left.iter().map(|row| row.uid).collect::<Vec<_>>(), [1]);
}

pub fn rules_say_what_is_kept(bench: &Bench) {
    let (inbox, work) = (bench.mirror("INBOX"), bench.mirror("Work"));
    for mailbox in [inbox, work] {
        bench.arrive(mailbox, 1..=3);
        (1..=3).for_each(|uid| fill(bench, mailbox, uid, 1000 * uid as usize));
    }
    let rule = KeepRule { keep: Keep::All, days: None, largest: Some(2000) };
    bench.write(|writer| writer.set_keep(Some(work), Some(rule)));
    assert_eq!(upkeep::evict(&*bench.store, 0, NOW).unwrap().bodies, 1);
    let wanted = |mailbox| bench.read(|reader| upkeep::wanted(reader, mailbox, (None, 9), NOW));
    assert_eq!(wanted(work), (vec![], Some(3)), "it is not fetched again");
    assert_eq!(wanted(inbox), (vec![], None));
    let (text, headers) = (KeepRule { keep: Keep::Text, ..rule }, KeepRule { keep: Keep::Headers, ..rule });
    let days = KeepRule { keep: Keep::All, days: Some(10), largest: None };
    assert!(text.wants(2000, 0, NOW) && !text.wants(2001, 0, NOW) && !headers.wants(1, 0, NOW));
    assert!(days.wants(1 << 40, later(-10).seconds(), NOW) && !days.wants(1, later(-11).seconds(), NOW));
}

pub fn a_dictionary_makes_what_is_stored_smaller_and_stays_readable(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    bench.arrive(inbox, 1..=300);
    let before: Vec<_> = (1..=300).map(|uid| headers(bench, inbox, uid)).collect();
    assert!(dictionary::keep_up(&*bench.store).unwrap());
    assert!(!dictionary::keep_up(&*bench.store).unwrap(), "one is enough for so few");
    bench.arrive(inbox, 301..=302);
    let after: Vec<_> = (1..=300).map(|uid| headers(bench, inbox, uid)).collect();
    assert_eq!(before, after);
    assert_eq!(headers(bench, inbox, 302), super::arrived(302, "").headers);
    let other = bench.another();
    let message = bench.placement(inbox, 300).message.unwrap();
    assert_eq!(other.read().unwrap().headers(message).unwrap().as_ref(), after.last());
    let delta = change::FlagDelta { add: flags("x"), remove: flags("") };
    bench.write(|writer| change::flag(writer, inbox, &set("1"), &delta, NOW));
    bench.is_sound();
}

fn headers(bench: &Bench, mailbox: MailboxId, uid: u32) -> Headers {
    let message = bench.placement(mailbox, uid).message.unwrap();
    bench.read(|reader| reader.headers(message)).unwrap()
}
