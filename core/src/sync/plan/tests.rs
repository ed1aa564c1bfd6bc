//! Lists and stores, and the work that follows.

use super::*;
use proptest::prelude::*;

const NOW: i64 = 1_000_000;
const FULL: Means = Means { qresync: true, condstore: true };
const CONDSTORE: Means = Means { qresync: false, condstore: true };
const NONE: Means = Means { qresync: false, condstore: false };

fn name(text: &str) -> MailboxName {
    MailboxName::new(text, false)
}

/// UIDVALIDITY 7, ten messages, UIDNEXT 11, MODSEQ 50.
fn numbers() -> Numbers {
    Numbers { uid_validity: Some(7), uid_next: Some(11), mod_seq: Some(50), messages: Some(10), object_id: None }
}

fn listed(text: &str) -> Listed {
    Listed { name: name(text), selectable: true, numbers: Some(numbers()) }
}

fn known(id: i64, text: &str) -> Known {
    let cursor = Cursor { uid_validity: 7, uid_next: 11, mod_seq: 50, exists: 10, audited: false };
    Known {
        id,
        name: name(text),
        cursor,
        object_id: None,
        unlisted: 0,
        audited: NOW - 60,
        has_suspects: false,
        paused: false,
        reserved: UidSet::new(),
        leaving: false,
        becoming: None,
    }
}

fn list(mailboxes: &[Listed]) -> Listing {
    Listing { complete: true, mailboxes: mailboxes.to_vec() }
}

fn work(listing: &Listing, known: &[Known], means: Means) -> Vec<String> {
    plan(listing, known, means, Rhythm::default(), NOW).iter().map(ToString::to_string).collect()
}

fn ask(known: &Known, numbers: Numbers, means: Means) -> Option<Question> {
    let listed = Listed { numbers: Some(numbers), ..listed("INBOX") };
    question(known, &listed, means, Rhythm::default(), NOW)
}

#[test]
fn an_unchanged_account_is_asked_nothing() {
    let (listing, store) = (list(&[listed("INBOX"), listed("A")]), [known(1, "INBOX"), known(2, "A")]);
    assert!(work(&listing, &store, FULL).is_empty() && work(&listing, &store, CONDSTORE).is_empty());
}

#[test]
fn the_cheapest_question_that_can_be_right_is_asked() {
    let inbox = known(1, "INBOX");
    let new_flag = Numbers { mod_seq: Some(51), ..numbers() };
    let new_mail = Numbers { uid_next: Some(12), messages: Some(11), mod_seq: Some(51), ..numbers() };
    let expunged = Numbers { messages: Some(9), ..numbers() };
    let table = [
        (new_flag.clone(), FULL, Question::Resync { mod_seq: 50 }),
        (new_mail.clone(), FULL, Question::Resync { mod_seq: 50 }),
        (new_flag.clone(), CONDSTORE, Question::Changes { mod_seq: 50, uids: false }),
        (new_mail.clone(), CONDSTORE, Question::Changes { mod_seq: 50, uids: true }),
        (expunged.clone(), CONDSTORE, Question::Changes { mod_seq: 50, uids: true }),
        // Small ones are compared whole where the server tells no changes.
        (new_flag.clone(), NONE, Question::All),
        (Numbers { uid_validity: Some(8), ..numbers() }, FULL, Question::All),
        (Numbers { mod_seq: Some(49), ..numbers() }, FULL, Question::All),
        // 163 gives no UIDNEXT, Purelymail a MODSEQ of 0.
        (Numbers { uid_next: None, ..numbers() }, FULL, Question::Resync { mod_seq: 50 }),
        (Numbers { mod_seq: Some(0), ..numbers() }, FULL, Question::Resync { mod_seq: 50 }),
        (Numbers::default(), CONDSTORE, Question::Changes { mod_seq: 50, uids: true }),
    ];
    for (numbers, means, wanted) in table {
        assert_eq!(ask(&inbox, numbers.clone(), means), Some(wanted), "{numbers:?} {means:?}");
    }
}

#[test]
fn a_large_mailbox_without_condstore_is_asked_for_its_newest() {
    let mut large = known(1, "INBOX");
    (large.cursor.exists, large.cursor.uid_next, large.cursor.mod_seq) = (100_000, 100_001, 0);
    let told = Numbers { messages: Some(100_000), uid_next: Some(100_001), mod_seq: None, ..numbers() };
    assert_eq!(ask(&large, told.clone(), NONE), Some(Question::Window { newest: 250, uids: false }));
    let more = Numbers { messages: Some(100_001), uid_next: Some(100_002), ..told.clone() };
    assert_eq!(ask(&large, more, NONE), Some(Question::Window { newest: 250, uids: true }));
    large.audited = NOW - 3600;
    assert_eq!(ask(&large, told, NONE), Some(Question::All));
}

