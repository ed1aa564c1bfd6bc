//! BODYSTRUCTURE (RFC 9051 section 7.5.2): the tree of a message's parts, without their content.

use super::Envelope;
use bytes::Bytes;

/// A part as the server describes it: a leaf, a multipart, or a nested message.
///
/// Types and parameter names are lower-cased when read; everything else is as it came, still encoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyStructure {
    /// `text`, `multipart`, `application`, …; empty where the server sent `NIL`.
    pub media_type: Bytes,
    /// `plain`, `mixed`, `pdf`, …
    pub subtype: Bytes,
    /// Parameters of `Content-Type`: lower-cased name, value.
    pub parameters: Vec<(Bytes, Bytes)>,
    /// `Content-ID`.
    pub id: Option<Bytes>,
    /// `Content-Description`, encoded.
    pub description: Option<Bytes>,
    /// `Content-Transfer-Encoding`, lower-cased.
    pub encoding: Option<Bytes>,
    /// Size of the part as it is transferred, in octets. `None` where the server sent none or nonsense.
    pub octets: Option<u64>,
    /// Lines, for text and messages.
    pub lines: Option<u64>,
    /// `Content-MD5`.
    pub md5: Option<Bytes>,
    /// `Content-Disposition`.
    pub disposition: Option<Disposition>,
    /// `Content-Language`.
    pub language: Vec<Bytes>,
    /// `Content-Location`.
    pub location: Option<Bytes>,
    /// The envelope of a nested `message/rfc822` or `message/global`.
    pub envelope: Option<Box<Envelope>>,
    /// The parts of a multipart; the body of a nested message as its single child.
    pub parts: Vec<BodyStructure>,
}

impl BodyStructure {
    /// Whether this is a multipart.
    #[must_use]
    pub fn is_multipart(&self) -> bool {
        self.media_type.as_ref() == b"multipart"
    }

    /// The value of a parameter of `Content-Type`, by its lower-case name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Bytes> {
        self.parameters.iter().find(|(n, _)| n.as_ref() == name.as_bytes()).map(|(_, v)| v)
    }
}

/// `Content-Disposition` of a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disposition {
    /// `inline`, `attachment`, …, lower-cased.
    pub kind: Bytes,
    /// Its parameters: lower-cased name, value.
    pub parameters: Vec<(Bytes, Bytes)>,
}
