//! NOTIFY (RFC 5465): what the server shall tell unasked, and of which mailboxes.

use super::fetch::fetch_items;
use super::{FetchItem, mailbox};
use crate::error::{Code, MailError, Result};
use crate::imap::MailboxName;
use crate::wire::{Command, Encoder};

/// Which mailboxes a group of events is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotifyFilter {
    /// The selected one, at once, whatever command is running.
    Selected,
    /// The selected one, with EXPUNGE held back while sequence numbers could be in use.
    SelectedDelayed,
    /// All where new mail may be delivered.
    Inboxes,
    /// All of the user's own.
    Personal,
    /// All that the user has subscribed to.
    Subscribed,
    /// These, with all that are below them.
    Subtree(Vec<MailboxName>),
    /// These.
    Mailboxes(Vec<MailboxName>),
}

/// What to be told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotifyEvent {
    /// New messages, and of the selected mailbox these items of each. Goes only together with `MessageExpunge`.
    MessageNew(Vec<FetchItem>),
    /// Messages that are gone. Goes only together with `MessageNew`.
    MessageExpunge,
    /// Changed flags. Goes only together with both of the above.
    FlagChange,
    /// Mailboxes made, renamed and deleted.
    MailboxName,
    /// Subscriptions.
    SubscriptionChange,
    /// Metadata of mailboxes (RFC 5464).
    MailboxMetadataChange,
    /// Metadata of the server (RFC 5464).
    ServerMetadataChange,
}

/// Events of some mailboxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifyGroup {
    /// Which mailboxes.
    pub filter: NotifyFilter,
    /// What to be told; nothing of them for none.
    pub events: Vec<NotifyEvent>,
}

/// `NOTIFY SET [STATUS] (filter (events)) …`. With `status` the server tells first how each of the mailboxes stands.
///
/// Refuses what RFC 5465 section 5 does not allow, as the server would with BAD.
pub fn notify(status: bool, groups: &[NotifyGroup]) -> Result<Command> {
    if groups.is_empty() {
        return Err(refused("There is nothing to be told of"));
    }
    let mut e = Encoder::new("NOTIFY");
    e.word("SET");
    if status {
        e.word("STATUS");
    }
    groups.iter().try_for_each(|group| write(&mut e, group))?;
    Ok(e.finish())
}

/// `NOTIFY NONE`: nothing unasked any more.
#[must_use]
pub fn notify_none() -> Command {
    Encoder::new("NOTIFY").word("NONE").clone().finish()
}

fn write(e: &mut Encoder, group: &NotifyGroup) -> Result<()> {
    check(group)?;
    e.list(|e| {
        filter(e, &group.filter)?;
        if group.events.is_empty() {
            e.word("NONE");
            return Ok(());
        }
        e.list(|e| group.events.iter().try_for_each(|one| event(e, one))).map(drop)
    })
    .map(drop)
}

fn filter(e: &mut Encoder, filter: &NotifyFilter) -> Result<()> {
    let (word, names) = match filter {
        NotifyFilter::Selected => ("SELECTED", None),
        NotifyFilter::SelectedDelayed => ("SELECTED-DELAYED", None),
        NotifyFilter::Inboxes => ("INBOXES", None),
        NotifyFilter::Personal => ("PERSONAL", None),
        NotifyFilter::Subscribed => ("SUBSCRIBED", None),
        NotifyFilter::Subtree(names) => ("SUBTREE", Some(names)),
        NotifyFilter::Mailboxes(names) => ("MAILBOXES", Some(names)),
    };
    e.word(word);
    match names {
        None => Ok(()),
        Some(names) if names.is_empty() => Err(refused("No mailbox is named")),
        Some(names) => e.list(|e| names.iter().try_for_each(|name| mailbox(e, name).map(drop))).map(drop),
    }
}

fn event(e: &mut Encoder, event: &NotifyEvent) -> Result<()> {
    e.word(match event {
        NotifyEvent::MessageNew(_) => "MessageNew",
        NotifyEvent::MessageExpunge => "MessageExpunge",
        NotifyEvent::FlagChange => "FlagChange",
        NotifyEvent::MailboxName => "MailboxName",
        NotifyEvent::SubscriptionChange => "SubscriptionChange",
        NotifyEvent::MailboxMetadataChange => "MailboxMetadataChange",
        NotifyEvent::ServerMetadataChange => "ServerMetadataChange",
    });
    match event {
        NotifyEvent::MessageNew(items) if !items.is_empty() => fetch_items(e, items),
        _ => Ok(()),
    }
}

/// RFC 5465 section 5: new messages and expunged ones only together, flags only with both; of the selected mailbox only
/// what concerns messages, and only of it items of new ones.
fn check(NotifyGroup { filter, events }: &NotifyGroup) -> Result<()> {
    let selected = matches!(filter, NotifyFilter::Selected | NotifyFilter::SelectedDelayed);
    let has = |wanted: fn(&NotifyEvent) -> bool| events.iter().any(wanted);
    let new = has(|e| matches!(e, NotifyEvent::MessageNew(_)));
    let gone = has(|e| *e == NotifyEvent::MessageExpunge);
    if new != gone || has(|e| *e == NotifyEvent::FlagChange) && !new {
        return Err(refused("New messages and expunged ones go only together, and flags only with both"));
    }
    let message = |e: &NotifyEvent| {
        matches!(e, NotifyEvent::MessageNew(_) | NotifyEvent::MessageExpunge | NotifyEvent::FlagChange)
    };
    if selected && !events.iter().all(message) {
        return Err(refused("Of the selected mailbox only its messages can be told"));
    }
    if !selected && has(|e| matches!(e, NotifyEvent::MessageNew(items) if !items.is_empty())) {
        return Err(refused("Items of new messages are told of the selected mailbox only"));
    }
    Ok(())
}

fn refused(what: &str) -> MailError {
    MailError::new(Code::UsageArgument, what)
}
