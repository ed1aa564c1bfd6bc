//! From the bytes of a message to what is stored of it: base64 is found line by line and decoded where that can be
//! undone exactly.
//!
//! Nothing of MIME is asked. A run begins with four full lines of one length, all of them letters of base64 with the
//! same line end; every such line can be made again from what it decodes to. A shorter or padded line, strictly as an
//! encoder writes it, ends the run; so does anything else.

use super::recipe::{Base64, Piece, push};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Full lines that begin a run: fewer are not worth a piece, and may be words.
const LEAST_LINES: usize = 4;
/// Longest line that is looked at, with its end.
const LONGEST_LINE: usize = 1024;
/// Shortest full line; encoders write 60 to 76 characters.
const SHORTEST: usize = 32;

/// Takes a message in pieces of any size, gives what is to be stored.
#[derive(Default)]
pub(super) struct Splitter {
    pieces: Vec<Piece>,
    /// To be taken by [`Splitter::take`].
    stored: Vec<u8>,
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
    /// What they decode to, in that time.
    decoded: Vec<u8>,
    is_sure: bool,
}

/// What a line is in a run.
enum Line {
    Full,
    Last,
    Other,
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

    /// How the message is made again; after [`Splitter::finish`].
    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    fn whole_line(&mut self, line: &[u8]) {
        let (text, end) = ends(line);
        if let Some(mut run) = self.run.take() {
            match run.judge(text, end) {
                Line::Full => {
                    run.base64.lines += 1;
                    run.keep(line, text, &mut self.stored);
                    self.run = Some(run);
                    return;
                }
                Line::Last if run.is_sure => {
                    run.last(text, !end.is_empty(), &mut self.stored);
                    push(&mut self.pieces, Piece::Base64(run.base64));
                    return;
                }
                _ => {
                    self.run = Some(run);
                    self.end_run();
                }
            }
        }
        match Run::begin(line, text, end) {
            Some(run) => self.run = Some(run),
            None => self.plain(line),
        }
    }

    fn end_run(&mut self) {
        match self.run.take() {
            Some(run) if run.is_sure => push(&mut self.pieces, Piece::Base64(run.base64)),
            Some(run) => self.plain(&run.raw),
            None => {}
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
        let decoded = fits.then(|| decode_full(text)).flatten()?;
        let width = u32::try_from(text.len()).ok()?;
        let base64 = Base64 { width, crlf: end.len() == 2, lines: 1, last: 0, ended: false };
        Some(Self { base64, raw: line.to_vec(), decoded, is_sure: false })
    }

    fn judge(&self, text: &[u8], end: &[u8]) -> Line {
        let same_end = end == self.base64.end();
        let width = self.base64.width as usize;
        if text.len() == width && same_end && is_letters(text) {
            return Line::Full;
        }
        let could_be = !text.is_empty() && text.len() <= width && (same_end || end.is_empty());
        if could_be && STANDARD.decode(text).is_ok() { Line::Last } else { Line::Other }
    }

    fn keep(&mut self, line: &[u8], text: &[u8], stored: &mut Vec<u8>) {
        if self.is_sure {
            decode_into(text, stored);
            return;
        }
        self.raw.extend_from_slice(line);
        decode_into(text, &mut self.decoded);
        if self.base64.lines >= LEAST_LINES as u64 {
            self.is_sure = true;
            stored.append(&mut self.decoded);
            self.raw = Vec::new();
        }
    }

    fn last(&mut self, text: &[u8], ended: bool, stored: &mut Vec<u8>) {
        let before = stored.len();
        decode_into(text, stored);
        self.base64.last = u32::try_from(stored.len() - before).unwrap_or(0);
        self.base64.ended = ended;
    }
}

/// A line and its end: CRLF, LF, or nothing at the end of the message.
fn ends(line: &[u8]) -> (&[u8], &[u8]) {
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    let text = if text.len() < line.len() { text.strip_suffix(b"\r").unwrap_or(text) } else { text };
    line.split_at(text.len())
}

fn is_letters(text: &[u8]) -> bool {
    text.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

fn decode_full(text: &[u8]) -> Option<Vec<u8>> {
    if is_letters(text) { STANDARD.decode(text).ok() } else { None }
}

/// Adds what a line decodes to that was judged before.
fn decode_into(text: &[u8], out: &mut Vec<u8>) {
    let before = out.len();
    if STANDARD.decode_vec(text, out).is_err() {
        // Cannot be, and if it were, the comparison before publishing would tell.
        out.truncate(before);
    }
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
    fn a_last_line_with_bits_that_no_encoder_writes_is_no_base64() {
        let message = base64_lines(285, 76, "\r\n") + "QR==\r\n";
        let (pieces, _) = split(message.as_bytes(), 10);
        assert_eq!(pieces.len(), 2, "{pieces:?}");
        assert_eq!(pieces[1], Piece::Plain(6));
    }
}
