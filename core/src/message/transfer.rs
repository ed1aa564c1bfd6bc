//! Content transfer encodings (RFC 2045 section 6), decoded as far as the bytes make sense.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::memchr;

/// Decodes whole groups of four; the padding is handled by [`TransferDecoder`], where concatenated pieces need it.
const GROUPS: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// How a part is encoded for its way through 7-bit channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransferEncoding {
    /// `7bit`, `8bit`, `binary`, and whatever nobody knows: the bytes are the content.
    #[default]
    Identity,
    /// `base64`.
    Base64,
    /// `quoted-printable`.
    QuotedPrintable,
    /// `x-uuencode`, from before MIME.
    Uuencode,
}

impl TransferEncoding {
    /// The encoding that a `Content-Transfer-Encoding` names; misspellings met in the field are understood.
    #[must_use]
    pub fn from_label(label: &[u8]) -> Self {
        let label = label.split(|b| matches!(b, b';' | b'(')).next().unwrap_or_default();
        let label: Vec<u8> = label.iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect();
        match label.as_slice() {
            b"base64" | b"b64" => Self::Base64,
            b"quotedprintable" => Self::QuotedPrintable,
            b"xuuencode" | b"uuencode" | b"xuue" | b"uue" => Self::Uuencode,
            _ => Self::Identity,
        }
    }
}

/// Decodes a part as its bytes arrive, in pieces of any size.
///
/// ```
/// use mailtide::message::{TransferDecoder, TransferEncoding};
///
/// let mut decoder = TransferDecoder::new(TransferEncoding::Base64);
/// let mut content = decoder.push(b"aGVs\r\nbG8");
/// content.extend(decoder.push(b"gd29ybGQ="));
/// content.extend(decoder.finish());
/// assert_eq!(content, b"hello world");
/// ```
#[derive(Clone, Debug, Default)]
pub struct TransferDecoder {
    encoding: TransferEncoding,
    /// What cannot be decoded before more arrives: under four base64 digits, or an unfinished line.
    held: Vec<u8>,
    malformed: bool,
    uu: Uu,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Uu {
    #[default]
    Before,
    Inside,
    After,
}

/// A line longer than this is decoded without waiting for its end, so that nothing piles up.
const LONGEST_LINE: usize = 64 * 1024;

impl TransferDecoder {
    /// A decoder at the beginning of a part.
    #[must_use]
    pub fn new(encoding: TransferEncoding) -> Self {
        Self { encoding, held: Vec::new(), malformed: false, uu: Uu::Before }
    }

    /// Decodes what can be decoded so far.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        match self.encoding {
            TransferEncoding::Identity => bytes.to_vec(),
            TransferEncoding::Base64 => self.push_base64(bytes),
            TransferEncoding::QuotedPrintable | TransferEncoding::Uuencode => self.push_lines(bytes),
        }
    }

    /// Decodes what was held back: the part has ended.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        let held = std::mem::take(&mut self.held);
        match self.encoding {
            TransferEncoding::Base64 => self.groups(&held, &mut out),
            _ if held.is_empty() => {}
            _ => self.line(&held, &mut out),
        }
        out
    }

    /// How many bytes wait for what comes after them.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Whether something had to be skipped or guessed so far.
    #[must_use]
    pub fn is_malformed(&self) -> bool {
        self.malformed
    }

    fn push_base64(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() / 4 * 3 + 3);
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            if !(self.held.is_empty() && whole_line(line, &mut out)) {
                self.digits(line, &mut out);
            }
        }
        out
    }

    /// Skips what is no digit; `=` ends a group, also in the middle, where encoded pieces were put one after another.
    fn digits(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut digits = std::mem::take(&mut self.held);
        for &byte in bytes {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/') {
                digits.push(byte);
            } else if byte == b'=' {
                self.groups(&digits, out);
                digits.clear();
            } else if !byte.is_ascii_whitespace() {
                self.malformed = true;
            }
        }
        let whole = digits.len() / 4 * 4;
        self.held = digits.split_off(whole);
        self.groups(&digits, out);
    }

    fn groups(&mut self, digits: &[u8], out: &mut Vec<u8>) {
        // A single digit left over holds six bits: no byte.
        let usable = if digits.len() % 4 == 1 { digits.len() - 1 } else { digits.len() };
        let decoded = digits.get(..usable).map(|digits| GROUPS.decode_vec(digits, out));
        self.malformed |= usable < digits.len() || !matches!(decoded, Some(Ok(())));
    }

    fn push_lines(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some(end) = memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end + 1);
            if self.held.is_empty() {
                self.line(line, &mut out);
            } else {
                let mut held = std::mem::take(&mut self.held);
                held.extend_from_slice(line);
                self.line(&held, &mut out);
            }
            rest = after;
        }
        self.held.extend_from_slice(rest);
        if self.held.len() > LONGEST_LINE {
            self.flush_long_line(&mut out);
        }
        out
    }

    /// Keeps the last bytes back: they may be the beginning of an escape.
    fn flush_long_line(&mut self, out: &mut Vec<u8>) {
        let tail =
            self.held.iter().rev().take_while(|b| matches!(b, b' ' | b'\t' | b'\r')).count().min(LONGEST_LINE / 2);
        let mut keep = self.held.len() - tail;
        if let Some(at) = self.held.get(keep.saturating_sub(2)..keep).and_then(|t| t.iter().position(|b| *b == b'=')) {
            keep = keep.saturating_sub(2) + at;
        }
        let tail = self.held.split_off(keep);
        let line = std::mem::replace(&mut self.held, tail);
        self.line(&line, out);
    }

    fn line(&mut self, line: &[u8], out: &mut Vec<u8>) {
        match self.encoding {
            TransferEncoding::QuotedPrintable => self.malformed |= !quoted_printable_line(line, out),
            _ => self.uu_line(line.trim_ascii_end(), out),
        }
    }

    fn uu_line(&mut self, line: &[u8], out: &mut Vec<u8>) {
        match self.uu {
            Uu::Before if line.starts_with(b"begin ") => self.uu = Uu::Inside,
            Uu::Inside if line == b"end" => self.uu = Uu::After,
            Uu::Inside => uu_decode(line, out),
            Uu::Before | Uu::After => self.malformed |= !line.is_empty(),
        }
    }
}

