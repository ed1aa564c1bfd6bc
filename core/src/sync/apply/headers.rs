//! Headers of reserved UIDs, newest first, in windows of which a few are under way: what makes messages visible.

use super::Pass;
use super::line::{flags, rows};
use crate::error::Result;
use crate::imap::command::FetchItem;
use crate::imap::extension::object_id;
use crate::imap::{FetchRow, MailboxName, Section, UidSet, render};
use crate::journal::Digest;
use crate::store::arrive::{self, Arrived};
use crate::store::{Durability, Headers, MailboxId, MessageId, Reader, derive};
use crate::sync::Progress;
use std::collections::VecDeque;

/// Messages of one window.
const WINDOW: u64 = 256;
/// Windows under way at once.
const AHEAD: usize = 3;

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

impl Pass {
    /// Fetches what makes these visible. Rows that do not come stay reserved, and are asked for again next time.
    pub(super) async fn headers(&mut self, mailbox: MailboxId, name: &MailboxName, uids: UidSet) -> Result<()> {
        self.line.select(name).await?;
        let (total, mut done, mut left) = (uids.len(), 0, uids);
        let mut ahead = VecDeque::new();
        loop {
            while ahead.len() < AHEAD && !left.is_empty() {
                let window = left.newest(WINDOW);
                left = left.difference(&window);
                let items = items(object_id::items(&self.line.connection.capabilities()));
                ahead.extend(self.line.fetch(&window, &items)?);
            }
            let Some(pending) = ahead.pop_front() else { return Ok(()) };
            let reply = pending.answer().await?;
            let bytes = reply.bytes;
            let arrived: Vec<Arrived> = rows(&reply).into_iter().filter_map(|(uid, row)| arrived(uid, &row)).collect();
            done += arrived.len() as u64;
            let added = self.books.write(Durability::Bulk, move |writer, now| {
                let arrived = arrived.into_iter().map(|row| known(writer, row)).collect::<Result<Vec<_>>>()?;
                arrive::headers(writer, mailbox, &arrived, now)
            });
            self.report.added += added.await?;
            self.report.bytes += bytes;
            self.tell(&Progress { phase: "headers", mailbox: name.as_str().to_owned(), done, total, bytes });
        }
    }

    /// After a reset: what tells which message each UID is.
    pub(super) async fn identify(&mut self, name: &MailboxName, uids: &UidSet) -> Result<Vec<Identity>> {
        self.line.select(name).await?;
        let items = items(object_id::items(&self.line.connection.capabilities()));
        let (mut found, mut left) = (Vec::new(), uids.clone());
        while !left.is_empty() {
            let window = left.newest(WINDOW);
            left = left.difference(&window);
            for pending in self.line.fetch(&window, &items)? {
                let came = rows(&pending.answer().await?).into_iter();
                found.extend(came.filter_map(|(uid, row)| arrived(uid, &row)).map(|row| identity(&row)));
            }
        }
        found.sort_by_key(|identity| identity.uid);
        Ok(found)
    }
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
    let headers = Headers {
        header: header.map(crate::wire::Octets::into_bytes).unwrap_or_default(),
        envelope: row.envelope.as_ref().map(render::envelope).unwrap_or_default(),
        body_structure: row.body_structure.as_ref().map(render::body_structure).unwrap_or_default(),
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
fn known(reader: &dyn Reader, mut arrived: Arrived) -> Result<Arrived> {
    if let Some(id) = &arrived.email_id {
        let same: Option<MessageId> = reader.messages_by_email_id(id)?.into_iter().next();
        arrived.same_as = same;
    }
    Ok(arrived)
}
