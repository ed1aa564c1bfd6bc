//! How a stored content becomes the message again: pieces that are taken as they are, and pieces that become base64.

use crate::error::{Code, MailError, Result};

/// A piece of the content, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// So many bytes as they are.
    Plain(u64),
    /// Base64.
    Base64(Base64),
}

/// Lines of base64 that come from decoded bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Base64 {
    /// Characters of a full line, without its end; a multiple of 4.
    pub(super) width: u32,
    /// Whether lines end with CRLF, or LF alone.
    pub(super) crlf: bool,
    /// Full lines.
    pub(super) lines: u64,
    /// Decoded bytes of a last line, which may be short and padded; 0 for none.
    pub(super) last: u32,
    /// Whether the last line has a line end too.
    pub(super) ended: bool,
    /// Whether the decoded bytes are a content of their own: the next of the body's parts.
    pub(super) apart: bool,
}

impl Base64 {
    /// Decoded bytes of a full line.
    pub(super) fn line(&self) -> usize {
        self.width as usize / 4 * 3
    }

    /// Characters that end a line.
    pub(super) fn end(&self) -> &'static [u8] {
        if self.crlf { b"\r\n" } else { b"\n" }
    }

    /// Decoded bytes of all.
    pub(super) fn decoded(&self) -> u64 {
        self.lines.saturating_mul(self.line() as u64).saturating_add(u64::from(self.last))
    }

    /// Characters of a full line and its end.
    pub(super) fn stride(&self) -> u64 {
        u64::from(self.width) + self.end().len() as u64
    }

    /// Whether all of it ends with a line end.
    pub(super) fn is_ended(&self) -> bool {
        self.last == 0 || self.ended
    }

    /// Characters of all.
    pub(super) fn made(&self) -> u64 {
        let last = u64::from(self.last.div_ceil(3)) * 4;
        let end = if self.last > 0 && self.ended { self.end().len() as u64 } else { 0 };
        self.lines.saturating_mul(self.stride()).saturating_add(last + end)
    }
}

impl Piece {
    /// Bytes of the body's own chunks that it uses.
    pub(super) fn stored(&self) -> u64 {
        match self {
            Self::Plain(length) => *length,
            Self::Base64(base64) if base64.apart => 0,
            Self::Base64(base64) => base64.decoded(),
        }
    }

    /// Whether it is made of a part.
    pub(super) fn is_apart(&self) -> bool {
        matches!(self, Self::Base64(base64) if base64.apart)
    }

    /// Bytes of the message that come of it.
    pub(super) fn made(&self) -> u64 {
        match self {
            Self::Plain(length) => *length,
            Self::Base64(base64) => base64.made(),
        }
    }
}

/// Adds a piece; plain ones melt together.
pub(super) fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    match (pieces.last_mut(), &piece) {
        (_, Piece::Plain(0)) => {}
        (Some(Piece::Plain(before)), Piece::Plain(more)) => *before += more,
        _ => pieces.push(piece),
    }
}

/// The recipe as a store keeps it; empty for a single plain piece, which is the usual case.
pub(super) fn write(pieces: &[Piece]) -> Vec<u8> {
    let mut out = Vec::new();
    if let [] | [Piece::Plain(_)] = pieces {
        return out;
    }
    for piece in pieces {
        match piece {
            // An even number is a plain piece.
            Piece::Plain(length) => number(&mut out, length << 1),
            Piece::Base64(base64) => {
                let ends = u64::from(base64.crlf) << 1 | u64::from(base64.ended) << 2;
                let bits = ends | u64::from(base64.apart) << 3;
                number(&mut out, u64::from(base64.width) << 4 | bits | 1);
                number(&mut out, base64.lines);
                number(&mut out, u64::from(base64.last));
            }
        }
    }
    out
}

/// What [`write()`] wrote; `size` is that of the message without its header. Anything else is damaged.
pub(super) fn parse(mut bytes: &[u8], size: u64) -> Result<Vec<Piece>> {
    if bytes.is_empty() {
        return Ok(vec![Piece::Plain(size)]);
    }
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let first = take(&mut bytes)?;
        if first & 1 == 0 {
            pieces.push(Piece::Plain(first >> 1));
            continue;
        }
        let width = u32::try_from(first >> 4).ok().filter(|width| *width > 0 && width % 4 == 0 && *width < 1 << 16);
        let (lines, last) = (take(&mut bytes)?, take(&mut bytes)?);
        let (Some(width), Ok(last)) = (width, u32::try_from(last)) else { return Err(damaged()) };
        let (crlf, ended, apart) = (first & 2 != 0, first & 4 != 0, first & 8 != 0);
        pieces.push(Piece::Base64(Base64 { width, crlf, lines, last, ended, apart }));
    }
    let made = pieces.iter().fold(0u64, |sum, piece| sum.saturating_add(piece.made()));
    if made == size { Ok(pieces) } else { Err(damaged()) }
}

/// Seven bits a byte, the lowest first.
fn number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take(bytes: &mut &[u8]) -> Result<u64> {
    let mut value = 0u64;
    for shift in (0..63).step_by(7) {
        let (first, rest) = bytes.split_first().ok_or_else(damaged)?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(damaged())
}

fn damaged() -> MailError {
    MailError::new(Code::StoreDamaged, "The store's file is damaged: a recipe cannot be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_reads_back() {
        let base64 = Base64 { width: 76, crlf: true, lines: 1000, last: 5, ended: true, apart: false };
        let pieces = vec![
            Piece::Plain(300),
            Piece::Base64(base64),
            Piece::Base64(Base64 { crlf: false, last: 0, ended: false, ..base64 }),
            Piece::Base64(Base64 { apart: true, ..base64 }),
            Piece::Plain(1 << 40),
        ];
        let size = pieces.iter().map(Piece::made).sum();
        assert_eq!(parse(&write(&pieces), size).unwrap(), pieces);
        assert!(parse(&write(&pieces), size + 1).is_err());
    }

    #[test]
    fn what_is_plain_needs_no_recipe() {
        assert!(write(&[Piece::Plain(7)]).is_empty());
        assert_eq!(parse(&[], 7).unwrap(), [Piece::Plain(7)]);
    }

    #[test]
    fn nonsense_is_damaged_and_never_a_panic() {
        for bytes in [&[0x80][..], &[0xff; 12], &[1, 1, 1], &[0x61, 0xff], &[9, 0, 0]] {
            assert_eq!(parse(bytes, 5).unwrap_err().code(), Code::StoreDamaged, "{bytes:?}");
        }
    }
}
