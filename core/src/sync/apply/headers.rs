//! Headers of reserved UIDs, newest first, in windows of which a few are under way: what makes messages visible.

use super::Pass;
use super::ahead::{Ahead, Landed};
use super::held::name_of;
use super::line::{flags, rows};
use crate::error::Result;
use crate::imap::command::FetchItem;
use crate::imap::extension::object_id;
use crate::imap::{FetchRow, MailboxName, Section, UidSet, render};
use crate::journal::Digest;
use crate::session::{SET_TEXT, Task};
use crate::store::arrive::{self, Arrived, Prepared};
use crate::store::{Durability, Headers, MailboxId, MailboxRow, MailboxState, Now, Reader, Writer, derive};
use std::collections::{BTreeMap, VecDeque};

/// Messages of one window.
const WINDOW: u64 = 256;
/// Windows under way at once, and windows that have come and are being put down.
const AHEAD: usize = 3;
const BEHIND: usize = 4;

/// What is fetched of every message.
fn items(ids: &[FetchItem]) -> Vec<FetchItem> {
    let header = FetchItem::Section { section: Section::header(), partial: None };
    let mut items = vec![
        FetchItem::Uid,
        FetchItem::Flags,
        FetchItem::InternalDate,
        FetchItem::Size,
        FetchItem::Envelope,
        FetchItem::BodyStructure,
        header,
    ];
    items.extend(ids.iter().filter(|item| matches!(item, FetchItem::EmailId | FetchItem::GmMessageId)).cloned());
    items
}

/// A mailbox with UIDs that are reserved and not here.
struct Reserved {
    id: MailboxId,
    name: MailboxName,
    uids: UidSet,
}

/// Messages that are asked for at once.
#[derive(Clone)]
struct Window {
    id: MailboxId,
    is_last: bool,
}

impl Pass {
    /// Fetches what makes the reserved messages of all mailboxes visible. Rows that do not come stay reserved, and are
    /// asked for again next time.
    pub(super) async fn all_headers(&mut self) -> Result<()> {
        let mut left: VecDeque<Reserved> = self.books.read(reserved).await?.into();
        self.phase("headers", (left.iter().map(|mailbox| mailbox.uids.len()).sum(), None));
        let items = items(object_id::items(&self.line.connection.capabilities()));
        let (mut ahead, mut behind) = (Ahead::new(items), VecDeque::new());
        loop {
            while ahead.len() < AHEAD
                && let Some((window, name, uids)) = next_window(&mut left)
            {
                ahead.send(&mut self.line, &window, (window.id, &name, &uids))?;
            }
            let landed = self.land(&mut ahead).await?;
            let most = if landed.is_some() { BEHIND - 1 } else { 0 };
            while behind.len() > most {
                let Some((mailbox, bytes, written)) = behind.pop_front() else { break };
                self.put_down(mailbox, bytes, written).await?;
            }
            match landed {
                Some((window, Landed::Rows(rows, bytes))) => {
                    behind.push_back((window.id, bytes, self.put_headers(&window, rows)));
                }
                Some((window, Landed::Closed)) => left.retain(|mailbox| mailbox.id != window.id),
                None => break,
            }
        }
        if self.books.read(|reader| Ok(waiting(reader)?.is_empty())).await? {
            return Ok(());
        }
        self.books.write(Durability::Bulk, make_ready).await
    }

    /// Waits for a window to be put down.
    async fn put_down(&mut self, mailbox: MailboxId, bytes: u64, written: Task<(u64, u64)>) -> Result<()> {
        let (came, added) = written.await?;
        let counted = self.count(mailbox);
        counted.added += added;
        counted.bytes += bytes;
        self.step(mailbox, (came, bytes));
        Ok(())
    }

    /// Makes a window ready and puts it down, beside the pass: how many came, and how many of them are new here.
    fn put_headers(&self, window: &Window, rows: BTreeMap<u32, FetchRow>) -> Task<(u64, u64)> {
        let (books, mailbox, is_last) = (self.books.clone(), window.id, window.is_last);
        let work = async move {
            let prepared = books.read(move |reader| {
                let arrived = rows.iter().filter_map(|(uid, row)| arrived(*uid, row));
                arrived.map(|row| arrive::prepare(reader, row)).collect::<Result<Vec<Prepared>>>()
            });
            let mut prepared = prepared.await?;
            let came = prepared.len() as u64;
            let write = move |writer: &mut dyn Writer, now| {
                prepared.iter_mut().try_for_each(|row| find_known(writer, row))?;
                let added = arrive::prepared(writer, mailbox, prepared, now)?;
                // Ready as soon as may be.
                if is_last {
                    arrive::advance(writer, mailbox, |_| (), now)?;
                }
                Ok(added)
            };
            Ok((came, books.write(Durability::Bulk, write).await?))
        };
        Task::spawn(self.session.engine().runtime(), work)
    }

