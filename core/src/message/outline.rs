//! The structure of a message that is too large for memory: what of it may matter is kept, the rest is counted.
//!
//! Only lines that begin with `--` can part a message, and only what follows one closely can be the header of a part. Of
//! everything else the length is enough. What is kept is scanned as a message is, and its lengths are mended then.

use super::headers::Headers;
use super::scan::{Scan, scan};
use crate::imap::BodyStructure;
use bytes::Bytes;
use std::ops::Range;

/// How much is kept after the beginning and after each line that may part: as much as a header may have.
const WINDOW: usize = 1 << 20;
/// How much of a line that may part is kept: longer than any boundary.
const LINE: usize = 2048;
/// How much is kept in all. Beyond it nothing parts any more.
const KEPT: usize = 64 << 20;

/// Takes a message in pieces; see [`Outline::finish`].
#[derive(Debug)]
pub struct Outline {
    kept: Vec<u8>,
    /// Where in `kept` something is left out, and how much up to there in all.
    gaps: Vec<(usize, u64)>,
    gone: u64,
    window: usize,
    /// How much is still kept of what comes, whatever it is.
    open: usize,
    line: Line,
    /// The last bytes that were left out: the line end before a delimiter belongs to it.
    tail: Vec<u8>,
}

/// Where in a line the next byte stands.
#[derive(Clone, Copy, Debug)]
enum Line {
    Start,
    /// After a dash.
    Dash,
    /// In one that may part, after so many bytes.
    Parting(usize),
    Other,
}

impl Default for Outline {
    fn default() -> Self {
        Self::with_window(WINDOW)
    }
}

impl Outline {
    fn with_window(window: usize) -> Self {
        let (kept, gaps, tail) = (Vec::new(), Vec::new(), Vec::new());
        Self { kept, gaps, gone: 0, window, open: window, line: Line::Start, tail }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.byte(*byte);
        }
    }

    /// The header and the structure, as [`ParsedMessage`](super::ParsedMessage) has them of the whole message.
    #[must_use]
    pub fn finish(mut self) -> (Headers, BodyStructure) {
        let Scan { mut structure, header, contents, .. } = scan(&self.kept);
        let length = |range: &Range<usize>| self.place(range.end, true).saturating_sub(self.place(range.start, false));
        let lengths = contents.iter().map(length);
        mend(&mut structure, &mut lengths.collect::<Vec<_>>().into_iter());
        self.kept.truncate(header.end);
        (Headers::parse(Bytes::from(self.kept).slice(header)), structure)
    }

    fn byte(&mut self, byte: u8) {
        self.line = match (self.line, byte) {
            (_, b'\n') => Line::Start,
            (Line::Start, b'-') => Line::Dash,
            (Line::Dash, b'-') => {
                self.parts();
                Line::Parting(2)
            }
            (Line::Parting(length), _) => Line::Parting(length + 1),
            _ => Line::Other,
        };
        let matters = match self.line {
            Line::Parting(length) => length <= LINE,
            _ => false,
        };
        if (matters || self.open > 0) && self.kept.len() < KEPT {
            self.open = self.open.saturating_sub(1);
            self.kept.push(byte);
        } else {
            self.leave(byte);
        }
    }

    /// A line that may part has begun: what was left out of it and of the line end before it is kept after all.
    fn parts(&mut self) {
        self.open = self.window;
        if self.kept.len() < KEPT {
            self.gone -= self.tail.len() as u64;
            self.mark();
            self.kept.append(&mut self.tail);
        }
    }

    fn leave(&mut self, byte: u8) {
        self.gone += 1;
        self.tail.push(byte);
        if self.tail.len() > 3 {
            self.tail.remove(0);
        }
        self.mark();
    }

    fn mark(&mut self) {
        let at = self.kept.len();
        match self.gaps.last_mut() {
            Some((last, gone)) if *last == at => *gone = self.gone,
            _ => self.gaps.push((at, self.gone)),
        }
    }

    /// Where a place of what is kept is in the message. What is left out at it stands before it for an end, and after it
    /// for a beginning.
    fn place(&self, at: usize, ends: bool) -> u64 {
        let before = self.gaps.partition_point(|(gap, _)| if ends { *gap <= at } else { *gap < at });
        let gone = before.checked_sub(1).and_then(|last| self.gaps.get(last)).map_or(0, |(_, gone)| *gone);
        at as u64 + gone
    }
}

/// Lengths in the order in which parts are scanned.
fn mend(part: &mut BodyStructure, lengths: &mut impl Iterator<Item = u64>) {
    part.octets = lengths.next();
    part.parts.iter_mut().for_each(|child| mend(child, lengths));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::ParsedMessage;
    use proptest::prelude::*;

    fn outlined(raw: &[u8], window: usize, piece: usize) -> (Headers, BodyStructure) {
        let mut outline = Outline::with_window(window);
        raw.chunks(piece).for_each(|piece| outline.push(piece));
        outline.finish()
    }

    fn long(lines: usize) -> String {
        "0123456789abcdef --\r\n".repeat(lines)
    }

    #[test]
    fn a_large_message_has_the_structure_that_it_has_in_memory() {
        let body = long(500);
        let raw = format!(
            "Subject: moth\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\n{body}\r\n\
             --b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\n{body}-- \r\n-\r\n\
             --b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\n{body}\r\n--b--\r\n{body}"
        );
        let parsed = ParsedMessage::parse(raw.clone());
        for piece in [1, 7, 100_000] {
            let (headers, structure) = outlined(raw.as_bytes(), 300, piece);
            assert_eq!(&structure, parsed.structure(), "{piece}");
            assert_eq!(headers.raw(), parsed.headers().raw());
        }
    }

    #[test]
    fn only_what_may_matter_is_kept() {
        let mut outline = Outline::with_window(1000);
        let text = long(1000);
        (0..100).for_each(|_| outline.push(text.as_bytes()));
        assert!(outline.kept.len() == 1000 && outline.gaps.len() == 1, "{}", outline.kept.len());
        assert_eq!(outline.finish().1.octets, Some(100 * text.len() as u64));
    }

    proptest! {
        #[test]
        fn any_message_whose_headers_fit_has_its_own_structure(
            parts in prop::collection::vec(("(\\PC|[-\r\n]){0,300}", 0..3_usize), 0..5), piece in 1..50_usize,
        ) {
            let mut raw = "Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned();
            for (text, kind) in &parts {
                let kind = ["", "Content-Type: message/rfc822\r\n", "Content-Type: image/png\r\n"][*kind];
                raw += &format!("--b\r\n{kind}\r\nx{}\r\n", text.replace(':', ""));
            }
            raw += "--b--\r\n";
            let parsed = ParsedMessage::parse(raw.clone());
            let (_, structure) = outlined(raw.as_bytes(), 100, piece);
            prop_assert_eq!(&structure, parsed.structure());
        }
    }
}
