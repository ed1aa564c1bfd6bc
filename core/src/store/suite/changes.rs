//! Local verbs: at once here, and in the journal.

use super::{Bench, NOW, flags, set};
use crate::Code;
use crate::journal::State;
use crate::store::*;

fn flag(bench: &Bench, mailbox: MailboxId, uids: &str, add: &str, remove: &str) -> String {
    let delta = change::FlagDelta { add: flags(add), remove: flags(remove) };
    bench.write(|writer| change::flag(writer, mailbox, &set(uids), &delta, NOW)).to_string()
}

pub fn flags_change_here_and_stand_in_the_journal(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    bench.arrive(inbox, 101..=103);
    assert_eq!(flag(bench, inbox, "1:2,9", "\\Seen", "x"), "1:2");
    let row = bench.placement(inbox, 1);
    assert_eq!((row.flags, row.agreed), (flags("\\Seen"), Some(flags(""))));
    assert_eq!(bench.pending(), ["flag \"INBOX\"/101 +\\Seen", "flag \"INBOX\"/102 +\\Seen"]);
    assert_eq!(flag(bench, inbox, "1", "\\Seen", "x"), "", "nothing new");
    assert_eq!(bench.pending().len(), 2);
    let entry = bench.read(|reader| reader.pending_in(b"INBOX", 7)).remove(0);
    assert_eq!(bench.read(|reader| reader.pending_at(inbox, 1)), std::slice::from_ref(&entry));
    bench.write(|writer| arrive::settle(writer, IntentId(entry.id), State::Applied { note: None }, NOW));
    assert_eq!(bench.pending().len(), 1);
    assert_eq!(bench.write(|writer| writer.prune_intents(NOW.seconds() + 1)), 1);
    assert_eq!(bench.read(|reader| reader.intent(IntentId(entry.id))), None);
}

pub fn flag_changes_merge(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    bench.arrive(inbox, [101]);
    flag(bench, inbox, "1", "\\Seen", "");
    flag(bench, inbox, "1", "a", "");
    assert_eq!(bench.pending(), ["flag \"INBOX\"/101 +\\Seen +a"]);
    flag(bench, inbox, "1", "", "\\Seen a");
    assert_eq!(bench.pending(), [""; 0], "undone before it was sent");
    assert_eq!(bench.placement(inbox, 1).flags, flags(""));
}

pub fn a_move_is_one_thing(bench: &Bench) {
    let (inbox, work) = (bench.mirror("INBOX"), bench.mirror("Work"));
    bench.arrive(inbox, [101, 102]);
    let moved = bench.write(|writer| change::move_to(writer, inbox, &set("1"), work, NOW));
    assert_eq!(moved, [(1, 1)]);
    let row = bench.placement(work, 1);
    assert_eq!((row.remote_uid, row.agreed), (None, Some(flags(""))));
    assert_eq!(bench.uids(inbox), "2");
    assert_eq!(bench.read(|reader| reader.tombstones(inbox, 0)).len(), 1);
    assert_eq!(bench.pending(), ["move \"INBOX\"/101 to \"Work\""]);
    assert_eq!(bench.read(|reader| reader.message(row.message.unwrap())).unwrap().deleted_at, None);
    bench.is_sound();
    let here = bench.refused(|writer| change::move_to(writer, inbox, &set("2"), inbox, NOW));
    assert_eq!(here, Code::UsageArgument);
}

pub fn a_message_that_comes_back_has_its_number_again(bench: &Bench) {
    let (inbox, work) = (bench.mirror("INBOX"), bench.mirror("Work"));
    bench.arrive(inbox, [101]);
    bench.write(|writer| change::move_to(writer, inbox, &set("1"), work, NOW));
    bench.write(|writer| change::move_to(writer, work, &set("1"), inbox, NOW));
    let row = bench.placement(inbox, 2);
    assert_eq!((row.remote_uid, row.agreed), (Some(101), Some(flags(""))));
    assert_eq!(bench.pending(), [""; 0]);
    bench.is_sound();
}

