//! Bytes of a charset to text, and text made safe to show.

use encoding_rs::{Encoding, ISO_2022_JP, REPLACEMENT, UTF_8, WINDOWS_1252};
use mail_parser::decoders::charsets::map::charset_decoder;
use std::borrow::Cow;

/// Text, and whether it is what the sender meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// The text; always valid UTF-8.
    pub text: String,
    /// What was wrong, where bytes had to be guessed at or replaced by U+FFFD.
    pub problem: Option<&'static str>,
}

impl Decoded {
    fn exact(text: impl Into<String>) -> Self {
        Self { text: text.into(), problem: None }
    }

    fn guessed(text: impl Into<String>, problem: &'static str) -> Self {
        Self { text: text.into(), problem: Some(problem) }
    }
}

/// Decodes `bytes` of the charset that a header names.
///
/// Without a charset, or with one that means nothing (`unknown-8bit`, `default`), the bytes are UTF-8 where they are
/// valid as that, ISO-2022-JP where they carry its escapes, else windows-1252. UTF-7 is never decoded: it has served to
/// smuggle markup past filters, and its text stays readable as it is.
///
/// ```
/// use mailtide::message::decode_charset;
///
/// assert_eq!(decode_charset(b"caf\xe9", Some("iso-8859-1")).text, "café");
/// assert_eq!(decode_charset("café".as_bytes(), None).text, "café");
/// assert!(decode_charset(b"caf\xe9", Some("x-martian")).problem.is_some());
/// ```
#[must_use]
pub fn decode_charset(bytes: &[u8], charset: Option<&str>) -> Decoded {
    let label = charset.map(canonical).unwrap_or_default();
    match label.as_ref() {
        "" => guess(bytes),
        "us-ascii" => ascii(bytes),
        "utf-8" => utf_8(bytes),
        "utf-7" => Decoded { problem: Some("UTF-7 is not decoded"), ..guess(bytes) },
        label => by_label(bytes, label),
    }
}

/// Labels in use that the WHATWG table does not know, or reads as something else than mail means by them.
fn canonical(label: &str) -> Cow<'static, str> {
    let label = label.trim_matches(|c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\'')).to_ascii_lowercase();
    Cow::Borrowed(match label.as_str() {
        "unknown-8bit" | "x-unknown" | "unknown" | "default" | "_autodetect" | "8bit" | "7bit" | "binary" | "none" => {
            ""
        }
        "ascii" | "us-ascii" | "ansi_x3.4-1968" | "iso646-us" | "646" => "us-ascii",
        "utf-8" | "utf8" | "utf_8" | "unicode-1-1-utf-8" => "utf-8",
        "utf-7" | "utf7" | "unicode-1-1-utf-7" | "csunicode11utf7" => "utf-7",
        // MS932: what Outlook calls CP932 (ImapFlow 1.7.7).
        "cp932" | "cp-932" | "ms932" | "windows-932" => "windows-31j",
        "cp936" | "cp-936" | "windows-936" | "euc-cn" => "gbk",
        "cp949" | "cp-949" | "uhc" | "windows-949" => "euc-kr",
        "cp950" | "cp-950" | "windows-950" => "big5",
        "cp874" => "windows-874",
        "iso-2022-jp-1" | "iso-2022-jp-2" | "iso-2022-jp-3" | "iso-2022-jp-ms" | "cp50220" | "cp50221" => "iso-2022-jp",
        "latin-1" | "iso8859_1" | "iso_8859_1" | "8859_1" => "iso-8859-1",
        "latin-2" | "8859_2" => "iso-8859-2",
        "latin-9" | "iso8859_15" => "iso-8859-15",
        _ => return Cow::Owned(label),
    })
}

fn by_label(bytes: &[u8], label: &str) -> Decoded {
    // The WHATWG table turns ISO-2022-KR, ISO-2022-CN and HZ into nothing but U+FFFD; their ASCII is worth more.
    if let Some(encoding) = Encoding::for_label(label.as_bytes()).filter(|e| *e != REPLACEMENT) {
        let bytes = if encoding == ISO_2022_JP { without_idle_escapes(bytes) } else { Cow::Borrowed(bytes) };
        let (text, _, malformed) = encoding.decode(&bytes);
        return Decoded {
            text: text.into_owned(),
            problem: malformed.then_some("Bytes that the charset does not have"),
        };
    }
    match charset_decoder(label.as_bytes()) {
        Some(decode) if label.starts_with("ibm") || label.starts_with("cp") => Decoded::exact(decode(bytes)),
        _ => Decoded { problem: Some("Unknown charset"), ..guess(bytes) },
    }
}

