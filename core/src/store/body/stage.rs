//! Staging a large content: split and cut into chunks as it comes, made again and compared, published.

use super::put::{part_with, same_content, unwritten};
use super::read::{Content, take_hash};
use super::split::Splitter;
use super::{check_size, recipe};
use crate::error::{Code, MailError, Result};
use crate::store::{BodyId, BodyRow, CHUNK, ContentHash, Durability, Now, Reader, Store, Writer};
use bytes::Bytes;
use ring::digest::{Context, SHA256};
use std::sync::Arc;

/// Bytes that wait before they are written, in one transaction.
const PENDING: usize = CHUNK * 4;

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
    hash: Context,
    size: u64,
    own: Growing,
    parts: Vec<Growing>,
    now: Now,
    row: Option<BodyRow>,
}

/// What has been written of a content or a part.
struct Growing {
    row: BodyRow,
    hash: Context,
}

impl Growing {
    fn new() -> Self {
        Self { row: unwritten(ContentHash([0; 32]), 0), hash: Context::new(&SHA256) }
    }

    fn is_begun(&self) -> bool {
        self.row.id != BodyId(0)
    }

    /// Writes what fills chunks of these bytes, and takes it out; with `all`, the rest as well.
    fn write(&mut self, writer: &mut dyn Writer, bytes: &mut Vec<u8>, all: bool, now: Now) -> Result<()> {
        if !self.is_begun() {
            self.row.id = writer.stage_body(now.seconds())?;
        }
        let most = if all { bytes.len() } else { bytes.len() / CHUNK * CHUNK };
        let taken: Vec<u8> = bytes.drain(..most).collect();
        for chunk in taken.chunks(CHUNK) {
            let frame = writer.pack(chunk)?;
            writer.put_chunk(self.row.id, self.row.chunks, &frame)?;
            self.row.stored += frame.size();
            self.row.chunks += 1;
        }
        self.row.size += taken.len() as u64;
        self.hash.update(&taken);
        Ok(())
    }

    /// The row of a part that is whole.
    fn part(&self) -> BodyRow {
        BodyRow { hash: take_hash(self.hash.clone().finish().as_ref()), ..self.row.clone() }
    }
}

impl Staging {
    /// A content of a message whose row has this header; empty where there is none.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, header: Bytes, now: Now) -> Self {
        let (hash, own) = (Context::new(&SHA256), Growing::new());
        let (splitter, matched) = (Splitter::default(), Some(0));
        Self { store, header, matched, splitter, hash, size: 0, own, parts: Vec::new(), now, row: None }
    }

    /// Takes the next bytes. More than 2 GiB in all is `limit.exceeded`.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        check_size(self.size + bytes.len() as u64)?;
        self.size += bytes.len() as u64;
        self.hash.update(bytes);
        let rest = self.after_header(bytes);
        self.splitter.push(rest);
        if self.splitter.pending() >= PENDING { self.flush(false) } else { Ok(()) }
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
        self.flush(true)?;
        let hash = take_hash(self.hash.clone().finish().as_ref());
        let header = self.matched.unwrap_or(0) as u64;
        let recipe = recipe::write(self.splitter.pieces());
        let parts: Vec<BodyRow> = self.parts.iter().map(Growing::part).collect();
        let row = BodyRow { hash, size: self.size, header, recipe, ..self.own.row.clone() };
        verify(&*self.store.read()?, &row, parts, &self.header)?;
        self.row = Some(row);
        Ok(())
    }

    /// Makes it visible, in the caller's transaction; its id. After [`Staging::finish`].
    pub fn publish(&mut self, writer: &mut dyn Writer) -> Result<BodyId> {
        let row = self.row.as_ref().ok_or_else(|| MailError::new(Code::Internal, "The content is not finished"))?;
        if let Some(same) = same_content(writer, &row.hash, row.header)? {
            self.begun().try_for_each(|begun| writer.delete_body(begun))?;
            return Ok(same);
        }
        let parts = self.parts.iter().map(|part| publish_part(writer, &part.part())).collect::<Result<Vec<_>>>()?;
        writer.publish_body(&BodyRow { parts, ..row.clone() })?;
        Ok(row.id)
    }

    /// Takes away what was written, after a failure. Not to be called inside a transaction. What is simply dropped goes
    /// with the store's upkeep, some time later.
    pub fn abandon(self) -> Result<()> {
        let mut writer = self.store.write(Durability::Bulk)?;
        self.begun().try_for_each(|begun| writer.delete_body(begun))?;
        writer.commit()
    }

    /// What has been written, parts first.
    fn begun(&self) -> impl Iterator<Item = BodyId> + '_ {
        let begun = self.parts.iter().chain([&self.own]).filter(|growing| growing.is_begun());
        begun.map(|growing| growing.row.id)
    }

    /// The content's length so far, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hash of the content. After [`Staging::finish`].
    pub fn hash(&self) -> Result<ContentHash> {
        self.row.as_ref().map(|row| row.hash).ok_or_else(|| MailError::from(Code::Internal))
    }

    /// Writes what fills chunks, or all that there is. Of a transaction that fails nothing is remembered: an id that was
    /// rolled back is given again.
    fn flush(&mut self, all: bool) -> Result<()> {
        let before: Vec<BodyRow> = self.parts.iter().map(|part| part.row.clone()).collect();
        let own = self.own.row.clone();
        let done = self.write(all);
        if done.is_err() {
            self.own.row = own;
            self.parts.truncate(before.len());
            self.parts.iter_mut().zip(before).for_each(|(part, row)| part.row = row);
        }
        done
    }

    fn write(&mut self, all: bool) -> Result<()> {
        let mut writer = self.store.write(Durability::Bulk)?;
        self.own.write(&mut *writer, self.splitter.stored(), all, self.now)?;
        for apart in self.splitter.apart() {
            if apart.number >= self.parts.len() {
                self.parts.push(Growing::new());
            }
            if let Some(part) = self.parts.get_mut(apart.number) {
                part.write(&mut *writer, &mut apart.bytes, apart.is_whole, self.now)?;
            }
        }
        self.splitter.apart().retain(|apart| !apart.is_whole);
        writer.commit()
    }
}

/// Publishes a part, or lets it go where it is here already.
fn publish_part(writer: &mut dyn Writer, row: &BodyRow) -> Result<BodyId> {
    match part_with(writer, &row.hash)? {
        Some(same) => writer.delete_body(row.id).map(|()| same.id),
        None => writer.publish_body(row).map(|()| row.id),
    }
}

/// Makes the content again and compares its hash.
fn verify(reader: &dyn Reader, row: &BodyRow, parts: Vec<BodyRow>, header: &Bytes) -> Result<()> {
    let mut content = Content::of(row.clone(), parts, header.clone())?;
    while content.next(reader)?.is_some() {}
    Ok(())
}
