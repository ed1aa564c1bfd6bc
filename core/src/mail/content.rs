//! The content of a message: from the store, or from the server where it is not held.

use super::reading::{self, Stream};
use super::{Mail, now};
use crate::bulk::MessageRef;
use crate::error::{Code, MailError, Result, Retry};
use crate::imap::MailboxName;
use crate::journal::Digest;
use crate::message::ParsedMessage;
use crate::session::{Body, Columns, FetchOptions, Kept, Message, Pieces, Selection};
use crate::store::{
    BodySource, Durability, Fetched, MailboxId, MessageId, Partial, Reader, Stretch, Writer, arrive, body,
};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, PoisonError, Weak};

/// Largest message that is read into memory.
const LARGEST: u64 = 1 << 30;
/// Largest one that is passed on in memory, and kept in the transaction of a read. What is larger goes through the store.
const KEPT: u64 = 4 << 20;

/// A message of the store.
#[derive(Clone)]
pub(super) struct Stored {
    pub mail: Mail,
    pub mailbox: MailboxId,
    pub uid: u32,
    pub message: MessageId,
}

impl Kept for Stored {
    fn header(&self) -> BoxFuture<'_, Result<Bytes>> {
        Box::pin(async move {
            let message = self.message;
            let headers = self.mail.handle()?.read(move |reader| reader.headers(message)).await?;
            headers.map(|headers| headers.header).ok_or_else(|| self.missing())
        })
    }

    fn raw(&self) -> BoxFuture<'_, Result<Bytes>> {
        Box::pin(async move {
            let message = self.message;
            match self.mail.handle()?.read(move |reader| body::read(reader, message, LARGEST)).await {
                Err(error) if error.code() == Code::BodyNotHere => match self.fetched().await? {
                    Fetched::Bytes(raw) => Ok(raw),
                    Fetched::Held => self.mail.handle()?.read(move |reader| body::read(reader, message, LARGEST)).await,
                },
                read => read,
            }
        })
    }

    fn whole(&self) -> BoxFuture<'_, Result<Body>> {
        Box::pin(reading::whole(self))
    }

    fn pieces(&self, at: Range<u64>) -> Box<dyn Pieces> {
        Box::new(Stream::new(self.clone(), at))
    }

    fn me(&self) -> Vec<String> {
        self.mail.me()
    }
}

/// Large bodies that are being brought: two that want the same one bring it once.
pub(super) type Turns = std::sync::Mutex<BTreeMap<MessageId, Weak<tokio::sync::Mutex<()>>>>;

impl Mail {
    /// Waits for whoever is bringing the body of this message.
    async fn turn(&self, message: MessageId) -> tokio::sync::OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.bringing.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| turn.strong_count() > 0);
            let known = turns.get(&message).and_then(Weak::upgrade);
            let turn = known.unwrap_or_default();
            turns.insert(message, Arc::downgrade(&turn));
            turn
        };
        turn.lock_owned().await
    }
}

/// For the server over this store.
impl BodySource for Mail {
    fn body(&self, message: MessageId) -> BoxFuture<'_, Result<Fetched>> {
        Box::pin(async move {
            let look = move |reader: &dyn Reader| Ok((reader.placements_of(message)?, reader.message(message)?));
            let (places, row) = self.handle()?.read(look).await?;
            let missing = || MailError::new(Code::MessageMissing, "The message is no longer there");
            let place = places.into_iter().next().ok_or_else(missing)?;
            if row.is_some_and(|row| row.body.is_some()) {
                return Ok(Fetched::Held);
            }
            Stored { mail: self.clone(), mailbox: place.mailbox, uid: place.uid, message }.fetched().await
        })
    }
}

impl Stored {
    /// Asks the server for it.
    pub(super) async fn fetched(&self) -> Result<Fetched> {
        if self.mail.account().is_none() {
            return Err(self.not_here("and no account was given to fetch it from"));
        }
        let session = self.mail.live().await.map_err(|error| self.offline(error))?;
        let (at, mailbox) = self.remote(session.label().clone()).await?;
        let uid = at.uid;
        let columns = FetchOptions { columns: Columns { size: true, ..Columns::NONE }, ..FetchOptions::default() };
        let mut found = session.mailbox(&*at.mailbox)?.fetch(Selection::Refs(vec![at]), columns);
        let batch = found.next_batch().await.map_err(|error| self.offline(error))?;
        let message = batch.and_then(|batch| batch.into_iter().next()).ok_or_else(|| self.missing())?;
        if message.size().is_some_and(|size| size > KEPT) {
            return self.bring(&message, (mailbox, uid)).await.map(|()| Fetched::Held);
        }
        let raw = message.raw().await.map_err(|error| self.offline(error))?;
        self.check(&raw).await?;
        self.keep(raw.clone()).await?;
        Ok(Fetched::Bytes(raw))
    }

