//! The content of one part: whole when it is small, in partial fetches when it is not.

use super::kept::Pieces;
use super::message::{Apart, Message};
use super::task::Task;
use crate::error::{Code, MailError, Result};
use crate::imap::command::FetchItem;
use crate::imap::{BodyStructure, Section};
use crate::message::{self, ParsedMessage, TransferDecoder, TransferEncoding};
use crate::wire::Octets;
use bytes::{Buf, Bytes, BytesMut};
use std::collections::VecDeque;

/// Largest section that is fetched in one go: so long do other commands of the connection wait behind it.
const WHOLE: u64 = 1 << 20;
/// Bytes of one partial fetch.
const PARTIAL: u64 = 512 * 1024;
/// Partial fetches under way at once.
const AHEAD: usize = 3;
/// Largest text of a message that is kept here.
const LARGEST: u64 = 1 << 30;
/// Largest piece that a stream gives.
const PIECE: usize = 256 * 1024;

/// A whole section. `octets` is its size as far as it is known.
pub(super) async fn whole(message: &Message, section: &Section, octets: Option<u64>) -> Result<Bytes> {
    if octets.is_some_and(|n| n <= WHOLE) {
        return Ok(fetch(message, section, None).await?.0.into_bytes());
    }
    gather(PartStream::new(message, section.clone(), octets, None), u64::MAX).await
}

/// The whole header. No server tells its size, so it is fetched in stretches, of which mostly the first is all there is;
/// one that is larger than a response may be is refused.
pub(super) async fn header(message: &Message) -> Result<Bytes> {
    let most = message.live()?.session().account().limits.response as u64;
    gather(PartStream::new(message, Section::header(), None, None), most).await
}

async fn gather(mut stream: PartStream, most: u64) -> Result<Bytes> {
    let mut content = BytesMut::new();
    while let Some(piece) = stream.next().await? {
        content.extend_from_slice(&piece);
        if content.len() as u64 > most {
            return Err(MailError::new(Code::LimitExceeded, format!("The header is larger than {most} bytes")));
        }
    }
    Ok(content.freeze())
}

/// A section of a large message that is kept here, as its bytes are.
pub(super) async fn kept(message: &Message, section: &[u32]) -> Result<Bytes> {
    let (Some(Apart::Large(outlined)), Some(source)) = (message.apart().await?, message.source()) else {
        return Err(Code::Internal.into());
    };
    let at = outlined.section(section).unwrap_or_default();
    if at.end - at.start > LARGEST {
        return Err(MailError::new(Code::LimitExceeded, format!("The text is larger than {LARGEST} bytes")));
    }
    let (mut pieces, mut content) = (source.pieces(at), BytesMut::new());
    while let Some(piece) = pieces.next().await? {
        content.extend_from_slice(&piece);
    }
    Ok(content.freeze())
}

/// A stream of the whole raw message of a live session, from that byte on.
pub(super) fn stream_from(message: &Message, at: u64) -> PartStream {
    let stream = PartStream::new(message, Section::default(), message.size(), None);
    PartStream { begin: at, asked: at, came: at, ..stream }
}

/// A stream of a part by its section numbers, decoded; of the whole raw message for `None`.
pub(super) fn stream(message: &Message, path: Option<&str>) -> Result<PartStream> {
    let Some(path) = path else {
        if let Some(source) = message.source() {
            return Ok(PartStream::kept(message, Held::Pieces(source.pieces(0..u64::MAX))));
        }
        return Ok(PartStream::new(message, Section::default(), message.size(), None));
    };
    let numbers: Option<Vec<u32>> = path.split('.').map(|n| n.parse().ok().filter(|n| *n > 0)).collect();
    let numbers = numbers.ok_or_else(|| {
        MailError::new(Code::UsageArgument, "A part is named by numbers from 1, with dots between")
            .hint("For example 2.1")
    })?;
    if message.source().is_some() {
        return Ok(PartStream::kept(message, Held::Part(numbers)));
    }
    let structure = message.structure();
    let part = structure.as_ref().and_then(|s| message::part_at(s, &numbers));
    let encoding = part.and_then(|p| p.encoding.as_deref()).map(TransferEncoding::from_label);
    let octets = part.and_then(|p| p.octets);
    Ok(PartStream::new(message, Section::part(&numbers), octets, encoding))
}

