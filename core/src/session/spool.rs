//! Making a message ready to be appended: its size known, its line ends CRLF.

use super::append::AppendSource;
use super::sender::body_error;
use crate::error::{Code, MailError, Result};
use bytes::{Bytes, BytesMut};
use memchr::{memchr, memchr_iter};
use std::cmp::Ordering;
use std::path::PathBuf;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio::sync::mpsc;

/// A message whose size is known.
pub(super) struct Prepared {
    pub len: u64,
    /// Whether it holds NUL, and so needs a literal8.
    pub binary: bool,
    pub source: Source,
}

/// Where the bytes are.
pub(super) enum Source {
    Bytes(Bytes),
    Chunks(mpsc::Receiver<Result<Bytes>>),
}

impl Prepared {
    /// Whether its bytes come while it is being sent.
    pub fn is_streamed(&self) -> bool {
        matches!(self.source, Source::Chunks(_))
    }
}

impl Source {
    /// The bytes if they are in hand, else the chunks.
    pub fn into_bytes(self) -> std::result::Result<Bytes, mpsc::Receiver<Result<Bytes>>> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Chunks(chunks) => Err(chunks),
        }
    }
}

/// Files up to this size are read at once.
const SMALL: u64 = 1 << 20;
/// Bytes read from a file at a time.
const READ: usize = 64 * 1024;

/// Finds out the size; reads a file through once, and keeps a stream of unknown length in a temporary file. Where there
/// is no connection to `spare`, every stream is: it may come from a call that waits for this one.
pub(super) async fn prepare(source: AppendSource, spare: bool) -> Result<Prepared> {
    match source {
        AppendSource::Bytes(bytes) => Ok(in_hand(bytes)),
        AppendSource::File(path) => file(path).await,
        AppendSource::Stream { len: Some(len), chunks } if spare => {
            Ok(Prepared { len, binary: false, source: Source::Chunks(chunks) })
        }
        AppendSource::Stream { len: Some(len), chunks } => announced(len, spool(chunks).await?).await,
        AppendSource::Stream { len: None, chunks } => match spool(chunks).await? {
            Spooled { held: Held::Memory(bytes), .. } => Ok(in_hand(bytes)),
            spooled => spooled.prepared().await,
        },
    }
}

/// A message for whoever stores it rather than sends it: its bytes, or pieces of them.
pub(crate) enum Whole {
    Bytes(Bytes),
    Chunks {
        chunks: mpsc::Receiver<Result<Bytes>>,
        /// How many bytes are still to come.
        left: u64,
    },
}

/// A message with its line ends CRLF where they are not taken as they are; `limit.exceeded` above `most` bytes.
pub(crate) async fn whole(source: AppendSource, most: u64) -> Result<Whole> {
    let Prepared { len, source, .. } = prepare(source, false).await?;
    if len > most {
        return Err(MailError::new(Code::LimitExceeded, format!("The message is larger than {most} bytes")));
    }
    Ok(match source {
        Source::Bytes(bytes) => Whole::Bytes(bytes),
        Source::Chunks(chunks) => Whole::Chunks { chunks, left: len },
    })
}

impl Whole {
    /// The next piece; `None` at the end. It blocks.
    pub fn next(&mut self) -> Option<Result<Bytes>> {
        match self {
            Self::Bytes(bytes) => Some(std::mem::take(bytes)).filter(|bytes| !bytes.is_empty()).map(Ok),
            Self::Chunks { chunks, left } => match chunks.blocking_recv() {
                Some(Ok(chunk)) => {
                    let Some(rest) = left.checked_sub(chunk.len() as u64) else { return Some(Err(not_as_long())) };
                    *left = rest;
                    Some(Ok(chunk))
                }
                None if *left > 0 => {
                    *left = 0;
                    Some(Err(not_as_long()))
                }
                ended => ended,
            },
        }
    }
}

fn not_as_long() -> MailError {
    body_error("is not as long as announced")
}

fn in_hand(bytes: Bytes) -> Prepared {
    let bytes = with_crlf(bytes);
    Prepared { len: bytes.len() as u64, binary: memchr(0, &bytes).is_some(), source: Source::Bytes(bytes) }
}

/// The same bytes, with CR before each bare line feed; not copied where none is bare.
fn with_crlf(bytes: Bytes) -> Bytes {
    let mut lines = LineEnds::default();
    if lines.bare(&bytes) == 0 {
        return bytes;
    }
    LineEnds::default().convert(&bytes)
}

/// Line ends across chunks.
#[derive(Default)]
struct LineEnds {
    after_cr: bool,
}

impl LineEnds {
    fn bare(&mut self, chunk: &[u8]) -> u64 {
        let before = |at: usize| if at == 0 { self.after_cr } else { chunk.get(at - 1) == Some(&b'\r') };
        let bare = memchr_iter(b'\n', chunk).filter(|at| !before(*at)).count();
        self.after_cr = chunk.last().map_or(self.after_cr, |b| *b == b'\r');
        bare as u64
    }

