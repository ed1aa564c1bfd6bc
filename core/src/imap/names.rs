//! Mailbox names: modified UTF-7 (RFC 3501 section 5.1.3), or UTF-8 once that is enabled (RFC 6855, RFC 9051).

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use std::fmt;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone),
);

/// A mailbox's name, as people read it and as it travels.
///
/// Both are kept, since some servers write names that no encoder would give back: a bare `&` (Yandex), 8-bit text, or
/// base64 where none is needed. Sending back the bytes that the server gave always reaches the mailbox it meant.
///
/// ```
/// use mailtide::imap::MailboxName;
///
/// let drafts = MailboxName::from_server(b"Entw&APw-rfe".as_slice(), false);
/// assert_eq!(drafts.as_str(), "Entwürfe");
/// assert_eq!(drafts, MailboxName::new("Entwürfe", false));
/// assert_eq!(MailboxName::from_server(b"R&D".as_slice(), false).raw(), b"R&D");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MailboxName {
    name: String,
    raw: Bytes,
}

impl MailboxName {
    /// The name that a user gave; `utf8` says whether the session has enabled UTF-8 names.
    #[must_use]
    pub fn new(name: &str, utf8: bool) -> Self {
        Self { name: fold_inbox(name.to_owned()), raw: encode_name(name, utf8).into() }
    }

    /// The name that a server sent.
    #[must_use]
    pub fn from_server(raw: impl Into<Bytes>, utf8: bool) -> Self {
        let raw = raw.into();
        Self { name: decode_name(&raw, utf8), raw }
    }

    /// The decoded name; `INBOX` in capitals.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The bytes that travel.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Whether this is the inbox, which has no case (RFC 9051 section 5.1).
    #[must_use]
    pub fn is_inbox(&self) -> bool {
        self.name == INBOX
    }
}

impl fmt::Display for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The name of the inbox.
pub const INBOX: &str = "INBOX";

/// The bytes of a name: modified UTF-7, or with `utf8` the name itself. The inbox is always `INBOX`.
#[must_use]
pub fn encode_name(name: &str, utf8: bool) -> Vec<u8> {
    if name.eq_ignore_ascii_case(INBOX) {
        return INBOX.into();
    }
    if utf8 { name.as_bytes().to_vec() } else { to_utf7(name).into_bytes() }
}

/// The name in some bytes. What is not valid (or not what [`encode_name`] would write) is shown as it stands, so that
/// two names of a server seldom look alike; [`MailboxName`] keeps the bytes beside it.
#[must_use]
pub fn decode_name(raw: &[u8], utf8: bool) -> String {
    let plain = |raw| String::from_utf8_lossy(raw).into_owned();
    if utf8 || !raw.is_ascii() {
        return fold_inbox(plain(raw));
    }
    let text = plain(raw);
    if !text.contains('&') {
        return fold_inbox(text);
    }
    from_utf7(&text).filter(|name| to_utf7(name) == text).unwrap_or(text)
}

fn fold_inbox(name: String) -> String {
    if name.eq_ignore_ascii_case(INBOX) { INBOX.to_owned() } else { name }
}

fn to_utf7(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut shifted: Vec<u8> = Vec::new();
    for c in name.chars() {
        if !matches!(c, ' '..='~') {
            let mut units = [0; 2];
            shifted.extend(c.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
            continue;
        }
        flush(&mut out, &mut shifted);
        out.push(c);
        if c == '&' {
            out.push('-');
        }
    }
    flush(&mut out, &mut shifted);
    out
}

fn flush(out: &mut String, shifted: &mut Vec<u8>) {
    if !shifted.is_empty() {
        out.push('&');
        BASE64.encode_string(&shifted, out);
        out.push('-');
        shifted.clear();
    }
}

fn from_utf7(text: &str) -> Option<String> {
    let mut parts = text.split('&');
    let mut out = parts.next()?.to_owned();
    for part in parts {
        let (shifted, plain) = part.split_once('-')?;
        if shifted.is_empty() {
            out.push('&');
        } else {
            out.push_str(&unshift(shifted)?);
        }
        out.push_str(plain);
    }
    Some(out)
}

fn unshift(shifted: &str) -> Option<String> {
    let bytes = BASE64.decode(shifted).ok()?;
    let units = bytes.chunks(2).map(|pair| <[u8; 2]>::try_from(pair).map(u16::from_be_bytes));
    String::from_utf16(&units.collect::<Result<Vec<_>, _>>().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KNOWN: &[(&str, &str)] = &[
        ("INBOX", "INBOX"),
        ("Entwürfe", "Entw&APw-rfe"),
        ("R&D", "R&-D"),
        ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ("Отправленные", "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"),
        ("😀", "&2D3eAA-"),
        ("a\r\nb", "a&AA0ACg-b"),
        ("", ""),
    ];

    #[test]
    fn known_names_are_encoded_and_decoded() {
        for (name, raw) in KNOWN {
            assert_eq!(encode_name(name, false), raw.as_bytes(), "{name}");
            assert_eq!(decode_name(raw.as_bytes(), false), *name, "{raw}");
            assert_eq!(decode_name(&encode_name(name, true), true), *name);
        }
    }

    #[test]
    fn the_inbox_has_no_case() {
        assert_eq!(encode_name("inbox", false), b"INBOX");
        let inbox = MailboxName::from_server(b"Inbox".as_slice(), false);
        assert!(inbox.is_inbox());
        assert_eq!((inbox.as_str(), inbox.raw()), ("INBOX", b"Inbox".as_slice()));
        assert!(!MailboxName::new("inbox/sub", false).is_inbox());
    }

    #[test]
    fn invalid_names_keep_their_bytes() {
        for raw in [&b"R&D"[..], b"&", b"&AP-", b"&APw", b"&AEE-", b"&2D0-", b"a&!-", b"\xe9\xff", b"&APw-&APw-"] {
            let name = MailboxName::from_server(raw.to_vec(), false);
            assert_eq!(name.raw(), raw);
            assert_eq!(name.as_str(), String::from_utf8_lossy(raw));
        }
    }

    #[test]
    fn eight_bit_names_are_read_as_utf8_even_when_it_is_not_enabled() {
        assert_eq!(decode_name("Entwürfe".as_bytes(), false), "Entwürfe");
    }

    proptest! {
        #[test]
        fn every_name_survives_both_ways(name in "\\PC{0,40}") {
            prop_assume!(!name.eq_ignore_ascii_case(INBOX));
            let raw = encode_name(&name, false);
            prop_assert!(raw.iter().all(|b| matches!(b, b' '..=b'~')));
            prop_assert_eq!(decode_name(&raw, false), name);
        }

        #[test]
        fn no_bytes_are_lost(raw in prop::collection::vec(any::<u8>(), 0..40)) {
            let name = MailboxName::from_server(raw.clone(), false);
            prop_assert_eq!(name.raw(), &raw[..]);
        }
    }
}