/// Takes out every escape that another follows at once, as where encoded words are joined: encoding_rs takes it for an
/// attempt to hide something and puts U+FFFD there.
fn without_idle_escapes(bytes: &[u8]) -> Cow<'_, [u8]> {
    let is_idle = |at: &usize| bytes.get(*at) == Some(&0x1b) && bytes.get(*at + 3) == Some(&0x1b);
    if !memchr::memchr_iter(0x1b, bytes).any(|at| is_idle(&at)) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if is_idle(&at) {
            at += 3;
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    Cow::Owned(out)
}

fn ascii(bytes: &[u8]) -> Decoded {
    if bytes.is_ascii() { guess(bytes) } else { Decoded { problem: Some("8-bit bytes in US-ASCII"), ..guess(bytes) } }
}

/// Text declared UTF-8 that has no single valid multi-byte character was written in something else.
fn utf_8(bytes: &[u8]) -> Decoded {
    let (text, malformed) = UTF_8.decode_with_bom_removal(bytes);
    if !malformed {
        return Decoded::exact(text);
    }
    let is_other = text.chars().all(|c| c.is_ascii() || c == '\u{FFFD}');
    let text = if is_other { WINDOWS_1252.decode_without_bom_handling(bytes).0 } else { text };
    Decoded::guessed(text, "Bytes that are not UTF-8")
}

fn guess(bytes: &[u8]) -> Decoded {
    if has_japanese_escape(bytes) {
        return Decoded::guessed(ISO_2022_JP.decode_without_bom_handling(bytes).0, "No charset given");
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Decoded::exact(text.strip_prefix('\u{FEFF}').unwrap_or(text)),
        Err(_) => Decoded::guessed(WINDOWS_1252.decode_without_bom_handling(bytes).0, "No charset given"),
    }
}

fn has_japanese_escape(bytes: &[u8]) -> bool {
    bytes.is_ascii()
        && memchr::memchr_iter(0x1b, bytes).any(|at| {
            let escape = bytes.get(at + 1..at + 3);
            matches!(escape, Some(b"$B" | b"$@" | b"(J"))
        })
}

/// Makes one line of decoded text safe to show: line ends and tabs become a space, other control characters go, and so
/// do the characters that turn the direction of what follows (a way to make `exe.pdf` of `fdp.exe`).
///
/// ```
/// assert_eq!(mailtide::message::for_display("a\r\nb\u{202E}c\u{7}"), "a bc");
/// ```
#[must_use]
pub fn for_display(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c.is_control() || is_bidi_control(c)) {
        return Cow::Borrowed(text);
    }
    let text: String = text.chars().filter(|c| !is_bidi_control(*c)).collect();
    Cow::Owned(one_line(&text))
}

