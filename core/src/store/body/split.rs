//! From the bytes of a message to what is stored of it: base64 is found line by line and decoded where that can be
//! undone exactly.
//!
//! Nothing of MIME is asked. A run begins with four full lines of one length, all of them letters of base64 with the
//! same line end; every such line can be made again from what it decodes to. A shorter or padded line, strictly as an
//! encoder writes it, ends the run; so does anything else.
//!
//! What a longer run decodes to is a content of its own, unless it is text: the same file in many messages is stored
//! once, and who looks for text need not read files. Text stays, since it repeats what stands beside it.

use super::recipe::{Base64, Piece, push};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Full lines that begin a run: fewer are not worth a piece, and may be words.
const LEAST_LINES: u64 = 4;
/// Longest line that is looked at, with its end.
const LONGEST_LINE: usize = 1024;
/// Shortest full line; encoders write 60 to 76 characters.
const SHORTEST: usize = 32;

/// Decoded bytes that are worth a content of their own.
const LEAST_APART: usize = 4 << 10;

/// What a run decodes to that is stored apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Apart {
    /// Which one of the message, from 0.
    pub(super) number: usize,
    /// To be taken by whoever stores them.
    pub(super) bytes: Vec<u8>,
    /// Whether that is all.
    pub(super) is_whole: bool,
}

/// Takes a message in pieces of any size, gives what is to be stored.
#[derive(Default)]
pub(super) struct Splitter {
    pieces: Vec<Piece>,
    /// To be taken from [`Splitter::stored`] and [`Splitter::apart`].
    stored: Vec<u8>,
    apart: Vec<Apart>,
    /// How many were begun.
    begun: usize,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    /// Inside a line too long to be looked at.
    is_long: bool,
    run: Option<Run>,
}

/// Lines that look like base64.
struct Run {
    base64: Base64,
    /// Its lines as they came, while it has too few to be one.
    raw: Vec<u8>,
    /// What they decode to, until it is known where that goes.
    decoded: Vec<u8>,
    is_sure: bool,
    goes: Option<To>,
}

/// Where the decoded bytes of a run go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    Own,
    Apart,
}

impl Splitter {
    /// Takes the next bytes of the message.
    pub(super) fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (part, ends) = match memchr::memchr(b'\n', bytes) {
                Some(at) => (at + 1, true),
                None => (bytes.len(), false),
            };
            let (head, rest) = bytes.split_at(part);
            bytes = rest;
            self.part(head, ends);
        }
    }

    fn part(&mut self, part: &[u8], ends: bool) {
        if self.is_long || self.line.len() + part.len() > LONGEST_LINE {
            self.long(part);
            self.is_long = !ends;
        } else if !ends {
            self.line.extend_from_slice(part);
        } else if self.line.is_empty() {
            self.whole_line(part);
        } else {
            self.line.extend_from_slice(part);
            let line = std::mem::take(&mut self.line);
            self.whole_line(&line);
        }
    }

    /// A part of a line that is too long to be base64.
    fn long(&mut self, part: &[u8]) {
        self.end_run();
        let line = std::mem::take(&mut self.line);
        self.plain(&line);
        self.plain(part);
    }

    /// The end of the message.
    pub(super) fn finish(&mut self) {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.whole_line(&line);
        }
        self.end_run();
    }

    /// What is to be stored so far, and has not been taken.
    pub(super) fn stored(&mut self) -> &mut Vec<u8> {
        &mut self.stored
    }

    /// What is to be stored apart, in order. Those that are whole may be taken out; the last one may still grow.
    pub(super) fn apart(&mut self) -> &mut Vec<Apart> {
        &mut self.apart
    }

    /// How many bytes have not been taken.
    pub(super) fn pending(&self) -> usize {
        self.stored.len() + self.apart.iter().map(|apart| apart.bytes.len()).sum::<usize>()
    }

    /// How the message is made again; after [`Splitter::finish`].
    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    fn whole_line(&mut self, line: &[u8]) {
        let (text, end) = ends(line);
        if let Some(mut run) = self.run.take() {
            if run.full(line, text, end) {
                self.settle(&mut run);
                self.run = Some(run);
                return;
            }
            let is_last = run.last(text, end);
            self.run = Some(run);
            self.end_run();
            if is_last {
                return;
            }
        }
        match Run::begin(line, text, end) {
            Some(run) => self.run = Some(run),
            None => self.plain(line),
        }
    }

    fn end_run(&mut self) {
        match self.run.take() {
            Some(mut run) if run.is_sure => {
                run.goes = run.goes.or(Some(To::Own));
                self.settle(&mut run);
                if let (Some(To::Apart), Some(apart)) = (run.goes, self.apart.last_mut()) {
                    apart.is_whole = true;
                }
                push(&mut self.pieces, Piece::Base64(run.base64));
            }
            Some(run) => self.plain(&run.raw),
            None => {}
        }
    }

    /// Passes on what a run has decoded, once it is known where that goes.
    fn settle(&mut self, run: &mut Run) {
        if run.goes.is_none() && run.decoded.len() >= LEAST_APART {
            run.base64.apart = !is_text(&run.decoded);
            run.goes = Some(if run.base64.apart { To::Apart } else { To::Own });
            if run.base64.apart {
                self.apart.push(Apart { number: self.begun, ..Apart::default() });
                self.begun += 1;
            }
        }
        match (run.goes, self.apart.last_mut()) {
            (Some(To::Apart), Some(apart)) => apart.bytes.append(&mut run.decoded),
            (Some(_), _) => self.stored.append(&mut run.decoded),
            (None, _) => {}
        }
    }

    fn plain(&mut self, bytes: &[u8]) {
        self.stored.extend_from_slice(bytes);
        push(&mut self.pieces, Piece::Plain(bytes.len() as u64));
    }
}

