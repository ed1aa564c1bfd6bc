//! Mailboxes, as LIST and SELECT tell of them.

use crate::error::Result;
use crate::imap::{MailboxName, Role, UidSet};
use crate::journal::Intent;
use crate::store::change::clear_away;
use crate::store::place::Work;
use crate::store::{Change, MailboxId, MailboxRow, MailboxState, NewMailbox, Now, RemoteMailbox, Writer};
use std::collections::BTreeSet;

/// A mailbox of the server's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: MailboxName,
    /// What separates levels in it.
    pub delimiter: Option<char>,
    /// What it is for.
    pub role: Option<Role>,
    /// Its attributes.
    pub attributes: Vec<String>,
    /// Its MAILBOXID, where the server has such and it is believed.
    pub object_id: Option<String>,
}

/// A mailbox that the server lists; `known` is the one here that it was found to be, else it is looked up by name.
///
/// Takes over name, delimiter, role and attributes. Where another mailbox here has the name already (one of our own, or
/// one whose rename has not reached the server), the new one gets a name of its own, and the old one keeps its.
pub fn listed(writer: &mut dyn Writer, known: Option<MailboxId>, listed: &Listed, now: Now) -> Result<MailboxId> {
    let found = match known {
        Some(id) => writer.mailbox(id)?.filter(|row| row.state != MailboxState::Gone),
        None => writer.mailbox_mirroring(listed.name.raw())?,
    };
    match found {
        Some(row) => update(writer, row, listed, now),
        None => add(writer, listed, now),
    }
}

fn add(writer: &mut dyn Writer, listed: &Listed, now: Now) -> Result<MailboxId> {
    let Listed { name, delimiter, role, attributes, object_id } = listed;
    let remote = RemoteMailbox { name: name.raw().to_vec(), object_id: object_id.clone(), ..Default::default() };
    let new = NewMailbox {
        name: free_name(writer, name.as_str(), None)?,
        delimiter: *delimiter,
        role: *role,
        attributes: attributes.clone(),
        uid_validity: now.uid_validity(),
        state: MailboxState::Fresh,
        remote: Some(remote),
    };
    let mailbox = writer.insert_mailbox(&new)?;
    writer.insert_feed(now.seconds(), &Change::MailboxAdded { mailbox })?;
    Ok(mailbox)
}

fn update(writer: &mut dyn Writer, row: MailboxRow, listed: &Listed, now: Now) -> Result<MailboxId> {
    let mut new = row.clone();
    let mut remote = row.remote.clone().unwrap_or_default();
    let was_renamed = remote.name != listed.name.raw();
    remote.name = listed.name.raw().to_vec();
    remote.object_id = listed.object_id.clone().or(remote.object_id);
    remote.unlisted = 0;
    new.remote = Some(remote);
    new.delimiter = listed.delimiter;
    new.role = listed.role;
    new.attributes.clone_from(&listed.attributes);
    if was_renamed && row.name != listed.name.as_str() {
        new.name = free_name(writer, listed.name.as_str(), Some(row.id))?;
    }
    if new != row {
        writer.update_mailbox(&new)?;
    }
    if new.name != row.name {
        let change = Change::MailboxRenamed { mailbox: row.id, from: row.name };
        writer.insert_feed(now.seconds(), &change)?;
    } else if (new.role, &new.attributes) != (row.role, &row.attributes) {
        writer.insert_feed(now.seconds(), &Change::MailboxChanged { mailbox: row.id })?;
    }
    Ok(new.id)
}

/// Which of these mailboxes the user is subscribed to, as the server says. What was changed here and has not reached it
/// stays.
pub fn subscribed(writer: &mut dyn Writer, told: &[(MailboxId, bool)], now: Now) -> Result<()> {
    let ours: BTreeSet<String> = writer.subscriptions(None)?.into_iter().collect();
    let waiting: BTreeSet<Vec<u8>> = writer.pending()?.iter().filter_map(|entry| subscribes(&entry.intent)).collect();
    for (mailbox, is_on) in told {
        let Some(row) = writer.mailbox(*mailbox)? else { continue };
        let is_waiting = row.remote.as_ref().is_some_and(|remote| waiting.contains(&remote.name));
        if is_waiting || ours.contains(&row.name) == *is_on {
            continue;
        }
        writer.set_subscription(None, &row.name, *is_on)?;
        writer.insert_feed(now.seconds(), &Change::MailboxChanged { mailbox: row.id })?;
    }
    Ok(())
}