    fn convert(&mut self, chunk: &[u8]) -> Bytes {
        let mut out = BytesMut::with_capacity(chunk.len() + chunk.len() / 32 + 1);
        let mut from = 0;
        for at in memchr_iter(b'\n', chunk) {
            let before = if at == 0 { self.after_cr } else { chunk.get(at - 1) == Some(&b'\r') };
            if !before {
                out.extend_from_slice(chunk.get(from..at).unwrap_or_default());
                out.extend_from_slice(b"\r");
                from = at;
            }
        }
        out.extend_from_slice(chunk.get(from..).unwrap_or_default());
        self.after_cr = chunk.last().map_or(self.after_cr, |b| *b == b'\r');
        out.freeze()
    }
}

async fn file(path: PathBuf) -> Result<Prepared> {
    let name = path.display().to_string();
    let unreadable = |e: &std::io::Error| unreadable(&name, e);
    let mut file = File::open(&path).await.map_err(|e| unreadable(&e))?;
    let size = file.metadata().await.map_err(|e| unreadable(&e))?.len();
    if size <= SMALL {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).await.map_err(|e| unreadable(&e))?;
        return Ok(in_hand(bytes.into()));
    }
    let (mut lines, mut len, mut binary) = (LineEnds::default(), 0, false);
    let mut buffer = BytesMut::with_capacity(READ);
    while file.read_buf(&mut buffer).await.map_err(|e| unreadable(&e))? > 0 {
        len += buffer.len() as u64 + lines.bare(&buffer);
        binary |= memchr(0, &buffer).is_some();
        buffer.clear();
    }
    file.rewind().await.map_err(|e| unreadable(&e))?;
    Ok(Prepared { len, binary, source: Source::Chunks(read(file, name, Some(LineEnds::default()))) })
}

/// Reads a file chunk by chunk, a few ahead of the socket; `lines` makes its line ends CRLF.
fn read(mut file: File, name: String, mut lines: Option<LineEnds>) -> mpsc::Receiver<Result<Bytes>> {
    let (chunks, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        loop {
            let mut buffer = BytesMut::with_capacity(READ);
            let chunk = match (file.read_buf(&mut buffer).await, &mut lines) {
                (Ok(0), _) => return,
                (Ok(_), Some(lines)) => Ok(lines.convert(&buffer)),
                (Ok(_), None) => Ok(buffer.freeze()),
                (Err(error), _) => Err(unreadable(&name, &error)),
            };
            if chunks.send(chunk).await.is_err() {
                return;
            }
        }
    });
    receiver
}

/// A stream that has been read to its end.
struct Spooled {
    len: u64,
    binary: bool,
    held: Held,
}

enum Held {
    Memory(Bytes),
    File(File),
}

impl Spooled {
    /// The same bytes.
    async fn prepared(self) -> Result<Prepared> {
        let source = match self.held {
            Held::Memory(bytes) => Source::Bytes(bytes),
            Held::File(mut file) => {
                file.flush().await.map_err(|e| no_file(&e))?;
                file.rewind().await.map_err(|e| no_file(&e))?;
                Source::Chunks(read(file, "The temporary file".to_owned(), None))
            }
        };
        Ok(Prepared { len: self.len, binary: self.binary, source })
    }
}

/// A stream of the length that was announced for it.
async fn announced(len: u64, spooled: Spooled) -> Result<Prepared> {
    match spooled.len.cmp(&len) {
        Ordering::Less => Err(body_error("is shorter than announced")),
        Ordering::Greater => Err(body_error("is longer than announced")),
        Ordering::Equal => spooled.prepared().await,
    }
}

async fn spool(mut chunks: mpsc::Receiver<Result<Bytes>>) -> Result<Spooled> {
    let (mut held, mut file) = (BytesMut::new(), None);
    let (mut binary, mut len) = (false, 0);
    while let Some(chunk) = chunks.recv().await {
        let chunk = chunk?;
        len += chunk.len() as u64;
        binary |= memchr(0, &chunk).is_some();
        held.extend_from_slice(&chunk);
        if held.len() as u64 > SMALL {
            keep(&mut file, &held).await?;
            held.clear();
        }
    }
    if file.is_some() {
        keep(&mut file, &held).await?;
    }
    Ok(Spooled { len, binary, held: file.map_or_else(|| Held::Memory(held.freeze()), Held::File) })
}

/// Adds to the temporary file, and makes it where there is none.
async fn keep(file: &mut Option<File>, bytes: &[u8]) -> Result<()> {
    let file = match file {
        Some(file) => file,
        None => file.insert(File::from_std(tempfile::tempfile().map_err(|e| no_file(&e))?)),
    };
    file.write_all(bytes).await.map_err(|e| no_file(&e))
}

fn no_file(error: &std::io::Error) -> MailError {
    MailError::new(Code::FileIo, format!("No temporary file could be used: {error}"))
}

fn unreadable(name: &str, error: &std::io::Error) -> MailError {
    MailError::new(Code::FileIo, format!("{name} could not be read: {error}"))
}