/// The content of a part, a piece at a time. A few partial fetches are under way ahead of the reader, so about 2 MiB are
/// in memory however large the part is.
#[derive(Debug)]
pub struct PartStream {
    message: Message,
    section: Section,
    octets: Option<u64>,
    decoder: Option<TransferDecoder>,
    /// Whether this server gives the whole part whatever stretch is asked for; `None` as long as nobody has looked.
    whole: Option<bool>,
    /// The first byte that is wanted.
    begin: u64,
    /// Offset of the next partial fetch to ask for, and of the next byte to come.
    asked: u64,
    came: u64,
    ahead: VecDeque<Task<(Octets, bool)>>,
    ready: VecDeque<Bytes>,
    ended: bool,
    /// What to read, for a message of a local mailbox.
    held: Option<Held>,
}

/// What is read of a message that is kept here.
enum Held {
    /// All of it, or the part of it that was found.
    Pieces(Box<dyn Pieces>),
    /// A part by its section numbers.
    Part(Vec<u32>),
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pieces(_) => f.write_str("Pieces"),
            Self::Part(section) => f.debug_tuple("Part").field(section).finish(),
        }
    }
}

impl PartStream {
    fn new(message: &Message, section: Section, octets: Option<u64>, encoding: Option<TransferEncoding>) -> Self {
        let decoder = encoding.filter(|e| *e != TransferEncoding::Identity).map(TransferDecoder::new);
        let (ahead, ready) = (VecDeque::new(), VecDeque::new());
        let (message, whole, ended) = (message.clone(), None, false);
        let (begin, asked, came, held) = (0, 0, 0, None);
        Self { message, section, octets, decoder, whole, begin, asked, came, ahead, ready, ended, held }
    }

    fn kept(message: &Message, held: Held) -> Self {
        Self { held: Some(held), ..Self::new(message, Section::default(), None, None) }
    }

