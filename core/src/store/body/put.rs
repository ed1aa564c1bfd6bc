//! Putting a small content down in one transaction, and what a staged one has in common with it.

use super::read::{Content, hash_of};
use super::split::{Apart, Splitter};
use super::{check_size, recipe};
use crate::error::{Code, Result};
use crate::store::{BodyId, BodyRow, CHUNK, ContentHash, Now, Reader, Writer};
use bytes::Bytes;

/// Puts a whole content down in the transaction that is open; its id. For those of a few megabytes at most.
///
/// `header` is that of the message as its row has it: a content that begins with it is stored without it. The same
/// content is stored once.
pub fn put(writer: &mut dyn Writer, content: &[u8], header: &Bytes, now: Now) -> Result<BodyId> {
    check_size(content.len() as u64)?;
    let (hash, rest) = (hash_of(content), content.strip_prefix(&header[..]));
    let left_out = if rest.is_some() { header.len() as u64 } else { 0 };
    if let Some(same) = same_content(writer, &hash, left_out)? {
        return Ok(same);
    }
    let row = BodyRow { header: left_out, ..unwritten(hash, content.len() as u64) };
    let rest = rest.unwrap_or(content);
    let mut splitter = Splitter::default();
    splitter.push(rest);
    splitter.finish();
    let recipe = recipe::write(splitter.pieces());
    let apart = std::mem::take(splitter.apart());
    match put_split(writer, BodyRow { recipe, ..row.clone() }, (splitter.stored(), &apart, header), now) {
        // Cannot be; and if it were, the message is stored as it is.
        Err(error) if error.code() == Code::StoreDamaged => put_split(writer, row, (rest, &[], header), now),
        done => done,
    }
}

fn put_split(
    writer: &mut dyn Writer,
    mut row: BodyRow,
    (stored, apart, header): (&[u8], &[Apart], &Bytes),
    now: Now,
) -> Result<BodyId> {
    let parts = apart.iter().map(|apart| put_part(writer, &apart.bytes, now)).collect::<Result<Vec<_>>>()?;
    row.parts = parts.iter().map(|part| part.id).collect();
    put_chunks(writer, &mut row, stored, now)?;
    match verify(writer, &row, parts, header) {
        // With its parts, where nobody else has them.
        Ok(()) => writer.publish_body(&row).map(|()| row.id),
        Err(error) => writer.publish_body(&row).and_then(|()| writer.delete_body(row.id)).and(Err(error)),
    }
}

/// What an attachment decodes to, unless it is here already.
fn put_part(writer: &mut dyn Writer, content: &[u8], now: Now) -> Result<BodyRow> {
    let mut row = unwritten(hash_of(content), content.len() as u64);
    if let Some(same) = part_with(writer, &row.hash)? {
        return Ok(same);
    }
    put_chunks(writer, &mut row, content, now)?;
    writer.publish_body(&row)?;
    Ok(row)
}

fn put_chunks(writer: &mut dyn Writer, row: &mut BodyRow, content: &[u8], now: Now) -> Result<()> {
    row.id = writer.stage_body(now.seconds())?;
    for chunk in content.chunks(CHUNK) {
        row.stored += writer.put_chunk(row.id, row.chunks, chunk)?;
        row.chunks += 1;
    }
    Ok(())
}

/// A row of which nothing is written yet.
pub(super) fn unwritten(hash: ContentHash, size: u64) -> BodyRow {
    let (recipe, parts) = (Vec::new(), Vec::new());
    BodyRow { id: BodyId(0), hash, size, header: 0, recipe, parts, chunks: 0, stored: 0 }
}

/// A published content with that hash, stored in the same way.
pub(super) fn same_content(reader: &dyn Reader, hash: &ContentHash, left_out: u64) -> Result<Option<BodyId>> {
    for message in reader.messages_by_content(hash)? {
        let body = reader.message(message)?.and_then(|row| row.body);
        if let Some(body) = body
            && reader.body(body)?.is_some_and(|row| row.header == left_out)
        {
            return Ok(Some(body));
        }
    }
    Ok(None)
}

/// A published content with that hash whose chunks are its bytes, so that it can stand in another one.
pub(super) fn part_with(reader: &dyn Reader, hash: &ContentHash) -> Result<Option<BodyRow>> {
    for body in reader.bodies_by_hash(hash)? {
        let row = reader.body(body)?.filter(|row| row.header == 0 && row.recipe.is_empty());
        if row.is_some() {
            return Ok(row);
        }
    }
    Ok(None)
}

/// Makes the content again and compares its hash.
pub(super) fn verify(reader: &dyn Reader, row: &BodyRow, parts: Vec<BodyRow>, header: &Bytes) -> Result<()> {
    let mut content = Content::of(row.clone(), parts, header.clone())?;
    while content.next(reader)?.is_some() {}
    Ok(())
}
