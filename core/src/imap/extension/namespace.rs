//! NAMESPACE (RFC 2342): where a user's mailboxes begin, and what separates their levels.

use super::Extension;
use crate::error::Result;
use crate::imap::command::{self, ListQuery};
use crate::imap::{Capabilities, ListRow, MailboxName, Namespace, Namespaces};
use crate::wire::Command;

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "NAMESPACE",
    rfc: 2342,
    about: "The prefix and delimiter of the user's mailboxes are asked for",
    fallback: "An empty LIST tells the delimiter, and the prefix is taken as empty",
};

/// The command that tells it.
pub fn plan(caps: &Capabilities) -> Result<Command> {
    if caps.has("NAMESPACE") {
        return Ok(command::namespace());
    }
    // LIST with an empty pattern tells the delimiter alone (RFC 9051 section 6.3.9).
    command::list(&ListQuery { patterns: vec![String::new()], ..ListQuery::default() })
}

/// What the answer to an empty LIST says.
#[must_use]
pub fn from_list(row: &ListRow) -> Namespaces {
    let personal = Namespace { prefix: MailboxName::new("", false), delimiter: row.delimiter };
    Namespaces { personal: vec![personal], ..Namespaces::default() }
}

/// The name of a mailbox from its path, below the user's own prefix. The inbox is never below it, and a path that
/// begins with the prefix is not given it twice (`INBOX.INBOX.Trash`).
#[must_use]
pub fn join(namespaces: &Namespaces, path: &[&str]) -> Option<String> {
    let own = namespaces.personal.first();
    let delimiter = own.and_then(|own| own.delimiter).map(String::from).unwrap_or_default();
    if path.is_empty() || delimiter.is_empty() && path.len() > 1 {
        return None;
    }
    let name = path.join(&delimiter);
    let prefix = own.map_or("", |own| own.prefix.as_str());
    let at_home = name.starts_with(prefix) || path.first().is_some_and(|first| first.eq_ignore_ascii_case("INBOX"));
    Some(if at_home { name } else { format!("{prefix}{name}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Piece;

    fn own(prefix: &str, delimiter: Option<char>) -> Namespaces {
        let personal = vec![Namespace { prefix: MailboxName::new(prefix, false), delimiter }];
        Namespaces { personal, ..Namespaces::default() }
    }

    #[test]
    fn a_server_without_it_is_asked_for_its_delimiter() {
        assert_eq!(plan(&["NAMESPACE"].into_iter().collect()).unwrap(), command::namespace());
        let plain = plan(&Capabilities::default()).unwrap();
        assert_eq!(plain.pieces(), [Piece::Text(br#"LIST "" """#.to_vec())]);
    }

    #[test]
    fn paths_are_joined_below_the_prefix_once() {
        let courier = own("INBOX.", Some('.'));
        assert_eq!(join(&courier, &["Archive", "News"]).as_deref(), Some("INBOX.Archive.News"));
        assert_eq!(join(&courier, &["INBOX", "Trash"]).as_deref(), Some("INBOX.Trash"));
        assert_eq!(join(&courier, &["inbox"]).as_deref(), Some("inbox"));
        assert_eq!(join(&own("", Some('/')), &["a", "b"]).as_deref(), Some("a/b"));
        assert_eq!(join(&own("", None), &["a", "b"]), None);
        assert_eq!(join(&own("", None), &["a"]).as_deref(), Some("a"));
        assert_eq!(join(&Namespaces::default(), &[]), None);
    }
}
