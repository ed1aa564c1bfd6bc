//! The local store: one account's mail, or mail with no account behind it, on this machine.
//!
//! A store is shaped like IMAP (decision 6 of the architecture): mailboxes have a UIDVALIDITY, UIDs and MODSEQs of
//! their own, a message is placed in them, and what is placed there is mirrored from a remote mailbox or not. The
//! traits here are primitive: one row in, one row out. What is composed of several rows stands above them once, and so
//! is the same over every backend:
//!
//! - [`change`]: what is done here; row, journal entry and feed entry in one transaction;
//! - [`arrive`]: what the server said; row, feed entry and cursor in one transaction;
//! - [`feed`], [`lease`], [`body`]: the change feed, who may sync, and contents as streams;
//! - [`Handle`]: all of it from async code.
//!
//! # Promises
//!
//! `suite.rs` holds each of them as a test, and every backend passes it.
//!
//! 1. **A [`Reader`] is a snapshot.** What it sees does not change while it lives, whatever others commit.
//! 2. **A [`Writer`] is one transaction.** There is one at a time over all processes; it sees what it has written;
//!    dropped without [`Writer::commit`], nothing of it has happened. After a crash at any moment the store is as some
//!    commit left it.
//! 3. **A commit is durable** when it returns, if it was opened with [`Durability::Full`]; with
//!    [`Durability::Bulk`] the last commits may be forgotten after a power loss, in order and each as a whole, and
//!    never after a crash of the process alone. A `Full` commit makes all earlier ones durable too.
//! 4. **Ids and UIDs are never given twice**, also not after a deletion.
//! 5. **A message is visible** once its placement has a message: flags, header, ENVELOPE, BODYSTRUCTURE and size come
//!    with it. A body is there whole and verified, or not at all.
//! 6. **Every MODSEQ of a mailbox is larger than all it gave before.** A change of a placement has one of its own.
//! 7. **The feed has no gaps**: numbers grow in the order of commits, so that whoever has seen number *n* has seen all
//!    below. What the retention has taken is [`Code::CursorExpired`], never a silent gap.
//! 8. **A failure is an error**: a damaged row, a full disk, a lock that does not come. Never an empty result.
//! 9. **Nothing secret is written**: no password, no token.
//!
//! [`Code::CursorExpired`]: crate::Code::CursorExpired

pub mod arrive;
pub mod body;
pub mod change;
mod codec;
pub mod derive;
mod describe;
pub mod dictionary;
pub mod feed;
mod flags;
mod handle;
mod incoming;
pub mod lease;
mod partial;
mod place;
pub mod search;
mod source;
mod sqlite;
#[cfg(test)]
mod suite;
pub mod threads;
mod types;
pub mod upkeep;

pub use codec::Kind;
pub use describe::describe;
pub(crate) use describe::described;
pub use flags::Flags;
pub use handle::{Changes, Handle};
pub(crate) use incoming::{Incoming, Received, SMALL};
pub(crate) use partial::{Partial, Stretch};
pub use source::{BodySource, Fetched};
pub use sqlite::{Fault, Repaired, SqliteOptions, SqliteStore};
pub use types::*;

use crate::error::Result;
use crate::imap::UidSet;
use crate::index::SegmentData;
use crate::journal::{Digest, Entry, Intent};
use std::path::Path;
use std::sync::Arc;

/// The largest chunk of a content, in bytes before compression.
pub const CHUNK: usize = 256 << 10;

/// How soon a commit has to be on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Durability {
    /// When [`Writer::commit`] returns. For local changes and for every step of journal and outbox.
    Full,
    /// Some time after. For what can be downloaded again.
    Bulk,
}

/// A place where mail is kept. See the [promises](self#promises).
///
/// All calls block; async code uses [`Handle`]. Errors of every call: `store.io`, `store.full`, `store.damaged`,
/// `store.locked` (somebody else is writing for too long), `store.read_only`.
pub trait Store: Send + Sync {
    /// What tells this store from every other.
    fn id(&self) -> &StoreId;

    /// A snapshot of now.
    fn read(&self) -> Result<Box<dyn Reader + '_>>;

    /// The transaction. Waits for the one that is open, in this process or another.
    fn write(&self, durability: Durability) -> Result<Box<dyn Writer + '_>>;

    /// A number that is another one whenever anybody, in this process or another, has committed since. Cheap enough to
    /// be asked many times a second.
    fn version(&self) -> Result<u64>;

