//! Mailboxes as a whole: new ones, renamed ones, those that are missing and those that are gone.

use super::Pass;
use super::list::Listings;
use crate::error::Result;
use crate::imap::{MailboxName, UidSet};
use crate::journal::{Digest, Intent};
use crate::store::{Durability, MailboxId, MailboxRow, Now, Reader, Writer, arrive};
use crate::sync::{Action, Work};
use std::collections::BTreeSet;

/// How many messages show that a mailbox with another name is the same one.
const SAMPLE: u64 = 5;

impl Pass {
    /// Carries out what the plan says of the mailboxes themselves, in one transaction.
    pub(super) async fn mailboxes(&mut self, listings: &Listings, work: &[Work]) -> Result<()> {
        let mut renamed = Vec::new();
        for item in work {
            let (Some(id), Action::Rename { to, confirm }) = (item.id, &item.action) else { continue };
            let is_same = !confirm || self.is_same(MailboxId(id), listings, to).await?;
            if is_same {
                renamed.push((MailboxId(id), to.clone()));
            }
        }
        let (listed, work) = (listings.clone(), work.to_vec());
        let is_quiet = self.books.read({
            let listed = listed.clone();
            move |reader| is_quiet(reader, &listed)
        });
        if is_quiet.await?
            && !work.iter().any(|work| !matches!(work.action, Action::Ask { .. } | Action::Headers { .. }))
        {
            return Ok(());
        }
        self.report.work.extend(work.iter().filter(|work| is_of_mailbox(&work.action)).cloned());
        self.books.write(Durability::Full, move |writer, now| write(writer, &listed, &renamed, &work, now)).await
    }

    /// Whether a few of the newest messages are the same under the new name.
    async fn is_same(&mut self, mailbox: MailboxId, listings: &Listings, to: &str) -> Result<bool> {
        let Some(listed) = listings.rows.iter().find(|row| row.name.as_str() == to) else { return Ok(false) };
        let ours = self.books.read(move |reader| sample(reader, mailbox)).await?;
        let uids: UidSet = ours.iter().map(|(uid, _)| *uid).collect();
        if uids.is_empty() {
            return Ok(false);
        }
        let theirs = self.identify(&listed.name, &uids).await?;
        let has = |(uid, digest): &(u32, Digest)| theirs.iter().any(|row| row.uid == *uid && row.digest == *digest);
        Ok(ours.iter().all(has))
    }
}

/// The digests of the newest messages, by the server's UIDs.
fn sample(reader: &dyn Reader, mailbox: MailboxId) -> Result<Vec<(u32, Digest)>> {
    let mut sample = Vec::new();
    for uid in reader.remote_uids(mailbox)?.newest(SAMPLE).iter() {
        let message = reader.placement_by_remote(mailbox, uid)?.and_then(|row| row.message);
        let digest = message.map(|id| reader.message(id)).transpose()?.flatten().and_then(|row| row.digest);
        sample.extend(digest.map(|digest| (uid, digest)));
    }
    Ok(sample)
}

/// Whether every listed mailbox is here as it is listed.
fn is_quiet(reader: &dyn Reader, listings: &Listings) -> Result<bool> {
    let ours: BTreeSet<String> = reader.subscriptions(None)?.into_iter().collect();
    for listed in &listings.rows {
        let Some(row) = reader.mailbox_mirroring(listed.name.raw())? else { return Ok(false) };
        let is_other = |told: &BTreeSet<Vec<u8>>| told.contains(listed.name.raw()) != ours.contains(&row.name);
        if !is_as_listed(&row, listed) || listings.subscribed.as_ref().is_some_and(is_other) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_as_listed(row: &MailboxRow, listed: &arrive::Listed) -> bool {
    let remote = row.remote.clone().unwrap_or_default();
    let same_id = listed.object_id.is_none() || listed.object_id == remote.object_id;
    same_id
        && remote.unlisted == 0
        && (row.delimiter, row.role) == (listed.delimiter, listed.role)
        && row.attributes == listed.attributes
}

fn write(
    writer: &mut dyn Writer,
    listings: &Listings,
    renamed: &[(MailboxId, String)],
    work: &[Work],
    now: Now,
) -> Result<()> {
    let deleted = deleted_here(writer)?;
    let mut subscribed = Vec::new();
    for row in listings.rows.iter().filter(|row| !deleted.iter().any(|name| name.raw() == row.name.raw())) {
        let known = renamed.iter().find(|(_, name)| name == row.name.as_str()).map(|(id, _)| *id);
        let mailbox = arrive::listed(writer, known, row, now)?;
        subscribed.extend(listings.subscribed.as_ref().map(|told| (mailbox, told.contains(row.name.raw()))));
    }
    arrive::subscribed(writer, &subscribed, now)?;
    for item in work {
        let Some(id) = item.id.map(MailboxId).filter(|id| !renamed.iter().any(|(other, _)| other == id)) else {
            continue;
        };
        match item.action {
            // A rename that was not confirmed is a mailbox that is missing, gone when that is so twice.
            Action::Rename { .. } if unlisted(writer, id)? > 0 => arrive::drop_mailbox(writer, id, now)?,
            Action::Rename { .. } | Action::Miss { .. } => miss(writer, id, now)?,
            Action::Drop => arrive::drop_mailbox(writer, id, now)?,
            _ => {}
        }
    }
    Ok(())
}

fn unlisted(reader: &dyn Reader, mailbox: MailboxId) -> Result<u32> {
    Ok(reader.mailbox(mailbox)?.and_then(|row| row.remote).map_or(0, |remote| remote.unlisted))
}

fn miss(writer: &mut dyn Writer, mailbox: MailboxId, now: Now) -> Result<()> {
    arrive::advance(writer, mailbox, |remote| remote.unlisted = remote.unlisted.saturating_add(1), now)
}

/// Names of mailboxes that were deleted here while the server does not know: they do not come back by its list.
fn deleted_here(reader: &dyn Reader) -> Result<Vec<MailboxName>> {
    let pending = reader.pending()?.into_iter();
    Ok(pending
        .filter_map(|entry| match entry.intent {
            Intent::DeleteMailbox { mailbox, .. } => Some(mailbox.name),
            _ => None,
        })
        .collect())
}

fn is_of_mailbox(action: &Action) -> bool {
    matches!(action, Action::Add | Action::Rename { .. } | Action::Miss { .. } | Action::Drop)
}
