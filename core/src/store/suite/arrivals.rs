//! What the server said, as rows.

use super::{Bench, NOW, arrived, flags, listed, set};
use crate::Code;
use crate::journal::State;
use crate::store::*;
use bytes::Bytes;

fn reserve(bench: &Bench, mailbox: MailboxId, uids: &str) {
    bench.write(|writer| arrive::reserve(writer, mailbox, &set(uids), NOW));
}

fn headers(bench: &Bench, mailbox: MailboxId, rows: &[arrive::Arrived]) -> u64 {
    bench.write(|writer| arrive::headers(writer, mailbox, rows, NOW))
}

fn row(bench: &Bench, mailbox: MailboxId) -> MailboxRow {
    bench.read(|reader| reader.mailbox(mailbox)).unwrap()
}

pub fn uids_are_reserved_in_order_before_anything_is_seen(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    reserve(bench, inbox, "100:102,200");
    headers(bench, inbox, &[arrived(200, ""), arrived(102, "")]);
    assert_eq!(bench.uids(inbox), "3:4");
    let counts = bench.read(|reader| reader.counts(inbox));
    assert_eq!((counts.messages, counts.reserved, counts.unseen, counts.size), (2, 2, 2, 502));
    let sets = || bench.read(|reader| reader.flag_sets(inbox));
    assert_eq!((sets().all().to_string(), sets().unseen(), sets().deleted()), ("3:4".to_owned(), 2, 0));
    reserve(bench, inbox, "100:300");
    assert_eq!(sets().all().len(), 2, "none of them can be seen yet");
    let seen = [arrive::FlagsArrived { uid: 102, flags: flags("\\Seen \\Deleted"), agreed: flags("") }];
    bench.write(|writer| arrive::set_flags(writer, inbox, &seen, NOW));
    assert_eq!((sets().unseen(), sets().deleted()), (1, 1));
    assert_eq!(bench.placement(inbox, 4).remote_uid, Some(200), "those that have a UID keep it");
    assert_eq!(bench.read(|reader| reader.reserved(inbox)), set("100:101,103:199,201:300"));
}

pub fn headers_make_messages_visible_once(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    reserve(bench, inbox, "1:2");
    assert_eq!(headers(bench, inbox, &[arrived(1, "\\Seen x"), arrived(9, "")]), 1, "9 was not reserved");
    assert_eq!(headers(bench, inbox, &[arrived(1, "\\Flagged")]), 0);
    let placed = bench.placement(inbox, 1);
    assert_eq!((placed.flags.clone(), placed.agreed.clone()), (flags("\\Seen x"), Some(flags("\\Seen x"))));
    let message = bench.read(|reader| reader.message(placed.message.unwrap())).unwrap();
    assert_eq!((message.size, message.body), (101, None));
    assert!(message.digest.is_some());
    bench.is_sound();
}

pub fn flags_come_to_what_both_sides_agree_on(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    bench.arrive(inbox, [101]);
    let before = row(bench, inbox).mod_seq;
    let arrive = |seen: &str, agreed: &str| {
        let rows = [arrive::FlagsArrived { uid: 101, flags: flags(seen), agreed: flags(agreed) }];
        bench.write(|writer| arrive::set_flags(writer, inbox, &rows, NOW));
    };
    arrive("", "\\Seen");
    assert_eq!(row(bench, inbox).mod_seq, before, "nobody sees what both sides agree on");
    arrive("\\Seen a", "\\Seen");
    let placed = bench.placement(inbox, 1);
    assert_eq!((placed.flags, placed.agreed, placed.mod_seq), (flags("\\Seen A"), Some(flags("\\Seen")), before + 1));
}

pub fn what_vanished_leaves_a_tombstone(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    bench.arrive(inbox, 101..=103);
    reserve(bench, inbox, "104");
    let gone = bench.write(|writer| arrive::vanished(writer, inbox, &set("1:101,104:4294967295"), NOW));
    assert_eq!(gone, set("1,4"));
    assert_eq!(bench.uids(inbox), "2:3");
    let tombstones = bench.read(|reader| reader.tombstones(inbox, 0));
    assert_eq!(tombstones.len(), 1, "nobody has seen what was only reserved");
    assert_eq!(bench.read(|reader| reader.deleted(MessageId(0), 9)).len(), 1);
    bench.is_sound();
}