    /// What it takes.
    fn usage(&self) -> Result<Usage>;

    /// Gives free room back to the disk, at most about `bytes` of it in one short transaction; how much was given back.
    /// 0 when there is nothing more to give.
    fn shrink(&self, bytes: u64) -> Result<u64>;

    /// A whole copy as of now, at a path where nothing is yet, readable by its owner only. Others go on meanwhile.
    fn backup(&self, path: &Path) -> Result<()>;

    /// Reads everything and says what is wrong, a sentence each; nothing for a sound store.
    fn check(&self) -> Result<Vec<String>>;
}

/// What can be asked of a snapshot. Rows come in the order of their ids or UIDs unless said otherwise.
pub trait Reader {
    /// The account that is mirrored; `None` for mail with no account behind it.
    fn account(&self) -> Result<Option<Account>>;

    /// All mailboxes, those that are gone excepted, by name.
    fn mailboxes(&self) -> Result<Vec<MailboxRow>>;
    /// A mailbox, also one that is gone.
    fn mailbox(&self, id: MailboxId) -> Result<Option<MailboxRow>>;
    /// The mailbox of that name that is not gone.
    fn mailbox_named(&self, name: &str) -> Result<Option<MailboxRow>>;
    /// The mailbox that mirrors the remote one of that name (as it travels) and is not gone.
    fn mailbox_mirroring(&self, remote: &[u8]) -> Result<Option<MailboxRow>>;
    /// How much is in a mailbox.
    fn counts(&self, mailbox: MailboxId) -> Result<Counts>;

    /// Which messages have the system flags. A store may remember it by the MODSEQ of the mailbox, which every change of
    /// a placement raises.
    fn flag_sets(&self, mailbox: MailboxId) -> Result<Arc<FlagSets>>;
    /// The same where a store remembers enough of it for a quick answer.
    fn flag_sets_at_hand(&self, mailbox: MailboxId) -> Result<Option<Arc<FlagSets>>>;

    /// A placement by our UID, reserved ones included.
    fn placement(&self, mailbox: MailboxId, uid: u32) -> Result<Option<PlacementRow>>;
    /// A placement by the server's UID, reserved ones included.
    fn placement_by_remote(&self, mailbox: MailboxId, remote_uid: u32) -> Result<Option<PlacementRow>>;
    /// Placements of those of our UIDs that there are, reserved ones included.
    fn placements(&self, mailbox: MailboxId, uids: &UidSet) -> Result<Vec<PlacementRow>>;
    /// Visible placements of those of our UIDs, with what `parts` says of their messages: for lists, and for whoever looks
    /// at many.
    fn shown(&self, mailbox: MailboxId, uids: &UidSet, parts: ShownParts) -> Result<Vec<ShownRow>>;
    /// Where a message is.
    fn placements_of(&self, message: MessageId) -> Result<Vec<PlacementRow>>;
    /// Visible placements whose MODSEQ is above `mod_seq`, by MODSEQ.
    fn changed_since(&self, mailbox: MailboxId, mod_seq: u64) -> Result<Vec<PlacementRow>>;
    /// Tombstones whose MODSEQ is above `mod_seq`, by MODSEQ. Complete only from [`MailboxRow::tombstones_from`] on.
    fn tombstones(&self, mailbox: MailboxId, mod_seq: u64) -> Result<Vec<Tombstone>>;
    /// Our UIDs of visible messages.
    fn uids(&self, mailbox: MailboxId) -> Result<UidSet>;
    /// The keywords of the messages of a mailbox, those excepted that have a bit ([`Flags::bits`]).
    fn keywords(&self, mailbox: MailboxId) -> Result<Flags>;
    /// The server's UIDs of all placements that have one, reserved ones included.
    fn remote_uids(&self, mailbox: MailboxId) -> Result<UidSet>;
    /// The server's UIDs of placements that are only reserved.
    fn reserved(&self, mailbox: MailboxId) -> Result<UidSet>;
    /// A piece of the list of visible messages.
    fn list(&self, mailbox: MailboxId, page: Page) -> Result<Vec<ListRow>>;
    /// Visible messages without a body that have a remote UID and no [`MessageRow::problem`], newest UID first, below
    /// our UID `before` where that is given; at most `limit`.
    fn without_body(&self, mailbox: MailboxId, before: Option<u32>, limit: usize) -> Result<Vec<Wanted>>;

