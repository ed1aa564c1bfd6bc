//! SPECIAL-USE (RFC 6154): which mailbox is for drafts, sent mail, the trash.

use super::Extension;
use crate::imap::{Capabilities, ListRow, Role};

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "SPECIAL-USE",
    rfc: 6154,
    about: "Mailboxes are found by what they are for, whatever they are called",
    fallback: "Names that clients and providers use in several languages",
};

/// The mailbox of a role in a full listing: by attribute first, else by its name.
///
/// Gmail has no archive of its own: a message archived there is one that is only in All Mail, so [`Role::Archive`] is
/// that mailbox.
#[must_use]
pub fn find<'a>(role: Role, rows: &'a [ListRow], caps: &Capabilities) -> Option<&'a ListRow> {
    let by_attribute = |role| rows.iter().find(|row| row.is_selectable() && row.role() == Some(role));
    let by_name = || {
        let guess = |row: &&ListRow| Role::guess(row.mailbox.as_str(), row.delimiter) == Some(role);
        // An attribute says more than a name: "Junk" that is marked \Archive is the archive.
        rows.iter().filter(|row| row.is_selectable() && row.role().is_none()).find(guess)
    };
    let all_mail = || if role == Role::Archive && is_gmail(caps) { by_attribute(Role::All) } else { None };
    by_attribute(role).or_else(all_mail).or_else(by_name)
}

fn is_gmail(caps: &Capabilities) -> bool {
    caps.has("X-GM-EXT-1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::MailboxName;

    fn row(name: &str, attributes: &[&str]) -> ListRow {
        ListRow {
            attributes: attributes.iter().map(ToString::to_string).collect(),
            delimiter: Some('/'),
            mailbox: MailboxName::new(name, false),
            child_info: Vec::new(),
            old_name: None,
            extended: Vec::new(),
        }
    }

    fn found(role: Role, rows: &[ListRow], caps: &[&str]) -> Option<String> {
        find(role, rows, &caps.iter().collect()).map(|row| row.mailbox.to_string())
    }

    #[test]
    fn attributes_go_before_names() {
        let rows = [row("Sent", &[]), row("Envoyés", &["\\Sent"]), row("Trash", &["\\Noselect"]), row("INBOX", &[])];
        assert_eq!(found(Role::Sent, &rows, &[]).as_deref(), Some("Envoyés"));
        assert_eq!(found(Role::Trash, &rows, &[]), None);
        assert_eq!(found(Role::Inbox, &rows, &[]).as_deref(), Some("INBOX"));
        assert_eq!(found(Role::Sent, &rows[..1], &[]).as_deref(), Some("Sent"));
    }

    #[test]
    fn gmails_archive_is_all_mail() {
        let rows = [row("[Gmail]", &["\\NonExistent"]), row("[Gmail]/Alle Nachrichten", &["\\All"])];
        assert_eq!(found(Role::Archive, &rows, &["X-GM-EXT-1"]).as_deref(), Some("[Gmail]/Alle Nachrichten"));
        assert_eq!(found(Role::Archive, &rows, &[]), None);
    }
}
