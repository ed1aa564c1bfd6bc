//! Messages, their headers, and the Message-IDs they are found by.

use super::placements::limit;
use super::tx::Tx;
use super::unreadable;
use crate::error::Result;
use crate::imap::InternalDate;
use crate::journal::Digest;
use crate::store::codec::Kind;
use crate::store::{
    BodyId, ContentHash, Frame, Headers, Link, LinkKind, MessageFacts, MessageId, MessageRow, NewMessage, ThreadId,
};
use bytes::Bytes;
use ring::digest::{SHA256, digest};
use rusqlite::{Row, params};

/// Columns of a message, in the order in which [`row`] reads them.
macro_rules! columns {
    () => {
        "m.id, m.thread, m.size, m.date, m.zone, m.digest, b.hash, m.body, m.email_id, m.problem, m.deleted_at"
    };
}
pub(super) use columns;

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM messages m LEFT JOIN bodies b ON b.id = m.body ", $rest)
    };
}

/// Largest headers of one message that are believed, in bytes: several times what a session lets through.
pub(super) const LARGEST_HEADERS: usize = 256 << 20;

pub(super) fn by_id(tx: &Tx<'_>, id: MessageId) -> Result<Option<MessageRow>> {
    tx.one(select!("WHERE m.id = ?1"), [id.0], |from| row(from, 0))
}

pub(super) fn by_content(tx: &Tx<'_>, hash: &ContentHash) -> Result<Vec<MessageId>> {
    let sql = "SELECT m.id FROM bodies b JOIN messages m ON m.body = b.id
               WHERE substr(b.hash, 1, 8) = substr(?1, 1, 8) AND b.hash = ?1 AND b.staged IS NULL ORDER BY m.id";
    tx.all(sql, [&hash.0[..]], |row| Ok(MessageId(row.get(0)?)))
}

pub(super) fn by_digest(tx: &Tx<'_>, digest: &Digest) -> Result<Vec<MessageId>> {
    let sql = "SELECT id FROM messages WHERE substr(digest, 1, 8) = substr(?1, 1, 8) AND digest = ?1
                   AND digest IS NOT NULL ORDER BY id";
    tx.all(sql, [&digest.as_bytes()[..]], |row| Ok(MessageId(row.get(0)?)))
}

pub(super) fn by_email_id(tx: &Tx<'_>, email_id: &str) -> Result<Vec<MessageId>> {
    let sql = "SELECT id FROM messages WHERE email_id = ?1 AND email_id IS NOT NULL ORDER BY id";
    tx.all(sql, [email_id], |row| Ok(MessageId(row.get(0)?)))
}

pub(super) fn deleted(tx: &Tx<'_>, after: MessageId, most: usize) -> Result<Vec<MessageRow>> {
    let sql = select!("WHERE m.deleted_at IS NOT NULL AND m.id > ?1 ORDER BY m.id LIMIT ?2");
    tx.all(sql, (after.0, limit(most)), |from| row(from, 0))
}

pub(super) fn headers(tx: &Tx<'_>, id: MessageId) -> Result<Option<Headers>> {
    let sql = "SELECT data FROM headers WHERE message = ?1";
    let frame = tx.one(sql, [id.0], |row| Ok(Frame::new(row.get(0)?)))?;
    frame.map(|frame| unpack_headers(tx, &frame)).transpose()
}

pub(super) fn unpack_headers(tx: &Tx<'_>, frame: &Frame) -> Result<Headers> {
    unpack(tx.decompress(frame.bytes(), LARGEST_HEADERS)?)
}

pub(super) fn linked(tx: &Tx<'_>, message_id: &str) -> Result<Vec<(MessageId, LinkKind)>> {
    let sql = "SELECT message, kind FROM links WHERE hash = ?1 ORDER BY message, kind";
    tx.all(sql, [hash(message_id)], |row| {
        let kind = match row.get(1)? {
            0 => LinkKind::Own,
            1 => LinkKind::ReplyTo,
            2 => LinkKind::Reference,
            _ => return Err(unreadable("link")),
        };
        Ok((MessageId(row.get(0)?), kind))
    })
}