    /// A message.
    fn message(&self, id: MessageId) -> Result<Option<MessageRow>>;
    /// Its header, ENVELOPE and BODYSTRUCTURE; `None` where there is no such message.
    fn headers(&self, id: MessageId) -> Result<Option<Headers>>;
    /// Messages that have or refer to a Message-ID (angle brackets taken off). Found by hash: compare where it matters.
    fn linked(&self, message_id: &str) -> Result<Vec<(MessageId, LinkKind)>>;
    /// Messages with that content.
    fn messages_by_content(&self, hash: &ContentHash) -> Result<Vec<MessageId>>;
    /// Messages with that digest.
    fn messages_by_digest(&self, digest: &Digest) -> Result<Vec<MessageId>>;
    /// Messages with that EMAILID or X-GM-MSGID of the server.
    fn messages_by_email_id(&self, email_id: &str) -> Result<Vec<MessageId>>;
    /// Messages above `after` that are placed nowhere, at most `limit`: restorable, or to be purged.
    fn deleted(&self, after: MessageId, limit: usize) -> Result<Vec<MessageRow>>;
    /// Tombstones of a message: where it was, by the time at which it left.
    fn tombstones_of(&self, message: MessageId) -> Result<Vec<Tombstone>>;

    /// Contents of that hash, parts of others included.
    fn bodies_by_hash(&self, hash: &ContentHash) -> Result<Vec<BodyId>>;
    /// A content.
    fn body(&self, id: BodyId) -> Result<Option<BodyRow>>;
    /// What is being staged under a hash that [`Writer::update_staged`] has set; no hash of a content.
    fn staged(&self, hash: &ContentHash) -> Result<Option<BodyRow>>;
    /// A chunk of a content, as it was given. Missing is `store.damaged`.
    fn chunk(&self, body: BodyId, number: u32) -> Result<Vec<u8>>;
    /// Compresses a chunk of a content, at most [`CHUNK`] bytes, as it would be stored now. The costly part of writing it,
    /// which so need not happen inside the transaction.
    fn pack(&self, content: &[u8]) -> Result<Frame>;
    /// What is in such a frame.
    fn unpack(&self, frame: &Frame) -> Result<Vec<u8>>;
    /// The same as [`Reader::pack`] for the headers of a message.
    fn pack_headers(&self, headers: &Headers) -> Result<Frame>;
    /// The headers in such a frame, or in one of [`Reader::shown`].
    fn unpack_headers(&self, frame: &Frame) -> Result<Headers>;
    /// How many dictionaries there are for that kind.
    fn dictionaries(&self, kind: Kind) -> Result<usize>;
    /// How many of that kind are stored: headers, or contents.
    fn stored(&self, kind: Kind) -> Result<u64>;
    /// About `count` of that kind as they were before compression, from all over the store; of contents only short
    /// ones. For training a dictionary.
    fn samples(&self, kind: Kind, count: usize) -> Result<Vec<Vec<u8>>>;

    /// An entry of the journal.
    fn intent(&self, id: IntentId) -> Result<Option<Entry>>;
    /// Entries that are not over, parked ones included, in their order.
    fn pending(&self) -> Result<Vec<Entry>>;
    /// Entries that are not over about a message of that remote mailbox (its name as it travels) and UIDVALIDITY.
    fn pending_in(&self, remote: &[u8], uid_validity: u32) -> Result<Vec<Entry>>;
    /// Entries that are not over and begin or arrive at that placement (our UID).
    fn pending_at(&self, mailbox: MailboxId, uid: u32) -> Result<Vec<Entry>>;

    /// A message to be sent.
    fn outbox(&self, id: OutboxId) -> Result<Option<OutboxRow>>;
    /// The message that was queued with that key.
    fn outbox_by_key(&self, key: &str) -> Result<Option<OutboxRow>>;
    /// Messages to be sent that are not over, in their order.
    fn outbox_open(&self) -> Result<Vec<OutboxRow>>;
    /// Messages that were over before `at` (seconds since 1970), the first `limit` of them.
    fn outbox_over(&self, at: i64, limit: usize) -> Result<Vec<OutboxId>>;
    /// What has become of the recipients of one.
    fn recipients(&self, id: OutboxId) -> Result<Vec<RecipientRow>>;

