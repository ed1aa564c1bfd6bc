//! The parts of a message that was never held in memory: what they are, and where in it they are.

use super::headers::Headers;
use super::parts::Parts;
use crate::imap::BodyStructure;
use bytes::Bytes;
use std::ops::Range;

/// What an [`Outline`](super::Outline) came to: as [`ParsedMessage`](super::ParsedMessage), with places in the message
/// instead of bytes.
#[derive(Clone, Debug)]
pub struct Outlined {
    pub(super) header: Bytes,
    pub(super) headers: Headers,
    pub(super) structure: BodyStructure,
    pub(super) parts: Parts,
    /// In the order of [`sections`](super::sections).
    pub(super) places: Vec<Place>,
}

/// Where a part is, in bytes from the beginning of the message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub section: Vec<u32>,
    /// Whether the next place is that of the message that this part is.
    pub is_message: bool,
    /// With the empty line.
    pub header: Range<u64>,
    pub content: Range<u64>,
}

impl Outlined {
    /// The header with its empty line: `BODY[HEADER]`. Without an empty line where the message has none.
    #[must_use]
    pub fn header_block(&self) -> &Bytes {
        &self.header
    }

    /// The header's fields.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The parts, complete as a server describes them; see [`described_structure`](super::described_structure).
    #[must_use]
    pub fn structure(&self) -> &BodyStructure {
        &self.structure
    }

    /// The parts by their use, with what the message itself says of them.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// How many parts there are, nested ones and multiparts included.
    #[must_use]
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// Where the text of the message is: `BODY[TEXT]`.
    #[must_use]
    pub fn text_block(&self) -> Range<u64> {
        self.places.first().map(|place| place.content.clone()).unwrap_or_default()
    }

    /// Where the bytes of a section are: `BODY[…]`.
    #[must_use]
    pub fn section(&self, section: &[u32]) -> Option<Range<u64>> {
        self.places.get(self.place(section)?).map(|place| place.content.clone())
    }

    /// Where the header of a part is: `BODY[….MIME]`.
    #[must_use]
    pub fn part_header(&self, section: &[u32]) -> Option<Range<u64>> {
        self.places.get(self.place(section)?).map(|place| place.header.clone())
    }

    /// Where header and text of the message are that a part is: `BODY[….HEADER]` and `BODY[….TEXT]`. `None` where the
    /// part is no message.
    #[must_use]
    pub fn nested(&self, section: &[u32]) -> Option<(Range<u64>, Range<u64>)> {
        let at = self.place(section)?;
        self.places.get(at).filter(|place| place.is_message)?;
        self.places.get(at + 1).map(|place| (place.header.clone(), place.content.clone()))
    }

    fn place(&self, section: &[u32]) -> Option<usize> {
        self.places.iter().position(|place| place.section == section)
    }
}
