//! From a selection to the UIDs of messages that are here.

use super::fetch::load;
use super::{LocalMailbox, Mail, names};
use crate::bulk::MessageRef;
use crate::error::{Code, MailError, Result};
use crate::imap::UidSet;
use crate::query::Query;
use crate::session::{Columns, FetchOptions, Order, Selection, query_moment};
use crate::store::search::{SearchOptions, SearchOrder};
use crate::store::{MailboxRow, Reader};
use jiff::Zoned;

/// What a selection has come to.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub row: MailboxRow,
    /// Messages that are visible.
    pub uids: UidSet,
    /// Messages that were named by their addresses and are not here.
    pub missing: UidSet,
}

impl Found {
    pub async fn of(mailbox: &LocalMailbox, selection: Selection, time_zone: Option<String>) -> Result<Self> {
        Self::some(mailbox, selection, time_zone, (None, Order::Oldest)).await
    }

    /// At most `limit` of them, the first in that order.
    pub async fn some(
        mailbox: &LocalMailbox,
        selection: Selection,
        time_zone: Option<String>,
        (limit, order): (Option<u64>, Order),
    ) -> Result<Self> {
        let mut found = match selection {
            Selection::Query(query) => {
                search(mailbox, query, &query_moment(time_zone.as_deref())?, (limit, order)).await?
            }
            selection => {
                let (mail, target) = (mailbox.mail().clone(), mailbox.target().clone());
                let find = move |reader: &dyn Reader| find(reader, &mail, names::existing(reader, &target)?, selection);
                mailbox.mail().handle()?.read(find).await?
            }
        };
        if let Some(limit) = limit {
            found.uids = match order {
                Order::Oldest => found.uids.oldest(limit),
                Order::Newest => found.uids.newest(limit),
            };
        }
        Ok(found)
    }

    /// The address of one of its messages.
    pub fn reference(&self, mail: &Mail, uid: u32) -> MessageRef {
        reference(mail, &self.row, uid)
    }
}

/// The address of a message.
pub(super) fn reference(mail: &Mail, row: &MailboxRow, uid: u32) -> MessageRef {
    let (account, mailbox) = (mail.label().clone(), row.name.as_str().into());
    MessageRef { account, mailbox, uid_validity: row.uid_validity, uid }
}

fn find(reader: &dyn Reader, mail: &Mail, row: MailboxRow, selection: Selection) -> Result<Found> {
    let here = reader.uids(row.id)?;
    let (uids, missing) = match selection {
        Selection::Uids(uids) => (here.intersection(&uids), UidSet::new()),
        Selection::Refs(refs) => {
            let uids = uids_of(mail, &row, &refs)?;
            (here.intersection(&uids), uids.difference(&here))
        }
        _ => (here, UidSet::new()),
    };
    Ok(Found { row, uids, missing })
}

/// UIDs of references, each of which must belong to this mailbox as it is now.
fn uids_of(mail: &Mail, row: &MailboxRow, refs: &[MessageRef]) -> Result<UidSet> {
    for reference in refs {
        if reference.account != *mail.label() || *reference.mailbox != *row.name {
            let text = format!("The reference {reference} does not belong to the mailbox {:?} of this file", row.name);
            return Err(MailError::new(Code::UsageSelection, text));
        }
        if reference.uid_validity != row.uid_validity {
            let text = "The mailbox has another UIDVALIDITY, so this reference names no message in it";
            return Err(MailError::new(Code::MailboxReset, text)
                .in_mailbox(&row.name)
                .with(|c| c.uid = Some(reference.uid))
                .hint("Search again for the message"));
        }
    }
    Ok(refs.iter().map(|reference| reference.uid).collect())
}

/// Searches. What hangs on a text that is not here is read from the server.
async fn search(
    mailbox: &LocalMailbox,
    query: Query,
    now: &Zoned,
    (limit, order): (Option<u64>, Order),
) -> Result<Found> {
    let order = match order {
        Order::Oldest => SearchOrder::Oldest,
        Order::Newest => SearchOrder::Newest,
    };
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    let (mut found, mut undecided) = look(mailbox, &query, now, (limit, order)).await?;
    if !undecided.is_empty() && limit.is_some() {
        (found, undecided) = look(mailbox, &query, now, (None, order)).await?;
    }
    let matcher = query.matcher(now)?;
    let options = FetchOptions { columns: Columns::default(), ..FetchOptions::default() };
    for message in load(mailbox.mail(), &found.row, &undecided, &options).await? {
        if message.matches(&matcher).await? {
            found.uids.insert(message.uid());
        }
    }
    Ok(found)
}

/// What the store can decide, and what not.
async fn look(
    mailbox: &LocalMailbox,
    query: &Query,
    now: &Zoned,
    (limit, order): (Option<usize>, SearchOrder),
) -> Result<(Found, UidSet)> {
    let (mail, target) = (mailbox.mail().clone(), mailbox.target().clone());
    let (query, now) = (query.clone(), now.clone());
    let look = move |reader: &dyn Reader| {
        let row = names::existing(reader, &target)?;
        let options = SearchOptions { mailbox: Some(row.id), order, limit };
        let found = mail.store().searcher().search(reader, &query, &now, &options)?;
        let here = |hit: &crate::store::search::Hit| (hit.mailbox == row.id).then_some(hit.uid);
        let undecided = found.undecided.iter().filter_map(here).collect();
        let uids = found.hits.iter().filter_map(here).collect();
        Ok((Found { row, uids, missing: UidSet::new() }, undecided))
    };
    mailbox.mail().handle()?.read(look).await
}
