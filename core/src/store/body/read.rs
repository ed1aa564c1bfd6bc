//! Reading a content: whole, as a stream, or from any place in it.

use super::recipe::{Base64, Piece, parse};
use crate::error::{Code, MailError, Result};
use crate::store::{BodyId, BodyRow, CHUNK, ContentHash, MessageId, Reader};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ring::digest::{Context, SHA256, digest};

/// Most bytes of a piece that is given at once.
const PIECE: usize = 64 << 10;

/// A content that is being read.
///
/// It holds no snapshot: a content never changes, so each piece may be read from another one. Let go meanwhile, it is
/// `body.not_here`.
pub struct Content {
    row: BodyRow,
    parts: Vec<BodyRow>,
    header: Bytes,
    pieces: Vec<Piece>,
    /// The next byte of the message.
    at: u64,
    /// The piece of the recipe that the next byte is in, and where it and what it is made of begin; parts before it.
    piece: usize,
    made: u64,
    stored: u64,
    passed: usize,
    chunk: Option<(BodyId, u32, Bytes)>,
    /// Of all that was read, as long as nothing was left out.
    hash: Option<Context>,
}

/// Lines of base64 that were gone past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Their length as they stand in the message.
    pub bytes: u64,
    /// How many line ends they have.
    pub lines: u64,
    /// What the last of them ends with.
    pub end: &'static [u8],
}

/// Gives a chunk of a content by its number.
pub(super) type Load<'a> = &'a mut dyn FnMut(BodyId, u32) -> Result<Vec<u8>>;

/// The content of a message: `body.not_here` where it is not held.
pub fn open(reader: &dyn Reader, message: MessageId) -> Result<Content> {
    let missing = || MailError::new(Code::MessageMissing, "The message is no longer there");
    let row = reader.message(message)?.ok_or_else(missing)?;
    let body = row.body.ok_or_else(not_here)?;
    let header = match reader.body(body)? {
        Some(content) if content.header > 0 => reader.headers(message)?.ok_or_else(missing)?.header,
        _ => Bytes::new(),
    };
    Content::new(reader, body, header)
}

/// The content of a message in memory; one larger than `largest` bytes is `limit.exceeded`.
pub fn read(reader: &dyn Reader, message: MessageId, largest: u64) -> Result<Bytes> {
    let content = open(reader, message)?;
    if content.size() > largest {
        return Err(MailError::new(Code::LimitExceeded, format!("The message has {} bytes", content.size())));
    }
    content.rest(reader)
}

/// Whose chunks are read.
#[derive(Clone, Copy)]
struct Source {
    body: BodyId,
    chunks: u32,
}

impl Content {
    /// A content by its id; `header` is that of the message, for a content that is stored without it.
    pub fn new(reader: &dyn Reader, body: BodyId, header: Bytes) -> Result<Self> {
        let row = reader.body(body)?.ok_or_else(not_here)?;
        let parts = row.parts.iter().map(|part| reader.body(*part)?.ok_or_else(damaged));
        let parts = parts.collect::<Result<Vec<_>>>()?;
        Self::of(row, parts, header)
    }

    /// One whose parts are in hand; none of them need be published.
    pub(super) fn of(row: BodyRow, parts: Vec<BodyRow>, mut header: Bytes) -> Result<Self> {
        let left_out = usize::try_from(row.header).ok().filter(|length| *length <= header.len());
        header.truncate(left_out.ok_or_else(damaged)?);
        let pieces = parse(&row.recipe, row.size.checked_sub(row.header).ok_or_else(damaged)?)?;
        let hash = Some(Context::new(&SHA256));
        let made = row.header;
        Ok(Self { row, parts, header, pieces, at: 0, piece: 0, made, stored: 0, passed: 0, chunk: None, hash })
    }

