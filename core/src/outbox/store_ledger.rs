//! The ledger over a store: rows of `outbox` and `recipients`, the message as a stored content, an entry in the feed.

use super::entry::{CopyState, Entry, OnDoubt, Recipient, RecipientState, State};
use super::ledger::{Body, Ledger, NewEntry, PIECE};
use crate::error::{Code, MailError, Result};
use crate::imap::Role;
use crate::journal::Digest;
use crate::store::body::Content;
use crate::store::{
    self, Change, Durability, Handle, Lease, LinkKind, MailboxId, MessageId, NewOutbox, Now, OutboxId, OutboxRow,
    Reader, RecipientRow, Writer,
};
use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

/// Messages up to this size are written in the transaction that queues them; larger ones in short ones before it.
const AT_ONCE: usize = 4 << 20;
/// Most messages that one transaction takes away.
const PAGE: usize = 500;

/// Keeps the messages to be sent in a store. Every commit is durable, and stands in the feed.
#[derive(Clone)]
pub struct StoreLedger {
    handle: Handle,
    lease: Option<Lease>,
}

/// What a row has no column for.
#[derive(Serialize, Deserialize)]
struct Payload {
    on_doubt: String,
    wants_copy: bool,
}

impl StoreLedger {
    /// For a process that queues, takes back and decides.
    #[must_use]
    pub fn new(handle: Handle) -> Self {
        Self { handle, lease: None }
    }

    /// For the process that sends: nothing is committed once somebody else holds the lease (`store.lease_lost`).
    #[must_use]
    pub fn leased(handle: Handle, lease: Lease) -> Self {
        Self { handle, lease: Some(lease) }
    }
}

impl Ledger for StoreLedger {
    fn insert(&self, new: NewEntry, raw: Bytes) -> BoxFuture<'_, Result<Entry>> {
        Box::pin(async move {
            let mut staging =
                if raw.len() > AT_ONCE { Some(self.stage(raw.clone(), new.created).await?) } else { None };
            let insert = move |writer: &mut dyn Writer| insert(writer, &new, &raw, &mut staging);
            self.handle.write(Durability::Full, insert).await
        })
    }

    fn commit<'a>(&'a self, before: State, entry: &'a Entry) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (entry, lease) = (entry.clone(), self.lease.clone());
            let commit = move |writer: &mut dyn Writer| {
                lease.as_ref().map_or(Ok(()), |lease| store::lease::check(writer, lease))?;
                update(writer, before, &entry)
            };
            self.handle.write(Durability::Full, commit).await
        })
    }

    fn prune(&self, before: i64) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            loop {
                let ids = self.handle.read(move |reader| reader.outbox_over(before, PAGE)).await?;
                let is_last = ids.len() < PAGE;
                if !ids.is_empty() {
                    self.remove(ids).await?;
                }
                if is_last {
                    return Ok(());
                }
            }
        })
    }

    fn unfinished(&self) -> BoxFuture<'_, Result<Vec<Entry>>> {
        let open =
            |reader: &dyn Reader| reader.outbox_open()?.into_iter().map(|row| read(reader, row)).collect::<Result<_>>();
        Box::pin(self.handle.read(open))
    }

    fn entry(&self, id: i64) -> BoxFuture<'_, Result<Option<Entry>>> {
        Box::pin(self.handle.read(move |reader| {
            let row = reader.outbox(OutboxId(id))?;
            row.map(|row| read(reader, row)).transpose()
        }))
    }

    fn was_filed<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<bool>> {
        let (id, message_id) = (OutboxId(entry.id), entry.message_id.clone());
        Box::pin(self.handle.read(move |reader| was_in_sent(reader, id, &message_id)))
    }

    fn body(&self, id: i64) -> BoxFuture<'_, Result<Box<dyn Body>>> {
        Box::pin(async move {
            let open = move |reader: &dyn Reader| {
                let row = reader.outbox(OutboxId(id))?.ok_or_else(|| missing(id))?;
                Content::new(reader, row.new.body, Bytes::new())
            };
            let content = self.handle.read(open).await?;
            let body = StoredBody { handle: self.handle.clone(), size: content.size(), content: Some(content) };
            Ok(Box::new(body) as Box<dyn Body>)
        })
    }
}

