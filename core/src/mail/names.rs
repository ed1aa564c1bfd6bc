//! From how a user names a mailbox to its row in the store.

use crate::error::{Code, MailError, Result};
use crate::imap::{INBOX, Role};
use crate::session::{MailboxInfo, MailboxStatus, Target};
use crate::store::{MailboxRow, Reader, Writer, change};

/// The mailbox of that name; `mailbox.missing` where there is none.
pub(super) fn existing(reader: &dyn Reader, target: &Target) -> Result<MailboxRow> {
    if let Target::Role(role) = target
        && *role != Role::Inbox
    {
        return by_role(&reader.mailboxes()?, *role).ok_or_else(|| no_role(*role));
    }
    let name = name_of(reader, target)?;
    let missing = || MailError::new(Code::MailboxMissing, "There is no such mailbox here").in_mailbox(&name);
    reader.mailbox_named(&name)?.ok_or_else(missing)
}

/// The same; one that is missing is made if `create` says so.
pub(crate) fn existing_or_new(writer: &mut dyn Writer, target: &Target, create: bool) -> Result<MailboxRow> {
    match existing(writer, target) {
        Err(error) if create && error.code() == Code::MailboxMissing => {
            let name = name_of(writer, target)?;
            let role = if let Target::Role(role) = target { Some(*role) } else { None };
            let delimiter = delimiter(writer)?;
            let id = change::create(writer, &name, (delimiter, role), super::now())?;
            writer.mailbox(id)?.ok_or_else(|| MailError::from(Code::Internal))
        }
        found => found,
    }
}

/// The name that a mailbox has or would have.
pub(super) fn name_of(reader: &dyn Reader, target: &Target) -> Result<String> {
    target.check()?;
    Ok(match target {
        Target::Name(name) if name.eq_ignore_ascii_case(INBOX) => INBOX.to_owned(),
        Target::Name(name) => name.clone(),
        Target::Path(path) => join(reader, path)?,
        Target::Role(Role::Inbox) => INBOX.to_owned(),
        Target::Role(role) => match by_role(&reader.mailboxes()?, *role) {
            Some(row) => row.name,
            None => capitalised(role.as_str()),
        },
    })
}

/// What separates levels here.
pub(super) fn delimiter(reader: &dyn Reader) -> Result<Option<char>> {
    let rows = reader.mailboxes()?;
    Ok(rows.iter().find_map(|row| row.delimiter).or(rows.is_empty().then_some('/')))
}

/// Levels as one name. Where all other mailboxes are below INBOX, as Courier has them, so is this one.
fn join(reader: &dyn Reader, path: &[String]) -> Result<String> {
    let Some(delimiter) = delimiter(reader)? else {
        return match path {
            [name] => Ok(name.clone()),
            _ => Err(MailError::new(Code::ServerUnsupported, "These mailboxes have no hierarchy")),
        };
    };
    if let Some(level) = path.iter().find(|level| level.contains(delimiter)) {
        let text = format!("A level cannot hold the delimiter, as {level:?} does");
        return Err(MailError::new(Code::UsageArgument, text));
    }
    let name = path.join(&delimiter.to_string());
    let prefix = format!("{INBOX}{delimiter}");
    let others: Vec<_> = reader.mailboxes()?.into_iter().filter(|row| row.name != INBOX).collect();
    let is_below = !others.is_empty() && others.iter().all(|row| row.name.starts_with(&prefix));
    let is_inbox = path.first().is_some_and(|first| first.eq_ignore_ascii_case(INBOX));
    Ok(if is_below && !is_inbox { format!("{prefix}{name}") } else { name })
}

/// The mailbox of a role. Gmail archives into All Mail.
fn by_role(rows: &[MailboxRow], role: Role) -> Option<MailboxRow> {
    let find = |role| rows.iter().find(|row| row.role == Some(role) && is_selectable(row)).cloned();
    find(role).or_else(|| if role == Role::Archive { find(Role::All) } else { None })
}

pub(super) fn is_selectable(row: &MailboxRow) -> bool {
    let is_bar = |name: &String| ["\\Noselect", "\\NonExistent"].iter().any(|bar| name.eq_ignore_ascii_case(bar));
    !row.attributes.iter().any(is_bar)
}

/// A mailbox as LIST describes it.
pub(super) fn info(row: MailboxRow, names: &[String]) -> MailboxInfo {
    let levels = |delimiter: char| row.name.split(delimiter).map(str::to_owned).collect();
    let below = row.delimiter.map(|delimiter| format!("{}{delimiter}", row.name));
    MailboxInfo {
        path: row.delimiter.map_or_else(|| vec![row.name.clone()], levels),
        delimiter: row.delimiter,
        role: row.role,
        role_guessed: false,
        selectable: is_selectable(&row),
        has_children: Some(below.is_some_and(|below| names.iter().any(|name| name.starts_with(&below)))),
        subscribed: None,
        attributes: row.attributes,
        status: None,
        name: row.name,
    }
}

/// STATUS of a mailbox, by our own numbering.
pub(super) fn status(reader: &dyn Reader, row: &MailboxRow) -> Result<MailboxStatus> {
    let counts = reader.counts(row.id)?;
    Ok(MailboxStatus {
        messages: Some(counts.messages),
        unseen: Some(counts.unseen),
        deleted: Some(counts.deleted),
        uid_next: Some(row.uid_next),
        uid_validity: Some(row.uid_validity),
        size: Some(counts.size),
        highest_mod_seq: Some(row.mod_seq),
        append_limit: None,
        mailbox_id: Some(row.object_id()),
    })
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn no_role(role: Role) -> MailError {
    let text = format!("There is no mailbox for the role {} here", role.as_str());
    MailError::new(Code::MailboxMissing, text).hint("Name the mailbox itself, or create one with that role")
}
