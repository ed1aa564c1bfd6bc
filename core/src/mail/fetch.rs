//! Messages out of the store, in batches.

use super::content::Stored;
use super::select::{Found, reference};
use super::{LocalMailbox, Mail};
use crate::error::Result;
use crate::imap::{Envelope, FetchRow, StructureText, UidSet};
use crate::session::{Batches, FetchOptions, Loaded, Message, Order, Parts, Progress, Selection};
use crate::store::{Headers, MailboxRow, MessageRow, PlacementRow, Reader, body};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// Most messages of one batch.
const BATCH: u64 = 256;
/// Bytes of contents that one batch loads ahead; what goes beyond is read when it is asked for.
const LOAD: u64 = 4 << 20;

/// One fetch from a local mailbox.
pub(super) struct Reading {
    mailbox: LocalMailbox,
    selection: Selection,
    options: FetchOptions,
    found: Option<Found>,
    given: u64,
    total: u64,
}

impl Reading {
    pub fn new(mailbox: LocalMailbox, selection: Selection, options: FetchOptions) -> Self {
        Self { mailbox, selection, options, found: None, given: 0, total: 0 }
    }

    async fn next(&mut self) -> Result<Option<Vec<Message>>> {
        let order = self.options.order;
        loop {
            let found = match &mut self.found {
                Some(found) => found,
                None => {
                    let (zone, most) = (self.options.time_zone.clone(), (self.options.limit, order));
                    let found = Found::some(&self.mailbox, self.selection.clone(), zone, most).await?;
                    self.total = found.uids.len();
                    self.found.insert(found)
                }
            };
            if found.uids.is_empty() {
                return Ok(None);
            }
            let some = match order {
                Order::Oldest => found.uids.oldest(BATCH),
                Order::Newest => found.uids.newest(BATCH),
            };
            let mut messages = load(self.mailbox.mail(), &found.row, &some, &self.options).await?;
            found.uids = found.uids.difference(&some);
            if order == Order::Newest {
                messages.reverse();
            }
            self.given += messages.len() as u64;
            self.report();
            // They may all have gone since they were found.
            if !messages.is_empty() {
                return Ok(Some(messages));
            }
        }
    }

    fn report(&self) {
        if let Some(on_progress) = &self.options.on_progress {
            let (done, total) = (self.given, Some(self.total));
            on_progress.0(Progress { phase: "fetch", done, total, bytes: 0 });
        }
    }
}

impl Batches for Reading {
    fn next_batch(&mut self) -> BoxFuture<'_, Result<Option<Vec<Message>>>> {
        Box::pin(async move {
            let next = self.next().await;
            if next.is_err()
                && let Some(found) = &mut self.found
            {
                found.uids = UidSet::new();
            }
            next
        })
    }

    fn exact(&self) -> Option<bool> {
        self.found.as_ref().map(|_| true)
    }
}

/// What is read of one message.
struct Row {
    placement: PlacementRow,
    message: MessageRow,
    headers: Headers,
    raw: Option<Bytes>,
}

/// Messages by ascending UID; those that are not here any more are left out.
pub(super) async fn load(
    mail: &Mail,
    mailbox: &MailboxRow,
    uids: &UidSet,
    options: &FetchOptions,
) -> Result<Vec<Message>> {
    if uids.is_empty() {
        return Ok(Vec::new());
    }
    let (id, wanted, load) = (mailbox.id, uids.clone(), options.clone());
    let read = move |reader: &dyn Reader| {
        let mut budget = if load.parts == Parts::default() { 0 } else { LOAD };
        let rows = reader.placements(id, &wanted)?.into_iter();
        let rows = rows.filter_map(|row| read_row(reader, row, &load, &mut budget).transpose());
        rows.collect::<Result<Vec<_>>>()
    };
    let rows = mail.handle()?.read(read).await?;
    Ok(rows.into_iter().map(|row| message(mail, mailbox, row, options)).collect())
}

fn read_row(
    reader: &dyn Reader,
    placement: PlacementRow,
    options: &FetchOptions,
    budget: &mut u64,
) -> Result<Option<Row>> {
    let Some(id) = placement.message else { return Ok(None) };
    let Some(message) = reader.message(id)? else { return Ok(None) };
    let columns = options.columns;
    let headers = if columns.envelope || columns.structure {
        reader.headers(id)?.unwrap_or_default()
    } else {
        Headers::default()
    };
    let mut raw = None;
    if message.body.is_some() && message.size <= *budget {
        *budget -= message.size;
        raw = Some(body::read(reader, id, LOAD)?);
    }
    Ok(Some(Row { placement, message, headers, raw }))
}

fn message(mail: &Mail, mailbox: &MailboxRow, row: Row, options: &FetchOptions) -> Message {
    let reference = reference(mail, mailbox, row.placement.uid);
    let source = Stored { mail: mail.clone(), mailbox: mailbox.id, uid: row.placement.uid, message: row.message.id };
    let loaded = row.raw.clone().map(Loaded::whole).unwrap_or_default();
    Message::kept(Arc::new(source), reference, Box::new(fetch_row(row, options)), loaded)
}

/// The row as a server would have given it.
fn fetch_row(row: Row, options: &FetchOptions) -> FetchRow {
    let columns = options.columns;
    let Row { placement, message, headers, .. } = row;
    let mut problems = Vec::new();
    let mut envelope = None;
    if columns.envelope && !headers.envelope.is_empty() {
        match Envelope::parse(headers.envelope) {
            Ok(read) => envelope = Some(read),
            Err(error) => problems.push((Bytes::from_static(b"ENVELOPE"), error.to_string())),
        }
    }
    problems.extend(message.problem.map(|what| (Bytes::from_static(b"FETCH"), what)));
    let structure = Some(headers.body_structure).filter(|text| columns.structure && !text.is_empty());
    FetchRow {
        uid: Some(placement.uid),
        flags: columns.flags.then(|| placement.flags.iter().collect()),
        internal_date: columns.received.then_some(message.internal_date),
        size: columns.size.then_some(message.size),
        envelope,
        body_structure: structure.map(StructureText::new),
        mod_seq: Some(placement.mod_seq),
        email_id: message.email_id.map(Bytes::from),
        thread_id: message.thread.filter(|_| columns.thread).map(|thread| Bytes::from(thread.object_id())),
        problems,
        ..FetchRow::default()
    }
}