pub fn a_copy_stands_beside_its_original(bench: &Bench) {
    let (inbox, work) = (bench.mirror("INBOX"), bench.mirror("Work"));
    bench.arrive(inbox, [101]);
    let copied = bench.write(|writer| change::copy(writer, inbox, &set("1"), work, NOW));
    let twice = bench.write(|writer| change::copy(writer, inbox, &set("1"), inbox, NOW));
    assert_eq!((copied, twice), (vec![(1, 1)], vec![(1, 2)]));
    let message = bench.placement(inbox, 1).message.unwrap();
    assert_eq!(bench.read(|reader| reader.placements_of(message)).len(), 3);
    assert_eq!(bench.pending().len(), 2);
    bench.is_sound();
}

pub fn a_copy_is_made_before_its_original_goes(bench: &Bench) {
    let (old, work) = (bench.mirror("Old"), bench.mirror("Work"));
    bench.arrive(old, [101, 102]);
    bench.write(|writer| change::copy(writer, old, &set("1"), work, NOW));
    bench.write(|writer| change::expunge(writer, old, &set("1"), NOW));
    bench.write(|writer| change::move_to(writer, work, &set("1"), old, NOW));
    assert_eq!(bench.pending()[..2], ["copy \"Old\"/101 to \"Work\"", "delete \"Old\"/101"]);
    assert_eq!(bench.pending().len(), 3, "the move follows: {:?}", bench.pending());
    bench.is_sound();
}

pub fn a_message_leaves_a_mailbox_before_that_goes(bench: &Bench) {
    let (old, work, other) = (bench.mirror("Old"), bench.mirror("Work"), bench.mirror("Other"));
    bench.arrive(old, [101]);
    bench.write(|writer| change::move_to(writer, old, &set("1"), work, NOW));
    bench.write(|writer| change::delete(writer, old, NOW));
    bench.write(|writer| change::move_to(writer, work, &set("1"), other, NOW));
    assert_eq!(bench.pending()[0], "move \"Old\"/101 to \"Work\"");
    assert_eq!(bench.pending().len(), 3, "the second move follows: {:?}", bench.pending());
    bench.is_sound();
}

pub fn a_deletion_leaves_a_tombstone_and_restorable_content(bench: &Bench) {
    let inbox = bench.own("INBOX");
    let uid = bench.append(inbox, "one");
    let message = bench.placement(inbox, uid).message.unwrap();
    flag(bench, inbox, "1", "\\Seen \\Deleted $Work", "");
    let gone = bench.write(|writer| change::expunge(writer, inbox, &set("1:9"), NOW));
    assert_eq!(gone, set("1"));
    assert_eq!(bench.read(|reader| reader.message(message)).unwrap().deleted_at, Some(NOW.seconds()));
    assert_eq!(bench.read(|reader| reader.deleted(MessageId(0), 9)).len(), 1);
    assert_eq!(bench.store.usage().unwrap().restorable, 1);
    let graves = bench.read(|reader| reader.tombstones_of(message));
    assert_eq!(graves.iter().map(|grave| (grave.mailbox, grave.uid)).collect::<Vec<_>>(), [(inbox, 1)]);
    bench.is_sound();
    let again = bench.write(|writer| change::restore(writer, message, inbox, NOW));
    assert_eq!(again, 2);
    assert_eq!(bench.read(|reader| reader.message(message)).unwrap().deleted_at, None);
    assert_eq!(bench.read(|reader| reader.deleted(MessageId(0), 9)), []);
    assert_eq!(bench.placement(inbox, again).flags, flags("\\Seen $Work"));
    let twice = bench.refused(|writer| change::restore(writer, message, inbox, NOW));
    assert_eq!(twice, Code::UsageArgument);
    bench.is_sound();
}

pub fn an_append_waits_for_the_server(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    let uid = bench.append(inbox, "one");
    assert_eq!(bench.pending(), ["append 41 bytes to \"INBOX\""]);
    flag(bench, inbox, "1", "\\Seen", "");
    assert_eq!(bench.pending().len(), 1, "its flags go with it");
    let at = Local { mailbox: inbox, uid };
    bench.write(|writer| arrive::placed(writer, at, 55, &flags("\\Seen"), NOW));
    let row = bench.placement(inbox, uid);
    assert_eq!((row.remote_uid, row.agreed), (Some(55), Some(flags("\\Seen"))));
    bench.is_sound();
}

