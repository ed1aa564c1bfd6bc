//! Reading mbox, of any dialect.
//!
//! A message begins at a line `From ` after an empty line or at the beginning of the file. Where a `Content-Length`
//! leads exactly to the next such line or to the end (`mboxcl`), it is believed; else the next such line ends the
//! message.

use super::lines::{Ends, Lines, Quoting};
use super::mbox::{LETTERS, MARK};
use super::{Archived, io};
use crate::error::Result;
use crate::imap::{Flag, InternalDate};
use crate::message::{Headers, parse_date};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::ops::Range;

/// Most of a header that is looked at for flags and lengths, in bytes.
const HEADER: u64 = 256 << 10;

/// How `From ` lines inside a message were quoted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MboxQuoting {
    /// `>From ` stands for `From `, `>>From ` for `>From ` (mboxrd, mboxcl).
    #[default]
    Rd,
    /// `>From ` stands for `From `, and nothing else for anything else (mboxo). It may have been `>From ` before.
    O,
    /// Nothing was quoted (mboxcl2).
    None,
}

impl MboxQuoting {
    /// `rd`, `o` or `none`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "rd" => Some(Self::Rd),
            "o" => Some(Self::O),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

/// How to read an mbox file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MboxOptions {
    /// For messages that another program has written; those written here say for themselves.
    pub quoting: MboxQuoting,
}

/// A message in an mbox file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MboxMessage {
    /// Flags and date. Without a date in the `From ` line, that of the header.
    pub archived: Archived,
    /// Where its content stands.
    place: Range<u64>,
    quoting: Quoting,
    ends: Ends,
    /// Its size as it was, where that is known.
    size: Option<u64>,
}

/// Reads an mbox file, message by message; none is held in memory.
pub struct MboxReader<R> {
    file: BufReader<R>,
    options: MboxOptions,
    /// Where the next `From ` line begins.
    at: u64,
}

impl MboxMessage {
    /// Where its content begins in the file, in bytes.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.place.start
    }
}

impl<R: Read + Seek> MboxReader<R> {
    /// Reads from the beginning.
    pub fn new(file: R, options: MboxOptions) -> Self {
        Self { file: BufReader::with_capacity(64 << 10, file), options, at: 0 }
    }