    /// Entries of the feed above `after`, at most `limit`. Use [`feed::since`], which knows the retention.
    fn feed(&self, after: u64, limit: usize) -> Result<Vec<FeedRow>>;
    /// The number below which the retention has taken entries, and the newest number; both 0 at the beginning.
    fn feed_bounds(&self) -> Result<(u64, u64)>;

    /// What is kept of a mailbox: its own rule, else the rule for all (`None`), else the default.
    fn keep(&self, mailbox: Option<MailboxId>) -> Result<KeepRule>;
    /// A lease, whether it still lasts or not.
    fn lease(&self, name: &str) -> Result<Option<Lease>>;

    /// A user.
    fn user(&self, name: &str) -> Result<Option<User>>;
    /// All users, by name.
    fn users(&self) -> Result<Vec<User>>;
    /// A number that every change of users and of their passwords raises.
    fn users_version(&self) -> Result<u64>;
    /// A user's password for one program.
    fn app_password(&self, user: UserId, label: &str) -> Result<Option<AppPassword>>;
    /// All of a user's, by label.
    fn app_passwords(&self, user: UserId) -> Result<Vec<AppPassword>>;
    /// A user's own flags of a message, where the mailbox has such.
    fn user_flags(&self, user: UserId, mailbox: MailboxId, uid: u32) -> Result<Option<Flags>>;
    /// Rights on a mailbox.
    fn rights(&self, mailbox: MailboxId) -> Result<Vec<Right>>;
    /// Names subscribed to, whether there is such a mailbox or not (RFC 9051 section 6.3.7); `None` is the account's own.
    fn subscriptions(&self, user: Option<UserId>) -> Result<Vec<String>>;
    /// Metadata of a mailbox, or of the server.
    fn metadata(&self, mailbox: Option<MailboxId>) -> Result<Vec<Metadata>>;
    /// A value that some room keeps for itself under a name of its own.
    fn note(&self, name: &str) -> Result<Option<Vec<u8>>>;

    /// The thread of some message that has or names that Message-ID (angle brackets taken off).
    fn thread_of_id(&self, message_id: &str) -> Result<Option<ThreadId>>;
    /// The messages of a thread.
    fn thread(&self, id: ThreadId) -> Result<Vec<MessageId>>;
    /// Calls `each` with the visible placements of a mailbox, by UID, until it returns `false`; only with those whose
    /// message `is_wanted`.
    fn walk(
        &self,
        walk: &Walk,
        is_wanted: &dyn Fn(MessageId) -> bool,
        each: &mut dyn FnMut(SearchRow) -> Result<bool>,
    ) -> Result<()>;
    /// Calls `each` with messages received at `from` or later and before `until`, by that moment, until it returns
    /// `false`. Also with messages that are placed nowhere.
    fn walk_dates(
        &self,
        window: (i64, i64),
        newest_first: bool,
        each: &mut dyn FnMut(MessageId) -> Result<bool>,
    ) -> Result<()>;
    /// Messages of that many bytes or more, and of fewer than the second number.
    fn sized(&self, sizes: (u64, u64)) -> Result<Vec<MessageId>>;
    /// Where a message is visible.
    fn search_rows(&self, message: MessageId) -> Result<Vec<SearchRow>>;
    /// What a search asks of a message; `None` where there is no such message.
    fn search_facts(&self, message: MessageId) -> Result<Option<SearchFacts>>;
    /// The segments of the index of words.
    fn segments(&self) -> Result<Vec<SegmentRow>>;
    /// The head of a segment.
    fn segment_head(&self, id: SegmentId) -> Result<Vec<u8>>;
    /// The words of a block; missing is `store.damaged`.
    fn segment_words(&self, id: SegmentId, block: u32) -> Result<Vec<u8>>;
    /// The postings of a block; missing is `store.damaged`.
    fn segment_postings(&self, id: SegmentId, block: u32) -> Result<Vec<u8>>;
    /// Messages whose header or text is not in the index yet, above `after`, at most `limit`.
    fn unindexed(&self, after: MessageId, limit: usize) -> Result<Vec<MessageId>>;
    /// Messages of which the index holds something that is no longer so; those that were deleted too.
    fn stale(&self) -> Result<Vec<MessageId>>;
}

