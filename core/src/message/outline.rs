//! The structure of a message that is too large for memory: what of it may matter is kept, the rest is counted.
//!
//! Only a line that begins with a boundary can part a message, and boundaries stand in the headers before it; only what
//! follows such a line closely can be the header of a part. Of everything else lengths and lines are enough. What is kept
//! is scanned as a message is, and its places are mended then.

use super::describe::{LineCount, complete};
use super::headers::{Headers, field_name};
use super::outlined::{Outlined, Place};
use super::parts::{is_message, parts, sections};
use super::scan::{Kind, Scan, boundary, describe, is_envelope_line, is_plain_message, measure, scan};
use bytes::Bytes;
use std::collections::BTreeSet;
use std::ops::{Bound, Range};

/// How much is kept of a header: as much as one may have.
const WINDOW: usize = 1 << 20;
/// How much of a line is looked at for a boundary: more than any boundary has.
const LINE: usize = 2048;
/// How much is kept in all. Beyond it nothing parts any more.
const KEPT: usize = 64 << 20;
/// Most lines that part, and most boundaries: more than a message has that is taken apart.
const MOST: usize = 50_000;

/// Takes a message in pieces; see [`Outline::finish`].
#[derive(Debug)]
pub struct Outline {
    kept: Vec<u8>,
    gaps: Vec<Gap>,
    gone: Gone,
    /// The last bytes that were left out: the line end before a delimiter belongs to it.
    tail: Vec<u8>,
    window: usize,
    /// How much of what comes is kept, since it may be a header.
    open: usize,
    /// Where in `kept` that header begins, and the line that comes.
    block: usize,
    line: usize,
    kind: Kind,
    /// Whether no line of the header has come yet.
    is_first: bool,
    /// The beginning of a line that may part.
    held: Vec<u8>,
    within: Within,
    boundaries: BTreeSet<Bytes>,
    has_digest: bool,
    parted: usize,
}

/// Where the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    /// At the beginning of a line, or in what is held of it.
    Start,
    /// In a line that parts.
    Parting,
    Other,
}

/// What is left out.
#[derive(Clone, Copy, Debug, Default)]
struct Gone {
    bytes: u64,
    lines: u64,
}

/// A place in what is kept where something is left out, and how much up to there in all.
#[derive(Clone, Copy, Debug)]
struct Gap {
    at: usize,
    gone: Gone,
}

impl Default for Outline {
    fn default() -> Self {
        Self::with_window(WINDOW)
    }
}