pub(super) fn thread_of_id(tx: &Tx<'_>, message_id: &str) -> Result<Option<ThreadId>> {
    let sql = "SELECT m.thread FROM links l JOIN messages m ON m.id = l.message
               WHERE l.hash = ?1 AND m.thread IS NOT NULL LIMIT 1";
    tx.one(sql, [hash(message_id)], |row| Ok(ThreadId(row.get(0)?)))
}

pub(super) fn thread(tx: &Tx<'_>, id: ThreadId) -> Result<Vec<MessageId>> {
    let sql = "SELECT id FROM messages WHERE thread = ?1 AND thread IS NOT NULL ORDER BY id";
    tx.all(sql, [id.0], |row| Ok(MessageId(row.get(0)?)))
}

pub(super) fn set_thread(tx: &Tx<'_>, message: MessageId, thread: ThreadId) -> Result<()> {
    tx.run_one("set_thread", "UPDATE messages SET thread = ?2 WHERE id = ?1", (message.0, thread.0))
}

pub(super) fn merge_thread(tx: &Tx<'_>, from: ThreadId, into: ThreadId) -> Result<()> {
    let sql = "UPDATE messages SET thread = ?2 WHERE thread = ?1 AND thread IS NOT NULL";
    tx.run("merge_thread", sql, (from.0, into.0)).map(drop)
}

pub(super) fn insert(tx: &Tx<'_>, new: &NewMessage, headers: &Frame) -> Result<MessageId> {
    let sql = "INSERT INTO messages (size, date, zone, digest, email_id) VALUES (?1, ?2, ?3, ?4, ?5)";
    let InternalDate { seconds, offset } = new.internal_date;
    let digest = new.digest.as_ref().map(|digest| &digest.as_bytes()[..]);
    let id = tx.insert("insert_message", sql, params![new.size, seconds, offset, digest, new.email_id])?;
    write_headers(tx, MessageId(id), headers, &new.links)?;
    Ok(MessageId(id))
}

pub(super) fn update(tx: &Tx<'_>, row: &MessageRow) -> Result<()> {
    let sql = "UPDATE messages SET thread = ?2, size = ?3, date = ?4, zone = ?5, digest = ?6, email_id = ?7,
                   problem = ?8, deleted_at = ?9 WHERE id = ?1";
    let InternalDate { seconds, offset } = row.internal_date;
    let digest = row.digest.as_ref().map(|digest| &digest.as_bytes()[..]);
    let thread = row.thread.map(|thread| thread.0);
    let params =
        params![row.id.0, thread, row.size, seconds, offset, digest, row.email_id, row.problem, row.deleted_at];
    tx.run_one("update_message", sql, params)
}

pub(super) fn set_headers(tx: &Tx<'_>, id: MessageId, headers: &Headers, links: &[Link]) -> Result<()> {
    drop_links(tx, id)?;
    write_headers(tx, id, &pack_headers(tx, headers)?, links)
}

pub(super) fn pack_headers(tx: &Tx<'_>, headers: &Headers) -> Result<Frame> {
    tx.compress(Kind::Headers, &pack(headers)).map(Frame::new)
}

fn write_headers(tx: &Tx<'_>, id: MessageId, headers: &Frame, links: &[Link]) -> Result<()> {
    let mut hashes = Vec::new();
    for link in links {
        let (hash, kind) = (hash(&link.id), link.kind as i64);
        let sql = "INSERT OR IGNORE INTO links (hash, message, kind) VALUES (?1, ?2, ?3)";
        tx.run("insert_link", sql, (hash, id.0, kind))?;
        hashes.extend_from_slice(&hash.to_be_bytes());
    }
    let sql = "INSERT OR REPLACE INTO headers (message, data, links) VALUES (?1, ?2, ?3)";
    tx.run_one("set_headers", sql, params![id.0, headers.bytes(), hashes])
}