    /// Its length, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.row.size
    }

    /// Its hash.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        self.row.hash
    }

    /// All that is left of it, in memory.
    pub fn rest(mut self, reader: &dyn Reader) -> Result<Bytes> {
        let mut out = Vec::with_capacity(usize::try_from(self.size().saturating_sub(self.at)).unwrap_or(0));
        while let Some(piece) = self.next(reader)? {
            out.extend_from_slice(&piece);
        }
        Ok(out.into())
    }

    /// Goes on from that byte. Beyond the end there is nothing more.
    pub fn seek(&mut self, at: u64) {
        if at != self.at {
            self.hash = None;
        }
        (self.at, self.piece, self.made, self.stored, self.passed) = (at, 0, self.row.header, 0, 0);
        self.skip();
    }

    /// Goes past an attachment that is stored apart, if one begins at the next byte. It is not read.
    pub fn pass(&mut self) -> Option<Passed> {
        self.skip();
        let piece = self.pieces.get(self.piece).filter(|_| self.made == self.at);
        let Some(Piece::Base64(base64)) = piece.filter(|piece| piece.is_apart()) else { return None };
        let (passed, end) = (base64.made(), if base64.is_ended() { base64.end() } else { b"" });
        let lines = base64.lines + u64::from(base64.last > 0 && base64.ended);
        self.at += passed;
        self.hash = None;
        Some(Passed { bytes: passed, lines, end })
    }

    /// Past the pieces that end before the next byte.
    fn skip(&mut self) {
        while let Some(piece) = self.pieces.get(self.piece).filter(|piece| self.made + piece.made() <= self.at) {
            self.made += piece.made();
            self.stored += piece.stored();
            self.passed += usize::from(piece.is_apart());
            self.piece += 1;
        }
    }

    /// The next bytes, at most 64 KiB; `None` at the end. What was read from the beginning to the end is compared with
    /// its hash: `store.damaged`.
    pub fn next(&mut self, reader: &dyn Reader) -> Result<Option<Bytes>> {
        let id = self.row.id;
        self.step(&mut |body, number| match reader.chunk(body, number) {
            // Told apart: let go since, or not all there. A content that is being staged has no row yet.
            Err(error) if error.code() == Code::StoreDamaged && reader.body(id)?.is_none() => Err(not_here()),
            chunk => chunk,
        })
    }

    /// The next bytes, at most so many: for the end of a range, since what else the piece had is passed.
    pub fn up_to(&mut self, reader: &dyn Reader, most: u64) -> Result<Option<Bytes>> {
        let mut piece = self.next(reader)?;
        if let Some(bytes) = &mut piece {
            bytes.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        }
        Ok(piece)
    }

    /// The same without a hash at its end: who compares has the content.
    pub(super) fn unhashed(mut self) -> Self {
        self.hash = None;
        self
    }

    /// The next bytes, of chunks that `load` gives.
    pub(super) fn step(&mut self, load: Load<'_>) -> Result<Option<Bytes>> {
        if self.at >= self.row.size {
            return self.verify().map(|()| None);
        }
        let bytes = if self.at < self.row.header { self.of_header()? } else { self.of_chunks(load)? };
        if bytes.is_empty() {
            return Err(damaged());
        }
        self.at += bytes.len() as u64;
        if let Some(hash) = &mut self.hash {
            hash.update(&bytes);
        }
        Ok(Some(bytes))
    }

    fn verify(&mut self) -> Result<()> {
        let hash = self.hash.take().map(|hash| take_hash(hash.finish().as_ref()));
        if hash.is_some_and(|hash| hash != self.row.hash) { Err(damaged()) } else { Ok(()) }
    }

    fn of_header(&self) -> Result<Bytes> {
        let from = usize::try_from(self.at).map_err(|_| damaged())?;
        let to = self.header.len().min(from + PIECE);
        if from < to { Ok(self.header.slice(from..to)) } else { Err(damaged()) }
    }

    fn of_chunks(&mut self, load: Load<'_>) -> Result<Bytes> {
        self.skip();
        let within = self.at - self.made;
        match self.pieces.get(self.piece) {
            Some(Piece::Plain(length)) => {
                let most = (length - within).min(PIECE as u64);
                self.stored_bytes(load, self.own(), self.stored + within, most)
            }
            Some(Piece::Base64(base64)) => self.lines(load, *base64, within),
            None => Err(damaged()),
        }
    }

    fn own(&self) -> Source {
        Source { body: self.row.id, chunks: self.row.chunks }
    }

    /// The part that the piece of the next byte is made of.
    fn part(&self) -> Result<Source> {
        let part = self.parts.get(self.passed).ok_or_else(damaged)?;
        Ok(Source { body: part.id, chunks: part.chunks })
    }

    /// Lines of base64 from a character on: some full ones, or the last.
    fn lines(&mut self, load: Load<'_>, base64: Base64, within: u64) -> Result<Bytes> {
        let line = within / base64.stride();
        let skipped = usize::try_from(within % base64.stride()).map_err(|_| damaged())?;
        let (source, first) = match base64.apart {
            true => (self.part()?, 0),
            false => (self.own(), self.stored),
        };
        let from = first + line * base64.line() as u64;
        let mut out = Vec::with_capacity(PIECE);
        if line < base64.lines {
            let lines = (base64.lines - line).min((PIECE as u64 / base64.stride()).max(1));
            let decoded = self.exactly(load, source, from, lines * base64.line() as u64)?;
            for full in decoded.chunks(base64.line()) {
                encode(full, &mut out);
                out.extend_from_slice(base64.end());
            }
        } else {
            let decoded = self.exactly(load, source, from, u64::from(base64.last))?;
            encode(&decoded, &mut out);
            out.extend_from_slice(if base64.ended { base64.end() } else { b"" });
        }
        if skipped > out.len() {
            return Err(damaged());
        }
        Ok(Bytes::from(out).slice(skipped..))
    }

    /// So many stored bytes, from several chunks where they lie so.
    fn exactly(&mut self, load: Load<'_>, source: Source, mut from: u64, mut most: u64) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(usize::try_from(most).unwrap_or(0).min(CHUNK));
        while most > 0 {
            let bytes = self.stored_bytes(load, source, from, most)?;
            from += bytes.len() as u64;
            most -= bytes.len() as u64;
            out.extend_from_slice(&bytes);
        }
        Ok(out)
    }

    /// Stored bytes from one chunk, at least one of them.
    fn stored_bytes(&mut self, load: Load<'_>, source: Source, from: u64, most: u64) -> Result<Bytes> {
        let (number, within) = (from / CHUNK as u64, from % CHUNK as u64);
        let number = u32::try_from(number).ok().filter(|number| *number < source.chunks).ok_or_else(damaged)?;
        let chunk = match &self.chunk {
            Some((body, held, chunk)) if (*body, *held) == (source.body, number) => chunk.clone(),
            _ => {
                let chunk = Bytes::from(load(source.body, number)?);
                self.chunk = Some((source.body, number, chunk.clone()));
                chunk
            }
        };
        let within = usize::try_from(within).map_err(|_| damaged())?;
        let end = usize::try_from(most).ok().and_then(|most| within.checked_add(most)).unwrap_or(usize::MAX);
        if within >= chunk.len() { Err(damaged()) } else { Ok(chunk.slice(within..end.min(chunk.len()))) }
    }
}

/// SHA-256 of a whole content.
#[must_use]
pub fn hash_of(content: &[u8]) -> ContentHash {
    take_hash(digest(&SHA256, content).as_ref())
}

pub(super) fn take_hash(hash: &[u8]) -> ContentHash {
    ContentHash(hash.try_into().unwrap_or_default())
}

fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    let at = out.len();
    out.resize(at + bytes.len().div_ceil(3) * 4, 0);
    let written = out.get_mut(at..).and_then(|to| STANDARD.encode_slice(bytes, to).ok());
    out.truncate(at + written.unwrap_or(0));
}

fn not_here() -> MailError {
    MailError::new(Code::BodyNotHere, "The body of this message is not held here").hint("Fetch it from the server")
}

pub(super) fn damaged() -> MailError {
    MailError::new(Code::StoreDamaged, "The store's file is damaged: a content is not what was written")
}
