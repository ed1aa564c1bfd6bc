//! LIST-STATUS (RFC 5819): the status of all mailboxes with their listing.

use super::Extension;
use crate::error::Result;
use crate::imap::command::{self, StatusItem};
use crate::imap::{Capabilities, ListRow};
use crate::wire::Command;

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "LIST-STATUS",
    rfc: 5819,
    about: "An unchanged account costs one command",
    fallback: "One STATUS for each mailbox, sent without waiting",
};

/// Those of `items` that the server can tell. A server refuses the whole command for one it does not know.
#[must_use]
pub fn offered(caps: &Capabilities, items: &[StatusItem]) -> Vec<StatusItem> {
    let known = |item: &StatusItem| match item {
        StatusItem::Size => super::status_size::is_offered(caps),
        StatusItem::Deleted => caps.has("IMAP4rev2"),
        StatusItem::HighestModSeq => super::condstore::is_offered(caps),
        StatusItem::AppendLimit => super::append_limit::is_per_mailbox(caps),
        StatusItem::MailboxId => caps.has("OBJECTID"),
        StatusItem::Recent => !caps.is_rev2_only(),
        _ => true,
    };
    items.iter().copied().filter(known).collect()
}

/// One STATUS for each of `rows` that can have one.
pub fn one_by_one<'a>(rows: impl IntoIterator<Item = &'a ListRow>, items: &[StatusItem]) -> Result<Vec<Command>> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    rows.into_iter().filter(|row| row.is_selectable()).map(|row| command::status(&row.mailbox, items)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::extension::children::tests::row;
    use crate::imap::extension::tests::text;

    #[test]
    fn items_without_their_extension_are_not_asked() {
        let caps: Capabilities = ["IMAP4rev1", "QRESYNC", "APPENDLIMIT=5"].into_iter().collect();
        let all = [StatusItem::Messages, StatusItem::Size, StatusItem::HighestModSeq, StatusItem::AppendLimit];
        assert_eq!(offered(&caps, &all), [StatusItem::Messages, StatusItem::HighestModSeq]);
    }

    #[test]
    fn mailboxes_that_can_be_opened_are_asked_one_by_one() {
        let rows = [row("a", &[]), row("b", &["\\Noselect"]), row("c", &[])];
        let asked: Vec<_> = one_by_one(&rows, &[StatusItem::Unseen]).unwrap().iter().map(text).collect();
        assert_eq!(asked, ["STATUS a (UNSEEN)", "STATUS c (UNSEEN)"]);
        assert!(one_by_one(&rows, &[]).unwrap().is_empty());
    }
}