impl Outline {
    pub(super) fn with_window(window: usize) -> Self {
        Self {
            kept: Vec::new(),
            gaps: Vec::new(),
            gone: Gone::default(),
            tail: Vec::new(),
            window,
            open: window,
            block: 0,
            line: 0,
            kind: Kind::Plain,
            is_first: true,
            held: Vec::new(),
            within: Within::Start,
            boundaries: BTreeSet::new(),
            has_digest: false,
            parted: 0,
        }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
            let (piece, rest) = bytes.split_at(end);
            self.piece(piece);
            bytes = rest;
        }
    }

    /// Goes past a run of lines of which none can part, without having read them: so many bytes, so many line ends, and
    /// what the last line ends with. To be called between two lines.
    pub fn pass(&mut self, bytes: u64, lines: u64, end: &[u8]) {
        self.look(false);
        if self.is_first {
            // No field begins so, and no header.
            self.open = 0;
        }
        self.gone.bytes += bytes;
        self.gone.lines += lines;
        self.tail = end.to_vec();
        self.mark();
        self.within = if end.is_empty() { Within::Other } else { Within::Start };
    }

    /// What the message is, as [`ParsedMessage`](super::ParsedMessage) has it of one in memory, and where its parts are.
    #[must_use]
    pub fn finish(mut self) -> Outlined {
        self.look(false);
        let Scan { mut structure, header, contents, headers, .. } = scan(&self.kept);
        let block = headers.first().cloned().unwrap_or_default();
        let lines = |content: &Range<usize>| LineCount::Known(self.lines(content));
        let bytes = |range: &Range<usize>| self.kept.get(range.clone()).unwrap_or_default();
        let places = headers.iter().zip(&contents).map(|(header, content)| self.place(header, content));
        let mut places: Vec<Place> = places.collect();
        measure(&mut structure, &mut places.iter().map(|place| place.content.end - place.content.start));
        let parts = parts(&structure);
        let mut described = headers.iter().zip(&contents).map(|(header, content)| (bytes(header), lines(content)));
        complete(&mut structure, &mut described);
        let named: Vec<_> =
            sections(&structure).into_iter().map(|(section, part)| (section, is_message(part))).collect();
        places.truncate(named.len());
        for (place, (section, is_message)) in places.iter_mut().zip(named) {
            (place.section, place.is_message) = (section, is_message);
        }
        let copied = |range: Range<usize>| Bytes::copy_from_slice(bytes(&range));
        Outlined { header: copied(block), headers: Headers::parse(copied(header)), structure, parts, places }
    }

    /// A line, or a piece of one.
    fn piece(&mut self, piece: &[u8]) {
        let ends = piece.ends_with(b"\n");
        if self.within == Within::Start && (!self.held.is_empty() || piece.starts_with(b"-")) {
            let (held, rest) = piece.split_at(piece.len().min(LINE - self.held.len()));
            self.held.extend_from_slice(held);
            if !ends && self.held.len() < LINE {
                return;
            }
            self.look(ends && rest.is_empty());
            if !rest.is_empty() {
                self.take(rest, ends);
            }
        } else {
            self.take(piece, ends);
        }
    }

    /// Decides whether the line that is held parts the message.
    fn look(&mut self, ends: bool) {
        let line = std::mem::take(&mut self.held);
        if line.is_empty() {
            return;
        }
        let parts = line.strip_prefix(b"--").is_some_and(|rest| self.is_boundary(rest)) && self.parted < MOST;
        if !parts || self.kept.len() >= KEPT {
            return self.take(&line, ends);
        }
        // What was left out of the line end before it is kept after all.
        self.parted += 1;
        self.gone.bytes -= self.tail.len() as u64;
        self.gone.lines -= memchr::memchr_iter(b'\n', &self.tail).count() as u64;
        self.mark();
        self.kept.append(&mut self.tail);
        self.kept.extend_from_slice(&line);
        self.within = Within::Parting;
        self.open = self.window;
        if ends {
            self.end_line();
        }
    }

    /// Takes a line that does not part, or more of one.
    fn take(&mut self, mut piece: &[u8], ends: bool) {
        match self.within {
            Within::Start => (self.within, self.line) = (Within::Other, self.kept.len()),
            Within::Parting => return self.end_parting(piece, ends),
            Within::Other => {}
        }
        if self.open > 0 {
            let most = if self.kept.len() < KEPT { self.open.min(piece.len()) } else { 0 };
            let (kept, left) = piece.split_at(most);
            self.kept.extend_from_slice(kept);
            self.open -= most;
            if self.open == 0 || !left.is_empty() {
                self.end_header();
                self.open = 0;
            }
            piece = left;
        }
        if !piece.is_empty() {
            self.leave(piece, ends);
        }
        if ends {
            self.end_line();
        }
    }

    /// Of a line that parts, more than was looked at.
    fn end_parting(&mut self, rest: &[u8], ends: bool) {
        self.leave(rest.strip_suffix(b"\n").unwrap_or(rest), false);
        self.tail.clear();
        if ends {
            self.kept.push(b'\n');
            self.end_line();
        }
    }

    fn leave(&mut self, bytes: &[u8], ends: bool) {
        self.gone.bytes += bytes.len() as u64;
        self.gone.lines += u64::from(ends);
        if bytes.len() >= 2 {
            self.tail.clear();
        }
        self.tail.extend_from_slice(bytes.get(bytes.len().saturating_sub(2)..).unwrap_or_default());
        let more = self.tail.len().saturating_sub(2);
        self.tail.drain(..more);
        self.mark();
    }

    fn end_line(&mut self) {
        let was = std::mem::replace(&mut self.within, Within::Start);
        if self.open == 0 {
            return;
        }
        if was == Within::Parting {
            self.kind = if self.has_digest { Kind::Message } else { Kind::Plain };
            return self.begin();
        }
        let line = self.kept.get(self.line..).unwrap_or_default();
        if matches!(line, b"\n" | b"\r\n") {
            let leads = self.end_header();
            self.open = if leads { self.window } else { 0 };
            self.kind = Kind::Plain;
            return self.begin();
        }
        let is_envelope = self.line == 0 && self.gone.bytes == 0 && is_envelope_line(line);
        if self.is_first && !is_envelope {
            self.is_first = false;
            // What does not begin with a field has no header.
            self.open = if field_name(line).is_some() { self.open } else { 0 };
        }
    }

    /// What comes may be a header.
    fn begin(&mut self) {
        (self.block, self.is_first) = (self.kept.len(), true);
    }

    /// Looks at what may be a header: whether that of a nested message follows it.
    fn end_header(&mut self) -> bool {
        let part = describe(self.kept.get(self.block..).unwrap_or_default(), self.kind);
        self.has_digest |= part.subtype.as_ref() == b"digest";
        self.boundaries.extend(boundary(&part).filter(|_| self.boundaries.len() < MOST).cloned());
        is_plain_message(&part)
    }

    /// Whether a line begins with a boundary that was declared.
    fn is_boundary(&self, mut line: &[u8]) -> bool {
        loop {
            let up_to = (Bound::Unbounded, Bound::Included(line));
            let Some(last) = self.boundaries.range::<[u8], _>(up_to).next_back() else { return false };
            if line.starts_with(last) {
                return true;
            }
            // What else the line may begin with is no longer than what it has in common with this one.
            let common = line.iter().zip(last).take_while(|(a, b)| a == b).count();
            line = line.get(..common).unwrap_or_default();
        }
    }

    fn mark(&mut self) {
        let (at, gone) = (self.kept.len(), self.gone);
        match self.gaps.last_mut() {
            Some(last) if last.at == at => last.gone = gone,
            _ => self.gaps.push(Gap { at, gone }),
        }
    }

    /// What is left out before a place of what is kept. What is left out at it stands before it for an end, and after it
    /// for a beginning.
    fn gone(&self, at: usize, ends: bool) -> Gone {
        let before = self.gaps.partition_point(|gap| if ends { gap.at <= at } else { gap.at < at });
        before.checked_sub(1).and_then(|last| self.gaps.get(last)).map(|gap| gap.gone).unwrap_or_default()
    }

    /// Where a part is in the message. Its content begins where its header ends.
    fn place(&self, header: &Range<usize>, content: &Range<usize>) -> Place {
        let at = |at: usize, ends: bool| at as u64 + self.gone(at, ends).bytes;
        let begin = at(content.start, false);
        let (header, content) = (at(header.start, false)..begin, begin..at(content.end, true).max(begin));
        Place { header, content, ..Place::default() }
    }

    fn lines(&self, content: &Range<usize>) -> u64 {
        let kept = memchr::memchr_iter(b'\n', self.kept.get(content.clone()).unwrap_or_default()).count() as u64;
        kept + self.gone(content.end, true).lines.saturating_sub(self.gone(content.start, false).lines)
    }
}

#[cfg(test)]
mod tests;
