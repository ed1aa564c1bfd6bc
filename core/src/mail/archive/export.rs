//! Messages of the store written to files, mailbox by mailbox, a few at a time.

use super::output::Output;
use super::{ExportOptions, Exported, Teller, blocking};
use crate::archive::Archived;
use crate::error::{MailError, Result};
use crate::mail::content::Stored;
use crate::mail::select::Found;
use crate::mail::{Mail, names};
use crate::session::{Kept, Selection, Target};
use crate::store::body::{self, Content};
use crate::store::{MailboxRow, Reader, Store};
use bytes::{Buf, Bytes};
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

/// Messages that are written between two looks at whether anybody still waits.
const BATCH: u64 = 32;

pub(super) async fn export(mail: &Mail, path: &Path, options: ExportOptions) -> Result<Exported> {
    let found = found(mail, &options).await?;
    let total = found.iter().map(|found| found.uids.len()).sum();
    let mut teller = Teller::new(options.on_progress.clone(), "export", Some(total));
    let (at, format, is_single) = (path.to_owned(), options.format, options.mailbox.is_some());
    let mut output = blocking(move || Output::create(&at, format, is_single)).await?;
    let mut done = Exported::default();
    for found in found {
        // A single one is the Maildir itself.
        let levels = if is_single { vec!["INBOX".to_owned()] } else { levels(&found.row) };
        output = blocking(move || output.begin(&levels).map(|()| output)).await?;
        output = mailbox(mail, found, output, (&mut done, &mut teller)).await?;
        done.mailboxes += 1;
    }
    blocking(move || output.finish()).await?;
    teller.tell(done.messages, done.bytes);
    Ok(done)
}

/// The mailboxes, and what of them is asked for.
async fn found(mail: &Mail, options: &ExportOptions) -> Result<Vec<Found>> {
    let targets = match &options.mailbox {
        Some(target) => vec![target.clone()],
        None => {
            let rows = mail.handle()?.read(|reader| reader.mailboxes()).await?;
            rows.into_iter().filter(names::is_selectable).map(|row| Target::Name(row.name)).collect()
        }
    };
    let mut all = Vec::with_capacity(targets.len());
    for target in targets {
        let selection = options.query.clone().map_or(Selection::All, Selection::Query);
        all.push(Found::of(&mail.mailbox(target)?, selection, options.time_zone.clone()).await?);
    }
    Ok(all)
}

fn levels(row: &MailboxRow) -> Vec<String> {
    match row.delimiter {
        Some(delimiter) => row.name.split(delimiter).map(str::to_owned).collect(),
        None => vec![row.name.clone()],
    }
}

async fn mailbox(
    mail: &Mail,
    mut found: Found,
    mut output: Output,
    (done, teller): (&mut Exported, &mut Teller),
) -> Result<Output> {
    while !found.uids.is_empty() {
        let some = found.uids.oldest(BATCH);
        found.uids = found.uids.difference(&some);
        let (row, uids) = (found.row.clone(), some.clone());
        let of_one = mail.clone();
        let ready = mail.handle()?.read(move |reader| entries(reader, &of_one, &row, &uids)).await?;
        for entry in ready {
            let named = |error: MailError| error.in_mailbox(&found.row.name).with(|c| c.uid = Some(entry.source.uid));
            let content = content(mail, &entry).await.map_err(named)?;
            let archived = entry.archived;
            let written = blocking(move || write(output, &archived, content)).await;
            output = written.map_err(|error| {
                error.in_mailbox(&found.row.name).with(|context| context.uid = Some(entry.source.uid))
            })?;
            (done.messages, done.bytes) = (done.messages + 1, done.bytes + entry.size);
            teller.now(done.messages, done.bytes);
        }
    }
    Ok(output)
}

/// A message that is to be written.
struct Entry {
    source: Stored,
    archived: Archived,
    size: u64,
    is_held: bool,
}

/// Those that are still here.
fn entries(reader: &dyn Reader, mail: &Mail, mailbox: &MailboxRow, uids: &crate::imap::UidSet) -> Result<Vec<Entry>> {
    let mut all = Vec::new();
    for placement in reader.placements(mailbox.id, uids)? {
        let row = placement.message.map(|id| reader.message(id)).transpose()?.flatten();
        let Some(row) = row else { continue };
        let source = Stored { mail: mail.clone(), mailbox: mailbox.id, uid: placement.uid, message: row.id };
        let archived = Archived { flags: placement.flags.iter().collect(), received: Some(row.internal_date) };
        all.push(Entry { source, archived, size: row.size, is_held: row.body.is_some() });
    }
    Ok(all)
}

enum Bytewise {
    Held(Held),
    Fetched(Cursor<Bytes>),
}

async fn content(mail: &Mail, entry: &Entry) -> Result<Bytewise> {
    if !entry.is_held {
        return Ok(Bytewise::Fetched(Cursor::new(entry.source.raw().await?)));
    }
    let (store, message) = (Arc::clone(mail.handle()?.store()), entry.source.message);
    let content = mail.handle()?.read(move |reader| body::open(reader, message)).await?;
    Ok(Bytewise::Held(Held { store, content: Box::new(content), piece: Bytes::new() }))
}

fn write(mut output: Output, archived: &Archived, content: Bytewise) -> Result<Output> {
    match content {
        Bytewise::Held(mut held) => output.add(archived, &mut held)?,
        Bytewise::Fetched(mut bytes) => output.add(archived, &mut bytes)?,
    }
    Ok(output)
}

/// A content of the store as a file is read.
struct Held {
    store: Arc<dyn Store>,
    content: Box<Content>,
    piece: Bytes,
}

impl Read for Held {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() {
            let reader = self.store.read().map_err(io::Error::other)?;
            self.piece = self.content.next(&*reader).map_err(io::Error::other)?.unwrap_or_default();
        }
        let count = self.piece.len().min(out.len());
        self.piece.copy_to_slice(out.get_mut(..count).unwrap_or_default());
        Ok(count)
    }
}

impl Seek for Held {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Start(at) = to else { return Err(io::ErrorKind::Unsupported.into()) };
        self.content.seek(at);
        self.piece = Bytes::new();
        Ok(at)
    }
}