    /// Brings a large one into the store in stretches, from where it was broken off before. It stays until upkeep lets
    /// it go, whatever the rules want: whoever reads it by pieces would fetch it for each of them.
    async fn bring(&self, live: &Message, place: (MailboxId, u32)) -> Result<()> {
        let _turn = self.mail.turn(self.message).await;
        let (message, handle) = (self.message, self.mail.handle()?);
        let begin = move |reader: &dyn Reader| {
            let Some(partial) = Partial::of(reader, message, place)? else { return Ok(None) };
            Ok(Some((partial.came(reader)?, partial.is_over(reader)?, partial)))
        };
        let (at, is_over, partial) = handle.read(begin).await?.ok_or_else(|| self.missing())?;
        if is_over || !self.stretches(live, &partial, at).await? {
            return Ok(());
        }
        let (store, known) = (Arc::clone(handle.store()), partial.clone());
        let packed = tokio::task::spawn_blocking(move || known.pack(&store, now())).await;
        match packed.unwrap_or_else(|_| Err(Code::Internal.into()))? {
            Ok(mut staging) => {
                let publish = move |writer: &mut dyn Writer| partial.publish(writer, &mut staging, now());
                handle.write(Durability::Bulk, publish).await
            }
            Err(_) => {
                handle.write(Durability::Bulk, move |writer| partial.forget(writer)).await?;
                Err(self.another())
            }
        }
    }

    /// Puts down what comes; whether that was all, and nobody else has brought it meanwhile.
    async fn stretches(&self, live: &Message, partial: &Partial, mut at: u64) -> Result<bool> {
        let (handle, mut stream) = (self.mail.handle()?, live.stream_from(at));
        while let Some(piece) = stream.next().await.map_err(|error| self.offline(error))? {
            let (partial, length) = (partial.clone(), piece.len() as u64);
            let stretch = handle.read(move |reader| Stretch::new(reader, &piece)).await?;
            let put = move |writer: &mut dyn Writer| {
                Ok((partial.push(writer, (at, &stretch), now())?, partial.is_over(writer)?))
            };
            let (there, is_over) = handle.write(Durability::Bulk, put).await?;
            if is_over {
                return Ok(false);
            }
            if there != at + length {
                // A pass fetches it as well.
                stream = live.stream_from(there);
            }
            at = there;
        }
        Ok(true)
    }

    /// Where the server has it.
    async fn remote(&self, account: Arc<str>) -> Result<(MessageRef, MailboxId)> {
        let source = self.clone();
        let ask = move |reader: &dyn Reader| {
            for placement in reader.placements_of(source.message)? {
                let remote = reader.mailbox(placement.mailbox)?.and_then(|row| row.remote);
                if let (Some(uid), Some(remote)) = (placement.remote_uid, remote) {
                    let name = MailboxName::from_server(remote.name, false);
                    let (mailbox, uid_validity) = (name.as_str().into(), remote.uid_validity);
                    return Ok((MessageRef { account, mailbox, uid_validity, uid }, placement.mailbox));
                }
            }
            Err(source.not_here("and the server has not got it under a number that is known here"))
        };
        self.mail.handle()?.read(ask).await
    }

    /// A server that gives another message for a UID must not put its text under this one's header.
    async fn check(&self, raw: &Bytes) -> Result<()> {
        let known = Digest::of_header(&self.header().await?);
        if Digest::of_header(ParsedMessage::parse(raw.clone()).headers().raw()) == known {
            return Ok(());
        }
        Err(self.another())
    }

    /// Keeps what was fetched, where the rules want it.
    async fn keep(&self, raw: Bytes) -> Result<()> {
        // The server had announced less.
        if raw.len() as u64 > KEPT {
            return Ok(());
        }
        let Self { mailbox, message, .. } = *self;
        let keep = move |writer: &mut dyn Writer| {
            let (Some(row), now) = (writer.message(message)?, now()) else { return Ok(()) };
            let wanted = writer.keep(Some(mailbox))?.wants(raw.len() as u64, row.internal_date.seconds, now);
            if row.body.is_some() || !wanted || writer.placements_of(message)?.is_empty() {
                return Ok(());
            }
            let header = writer.headers(message)?.unwrap_or_default().header;
            let body = body::put(writer, &raw, &header, now)?;
            arrive::body(writer, message, body, now)
        };
        self.mail.handle()?.write(Durability::Bulk, keep).await
    }

    fn offline(&self, error: MailError) -> MailError {
        match error.retry() {
            Retry::Reconnect | Retry::Later(_) => {
                self.not_here(&format!("and could not be fetched ({})", error.message())).with_retry(error.retry())
            }
            _ => error,
        }
    }

    fn not_here(&self, why: &str) -> MailError {
        MailError::new(Code::BodyNotHere, format!("The body of this message is not held here, {why}"))
            .with(|c| c.uid = Some(self.uid))
    }

    fn another(&self) -> MailError {
        let text = "The server gave another message for this one's UID";
        MailError::new(Code::ServerProtocol, text).with(|c| c.uid = Some(self.uid)).with_retry(Retry::Never)
    }

    fn missing(&self) -> MailError {
        MailError::new(Code::MessageMissing, "The message is no longer there").with(|c| c.uid = Some(self.uid))
    }
}