    /// The next message; `None` at the end. What stands before the first one is passed over. Errors are `file.io`.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<MboxMessage>> {
        self.find().map_err(|error| io(&error))
    }

    /// Writes the content of a message to `out`; its size. Line ends become CRLF, where it was not written here as it
    /// was. Errors are `file.io`.
    pub fn copy(&mut self, message: &MboxMessage, out: &mut dyn Write) -> Result<u64> {
        self.write(message, out).map_err(|error| io(&error))
    }

    fn write(&mut self, message: &MboxMessage, out: &mut dyn Write) -> std::io::Result<u64> {
        self.file.seek(SeekFrom::Start(message.place.start))?;
        let mut lines = Lines::new(out, message.quoting, message.ends, message.size.unwrap_or(u64::MAX));
        let mut content = (&mut self.file).take(message.place.end - message.place.start);
        super::lines::each_piece(&mut content, |piece| lines.push(piece))?;
        lines.finish()
    }

    fn find(&mut self) -> std::io::Result<Option<MboxMessage>> {
        let Some(line) = self.next_from()? else { return Ok(None) };
        let start = self.at + line.len() as u64;
        let header = self.header(start)?;
        let message = match ours(&header) {
            Some((length, ends, size)) => {
                let place = start + length..self.end(start + length)?;
                self.at = place.end;
                let quoting = Quoting::Remove;
                MboxMessage { archived: archived(&line, &header), place, quoting, ends, size: Some(size) }
            }
            None => self.foreign(&line, start, &header)?,
        };
        Ok(Some(message))
    }

    /// The next `From ` line, with its end.
    fn next_from(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        self.file.seek(SeekFrom::Start(self.at))?;
        loop {
            let mut line = Vec::new();
            (&mut self.file).take(HEADER).read_until(b'\n', &mut line)?;
            if line.is_empty() {
                return Ok(None);
            }
            if line.starts_with(b"From ") {
                return Ok(Some(line));
            }
            self.at += line.len() as u64;
        }
    }

    /// The header from `start` on, as far as it is looked at.
    fn header(&mut self, start: u64) -> std::io::Result<Vec<u8>> {
        self.file.seek(SeekFrom::Start(start))?;
        let mut header = Vec::new();
        let mut rest = (&mut self.file).take(HEADER);
        loop {
            let before = header.len();
            rest.read_until(b'\n', &mut header)?;
            let line = header.get(before..).unwrap_or_default();
            if line.is_empty() || line == b"\n" || line == b"\r\n" {
                return Ok(header);
            }
        }
    }

    fn foreign(&mut self, line: &[u8], start: u64, header: &[u8]) -> std::io::Result<MboxMessage> {
        let body = start + header.len() as u64;
        let length = Headers::parse(header.to_vec()).get("Content-Length").and_then(|text| text.trim().parse().ok());
        let end = match length {
            Some(length) => self.ends_after(body, length)?,
            None => None,
        };
        let next = match end {
            Some((_, next)) => next,
            None => self.end(start)?,
        };
        self.at = next;
        let end = match end {
            Some((end, _)) => end,
            None => self.without_blank(start, next)?,
        };
        let quoting = match self.options.quoting {
            MboxQuoting::Rd => Quoting::Remove,
            MboxQuoting::O => Quoting::RemoveOne,
            MboxQuoting::None => Quoting::None,
        };
        Ok(MboxMessage { archived: archived(line, header), place: start..end, quoting, ends: Ends::ToCrlf, size: None })
    }

    /// Whether a message whose body begins at `body` ends after `length` bytes; its end, and that of what follows it.
    fn ends_after(&mut self, body: u64, length: u64) -> std::io::Result<Option<(u64, u64)>> {
        let Some(end) = body.checked_add(length) else { return Ok(None) };
        let total = self.file.seek(SeekFrom::End(0))?;
        if end > total {
            return Ok(None);
        }
        self.file.seek(SeekFrom::Start(end))?;
        let mut after = Vec::new();
        (&mut self.file).take(7).read_to_end(&mut after)?;
        let blank = after.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let is_end = after
            .get(blank..)
            .is_some_and(|rest| rest.is_empty() || b"From ".starts_with(rest) || rest.starts_with(b"From "));
        Ok(is_end.then_some((end, end + blank as u64)))
    }

    /// The next `From ` line after an empty line, from `start` on, or the end of the file.
    fn end(&mut self, start: u64) -> std::io::Result<u64> {
        self.file.seek(SeekFrom::Start(start))?;
        let (mut at, mut is_blank) = (start, false);
        // Whether a line goes on: only its beginning counts.
        let mut goes_on = false;
        loop {
            let mut line = Vec::new();
            (&mut self.file).take(HEADER).read_until(b'\n', &mut line)?;
            if line.is_empty() || !goes_on && is_blank && line.starts_with(b"From ") {
                return Ok(at);
            }
            is_blank = !goes_on && (line == b"\n" || line == b"\r\n");
            goes_on = !line.ends_with(b"\n");
            at += line.len() as u64;
        }
    }

    /// Without the empty line that parts messages.
    fn without_blank(&mut self, start: u64, end: u64) -> std::io::Result<u64> {
        let from = end.saturating_sub(4).max(start);
        self.file.seek(SeekFrom::Start(from))?;
        let mut tail = Vec::new();
        (&mut self.file).take(end - from).read_to_end(&mut tail)?;
        let blank = if tail.ends_with(b"\r\n\r\n") { 2 } else { u64::from(tail.ends_with(b"\n\n")) };
        Ok(end - blank)
    }
}

/// Of a header that begins with the lines of ours: their length, the line ends and the size of the message.
fn ours(header: &[u8]) -> Option<(u64, Ends, u64)> {
    let mut length = 0;
    for line in header.split_inclusive(|byte| *byte == b'\n').take(4) {
        length += line.len() as u64;
        let text = std::str::from_utf8(line).ok()?;
        if let Some(mark) = text.strip_prefix(MARK) {
            let (ends, size) = mark.trim_end().split_once(' ')?;
            let ends = match ends {
                "crlf" => Ends::ToCrlf,
                "as-is" => Ends::Keep,
                _ => return None,
            };
            return Some((length, ends, size.parse().ok()?));
        }
        if !["Status: ", "X-Status: ", "X-Keywords: "].iter().any(|name| text.starts_with(name)) {
            return None;
        }
    }
    None
}

fn archived(line: &[u8], header: &[u8]) -> Archived {
    let headers = Headers::parse(header.to_vec());
    let mut flags: Vec<Flag> = LETTERS
        .iter()
        .filter(|(name, letter, _)| headers.get(name).is_some_and(|letters| letters.contains(*letter)))
        .map(|(_, _, flag)| flag.clone())
        .collect();
    let keywords = headers.get("X-Keywords").unwrap_or_default();
    let is_new = |flag: &Flag| flag.is_settable();
    flags.extend(keywords.split_whitespace().map(|word| Flag::from_server(word.as_bytes())).filter(is_new));
    flags.sort();
    flags.dedup();
    Archived { flags, received: date(line).or_else(|| headers.date()) }
}

/// The date of a `From ` line: what follows the sender.
fn date(line: &[u8]) -> Option<InternalDate> {
    let rest = line.strip_prefix(b"From ")?.trim_ascii();
    let at = rest.iter().position(|byte| *byte == b' ')?;
    parse_date(rest.get(at..)?).filter(|date| date.seconds != 0)
}

#[cfg(test)]
mod tests;