pub(super) fn delete(tx: &Tx<'_>, id: MessageId) -> Result<()> {
    super::bodies::set(tx, id, None)?;
    drop_links(tx, id)?;
    tx.run("delete_headers", "DELETE FROM headers WHERE message = ?1", [id.0])?;
    let sql = "DELETE FROM messages WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM placements WHERE message = ?1)";
    tx.run_one("delete_message", sql, [id.0])
}

fn drop_links(tx: &Tx<'_>, id: MessageId) -> Result<()> {
    let sql = "SELECT links FROM headers WHERE message = ?1";
    let hashes = tx.one(sql, [id.0], |row| Ok(row.get::<_, Vec<u8>>(0)?))?.unwrap_or_default();
    for hash in hashes.chunks_exact(8).filter_map(|chunk| chunk.try_into().ok()).map(i64::from_be_bytes) {
        tx.run("delete_link", "DELETE FROM links WHERE hash = ?1 AND message = ?2", (hash, id.0))?;
    }
    Ok(())
}

/// 64 bits of SHA-256: a store would need billions of Message-IDs before two fall together by chance.
fn hash(message_id: &str) -> i64 {
    let hash = digest(&SHA256, message_id.as_bytes());
    hash.as_ref().first_chunk().map_or(0, |bytes| i64::from_be_bytes(*bytes))
}

/// The lengths of ENVELOPE and BODYSTRUCTURE, then all three; in one frame, since each repeats what the other says.
fn pack(headers: &Headers) -> Vec<u8> {
    let Headers { header, envelope, body_structure } = headers;
    let length = |part: &Bytes| u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&length(envelope)[..], &length(body_structure), header, envelope, body_structure].concat()
}

fn unpack(packed: Vec<u8>) -> Result<Headers> {
    let mut packed = Bytes::from(packed);
    let mut length = || {
        let bytes = packed.first_chunk::<4>().copied()?;
        let _ = packed.split_to(4);
        usize::try_from(u32::from_be_bytes(bytes)).ok()
    };
    let (envelope, structure) = length().zip(length()).ok_or_else(|| unreadable("headers"))?;
    let header = packed.len().checked_sub(envelope).and_then(|rest| rest.checked_sub(structure));
    let header = packed.split_to(header.ok_or_else(|| unreadable("headers"))?);
    Ok(Headers { header, envelope: packed.split_to(envelope), body_structure: packed })
}

/// How many columns [`facts`] reads.
pub(super) const FACTS: usize = 4;

/// Size, date and zone, and thread, which begin at `at`; `None` where there is no such message.
pub(super) fn facts(row: &Row<'_>, at: usize) -> Result<Option<MessageFacts>> {
    let Some(size) = row.get(at)? else { return Ok(None) };
    let internal_date = InternalDate { seconds: row.get(at + 1)?, offset: row.get(at + 2)? };
    Ok(Some(MessageFacts { size, internal_date, thread: row.get::<_, Option<i64>>(at + 3)?.map(ThreadId) }))
}

/// A message from its columns, which begin at `at`.
pub(super) fn row(row: &Row<'_>, at: usize) -> Result<MessageRow> {
    let (digest, content): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.get(at + 5)?, row.get(at + 6)?);
    let digest = digest.map(|bytes| Digest::from_bytes(&bytes).ok_or_else(|| unreadable("digest")));
    Ok(MessageRow {
        id: MessageId(row.get(at)?),
        thread: row.get::<_, Option<i64>>(at + 1)?.map(ThreadId),
        size: row.get(at + 2)?,
        internal_date: InternalDate { seconds: row.get(at + 3)?, offset: row.get(at + 4)? },
        digest: digest.transpose()?,
        content: content.map(super::bodies::content_hash).transpose()?,
        body: row.get::<_, Option<i64>>(at + 7)?.map(BodyId),
        email_id: row.get(at + 8)?,
        problem: row.get(at + 9)?,
        deleted_at: row.get(at + 10)?,
    })
}
