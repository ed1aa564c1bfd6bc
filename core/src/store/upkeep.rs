//! What keeps a store small: the retention of what is gone, and letting bodies go that can be had again.
//!
//! All of it in short transactions, so that nobody else waits long.

use super::{BodyId, Change, Durability, MailboxId, MessageId, MessageRow, Now, Page, Reader, Store, Wanted, Writer};
use crate::error::Result;
use std::collections::BTreeMap;

/// Messages that are handled in one transaction.
const BATCH: usize = 200;
/// How much is given back to the disk in one transaction, in bytes.
const STEP: u64 = 8 << 20;

/// How long what is gone is remembered, in days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Contents of deleted messages. 30 (decision 5).
    pub contents: u32,
    /// Entries of the change feed: an older cursor is `cursor.expired`. 30.
    pub feed: u32,
    /// Tombstones: a client that was away for longer compares everything. 90.
    pub tombstones: u32,
    /// Entries of the journal that are over. 30.
    pub journal: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { contents: 30, feed: 30, tombstones: 90, journal: 30 }
    }
}

/// Takes away what the retention no longer holds, and contents whose staging was never ended; how many messages were
/// taken away for good. To be called once a day or so.
pub fn tidy(store: &dyn Store, retention: &Retention, now: Now) -> Result<u64> {
    let before = |days: u32| now.seconds().saturating_sub(i64::from(days) * 86_400);
    let mut writer = store.write(Durability::Bulk)?;
    writer.prune_feed(before(retention.feed))?;
    writer.prune_tombstones(before(retention.tombstones))?;
    writer.prune_intents(before(retention.journal))?;
    // Nobody stages one message for a day; of one that a day's budget stops, the next stretch comes within two.
    writer.drop_staged(before(2))?;
    writer.commit()?;
    purge(store, before(retention.contents))
}

/// Takes messages away for good that were deleted before `at`, in seconds since 1970.
fn purge(store: &dyn Store, at: i64) -> Result<u64> {
    let (mut after, mut count) = (MessageId(0), 0);
    loop {
        let mut writer = store.write(Durability::Bulk)?;
        let rows = writer.deleted(after, BATCH)?;
        let Some(last) = rows.last() else { return Ok(count) };
        after = last.id;
        for row in rows.iter().filter(|row| row.deleted_at.is_some_and(|deleted| deleted < at)) {
            writer.delete_message(row.id)?;
            count += 1;
        }
        writer.commit()?;
    }
}

/// What letting go has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evicted {
    /// Bodies let go.
    pub bodies: u64,
    /// Bytes given back to the disk, free room from before included.
    pub bytes: u64,
}

/// Lets bodies go that the rules of what is kept do not want, and then the oldest, until `bytes` of them went; and
/// gives the room back to the disk. Flags, headers and everything else stay.
///
/// Only a body that the server has goes: never one that is still to be sent there, of a mailbox of our own, or of a
/// deleted message.
pub fn evict(store: &dyn Store, bytes: u64, now: Now) -> Result<Evicted> {
    let mut held = held(&*store.read()?, now)?;
    held.sort_by_key(|body| (body.is_wanted, body.date));
    let (mut done, mut freed) = (Evicted::default(), 0);
    for batch in held.chunks(BATCH) {
        let mut writer = store.write(Durability::Bulk)?;
        for body in batch {
            if (!body.is_wanted || freed < bytes)
                && let Some(stored) = let_go(&mut *writer, body.message, now)?
            {
                freed += stored;
                done.bodies += 1;
            }
        }
        writer.commit()?;
    }
    loop {
        match store.shrink(STEP)? {
            0 => return Ok(done),
            given => done.bytes += given,
        }
    }
}

/// A body that is here.
#[derive(Clone, Copy)]
struct Held {
    message: MessageId,
    date: i64,
    is_wanted: bool,
}

fn held(reader: &dyn Reader, now: Now) -> Result<Vec<Held>> {
    let mut out = Vec::new();
    for mailbox in reader.mailboxes()?.into_iter().filter(|row| row.remote.is_some()) {
        let rule = reader.keep(Some(mailbox.id))?;
        for row in messages(reader, mailbox.id)? {
            let date = row.internal_date.seconds;
            let is_wanted = rule.wants(row.size, date, now);
            out.push(Held { message: row.id, date, is_wanted });
        }
    }
    Ok(out)
}

fn messages(reader: &dyn Reader, mailbox: MailboxId) -> Result<Vec<MessageRow>> {
    let (mut out, mut after) = (Vec::new(), None);
    loop {
        let rows = reader.list(mailbox, Page { after, limit: 1000, newest_first: false })?;
        let Some(last) = rows.last() else { return Ok(out) };
        after = Some(last.placement.uid);
        out.extend(rows.into_iter().map(|row| row.message).filter(|message| message.body.is_some()));
    }
}

/// Lets a body go if the server has it wherever the message is placed; what it took. What others have of it stays.
fn let_go(writer: &mut dyn Writer, message: MessageId, now: Now) -> Result<Option<u64>> {
    let Some(body) = writer.message(message)?.and_then(|row| row.body) else { return Ok(None) };
    let Some(content) = writer.body(body)? else { return Ok(None) };
    let placements = writer.placements_of(message)?;
    if placements.is_empty() || placements.iter().any(|placement| placement.remote_uid.is_none()) {
        return Ok(None);
    }
    let parts = content.parts.iter().map(|part| writer.body(*part)).collect::<Result<Vec<_>>>()?;
    writer.set_body(message, None)?;
    writer.insert_feed(now.seconds(), &Change::BodyGone { message })?;
    let mut freed: BTreeMap<BodyId, u64> = BTreeMap::new();
    for row in parts.into_iter().flatten().chain([content]) {
        if writer.body(row.id)?.is_none() {
            freed.insert(row.id, row.stored);
        }
    }
    Ok(Some(freed.values().sum()))
}

/// Bodies that the rules want and that are not here, newest first. Looks at `limit` of those below our UID `before`, and
/// says where to go on as well; `None` at the end.
pub fn wanted(
    reader: &dyn Reader,
    mailbox: MailboxId,
    (before, limit): (Option<u32>, usize),
    now: Now,
) -> Result<(Vec<Wanted>, Option<u32>)> {
    let rule = reader.keep(Some(mailbox))?;
    let rows = reader.without_body(mailbox, before, limit)?;
    let next = rows.last().map(|row| row.uid);
    Ok((rows.into_iter().filter(|row| rule.wants(row.size, row.date, now)).collect(), next))
}
