//! CREATE, DELETE, RENAME and SUBSCRIBE (RFC 9051 section 6.3.4).

use super::list::delimiter;
use super::now;
use super::reply::{Handled, Refusal, Reply};
use super::session::Session;
use crate::error::{Code, MailError, Result};
use crate::imap::{INBOX, Role, UidSet};
use crate::store::{MailboxRow, Writer, change};

/// Longest name of a mailbox, in bytes.
const LONGEST: usize = 1000;
/// Deepest level of a name.
const DEEPEST: usize = 50;

impl Session {
    /// CREATE; a delimiter at the end says that there will be others below, and is no part of the name.
    pub(super) async fn create(&mut self, name: String, role: Option<Role>) -> Handled {
        let create = move |writer: &mut dyn Writer| {
            let rows = writer.mailboxes()?;
            let delimiter = delimiter(&rows);
            let name = checked(name.strip_suffix(delimiter).unwrap_or(&name), delimiter)?;
            if role.is_some() && rows.iter().any(|row| row.role == role) {
                let text = "Another mailbox has this use already";
                return Err(MailError::new(Code::MailboxExists, text));
            }
            let id = change::create(writer, name, (Some(delimiter), role), now())?;
            writer.mailbox(id)
        };
        let row = self.write(create).await?;
        let id = row.map(|row| format!("MAILBOXID ({})", row.object_id()));
        Ok(Reply { code: id, ..Reply::ok("The mailbox is there") })
    }

    /// DELETE; what is below stays.
    pub(super) async fn delete(&mut self, name: String) -> Handled {
        if name == INBOX {
            return Err(Refusal::no("CANNOT", "INBOX stays"));
        }
        self.write(move |writer| {
            let row = existing(writer, &name)?;
            change::delete(writer, row.id, now())?;
            change::subscribe(writer, &name, false, now())
        })
        .await?;
        Ok(Reply::ok("The mailbox is gone"))
    }

    /// RENAME. Of INBOX it moves all messages to a new mailbox (RFC 9051 section 6.3.6).
    pub(super) async fn rename(&mut self, from: String, to: String) -> Handled {
        self.write(move |writer| {
            let delimiter = delimiter(&writer.mailboxes()?);
            let to = checked(to.strip_suffix(delimiter).unwrap_or(&to), delimiter)?;
            let row = existing(writer, &from)?;
            if row.name != INBOX {
                return change::rename(writer, row.id, to, now());
            }
            let new = change::create(writer, to, (Some(delimiter), None), now())?;
            change::move_to(writer, row.id, &UidSet::range(1, u32::MAX), new, now()).map(drop)
        })
        .await?;
        Ok(Reply::ok("The mailbox has its new name"))
    }

    /// SUBSCRIBE and UNSUBSCRIBE. A name can be subscribed to without a mailbox (RFC 9051 section 6.3.7).
    pub(super) async fn subscribe(&mut self, name: String, subscribed: bool) -> Handled {
        self.write(move |writer| {
            let delimiter = delimiter(&writer.mailboxes()?);
            let name = checked(name.strip_suffix(delimiter).unwrap_or(&name), delimiter)?;
            change::subscribe(writer, name, subscribed, now())
        })
        .await?;
        Ok(Reply::ok(if subscribed { "Subscribed" } else { "No longer subscribed" }))
    }
}

/// What a store without an account behind it begins with.
pub(super) fn begin(writer: &mut dyn Writer) -> Result<()> {
    if writer.account()?.is_some() || writer.mailbox_named(INBOX)?.is_some() {
        return Ok(());
    }
    for (name, role) in BEGINNING {
        if writer.mailbox_named(name)?.is_none() {
            change::create(writer, name, (Some('/'), Some(*role)), now())?;
            change::subscribe(writer, name, true, now())?;
        }
    }
    Ok(())
}

const BEGINNING: &[(&str, Role)] = &[
    (INBOX, Role::Inbox),
    ("Archive", Role::Archive),
    ("Drafts", Role::Drafts),
    ("Junk", Role::Junk),
    ("Sent", Role::Sent),
    ("Trash", Role::Trash),
];

fn existing(writer: &dyn Writer, name: &str) -> Result<MailboxRow> {
    let missing = || MailError::new(Code::MailboxMissing, "There is no such mailbox");
    writer.mailbox_named(name)?.ok_or_else(missing)
}

fn checked(name: &str, delimiter: char) -> Result<&str> {
    let is_whole = name.split(delimiter).all(|level| !level.is_empty());
    let is_small = name.len() <= LONGEST && name.split(delimiter).count() <= DEEPEST;
    if is_whole && is_small && !name.contains(['*', '%']) {
        return Ok(name);
    }
    Err(MailError::new(Code::UsageArgument, "This is no name for a mailbox"))
}
