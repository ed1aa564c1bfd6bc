//! Contents and their chunks, and the dictionaries they are compressed with.

use super::tx::Tx;
use super::unreadable;
use crate::error::{Code, MailError, Result};
use crate::store::codec::{Kind, dictionary_number};
use crate::store::{BodyId, BodyRow, CHUNK, ContentHash, Frame, MessageId};
use rusqlite::params;

/// Bits of a chunk's id that are its number: 65,536 chunks are 16 GiB.
const NUMBER_BITS: u32 = 16;

pub(super) fn by_id(tx: &Tx<'_>, id: BodyId) -> Result<Option<BodyRow>> {
    let sql = "SELECT id, hash, size, header, recipe, chunks, stored FROM bodies WHERE id = ?1 AND staged IS NULL";
    let row = tx.one(sql, [id.0], read)?;
    // Without a recipe it is all plain.
    match row {
        Some(row) if !row.recipe.is_empty() => Ok(Some(BodyRow { parts: parts(tx, id)?, ..row })),
        row => Ok(row),
    }
}

fn read(row: &rusqlite::Row<'_>) -> Result<BodyRow> {
    Ok(BodyRow {
        id: BodyId(row.get(0)?),
        hash: content_hash(row.get(1)?)?,
        size: row.get(2)?,
        header: row.get(3)?,
        recipe: row.get(4)?,
        parts: Vec::new(),
        chunks: row.get(5)?,
        stored: row.get(6)?,
    })
}

pub(super) fn staged(tx: &Tx<'_>, hash: &ContentHash) -> Result<Option<BodyRow>> {
    let sql =
        "SELECT id, hash, size, header, recipe, chunks, stored FROM bodies WHERE staged IS NOT NULL AND hash = ?1";
    tx.one(sql, [&hash.0[..]], read)
}

fn parts(tx: &Tx<'_>, id: BodyId) -> Result<Vec<BodyId>> {
    tx.all("SELECT part FROM body_parts WHERE body = ?1 ORDER BY number", [id.0], |row| Ok(BodyId(row.get(0)?)))
}

pub(super) fn by_hash(tx: &Tx<'_>, hash: &ContentHash) -> Result<Vec<BodyId>> {
    let sql = "SELECT id FROM bodies WHERE substr(hash, 1, 8) = substr(?1, 1, 8) AND hash = ?1 AND staged IS NULL
               ORDER BY id";
    tx.all(sql, [&hash.0[..]], |row| Ok(BodyId(row.get(0)?)))
}

pub(super) fn chunk(tx: &Tx<'_>, body: BodyId, number: u32) -> Result<Vec<u8>> {
    let sql = "SELECT data FROM chunks WHERE id = ?1";
    let frame = tx.one(sql, [chunk_id(body, number)?], |row| Ok(row.get::<_, Vec<u8>>(0)?))?;
    tx.decompress(&frame.ok_or_else(|| unreadable("chunk"))?, CHUNK)
}

pub(super) fn stage(tx: &Tx<'_>, now: i64) -> Result<BodyId> {
    let sql = "INSERT INTO bodies (hash, size, header, recipe, parts, chunks, stored, staged)
               VALUES (x'', 0, 0, x'', 0, 0, 0, ?1)";
    Ok(BodyId(tx.insert("stage_body", sql, [now])?))
}

pub(super) fn pack(tx: &Tx<'_>, content: &[u8]) -> Result<Frame> {
    if content.len() > CHUNK {
        return Err(MailError::new(Code::Internal, "A chunk is too large"));
    }
    tx.compress(Kind::Body, content).map(Frame::new)
}

pub(super) fn put_chunk(tx: &Tx<'_>, body: BodyId, number: u32, frame: &Frame) -> Result<()> {
    let sql = "INSERT INTO chunks (id, data) VALUES (?1, ?2)";
    tx.run_one("put_chunk", sql, params![chunk_id(body, number)?, frame.bytes()])
}

pub(super) fn update_staged(tx: &Tx<'_>, row: &BodyRow, now: i64) -> Result<()> {
    let sql = "UPDATE bodies SET hash = ?2, size = ?3, chunks = ?4, stored = ?5, staged = ?6
               WHERE id = ?1 AND staged IS NOT NULL";
    let BodyRow { id, hash, size, chunks, stored, .. } = row;
    tx.run_one("update_staged", sql, params![id.0, &hash.0[..], size, chunks, stored, now])
}

