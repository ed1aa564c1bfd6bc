//! What a search walks along, and the index of words.

use super::placements::limit;
use super::tx::Tx;
use super::unreadable;
use crate::error::{Code, MailError, Result};
use crate::index::SegmentData;
use crate::store::{
    BodyId, Flags, MailboxId, MessageId, SearchFacts, SearchRow, SegmentId, SegmentRow, ThreadId, Walk,
};
use rusqlite::{Row, params};

/// A segment has at most 65,536 blocks, each of which is about 16 KiB.
const NUMBER_BITS: u32 = 16;

/// Words are read rarely and kept long.
const LEVEL: i32 = 12;

/// Largest words of a block, decompressed: a word is at most a few hundred bytes beyond 16 KiB.
const LARGEST_WORDS: usize = 1 << 20;

pub(super) fn walk(
    tx: &Tx<'_>,
    walk: &Walk,
    is_wanted: &dyn Fn(MessageId) -> bool,
    each: &mut dyn FnMut(SearchRow) -> Result<bool>,
) -> Result<()> {
    macro_rules! sql {
        ($from:literal, $order:literal) => {
            concat!(
                "SELECT message, mailbox, uid, bits, keywords FROM ",
                $from,
                " AND mailbox = ?1 AND message IS NOT NULL AND bits & ?2 = ?2 AND bits & ?3 = 0 ORDER BY uid ",
                $order
            )
        };
    }
    let is_flagged = walk.with & Flags::FLAGGED != 0;
    let is_unseen = walk.without & Flags::SEEN != 0;
    // Written out, since an index of some rows serves only where SQLite can see that the others are not asked for.
    let sql = match (is_flagged, is_unseen, walk.newest_first) {
        (true, _, true) => sql!("placements INDEXED BY placements_flagged WHERE bits & 4 <> 0", "DESC"),
        (true, _, false) => sql!("placements INDEXED BY placements_flagged WHERE bits & 4 <> 0", "ASC"),
        (false, true, true) => sql!("placements INDEXED BY placements_unseen WHERE bits & 1 = 0", "DESC"),
        (false, true, false) => sql!("placements INDEXED BY placements_unseen WHERE bits & 1 = 0", "ASC"),
        (false, false, true) => sql!("placements WHERE TRUE", "DESC"),
        (false, false, false) => sql!("placements WHERE TRUE", "ASC"),
    };
    let mut statement = tx.connection()?.prepare_cached(sql)?;
    let mut rows = statement.query((walk.mailbox.0, walk.with, walk.without))?;
    while let Some(from) = rows.next()? {
        if is_wanted(MessageId(from.get(0)?)) && !each(row(from)?)? {
            break;
        }
    }
    Ok(())
}

pub(super) fn walk_dates(
    tx: &Tx<'_>,
    (from, until): (i64, i64),
    newest_first: bool,
    each: &mut dyn FnMut(MessageId) -> Result<bool>,
) -> Result<()> {
    let sql = if newest_first {
        "SELECT id FROM messages WHERE date >= ?1 AND date < ?2 ORDER BY date DESC, id DESC"
    } else {
        "SELECT id FROM messages WHERE date >= ?1 AND date < ?2 ORDER BY date, id"
    };
    let mut statement = tx.connection()?.prepare_cached(sql)?;
    let mut rows = statement.query((from, until))?;
    while let Some(row) = rows.next()? {
        if !each(MessageId(row.get(0)?))? {
            break;
        }
    }
    Ok(())
}

pub(super) fn sized(tx: &Tx<'_>, (from, until): (u64, u64)) -> Result<Vec<MessageId>> {
    let [from, until] = [from, until].map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
    tx.all("SELECT id FROM messages WHERE size >= ?1 AND size < ?2", (from, until), |row| Ok(MessageId(row.get(0)?)))
}

pub(super) fn rows(tx: &Tx<'_>, message: MessageId) -> Result<Vec<SearchRow>> {
    let sql = "SELECT message, mailbox, uid, bits, keywords FROM placements WHERE message = ?1 ORDER BY mailbox, uid";
    tx.all(sql, [message.0], row)
}

fn row(row: &Row<'_>) -> Result<SearchRow> {
    let keywords: Option<String> = row.get(4)?;
    Ok(SearchRow {
        message: MessageId(row.get(0)?),
        mailbox: MailboxId(row.get(1)?),
        uid: row.get(2)?,
        flags: Flags::from_parts(row.get(3)?, keywords.as_deref().unwrap_or_default()),
    })
}

pub(super) fn facts(tx: &Tx<'_>, message: MessageId) -> Result<Option<SearchFacts>> {
    tx.one("SELECT date, size, thread, body FROM messages WHERE id = ?1", [message.0], |row| {
        Ok(SearchFacts {
            received: row.get(0)?,
            size: row.get(1)?,
            thread: row.get::<_, Option<i64>>(2)?.map(ThreadId),
            body: row.get::<_, Option<i64>>(3)?.map(BodyId),
        })
    })
}