pub fn nothing_is_written_into_the_journal_without_an_account(bench: &Bench) {
    let (inbox, work) = (bench.own("INBOX"), bench.own("Work"));
    bench.append(inbox, "one");
    bench.append(inbox, "two");
    flag(bench, inbox, "1", "\\Seen", "");
    bench.write(|writer| {
        change::copy(writer, inbox, &set("1"), work, NOW)?;
        change::move_to(writer, inbox, &set("1"), work, NOW)?;
        change::expunge(writer, inbox, &set("2"), NOW)?;
        change::subscribe(writer, "Work", true, NOW)?;
        change::rename(writer, work, "Play", NOW)
    });
    assert_eq!(bench.pending(), [""; 0]);
    assert_eq!(bench.read(|reader| reader.subscriptions(None)), ["Work"]);
    bench.is_sound();
}

pub fn a_message_without_its_body_does_not_leave_the_server(bench: &Bench) {
    let here = bench.own("Here");
    let inbox = bench.mirror("INBOX");
    bench.arrive(inbox, [101]);
    for attempt in [change::move_to, change::copy] {
        assert_eq!(bench.refused(|writer| attempt(writer, inbox, &set("1"), here, NOW)), Code::BodyNotHere);
    }
    bench.append(inbox, "one");
    bench.write(|writer| change::move_to(writer, inbox, &set("2"), here, NOW));
    assert_eq!(bench.pending(), [""; 0], "it had not reached the server");
    bench.write(|writer| change::move_to(writer, here, &set("1"), inbox, NOW));
    assert_eq!(bench.pending().len(), 1);
    bench.is_sound();
}

pub fn mailboxes_are_made_renamed_and_removed(bench: &Bench) {
    bench.mirror("INBOX");
    let (work, below) = (bench.mirror("Work"), bench.mirror("Work/Bills"));
    let new = bench.own("New");
    bench.write(|writer| change::rename(writer, work, "Play", NOW));
    let names =
        |bench: &Bench| bench.read(|reader| reader.mailboxes()).into_iter().map(|row| row.name).collect::<Vec<_>>();
    assert_eq!(names(bench), ["INBOX", "New", "Play", "Play/Bills"]);
    let row = bench.read(|reader| reader.mailbox(below)).unwrap();
    assert_eq!(row.remote.unwrap().name, b"Work/Bills", "the server's name until the journal gets there");
    assert_eq!(bench.refused(|writer| change::rename(writer, work, "Play/Deeper", NOW)), Code::UsageArgument);
    bench.write(|writer| change::delete(writer, new, NOW));
    bench.write(|writer| change::delete(writer, below, NOW));
    assert_eq!(names(bench), ["INBOX", "Play"]);
    assert_eq!(bench.pending(), ["rename mailbox \"Work\" to \"Play\"", "delete mailbox \"Work/Bills\""]);
    assert_eq!(bench.refused(|writer| change::delete(writer, below, NOW)), Code::MailboxMissing);
    bench.write(|writer| change::subscribe(writer, "Nowhere", true, NOW));
    assert_eq!(bench.pending().last().unwrap(), "subscribe to \"Nowhere\"");
}

pub fn inbox_stays(bench: &Bench) {
    let inbox = bench.own("inbox");
    assert_eq!(bench.read(|reader| reader.mailbox(inbox)).unwrap().name, "INBOX");
    assert_eq!(bench.refused(|writer| change::delete(writer, inbox, NOW)), Code::UsageArgument);
    assert_eq!(bench.refused(|writer| change::rename(writer, inbox, "x", NOW)), Code::UsageArgument);
    for name in ["", "a\r\nb", "a\0"] {
        assert_eq!(bench.refused(|writer| change::create(writer, name, (None, None), NOW)), Code::UsageArgument);
    }
}

pub fn every_change_has_a_mod_seq_of_its_own(bench: &Bench) {
    let inbox = bench.mirror("INBOX");
    bench.arrive(inbox, 1..=3);
    flag(bench, inbox, "1:2", "\\Seen", "");
    bench.write(|writer| change::expunge(writer, inbox, &set("3"), NOW));
    let rows = bench.read(|reader| reader.changed_since(inbox, 4));
    assert_eq!(rows.iter().map(|row| (row.uid, row.mod_seq)).collect::<Vec<_>>(), [(1, 5), (2, 6)]);
    assert_eq!(bench.read(|reader| reader.tombstones(inbox, 0))[0].mod_seq, 7);
    assert_eq!(bench.read(|reader| reader.mailbox(inbox)).unwrap().mod_seq, 7);
}