pub(super) fn publish(tx: &Tx<'_>, row: &BodyRow) -> Result<()> {
    let sql = "UPDATE bodies SET hash = ?2, size = ?3, header = ?4, recipe = ?5, parts = ?6, chunks = ?7, stored = ?8,
                   staged = NULL WHERE id = ?1 AND staged IS NOT NULL";
    let BodyRow { id, hash, size, header, recipe, parts, chunks, stored } = row;
    tx.run_one("publish_body", sql, params![id.0, &hash.0[..], size, header, recipe, parts.len(), chunks, stored])?;
    for (number, part) in (0_i64..).zip(parts) {
        let sql = "INSERT INTO body_parts (body, number, part) VALUES (?1, ?2, ?3)";
        tx.run_one("publish_part", sql, (id.0, number, part.0))?;
    }
    Ok(())
}

pub(super) fn set(tx: &Tx<'_>, message: MessageId, body: Option<BodyId>) -> Result<()> {
    let sql = "SELECT body FROM messages WHERE id = ?1";
    let before = tx.one(sql, [message.0], |row| Ok(row.get::<_, Option<i64>>(0)?))?.flatten().map(BodyId);
    let sql = "UPDATE messages SET body = ?2 WHERE id = ?1";
    tx.run_one("set_body", sql, (message.0, body.map(|id| id.0)))?;
    match before {
        Some(before) if Some(before) != body && !is_used(tx, before)? => delete(tx, before),
        _ => Ok(()),
    }
}

pub(super) fn delete(tx: &Tx<'_>, id: BodyId) -> Result<()> {
    if is_used(tx, id)? {
        return Err(MailError::new(Code::Internal, "A content that somebody has is not deleted"));
    }
    let range = (chunk_id(id, 0)?, chunk_id(id, (1 << NUMBER_BITS) - 1)?);
    let parts = parts(tx, id)?;
    tx.run("delete_chunks", "DELETE FROM chunks WHERE id BETWEEN ?1 AND ?2", range)?;
    tx.run("delete_parts", "DELETE FROM body_parts WHERE body = ?1", [id.0])?;
    tx.run_one("delete_body", "DELETE FROM bodies WHERE id = ?1", [id.0])?;
    for part in parts {
        // One that stands in it twice is gone the second time.
        if !is_used(tx, part)? && by_id(tx, part)?.is_some() {
            delete(tx, part)?;
        }
    }
    Ok(())
}

pub(super) fn drop_staged(tx: &Tx<'_>, at: i64) -> Result<u64> {
    let sql = "SELECT id FROM bodies WHERE staged IS NOT NULL AND staged < ?1";
    let stale = tx.all(sql, [at], |row| Ok(BodyId(row.get(0)?)))?;
    stale.iter().try_for_each(|id| delete(tx, *id))?;
    Ok(stale.len() as u64)
}

pub(super) fn dictionaries(tx: &Tx<'_>, kind: Kind) -> Result<usize> {
    let sql = "SELECT count(*) FROM dictionaries WHERE kind = ?1";
    Ok(tx.one(sql, [kind.number()], |row| Ok(row.get(0)?))?.unwrap_or(0))
}

pub(super) fn insert_dictionary(tx: &Tx<'_>, kind: Kind, bytes: &[u8]) -> Result<()> {
    let packed = tx.store.codec.compress(bytes, None, &|_| Err(Code::Internal.into()))?;
    let sql = "INSERT INTO dictionaries (number, kind, data) VALUES (?1, ?2, ?3)";
    tx.run_one("insert_dictionary", sql, params![dictionary_number(bytes)?, kind.number(), packed])
}

pub(super) fn stored(tx: &Tx<'_>, kind: Kind) -> Result<u64> {
    let sql = match kind {
        Kind::Headers => "SELECT count(*) FROM headers",
        Kind::Body => "SELECT count(*) FROM bodies WHERE staged IS NULL",
    };
    Ok(tx.one(sql, [], |row| Ok(row.get(0)?))?.unwrap_or(0))
}

/// Largest content that is a sample, in bytes: what is longer repeats itself enough.
const LARGEST_SAMPLE: usize = 8 << 10;

