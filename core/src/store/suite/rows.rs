//! Rows come back as they were put in, and are found by everything they can be found by.

use super::{Bench, NOW, arrived, flags, set};
use crate::Code;
use crate::imap::Role;
use crate::store::*;
use bytes::Bytes;

pub fn mailboxes_are_kept_whole(bench: &Bench) {
    let id = bench.own("Work/Ümläut");
    let mut row = bench.read(|reader| reader.mailbox(id)).unwrap();
    row.role = Some(Role::Archive);
    row.attributes = vec!["\\Noselect".to_owned(), "\\HasChildren".to_owned()];
    row.delimiter = None;
    row.state = MailboxState::Paused;
    row.reason = Some("because".to_owned());
    row.mod_seq = u64::MAX >> 1;
    row.uid_next = u32::MAX;
    row.remote = Some(RemoteMailbox {
        name: b"Work/\xff".to_vec(),
        uid_validity: u32::MAX,
        uid_next: u32::MAX,
        highest_mod_seq: u64::MAX >> 1,
        empty_mod_seq: 9,
        exists: 3,
        object_id: Some("o".to_owned()),
        bodies_from: 4,
        audited: 5,
        resets: 6,
        resets_day: 7,
        suspects: "1:3".to_owned(),
        unlisted: 8,
    });
    bench.write(|writer| writer.update_mailbox(&row));
    assert_eq!(bench.read(|reader| reader.mailbox(id)).unwrap(), row);
    assert_eq!(bench.read(|reader| reader.mailbox_mirroring(b"Work/\xff")).unwrap(), row);
    assert_eq!(bench.read(|reader| reader.mailbox_mirroring(b"Work")), None);
}

pub fn names_are_taken_by_those_that_are_there(bench: &Bench) {
    let (a, b) = (bench.own("a"), bench.own("b"));
    assert_eq!(bench.refused(|writer| change::create(writer, "a", (None, None), NOW)), Code::MailboxExists);
    assert_eq!(bench.refused(|writer| change::rename(writer, b, "a", NOW)), Code::MailboxExists);
    bench.own("A");
    bench.write(|writer| change::delete(writer, a, NOW));
    assert_eq!(bench.read(|reader| reader.mailbox_named("a")), None);
    let again = bench.own("a");
    assert_eq!(bench.read(|reader| reader.mailbox(a)).unwrap().state, MailboxState::Gone);
    let names: Vec<_> = bench.read(|reader| reader.mailboxes()).into_iter().map(|row| row.name).collect();
    assert_eq!(names, ["A", "a", "b"]);
    assert_ne!(a, again);
}

pub fn a_uid_validity_never_comes_back(bench: &Bench) {
    let mut seen = Vec::new();
    for _ in 0..3 {
        let id = bench.own("a");
        seen.push(bench.read(|reader| reader.mailbox(id)).unwrap().uid_validity);
        bench.write(|writer| change::delete(writer, id, NOW));
    }
    assert_eq!(seen, [1_700_000_000, 1_700_000_001, 1_700_000_002]);
}

pub fn placements_are_found_by_both_numbers(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    bench.arrive(inbox, [10, 30, 20]);
    let row = bench.read(|reader| reader.placement_by_remote(inbox, 20)).unwrap();
    assert_eq!(row, bench.placement(inbox, 2));
    assert_eq!(bench.read(|reader| reader.placements_of(row.message.unwrap())), std::slice::from_ref(&row));
    let some = bench.read(|reader| reader.placements(inbox, &set("1,3:9")));
    assert_eq!(some.iter().map(|row| row.remote_uid).collect::<Vec<_>>(), [Some(10), Some(30)]);
    assert_eq!(bench.read(|reader| reader.remote_uids(inbox)), set("10,20,30"));
    assert_eq!(bench.refused(|writer| writer.insert_placement(&row)), Code::Internal);
    let twin = PlacementRow { uid: 9, ..row };
    assert_eq!(bench.refused(|writer| writer.insert_placement(&twin)), Code::Internal, "the server's UID is taken");
}