    /// After a reset: what tells which message each UID is.
    pub(super) async fn identify(&mut self, name: &MailboxName, uids: &UidSet) -> Result<Vec<Identity>> {
        Ok(self.told(name, uids).await?.iter().map(identity).collect())
    }

    /// All that makes these messages visible, in the order of their UIDs.
    pub(super) async fn told(&mut self, name: &MailboxName, uids: &UidSet) -> Result<Vec<Arrived>> {
        self.line.select(name).await?;
        let items = items(object_id::items(&self.line.connection.capabilities()));
        let (mut found, mut left) = (Vec::new(), uids.clone());
        while !left.is_empty() {
            let window = left.newest(WINDOW);
            left = left.difference(&window);
            for pending in self.line.fetch(&window, &items)? {
                let came = rows(&pending.answer().await?).into_iter();
                found.extend(came.filter_map(|(uid, row)| arrived(uid, &row)));
            }
        }
        found.sort_by_key(|row| row.uid);
        Ok(found)
    }
}

/// What is reserved, by mailbox.
fn reserved(reader: &dyn Reader) -> Result<Vec<Reserved>> {
    let mut all = Vec::new();
    for row in reader.mailboxes()?.into_iter().filter(|row| row.remote.is_some()) {
        let uids = reader.reserved(row.id)?;
        if !uids.is_empty() {
            let name = name_of(Some(&row), MailboxName::new(&row.name, false));
            all.push(Reserved { id: row.id, name, uids });
        }
    }
    Ok(all)
}

/// The newest messages that were not asked for yet: as much of a window as fits one command.
fn next_window(left: &mut VecDeque<Reserved>) -> Option<(Window, MailboxName, UidSet)> {
    let mailbox = left.front_mut()?;
    let uids = mailbox.uids.newest(WINDOW).chunks_by_text(SET_TEXT).pop().unwrap_or_default();
    mailbox.uids = mailbox.uids.difference(&uids);
    let (name, is_last) = (mailbox.name.clone(), mailbox.uids.is_empty());
    let window = Window { id: mailbox.id, is_last };
    if is_last {
        left.pop_front();
    }
    Some((window, name, uids))
}

/// Mailboxes are ready once nothing is reserved any more.
fn make_ready(writer: &mut dyn Writer, now: Now) -> Result<()> {
    waiting(writer)?.into_iter().try_for_each(|mailbox| arrive::advance(writer, mailbox, |_| (), now))
}

fn waiting(reader: &dyn Reader) -> Result<Vec<MailboxId>> {
    let waits = |row: &MailboxRow| row.remote.is_some() && row.state == MailboxState::Reserved;
    Ok(reader.mailboxes()?.into_iter().filter(waits).map(|row| row.id).collect())
}

/// What a message is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub uid: u32,
    pub digest: Digest,
    /// The hash of its header alone, and its size.
    pub header: Digest,
    pub size: u64,
    pub email_id: Option<String>,
}

pub(super) fn identity(row: &Arrived) -> Identity {
    Identity {
        uid: row.uid,
        digest: derive::digest(&row.headers.header, row.size, row.internal_date),
        header: Digest::of_header(&row.headers.header),
        size: row.size,
        email_id: row.email_id.clone(),
    }
}

/// A row with all that makes a message visible; `None` for one that lacks something.
pub(super) fn arrived(uid: u32, row: &FetchRow) -> Option<Arrived> {
    let header = row.sections.iter().find(|data| data.section == Section::header())?.data.clone();
    let structure = row.body_structure.as_ref().and_then(|text| text.read().ok());
    let headers = Headers {
        header: header.map(crate::wire::Octets::into_bytes).unwrap_or_default(),
        envelope: row.envelope.as_ref().map(render::envelope).unwrap_or_default(),
        body_structure: structure.as_ref().map(render::body_structure).unwrap_or_default(),
    };
    Some(Arrived {
        uid,
        flags: flags(row)?,
        size: row.size?,
        internal_date: row.internal_date.unwrap_or(crate::imap::InternalDate { seconds: 0, offset: 0 }),
        headers,
        email_id: object_id::ids(row).message,
        save_date: row.save_date.map(|date| date.seconds),
        same_as: None,
    })
}

/// The message here that this one is by the server's own id for it: it was moved or copied by somebody, and its body
/// need not be fetched again.
fn find_known(reader: &dyn Reader, prepared: &mut Prepared) -> Result<()> {
    let same = prepared.email_id().map(|id| reader.messages_by_email_id(id)).transpose()?;
    if let Some(message) = same.and_then(|same| same.first().copied()) {
        prepared.is_same_as(message);
    }
    Ok(())
}