impl Run {
    fn begin(line: &[u8], text: &[u8], end: &[u8]) -> Option<Self> {
        let fits = text.len() >= SHORTEST && text.len().is_multiple_of(4) && !end.is_empty();
        let width = u32::try_from(text.len()).ok().filter(|_| fits)?;
        let base64 = Base64 { width, crlf: end.len() == 2, lines: 1, last: 0, ended: false, apart: false };
        let mut decoded = Vec::new();
        decode_full(text, &mut decoded).then(|| Self {
            base64,
            raw: line.to_vec(),
            decoded,
            is_sure: false,
            goes: None,
        })
    }

    /// Takes a full line; whether it was one.
    fn full(&mut self, line: &[u8], text: &[u8], end: &[u8]) -> bool {
        let fits = text.len() == self.base64.width as usize && end == self.base64.end();
        if !fits || !decode_full(text, &mut self.decoded) {
            return false;
        }
        self.base64.lines += 1;
        if !self.is_sure {
            self.raw.extend_from_slice(line);
            if self.base64.lines >= LEAST_LINES {
                self.is_sure = true;
                self.raw = Vec::new();
            }
        }
        true
    }

    /// Takes a last line, if it can be one; whether it was.
    fn last(&mut self, text: &[u8], end: &[u8]) -> bool {
        let fits = !text.is_empty() && text.len() <= self.base64.width as usize;
        let before = self.decoded.len();
        if !self.is_sure || !fits || !(end.is_empty() || end == self.base64.end()) || !decode(text, &mut self.decoded) {
            return false;
        }
        self.base64.last = u32::try_from(self.decoded.len() - before).unwrap_or(0);
        self.base64.ended = !end.is_empty();
        true
    }
}

/// Whether these bytes may be text, in whatever charset but UTF-16 and UTF-32: no control characters but those that move
/// (and ESC, which ISO-2022 has).
fn is_text(bytes: &[u8]) -> bool {
    !bytes.iter().any(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127))
}

/// A line and its end: CRLF, LF, or nothing at the end of the message.
fn ends(line: &[u8]) -> (&[u8], &[u8]) {
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    let text = if text.len() < line.len() { text.strip_suffix(b"\r").unwrap_or(text) } else { text };
    line.split_at(text.len())
}

/// Adds what a line decodes to that has no padding, so that it is made again whatever comes after; whether it has none.
fn decode_full(text: &[u8], out: &mut Vec<u8>) -> bool {
    let before = out.len();
    let is_full = decode(text, out) && out.len() - before == text.len() / 4 * 3;
    if !is_full {
        out.truncate(before);
    }
    is_full
}

