//! The promises of a store as tests that every backend passes: `store_suite!(open)`, where `open(folder)` gives one
//! more [`Store`] over what is in that folder, as another process would have it.

pub(super) mod arrivals;
pub(super) mod changes;
pub(super) mod feed;
pub(super) mod rows;
pub(super) mod transactions;
pub(super) mod upkeep;

use super::*;
use crate::imap::{Flag, InternalDate, MailboxName};
use bytes::Bytes;
use std::path::Path;

/// Gives a store over what is in a folder.
pub(super) type Open = fn(&Path) -> Box<dyn Store>;

/// A folder of its own, and a store in it.
pub(super) struct Bench {
    pub folder: tempfile::TempDir,
    pub open: Open,
    pub store: Box<dyn Store>,
}

/// The moment at which everything happens here.
pub(super) const NOW: Now = Now::from_seconds(1_700_000_000);

impl Bench {
    pub fn new(open: Open) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        Self { folder, open, store }
    }

    /// The same mail as another process has it.
    pub fn another(&self) -> Box<dyn Store> {
        (self.open)(self.folder.path())
    }

    pub fn write<T>(&self, change: impl FnOnce(&mut dyn Writer) -> Result<T>) -> T {
        let mut writer = self.store.write(Durability::Full).unwrap();
        let done = change(&mut *writer).unwrap();
        writer.commit().unwrap();
        done
    }

    /// What it answers; a change that went through with it is not kept.
    pub fn refused<T>(&self, change: impl FnOnce(&mut dyn Writer) -> Result<T>) -> crate::Code {
        let mut writer = self.store.write(Durability::Full).unwrap();
        let Err(error) = change(&mut *writer) else { panic!("it was not refused") };
        error.code()
    }

    pub fn read<T>(&self, ask: impl FnOnce(&dyn Reader) -> Result<T>) -> T {
        ask(&*self.store.read().unwrap()).unwrap()
    }

    /// A mailbox with no account behind it.
    pub fn own(&self, name: &str) -> MailboxId {
        self.write(|writer| change::create(writer, name, (Some('/'), None), NOW))
    }

    /// A mailbox that mirrors one of the account, with UIDVALIDITY 7.
    pub fn mirror(&self, name: &str) -> MailboxId {
        self.write(|writer| {
            let account = Account { address: "ada@x".to_owned(), settings: "{}".to_owned(), identity: None };
            writer.set_account(&account)?;
            let id = arrive::listed(writer, None, &listed(name), NOW)?;
            arrive::advance(writer, id, |remote| remote.uid_validity = 7, NOW)?;
            Ok(id)
        })
    }

    /// Messages of the server under these UIDs, numbered and visible.
    pub fn arrive(&self, mailbox: MailboxId, uids: impl IntoIterator<Item = u32>) {
        let rows: Vec<_> = uids.into_iter().map(|uid| arrived(uid, "")).collect();
        self.write(|writer| {
            arrive::reserve(writer, mailbox, &rows.iter().map(|row| row.uid).collect(), NOW)?;
            arrive::headers(writer, mailbox, &rows, NOW)
        });
    }

    /// A message with a body in a mailbox; its UID.
    pub fn append(&self, mailbox: MailboxId, subject: &str) -> u32 {
        let content = Bytes::from(format!("Subject: {subject}\r\nMessage-ID: <{subject}@x>\r\n\r\ntext"));
        let header = content.slice(..content.len() - 4);
        let new = NewMessage {
            size: content.len() as u64,
            internal_date: InternalDate { seconds: 5, offset: 60 },
            digest: Some(derive::digest(&header, content.len() as u64, InternalDate { seconds: 5, offset: 60 })),
            email_id: None,
            links: derive::links(&header),
            headers: Headers { header: header.clone(), ..Headers::default() },
        };
        self.write(|writer| {
            let body = body::put(writer, &content, &header, NOW)?;
            change::append(writer, mailbox, (&new, body), Flags::new(), NOW)
        })
    }

    pub fn uids(&self, mailbox: MailboxId) -> String {
        self.read(|reader| Ok(reader.uids(mailbox)?.to_string()))
    }

    pub fn placement(&self, mailbox: MailboxId, uid: u32) -> PlacementRow {
        self.read(|reader| reader.placement(mailbox, uid)).unwrap()
    }

    /// What is pending, as people read it.
    pub fn pending(&self) -> Vec<String> {
        self.read(|reader| Ok(reader.pending()?.iter().map(|entry| entry.intent.to_string()).collect()))
    }

    /// Nothing in it contradicts the rest.
    pub fn is_sound(&self) {
        assert_eq!(self.store.check().unwrap(), [""; 0]);
    }
}