/// What can be done in a transaction. An update of what is not there is an error (`internal`): these are primitives,
/// and whoever composes them has looked before.
pub trait Writer: Reader {
    /// Makes all of it happen. Where it fails, nothing has happened.
    fn commit(self: Box<Self>) -> Result<()>;
    /// Begins a part that can be undone by itself. Parts do not stand in each other.
    fn begin_part(&mut self) -> Result<()>;
    /// Ends the part: it is kept, or as if it had never been, and the transaction goes on; whether it is kept, which it is
    /// not where something in it failed. An error where the transaction is lost.
    fn end_part(&mut self, keep: bool) -> Result<bool>;

    /// Sets or changes the account.
    fn set_account(&mut self, account: &Account) -> Result<()>;

    /// Adds a mailbox; `mailbox.exists` where one of that name is not gone.
    fn insert_mailbox(&mut self, new: &NewMailbox) -> Result<MailboxId>;
    /// Writes all of a mailbox but its id; `mailbox.exists` where it would have the name of another.
    fn update_mailbox(&mut self, row: &MailboxRow) -> Result<()>;

    /// Writes how far the numbers of a mailbox have come, and nothing else of it.
    fn advance_mailbox(&mut self, id: MailboxId, uid_next: u32, mod_seq: u64) -> Result<()>;

    /// Adds a message, placed nowhere yet, whose headers were made ready by [`Reader::pack_headers`].
    fn insert_packed(&mut self, new: &NewMessage, headers: &Frame) -> Result<MessageId>;
    /// Adds a message, placed nowhere yet.
    fn insert_message(&mut self, new: &NewMessage) -> Result<MessageId> {
        let headers = self.pack_headers(&new.headers)?;
        self.insert_packed(new, &headers)
    }
    /// Writes all of a message but its id, its headers and its content.
    fn update_message(&mut self, row: &MessageRow) -> Result<()>;
    /// Writes other headers for a message.
    fn set_headers(&mut self, id: MessageId, headers: &Headers, links: &[Link]) -> Result<()>;
    /// Takes a message away that is placed nowhere, with its headers, and its content where no other has it.
    fn delete_message(&mut self, id: MessageId) -> Result<()>;

    /// Adds a placement. Our UID or the server's taken already is `internal`.
    fn insert_placement(&mut self, row: &PlacementRow) -> Result<()>;
    /// Writes all of a placement but its mailbox and UID.
    fn update_placement(&mut self, row: &PlacementRow) -> Result<()>;
    /// Takes a placement away. The caller writes the tombstone.
    fn delete_placement(&mut self, mailbox: MailboxId, uid: u32) -> Result<()>;
    /// Adds a tombstone.
    fn insert_tombstone(&mut self, tombstone: &Tombstone) -> Result<()>;
    /// Takes tombstones from before `at` (seconds since 1970) away, and moves [`MailboxRow::tombstones_from`] up.
    fn prune_tombstones(&mut self, at: i64) -> Result<u64>;

    /// A content that is going to be written, and that no reader sees yet.
    fn stage_body(&mut self, now: i64) -> Result<BodyId>;
    /// Writes a chunk of a content that is being staged, made by [`Reader::pack`].
    fn put_chunk(&mut self, body: BodyId, number: u32, frame: &Frame) -> Result<()>;
    /// Writes hash, size, chunks and stored bytes of a content that is being staged, so that it can be found again
    /// ([`Reader::staged`]). For [`Writer::drop_staged`] it begins `now`.
    fn update_staged(&mut self, row: &BodyRow, now: i64) -> Result<()>;
    /// Makes a staged content visible. Its parts are published already.
    fn publish_body(&mut self, row: &BodyRow) -> Result<()>;
    /// Gives a message its content, or takes it away (the content goes when nobody has it any more, and so do its parts).
    fn set_body(&mut self, message: MessageId, body: Option<BodyId>) -> Result<()>;
    /// Takes a content away, staged or published, that nobody has, and those of its parts that nobody else has. One that
    /// somebody has, as a content or a part, is `internal`.
    fn delete_body(&mut self, id: BodyId) -> Result<()>;
    /// Takes contents away whose staging began before `at` (seconds since 1970) and was never ended; how many.
    fn drop_staged(&mut self, at: i64) -> Result<u64>;
    /// Adds a dictionary; what is written of that kind from now on uses it. One of the same number already there is
    /// `internal`.
    fn insert_dictionary(&mut self, kind: Kind, bytes: &[u8]) -> Result<()>;
    /// Compresses anew what is stored of that kind, with the newest dictionary: at most `limit` rows after the place
    /// that the last call gave, from 0 on. The next place; `None` at the end.
    fn repack(&mut self, kind: Kind, after: i64, limit: usize) -> Result<Option<i64>>;