/// Adds what a line decodes to, strictly as an encoder writes it; nothing where it is not so.
fn decode(text: &[u8], out: &mut Vec<u8>) -> bool {
    let before = out.len();
    let decodes = STANDARD.decode_vec(text, out).is_ok();
    if !decodes {
        out.truncate(before);
    }
    decodes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(message: &[u8], step: usize) -> (Vec<Piece>, Vec<u8>) {
        let mut splitter = Splitter::default();
        message.chunks(step.max(1)).for_each(|chunk| splitter.push(chunk));
        splitter.finish();
        (splitter.pieces.clone(), std::mem::take(splitter.stored()))
    }

    fn base64_lines(bytes: usize, width: usize, end: &str) -> String {
        let text = STANDARD.encode((0..bytes).map(|n| (n * 31 % 251) as u8).collect::<Vec<_>>());
        text.as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line).into_owned() + end).collect()
    }

    #[test]
    fn an_attachment_is_stored_decoded_whatever_the_pieces_it_comes_in() {
        let message = format!("Text\r\n\r\n{}\r\n--b--\r\n", base64_lines(1000, 76, "\r\n"));
        let whole = split(message.as_bytes(), usize::MAX);
        let Piece::Base64(base64) = whole.0[1] else { panic!("{:?}", whole.0) };
        assert_eq!((base64.width, base64.crlf, base64.lines, base64.last, base64.ended), (76, true, 17, 31, true));
        assert_eq!(whole.1.len(), 8 + 1000 + 2 + 7);
        for step in [1, 2, 7, 100, 1000] {
            assert_eq!(split(message.as_bytes(), step), whole, "{step}");
        }
    }

    #[test]
    fn line_ends_widths_and_missing_ends_are_kept() {
        for (width, end) in [(60, "\n"), (72, "\r\n"), (76, "\n")] {
            let text = base64_lines(540, width, end);
            let text = text.trim_end();
            let (pieces, stored) = split(text.as_bytes(), 50);
            assert!(matches!(pieces[..], [Piece::Base64(_)]), "{pieces:?}");
            assert_eq!(stored.len(), 540);
        }
    }

    #[test]
    fn what_could_not_be_made_again_stays_as_it_is() {
        let words = "abcdefghabcdefghabcdefghabcdefgh\r\n".repeat(3);
        let odd = "abcdefghabcdefghabcdefghabcdefghabc\r\n".repeat(9);
        let trailing = base64_lines(90, 60, "\r\n").replace("\r\n", " \r\n");
        for message in [words, odd, trailing, "x".repeat(5000)] {
            let (pieces, stored) = split(message.as_bytes(), 64);
            assert_eq!(pieces, [Piece::Plain(message.len() as u64)]);
            assert_eq!(stored, message.as_bytes());
        }
    }

    #[test]
    fn a_file_is_apart_and_text_is_not() {
        let lines = |bytes: &[u8]| {
            let text = STANDARD.encode(bytes);
            text.as_bytes().chunks(76).flat_map(|line| [line, b"\r\n"].concat()).collect::<Vec<u8>>()
        };
        let (file, text) = ([7u8, 0, 200].repeat(3000), b"caf\xe9 und so weiter\r\n".repeat(500));
        let message = [b"a\r\n".to_vec(), lines(&file), lines(&text), lines(&file[..LEAST_APART - 1])].concat();
        let mut splitter = Splitter::default();
        message.chunks(1000).for_each(|chunk| splitter.push(chunk));
        splitter.finish();
        assert_eq!(*splitter.apart(), [Apart { number: 0, bytes: file.clone(), is_whole: true }]);
        assert_eq!(splitter.stored().len(), 3 + text.len() + LEAST_APART - 1);
        let stored: u64 = splitter.pieces().iter().map(Piece::stored).sum();
        assert_eq!(stored, splitter.stored().len() as u64);
        assert_eq!(splitter.pieces().iter().map(Piece::made).sum::<u64>(), message.len() as u64);
    }

    #[test]
    fn a_last_line_with_bits_that_no_encoder_writes_is_no_base64() {
        let message = base64_lines(285, 76, "\r\n") + "QR==\r\n";
        let (pieces, _) = split(message.as_bytes(), 10);
        assert_eq!(pieces.len(), 2, "{pieces:?}");
        assert_eq!(pieces[1], Piece::Plain(6));
    }
}