/// Embeddings, overrides and isolates (Unicode UAX #9). The marks U+200E and U+200F stay: honest text needs them.
pub(super) fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Control characters out, each run of line ends and tabs to one space.
pub(super) fn one_line(text: &str) -> String {
    // U+0080 to U+009F, the other control characters, begin with C2.
    if !text.bytes().any(|b| b < 0x20 || b == 0x7f || b == 0xc2) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' | '\n' | '\t' => {
                while chars.next_if(|c| matches!(c, '\r' | '\n' | '\t')).is_some() {}
                if !out.ends_with(' ') && chars.peek().is_none_or(|c| *c != ' ') {
                    out.push(' ');
                }
            }
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_charsets_are_read() {
        let cases: &[(&str, &[u8], &str)] = &[
            ("us-ascii", b"plain", "plain"),
            ("ASCII", b"plain", "plain"),
            ("utf-8", "żółw".as_bytes(), "żółw"),
            ("UTF8", b"\xEF\xBB\xBFbom", "bom"),
            ("\"utf-8\"", "ü".as_bytes(), "ü"),
            ("iso-8859-1", b"caf\xe9", "café"),
            ("latin1", b"\x80 5", "€ 5"),
            ("iso-8859-2", b"\xbfaba", "żaba"),
            ("iso-8859-5", b"\xbf\xe0\xd8\xd2\xd5\xe2", "Привет"),
            ("iso-8859-7", b"\xc3\xe5\xe9\xdc", "Γειά"),
            ("iso-8859-8", b"\xf9\xec\xe5\xed", "שלום"),
            ("iso-8859-8-i", b"\xf9\xec\xe5\xed", "שלום"),
            ("iso-8859-9", b"\xfd\xfe\xf0", "ışğ"),
            ("iso-8859-15", b"\xa4", "€"),
            ("windows-1250", b"sla\x9a\xe8i\xe8arno", "slaščičarno"),
            ("windows-1251", b"\xcf\xf0\xe8\xe2\xe5\xf2", "Привет"),
            ("cp1252", b"\x93quote\x94", "“quote”"),
            ("windows-1256", b"\xe3\xd1\xcd\xc8\xc7", "مرحبا"),
            ("koi8-r", b"\xf0\xd2\xc9\xd7\xc5\xd4", "Привет"),
            ("KOI8-U", b"\xf0\xd2\xc9\xd7\xa6\xd4", "Привіт"),
            ("macintosh", b"\x87\x8e", "áé"),
            ("ibm850", b"\x9b\x9c", "ø£"),
            ("tis-620", b"\xc3\xcb\xd1\xca", "รหัส"),
            ("shift_jis", b"\x83n\x83\x8D\x81[", "ハロー"),
            ("cp932", b"\x87\x40\x83n", "①ハ"),
            ("euc-jp", b"\xa5\xcf\xa5\xed\xa1\xbc", "ハロー"),
            ("iso-2022-jp", b"\x1b$B%O%m!<\x1b(B!", "ハロー!"),
            ("iso-2022-jp", b"\x1b$B%O\x1b(B\x1b$B%m!<\x1b(B", "ハロー"),
            ("gb2312", b"\xc4\xe3\xba\xc3", "你好"),
            ("cp936", b"\xc4\xe3\xba\xc3", "你好"),
            ("gb18030", b"\x81\x30\x81\x30", "\u{80}"),
            ("big5", b"\xa7A\xa6n", "你好"),
            ("ks_c_5601-1987", b"\xbe\xc8\xb3\xe7", "안녕"),
            ("euc-kr", b"\xbe\xc8\xb3\xe7", "안녕"),
            ("utf-16le", b"h\0i\0", "hi"),
            ("utf-16be", b"\0h\0i", "hi"),
            ("utf-16", b"\xfe\xff\0h\0i", "hi"),
        ];
        for (label, bytes, text) in cases {
            assert_eq!(decode_charset(bytes, Some(label)), Decoded::exact(*text), "{label}");
        }
    }

    #[test]
    fn wrong_and_missing_charsets_give_readable_text_and_a_problem() {
        let cases: &[(Option<&str>, &[u8], &str)] = &[
            (None, b"caf\xe9", "café"),
            (Some("us-ascii"), "café".as_bytes(), "café"),
            (Some("utf-8"), b"caf\xe9", "café"),
            (Some("utf-8"), b"\xc3\xa9 \xff", "é \u{FFFD}"),
            (Some("x-martian"), "café".as_bytes(), "café"),
            (Some("iso-2022-kr"), b"plain", "plain"),
            (Some("hz-gb-2312"), b"plain", "plain"),
            (Some("utf-7"), b"+ADw-script+AD4-", "+ADw-script+AD4-"),
            (None, b"\x1b$B%O%m!<\x1b(B", "ハロー"),
        ];
        for (label, bytes, text) in cases {
            let decoded = decode_charset(bytes, *label);
            assert_eq!((decoded.text.as_str(), decoded.problem.is_some()), (*text, true), "{label:?}");
        }
    }

    #[test]
    fn text_to_show_has_no_control_and_no_bidi_override() {
        assert_eq!(for_display("in\u{202E}fdp.exe"), "infdp.exe");
        assert_eq!(for_display("a \r\n\tb"), "a b");
        assert_eq!(for_display("\u{1b}[31mred\u{9b}"), "[31mred");
        assert_eq!(for_display("שלום\u{200F}!"), "שלום\u{200F}!");
    }
}
