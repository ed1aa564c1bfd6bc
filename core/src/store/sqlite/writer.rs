//! [`Writer`] over a transaction: each write is done by the file of its subject.

use super::tx::Tx;
use super::{admin, bodies, feed, journal, mailboxes, messages, outbox, placements, search};
use crate::error::Result;
use crate::index::SegmentData;
use crate::journal::{Entry, Intent};
use crate::store::*;

impl Writer for Tx<'_> {
    fn commit(self: Box<Self>) -> Result<()> {
        Tx::commit(*self)
    }

    fn begin_part(&mut self) -> Result<()> {
        Tx::begin_part(self)
    }

    fn end_part(&mut self, keep: bool) -> Result<bool> {
        Tx::end_part(self, keep)
    }

    fn set_account(&mut self, account: &Account) -> Result<()> {
        admin::set_account(self, account)
    }

    fn insert_mailbox(&mut self, new: &NewMailbox) -> Result<MailboxId> {
        mailboxes::insert(self, new)
    }

    fn update_mailbox(&mut self, row: &MailboxRow) -> Result<()> {
        mailboxes::update(self, row)
    }

    fn advance_mailbox(&mut self, id: MailboxId, uid_next: u32, mod_seq: u64) -> Result<()> {
        mailboxes::advance(self, id, uid_next, mod_seq)
    }

    fn insert_packed(&mut self, new: &NewMessage, headers: &Frame) -> Result<MessageId> {
        messages::insert(self, new, headers)
    }

    fn update_message(&mut self, row: &MessageRow) -> Result<()> {
        messages::update(self, row)
    }

    fn set_headers(&mut self, id: MessageId, headers: &Headers, links: &[Link]) -> Result<()> {
        messages::set_headers(self, id, headers, links)
    }

    fn delete_message(&mut self, id: MessageId) -> Result<()> {
        messages::delete(self, id)
    }

    fn insert_placement(&mut self, row: &PlacementRow) -> Result<()> {
        placements::insert(self, row)
    }

    fn update_placement(&mut self, row: &PlacementRow) -> Result<()> {
        placements::update(self, row)
    }

    fn delete_placement(&mut self, mailbox: MailboxId, uid: u32) -> Result<()> {
        placements::delete(self, mailbox, uid)
    }

    fn insert_tombstone(&mut self, tombstone: &Tombstone) -> Result<()> {
        placements::insert_tombstone(self, tombstone)
    }

    fn prune_tombstones(&mut self, at: i64) -> Result<u64> {
        placements::prune_tombstones(self, at)
    }

    fn stage_body(&mut self, now: i64) -> Result<BodyId> {
        bodies::stage(self, now)
    }

    fn put_chunk(&mut self, body: BodyId, number: u32, frame: &Frame) -> Result<()> {
        bodies::put_chunk(self, body, number, frame)
    }

    fn update_staged(&mut self, row: &BodyRow, now: i64) -> Result<()> {
        bodies::update_staged(self, row, now)
    }

    fn publish_body(&mut self, row: &BodyRow) -> Result<()> {
        bodies::publish(self, row)
    }

    fn set_body(&mut self, message: MessageId, body: Option<BodyId>) -> Result<()> {
        bodies::set(self, message, body)
    }

    fn delete_body(&mut self, id: BodyId) -> Result<()> {
        bodies::delete(self, id)
    }

    fn drop_staged(&mut self, at: i64) -> Result<u64> {
        bodies::drop_staged(self, at)
    }

    fn insert_dictionary(&mut self, kind: Kind, bytes: &[u8]) -> Result<()> {
        bodies::insert_dictionary(self, kind, bytes)
    }

    fn repack(&mut self, kind: Kind, after: i64, limit: usize) -> Result<Option<i64>> {
        bodies::repack(self, kind, after, limit)
    }

    fn insert_intent(&mut self, intent: &Intent, created: i64) -> Result<IntentId> {
        journal::insert(self, intent, created)
    }

    fn update_intent(&mut self, entry: &Entry, now: i64) -> Result<()> {
        journal::update(self, entry, now)
    }

    fn prune_intents(&mut self, at: i64) -> Result<u64> {
        journal::prune(self, at)
    }

    fn insert_outbox(&mut self, new: &NewOutbox, not_before: i64) -> Result<OutboxId> {
        outbox::insert(self, new, not_before)
    }

    fn update_outbox(&mut self, row: &OutboxRow) -> Result<()> {
        outbox::update(self, row)
    }

    fn update_recipient(&mut self, row: &RecipientRow) -> Result<()> {
        outbox::update_recipient(self, row)
    }

    fn delete_outbox(&mut self, id: OutboxId) -> Result<()> {
        outbox::delete(self, id)
    }

    fn insert_feed(&mut self, at: i64, change: &Change) -> Result<u64> {
        feed::insert(self, at, change)
    }

    fn prune_feed(&mut self, at: i64) -> Result<u64> {
        feed::prune(self, at)
    }

    fn set_keep(&mut self, mailbox: Option<MailboxId>, rule: Option<KeepRule>) -> Result<()> {
        admin::set_keep(self, mailbox, rule)
    }

    fn set_lease(&mut self, lease: &Lease) -> Result<()> {
        admin::set_lease(self, lease)
    }

    fn insert_user(&mut self, name: &str, verifier: Option<&Verifier>) -> Result<UserId> {
        admin::insert_user(self, name, verifier)
    }

    fn update_user(&mut self, user: &User) -> Result<()> {
        admin::update_user(self, user)
    }

    fn delete_user(&mut self, id: UserId) -> Result<()> {
        admin::delete_user(self, id)
    }

    fn insert_app_password(&mut self, password: &AppPassword) -> Result<()> {
        admin::insert_app_password(self, password)
    }

    fn delete_app_password(&mut self, user: UserId, label: &str) -> Result<bool> {
        admin::delete_app_password(self, user, label)
    }

    fn set_user_flags(&mut self, user: UserId, mailbox: MailboxId, uid: u32, flags: Option<&Flags>) -> Result<()> {
        admin::set_user_flags(self, user, (mailbox, uid), flags)
    }

    fn set_right(&mut self, right: &Right) -> Result<()> {
        admin::set_right(self, right)
    }

    fn set_subscription(&mut self, user: Option<UserId>, name: &str, subscribed: bool) -> Result<()> {
        admin::set_subscription(self, user, name, subscribed)
    }

    fn set_metadata(&mut self, metadata: &Metadata) -> Result<()> {
        admin::set_metadata(self, metadata)
    }

    fn set_note(&mut self, name: &str, value: Option<&[u8]>) -> Result<()> {
        admin::set_note(self, name, value)
    }

    fn set_thread(&mut self, message: MessageId, thread: ThreadId) -> Result<()> {
        messages::set_thread(self, message, thread)
    }

    fn merge_thread(&mut self, from: ThreadId, into: ThreadId) -> Result<()> {
        messages::merge_thread(self, from, into)
    }

    fn insert_segment(&mut self, segment: &SegmentData) -> Result<SegmentId> {
        search::insert_segment(self, segment)
    }

    fn delete_segment(&mut self, id: SegmentId) -> Result<()> {
        search::delete_segment(self, id)
    }

    fn set_indexed(&mut self, message: MessageId) -> Result<()> {
        search::set_indexed(self, message)
    }

    fn set_unindexed(&mut self) -> Result<()> {
        search::set_unindexed(self)
    }

    fn set_fresh(&mut self, message: MessageId) -> Result<()> {
        search::set_fresh(self, message)
    }
}
