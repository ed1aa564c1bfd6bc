//! Putting a small content down: made ready outside of any transaction (split, compressed, made again and compared), and
//! then only written.

use super::read::{Content, damaged, hash_of};
use super::split::Splitter;
use super::{check_size, recipe};
use crate::error::{Code, Result};
use crate::store::{BodyId, BodyRow, CHUNK, ContentHash, Frame, Now, Reader, Writer};
use bytes::Bytes;

/// A content that is ready to be put down, in memory as it will be stored.
#[derive(Clone, Debug)]
pub struct Packed {
    own: Chunks,
    parts: Vec<Chunks>,
}

/// A row without an id, and its chunks.
#[derive(Clone, Debug)]
struct Chunks {
    row: BodyRow,
    frames: Vec<Frame>,
}

/// Makes a whole content ready. For those of a few megabytes at most.
///
/// `header` is that of the message as its row has it: a content that begins with it is stored without it.
pub fn pack(reader: &dyn Reader, content: &[u8], header: &Bytes) -> Result<Packed> {
    check_size(content.len() as u64)?;
    let rest = content.strip_prefix(&header[..]);
    let left_out = if rest.is_some() { header.len() as u64 } else { 0 };
    let row = BodyRow { header: left_out, ..unwritten(hash_of(content), content.len() as u64) };
    let rest = rest.unwrap_or(content);
    let mut splitter = Splitter::default();
    splitter.push(rest);
    splitter.finish();
    let parts = std::mem::take(splitter.apart()).into_iter();
    let parts = parts.map(|apart| Chunks::part(reader, &apart.bytes)).collect::<Result<Vec<_>>>()?;
    let split = BodyRow { recipe: recipe::write(splitter.pieces()), ..row.clone() };
    let packed = Packed { own: Chunks::new(reader, split, splitter.stored())?, parts };
    match packed.compare(reader, content, header) {
        Ok(()) => Ok(packed),
        // Cannot be; and if it were, the message is stored as it is.
        Err(error) if error.code() == Code::StoreDamaged => {
            let plain = Packed { own: Chunks::new(reader, row, rest)?, parts: Vec::new() };
            plain.compare(reader, content, header).map(|()| plain)
        }
        Err(error) => Err(error),
    }
}

/// Makes a whole content ready and puts it down, in the transaction that is open; its id. As [`pack`] and
/// [`Packed::put`].
pub fn put(writer: &mut dyn Writer, content: &[u8], header: &Bytes, now: Now) -> Result<BodyId> {
    pack(writer, content, header)?.put(writer, now)
}

impl Packed {
    /// Makes the content again, and compares it with what came.
    fn compare(&self, reader: &dyn Reader, content: &[u8], header: &Bytes) -> Result<()> {
        let all: Vec<&Chunks> = std::iter::once(&self.own).chain(&self.parts).collect();
        // While nothing has an id, the place in this list is one.
        let named = (0..).map(BodyId).zip(&all).map(|(id, chunks)| BodyRow { id, ..chunks.row.clone() });
        let mut rows: Vec<BodyRow> = named.collect();
        let parts = rows.split_off(1);
        let own = rows.pop().ok_or_else(damaged)?;
        let mut made = Content::of(own, parts, header.clone())?.unhashed();
        let frame = |body: BodyId, number: u32| {
            let chunks = all.get(usize::try_from(body.0).ok()?)?;
            chunks.frames.get(usize::try_from(number).ok()?)
        };
        let mut left = content;
        while let Some(piece) =
            made.step(&mut |body, number| reader.unpack(frame(body, number).ok_or_else(damaged)?))?
        {
            left = left.strip_prefix(&piece[..]).ok_or_else(damaged)?;
        }
        if left.is_empty() { Ok(()) } else { Err(damaged()) }
    }

    /// The hash of the content.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        self.own.row.hash
    }

    /// Puts it down in the transaction that is open; its id. The same content is stored once, and so is the same part.
    pub fn put(&self, writer: &mut dyn Writer, now: Now) -> Result<BodyId> {
        if let Some(same) = same_content(writer, &self.own.row.hash, self.own.row.header)? {
            return Ok(same);
        }
        let mut parts = Vec::new();
        for part in &self.parts {
            parts.push(match part_with(writer, &part.row.hash)? {
                Some(same) => same.id,
                None => part.write(writer, Vec::new(), now)?,
            });
        }
        self.own.write(writer, parts, now)
    }
}

impl Chunks {
    fn new(reader: &dyn Reader, mut row: BodyRow, stored: &[u8]) -> Result<Self> {
        let frames = stored.chunks(CHUNK).map(|chunk| reader.pack(chunk)).collect::<Result<Vec<_>>>()?;
        row.chunks = u32::try_from(frames.len()).unwrap_or(u32::MAX);
        row.stored = frames.iter().map(Frame::size).sum();
        Ok(Self { row, frames })
    }

    /// What an attachment decodes to.
    fn part(reader: &dyn Reader, content: &[u8]) -> Result<Self> {
        Self::new(reader, unwritten(hash_of(content), content.len() as u64), content)
    }

    fn write(&self, writer: &mut dyn Writer, parts: Vec<BodyId>, now: Now) -> Result<BodyId> {
        let id = writer.stage_body(now.seconds())?;
        for (number, frame) in (0..).zip(&self.frames) {
            writer.put_chunk(id, number, frame)?;
        }
        writer.publish_body(&BodyRow { id, parts, ..self.row.clone() })?;
        Ok(id)
    }
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
