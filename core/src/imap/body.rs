//! BODYSTRUCTURE (RFC 9051 section 7.5.2): the tree of a message's parts, without their content.

use super::{Envelope, parse};
use crate::limits::Limits;
use crate::wire::{Cursor, Frame, WireError};
use bytes::Bytes;
use std::fmt;

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

/// A BODYSTRUCTURE as the server sent it, taken apart only when that is asked for: most are never looked at.
#[derive(Clone, PartialEq, Eq)]
pub struct StructureText(Kept);

#[derive(Clone, PartialEq, Eq)]
enum Kept {
    Text(Bytes),
    /// It had a large literal in it, and so was in pieces.
    Read(Box<BodyStructure>),
}

impl StructureText {
    /// The value of a BODYSTRUCTURE item, as a server sends it or a store has kept it.
    #[must_use]
    pub fn new(text: impl Into<Bytes>) -> Self {
        Self(Kept::Text(text.into()))
    }

    pub(super) fn of(structure: BodyStructure) -> Self {
        Self(Kept::Read(Box::new(structure)))
    }

    /// Takes it apart. What cannot be read is an error, which says where in the text.
    ///
    /// ```
    /// use mailtide::imap::StructureText;
    ///
    /// let text = StructureText::new(r#"("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 12 1)"#);
    /// assert_eq!(text.read().unwrap().subtype, "plain");
    /// assert!(StructureText::new("(").read().is_err());
    /// ```
    pub fn read(&self) -> Result<BodyStructure, WireError> {
        match &self.0 {
            Kept::Text(text) => read(text),
            Kept::Read(structure) => Ok(structure.as_ref().clone()),
        }
    }
}

fn read(text: &Bytes) -> Result<BodyStructure, WireError> {
    let frame = Frame::text(text.clone());
    let mut cursor = Cursor::new(&frame, &Limits::default());
    cursor.in_structure(true);
    parse::body(&mut cursor)
}

/// As what it says.
impl fmt::Debug for StructureText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.read() {
            Ok(structure) => structure.fmt(f),
            Err(error) => error.fmt(f),
        }
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
