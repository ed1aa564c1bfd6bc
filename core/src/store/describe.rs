//! A message that is put into the store by its bytes: what a server would say of it.

use super::{Headers, NewMessage, derive};
use crate::imap::{BodyStructure, InternalDate, render};
use crate::message::{self, ParsedMessage, described_structure, envelope_text};
use bytes::Bytes;

/// A message as its row describes it.
#[must_use]
pub fn describe(raw: &Bytes, received: InternalDate) -> NewMessage {
    let parsed = ParsedMessage::parse(raw.clone());
    let header = Bytes::copy_from_slice(parsed.header_block());
    described((header, parsed.headers()), &described_structure(&parsed), (raw.len() as u64, received))
}

/// The same of what was read of it: its header, with its empty line and as fields, and its parts.
pub(crate) fn described(
    (header, headers): (Bytes, &message::Headers),
    structure: &BodyStructure,
    (size, received): (u64, InternalDate),
) -> NewMessage {
    NewMessage {
        size,
        internal_date: received,
        digest: Some(derive::digest(&header, size, received)),
        email_id: None,
        links: derive::links(&header),
        headers: Headers {
            envelope: envelope_text(headers),
            body_structure: render::body_structure(structure),
            header,
        },
    }
}
