//! CHILDREN (RFC 3348): whether there are mailboxes below another.

use super::Extension;
use crate::imap::ListRow;

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "CHILDREN",
    rfc: 3348,
    about: "A listing says which mailboxes have others below them",
    fallback: "The names in a full listing say it",
};

/// Whether `row` has children: as the server says, else as the names of the full listing `all` show.
#[must_use]
pub fn has_children(row: &ListRow, all: &[ListRow]) -> bool {
    row.has_children().unwrap_or_else(|| {
        let Some(delimiter) = row.delimiter else { return false };
        all.iter().any(|other| {
            let below = other.mailbox.as_str().strip_prefix(row.mailbox.as_str());
            below.is_some_and(|below| below.starts_with(delimiter))
        })
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::imap::MailboxName;

    /// A mailbox of a listing.
    pub fn row(name: &str, attributes: &[&str]) -> ListRow {
        ListRow {
            attributes: attributes.iter().map(ToString::to_string).collect(),
            delimiter: Some('/'),
            mailbox: MailboxName::new(name, false),
            child_info: Vec::new(),
            old_name: None,
            extended: Vec::new(),
        }
    }

    #[test]
    fn attributes_go_before_names() {
        let all = [row("a", &[]), row("a/b", &[]), row("ab", &[]), row("c", &["\\HasChildren"])];
        let found: Vec<_> = all.iter().map(|r| has_children(r, &all)).collect();
        assert_eq!(found, [true, false, false, true]);
        assert!(!has_children(&row("a", &["\\HasNoChildren"]), &all));
    }
}