pub fn lists_go_both_ways_in_pages(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    bench.arrive(inbox, 1..=5);
    bench.write(|writer| arrive::reserve(writer, inbox, &set("6"), NOW));
    let page = |after, newest_first| {
        let rows = bench.read(|reader| reader.list(inbox, Page { after, limit: 2, newest_first }));
        rows.iter().map(|row| row.placement.uid).collect::<Vec<_>>()
    };
    assert_eq!((page(None, true), page(Some(4), true), page(Some(1), true)), (vec![5, 4], vec![3, 2], vec![]));
    assert_eq!((page(None, false), page(Some(4), false)), (vec![1, 2], vec![5]));
    let row = &bench.read(|reader| reader.list(inbox, Page { after: None, limit: 1, newest_first: true }))[0];
    assert_eq!((row.message.size, row.message.internal_date.seconds), (105, 5));
}

pub fn messages_are_found_by_what_they_are_known_by(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    bench.write(|writer| {
        arrive::reserve(writer, inbox, &set("1:2"), NOW)?;
        let rows = [arrive::Arrived { email_id: Some("E1".to_owned()), ..arrived(1, "") }, arrived(2, "")];
        arrive::headers(writer, inbox, &rows, NOW)
    });
    let (one, two) = (bench.placement(inbox, 1).message.unwrap(), bench.placement(inbox, 2).message.unwrap());
    bench.read(|reader| {
        let digest = reader.message(two)?.unwrap().digest.unwrap();
        assert_eq!(reader.messages_by_digest(&digest)?, [two]);
        assert_eq!(reader.messages_by_email_id("E1")?, [one]);
        assert_eq!(reader.messages_by_email_id("E2")?, []);
        assert_eq!(reader.linked("2@x")?, [(two, LinkKind::Own)]);
        assert_eq!(reader.linked("root@x")?, [(one, LinkKind::Reference), (two, LinkKind::Reference)]);
        assert_eq!(reader.message(MessageId(99))?, None);
        Ok(())
    });
    bench.write(|writer| {
        arrive::vanished(writer, inbox, &set("1"), NOW)?;
        writer.delete_message(one)
    });
    assert_eq!(bench.read(|reader| reader.linked("root@x")), [(two, LinkKind::Reference)]);
    bench.is_sound();
}

pub fn headers_are_kept_as_they_came(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    bench.arrive(inbox, [1]);
    let message = bench.placement(inbox, 1).message.unwrap();
    let odd = Headers {
        header: Bytes::from((0..=255).collect::<Vec<u8>>()),
        envelope: Bytes::from_static(b"(\"\\\"\" {3}\r\na\0b)"),
        body_structure: Bytes::from(vec![b'('; 100_000]),
    };
    bench.write(|writer| writer.set_headers(message, &odd, &[]));
    assert_eq!(bench.read(|reader| reader.headers(message)), Some(odd));
    assert_eq!(bench.read(|reader| reader.linked("1@x")), []);
    assert_eq!(bench.read(|reader| reader.headers(MessageId(99))), None);
}