    /// The next piece, never empty and at most 256 KiB; `None` at the end.
    ///
    /// The future may be dropped and the call made again: nothing is lost or doubled.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Ok(Some(piece));
            }
            if self.ended {
                return Ok(None);
            }
            self.pull().await.inspect_err(|_| self.ended = true)?;
        }
    }

    async fn pull(&mut self) -> Result<()> {
        match &mut self.held {
            Some(Held::Pieces(pieces)) => match pieces.next().await? {
                Some(piece) => self.give(Octets::Whole(piece), 0),
                None => self.end(),
            },
            Some(Held::Part(section)) => {
                let section = section.clone();
                self.find(&section).await?;
            }
            None => self.pull_live().await?,
        }
        Ok(())
    }

    /// A part of a message that is kept here: out of the whole, or its place in a large one.
    async fn find(&mut self, section: &[u32]) -> Result<()> {
        let message = self.message.clone();
        match (message.apart().await?, message.source()) {
            (Some(Apart::Parsed(parsed)), _) => {
                self.push(part_of(&message, parsed, section)?);
                self.ended = true;
            }
            (Some(Apart::Large(outlined)), Some(source)) => {
                let part = message::part_at(outlined.structure(), section);
                let (Some(part), Some(at)) = (part, outlined.section(section)) else {
                    return Err(no_such_part(&message));
                };
                let encoding = Some(encoding_of(part)).filter(|encoding| *encoding != TransferEncoding::Identity);
                self.decoder = encoding.map(TransferDecoder::new);
                self.held = Some(Held::Pieces(source.pieces(at)));
            }
            _ => return Err(message.missing()),
        }
        Ok(())
    }

    async fn pull_live(&mut self) -> Result<()> {
        if self.whole.is_none() {
            self.whole = Some(self.message.comes_whole().await?);
        }
        self.ask()?;
        let Some(next) = self.ahead.front_mut() else {
            self.end();
            return Ok(());
        };
        let fetched = next.await;
        self.ahead.pop_front();
        let (octets, partial) = fetched?;
        let len = octets.len();
        self.came += len;
        // Some servers ignore the partial and send the whole part each time (Exmail).
        let all = !partial || len > PARTIAL;
        self.give(octets, if all { self.begin } else { 0 });
        if all || len < PARTIAL {
            self.end();
        }
        Ok(())
    }

    fn ask(&mut self) -> Result<()> {
        while self.ahead.len() < AHEAD && self.may_ask() {
            let (message, section) = (self.message.clone(), self.section.clone());
            let stretch = (self.whole != Some(true)).then_some((self.asked, PARTIAL));
            self.asked += PARTIAL;
            let runtime = self.message.live()?.session().engine().runtime().clone();
            let work = async move { fetch(&message, &section, stretch).await };
            self.ahead.push_back(Task::spawn(&runtime, work));
        }
        Ok(())
    }

    /// Beyond the size that the server announced only one step at a time, since some announce too little.
    fn may_ask(&self) -> bool {
        if self.whole == Some(true) {
            return self.asked == self.begin;
        }
        // Of an unknown size, such as a header's, mostly the first step is all there is.
        let guessed = if self.came == self.begin { PARTIAL } else { self.came + PARTIAL * AHEAD as u64 };
        let known = self.octets.unwrap_or(guessed);
        self.asked < known.max(1) || (self.ahead.is_empty() && self.came >= self.asked)
    }

    /// Passes on what came, but for what is not wanted of it at its beginning.
    fn give(&mut self, octets: Octets, mut unwanted: u64) {
        let chunks = match octets {
            Octets::Whole(bytes) => vec![bytes],
            Octets::Chunks(chunks) => chunks,
            Octets::Streamed(_) => Vec::new(),
        };
        for mut chunk in chunks {
            let skipped = usize::try_from(unwanted).unwrap_or(usize::MAX).min(chunk.len());
            chunk.advance(skipped);
            unwanted -= skipped as u64;
            match &mut self.decoder {
                None => self.push(chunk),
                Some(decoder) => {
                    let decoded = decoder.push(&chunk).into();
                    self.push(decoded);
                }
            }
        }
    }

    fn push(&mut self, mut piece: Bytes) {
        while !piece.is_empty() {
            self.ready.push_back(piece.split_to(piece.len().min(PIECE)));
        }
    }

    fn end(&mut self) {
        self.ahead.clear();
        self.ended = true;
        if let Some(mut decoder) = self.decoder.take() {
            self.push(decoder.finish().into());
        }
    }
}

/// A part of a message in memory, its transfer encoding taken off.
fn part_of(message: &Message, parsed: &ParsedMessage, section: &[u32]) -> Result<Bytes> {
    let (Some(part), Some(content)) = (message::part_at(parsed.structure(), section), parsed.section(section)) else {
        return Err(no_such_part(message));
    };
    Ok(message::decode_transfer(content, encoding_of(part)).into())
}

fn encoding_of(part: &BodyStructure) -> TransferEncoding {
    part.encoding.as_deref().map(TransferEncoding::from_label).unwrap_or_default()
}

fn no_such_part(message: &Message) -> MailError {
    MailError::new(Code::UsageArgument, "The message has no such part")
        .in_mailbox(&message.reference().mailbox)
        .with(|c| c.uid = Some(message.uid()))
}

/// One fetch of a section or of a stretch of it, and whether the server kept to the stretch.
async fn fetch(message: &Message, section: &Section, partial: Option<(u64, u64)>) -> Result<(Octets, bool)> {
    let row = message.fetch(FetchItem::Section { section: section.clone(), partial }).await?;
    let data = row.sections.into_iter().find(|s| s.section == *section);
    let problem = row.problems.into_iter().next();
    match data {
        Some(data) => {
            let kept = partial.is_some() && (data.origin.is_some() || data.data.is_none());
            Ok((data.data.unwrap_or(Octets::Whole(Bytes::new())), kept))
        }
        None => Err(match problem {
            Some((_, what)) => MailError::new(Code::MessageMalformed, what),
            None => message.missing(),
        }),
    }
}
