//! Messages of files added to the store, a few in one transaction.

use super::source::Source;
use super::{ImportOptions, Imported, Teller, blocking};
use crate::archive::MboxOptions;
use crate::error::{Code, MailError, Result};
use crate::mail::arriving::{Arrived, Arriving, SMALL};
use crate::mail::{Mail, names, now};
use crate::session::Target;
use crate::store::{ContentHash, Durability, Flags, MailboxId, MessageId, Reader, Store, Writer, change};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Most messages of one transaction.
const BATCH: usize = 200;

pub(super) async fn import(mail: &Mail, path: &Path, options: ImportOptions) -> Result<Imported> {
    let handle = mail.writable()?.clone();
    let (at, mbox) = (path.to_owned(), MboxOptions { quoting: options.quoting });
    let mut source = blocking(move || Source::open(&at, mbox)).await?;
    let mut teller = Teller::new(options.on_progress.clone(), "import", None);
    let (mut adding, mut read) = (Adding { to: options.to, ..Adding::default() }, 0);
    loop {
        let store = Arc::clone(handle.store());
        let (rest, batch) = blocking(move || next(source, &store)).await?;
        source = rest;
        if batch.is_empty() {
            break;
        }
        read += batch.len() as u64;
        let (state, left) = handle.write(Durability::Bulk, move |writer| adding.all(writer, batch)).await?;
        adding = state;
        blocking(move || left.into_iter().flatten().try_for_each(Arrived::abandon)).await?;
        teller.now(read, adding.done.bytes);
    }
    // What was added is durable when the call returns.
    handle.write(Durability::Full, |_| Ok(())).await?;
    teller.tell(read, adding.done.bytes);
    Ok(adding.done)
}

/// A message that was read.
struct Ready {
    levels: Vec<String>,
    is_single: bool,
    flags: Flags,
    arrived: Arrived,
}

/// The next messages, with some 4 MiB of contents.
fn next(mut source: Source, store: &Arc<dyn Store>) -> Result<(Source, Vec<Ready>)> {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    while batch.len() < BATCH && bytes < SMALL as u64 {
        let Some(item) = source.next()? else { break };
        let mut arriving = Arriving::new(Arc::clone(store));
        source.copy(&item, &mut arriving)?;
        let arrived = arriving.finish(item.archived.received)?;
        bytes += arrived.new.size;
        let flags = item.archived.flags.iter().filter(|flag| flag.is_writable()).collect();
        batch.push(Ready { levels: item.levels, is_single: source.is_single(), flags, arrived });
    }
    Ok((source, batch))
}

/// What is known while messages are added.
#[derive(Default)]
struct Adding {
    to: Option<Target>,
    done: Imported,
    mailboxes: HashMap<Vec<String>, MailboxId>,
    /// How often a content has come for a mailbox so far, by the beginning of its hash.
    seen: HashMap<(MailboxId, u64), u64>,
}

impl Adding {
    /// Adds what is not there already; what is, comes back.
    fn all(mut self, writer: &mut dyn Writer, batch: Vec<Ready>) -> Result<(Self, Vec<Option<Arrived>>)> {
        let left = batch.into_iter().map(|ready| self.add(writer, ready)).collect::<Result<_>>()?;
        Ok((self, left))
    }

    /// Adds a message, or gives it back where it is there already.
    fn add(&mut self, writer: &mut dyn Writer, mut ready: Ready) -> Result<Option<Arrived>> {
        let mailbox = self.mailbox(writer, &ready)?;
        let seen = self.seen.entry((mailbox, short(&ready.arrived.hash))).or_default();
        *seen += 1;
        if known(writer, mailbox, &ready.arrived)? >= *seen {
            self.done.known += 1;
            return Ok(Some(ready.arrived));
        }
        let body = ready.arrived.publish(writer)?;
        let new = &ready.arrived.new;
        change::append(writer, mailbox, (new, body), ready.flags, now())?;
        (self.done.messages, self.done.bytes) = (self.done.messages + 1, self.done.bytes + new.size);
        Ok(None)
    }

    fn mailbox(&mut self, writer: &mut dyn Writer, ready: &Ready) -> Result<MailboxId> {
        if let Some(known) = self.mailboxes.get(&ready.levels) {
            return Ok(*known);
        }
        let target = target(writer, self.to.as_ref(), ready)?;
        let id = names::existing_or_new(writer, &target, true)?.id;
        self.mailboxes.insert(ready.levels.clone(), id);
        Ok(id)
    }
}

/// Where messages of a file go: what is INBOX there, or alone, goes to the mailbox that was given.
fn target(reader: &dyn Reader, to: Option<&Target>, ready: &Ready) -> Result<Target> {
    let is_inbox = matches!(ready.levels.as_slice(), [name] if name.eq_ignore_ascii_case(crate::imap::INBOX));
    match to {
        None if is_inbox => Ok(Target::Name(crate::imap::INBOX.to_owned())),
        None => Ok(Target::Path(ready.levels.clone())),
        Some(to) if is_inbox || ready.is_single => Ok(to.clone()),
        Some(to) => {
            let base = names::name_of(reader, to)?;
            let flat = || MailError::new(Code::ServerUnsupported, "These mailboxes have no hierarchy");
            let delimiter = names::delimiter(reader)?.ok_or_else(flat)?;
            let levels = base.split(delimiter).map(str::to_owned).chain(ready.levels.iter().cloned());
            Ok(Target::Path(levels.collect()))
        }
    }
}

/// How many of that content are in the mailbox. One whose content is not held is known by its digest.
fn known(reader: &dyn Reader, mailbox: MailboxId, arrived: &Arrived) -> Result<u64> {
    let mut same: Vec<MessageId> = reader.messages_by_content(&arrived.hash)?;
    if let Some(digest) = &arrived.new.digest {
        for id in reader.messages_by_digest(digest)? {
            if !same.contains(&id) && reader.message(id)?.is_some_and(|row| row.body.is_none()) {
                same.push(id);
            }
        }
    }
    let mut count = 0;
    for id in same {
        count += reader.placements_of(id)?.iter().filter(|placement| placement.mailbox == mailbox).count() as u64;
    }
    Ok(count)
}

fn short(hash: &ContentHash) -> u64 {
    hash.0.first_chunk::<8>().map_or(0, |first| u64::from_le_bytes(*first))
}
