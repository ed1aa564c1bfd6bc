//! [`Reader`] over a transaction: each question is answered by the file of its subject.

use super::tx::Tx;
use super::{admin, bodies, feed, journal, mailboxes, messages, outbox, placements, search, sets};
use crate::error::Result;
use crate::imap::UidSet;
use crate::journal::{Digest, Entry};
use crate::store::*;
use std::sync::Arc;

impl Reader for Tx<'_> {
    fn account(&self) -> Result<Option<Account>> {
        admin::account(self)
    }

    fn mailboxes(&self) -> Result<Vec<MailboxRow>> {
        mailboxes::all(self)
    }

    fn mailbox(&self, id: MailboxId) -> Result<Option<MailboxRow>> {
        mailboxes::by_id(self, id)
    }

    fn mailbox_named(&self, name: &str) -> Result<Option<MailboxRow>> {
        mailboxes::by_name(self, name)
    }

    fn mailbox_mirroring(&self, remote: &[u8]) -> Result<Option<MailboxRow>> {
        mailboxes::by_remote(self, remote)
    }

    fn counts(&self, mailbox: MailboxId) -> Result<Counts> {
        mailboxes::counts(self, mailbox)
    }

    fn flag_sets(&self, mailbox: MailboxId) -> Result<Arc<FlagSets>> {
        sets::all(self, mailbox)
    }

    fn flag_sets_at_hand(&self, mailbox: MailboxId) -> Result<Option<Arc<FlagSets>>> {
        sets::at_hand(self, mailbox)
    }

    fn placement(&self, mailbox: MailboxId, uid: u32) -> Result<Option<PlacementRow>> {
        placements::by_uid(self, mailbox, uid)
    }

    fn placement_by_remote(&self, mailbox: MailboxId, remote_uid: u32) -> Result<Option<PlacementRow>> {
        placements::by_remote(self, mailbox, remote_uid)
    }

    fn placements(&self, mailbox: MailboxId, uids: &UidSet) -> Result<Vec<PlacementRow>> {
        placements::within(self, mailbox, uids)
    }

    fn shown(&self, mailbox: MailboxId, uids: &UidSet, parts: ShownParts) -> Result<Vec<ShownRow>> {
        placements::shown(self, mailbox, uids, parts)
    }

    fn placements_of(&self, message: MessageId) -> Result<Vec<PlacementRow>> {
        placements::of_message(self, message)
    }

    fn changed_since(&self, mailbox: MailboxId, mod_seq: u64) -> Result<Vec<PlacementRow>> {
        placements::changed_since(self, mailbox, mod_seq)
    }

    fn tombstones(&self, mailbox: MailboxId, mod_seq: u64) -> Result<Vec<Tombstone>> {
        placements::tombstones(self, mailbox, mod_seq)
    }

    fn uids(&self, mailbox: MailboxId) -> Result<UidSet> {
        placements::uids(self, mailbox)
    }

    fn keywords(&self, mailbox: MailboxId) -> Result<Flags> {
        placements::keywords(self, mailbox)
    }

    fn remote_uids(&self, mailbox: MailboxId) -> Result<UidSet> {
        placements::remote_uids(self, mailbox)
    }

    fn reserved(&self, mailbox: MailboxId) -> Result<UidSet> {
        placements::reserved(self, mailbox)
    }

    fn list(&self, mailbox: MailboxId, page: Page) -> Result<Vec<ListRow>> {
        placements::list(self, mailbox, page)
    }

    fn without_body(&self, mailbox: MailboxId, before: Option<u32>, limit: usize) -> Result<Vec<Wanted>> {
        placements::without_body(self, mailbox, before, limit)
    }

    fn message(&self, id: MessageId) -> Result<Option<MessageRow>> {
        messages::by_id(self, id)
    }

    fn headers(&self, id: MessageId) -> Result<Option<Headers>> {
        messages::headers(self, id)
    }

    fn linked(&self, message_id: &str) -> Result<Vec<(MessageId, LinkKind)>> {
        messages::linked(self, message_id)
    }

    fn messages_by_content(&self, hash: &ContentHash) -> Result<Vec<MessageId>> {
        messages::by_content(self, hash)
    }

    fn messages_by_digest(&self, digest: &Digest) -> Result<Vec<MessageId>> {
        messages::by_digest(self, digest)
    }

    fn messages_by_email_id(&self, email_id: &str) -> Result<Vec<MessageId>> {
        messages::by_email_id(self, email_id)
    }

    fn deleted(&self, after: MessageId, limit: usize) -> Result<Vec<MessageRow>> {
        messages::deleted(self, after, limit)
    }

    fn tombstones_of(&self, message: MessageId) -> Result<Vec<Tombstone>> {
        placements::tombstones_of(self, message)
    }

    fn bodies_by_hash(&self, hash: &ContentHash) -> Result<Vec<BodyId>> {
        bodies::by_hash(self, hash)
    }

    fn body(&self, id: BodyId) -> Result<Option<BodyRow>> {
        bodies::by_id(self, id)
    }

    fn staged(&self, hash: &ContentHash) -> Result<Option<BodyRow>> {
        bodies::staged(self, hash)
    }

    fn chunk(&self, body: BodyId, number: u32) -> Result<Vec<u8>> {
        bodies::chunk(self, body, number)
    }

    fn pack(&self, content: &[u8]) -> Result<Frame> {
        bodies::pack(self, content)
    }

    fn unpack(&self, frame: &Frame) -> Result<Vec<u8>> {
        self.decompress(frame.bytes(), CHUNK)
    }

    fn pack_headers(&self, headers: &Headers) -> Result<Frame> {
        messages::pack_headers(self, headers)
    }

    fn unpack_headers(&self, frame: &Frame) -> Result<Headers> {
        messages::unpack_headers(self, frame)
    }

    fn dictionaries(&self, kind: Kind) -> Result<usize> {
        bodies::dictionaries(self, kind)
    }

    fn stored(&self, kind: Kind) -> Result<u64> {
        bodies::stored(self, kind)
    }

    fn samples(&self, kind: Kind, count: usize) -> Result<Vec<Vec<u8>>> {
        bodies::samples(self, kind, count)
    }

    fn intent(&self, id: IntentId) -> Result<Option<Entry>> {
        journal::by_id(self, id)
    }

    fn pending(&self) -> Result<Vec<Entry>> {
        journal::pending(self)
    }

    fn pending_in(&self, remote: &[u8], uid_validity: u32) -> Result<Vec<Entry>> {
        journal::pending_in(self, remote, uid_validity)
    }

    fn pending_at(&self, mailbox: MailboxId, uid: u32) -> Result<Vec<Entry>> {
        journal::pending_at(self, mailbox, uid)
    }

    fn outbox(&self, id: OutboxId) -> Result<Option<OutboxRow>> {
        outbox::by_id(self, id)
    }

    fn outbox_by_key(&self, key: &str) -> Result<Option<OutboxRow>> {
        outbox::by_key(self, key)
    }

    fn outbox_open(&self) -> Result<Vec<OutboxRow>> {
        outbox::open(self)
    }

    fn outbox_over(&self, at: i64, limit: usize) -> Result<Vec<OutboxId>> {
        outbox::over(self, at, limit)
    }

    fn recipients(&self, id: OutboxId) -> Result<Vec<RecipientRow>> {
        outbox::recipients(self, id)
    }

    fn feed(&self, after: u64, limit: usize) -> Result<Vec<FeedRow>> {
        feed::after(self, after, limit)
    }

    fn feed_bounds(&self) -> Result<(u64, u64)> {
        feed::bounds(self)
    }

    fn keep(&self, mailbox: Option<MailboxId>) -> Result<KeepRule> {
        admin::keep(self, mailbox)
    }

    fn lease(&self, name: &str) -> Result<Option<Lease>> {
        admin::lease(self, name)
    }

    fn user(&self, name: &str) -> Result<Option<User>> {
        admin::user(self, name)
    }

    fn users(&self) -> Result<Vec<User>> {
        admin::users(self)
    }

    fn users_version(&self) -> Result<u64> {
        admin::users_version(self)
    }

    fn app_password(&self, user: UserId, label: &str) -> Result<Option<AppPassword>> {
        admin::app_password(self, user, label)
    }

    fn app_passwords(&self, user: UserId) -> Result<Vec<AppPassword>> {
        admin::app_passwords(self, user)
    }

    fn user_flags(&self, user: UserId, mailbox: MailboxId, uid: u32) -> Result<Option<Flags>> {
        admin::user_flags(self, user, mailbox, uid)
    }

    fn rights(&self, mailbox: MailboxId) -> Result<Vec<Right>> {
        admin::rights(self, mailbox)
    }

    fn subscriptions(&self, user: Option<UserId>) -> Result<Vec<String>> {
        admin::subscriptions(self, user)
    }

    fn metadata(&self, mailbox: Option<MailboxId>) -> Result<Vec<Metadata>> {
        admin::metadata(self, mailbox)
    }

    fn note(&self, name: &str) -> Result<Option<Vec<u8>>> {
        admin::note(self, name)
    }

    fn thread_of_id(&self, message_id: &str) -> Result<Option<ThreadId>> {
        messages::thread_of_id(self, message_id)
    }

    fn thread(&self, id: ThreadId) -> Result<Vec<MessageId>> {
        messages::thread(self, id)
    }

    fn walk(
        &self,
        walk: &Walk,
        is_wanted: &dyn Fn(MessageId) -> bool,
        each: &mut dyn FnMut(SearchRow) -> Result<bool>,
    ) -> Result<()> {
        search::walk(self, walk, is_wanted, each)
    }

    fn search_facts(&self, message: MessageId) -> Result<Option<SearchFacts>> {
        search::facts(self, message)
    }

    fn walk_dates(
        &self,
        window: (i64, i64),
        newest_first: bool,
        each: &mut dyn FnMut(MessageId) -> Result<bool>,
    ) -> Result<()> {
        search::walk_dates(self, window, newest_first, each)
    }

    fn sized(&self, sizes: (u64, u64)) -> Result<Vec<MessageId>> {
        search::sized(self, sizes)
    }

    fn search_rows(&self, message: MessageId) -> Result<Vec<SearchRow>> {
        search::rows(self, message)
    }

    fn segments(&self) -> Result<Vec<SegmentRow>> {
        search::segments(self)
    }

    fn segment_head(&self, id: SegmentId) -> Result<Vec<u8>> {
        search::head(self, id)
    }

    fn segment_words(&self, id: SegmentId, block: u32) -> Result<Vec<u8>> {
        search::words(self, id, block)
    }

    fn segment_postings(&self, id: SegmentId, block: u32) -> Result<Vec<u8>> {
        search::postings(self, id, block)
    }

    fn unindexed(&self, after: MessageId, limit: usize) -> Result<Vec<MessageId>> {
        search::unindexed(self, after, limit)
    }

    fn stale(&self) -> Result<Vec<MessageId>> {
        search::stale(self)
    }
}