pub fn what_is_sent_is_kept_with_its_recipients(bench: &Bench) {
    let new = |body| NewOutbox {
        key: "k".to_owned(),
        message_id: "m@x".to_owned(),
        sender: "ada@x".to_owned(),
        recipients: vec!["b@y".to_owned(), "a@y".to_owned()],
        body,
        payload: "{}".to_owned(),
        created: 5,
    };
    let id = bench.write(|writer| {
        let body = body::put(writer, b"Subject: x\r\n\r\n", &Bytes::new(), NOW)?;
        writer.insert_outbox(&new(body), 9)
    });
    let mut row = bench.read(|reader| reader.outbox(id)).unwrap();
    assert_eq!(
        (row.state.as_str(), row.not_before, &row.new.recipients[..]),
        ("queued", 9, &["b@y".to_owned(), "a@y".to_owned()][..])
    );
    row.state = "dot_sent".to_owned();
    row.attempts = 2;
    row.reply = Some("250 ok".to_owned());
    row.sent_copy = Some("filed".to_owned());
    let recipient = RecipientRow { outbox: id, address: "a@y".to_owned(), state: "accepted".to_owned(), reply: None };
    bench.write(|writer| {
        writer.update_outbox(&row)?;
        writer.update_recipient(&recipient)
    });
    assert_eq!(bench.read(|reader| reader.outbox_by_key("k")).unwrap(), row);
    assert_eq!(bench.read(|reader| reader.outbox_open()), [row.clone()]);
    assert_eq!(bench.read(|reader| reader.outbox_over(i64::MAX, 9)), []);
    (row.over, row.changed) = (true, 7);
    bench.write(|writer| writer.update_outbox(&row));
    assert_eq!(bench.read(|reader| reader.outbox_open()), []);
    assert_eq!(bench.read(|reader| Ok((reader.outbox_over(7, 9)?, reader.outbox_over(8, 9)?))), (vec![], vec![id]));
    assert_eq!(bench.read(|reader| reader.recipients(id))[1], recipient);
    assert_eq!(bench.refused(|writer| writer.insert_outbox(&row.new, 0)), Code::Internal, "the same key");
    assert_eq!(bench.refused(|writer| writer.delete_body(row.new.body)), Code::Internal, "it is still to be sent");
    bench.is_sound();
    bench.write(|writer| writer.delete_outbox(id));
    assert_eq!(bench.read(|reader| Ok((reader.outbox(id)?, reader.body(row.new.body)?))), (None, None));
}

pub fn a_part_goes_with_the_last_that_has_it(bench: &Bench) {
    let whole = |id, hash, parts: &[BodyId]| BodyRow {
        id,
        hash: ContentHash([hash; 32]),
        size: 9,
        header: 0,
        recipe: if parts.is_empty() { vec![] } else { vec![1] },
        parts: parts.to_vec(),
        chunks: 1,
        stored: 0,
    };
    let add = |writer: &mut dyn Writer, hash, parts: &[BodyId]| {
        let id = writer.stage_body(NOW.seconds())?;
        let frame = writer.pack(b"x")?;
        writer.put_chunk(id, 0, &frame)?;
        writer.publish_body(&whole(id, hash, parts)).map(|()| id)
    };
    let (part, one, two) = bench.write(|writer| {
        let part = add(writer, 1, &[])?;
        Ok((part, add(writer, 2, &[part, part])?, add(writer, 3, &[part])?))
    });
    assert_eq!(bench.read(|reader| reader.body(one)).unwrap(), whole(one, 2, &[part, part]));
    assert_eq!(bench.read(|reader| reader.bodies_by_hash(&ContentHash([1; 32]))), [part]);
    assert_eq!(bench.refused(|writer| writer.delete_body(part)), Code::Internal);
    bench.write(|writer| writer.delete_body(one));
    assert!(bench.read(|reader| reader.body(part)).is_some());
    bench.write(|writer| writer.delete_body(two));
    assert_eq!(bench.read(|reader| reader.body(part)), None);
}

