//! A message that is put into the store by its bytes: what a server would say of it.

use super::{Headers, NewMessage, derive};
use crate::imap::{InternalDate, render};
use crate::message::{ParsedMessage, described_structure, envelope_text};
use bytes::Bytes;

/// A message as its row describes it.
#[must_use]
pub fn describe(raw: &Bytes, received: InternalDate) -> NewMessage {
    let parsed = ParsedMessage::parse(raw.clone());
    let header = Bytes::copy_from_slice(parsed.header_block());
    let size = raw.len() as u64;
    NewMessage {
        size,
        internal_date: received,
        digest: Some(derive::digest(&header, size, received)),
        email_id: None,
        links: derive::links(&header),
        headers: Headers {
            envelope: envelope_text(parsed.headers()),
            body_structure: render::body_structure(&described_structure(&parsed)),
            header,
        },
    }
}
