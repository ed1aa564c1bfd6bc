//! Messages and mailboxes as rows of a table, and as JSON. Pure.

use super::table::{Cell, Column, Look};
use super::text::{clean, size, when};
use crate::error::MailError;
use crate::imap::{Flag, InternalDate, Role};
use crate::journal::Pending;
use crate::mail::DeletedMessage;
use crate::message::{Attachment, EmailAddress};
use crate::server::{AppPassword, ServerUser, app_login};
use crate::session::{MailboxInfo, Message};
use jiff::{Timestamp, Zoned};
use serde_json::{Value, json};

/// Columns of a list of messages. The mailbox is left out where all are of one.
pub(super) const MESSAGES: &[Column] = &[
    Column { title: "", to_the_right: false, most: None, gives: false },
    Column { title: "uid", to_the_right: true, most: None, gives: false },
    Column { title: "mailbox", to_the_right: false, most: Some(20), gives: false },
    Column { title: "date", to_the_right: true, most: None, gives: false },
    Column { title: "from", to_the_right: false, most: Some(24), gives: false },
    Column { title: "subject", to_the_right: false, most: None, gives: true },
    Column { title: "", to_the_right: false, most: None, gives: false },
    Column { title: "size", to_the_right: true, most: None, gives: false },
];

/// Columns of the list of deleted messages.
pub(super) const DELETED: &[Column] = &[
    Column { title: "id", to_the_right: true, most: None, gives: false },
    Column { title: "deleted", to_the_right: true, most: None, gives: false },
    Column { title: "from", to_the_right: false, most: Some(24), gives: false },
    Column { title: "subject", to_the_right: false, most: None, gives: true },
    Column { title: "was in", to_the_right: false, most: Some(20), gives: false },
    Column { title: "", to_the_right: false, most: None, gives: false },
    Column { title: "size", to_the_right: true, most: None, gives: false },
];

/// Columns of the list of changes that wait.
pub(super) const PENDING: &[Column] = &[
    Column { title: "id", to_the_right: true, most: None, gives: false },
    Column { title: "change", to_the_right: false, most: Some(48), gives: false },
    Column { title: "", to_the_right: false, most: None, gives: false },
    Column { title: "why", to_the_right: false, most: None, gives: true },
];

/// Columns of the list of mailboxes.
pub(super) const MAILBOXES: &[Column] = &[
    Column { title: "mailbox", to_the_right: false, most: None, gives: true },
    Column { title: "unread", to_the_right: true, most: None, gives: false },
    Column { title: "messages", to_the_right: true, most: None, gives: false },
    Column { title: "for", to_the_right: false, most: None, gives: false },
];

/// Columns of the list of users.
pub(super) const USERS: &[Column] = &[
    Column { title: "user", to_the_right: false, most: None, gives: false },
    Column { title: "", to_the_right: false, most: None, gives: false },
    Column { title: "app passwords", to_the_right: false, most: None, gives: true },
];

/// Columns of the list of a user's app passwords.
pub(super) const APP_PASSWORDS: &[Column] = &[
    Column { title: "label", to_the_right: false, most: None, gives: false },
    Column { title: "logs in as", to_the_right: false, most: None, gives: true },
    Column { title: "made", to_the_right: true, most: None, gives: false },
];

/// A message as a row of [`MESSAGES`].
pub(super) fn message_row(message: &Message, with_mailbox: bool, now: &Zoned) -> Vec<Cell> {
    let has = |flag: &Flag| message.flags().contains(flag);
    let is_unread = !has(&Flag::SEEN);
    let mark = match (has(&Flag::FLAGGED), is_unread, has(&Flag::ANSWERED)) {
        (true, _, _) => Cell::new("★", Look::Yellow),
        (_, true, _) => Cell::new("●", Look::Blue),
        (_, _, true) => Cell::new("↩", Look::Dim),
        _ => Cell::from(" "),
    };
    let received = message.received().and_then(InternalDate::timestamp).map(|at| at.to_zoned(now.time_zone().clone()));
    let look = if is_unread { Look::Bold } else { Look::Plain };
    let files = message.attachments().iter().filter(|attachment| attachment.is_attached()).count();
    let files = if files == 0 { String::new() } else { format!("+{files}") };
    let mailbox = if with_mailbox { clean(&message.reference().mailbox) } else { String::new() };
    vec![
        mark,
        message.uid().to_string().into(),
        mailbox.into(),
        Cell::new(received.map(|date| when(&date, now)).unwrap_or_default(), Look::Dim),
        Cell::new(who(&message.from_()), look),
        Cell::new(message.subject().map(|subject| clean(&subject)).unwrap_or_default(), look),
        Cell::new(files, Look::Dim),
        Cell::new(message.size().map(size).unwrap_or_default(), Look::Dim),
    ]
}