/// Decodes a whole part; see [`TransferDecoder`] for one that arrives in pieces.
#[must_use]
pub fn decode_transfer(bytes: &[u8], encoding: TransferEncoding) -> Vec<u8> {
    let mut decoder = TransferDecoder::new(encoding);
    let mut out = decoder.push(bytes);
    out.extend(decoder.finish());
    out
}

pub(super) fn decode_base64(text: &[u8]) -> Vec<u8> {
    decode_transfer(text, TransferEncoding::Base64)
}

/// The `Q` encoding of RFC 2047 section 4.2: quoted-printable in which `_` is a space.
pub(super) fn decode_q(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = text.iter().map(|b| if *b == b'_' { b' ' } else { *b }).collect();
    let mut out = Vec::with_capacity(text.len());
    unescape(&spaced, &mut out);
    out
}

/// One line with its end. White space before the end is the work of gateways (RFC 2045 section 6.7, rule 3).
fn quoted_printable_line(line: &[u8], out: &mut Vec<u8>) -> bool {
    let text = line.trim_ascii_end();
    if let Some(soft) = text.strip_suffix(b"=") {
        return unescape(soft, out);
    }
    let is_exact = unescape(text, out);
    if line.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    } else if line.ends_with(b"\n") {
        out.push(b'\n');
    }
    is_exact
}

/// Replaces `=XX`; what is no escape stays as it is. Returns whether all were escapes.
fn unescape(text: &[u8], out: &mut Vec<u8>) -> bool {
    let mut is_exact = true;
    let mut rest = text;
    while let Some(at) = memchr(b'=', rest) {
        let (before, escape) = rest.split_at(at);
        out.extend_from_slice(before);
        match escape.get(1..3).and_then(hex) {
            Some(byte) => {
                out.push(byte);
                rest = escape.get(3..).unwrap_or_default();
            }
            None => {
                is_exact = false;
                out.push(b'=');
                rest = escape.get(1..).unwrap_or_default();
            }
        }
    }
    out.extend_from_slice(rest);
    is_exact
}

/// Two hexadecimal digits of either case.
pub(super) fn hex(digits: &[u8]) -> Option<u8> {
    let value = |b: &u8| char::from(*b).to_digit(16);
    let [high, low] = digits else { return None };
    u8::try_from(value(high)? * 16 + value(low)?).ok()
}

/// The quick way for the usual line: nothing but digits, in groups of four. Otherwise nothing is written.
fn whole_line(line: &[u8], out: &mut Vec<u8>) -> bool {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let before = out.len();
    let is_whole = line.len().is_multiple_of(4) && GROUPS.decode_vec(line, out).is_ok();
    if !is_whole {
        out.truncate(before);
    }
    is_whole
}