#[test]
fn whatever_the_server_says_everything_is_compared_now_and_then() {
    let due = Known { audited: NOW - 24 * 3600, ..known(1, "INBOX") };
    let suspicious = Known { has_suspects: true, ..known(1, "INBOX") };
    let paused = Known { paused: true, ..known(1, "INBOX") };
    let fresh = Known { cursor: Cursor::default(), ..known(1, "INBOX") };
    for known in [due, suspicious, paused, fresh] {
        assert_eq!(ask(&known, numbers(), FULL), Some(Question::All));
    }
    let empty = Known { cursor: Cursor { exists: 0, ..known(1, "A").cursor }, ..known(1, "A") };
    assert_eq!(ask(&empty, Numbers { messages: Some(0), ..numbers() }, NONE), None);
}

#[test]
fn two_lists_must_agree_before_a_mailbox_goes() {
    let only_inbox = list(&[listed("INBOX")]);
    let store = [known(1, "INBOX"), Known { cursor: Cursor::default(), ..known(2, "A") }];
    assert_eq!(work(&only_inbox, &store, FULL), ["\"A\": not in the list (1)"]);
    let second = [store[0].clone(), Known { unlisted: 1, ..store[1].clone() }];
    assert_eq!(work(&only_inbox, &second, FULL), ["\"A\": gone from the server"]);
    // A list that broke off, and one without INBOX, say nothing about what they do not name.
    let broken = Listing { complete: false, ..only_inbox };
    assert!(work(&broken, &second, FULL).is_empty());
    assert!(work(&list(&[]), &second, FULL).is_empty());
}

#[test]
fn a_renamed_mailbox_is_the_same_mailbox() {
    let inbox = (listed("INBOX"), known(1, "INBOX"));
    let by_id = |text: &str, id: &str| Listed {
        numbers: Some(Numbers { object_id: Some(id.to_owned()), ..numbers() }),
        ..listed(text)
    };
    let ours = Known { object_id: Some("F1".to_owned()), ..known(2, "A") };
    let renamed = list(&[inbox.0.clone(), by_id("B", "F1")]);
    assert_eq!(work(&renamed, &[inbox.1.clone(), ours.clone()], FULL), ["\"A\": is now called \"B\""]);
    let another = list(&[inbox.0.clone(), by_id("B", "F2")]);
    assert_eq!(
        work(&another, &[inbox.1.clone(), ours], FULL),
        ["\"B\": new on the server", "\"A\": not in the list (1)"]
    );
    let guessed = list(&[inbox.0.clone(), listed("B")]);
    let store = [inbox.1.clone(), known(2, "A")];
    assert_eq!(work(&guessed, &store, FULL), ["\"A\": may now be called \"B\""]);
    // Two that fit are none.
    let two = list(&[inbox.0, listed("B"), listed("C")]);
    assert_eq!(work(&two, &store, FULL).len(), 3);
}

#[test]
fn a_rename_whose_answer_was_lost_is_found_by_its_name() {
    let other = Numbers { messages: Some(99), ..numbers() };
    let listing = list(&[listed("INBOX"), Listed { numbers: Some(other), ..listed("B") }]);
    let becoming = Some(listing.mailboxes[1].name.clone());
    let store = [known(1, "INBOX"), Known { becoming, ..known(2, "A") }];
    assert_eq!(work(&listing, &store, FULL)[0], "\"A\": is now called \"B\"");
    // Where the old one is still there, it was not done.
    let both = list(&[listed("INBOX"), listed("A"), listed("B")]);
    assert_eq!(work(&both, &store, FULL), ["\"B\": new on the server"]);
}

#[test]
fn a_mailbox_that_leaves_is_neither_asked_nor_added_again() {
    let store = [known(1, "INBOX"), Known { leaving: true, cursor: Cursor::default(), ..known(2, "A") }];
    assert!(work(&list(&[listed("INBOX"), listed("A")]), &store, FULL).is_empty());
    assert!(work(&list(&[listed("INBOX")]), &store, FULL).is_empty());
}

#[test]
fn headers_that_were_not_fetched_are_fetched_first_thing() {
    let store = [Known { reserved: UidSet::range(3, 9), ..known(1, "INBOX") }];
    assert_eq!(work(&list(&[listed("INBOX")]), &store, FULL), ["\"INBOX\": fetch headers of 3:9"]);
    let closed = Listed { selectable: false, ..listed("INBOX") };
    assert!(work(&list(&[closed]), &store, FULL).is_empty());
}

#[test]
fn names_that_differ_only_in_bytes_stay_two() {
    let raw = |bytes: &'static [u8]| Listed { name: MailboxName::from_server(bytes, false), ..listed("x") };
    let listing = list(&[listed("INBOX"), raw(b"R&D"), raw(b"R&-D"), raw(b"a "), raw(b"a")]);
    let adds = work(&listing, &[known(1, "INBOX")], FULL);
    assert_eq!(adds.len(), 4);
}

