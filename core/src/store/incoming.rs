//! A message that comes from elsewhere than a server, on its way into the store: a small one in memory, a large one in
//! pieces.

use super::body::{self, Staging};
use super::{BodyId, ContentHash, NewMessage, Now, Store, Writer, describe, described};
use crate::error::Result;
use crate::imap::InternalDate;
use crate::message::Outline;
use bytes::Bytes;
use std::io::Write;
use std::sync::Arc;

/// Messages up to this size are held in memory, and written in the transaction that adds them.
pub(crate) const SMALL: usize = 4 << 20;

/// Takes the bytes of a message. It blocks: to be used on a thread that may.
pub(crate) struct Incoming {
    store: Arc<dyn Store>,
    now: Now,
    small: Vec<u8>,
    large: Option<(Staging, Outline)>,
}

/// A message that can be added.
pub(crate) struct Received {
    pub new: NewMessage,
    pub hash: ContentHash,
    now: Now,
    content: Content,
}

enum Content {
    Small(Bytes),
    Large(Box<Staging>),
}

impl Incoming {
    pub fn new(store: Arc<dyn Store>, now: Now) -> Self {
        Self { store, now, small: Vec::new(), large: None }
    }

    /// Takes the next bytes; more than 2 GiB in all is `limit.exceeded`.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some((staging, outline)) = &mut self.large {
            outline.push(bytes);
            return staging.push(bytes);
        }
        self.small.extend_from_slice(bytes);
        if self.small.len() <= SMALL { Ok(()) } else { self.spill() }
    }

    /// Puts what is held in memory into the store already, where nobody sees it; and all that comes.
    pub fn spill(&mut self) -> Result<()> {
        if self.large.is_some() {
            return Ok(());
        }
        let held = std::mem::take(&mut self.small);
        self.large = Some((Staging::new(Arc::clone(&self.store), Bytes::new(), self.now), Outline::default()));
        held.chunks(SMALL).try_for_each(|piece| self.push(piece))
    }

    /// How many bytes are held in memory until the message is added.
    pub fn held(&self) -> usize {
        self.small.len()
    }

    /// The length so far, in bytes.
    pub fn size(&self) -> u64 {
        self.large.as_ref().map_or(self.small.len() as u64, |(staging, _)| staging.size())
    }

    /// The end of the message; `received` is now unless given.
    pub fn finish(self, received: Option<InternalDate>) -> Result<Received> {
        let received = received.unwrap_or(InternalDate { seconds: self.now.seconds(), offset: 0 });
        let Some((mut staging, outline)) = self.large else {
            return Ok(Received::small(self.small.into(), received, self.now));
        };
        staging.finish()?;
        let outlined = outline.finish();
        let header = (outlined.header_block().clone(), outlined.headers());
        let new = described(header, outlined.structure(), (staging.size(), received));
        let hash = staging.hash()?;
        Ok(Received { new, hash, now: self.now, content: Content::Large(Box::new(staging)) })
    }

    /// Takes away what came of a message that is not added after all. It blocks.
    pub fn abandon(self) -> Result<()> {
        self.large.map_or(Ok(()), |(staging, _)| staging.abandon())
    }
}

/// Errors of the store go through as they are; see `archive`.
impl Write for Incoming {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.push(bytes).map_err(std::io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Received {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Durability, SqliteOptions, SqliteStore};

    #[test]
    fn a_message_is_the_same_whether_it_was_held_or_put_down_as_it_came() {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(&folder.path().join("a.mail"), SqliteOptions::default()).unwrap());
        let (now, raw) = (Now::from_seconds(7), b"Subject: one\r\nFrom: ada@x\r\n\r\ntext\r\n");
        let take = |spills: bool| {
            let mut incoming = Incoming::new(Arc::clone(&store), now);
            incoming.push(&raw[..20]).unwrap();
            if spills {
                incoming.spill().unwrap();
            }
            incoming.push(&raw[20..]).unwrap();
            assert_eq!((incoming.size(), incoming.held() > 0), (raw.len() as u64, !spills));
            incoming.finish(None).unwrap()
        };
        let (held, mut put) = (take(false), take(true));
        assert_eq!((held.hash, held.new.size), (put.hash, put.new.size));
        assert_eq!(held.new.headers, put.new.headers);
        let mut writer = store.write(Durability::Full).unwrap();
        put.publish(&mut *writer).unwrap();
        writer.commit().unwrap();
        take(true).abandon().unwrap();
        assert_eq!(store.usage().unwrap().bodies, 1);
    }
}
