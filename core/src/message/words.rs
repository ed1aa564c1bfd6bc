//! Header text: encoded words (RFC 2047) as they come in practice, and raw 8-bit bytes.

use super::charset::{decode_charset, one_line};
use super::transfer::{decode_base64, decode_q};
use memchr::memmem;
use std::borrow::Cow;

/// Longest charset name, with its language suffix (RFC 2231 section 5), that is looked for.
const LONGEST_CHARSET: usize = 64;

/// Decodes the value of a header field: folding taken out, encoded words decoded, raw bytes read as UTF-8 or, where they
/// are not, windows-1252. The result is one line without control characters.
///
/// Broken words are read as their sender meant them: a character split over two words, spaces inside a word, no space
/// around it, an unknown charset. What is no word at all stays as it is.
///
/// ```
/// use mailtide::message::decode_header;
///
/// assert_eq!(decode_header(b"=?utf-8?Q?caf=C3?= =?UTF-8?B?qSE=?="), "café!");
/// assert_eq!(decode_header("raw café".as_bytes()), "raw café");
/// assert_eq!(decode_header(b"no =?word at all"), "no =?word at all");
/// ```
#[must_use]
pub fn decode_header(value: &[u8]) -> String {
    decode_value(value).into_owned()
}

/// The same, borrowed where nothing has to be decoded.
pub(super) fn decode_value(value: &[u8]) -> Cow<'_, str> {
    if is_plain(value)
        && let Ok(text) = std::str::from_utf8(value.trim_ascii())
    {
        return Cow::Borrowed(text);
    }
    Cow::Owned(decode(value))
}

/// Printable ASCII, and no encoded word in it.
fn is_plain(value: &[u8]) -> bool {
    value.iter().all(|b| (0x20..0x7f).contains(b)) && memmem::find(value, b"=?").is_none()
}

fn decode(value: &[u8]) -> String {
    let value = unfold(value);
    let mut out = String::with_capacity(value.len());
    for run in runs(&value) {
        out.push_str(&run.text());
    }
    one_line(&out).trim().to_owned()
}

/// The value with every run of encoded words written anew as one word of UTF-8, for a parser that decodes word by word.
pub(super) fn joined_words(value: &[u8]) -> Vec<u8> {
    use base64::Engine;
    let mut out = Vec::with_capacity(value.len());
    for run in runs(value) {
        match &run {
            Run::Raw(_) => out.extend_from_slice(run.text().as_bytes()),
            Run::Words { .. } => {
                let word = base64::engine::general_purpose::STANDARD.encode(one_line(&run.text()));
                out.extend_from_slice(format!("=?utf-8?B?{word}?=").as_bytes());
            }
        }
    }
    out
}

/// Takes line ends out (RFC 5322 section 2.2.3); a bare one that folds nothing becomes a space.
fn unfold(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for (index, line) in value.split(|b| matches!(b, b'\r' | b'\n')).filter(|l| !l.is_empty()).enumerate() {
        if index > 0 && !line.starts_with(b" ") && !line.starts_with(b"\t") {
            out.push(b' ');
        }
        out.extend_from_slice(line);
    }
    out
}

/// A stretch of a header value.
enum Run<'a> {
    Raw(&'a [u8]),
    /// Neighbouring words of one charset, decoded to bytes and joined before the charset is decoded: senders split
    /// characters between words.
    Words {
        charset: &'a [u8],
        bytes: Vec<u8>,
    },
}

impl Run<'_> {
    fn text(&self) -> String {
        match self {
            Self::Raw(bytes) => decode_charset(bytes, None).text,
            Self::Words { charset, bytes } => {
                decode_charset(bytes, Some(String::from_utf8_lossy(charset).as_ref())).text
            }
        }
    }
}

struct Word<'a> {
    charset: &'a [u8],
    bytes: Vec<u8>,
    end: usize,
}

fn runs(value: &[u8]) -> Vec<Run<'_>> {
    let mut out: Vec<Run<'_>> = Vec::new();
    let mut words = Words { value, end: Some(0) };
    let mut done = 0;
    let mut at = 0;
    while let Some(start) = find(value, b"=?", at) {
        let Some(word) = words.read(start) else {
            at = start + 2;
            continue;
        };
        let between = value.get(done..start).unwrap_or_default();
        let is_joined = matches!(out.last(), Some(Run::Words { .. })) && between.iter().all(u8::is_ascii_whitespace);
        if !is_joined && !between.is_empty() {
            out.push(Run::Raw(between));
        }
        match out.last_mut() {
            Some(Run::Words { charset, bytes }) if charset.eq_ignore_ascii_case(word.charset) => {
                bytes.extend_from_slice(&word.bytes);
            }
            _ => out.push(Run::Words { charset: word.charset, bytes: word.bytes }),
        }
        (done, at) = (word.end, word.end);
    }
    out.extend(value.get(done..).filter(|rest| !rest.is_empty()).map(Run::Raw));
    out
}

