//! Line ends and `From ` quoting, as bytes go by.

use std::io::{Read, Result, Write};

const FROM: &[u8] = b"From ";

/// What is known of a content after reading it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Traits {
    pub(super) size: u64,
    /// How many bytes it has with LF for CRLF.
    pub(super) short: u64,
    /// Whether all of its CR and LF are CRLF.
    pub(super) is_crlf: bool,
    /// Whether it ends with a LF.
    pub(super) is_ended: bool,
}

pub(super) fn examine(content: &mut dyn Read) -> Result<Traits> {
    let (mut size, mut lines, mut is_crlf, mut last) = (0, 0, true, 0);
    each_piece(content, |piece| {
        for byte in piece {
            is_crlf &= (last == b'\r') == (*byte == b'\n');
            lines += u64::from(*byte == b'\n');
            last = *byte;
        }
        size += piece.len() as u64;
        Ok(())
    })?;
    is_crlf &= last != b'\r';
    Ok(Traits { size, short: size - if is_crlf { lines } else { 0 }, is_crlf, is_ended: last == b'\n' })
}

pub(super) fn each_piece(content: &mut dyn Read, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => take(buffer.get(..count).unwrap_or_default())?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// What happens to lines that begin with `From `, after any number of `>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quoting {
    None,
    /// One more `>`.
    Add,
    /// One `>` less.
    Remove,
    /// One `>` less where there is one only.
    RemoveOne,
}

/// What happens to line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    Keep,
    /// CRs go.
    ToLf,
    /// A LF becomes CRLF, unless it has its CR.
    ToCrlf,
}

/// Bytes on their way: lines quoted or unquoted, line ends changed, no more than so many.
pub(super) struct Lines<'a> {
    out: &'a mut dyn Write,
    buffer: Vec<u8>,
    quoting: Quoting,
    ends: Ends,
    /// How many may still be written.
    left: u64,
    written: u64,
    /// At the beginning of a line: how many `>`, and how much of `From `.
    start: Option<(usize, usize)>,
    last: u8,
}

impl<'a> Lines<'a> {
    pub(super) fn new(out: &'a mut dyn Write, quoting: Quoting, ends: Ends, most: u64) -> Self {
        let start = (quoting != Quoting::None).then_some((0, 0));
        Self { out, buffer: Vec::new(), quoting, ends, left: most, written: 0, start, last: 0 }
    }

    pub(super) fn push(&mut self, piece: &[u8]) -> Result<()> {
        for byte in piece {
            self.byte(*byte);
            if self.buffer.len() >= 64 << 10 {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Writes what is left; how many bytes were written in all.
    pub(super) fn finish(mut self) -> Result<u64> {
        if let Some((arrows, matched)) = self.start.take() {
            self.begin(arrows, matched);
        }
        self.flush()?;
        Ok(self.written)
    }

    fn byte(&mut self, byte: u8) {
        match self.start {
            Some((arrows, 0)) if byte == b'>' => self.start = Some((arrows + 1, 0)),
            Some((arrows, matched)) if FROM.get(matched) == Some(&byte) => {
                self.start = Some((arrows, matched + 1));
                if matched + 1 == FROM.len() {
                    self.start = None;
                    self.begin(self.quoted(arrows), FROM.len());
                }
            }
            Some((arrows, matched)) => {
                self.start = None;
                self.begin(arrows, matched);
                self.inside(byte);
            }
            None => self.inside(byte),
        }
    }

    fn quoted(&self, arrows: usize) -> usize {
        match self.quoting {
            Quoting::Add => arrows + 1,
            Quoting::Remove => arrows.saturating_sub(1),
            Quoting::RemoveOne if arrows == 1 => 0,
            Quoting::RemoveOne | Quoting::None => arrows,
        }
    }

    fn begin(&mut self, arrows: usize, matched: usize) {
        (0..arrows).for_each(|_| self.inside(b'>'));
        FROM.iter().take(matched).for_each(|byte| self.inside(*byte));
    }

    fn inside(&mut self, byte: u8) {
        match (self.ends, byte) {
            (Ends::ToLf, b'\r') => {}
            (Ends::ToCrlf, b'\n') if self.last != b'\r' => self.buffer.extend(b"\r\n"),
            _ => self.buffer.push(byte),
        }
        self.last = byte;
        if byte == b'\n' && self.quoting != Quoting::None {
            self.start = Some((0, 0));
        }
    }

    fn flush(&mut self) -> Result<()> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(self.buffer.len());
        self.out.write_all(self.buffer.get(..most).unwrap_or_default())?;
        self.left -= most as u64;
        self.written += most as u64;
        self.buffer.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(text: &[u8], quoting: Quoting, ends: Ends, piece: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut lines = Lines::new(&mut out, quoting, ends, u64::MAX);
        text.chunks(piece).for_each(|piece| lines.push(piece).unwrap());
        lines.finish().unwrap();
        out
    }

    #[test]
    fn from_lines_are_quoted_and_unquoted() {
        let text = b"From a\n>From b\n>>From c\n>Fro\n> From\nFrom\nxFrom y\nFrom ";
        for piece in [1, 3, 1000] {
            let quoted = through(text, Quoting::Add, Ends::Keep, piece);
            assert_eq!(quoted, b">From a\n>>From b\n>>>From c\n>Fro\n> From\nFrom\nxFrom y\n>From ");
            assert_eq!(through(&quoted, Quoting::Remove, Ends::Keep, piece), text);
            let one = through(&quoted, Quoting::RemoveOne, Ends::Keep, piece);
            assert_eq!(one, b"From a\n>>From b\n>>>From c\n>Fro\n> From\nFrom\nxFrom y\nFrom ");
        }
    }

    #[test]
    fn line_ends_change_and_change_back() {
        let text = b"a\r\n\r\nFrom b\r\nc";
        let short = through(text, Quoting::Add, Ends::ToLf, 2);
        assert_eq!(short, b"a\n\n>From b\nc");
        assert_eq!(through(&short, Quoting::Remove, Ends::ToCrlf, 2), text);
        assert_eq!(through(b"a\r\nb\nc\r", Quoting::None, Ends::ToCrlf, 1), b"a\r\nb\r\nc\r");
    }

    #[test]
    fn a_content_is_examined() {
        for (text, short, is_crlf, is_ended) in [
            (&b"a\r\nb\r\n"[..], 4, true, true),
            (b"a\r\nb", 3, true, false),
            (b"", 0, true, false),
            (b"a\nb", 3, false, false),
            (b"a\r\nb\n", 5, false, true),
            (b"a\rb", 3, false, false),
            (b"a\r", 2, false, false),
            (b"\n", 1, false, true),
        ] {
            let traits = examine(&mut &text[..]).unwrap();
            assert_eq!(traits, Traits { size: text.len() as u64, short, is_crlf, is_ended }, "{text:?}");
        }
    }
}
