//! NOTIFY (RFC 5465): news of all mailboxes on one connection.

use super::Extension;
use crate::error::Result;
use crate::imap::command::{self, FetchItem, NotifyEvent, NotifyFilter, NotifyGroup};
use crate::imap::{Capabilities, ListRow, MailboxStatus, Response, ResponseCode, Untagged};
use crate::wire::Command;

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "NOTIFY",
    rfc: 5465,
    about: "One connection hears of changes in all mailboxes",
    fallback: "IDLE hears of one mailbox; the others are asked at intervals",
};

/// The command that asks for `groups`; `None` for a server that does not offer it.
pub fn plan(caps: &Capabilities, status: bool, groups: &[NotifyGroup]) -> Result<Option<Command>> {
    if caps.has("NOTIFY") { command::notify(status, groups).map(Some) } else { Ok(None) }
}

/// What following a whole account takes: messages of the selected mailbox as they come, with EXPUNGE held back while it
/// could hurt, and of all others that something has changed in them.
#[must_use]
pub fn whole_account() -> Vec<NotifyGroup> {
    use NotifyEvent::{FlagChange, MailboxName, MessageExpunge, MessageNew, SubscriptionChange};
    let items = vec![FetchItem::Uid, FetchItem::Flags];
    let selected = vec![MessageNew(items), MessageExpunge, FlagChange];
    let others = vec![MessageNew(Vec::new()), MessageExpunge, FlagChange, MailboxName, SubscriptionChange];
    vec![
        NotifyGroup { filter: NotifyFilter::SelectedDelayed, events: selected },
        NotifyGroup { filter: NotifyFilter::Personal, events: others },
    ]
}

/// Something told of a mailbox that is not selected.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// Something has changed in it, and this is how it stands. Values that are missing have not changed.
    Changed(MailboxStatus),
    /// It was made, renamed (then `old_name` says from what), subscribed to or unsubscribed from.
    Listed(ListRow),
    /// It is no longer there, or can no longer be seen.
    Gone(ListRow),
    /// The server tells nothing more: everything has to be asked for, and NOTIFY set anew.
    Overflow,
}

