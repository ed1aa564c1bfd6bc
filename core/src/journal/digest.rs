//! What a message is known by where its UID says nothing: after a lost reply, or a new UIDVALIDITY.
//!
//! Message-ID alone is no key (reliability: thousands of messages may share one, and some have none), so the digest
//! covers size, INTERNALDATE, Message-ID and the header as well.

use crate::planted::{Bug, planted};
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// SHA-256 of a message's [`Traits`]; as text and in JSON 64 hexadecimal digits. Stable for ever: stores keep it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

/// What a [`Digest`] is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits<'a> {
    /// RFC822.SIZE, in octets.
    pub size: u64,
    /// INTERNALDATE in seconds since 1970 (the zone is left out: servers write the same moment in zones of their own).
    pub internal_date: Option<i64>,
    /// The `Message-ID` field as it stands, without white space round it.
    pub message_id: Option<&'a [u8]>,
    /// The hash of the header, [`Digest::of_header`].
    pub header: Digest,
}

impl Digest {
    /// The digest of a message.
    #[must_use]
    pub fn of(traits: &Traits<'_>) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(b"mailtide message 1");
        if !planted(Bug::MessageIdIsIdentity) {
            context.update(&traits.size.to_be_bytes());
            context.update(&[u8::from(traits.internal_date.is_some())]);
            context.update(&traits.internal_date.unwrap_or_default().to_be_bytes());
        }
        let id = traits.message_id.map(<[u8]>::trim_ascii).unwrap_or_default();
        context.update(&(id.len() as u64).to_be_bytes());
        context.update(id);
        if !planted(Bug::MessageIdIsIdentity) {
            context.update(&traits.header.0);
        }
        Self::take(context)
    }

    /// The hash of a header block: its lines without their ends, up to the first empty one. A server may write LF as
    /// CRLF, and may or may not give the empty line.
    #[must_use]
    pub fn of_header(block: &[u8]) -> Self {
        let mut context = Context::new(&SHA256);
        for line in block.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                break;
            }
            context.update(line);
            context.update(b"\n");
        }
        Self::take(context)
    }

    /// The digest in these 32 bytes, as a store keeps it; `None` for another length.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn take(context: Context) -> Self {
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        Self(bytes)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("…")
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("64 hexadecimal digits were expected"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traits(header: &[u8]) -> Traits<'_> {
        Traits { size: 10, internal_date: Some(7), message_id: Some(b"<a@b>"), header: Digest::of_header(header) }
    }

    #[test]
    fn line_ends_and_the_empty_line_make_no_difference() {
        let plain = Digest::of_header(b"A: 1\r\nB: 2\r\n\r\n");
        assert_eq!(plain, Digest::of_header(b"A: 1\nB: 2\n"));
        assert_eq!(plain, Digest::of_header(b"A: 1\r\nB: 2\r\n\r\nbody"));
        assert_ne!(plain, Digest::of_header(b"A: 1\r\nB: 3\r\n\r\n"));
        assert_ne!(Digest::of_header(b"A: 1\nB: 2"), Digest::of_header(b"A: 1B: 2"));
    }

    #[test]
    fn every_trait_counts() {
        let all = traits(b"A: 1\r\n");
        let others = [
            Traits { size: 11, ..all },
            Traits { internal_date: None, ..all },
            Traits { internal_date: Some(0), ..all },
            Traits { message_id: None, ..all },
            traits(b"A: 2\r\n"),
        ];
        for other in others {
            assert_ne!(Digest::of(&all), Digest::of(&other), "{other:?}");
        }
    }

    #[test]
    fn the_digest_is_the_same_in_every_version_and_reads_back() {
        let digest = Digest::of(&traits(b"Subject: x\r\n"));
        let text = digest.to_string();
        assert_eq!(text, PINNED);
        assert_eq!(serde_json::from_str::<Digest>(&format!("\"{text}\"")).unwrap(), digest);
        assert_eq!(Digest::from_bytes(digest.as_bytes()), Some(digest));
        assert!(serde_json::from_str::<Digest>("\"00ff\"").is_err() && Digest::from_bytes(b"short").is_none());
    }

    /// Computed apart, by another implementation of SHA-256.
    const PINNED: &str = "13f153d3352b061a0dac0bfa2b7f5135d32dc2cae1348d39a27b8461535fa2bf";
}