pub(super) fn segments(tx: &Tx<'_>) -> Result<Vec<SegmentRow>> {
    let sql = "SELECT id, bytes FROM segments ORDER BY id";
    tx.all(sql, [], |row| Ok(SegmentRow { id: SegmentId(row.get(0)?), bytes: row.get(1)? }))
}

pub(super) fn head(tx: &Tx<'_>, id: SegmentId) -> Result<Vec<u8>> {
    let head = tx.one("SELECT head FROM segments WHERE id = ?1", [id.0], |row| Ok(row.get(0)?))?;
    head.ok_or_else(|| unreadable("segment"))
}

pub(super) fn words(tx: &Tx<'_>, id: SegmentId, block: u32) -> Result<Vec<u8>> {
    // The column stands first, so the postings behind it are not read.
    let sql = "SELECT words FROM segment_blocks WHERE id = ?1";
    let words = tx.one(sql, [block_id(id, block)?], |row| Ok(row.get::<_, Vec<u8>>(0)?))?;
    let words = words.ok_or_else(|| unreadable("segment"))?;
    tx.decompress(&words, LARGEST_WORDS)
}

pub(super) fn postings(tx: &Tx<'_>, id: SegmentId, block: u32) -> Result<Vec<u8>> {
    let sql = "SELECT postings FROM segment_blocks WHERE id = ?1";
    let postings = tx.one(sql, [block_id(id, block)?], |row| Ok(row.get(0)?))?;
    postings.ok_or_else(|| unreadable("segment"))
}

pub(super) fn insert_segment(tx: &Tx<'_>, segment: &SegmentData) -> Result<SegmentId> {
    let sql = "INSERT INTO segments (bytes, head) VALUES (0, ?1)";
    let id = SegmentId(tx.insert("insert_segment", sql, [&segment.head])?);
    let mut bytes = segment.head.len();
    let failed = |error: std::io::Error| MailError::new(Code::Internal, error.to_string());
    let mut compressor = zstd::bulk::Compressor::new(LEVEL).map_err(failed)?;
    for (number, block) in (0..).zip(&segment.blocks) {
        let words = compressor.compress(&block.words).map_err(failed)?;
        bytes += words.len() + block.postings.len();
        let sql = "INSERT INTO segment_blocks (id, words, postings) VALUES (?1, ?2, ?3)";
        tx.run_one("insert_block", sql, params![block_id(id, number)?, words, block.postings])?;
    }
    tx.run_one("segment_size", "UPDATE segments SET bytes = ?2 WHERE id = ?1", params![id.0, bytes])?;
    Ok(id)
}

pub(super) fn delete_segment(tx: &Tx<'_>, id: SegmentId) -> Result<()> {
    let range = (block_id(id, 0)?, block_id(id, (1 << NUMBER_BITS) - 1)?);
    tx.run("delete_blocks", "DELETE FROM segment_blocks WHERE id BETWEEN ?1 AND ?2", range)?;
    tx.run_one("delete_segment", "DELETE FROM segments WHERE id = ?1", [id.0])
}

fn block_id(id: SegmentId, number: u32) -> Result<i64> {
    let too_many = || MailError::new(Code::LimitExceeded, "The index of words has too many blocks");
    let high = id.0.checked_mul(1 << NUMBER_BITS).ok_or_else(too_many)?;
    if number >> NUMBER_BITS == 0 { Ok(high | i64::from(number)) } else { Err(too_many()) }
}

pub(super) fn unindexed(tx: &Tx<'_>, after: MessageId, most: usize) -> Result<Vec<MessageId>> {
    let sql = "SELECT message FROM unindexed WHERE message > ?1 ORDER BY message LIMIT ?2";
    tx.all(sql, (after.0, limit(most)), |row| Ok(MessageId(row.get(0)?)))
}

pub(super) fn stale(tx: &Tx<'_>) -> Result<Vec<MessageId>> {
    tx.all("SELECT message FROM unindexed WHERE stale = 1 ORDER BY message", [], |row| Ok(MessageId(row.get(0)?)))
}

pub(super) fn set_indexed(tx: &Tx<'_>, message: MessageId) -> Result<()> {
    tx.run("set_indexed", "DELETE FROM unindexed WHERE message = ?1", [message.0]).map(drop)
}

pub(super) fn set_unindexed(tx: &Tx<'_>) -> Result<()> {
    tx.run("set_unindexed", "DELETE FROM unindexed", [])?;
    tx.run("set_unindexed", "INSERT INTO unindexed SELECT id, 0 FROM messages", []).map(drop)
}

pub(super) fn set_fresh(tx: &Tx<'_>, message: MessageId) -> Result<()> {
    let gone = "DELETE FROM unindexed WHERE message = ?1 AND NOT EXISTS (SELECT 1 FROM messages WHERE id = ?1)";
    tx.run("set_fresh", gone, [message.0])?;
    tx.run("set_fresh", "UPDATE unindexed SET stale = 0 WHERE message = ?1", [message.0]).map(drop)
}