/// What a response without a command tells; `None` for what is no news of this kind.
///
/// Not to be called with answers to LIST or STATUS: they look the same.
#[must_use]
pub fn news(response: &Response) -> Option<News> {
    match response {
        Response::Data(Untagged::Status(status)) => Some(News::Changed(status.clone())),
        Response::Data(Untagged::List(row))
            if row.has_attribute("\\NonExistent") || row.has_attribute("\\NoAccess") =>
        {
            Some(News::Gone(row.clone()))
        }
        Response::Data(Untagged::List(row)) => Some(News::Listed(row.clone())),
        Response::Status { code: Some(ResponseCode::NotificationOverflow), .. } => Some(News::Overflow),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::MailboxName;
    use crate::imap::extension::tests::{responses, text};

    fn group(filter: NotifyFilter, events: &[NotifyEvent]) -> NotifyGroup {
        NotifyGroup { filter, events: events.to_vec() }
    }

    fn written(groups: &[NotifyGroup]) -> std::result::Result<String, crate::Code> {
        command::notify(false, groups).map(|c| text(&c)).map_err(|e| e.code())
    }

    /// RFC 5465 section 3.1 and section 5.
    #[test]
    fn groups_are_written_as_the_standard_does() {
        use NotifyEvent::{FlagChange, MessageExpunge, MessageNew};
        let lemonade = [
            group(NotifyFilter::Selected, &[MessageNew(vec![FetchItem::Uid, FetchItem::Flags]), MessageExpunge]),
            group(NotifyFilter::Subtree(vec![MailboxName::new("Lists", false)]), &[MessageNew(vec![]), MessageExpunge]),
        ];
        let caps: Capabilities = ["NOTIFY"].into_iter().collect();
        let expected = "NOTIFY SET STATUS (SELECTED (MessageNew (UID FLAGS) MessageExpunge)) \
                        (SUBTREE (Lists) (MessageNew MessageExpunge))";
        assert_eq!(text(&plan(&caps, true, &lemonade).unwrap().unwrap()), expected);
        let named =
            NotifyFilter::Mailboxes(vec![MailboxName::new("INBOX", false), MailboxName::new("Für mich", false)]);
        let all = [group(named, &[MessageNew(vec![]), MessageExpunge, FlagChange]), group(NotifyFilter::Selected, &[])];
        let expected =
            "NOTIFY SET (MAILBOXES (INBOX \"F&APw-r mich\") (MessageNew MessageExpunge FlagChange)) (SELECTED NONE)";
        assert_eq!(written(&all).unwrap(), expected);
        assert_eq!(text(&command::notify_none()), "NOTIFY NONE");
    }

    #[test]
    fn the_whole_account_is_followed_with_one_command() {
        let caps: Capabilities = ["NOTIFY"].into_iter().collect();
        let expected = "NOTIFY SET (SELECTED-DELAYED (MessageNew (UID FLAGS) MessageExpunge FlagChange)) \
                        (PERSONAL (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange))";
        assert_eq!(text(&plan(&caps, false, &whole_account()).unwrap().unwrap()), expected);
        assert_eq!(plan(&Capabilities::default(), false, &whole_account()).unwrap(), None);
    }

    #[test]
    fn what_a_server_would_refuse_is_refused_here() {
        use NotifyEvent::{FlagChange, MailboxName, MessageExpunge, MessageNew};
        let items = vec![FetchItem::Uid];
        let wrong = [
            vec![],
            vec![group(NotifyFilter::Personal, &[MessageNew(vec![])])],
            vec![group(NotifyFilter::Personal, &[MessageExpunge])],
            vec![group(NotifyFilter::Personal, &[FlagChange])],
            vec![group(NotifyFilter::Selected, &[MailboxName])],
            vec![group(NotifyFilter::Personal, &[MessageNew(items), MessageExpunge])],
            vec![group(NotifyFilter::Mailboxes(vec![]), &[MailboxName])],
        ];
        assert!(wrong.iter().all(|groups| written(groups) == Err(crate::Code::UsageArgument)));
    }

    /// Dovecot, as MailKit has recorded it, and the overflow of RFC 5465 section 5.8.
    #[test]
    fn news_are_read() {
        let told = responses(
            "* STATUS INBOX (MESSAGES 3 UIDNEXT 4 UNSEEN 3 HIGHESTMODSEQ 3)\r\n* LIST (\\NonExistent) \".\" DeleteMe\r\n\
             * LIST (\\HasNoChildren) \".\" RenamedFolder (\"OLDNAME\" (\"RenameMe\"))\r\n* 1 EXISTS\r\n\
             * OK [NOTIFICATIONOVERFLOW] too much\r\n",
        );
        let read: Vec<_> = told.iter().map(news).collect();
        assert!(matches!(&read[0], Some(News::Changed(s)) if s.items.highest_mod_seq == Some(3)));
        assert!(matches!(&read[1], Some(News::Gone(row)) if row.mailbox.as_str() == "DeleteMe"));
        let Some(News::Listed(row)) = &read[2] else { panic!("{:?}", read[2]) };
        assert_eq!(row.old_name.as_ref().unwrap().as_str(), "RenameMe");
        assert_eq!((&read[3], &read[4]), (&None, &Some(News::Overflow)));
    }

    #[test]
    fn events_that_the_server_does_not_know_are_named() {
        let told = responses("A1 NO [BADEVENT (MessageNew MessageExpunge)] no such event\r\n");
        let known = vec!["MessageNew".to_owned(), "MessageExpunge".to_owned()];
        assert!(matches!(&told[0], Response::Tagged { code: Some(ResponseCode::BadEvent(e)), .. } if *e == known));
    }
}