#[test]
fn bodies_come_newest_first_in_batches_by_bytes() {
    let body = |mailbox, uid, bytes, date| Body { mailbox, uid, bytes, date };
    let bodies = vec![body(1, 1, 400, 10), body(1, 2, 400, 20), body(1, 3, 400, 30), body(2, 9, 5000, 40)];
    let shown = |left| -> Vec<String> {
        let batches = batches(bodies.clone(), 1000, 100, left);
        batches.iter().map(|b| format!("{}: {} ({})", b.mailbox, b.uids, b.bytes)).collect()
    };
    assert_eq!(shown(None), ["2: 9 (5000)", "1: 2:3 (800)", "1: 1 (400)"]);
    assert_eq!(shown(Some(5500)), ["2: 9 (5000)", "1: 3 (400)"]);
    assert!(shown(Some(4999)).is_empty(), "what is too large for today is not overtaken for ever");
    assert_eq!(batches(bodies.clone(), u64::MAX, 2, None).len(), 3);
    let large = [body(1, 1, 100, 10), body(1, 2, LARGE + 1, 20), body(1, 3, 300, 30)];
    let begun = |left| batches(large.to_vec(), 1000, 100, Some(left)).iter().map(|b| b.bytes).collect::<Vec<_>>();
    assert_eq!(begun(500), [300, LARGE + 1], "a large one is begun, and not overtaken");
    assert_eq!(begun(300), [300]);
}

#[test]
fn mailboxes_whose_messages_came_in_turn_have_batches_of_their_own() {
    let bodies = (0..100).map(|n| Body { mailbox: i64::from(n % 2), uid: n, bytes: 1, date: i64::from(n) }).collect();
    let batches = batches(bodies, 1000, 25, None);
    assert_eq!(batches.iter().map(|batch| batch.mailbox).collect::<Vec<_>>(), [1, 0, 1, 0]);
}

proptest! {
    #[test]
    fn batches_hold_every_body_once_within_the_budget(
        sizes in proptest::collection::vec((1..3i64, 0..5000u64, 0..50i64), 0..60), left in 0..100_000u64,
    ) {
        let bodies: Vec<Body> = (1..).zip(&sizes).map(|(uid, &(mailbox, bytes, date))| Body { mailbox, uid, bytes, date }).collect();
        let all = batches(bodies.clone(), 2000, 10, None);
        prop_assert_eq!(all.iter().map(|b| b.uids.len()).sum::<u64>(), bodies.len() as u64);
        prop_assert_eq!(all.iter().map(|b| b.bytes).sum::<u64>(), bodies.iter().map(|b| b.bytes).sum::<u64>());
        prop_assert!(all.iter().all(|b| b.uids.len() == 1 || b.bytes <= 2000 && b.uids.len() <= 10));
        prop_assert!(batches(bodies, 2000, 10, Some(left)).iter().map(|b| b.bytes).sum::<u64>() <= left);
    }

    #[test]
    fn a_list_of_any_kind_takes_no_mailbox_away_at_once(names in proptest::collection::vec("[A-C]", 0..4), complete: bool) {
        let store: Vec<Known> = (1..).zip(["INBOX", "A", "B", "C"]).map(|(id, name)| known(id, name)).collect();
        let mailboxes = names.iter().map(|name| listed(name)).collect();
        let work = plan(&Listing { complete, mailboxes }, &store, FULL, Rhythm::default(), NOW);
        prop_assert!(work.iter().all(|work| work.action != Action::Drop));
    }
}

#[test]
fn an_audit_by_a_clock_that_was_ahead_is_made_again() {
    let ahead = Known { audited: NOW + 8 * 365 * 86_400, ..known(1, "INBOX") };
    assert_eq!(ask(&ahead, numbers(), FULL), Some(Question::All));
    assert_eq!(ask(&known(1, "INBOX"), numbers(), FULL), None);
}

#[test]
fn a_mailbox_that_became_a_mere_level_is_gone_when_two_lists_agree() {
    let level = Listed { selectable: false, numbers: None, ..listed("A") };
    let listing = list(&[listed("INBOX"), level]);
    let once = [known(1, "INBOX"), known(2, "A")];
    assert_eq!(work(&listing, &once, FULL), ["\"A\": not in the list (1)"]);
    let twice = [known(1, "INBOX"), Known { unlisted: 1, ..known(2, "A") }];
    assert_eq!(work(&listing, &twice, FULL), ["\"A\": gone from the server"]);
    let never = Known { cursor: Cursor::default(), ..known(2, "A") };
    assert!(work(&listing, &[known(1, "INBOX"), never], FULL).is_empty());
}