pub fn what_was_placed_twice_is_one_again(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    let uid = bench.append(inbox, "one");
    // A pass saw our own append before its answer was known.
    bench.arrive(inbox, [55]);
    assert_eq!(bench.uids(inbox), "1:2");
    bench.write(|writer| arrive::placed(writer, Local { mailbox: inbox, uid }, 55, &flags(""), NOW));
    assert_eq!(bench.uids(inbox), "1");
    assert_eq!(bench.placement(inbox, 1).remote_uid, Some(55));
    let away = Local { mailbox: inbox, uid: 77 };
    bench.write(|writer| arrive::placed(writer, away, 56, &flags(""), NOW));
    bench.is_sound();
}

pub fn a_message_told_falsely_at_first_arrives_anew_with_what_was_changed(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    bench.arrive(inbox, [101]);
    let before = bench.placement(inbox, 1);
    let delta = change::FlagDelta { add: flags("\\Flagged"), remove: flags("") };
    bench.write(|writer| change::flag(writer, inbox, &set("1"), &delta, NOW));
    let truth = arrive::Arrived { uid: 101, ..arrived(7, "") };
    bench.write(|writer| arrive::replace(writer, inbox, truth, NOW));
    assert_eq!(bench.uids(inbox), "2", "a UID stands for one message for ever");
    let placed = bench.placement(inbox, 2);
    assert_eq!((placed.remote_uid, placed.flags.clone()), (Some(101), before.flags.union(&flags("\\Flagged"))));
    assert_eq!(placed.agreed, before.agreed);
    let message = bench.read(|reader| reader.message(placed.message.unwrap())).unwrap();
    let entry = bench.read(|reader| reader.pending_at(inbox, 2)).remove(0);
    assert_eq!(
        entry.intent.target().map(|target| (target.uid, target.digest)),
        Some((Some(101), message.digest.unwrap()))
    );
    assert!(bench.read(|reader| reader.pending_at(inbox, 1)).is_empty());
    bench.write(|writer| arrive::replace(writer, inbox, arrived(999, ""), NOW));
    assert_eq!(bench.uids(inbox), "2", "what was never here is not replaced");
    bench.is_sound();
}

pub fn a_reset_keeps_messages_and_forgets_numbers(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    bench.arrive(inbox, 101..=103);
    reserve(bench, inbox, "104");
    let before = row(bench, inbox);
    bench.write(|writer| arrive::reset(writer, inbox, 8, NOW));
    let after = row(bench, inbox);
    assert_eq!((bench.uids(inbox).as_str(), after.uid_validity), ("1:3", before.uid_validity));
    assert_eq!(bench.read(|reader| reader.remote_uids(inbox)), UidSet::new());
    let remote = after.remote.unwrap();
    assert_eq!((remote.uid_validity, remote.uid_next, remote.resets, &remote.name[..]), (8, 0, 1, &b"INBOX"[..]));
    bench.write(|writer| {
        arrive::rebind(writer, Local { mailbox: inbox, uid: 2 }, 7, NOW)?;
        arrive::quarantine(writer, inbox, &set("1,3"), NOW)
    });
    assert_eq!((bench.uids(inbox).as_str(), bench.placement(inbox, 2).remote_uid), ("2", Some(7)));
    assert_eq!(bench.read(|reader| reader.deleted(MessageId(0), 9)).len(), 2);
    bench.write(|writer| arrive::reset(writer, inbox, 9, NOW));
    assert_eq!(row(bench, inbox).remote.unwrap().resets, 2, "counted by the day");
    bench.is_sound();
}

pub fn a_message_moved_by_others_keeps_its_body(bench: &Bench) {
    let (inbox, work) = (bench.mirror("INBOX"), bench.mirror("Work"));
    bench.arrive(inbox, [5]);
    let message = bench.placement(inbox, 1).message.unwrap();
    let content = [&arrived(5, "").headers.header[..], b"text"].concat();
    bench.write(|writer| {
        let body = body::put(writer, &content, &arrived(5, "").headers.header, NOW)?;
        arrive::body(writer, message, body, NOW)?;
        arrive::vanished(writer, inbox, &set("5"), NOW)?;
        arrive::reserve(writer, work, &set("5:6"), NOW)
    });
    let same = |uid, header: &str| arrive::Arrived {
        same_as: Some(message),
        headers: Headers { header: Bytes::copy_from_slice(header.as_bytes()), ..Headers::default() },
        ..arrived(uid, "")
    };
    let header = String::from_utf8(arrived(5, "").headers.header.to_vec()).unwrap();
    headers(bench, work, &[same(5, &header), same(6, "Subject: other\r\n\r\n")]);
    assert_eq!(bench.placement(work, 1).message, Some(message));
    assert_ne!(bench.placement(work, 2).message, Some(message), "its header is another one");
    let row = bench.read(|reader| reader.message(message)).unwrap();
    assert!(row.body.is_some() && row.deleted_at.is_none());
    bench.is_sound();
}

