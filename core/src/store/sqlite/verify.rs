//! Rows that are there and cannot be read: damage that SQLite does not see, since it keeps no checksums of its pages.

use super::tx::Tx;
use super::{SqliteStore, feed, journal, mailboxes, messages, outbox, placements, search, unreadable};
use crate::error::{Code, Result};
use crate::store::{BodyId, IntentId, MailboxId, MessageId, OutboxId, SegmentId, body};
use bytes::Bytes;
use rusqlite::Connection;

/// A row that cannot be read.
pub(super) struct Unreadable {
    /// What such rows are called.
    pub what: &'static str,
    without: &'static str,
    key: (i64, i64),
}

impl Unreadable {
    /// Takes it out of the file.
    pub fn take_out(&self, connection: &Connection) -> Result<()> {
        let mut statement = connection.prepare_cached(self.without)?;
        let (first, second) = self.key;
        match statement.parameter_count() {
            1 => statement.execute([first])?,
            _ => statement.execute([first, second])?,
        };
        Ok(())
    }
}

/// A kind of row: its name, the keys of all, how one is read, and what a store without it is.
type Kind = (&'static str, &'static str, fn(&Tx<'_>, i64, i64) -> Result<()>, &'static str);

const KINDS: &[Kind] = &[
    (
        "entries of the journal",
        "SELECT id, 0 FROM journal",
        |tx, id, _| journal::by_id(tx, IntentId(id)).map(drop),
        "DELETE FROM journal WHERE id = ?1",
    ),
    ("messages to be sent", "SELECT id, body FROM outbox", read_outgoing, "DELETE FROM outbox WHERE id = ?1"),
    (
        "mailboxes",
        "SELECT id, 0 FROM mailboxes",
        |tx, id, _| mailboxes::by_id(tx, MailboxId(id)).map(drop),
        "DELETE FROM mailboxes WHERE id = ?1",
    ),
    (
        "messages",
        "SELECT id, 0 FROM messages",
        |tx, id, _| messages::by_id(tx, MessageId(id)).map(drop),
        "DELETE FROM messages WHERE id = ?1",
    ),
    (
        "headers",
        "SELECT message, 0 FROM headers",
        |tx, id, _| messages::headers(tx, MessageId(id)).map(drop),
        "DELETE FROM headers WHERE message = ?1",
    ),
    (
        "contents",
        "SELECT id, 0 FROM messages WHERE body IS NOT NULL",
        |tx, id, _| read_whole(tx, body::open(tx, MessageId(id))?),
        "UPDATE messages SET body = NULL WHERE id = ?1",
    ),
    (
        "placements",
        "SELECT mailbox, uid FROM placements",
        read_placement,
        "DELETE FROM placements WHERE mailbox = ?1 AND uid = ?2",
    ),
    (
        "entries of the feed",
        "SELECT number, 0 FROM feed",
        |tx, number, _| feed::after(tx, number.unsigned_abs().saturating_sub(1), 1).map(drop),
        "DELETE FROM feed WHERE number = ?1",
    ),
    (
        "segments of the index",
        "SELECT id, 0 FROM segments",
        |tx, id, _| search::head(tx, SegmentId(id)).map(drop),
        "DELETE FROM segments WHERE id = ?1",
    ),
    (
        "blocks of the index",
        "SELECT id / 65536, id % 65536 FROM segment_blocks",
        read_block,
        "DELETE FROM segments WHERE id = ?1",
    ),
];

/// All that cannot be read; reads every content to its end.
pub(super) fn find(store: &SqliteStore) -> Result<Vec<Unreadable>> {
    let tx = Tx::read(store)?;
    let mut found = Vec::new();
    for (what, keys, read, without) in KINDS {
        for key in tx.all(keys, [], |row| Ok((row.get(0)?, row.get(1)?)))? {
            match read(&tx, key.0, key.1).map_err(|error| (error.code(), error)) {
                Err((Code::StoreDamaged, _)) => found.push(Unreadable { what, without, key }),
                // What is missing is told by the questions of `upkeep`.
                Ok(()) | Err((Code::MessageMissing | Code::BodyNotHere, _)) => {}
                Err((_, error)) => return Err(error),
            }
        }
    }
    Ok(found)
}

fn read_outgoing(tx: &Tx<'_>, id: i64, body: i64) -> Result<()> {
    outbox::by_id(tx, OutboxId(id))?;
    outbox::recipients(tx, OutboxId(id))?;
    read_whole(tx, body::Content::new(tx, BodyId(body), Bytes::new())?)
}

fn read_placement(tx: &Tx<'_>, mailbox: i64, uid: i64) -> Result<()> {
    let uid = u32::try_from(uid).map_err(|_| unreadable("UID"))?;
    placements::by_uid(tx, MailboxId(mailbox), uid).map(drop)
}

fn read_block(tx: &Tx<'_>, segment: i64, number: i64) -> Result<()> {
    let number = u32::try_from(number).map_err(|_| unreadable("block"))?;
    search::words(tx, SegmentId(segment), number)?;
    search::postings(tx, SegmentId(segment), number).map(drop)
}

fn read_whole(tx: &Tx<'_>, mut content: body::Content) -> Result<()> {
    while content.next(tx)?.is_some() {}
    Ok(())
}