/// A deleted message as a row of [`DELETED`].
pub(super) fn deleted_row(deleted: &DeletedMessage, now: &Zoned) -> Vec<Cell> {
    let look = if deleted.held { Look::Plain } else { Look::Dim };
    vec![
        deleted.id.to_string().into(),
        Cell::new(moment(deleted.deleted_at, now), Look::Dim),
        Cell::new(who(&deleted.from), look),
        Cell::new(deleted.subject.as_deref().map(clean).unwrap_or_default(), look),
        Cell::new(deleted.mailboxes.first().map(|name| clean(name)).unwrap_or_default(), look),
        Cell::new(if deleted.held { "" } else { "no body" }, Look::Yellow),
        Cell::new(size(deleted.size), Look::Dim),
    ]
}

/// A deleted message for programs.
pub(super) fn deleted_json(deleted: &DeletedMessage) -> Value {
    json!({
        "id": deleted.id, "subject": deleted.subject, "from": people(&deleted.from), "date": deleted.date.and_then(rfc3339),
        "message_id": deleted.message_id, "received": rfc3339(deleted.received), "size": deleted.size,
        "deleted_at": Timestamp::from_second(deleted.deleted_at).ok().map(|at| at.to_string()),
        "mailboxes": deleted.mailboxes, "held": deleted.held,
    })
}

/// A change that waits as a row of [`PENDING`].
pub(super) fn pending_row(change: &Pending) -> Vec<Cell> {
    let look = if change.is_stuck() { Look::Yellow } else { Look::Dim };
    let why = [change.why(), change.server().map(str::to_owned), change.advice()].into_iter().flatten();
    vec![
        change.entry.id.to_string().into(),
        clean(&change.entry.intent.to_string()).into(),
        Cell::new(change.entry.state.name(), look),
        clean(&why.collect::<Vec<_>>().join(". ")).into(),
    ]
}

/// The same for programs.
pub(super) fn pending_json(change: &Pending) -> Value {
    let entry = &change.entry;
    json!({
        "id": entry.id, "kind": entry.intent.kind(), "mailbox": entry.intent.mailbox().name.as_str(),
        "text": entry.intent.to_string(), "state": entry.state.name(), "reason": change.reason(), "why": change.why(),
        "advice": change.advice(), "server": change.server(), "behind": change.behind, "attempts": entry.attempts,
        "created": Timestamp::from_second(entry.created).ok().map(|at| at.to_string()),
    })
}

/// A date in UTC.
fn rfc3339(date: InternalDate) -> Option<String> {
    date.timestamp().map(|at| at.to_string())
}

/// A moment in seconds since 1970, for people.
fn moment(seconds: i64, now: &Zoned) -> String {
    let at = Timestamp::from_second(seconds).map(|at| at.to_zoned(now.time_zone().clone()));
    at.map(|at| when(&at, now)).unwrap_or_default()
}

/// The first of some people, by name where there is one.
pub(super) fn who(people: &[EmailAddress]) -> String {
    let shown = |one: &EmailAddress| {
        one.name.clone().filter(|name| !name.trim().is_empty()).unwrap_or_else(|| one.email.clone())
    };
    people.first().map(|first| clean(&shown(first))).unwrap_or_default()
}

