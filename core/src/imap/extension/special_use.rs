//! SPECIAL-USE (RFC 6154): which mailbox is for drafts, sent mail, the trash.

use super::{Extension, gmail};
use crate::imap::{Capabilities, ListRow, Role};

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "SPECIAL-USE",
    rfc: 6154,
    about: "Mailboxes are found by what they are for, whatever they are called",
    fallback: "Names that clients and providers use in several languages",
};

/// What a mailbox is for, and how that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// The role.
    pub role: Role,
    /// Whether its name alone suggests it: the server says nothing.
    pub guessed: bool,
}

/// The use of each mailbox of a full listing, in its order: by attribute, else by its name, where no mailbox that can be
/// opened has the role by attribute or a name before it.
#[must_use]
pub fn uses(rows: &[ListRow]) -> Vec<Option<Use>> {
    let mut taken: Vec<Role> = rows.iter().filter(|row| row.is_selectable()).filter_map(ListRow::role).collect();
    let mut of = |row: &ListRow| {
        if let Some(role) = row.role() {
            return Some(Use { role, guessed: false });
        }
        // An attribute says more than a name: "Junk" that is marked \Archive is the archive.
        let role = Role::guess(row.mailbox.as_str(), row.delimiter).filter(|role| !taken.contains(role))?;
        let role = Some(role).filter(|_| row.is_selectable())?;
        taken.push(role);
        Some(Use { role, guessed: true })
    };
    rows.iter().map(&mut of).collect()
}

/// Which of the mailboxes that can be opened is the one of `role`, by their uses.
///
/// Gmail has no archive of its own: a message archived there is one that is only in All Mail, so [`Role::Archive`] is
/// that mailbox. Elsewhere `\All` is a view of all mailboxes, into which nothing can be moved.
#[must_use]
pub fn find(role: Role, uses: &[Option<Use>], caps: &Capabilities) -> Option<usize> {
    let with = |role, guessed| uses.iter().position(|u| *u == Some(Use { role, guessed }));
    let all_mail = || if role == Role::Archive && gmail::is_offered(caps) { with(Role::All, false) } else { None };
    with(role, false).or_else(all_mail).or_else(|| with(role, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::extension::children::tests::row;

    fn found(role: Role, rows: &[ListRow], caps: &[&str]) -> Option<String> {
        let uses = uses(rows).into_iter().zip(rows).map(|(u, row)| u.filter(|_| row.is_selectable()));
        let at = find(role, &uses.collect::<Vec<_>>(), &caps.iter().collect())?;
        Some(rows[at].mailbox.to_string())
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
    fn a_role_is_guessed_for_one_mailbox_only() {
        let rows = [row("Drafts", &[]), row("Entwürfe", &[]), row("Sent", &["\\Archive"])];
        let drafts = Some(Use { role: Role::Drafts, guessed: true });
        assert_eq!(uses(&rows), [drafts, None, Some(Use { role: Role::Archive, guessed: false })]);
    }

    #[test]
    fn gmails_archive_is_all_mail_and_nobody_elses() {
        let rows = [row("[Gmail]", &["\\NonExistent"]), row("[Gmail]/Alle Nachrichten", &["\\All"])];
        assert_eq!(found(Role::Archive, &rows, &["X-GM-EXT-1"]).as_deref(), Some("[Gmail]/Alle Nachrichten"));
        assert_eq!(found(Role::Archive, &rows, &[]), None);
        let rows = [row("virtual/All", &["\\All"]), row("Archive", &[])];
        assert_eq!(found(Role::Archive, &rows, &[]).as_deref(), Some("Archive"));
    }
}
