//! Writing a large content as it comes: split, cut into chunks, made again and compared, published.

use super::read::{Content, take_hash};
use super::split::Splitter;
use super::{LARGEST, recipe};
use crate::error::{Code, MailError, Result};
use crate::store::{BodyId, BodyRow, CHUNK, ContentHash, Durability, Now, Reader, Store, Writer};
use bytes::Bytes;
use ring::digest::{Context, SHA256};
use std::sync::Arc;

/// Chunks that are written in one transaction of a staged content.
const BATCH: usize = 4;

/// A content that is being written, in short transactions of its own. Nobody sees it before it is published; what never
/// is, is taken away by the store's upkeep.
///
/// Holds about a mebibyte in memory, however large the content is.
pub struct Staging {
    store: Arc<dyn Store>,
    header: Bytes,
    /// How much of the header has been seen at the beginning of the content; `None` once it began otherwise.
    matched: Option<usize>,
    splitter: Splitter,
    id: Option<BodyId>,
    hash: Context,
    size: u64,
    chunks: u32,
    stored: u64,
    now: Now,
    row: Option<BodyRow>,
}

impl Staging {
    /// A content of a message whose row has this header; empty where there is none.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, header: Bytes, now: Now) -> Self {
        let hash = Context::new(&SHA256);
        let (splitter, matched) = (Splitter::default(), Some(0));
        Self { store, header, matched, splitter, id: None, hash, size: 0, chunks: 0, stored: 0, now, row: None }
    }

    /// Takes the next bytes. More than 2 GiB in all is `limit.exceeded`.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        check_size(self.size + bytes.len() as u64)?;
        self.size += bytes.len() as u64;
        self.hash.update(bytes);
        let rest = self.after_header(bytes);
        self.splitter.push(rest);
        while self.splitter.stored().len() >= CHUNK * BATCH {
            self.flush(CHUNK * BATCH)?;
        }
        Ok(())
    }

    /// What of these bytes comes after the header. Where the content turns out to begin otherwise, what was left out is
    /// put in again.
    fn after_header<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let Some(matched) = self.matched else { return bytes };
        let expected = self.header.get(matched..).unwrap_or_default();
        let length = expected.len().min(bytes.len());
        let (head, rest) = bytes.split_at(length);
        if expected.get(..length) == Some(head) {
            self.matched = Some(matched + length);
            return rest;
        }
        self.unmatch(matched);
        bytes
    }

    fn unmatch(&mut self, matched: usize) {
        self.matched = None;
        self.splitter.push(self.header.get(..matched).unwrap_or_default());
    }

    /// The end of the content: all of it is written, made again, and compared.
    pub fn finish(&mut self) -> Result<()> {
        if let Some(matched) = self.matched.filter(|matched| *matched < self.header.len()) {
            self.unmatch(matched);
        }
        self.splitter.finish();
        self.flush(usize::MAX)?;
        let hash = take_hash(self.hash.clone().finish().as_ref());
        let id = self.id.ok_or_else(|| MailError::from(Code::Internal))?;
        let header = self.matched.unwrap_or(0) as u64;
        let recipe = recipe::write(self.splitter.pieces());
        let row = BodyRow { id, hash, size: self.size, header, recipe, chunks: self.chunks, stored: self.stored };
        verify(&*self.store.read()?, &row, &self.header)?;
        self.row = Some(row);
        Ok(())
    }

    /// Makes it visible, in the caller's transaction; its id. After [`Staging::finish`].
    pub fn publish(&mut self, writer: &mut dyn Writer) -> Result<BodyId> {
        let row = self.row.as_ref().ok_or_else(|| MailError::new(Code::Internal, "The content is not finished"))?;
        if let Some(same) = same_content(writer, &row.hash, row.header)? {
            return Ok(same);
        }
        writer.publish_body(row)?;
        Ok(row.id)
    }

    /// Takes away what was written, after a failure. Not to be called inside a transaction. What is simply dropped goes
    /// with the store's upkeep, some time later.
    pub fn abandon(self) -> Result<()> {
        let Some(id) = self.id else { return Ok(()) };
        let mut writer = self.store.write(Durability::Bulk)?;
        writer.delete_body(id)?;
        writer.commit()
    }

    /// The content's length so far, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Writes the first `most` bytes of what is to be stored.
    fn flush(&mut self, most: usize) -> Result<()> {
        let stored = self.splitter.stored();
        let batch: Vec<u8> = stored.drain(..most.min(stored.len())).collect();
        let mut writer = self.store.write(Durability::Bulk)?;
        let id = self.id.map_or_else(|| writer.stage_body(self.now.seconds()), Ok)?;
        let (mut chunks, mut bytes) = (self.chunks, self.stored);
        for chunk in batch.chunks(CHUNK) {
            let frame = writer.pack(chunk)?;
            writer.put_chunk(id, chunks, &frame)?;
            bytes += frame.size();
            chunks += 1;
        }
        writer.commit()?;
        (self.id, self.chunks, self.stored) = (Some(id), chunks, bytes);
        Ok(())
    }
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

/// Makes the content again and compares its hash.
fn verify(reader: &dyn Reader, row: &BodyRow, header: &Bytes) -> Result<()> {
    let mut content = Content::of(row.clone(), header.clone())?;
    while content.next(reader)?.is_some() {}
    Ok(())
}

pub(super) fn check_size(size: u64) -> Result<()> {
    if size > LARGEST {
        return Err(MailError::new(Code::LimitExceeded, "A message is at most 2 GiB"));
    }
    Ok(())
}