/// All of them, with their addresses.
pub(super) fn everybody(people: &[EmailAddress]) -> String {
    people.iter().map(|one| clean(&one.to_string())).collect::<Vec<_>>().join(", ")
}

/// A mailbox as a row of [`MAILBOXES`].
pub(super) fn mailbox_row(info: &MailboxInfo) -> Vec<Cell> {
    let status = info.status.clone().unwrap_or_default();
    let unseen = status.unseen.filter(|unseen| *unseen > 0);
    let look = if unseen.is_some() { Look::Bold } else { Look::Plain };
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    vec![
        Cell::new(clean(&info.name), look),
        Cell::new(number(unseen), Look::Blue),
        number(status.messages).into(),
        Cell::new(info.role.map(Role::as_str).unwrap_or_default(), Look::Dim),
    ]
}

/// A mailbox for programs.
pub(super) fn mailbox_json(info: &MailboxInfo) -> Value {
    let status = info.status.clone().unwrap_or_default();
    json!({
        "mailbox": info.name, "role": info.role.map(Role::as_str), "selectable": info.selectable,
        "messages": status.messages, "unread": status.unseen, "size": status.size,
        "uid_validity": status.uid_validity, "uid_next": status.uid_next,
    })
}

/// A message for programs.
pub(super) fn message_json(message: &Message) -> Value {
    let reference = message.reference();
    let moment = |date: Option<InternalDate>| date.and_then(rfc3339);
    let flags: Vec<_> = message.flags().iter().map(Flag::as_str).collect();
    json!({
        "uid": reference.uid, "mailbox": reference.mailbox.as_ref(), "uid_validity": reference.uid_validity,
        "account": reference.account.as_ref(), "flags": flags, "received": moment(message.received()),
        "date": moment(message.date()), "subject": message.subject(), "from": people(&message.from_()),
        "to": people(&message.to()), "cc": people(&message.cc()), "message_id": message.message_id(),
        "thread": message.thread(),
        "size": message.size(), "attachments": message.attachments().iter().map(attachment).collect::<Vec<_>>(),
    })
}

/// An error within a report.
pub(super) fn error_json(error: &MailError) -> Value {
    let context = error.context();
    json!({ "error": error.code().as_str(), "message": error.message(), "mailbox": context.mailbox, "hint": context.hint })
}

fn people(people: &[EmailAddress]) -> Value {
    people.iter().map(|one| json!({ "name": one.name, "email": one.email })).collect()
}

fn attachment(attachment: &Attachment) -> Value {
    json!({
        "part": attachment.path(), "filename": attachment.filename, "type": attachment.media_type,
        "size": attachment.size(), "inline": attachment.inline,
    })
}

/// A user as a row of [`USERS`].
pub(super) fn user_row(user: &ServerUser, passwords: &[AppPassword]) -> Vec<Cell> {
    let labels: Vec<_> = passwords.iter().map(|one| clean(&one.label)).collect();
    let state = if user.disabled { "kept out" } else { "" };
    vec![Cell::new(clean(&user.name), Look::Bold), Cell::new(state, Look::Red), labels.join(", ").into()]
}

pub(super) fn user_json(user: &ServerUser, passwords: &[AppPassword]) -> Value {
    let labels: Vec<_> = passwords.iter().map(|one| one.label.as_str()).collect();
    json!({ "user": user.name, "disabled": user.disabled, "app_passwords": labels })
}

/// An app password as a row of [`APP_PASSWORDS`].
pub(super) fn app_password_row(user: &str, password: &AppPassword, now: &Zoned) -> Vec<Cell> {
    let (label, login) = (clean(&password.label), clean(&app_login(user, &password.label)));
    vec![Cell::new(label, Look::Bold), login.into(), Cell::new(moment(password.created, now), Look::Dim)]
}

pub(super) fn app_password_json(user: &str, password: &AppPassword) -> Value {
    let login = app_login(user, &password.label);
    let created = Timestamp::from_second(password.created).ok().map(|at| at.to_string());
    json!({ "user": user, "label": password.label, "login": login, "created": created })
}