/// Whether the store has seen in Sent what is to be filed there: the same Message-ID and header. What came back from a
/// list of addresses, or by way of a draft, is not that.
fn was_in_sent(reader: &dyn Reader, id: OutboxId, message_id: &str) -> Result<bool> {
    let row = reader.outbox(id)?.ok_or_else(|| missing(id.0))?;
    let (_, beginning) = stretch(reader, Content::new(reader, row.new.body, Bytes::new())?)?;
    let header = Digest::of_header(&beginning);
    let sent = reader.mailboxes()?.into_iter().filter(|row| row.role == Some(Role::Sent)).map(|row| row.id);
    let sent: Vec<MailboxId> = sent.collect();
    for (message, kind) in reader.linked(message_id)? {
        let is_it = kind == LinkKind::Own
            && reader.headers(message)?.is_some_and(|found| Digest::of_header(&found.header) == header);
        for mailbox in sent.iter().filter(|_| is_it) {
            if has_been_in(reader, *mailbox, message)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether the server has, or had, a message in a mailbox.
fn has_been_in(reader: &dyn Reader, mailbox: MailboxId, message: MessageId) -> Result<bool> {
    let mut placed = reader.placements_of(message)?.into_iter();
    if placed.any(|row| row.mailbox == mailbox && row.remote_uid.is_some()) {
        return Ok(true);
    }
    let mut left = reader.tombstones_of(message)?.into_iter();
    Ok(left.any(|row| row.mailbox == mailbox && row.remote_uid.is_some()))
}

/// The bytes of a message as the store has them.
struct StoredBody {
    handle: Handle,
    size: u64,
    /// `None` after the end, and after a failure.
    content: Option<Content>,
}

impl Body for StoredBody {
    fn size(&self) -> u64 {
        self.size
    }

    fn next(&mut self) -> BoxFuture<'_, Result<Option<Bytes>>> {
        Box::pin(async move {
            let Some(content) = self.content.take() else { return Ok(None) };
            let (content, piece) = self.handle.read(move |reader| stretch(reader, content)).await?;
            self.content = content;
            Ok(Some(piece).filter(|piece| !piece.is_empty()))
        })
    }
}

/// Some more of a content, and the rest of it if there may be one.
fn stretch(reader: &dyn Reader, mut content: Content) -> Result<(Option<Content>, Bytes)> {
    let mut out = BytesMut::new();
    while out.len() < PIECE {
        let Some(more) = content.next(reader)? else { return Ok((None, out.freeze())) };
        out.extend_from_slice(&more);
    }
    Ok((Some(content), out.freeze()))
}

impl StoreLedger {
    async fn remove(&self, ids: Vec<OutboxId>) -> Result<()> {
        let lease = self.lease.clone();
        let remove = move |writer: &mut dyn Writer| {
            lease.as_ref().map_or(Ok(()), |lease| store::lease::check(writer, lease))?;
            ids.iter().try_for_each(|id| writer.delete_outbox(*id))
        };
        self.handle.write(Durability::Bulk, remove).await
    }

    async fn stage(&self, raw: Bytes, created: i64) -> Result<store::body::Staging> {
        let store = self.handle.store().clone();
        let work = tokio::task::spawn_blocking(move || {
            let mut staging = store::body::Staging::new(store, Bytes::new(), now(created));
            staging.push(&raw)?;
            staging.finish()?;
            Ok(staging)
        });
        work.await.map_err(|_| MailError::new(Code::Internal, "Storing a message was interrupted"))?
    }
}

fn insert(
    writer: &mut dyn Writer,
    new: &NewEntry,
    raw: &Bytes,
    staging: &mut Option<store::body::Staging>,
) -> Result<Entry> {
    if let Some(row) = writer.outbox_by_key(&new.key)? {
        return read(writer, row);
    }
    let body = match staging {
        Some(staging) => staging.publish(writer)?,
        None => store::body::put(writer, raw, &Bytes::new(), now(new.created))?,
    };
    let payload = Payload { on_doubt: new.on_doubt.as_str().to_owned(), wants_copy: new.wants_copy };
    let row = NewOutbox {
        key: new.key.clone(),
        message_id: new.message_id.clone(),
        sender: new.sender.clone(),
        recipients: new.recipients.clone(),
        body,
        payload: serde_json::to_string(&payload).map_err(|_| MailError::from(Code::Internal))?,
        created: new.created,
    };
    let outbox = writer.insert_outbox(&row, new.not_before)?;
    writer.insert_feed(new.created, &Change::Outbox { outbox })?;
    let row = writer.outbox(outbox)?.ok_or_else(|| missing(outbox.0))?;
    read(writer, row)
}

fn update(writer: &mut dyn Writer, before: State, entry: &Entry) -> Result<()> {
    let id = OutboxId(entry.id);
    let row = writer.outbox(id)?.ok_or_else(|| missing(entry.id))?;
    let old = read(writer, row.clone())?;
    if old.state != before {
        return Err(MailError::new(Code::Cancelled, "Somebody else has changed the message meanwhile"));
    }
    writer.update_outbox(&OutboxRow {
        state: entry.state.as_str().to_owned(),
        changed: entry.changed,
        attempts: entry.attempts,
        not_before: entry.not_before,
        reply: entry.reply.clone(),
        sent_copy: entry.sent_copy.map(|copy| copy.as_str().to_owned()),
        over: entry.is_finished(),
        ..row
    })?;
    for (_, recipient) in old.recipients.iter().zip(&entry.recipients).filter(|(old, new)| old != new) {
        let Recipient { address, state, reply } = recipient.clone();
        writer.update_recipient(&RecipientRow { outbox: id, address, state: state.as_str().to_owned(), reply })?;
    }
    writer.insert_feed(entry.changed, &Change::Outbox { outbox: id }).map(|_| ())
}

fn read<R: Reader + ?Sized>(reader: &R, row: OutboxRow) -> Result<Entry> {
    let payload: Payload = serde_json::from_str(&row.new.payload).map_err(|_| damaged("payload"))?;
    let recipient = |row: RecipientRow| {
        let state = RecipientState::parse(&row.state).ok_or_else(|| damaged("recipient"))?;
        Ok(Recipient { address: row.address, state, reply: row.reply })
    };
    Ok(Entry {
        id: row.id.0,
        recipients: reader.recipients(row.id)?.into_iter().map(recipient).collect::<Result<_>>()?,
        state: State::parse(&row.state).ok_or_else(|| damaged("state"))?,
        sent_copy: row.sent_copy.as_deref().map(|c| CopyState::parse(c).ok_or_else(|| damaged("copy"))).transpose()?,
        on_doubt: OnDoubt::parse(&payload.on_doubt).ok_or_else(|| damaged("policy"))?,
        wants_copy: payload.wants_copy,
        key: row.new.key,
        message_id: row.new.message_id,
        sender: row.new.sender,
        created: row.new.created,
        changed: row.changed,
        attempts: row.attempts,
        not_before: row.not_before,
        reply: row.reply,
    })
}

fn now(seconds: i64) -> Now {
    Now::from_seconds(seconds)
}

fn missing(id: i64) -> MailError {
    MailError::new(Code::UsageArgument, format!("There is no message {id} to be sent"))
}

fn damaged(what: &str) -> MailError {
    MailError::new(Code::StoreDamaged, format!("The {what} of a message to be sent cannot be read"))
}