pub fn a_body_is_there_whole_with_its_true_size(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    bench.arrive(inbox, [1]);
    let message = bench.placement(inbox, 1).message.unwrap();
    let staged = bench.write(|writer| writer.stage_body(0));
    assert_eq!(bench.refused(|writer| arrive::body(writer, message, staged, NOW)), Code::Internal);
    let content = arrived(1, "").headers.header;
    bench.write(|writer| {
        let body = body::put(writer, &content, &content, NOW)?;
        arrive::body(writer, message, body, NOW)
    });
    let row = bench.read(|reader| reader.message(message)).unwrap();
    assert_eq!(row.size, content.len() as u64);
    assert_eq!(bench.read(|reader| reader.messages_by_content(&row.content.unwrap())), [message]);
    assert_eq!(bench.read(|reader| body::read(reader, message, 1000)), content);
}

pub fn a_listing_adds_renames_and_never_takes_a_name_away(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    let again = bench.write(|writer| arrive::listed(writer, None, &listed("INBOX"), NOW));
    assert_eq!(again, inbox);
    let renamed = bench.write(|writer| arrive::listed(writer, Some(inbox), &listed("Box"), NOW));
    assert_eq!((renamed, row(bench, inbox).name), (inbox, "Box".to_owned()));
    let mut own = row(bench, bench.own("Own"));
    own.remote = None;
    bench.write(|writer| writer.update_mailbox(&own));
    let twin = bench.write(|writer| arrive::listed(writer, None, &listed("Own"), NOW));
    assert_eq!((row(bench, own.id).name, row(bench, twin).name), ("Own".to_owned(), "Own (2)".to_owned()));
    let umlaut = bench.write(|writer| arrive::listed(writer, None, &listed("Entwürfe"), NOW));
    assert_eq!(row(bench, umlaut).remote.unwrap().name, b"Entw&APw-rfe");
    bench.write(|writer| arrive::drop_mailbox(writer, twin, NOW));
    assert_eq!(row(bench, twin).state, MailboxState::Gone);
}

pub fn a_mailbox_is_ready_when_nothing_is_reserved(bench: &Bench) {
    let inbox = bench.write(|writer| arrive::listed(writer, None, &listed("INBOX"), NOW));
    assert_eq!(row(bench, inbox).state, MailboxState::Fresh);
    reserve(bench, inbox, "1:2");
    assert_eq!(row(bench, inbox).state, MailboxState::Reserved);
    let advance = |uid_next| {
        bench.write(|writer| arrive::advance(writer, inbox, |remote| remote.uid_next = uid_next, NOW));
    };
    advance(3);
    assert_eq!(row(bench, inbox).state, MailboxState::Reserved);
    headers(bench, inbox, &[arrived(1, ""), arrived(2, "")]);
    advance(4);
    assert_eq!((row(bench, inbox).state, row(bench, inbox).remote.unwrap().uid_next), (MailboxState::Ready, 4));
}

pub fn a_pause_is_said_and_ended(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    bench.write(|writer| arrive::pause(writer, inbox, "30 of 40 are missing", NOW));
    assert_eq!(row(bench, inbox).reason.as_deref(), Some("30 of 40 are missing"));
    bench.write(|writer| arrive::advance(writer, inbox, |_| {}, NOW));
    assert_eq!(row(bench, inbox).state, MailboxState::Paused, "a pass does not end it");
    bench.write(|writer| arrive::resume(writer, inbox, NOW));
    assert_eq!((row(bench, inbox).state, row(bench, inbox).reason), (MailboxState::Ready, None));
}

pub fn subscriptions_are_the_servers_unless_a_change_waits(bench: &Bench) {
    let (inbox, box_) = (bench.mirror("INBOX"), bench.mirror("Box"));
    let tell = |told: &[(MailboxId, bool)]| {
        bench.write(|writer| arrive::subscribed(writer, told, NOW));
        bench.read(|reader| reader.subscriptions(None))
    };
    assert_eq!(tell(&[(inbox, true), (box_, false)]), ["INBOX"]);
    bench.write(|writer| change::subscribe(writer, "Box", true, NOW));
    assert_eq!(tell(&[(inbox, false), (box_, false)]), ["Box"], "it has not reached the server");
    let waiting = bench.read(|reader| reader.pending()).pop().unwrap();
    bench.write(|writer| arrive::settle(writer, IntentId(waiting.id), State::Applied { note: None }, NOW));
    assert_eq!(tell(&[(inbox, false), (box_, false)]), Vec::<String>::new(), "now it has");
}