fn uu_decode(line: &[u8], out: &mut Vec<u8>) {
    let value = |b: Option<&u8>| u32::from(b.map_or(0, |b| b.wrapping_sub(0x20) & 0x3f));
    let Some((length, digits)) = line.split_first() else { return };
    let mut left = value(Some(length)) as usize;
    for group in digits.chunks(4) {
        let bits = (0..4).fold(0, |bits, at| bits << 6 | value(group.get(at)));
        let [_, bytes @ ..] = bits.to_be_bytes();
        out.extend(bytes.iter().take(left));
        left = left.saturating_sub(3);
    }
}

#[cfg(test)]
mod tests {
    use super::TransferEncoding::{Base64, Identity, QuotedPrintable, Uuencode};
    use super::*;

    #[test]
    fn labels_are_understood_as_they_come() {
        for (label, encoding) in [
            ("BASE64", Base64),
            ("base64;", Base64),
            (" Quoted-Printable ", QuotedPrintable),
            ("quoted-printable (comment)", QuotedPrintable),
            ("x-uuencode", Uuencode),
            ("7-bit", Identity),
            ("8Bits", Identity),
            ("", Identity),
            ("text/html", Identity),
        ] {
            assert_eq!(TransferEncoding::from_label(label.as_bytes()), encoding, "{label}");
        }
    }

    #[test]
    fn base64_survives_noise_missing_padding_and_joined_pieces() {
        for (text, content) in [
            ("aGVsbG8=", "hello"),
            ("aGVsbG8", "hello"),
            ("aGVs\r\nbG8=\r\n", "hello"),
            ("aGVs!!bG8=", "hello"),
            ("aGVsbG8=aGVsbG8=", "hellohello"),
            ("aGVsbG8=\nZ", "hello"),
            ("aGVsbG9=", "hello"),
            ("====", ""),
            ("", ""),
        ] {
            assert_eq!(decode_transfer(text.as_bytes(), Base64), content.as_bytes(), "{text}");
        }
    }

    #[test]
    fn quoted_printable_survives_what_gateways_do() {
        for (text, content) in [
            ("caf=C3=A9", "café"),
            ("caf=c3=a9  \r\nx", "café\r\nx"),
            ("soft =\r\nbreak", "soft break"),
            ("soft = \t\nbreak", "soft break"),
            ("100% = all=", "100% = all"),
            ("=ZZ=4", "=ZZ=4"),
            ("a==41", "a=A"),
            ("end=20\n", "end \n"),
        ] {
            assert_eq!(
                String::from_utf8(decode_transfer(text.as_bytes(), QuotedPrintable)).unwrap(),
                content,
                "{text}"
            );
        }
    }

    #[test]
    fn uuencode_is_decoded_between_its_marks() {
        let text = b"noise\nbegin 644 cat.txt\n#0V%T\n`\nend\nmore";
        assert_eq!(decode_transfer(text, Uuencode), b"Cat");
    }

    #[test]
    fn any_cut_gives_the_same_content() {
        let cases: [(TransferEncoding, &[u8]); 4] = [
            (Base64, b"aGVs\r\nbG8gd29y=\r\nbGQh*ISE"),
            (QuotedPrintable, b"caf=C3=A9 \r\nsoft=\r\n break = 3=3D\n\n=E2=82=AC"),
            (Uuencode, b"begin 644 cat.txt\n#0V%T\n#0V%T\n`\nend\n"),
            (Identity, b"\0\xff\r\n"),
        ];
        for (encoding, text) in cases {
            let whole = decode_transfer(text, encoding);
            for size in 1..text.len() {
                let mut decoder = TransferDecoder::new(encoding);
                let mut out: Vec<u8> = text.chunks(size).flat_map(|piece| decoder.push(piece)).collect();
                out.extend(decoder.finish());
                assert_eq!(out, whole, "{encoding:?} in pieces of {size}");
            }
        }
    }

    #[test]
    fn a_line_without_end_is_not_kept() {
        let mut decoder = TransferDecoder::new(QuotedPrintable);
        let mut length = 0;
        for _ in 0..64 {
            length += decoder.push(&b"=41xyz".repeat(1000)).len();
            assert!(decoder.held.len() <= LONGEST_LINE);
        }
        length += decoder.finish().len();
        assert_eq!(length, 64 * 4000);
        assert!(!decoder.is_malformed());
    }

    #[test]
    fn a_long_line_of_spaces_is_not_kept_either() {
        let mut decoder = TransferDecoder::new(QuotedPrintable);
        for _ in 0..64 {
            decoder.push(&[b' '; 6000]);
            assert!(decoder.held.len() <= LONGEST_LINE);
        }
    }
}
