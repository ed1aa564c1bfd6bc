//! Local changes of mailboxes.

use super::{journal, place};
use crate::error::{Code, MailError, Result};
use crate::imap::{INBOX, MailboxName, Role, UidSet};
use crate::journal::{Intent, Place};
use crate::store::place::Work;
use crate::store::{Change, MailboxId, MailboxRow, MailboxState, NewMailbox, Now, RemoteMailbox, Writer};

/// Makes a mailbox; `mailbox.exists` where there is one of that name, `usage.argument` for no name.
///
/// In a store with an account it is made on the server as well.
pub fn create(
    writer: &mut dyn Writer,
    name: &str,
    (delimiter, role): (Option<char>, Option<Role>),
    now: Now,
) -> Result<MailboxId> {
    let name = checked(name)?;
    let remote = writer.account()?.is_some().then(|| RemoteMailbox { name: name.raw().to_vec(), ..Default::default() });
    let new = NewMailbox {
        name: name.as_str().to_owned(),
        delimiter,
        role,
        attributes: Vec::new(),
        uid_validity: now.uid_validity(),
        state: MailboxState::Ready,
        remote,
    };
    let id = writer.insert_mailbox(&new)?;
    writer.insert_feed(now.seconds(), &Change::MailboxAdded { mailbox: id })?;
    if new.remote.is_some() {
        let role = role.and_then(Role::attribute).map(str::to_owned);
        journal(writer, Intent::CreateMailbox { mailbox: Place { id: id.0, name }, role }, now)?;
    }
    Ok(id)
}

/// Gives a mailbox another name, and with it those below it.
///
/// `mailbox.exists` where there is one of that name, `usage.argument` for INBOX and for a name below itself. On the
/// server the old name stays until the journal gets there; [`RemoteMailbox::name`] is that one until then.
pub fn rename(writer: &mut dyn Writer, mailbox: MailboxId, to: &str, now: Now) -> Result<()> {
    let (row, to) = (existing(writer, mailbox)?, checked(to)?);
    if row.name == INBOX {
        return Err(MailError::new(Code::UsageArgument, "INBOX keeps its name").hint("Move its messages instead"));
    }
    let prefix = row.delimiter.map(|delimiter| format!("{}{delimiter}", row.name));
    if prefix.as_deref().is_some_and(|prefix| to.as_str().starts_with(prefix)) {
        return Err(MailError::new(Code::UsageArgument, "A mailbox cannot go below itself"));
    }
    let below = prefix.map_or(Ok(Vec::new()), |prefix| children(writer, &prefix))?;
    set_name(writer, row.clone(), to.as_str(), now)?;
    for (child, rest) in below {
        let delimiter = row.delimiter.map(String::from).unwrap_or_default();
        set_name(writer, child, &format!("{}{delimiter}{rest}", to.as_str()), now)?;
    }
    match place(&row) {
        Some(mailbox) => journal(writer, Intent::RenameMailbox { mailbox, to }, now),
        None => Ok(()),
    }
}

/// Removes a mailbox with all in it; contents stay restorable for 30 days. INBOX stays: `usage.argument`.
///
/// On the server it stays until the journal gets there: until then, what LIST says of it is looked up there.
pub fn delete(writer: &mut dyn Writer, mailbox: MailboxId, now: Now) -> Result<()> {
    let row = existing(writer, mailbox)?;
    if row.name == INBOX {
        return Err(MailError::new(Code::UsageArgument, "INBOX cannot be deleted"));
    }
    if let Some(mailbox) = place(&row) {
        let seen = row.remote.as_ref().filter(|remote| remote.uid_validity != 0);
        let seen = seen.map(|remote| (remote.uid_validity, remote.uid_next));
        journal(writer, Intent::DeleteMailbox { mailbox, seen }, now)?;
    }
    clear_away(writer, row.id, now)
}

/// Takes a mailbox away here, with all in it.
pub(in crate::store) fn clear_away(writer: &mut dyn Writer, mailbox: MailboxId, now: Now) -> Result<()> {
    let mut work = Work::begin(writer, mailbox, now)?;
    for row in writer.placements(mailbox, &UidSet::range(1, u32::MAX))? {
        work.remove(writer, &row)?;
    }
    work.row.state = MailboxState::Gone;
    work.tell(writer, &Change::MailboxGone { mailbox })?;
    work.end(writer)
}

/// Subscribes to a mailbox's name, or no longer; in a store with an account on the server as well.
pub fn subscribe(writer: &mut dyn Writer, name: &str, subscribed: bool, now: Now) -> Result<()> {
    let name = checked(name)?;
    if writer.subscriptions(None)?.iter().any(|known| known == name.as_str()) == subscribed {
        return Ok(());
    }
    writer.set_subscription(None, name.as_str(), subscribed)?;
    let row = writer.mailbox_named(name.as_str())?;
    if let Some(row) = &row {
        writer.insert_feed(now.seconds(), &Change::MailboxChanged { mailbox: row.id })?;
    }
    if writer.account()?.is_none() {
        return Ok(());
    }
    // A name without a mailbox can be subscribed to as well (RFC 9051 section 6.3.7).
    let mailbox = row.as_ref().and_then(place).unwrap_or(Place { id: 0, name });
    let intent = if subscribed { Intent::Subscribe { mailbox } } else { Intent::Unsubscribe { mailbox } };
    journal(writer, intent, now)
}

fn checked(name: &str) -> Result<MailboxName> {
    if name.is_empty() || name.contains(['\0', '\r', '\n']) {
        return Err(MailError::new(Code::UsageArgument, format!("{name:?} is no name for a mailbox")));
    }
    Ok(MailboxName::new(name, false))
}

fn existing(writer: &dyn Writer, mailbox: MailboxId) -> Result<MailboxRow> {
    Ok(Work::begin(writer, mailbox, Now::default())?.row)
}

/// The mailboxes below, each with the rest of its name.
fn children(writer: &dyn Writer, prefix: &str) -> Result<Vec<(MailboxRow, String)>> {
    let below = |row: MailboxRow| {
        let rest = row.name.strip_prefix(prefix)?.to_owned();
        Some((row, rest))
    };
    Ok(writer.mailboxes()?.into_iter().filter_map(below).collect())
}

fn set_name(writer: &mut dyn Writer, mut row: MailboxRow, name: &str, now: Now) -> Result<()> {
    let from = std::mem::replace(&mut row.name, name.to_owned());
    writer.update_mailbox(&row)?;
    writer.insert_feed(now.seconds(), &Change::MailboxRenamed { mailbox: row.id, from }).map(drop)
}