pub fn users_and_what_is_theirs(bench: &Bench) {
    let inbox = bench.own("INBOX");
    let verifier = Verifier {
        mechanism: "SCRAM-SHA-256".to_owned(),
        iterations: 4096,
        salt: vec![1],
        stored_key: vec![2],
        server_key: vec![3],
    };
    assert!(!format!("{verifier:?}").contains('['), "keys are not shown");
    let id = bench.write(|writer| writer.insert_user("ada", Some(&verifier)));
    assert_eq!(bench.refused(|writer| writer.insert_user("ada", None)), Code::UsageArgument);
    let mut user = bench.read(|reader| reader.user("ada")).unwrap();
    assert_eq!((user.id, user.verifier.as_ref(), user.disabled), (id, Some(&verifier), false));
    user.disabled = true;
    let right = Right { mailbox: inbox, identifier: "ada".to_owned(), rights: "lrs".to_owned() };
    bench.write(|writer| {
        writer.update_user(&user)?;
        writer.set_user_flags(id, inbox, 1, Some(&flags("\\Seen x")))?;
        writer.set_right(&right)?;
        writer.set_subscription(Some(id), "INBOX", true)
    });
    bench.read(|reader| {
        assert_eq!(reader.users()?, [user.clone()]);
        assert_eq!(reader.user_flags(id, inbox, 1)?, Some(flags("\\Seen x")));
        assert_eq!(reader.user_flags(id, inbox, 2)?, None);
        assert_eq!(reader.rights(inbox)?, std::slice::from_ref(&right));
        assert_eq!((reader.subscriptions(Some(id))?.len(), reader.subscriptions(None)?.len()), (1, 0));
        Ok(())
    });
    bench.write(|writer| writer.set_right(&Right { rights: String::new(), ..right.clone() }));
    assert_eq!(bench.read(|reader| reader.rights(inbox)), []);
}

pub fn passwords_for_one_program_each(bench: &Bench) {
    let verifier = |key: u8| Verifier {
        mechanism: "SCRAM-SHA-256".to_owned(),
        iterations: 4096,
        salt: vec![1],
        stored_key: vec![key],
        server_key: vec![3],
    };
    let (ada, bob) =
        bench.write(|writer| Ok((writer.insert_user("ada", None)?, writer.insert_user("bob", Some(&verifier(9)))?)));
    let password = |user, label: &str, key| AppPassword {
        user,
        label: label.to_owned(),
        created: 1_700_000_000,
        verifier: verifier(key),
    };
    let all = [password(ada, "laptop", 1), password(ada, "phone", 2), password(bob, "phone", 3)];
    let version = || bench.read(|reader| reader.users_version());
    let mut before = version();
    let mut has_risen = || version() > std::mem::replace(&mut before, version());
    bench.write(|writer| all.iter().rev().try_for_each(|password| writer.insert_app_password(password)));
    assert!(has_risen());
    assert_eq!(bench.refused(|writer| writer.insert_app_password(&all[1])), Code::UsageArgument);
    assert_eq!(bench.read(|reader| reader.app_passwords(ada)), all[..2]);
    assert_eq!(bench.read(|reader| reader.app_password(ada, "phone")).as_ref(), Some(&all[1]));
    assert_eq!(bench.read(|reader| reader.app_password(ada, "tablet")), None);
    assert!(bench.write(|writer| writer.delete_app_password(ada, "phone")) && has_risen());
    assert!(!bench.write(|writer| writer.delete_app_password(ada, "phone")));
    assert_eq!(bench.read(|reader| reader.app_passwords(ada)), all[..1]);
    bench.write(|writer| writer.delete_user(ada));
    assert_eq!(bench.read(|reader| reader.app_passwords(ada)), []);
    assert_eq!(bench.read(|reader| reader.user("ada")), None);
    assert_eq!(bench.read(|reader| reader.app_passwords(bob)), all[2..]);
    assert_eq!(bench.refused(|writer| writer.delete_user(ada)), Code::Internal);
}

pub fn the_keywords_of_a_mailbox(bench: &Bench) {
    let (inbox, work) = (bench.own("INBOX"), bench.own("Work"));
    assert_eq!(bench.read(|reader| reader.keywords(inbox)), Flags::new());
    for (mailbox, words) in [(inbox, "\\Seen $Invoice"), (inbox, "$Invoice Red"), (inbox, "$Forwarded"), (work, "Blue")]
    {
        let uid = bench.append(mailbox, "one");
        let delta = change::FlagDelta { add: flags(words), ..change::FlagDelta::default() };
        bench.write(|writer| change::flag(writer, mailbox, &set(&uid.to_string()), &delta, NOW));
    }
    assert_eq!(bench.read(|reader| reader.keywords(inbox)), flags("$Invoice Red"));
    assert_eq!(bench.read(|reader| reader.keywords(work)), flags("Blue"));
}

