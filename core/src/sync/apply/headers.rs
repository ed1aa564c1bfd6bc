//! Headers of reserved UIDs, newest first, in windows of which a few are under way: what makes messages visible.

use super::line::{flags, rows};
use super::{Pass, concerns_all};
use crate::error::Result;
use crate::imap::command::FetchItem;
use crate::imap::extension::object_id;
use crate::imap::{FetchRow, MailboxName, Section, UidSet, render};
use crate::journal::Digest;
use crate::session::{Pending, SET_TEXT};
use crate::store::arrive::{self, Arrived};
use crate::store::{Durability, Headers, MailboxId, MessageId, Reader, derive};
use std::collections::{BTreeMap, VecDeque};

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
        if !self.is_open(mailbox, name).await? {
            return Ok(());
        }
        let items = items(object_id::items(&self.line.connection.capabilities()));
        let mut left = uids;
        let mut ahead = VecDeque::new();
        loop {
            while ahead.len() < AHEAD && !left.is_empty() {
                // As much of a window as fits one command.
                let window = left.newest(WINDOW).chunks_by_text(SET_TEXT).pop().unwrap_or_default();
                left = left.difference(&window);
                ahead.extend(self.line.fetch(&window, &items)?.into_iter().map(|pending| (window.clone(), pending)));
            }
            let Some((window, pending)) = ahead.pop_front() else { return Ok(()) };
            let (rows, bytes) = self.rows_of(&window, &items, pending).await?;
            let arrived: Vec<Arrived> = rows.into_iter().filter_map(|(uid, row)| arrived(uid, &row)).collect();
            let came = arrived.len() as u64;
            let added = self.books.write(Durability::Bulk, move |writer, now| {
                let arrived = arrived.into_iter().map(|row| known(writer, row)).collect::<Result<Vec<_>>>()?;
                arrive::headers(writer, mailbox, &arrived, now)
            });
            let (added, counted) = (added.await?, self.count(mailbox));
            counted.added += added;
            counted.bytes += bytes;
            self.step(mailbox, (came, bytes));
        }
    }

    /// The rows of a FETCH. Some servers refuse the whole of it for one message that they cannot read (Yahoo): that one
    /// is found by halves, and reported; the others arrive.
    pub(super) async fn rows_of(
        &mut self,
        uids: &UidSet,
        items: &[FetchItem],
        pending: Pending,
    ) -> Result<(BTreeMap<u32, FetchRow>, u64)> {
        let error = match pending.answer().await {
            Ok(reply) => return Ok((rows(&reply), reply.bytes)),
            Err(error) if concerns_all(&error) => return Err(error),
            Err(error) => error,
        };
        let (mut all, mut bytes, mut left) = (BTreeMap::new(), 0, halves(uids));
        if left.is_empty() {
            self.report.problems.push(error.with(|context| context.uid = uids.first()));
        }
        while let Some(uids) = left.pop() {
            for pending in self.line.fetch(&uids, items)? {
                match pending.answer().await {
                    Ok(reply) => {
                        bytes += reply.bytes;
                        all.extend(rows(&reply));
                    }
                    Err(error) if concerns_all(&error) => return Err(error),
                    Err(error) if uids.len() == 1 => {
                        self.report.problems.push(error.with(|context| context.uid = uids.first()));
                    }
                    Err(_) => left.extend(halves(&uids)),
                }
            }
        }
        Ok((all, bytes))
    }

    /// Opens a mailbox; whether its numbers are those that are known here. It may have been numbered anew since this pass
    /// has listed it: the next one finds that out.
    pub(super) async fn is_open(&mut self, mailbox: MailboxId, name: &MailboxName) -> Result<bool> {
        let there = self.line.select(name).await?.uid_validity;
        let row = self.books.read(move |reader| reader.mailbox(mailbox)).await?;
        Ok(row.and_then(|row| row.remote).is_some_and(|remote| remote.uid_validity == there))
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

/// A set cut in two; nothing for a single message.
fn halves(uids: &UidSet) -> Vec<UidSet> {
    if uids.len() < 2 {
        return Vec::new();
    }
    let newer = uids.newest(uids.len() / 2);
    vec![uids.difference(&newer), newer]
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
fn known(reader: &dyn Reader, mut arrived: Arrived) -> Result<Arrived> {
    if let Some(id) = &arrived.email_id {
        let same: Option<MessageId> = reader.messages_by_email_id(id)?.into_iter().next();
        arrived.same_as = same;
    }
    Ok(arrived)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_the_whole() {
        let uids: UidSet = "1:3,7".parse().unwrap();
        let cut = halves(&uids);
        assert_eq!(cut.iter().map(ToString::to_string).collect::<Vec<_>>(), ["1:2", "3,7"]);
        assert!(halves(&"5".parse().unwrap()).is_empty() && halves(&UidSet::new()).is_empty());
    }
}
