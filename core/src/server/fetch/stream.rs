//! Bytes of a section that are read from the store while they are written.

use super::decoded::Decoding;
use crate::error::{Code, MailError, Result};
use crate::store::Reader;
use crate::store::body::Content;
use bytes::Bytes;

/// Where the bytes come from.
pub(super) enum Source {
    /// A content, from where it stands.
    Content(Box<Content>),
    /// A part without its transfer encoding.
    Decoding(Box<Decoding>),
}

impl Source {
    /// The next bytes, at least one of them and no more than that.
    pub(super) fn next(&mut self, reader: &dyn Reader, most: u64) -> Result<Bytes> {
        match self {
            Self::Content(content) => up_to(content, reader, most),
            Self::Decoding(decoding) => {
                let mut bytes = decoding.next(reader)?;
                bytes.truncate(usize::try_from(most).unwrap_or(usize::MAX));
                if bytes.is_empty() { Err(cut()) } else { Ok(bytes.into()) }
            }
        }
    }
}

/// The next bytes of a content, at least one of them and no more than that.
pub(super) fn up_to(content: &mut Content, reader: &dyn Reader, most: u64) -> Result<Bytes> {
    content.up_to(reader, most)?.filter(|bytes| !bytes.is_empty()).ok_or_else(cut)
}

fn cut() -> MailError {
    MailError::new(Code::StoreDamaged, "A content is shorter than it was")
}