pub(super) fn samples(tx: &Tx<'_>, kind: Kind, count: usize) -> Result<Vec<Vec<u8>>> {
    let step = (stored(tx, kind)? / (count as u64).max(1)).max(1);
    let sql = match kind {
        Kind::Headers => "SELECT data FROM headers WHERE message % ?1 = 0 LIMIT ?2",
        Kind::Body => {
            "SELECT c.data FROM bodies b JOIN chunks c ON c.id = b.id * 65536
             WHERE b.id % ?1 = 0 AND b.staged IS NULL AND b.chunks = 1 AND b.size - b.header <= 8192
                 AND b.id NOT IN (SELECT part FROM body_parts) LIMIT ?2"
        }
    };
    let frames = tx.all(sql, (step, super::placements::limit(count)), |row| Ok(row.get::<_, Vec<u8>>(0)?))?;
    let contents = frames.iter().map(|frame| tx.decompress(frame, LARGEST));
    let short = |content: &Result<Vec<u8>>| content.as_ref().map_or(true, |content| content.len() <= LARGEST_SAMPLE);
    contents.filter(short).collect()
}

/// Largest headers or chunk that are believed, in bytes.
const LARGEST: usize = super::messages::LARGEST_HEADERS;

pub(super) fn repack(tx: &Tx<'_>, kind: Kind, after: i64, most: usize) -> Result<Option<i64>> {
    let (select, update) = match kind {
        Kind::Headers => (
            "SELECT message, data FROM headers WHERE message > ?1 ORDER BY message LIMIT ?2",
            "UPDATE headers SET data = ?2 WHERE message = ?1",
        ),
        Kind::Body => (
            // What is longer has little use of a dictionary.
            "SELECT id, data FROM chunks WHERE id > ?1 AND length(data) <= 8192 ORDER BY id LIMIT ?2",
            "UPDATE chunks SET data = ?2 WHERE id = ?1",
        ),
    };
    let rows = tx.all(select, (after, super::placements::limit(most)), |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
    })?;
    for (id, frame) in &rows {
        let packed = tx.compress(kind, &tx.decompress(frame, LARGEST)?)?;
        if packed.len() < frame.len() {
            tx.run_one("repack", update, params![id, packed])?;
            if kind == Kind::Body {
                let sql = "UPDATE bodies SET stored = stored - ?2 WHERE id = ?1";
                tx.run_one("repack_body", sql, (id >> NUMBER_BITS, frame.len() - packed.len()))?;
            }
        }
    }
    Ok(rows.last().map(|(id, _)| *id))
}

impl Tx<'_> {
    /// A frame, with the newest dictionary of its kind.
    pub(super) fn compress(&self, kind: Kind, content: &[u8]) -> Result<Vec<u8>> {
        let sql = "SELECT number FROM dictionaries WHERE kind = ?1 ORDER BY id DESC LIMIT 1";
        let newest = self.one(sql, [kind.number()], |row| Ok(row.get(0)?))?;
        self.store.codec.compress(content, newest, &|number| self.dictionary(number))
    }

    /// What is in a frame.
    pub(super) fn decompress(&self, frame: &[u8], largest: usize) -> Result<Vec<u8>> {
        self.store.codec.decompress(frame, largest, &|number| self.dictionary(number))
    }

    fn dictionary(&self, number: u32) -> Result<Vec<u8>> {
        let sql = "SELECT data FROM dictionaries WHERE number = ?1";
        let packed: Option<Vec<u8>> = self.one(sql, [number], |row| Ok(row.get(0)?))?;
        let nested = |_| Err(unreadable("dictionary"));
        self.store.codec.decompress(&packed.ok_or_else(|| unreadable("dictionary"))?, LARGEST, &nested)
    }
}

pub(super) fn content_hash(bytes: Vec<u8>) -> Result<ContentHash> {
    bytes.try_into().map(ContentHash).map_err(|_| unreadable("content hash"))
}

/// A message has it, or it is to be sent, or another content has it as a part.
pub(super) fn is_used(tx: &Tx<'_>, id: BodyId) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM messages WHERE body = ?1) OR EXISTS (SELECT 1 FROM outbox WHERE body = ?1)
                   OR EXISTS (SELECT 1 FROM body_parts WHERE part = ?1)";
    Ok(tx.one(sql, [id.0], |row| Ok(row.get(0)?))?.unwrap_or(false))
}

fn chunk_id(body: BodyId, number: u32) -> Result<i64> {
    let fits = number < 1 << NUMBER_BITS && body.0 < 1 << (62 - NUMBER_BITS);
    fits.then(|| (body.0 << NUMBER_BITS) + i64::from(number))
        .ok_or_else(|| MailError::new(Code::LimitExceeded, "A content has too many chunks"))
}
