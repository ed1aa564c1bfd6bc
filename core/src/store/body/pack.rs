//! A content made ready outside of any transaction: split, compressed, made again and compared. What is left to do is to
//! write it down.

use super::read::{Content, damaged, hash_of};
use super::recipe;
use super::split::Splitter;
use super::stage::{check_size, same_content};
use crate::error::{Code, Result};
use crate::store::{BodyId, BodyRow, CHUNK, Frame, Now, Reader, Writer};
use bytes::Bytes;

/// A content that is ready to be put down, in memory as it will be stored.
#[derive(Clone, Debug)]
pub struct Packed {
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
    let (size, rest) = (content.len() as u64, rest.unwrap_or(content));
    let (hash, recipe) = (hash_of(content), Vec::new());
    let row = BodyRow { id: BodyId(0), hash, size, header: left_out, recipe, chunks: 0, stored: 0 };
    let mut splitter = Splitter::default();
    splitter.push(rest);
    splitter.finish();
    let recipe = recipe::write(splitter.pieces());
    match compress(reader, BodyRow { recipe, ..row.clone() }, splitter.stored(), (content, header)) {
        // Cannot be; and if it were, the message is stored as it is.
        Err(error) if error.code() == Code::StoreDamaged => compress(reader, row, rest, (content, header)),
        done => done,
    }
}

fn compress(
    reader: &dyn Reader,
    mut row: BodyRow,
    stored: &[u8],
    (content, header): (&[u8], &Bytes),
) -> Result<Packed> {
    let frames = stored.chunks(CHUNK).map(|chunk| reader.pack(chunk)).collect::<Result<Vec<_>>>()?;
    row.chunks = u32::try_from(frames.len()).unwrap_or(u32::MAX);
    row.stored = frames.iter().map(Frame::size).sum();
    let packed = Packed { row, frames };
    packed.compare(reader, content, header)?;
    Ok(packed)
}

impl Packed {
    /// Makes the content again, and compares it with what came.
    fn compare(&self, reader: &dyn Reader, content: &[u8], header: &Bytes) -> Result<()> {
        let mut made = Content::of(self.row.clone(), header.clone())?.unhashed();
        let frame = |number: u32| self.frames.get(usize::try_from(number).unwrap_or(usize::MAX)).ok_or_else(damaged);
        let mut left = content;
        while let Some(piece) = made.step(&mut |number| reader.unpack(frame(number)?))? {
            left = left.strip_prefix(&piece[..]).ok_or_else(damaged)?;
        }
        if left.is_empty() { Ok(()) } else { Err(damaged()) }
    }

    /// Length of the whole message, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.row.size
    }

    /// Puts it down in the transaction that is open; its id. The same content is stored once.
    pub fn put(&self, writer: &mut dyn Writer, now: Now) -> Result<BodyId> {
        if let Some(same) = same_content(writer, &self.row.hash, self.row.header)? {
            return Ok(same);
        }
        let id = writer.stage_body(now.seconds())?;
        for (number, frame) in (0..).zip(&self.frames) {
            writer.put_chunk(id, number, frame)?;
        }
        writer.publish_body(&BodyRow { id, ..self.row.clone() })?;
        Ok(id)
    }
}

/// Makes a whole content ready and puts it down, in the transaction that is open; its id. As [`pack`].
pub fn put(writer: &mut dyn Writer, content: &[u8], header: &Bytes, now: Now) -> Result<BodyId> {
    let packed = pack(writer, content, header)?;
    packed.put(writer, now)
}
