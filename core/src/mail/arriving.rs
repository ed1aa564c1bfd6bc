//! A message that comes from elsewhere than a server, on its way into the store: a small one in memory, a large one in
//! pieces.

use super::now;
use crate::error::Result;
use crate::imap::InternalDate;
use crate::message::Outline;
use crate::store::body::{self, Staging};
use crate::store::{BodyId, ContentHash, NewMessage, Now, Store, Writer, describe, described};
use bytes::Bytes;
use std::io::Write;
use std::sync::Arc;

/// Messages up to this size are held in memory, and written in the transaction that adds them.
pub(super) const SMALL: usize = 4 << 20;

/// Takes the bytes of a message. It blocks: to be used on a thread that may.
pub(super) struct Arriving {
    store: Arc<dyn Store>,
    now: Now,
    small: Vec<u8>,
    large: Option<(Staging, Outline)>,
}

/// A message that can be added.
pub(super) struct Arrived {
    pub new: NewMessage,
    pub hash: ContentHash,
    now: Now,
    content: Content,
}

enum Content {
    Small(Bytes),
    Large(Box<Staging>),
}

impl Arriving {
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, now: now(), small: Vec::new(), large: None }
    }

    /// Takes the next bytes; more than 2 GiB in all is `limit.exceeded`.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some((staging, outline)) = &mut self.large {
            outline.push(bytes);
            return staging.push(bytes);
        }
        self.small.extend_from_slice(bytes);
        if self.small.len() <= SMALL {
            return Ok(());
        }
        let held = std::mem::take(&mut self.small);
        self.large = Some((Staging::new(self.store.clone(), Bytes::new(), self.now), Outline::default()));
        held.chunks(SMALL).try_for_each(|piece| self.push(piece))
    }

    /// The end of the message; `received` is now unless given.
    pub fn finish(self, received: Option<InternalDate>) -> Result<Arrived> {
        let received = received.unwrap_or(InternalDate { seconds: self.now.seconds(), offset: 0 });
        let Some((mut staging, outline)) = self.large else {
            return Ok(Arrived::small(self.small.into(), received, self.now));
        };
        staging.finish()?;
        // Its lines were not counted.
        let (headers, structure) = outline.finish();
        let header = Bytes::copy_from_slice(headers.raw());
        let new = described((header, &headers), &structure, (staging.size(), received));
        let hash = staging.hash()?;
        Ok(Arrived { new, hash, now: self.now, content: Content::Large(Box::new(staging)) })
    }
}

/// Errors of the store go through as they are; see `archive`.
impl Write for Arriving {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.push(bytes).map_err(std::io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Arrived {
    /// One in memory.
    pub fn small(raw: Bytes, received: InternalDate, now: Now) -> Self {
        let new = describe(&raw, received);
        Self { new, hash: body::hash(&raw), now, content: Content::Small(raw) }
    }

    /// Its content in the store, in the transaction that adds the message.
    pub fn publish(&mut self, writer: &mut dyn Writer) -> Result<BodyId> {
        match &mut self.content {
            Content::Small(raw) => body::put(writer, raw, &self.new.headers.header, self.now),
            Content::Large(staging) => staging.publish(writer),
        }
    }

    /// Takes away what was staged of one that is not added after all. It blocks, and is not for inside a transaction.
    pub fn abandon(self) -> Result<()> {
        match self.content {
            Content::Small(_) => Ok(()),
            Content::Large(staging) => staging.abandon(),
        }
    }
}