pub(super) fn listed(name: &str) -> arrive::Listed {
    let name = MailboxName::new(name, false);
    arrive::Listed { name, delimiter: Some('/'), role: None, attributes: Vec::new(), object_id: None }
}

pub(super) fn arrived(uid: u32, words: &str) -> arrive::Arrived {
    let header = Bytes::from(format!("Subject: {uid}\r\nMessage-ID: <{uid}@x>\r\nReferences: <root@x>\r\n\r\n"));
    arrive::Arrived {
        uid,
        flags: flags(words),
        size: 100 + u64::from(uid),
        internal_date: InternalDate { seconds: i64::from(uid), offset: 0 },
        headers: Headers { header, envelope: Bytes::from_static(b"(NIL)"), body_structure: Bytes::new() },
        email_id: None,
        save_date: None,
        same_as: None,
    }
}

pub(super) fn flags(words: &str) -> Flags {
    words.split_whitespace().map(|word| Flag::from_server(word.as_bytes())).collect()
}

pub(super) fn set(text: &str) -> UidSet {
    if text.is_empty() { UidSet::new() } else { text.parse().unwrap() }
}

/// Every promise as a test of its own.
macro_rules! store_suite {
    ($open:path) => {
        $crate::store::suite::store_suite! { $open =>
            transactions: a_reader_is_a_snapshot, an_uncommitted_change_never_was, a_failure_spoils_its_transaction,
            a_part_is_undone_alone,
                writers_wait_for_each_other, ids_are_never_given_twice, what_was_committed_is_there_after_opening_again,
                a_store_keeps_its_id, the_version_tells_of_every_commit, a_lease_has_one_holder_and_a_late_one_is_fenced;
            rows: mailboxes_are_kept_whole, names_are_taken_by_those_that_are_there,
                a_uid_validity_never_comes_back, placements_are_found_by_both_numbers, lists_go_both_ways_in_pages,
                messages_are_found_by_what_they_are_known_by, headers_are_kept_as_they_came,
                what_is_sent_is_kept_with_its_recipients, users_and_what_is_theirs, passwords_for_one_program_each,
                the_keywords_of_a_mailbox, rules_notes_and_metadata,
                a_part_goes_with_the_last_that_has_it, tombstones_and_what_the_retention_takes,
                wanted_bodies_come_newest_first;
            changes: flags_change_here_and_stand_in_the_journal, flag_changes_merge, a_move_is_one_thing,
                a_message_that_comes_back_has_its_number_again, a_copy_stands_beside_its_original,
                a_copy_is_made_before_its_original_goes, a_message_leaves_a_mailbox_before_that_goes,
                a_deletion_leaves_a_tombstone_and_restorable_content, an_append_waits_for_the_server,
                nothing_is_written_into_the_journal_without_an_account,
                a_message_without_its_body_does_not_leave_the_server,
                mailboxes_are_made_renamed_and_removed, inbox_stays, every_change_has_a_mod_seq_of_its_own;
            arrivals: uids_are_reserved_in_order_before_anything_is_seen, headers_make_messages_visible_once,
                flags_come_to_what_both_sides_agree_on, what_vanished_leaves_a_tombstone,
                what_was_placed_twice_is_one_again, a_message_told_falsely_at_first_arrives_anew_with_what_was_changed,
                a_reset_keeps_messages_and_forgets_numbers,
                a_message_moved_by_others_keeps_its_body, a_body_is_there_whole_with_its_true_size,
                a_listing_adds_renames_and_never_takes_a_name_away, a_mailbox_is_ready_when_nothing_is_reserved,
                a_pause_is_said_and_ended, subscriptions_are_the_servers_unless_a_change_waits;
            feed: the_feed_tells_everything_once_and_in_order, a_cursor_outlives_its_retention_with_an_error,
                a_cursor_of_another_store_is_refused, a_consumer_can_rebuild_the_state;
            upkeep: what_was_deleted_goes_for_good_after_its_days,
                what_is_let_go_gives_its_room_back_and_can_be_had_again,
                the_oldest_go_first_and_only_as_many_as_needed, rules_say_what_is_kept,
                a_dictionary_makes_what_is_stored_smaller_and_stays_readable;
        }
    };
    ($open:path => $($file:ident: $($name:ident),*;)*) => {
        $(mod $file {
            $(#[test]
            fn $name() {
                $crate::store::suite::$file::$name(&$crate::store::suite::Bench::new($open));
            })*
        })*
    };
}
pub(super) use store_suite;