/// The name whose subscription an intent changes.
fn subscribes(intent: &Intent) -> Option<Vec<u8>> {
    match intent {
        Intent::Subscribe { mailbox } | Intent::Unsubscribe { mailbox } => Some(mailbox.name.raw().to_vec()),
        _ => None,
    }
}

/// A mailbox that is proven gone from the server: away with all in it; contents stay restorable for 30 days.
pub fn drop_mailbox(writer: &mut dyn Writer, mailbox: MailboxId, now: Now) -> Result<()> {
    clear_away(writer, mailbox, now)
}

/// Writes where both sides agree: the last thing of a pass, in the transaction of the last row it covers (decision 4).
///
/// `change` sets what is new in the remote side; the mailbox becomes [`MailboxState::Ready`] once nothing is reserved
/// any more.
pub fn advance(
    writer: &mut dyn Writer,
    mailbox: MailboxId,
    change: impl FnOnce(&mut RemoteMailbox),
    now: Now,
) -> Result<()> {
    let mut work = Work::begin(writer, mailbox, now)?;
    change(work.row.remote.get_or_insert_default());
    let is_waiting = matches!(work.row.state, MailboxState::Fresh | MailboxState::Reserved);
    if is_waiting && writer.reserved(mailbox)?.is_empty() {
        work.row.state = MailboxState::Ready;
        work.tell(writer, &Change::MailboxChanged { mailbox })?;
    }
    work.end(writer)
}

/// Nothing is taken away in this mailbox until somebody has looked.
pub fn pause(writer: &mut dyn Writer, mailbox: MailboxId, reason: &str, now: Now) -> Result<()> {
    let mut work = Work::begin(writer, mailbox, now)?;
    work.row.state = MailboxState::Paused;
    work.row.reason = Some(reason.to_owned());
    work.tell(writer, &Change::MailboxChanged { mailbox })?;
    work.end(writer)
}

/// The reason for the pause is over.
pub fn resume(writer: &mut dyn Writer, mailbox: MailboxId, now: Now) -> Result<()> {
    let mut work = Work::begin(writer, mailbox, now)?;
    let is_whole = writer.reserved(mailbox)?.is_empty();
    work.row.state = if is_whole { MailboxState::Ready } else { MailboxState::Reserved };
    work.row.reason = None;
    work.tell(writer, &Change::MailboxChanged { mailbox })?;
    work.end(writer)
}

/// The server numbered the mailbox anew: its UIDs are forgotten, our own and all messages stay. UIDs that were only
/// reserved go, since nothing was ever known of them.
///
/// What follows are [`rebind`](super::rebind), and [`quarantine`](super::quarantine) of what was not found again.
pub fn reset(writer: &mut dyn Writer, mailbox: MailboxId, uid_validity: u32, now: Now) -> Result<()> {
    let mut work = Work::begin(writer, mailbox, now)?;
    for mut row in writer.placements(mailbox, &UidSet::range(1, u32::MAX))? {
        if row.message.is_none() {
            work.remove(writer, &row)?;
        } else if row.remote_uid.take().is_some() {
            writer.update_placement(&row)?;
        }
    }
    let remote = work.row.remote.get_or_insert_default();
    let today = now.seconds().div_euclid(86_400);
    remote.resets = if remote.resets_day == today { remote.resets + 1 } else { 1 };
    *remote = RemoteMailbox {
        name: std::mem::take(&mut remote.name),
        object_id: remote.object_id.take(),
        uid_validity,
        resets: remote.resets,
        resets_day: today,
        ..Default::default()
    };
    work.end(writer)
}

/// The name, or one beside it that nobody has.
fn free_name(writer: &dyn Writer, name: &str, own: Option<MailboxId>) -> Result<String> {
    let mut wanted = name.to_owned();
    for number in 2.. {
        match writer.mailbox_named(&wanted)? {
            Some(other) if Some(other.id) != own => wanted = format!("{name} ({number})"),
            _ => break,
        }
    }
    Ok(wanted)
}
