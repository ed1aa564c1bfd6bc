//! A segment as bytes: the head, and blocks of words with their postings.

use super::bits::{BitReader, BitWriter};
use super::damaged;
use crate::error::Result;

/// Bytes of words or of postings after which a block ends.
const BLOCK: usize = 16 * 1024;

/// Set in a field's number for the seams of that field.
pub(super) const SEAM: u8 = 0x10;

/// What ends the head of a segment that is current.
const CURRENT: u64 = 1;

/// What the index holds of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The message's id.
    pub id: i64,
    /// Its header fields.
    pub header: bool,
    /// Its text.
    pub body: bool,
    /// The seams between the words of all that is held here of it.
    pub seams: bool,
    /// How many words it has, different ones, a field apart from another: at most as a power of two.
    pub length: u32,
}

/// What stands in the head of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Its messages, by ascending id. Postings are places in this list.
    pub docs: Vec<Held>,
    /// The first word of each block: the field's number, then its text.
    pub starts: Vec<Vec<u8>>,
    /// Whether its messages need not be looked at again: none is without seams that could have them. Segments of earlier
    /// versions have no seams.
    pub is_current: bool,
}

/// A block of a segment. Words stand each on a line of its own, ascending: the field's number, the word, `\n`. Seams stand
/// among them, as words of a field whose number has `SEAM` set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// The words, as text.
    pub words: Vec<u8>,
    /// Their postings, in the same order.
    pub postings: Vec<u8>,
}

/// A segment, to be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentData {
    /// See [`Head::parse`].
    pub head: Vec<u8>,
    /// The blocks, by number.
    pub blocks: Vec<Block>,
}

impl Head {
    /// Reads a head; `store.damaged` where it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        parse(bytes).ok_or_else(damaged)
    }

    /// As bytes, for [`Head::parse`].
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.docs.len() * 3);
        varint(&mut out, self.docs.len() as u64);
        let mut next = 0;
        for doc in &self.docs {
            varint(&mut out, u64::try_from(doc.id - next).unwrap_or_default());
            let length = doc.length.max(1).ilog2() as u8;
            out.push(u8::from(doc.seams) << 7 | length << 2 | u8::from(doc.body) << 1 | u8::from(doc.header));
            next = doc.id + 1;
        }
        varint(&mut out, self.starts.len() as u64);
        for start in &self.starts {
            varint(&mut out, start.len() as u64);
            out.extend(start);
        }
        if self.is_current {
            varint(&mut out, CURRENT);
        }
        out
    }

    /// How many messages; postings are below it.
    #[must_use]
    pub fn universe(&self) -> u32 {
        u32::try_from(self.docs.len()).unwrap_or(u32::MAX)
    }
}

fn parse(mut bytes: &[u8]) -> Option<Head> {
    let mut head = Head::default();
    let mut next: i64 = 0;
    for _ in 0..read_varint(&mut bytes)? {
        let id = next.checked_add(i64::try_from(read_varint(&mut bytes)?).ok()?)?;
        let (held, rest) = bytes.split_first()?;
        bytes = rest;
        let length = 1_u32.checked_shl(u32::from(held >> 2 & 0x1F))?;
        head.docs.push(Held { id, header: held & 1 != 0, body: held & 2 != 0, seams: held & 0x80 != 0, length });
        next = id.checked_add(1)?;
    }
    for _ in 0..read_varint(&mut bytes)? {
        let length = usize::try_from(read_varint(&mut bytes)?).ok()?;
        let (start, rest) = bytes.split_at_checked(length)?;
        head.starts.push(start.to_vec());
        bytes = rest;
    }
    head.is_current = !bytes.is_empty() && read_varint(&mut bytes)? == CURRENT;
    bytes.is_empty().then_some(head)
}

/// Writes a segment, given its words in order.
pub(super) struct Builder {
    head: Head,
    blocks: Vec<Block>,
    words: Vec<u8>,
    postings: BitWriter,
}

impl Builder {
    pub(super) fn new(docs: Vec<Held>, is_current: bool) -> Self {
        let head = Head { docs, starts: Vec::new(), is_current };
        Self { head, blocks: Vec::new(), words: Vec::new(), postings: BitWriter::default() }
    }

    /// `word` begins with its field's number and is larger than the one before; `list` ascends and is not empty.
    pub(super) fn word(&mut self, word: &[u8], list: &[u32]) {
        if self.words.is_empty() {
            self.head.starts.push(word.to_vec());
        }
        self.words.extend(word);
        self.words.push(b'\n');
        self.postings.list(list, self.head.universe());
        if self.words.len() >= BLOCK || self.postings.len() >= BLOCK {
            self.end_block();
        }
    }

    fn end_block(&mut self) {
        let words = std::mem::take(&mut self.words);
        let postings = std::mem::take(&mut self.postings).finish();
        self.blocks.push(Block { words, postings });
    }

    pub(super) fn finish(mut self) -> SegmentData {
        if !self.words.is_empty() {
            self.end_block();
        }
        SegmentData { head: self.head.write(), blocks: self.blocks }
    }
}

/// Goes through the words of a block.
pub(super) struct BlockReader<'a> {
    words: &'a [u8],
    postings: BitReader<'a>,
    universe: u32,
}

impl<'a> BlockReader<'a> {
    pub(super) fn new(words: &'a [u8], postings: &'a [u8], universe: u32) -> Self {
        Self { words, postings: BitReader::new(postings), universe }
    }

    /// The next word; its postings are added to `list`.
    pub(super) fn next(&mut self, list: &mut Vec<u32>) -> Result<Option<&'a [u8]>> {
        if self.words.is_empty() {
            return Ok(None);
        }
        let word = self.word()?;
        self.postings.list(self.universe, list).ok_or_else(damaged)?;
        Ok(Some(word))
    }

    /// Goes past a word.
    pub(super) fn skip(&mut self) -> Result<()> {
        self.word()?;
        self.postings.skip(self.universe).ok_or_else(damaged)
    }

    fn word(&mut self) -> Result<&'a [u8]> {
        let end = memchr::memchr(b'\n', self.words).ok_or_else(damaged)?;
        let (word, rest) = self.words.split_at_checked(end).ok_or_else(damaged)?;
        self.words = rest.get(1..).unwrap_or_default();
        Ok(word)
    }
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
