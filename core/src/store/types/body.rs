//! Stored contents.

use super::BodyId;
use std::fmt;

/// SHA-256 of a content's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentHash(pub [u8; 32]);

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

/// A chunk of a content, or the headers of a message, as a store keeps them: compressed outside of any transaction, by
/// [`Reader::pack`](crate::store::Reader::pack) and [`Reader::pack_headers`](crate::store::Reader::pack_headers).
#[derive(Clone, PartialEq, Eq)]
pub struct Frame(Vec<u8>);

impl Frame {
    /// For a store: these bytes, which it has made.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// For a store: the bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// How many there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.0.len() as u64
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({} bytes)", self.0.len())
    }
}

/// A content, whole and verified; those that are still being written have no row that a reader sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyRow {
    /// Its id.
    pub id: BodyId,
    /// SHA-256 of all its bytes: of the whole message, or of a part as it is decoded.
    pub hash: ContentHash,
    /// How many bytes that is.
    pub size: u64,
    /// How many bytes at the beginning are not in the chunks, because they are the message's header.
    pub header: u64,
    /// How the content of chunks and parts becomes the message (see `store::body`).
    pub recipe: Vec<u8>,
    /// Contents that stand in this one, in order, decoded; others may have them as well. They have no parts themselves.
    pub parts: Vec<BodyId>,
    /// How many chunks there are.
    pub chunks: u32,
    /// The bytes that its chunks take, without those of its parts.
    pub stored: u64,
}