/// Reads words; remembers where the next `?=` is, so that a value full of beginnings costs one search.
struct Words<'a> {
    value: &'a [u8],
    end: Option<usize>,
}

impl<'a> Words<'a> {
    fn read(&mut self, start: usize) -> Option<Word<'a>> {
        let head = self.value.get(start + 2..)?;
        let head = head.get(..head.len().min(LONGEST_CHARSET + 3)).unwrap_or(head);
        let charset = head.get(..head.iter().position(|b| *b == b'?')?)?;
        if charset.is_empty() || charset.iter().any(|b| !b.is_ascii_graphic() || *b == b'=') {
            return None;
        }
        let encoding = head.get(charset.len() + 1)?.to_ascii_lowercase();
        if !matches!(encoding, b'b' | b'q') || head.get(charset.len() + 2) != Some(&b'?') {
            return None;
        }
        let text_at = start + 2 + charset.len() + 3;
        let end = self.end_after(text_at)?;
        let text = self.value.get(text_at..end)?;
        // A word that was never closed must not swallow the next one.
        if memmem::find(text, b"=?").is_some_and(|next| next + 2 <= text.len()) && text.contains(&b' ') {
            return None;
        }
        let bytes = if encoding == b'b' { decode_base64(text) } else { decode_q(text) };
        let charset = charset.split(|b| *b == b'*').next().unwrap_or(charset);
        Some(Word { charset, bytes, end: end + 2 })
    }

    fn end_after(&mut self, at: usize) -> Option<usize> {
        if self.end? < at {
            self.end = find(self.value, b"?=", at);
        }
        self.end
    }
}

fn find(value: &[u8], what: &[u8], from: usize) -> Option<usize> {
    memmem::find(value.get(from..)?, what).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_2047_section_8() {
        for (value, text) in [
            ("(=?ISO-8859-1?Q?a?=)", "(a)"),
            ("(=?ISO-8859-1?Q?a?= b)", "(a b)"),
            ("(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"),
            ("(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)"),
            ("(=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=)", "(ab)"),
            ("(=?ISO-8859-1?Q?a_b?=)", "(a b)"),
            ("(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"),
        ] {
            assert_eq!(decode_header(value.as_bytes()), text, "{value}");
        }
    }

    #[test]
    fn broken_words_are_read_as_they_were_meant() {
        for (value, text) in [
            ("=?utf-8?B?5L2g5aU=?= =?utf-8?B?vQ==?=", "你好"),
            ("=?utf-8?Q?caf=C3?=\r\n =?utf-8?Q?=A9?=", "café"),
            ("=?utf-8?Q?two words?=", "two words"),
            ("=?UTF-8*en?q?x?=", "x"),
            ("=?utf-8?q?what??=", "what?"),
            ("=?utf-8?q?a=?=", "a="),
            ("=?utf-8?q?=ZZ_=4?=", "=ZZ =4"),
            ("a=?utf-8?q?b?=c", "abc"),
            ("=?iso-2022-jp?B?GyRCJU8lbSE8GyhC?=", "ハロー"),
            ("=?cp932?B?h0A=?=", "①"),
            ("=?utf-8?b?YQ?=", "a"),
            ("=?utf-8?b?YW\nI=?=", "ab"),
            ("=?x-martian?q?caf=E9?=", "café"),
            ("=?utf-8?q?open =?utf-8?q?closed?=", "=?utf-8?q?open closed"),
            ("=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
            ("=??q?abc?=", "=??q?abc?="),
            ("=?utf-8?q??=", ""),
            ("=?utf-8?q?line=0D=0ABcc:_x?=", "line Bcc: x"),
            ("=?utf-8?q?nul=00?=", "nul"),
            ("=?", "=?"),
            ("=?=?=?=?", "=?=?=?=?"),
        ] {
            assert_eq!(decode_header(value.as_bytes()), text, "{value}");
        }
        assert_eq!(decode_header(b"caf\xe9 =?utf-8?q?=E2=82=AC?="), "café €");
    }

    #[test]
    fn a_value_of_beginnings_is_read_in_linear_time() {
        for unit in ["=?a?q?", "=?", "=?a?q? ", "=?utf-8?q?a?= "] {
            let value = unit.repeat(1 << 17);
            assert!(decode_header(value.as_bytes()).len() <= value.len());
            let closed = format!("{value}?=");
            assert!(decode_header(closed.as_bytes()).len() <= closed.len());
        }
    }

    #[test]
    fn neighbouring_words_become_one() {
        let joined = joined_words(b"=?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?= <a@b.c>");
        assert_eq!(String::from_utf8(joined).unwrap(), "=?utf-8?B?Y2Fmw6k=?= <a@b.c>");
    }
}