    /// Adds an entry to the journal, `waiting`; `created` in seconds since 1970.
    fn insert_intent(&mut self, intent: &Intent, created: i64) -> Result<IntentId>;
    /// Writes all of an entry but its id and when it was made; `now` in seconds since 1970.
    fn update_intent(&mut self, entry: &Entry, now: i64) -> Result<()>;
    /// Takes entries away that were over before `at` (seconds since 1970); how many.
    fn prune_intents(&mut self, at: i64) -> Result<u64>;

    /// Queues a message to be sent, `queued`, with its recipients `waiting`. A key that is there already is `internal`.
    fn insert_outbox(&mut self, new: &NewOutbox, not_before: i64) -> Result<OutboxId>;
    /// Writes all that can change of a message to be sent.
    fn update_outbox(&mut self, row: &OutboxRow) -> Result<()>;
    /// Writes what has become of a recipient.
    fn update_recipient(&mut self, row: &RecipientRow) -> Result<()>;
    /// Takes a message to be sent away, and its content.
    fn delete_outbox(&mut self, id: OutboxId) -> Result<()>;

    /// Adds an entry to the feed; its number.
    fn insert_feed(&mut self, at: i64, change: &Change) -> Result<u64>;
    /// Takes entries of the feed away that were made before `at` (seconds since 1970); how many.
    fn prune_feed(&mut self, at: i64) -> Result<u64>;

    /// Sets what is kept of a mailbox, or of all without a rule of their own; `None` takes the rule away.
    fn set_keep(&mut self, mailbox: Option<MailboxId>, rule: Option<KeepRule>) -> Result<()>;
    /// Writes a lease. Use [`lease`].
    fn set_lease(&mut self, lease: &Lease) -> Result<()>;

    /// Adds a user; the name taken already is `usage.argument`.
    fn insert_user(&mut self, name: &str, verifier: Option<&Verifier>) -> Result<UserId>;
    /// Writes all of a user but the id.
    fn update_user(&mut self, user: &User) -> Result<()>;
    /// Takes a user away, with the passwords, flags, subscriptions and metadata that are only his.
    fn delete_user(&mut self, id: UserId) -> Result<()>;
    /// Adds a password for one program; the label taken already is `usage.argument`.
    fn insert_app_password(&mut self, password: &AppPassword) -> Result<()>;
    /// Takes one away; whether there was one.
    fn delete_app_password(&mut self, user: UserId, label: &str) -> Result<bool>;
    /// Sets a user's own flags of a message; `None` takes them away.
    fn set_user_flags(&mut self, user: UserId, mailbox: MailboxId, uid: u32, flags: Option<&Flags>) -> Result<()>;
    /// Sets a right; empty rights take it away.
    fn set_right(&mut self, right: &Right) -> Result<()>;
    /// Subscribes or unsubscribes.
    fn set_subscription(&mut self, user: Option<UserId>, name: &str, subscribed: bool) -> Result<()>;
    /// Sets a piece of metadata; an empty value takes it away.
    fn set_metadata(&mut self, metadata: &Metadata) -> Result<()>;
    /// Keeps a value for a room under a name of its own; `None` takes it away.
    fn set_note(&mut self, name: &str, value: Option<&[u8]>) -> Result<()>;

    /// Puts a message into a thread. Use `threads`.
    fn set_thread(&mut self, message: MessageId, thread: ThreadId) -> Result<()>;
    /// Puts all messages of one thread into another. Use `threads`.
    fn merge_thread(&mut self, from: ThreadId, into: ThreadId) -> Result<()>;
    /// Adds a segment to the index of words.
    fn insert_segment(&mut self, segment: &SegmentData) -> Result<SegmentId>;
    /// Takes a segment away.
    fn delete_segment(&mut self, id: SegmentId) -> Result<()>;
    /// Says that the index holds a message as it is now.
    fn set_indexed(&mut self, message: MessageId) -> Result<()>;
    /// Says that the index holds no message.
    fn set_unindexed(&mut self) -> Result<()>;
    /// Says that the index holds nothing any more that is stale of a message; it stays unindexed if it is there.
    fn set_fresh(&mut self, message: MessageId) -> Result<()>;
}