pub fn rules_notes_and_metadata(bench: &Bench) {
    let (inbox, work) = (bench.own("INBOX"), bench.own("Work"));
    let rule = KeepRule { keep: Keep::Text, days: Some(30), largest: Some(1 << 40) };
    bench
        .write(|writer| writer.set_keep(Some(work), Some(KeepRule { keep: Keep::Headers, days: None, largest: None })));
    assert_eq!(bench.read(|reader| reader.keep(Some(inbox))), KeepRule::default());
    bench.write(|writer| writer.set_keep(None, Some(rule)));
    assert_eq!(bench.read(|reader| reader.keep(Some(inbox))), rule);
    assert_eq!(bench.read(|reader| reader.keep(Some(work))).keep, Keep::Headers);
    bench.write(|writer| writer.set_keep(Some(work), None));
    assert_eq!(bench.read(|reader| reader.keep(Some(work))), rule);
    let comment =
        Metadata { mailbox: Some(inbox), user: None, entry: "/shared/comment".to_owned(), value: vec![0, 255] };
    bench.write(|writer| {
        writer.set_metadata(&comment)?;
        writer.set_note("n", Some(b""))
    });
    assert_eq!(bench.read(|reader| reader.metadata(Some(inbox))), [comment]);
    assert_eq!(bench.read(|reader| reader.metadata(None)), []);
    assert_eq!(bench.read(|reader| reader.note("n")), Some(Vec::new()));
    bench.write(|writer| writer.set_note("n", None));
    assert_eq!(bench.read(|reader| reader.note("n")), None);
}

pub fn tombstones_and_what_the_retention_takes(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    bench.arrive(inbox, 1..=4);
    let at = |uids: &str, seconds| {
        bench.write(|writer| arrive::vanished(writer, inbox, &set(uids), Now::from_seconds(seconds)));
    };
    at("1", 100);
    at("3", 200);
    let all = bench.read(|reader| reader.tombstones(inbox, 0));
    assert_eq!(
        all.iter().map(|t| (t.uid, t.remote_uid, t.at)).collect::<Vec<_>>(),
        [(1, Some(1), 100), (3, Some(3), 200)]
    );
    let mod_seq = all[0].mod_seq;
    assert_eq!(bench.read(|reader| reader.tombstones(inbox, mod_seq)).len(), 1);
    assert_eq!(bench.write(|writer| writer.prune_tombstones(150)), 1);
    let row = bench.read(|reader| reader.mailbox(inbox)).unwrap();
    assert_eq!(row.tombstones_from, mod_seq + 1);
    assert_eq!(bench.read(|reader| reader.tombstones(inbox, 0)).len(), 1);
}

pub fn wanted_bodies_come_newest_first(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    bench.arrive(inbox, 11..=15);
    let wanted = |before, limit| {
        let rows = bench.read(|reader| reader.without_body(inbox, before, limit));
        rows.iter().map(|row| (row.uid, row.remote_uid, row.size)).collect::<Vec<_>>()
    };
    assert_eq!(wanted(None, 2), [(5, 15, 115), (4, 14, 114)]);
    assert_eq!(wanted(Some(2), 9), [(1, 11, 111)]);
    let message = bench.placement(inbox, 5).message.unwrap();
    let bad = bench.placement(inbox, 4).message.unwrap();
    bench.write(|writer| {
        let body = body::put(writer, b"x", &Bytes::new(), NOW)?;
        arrive::body(writer, message, body, NOW)?;
        let row = writer.message(bad)?.unwrap();
        writer.update_message(&MessageRow { problem: Some("another message".to_owned()), ..row })
    });
    assert_eq!(wanted(None, 1), [(3, 13, 113)]);
}
