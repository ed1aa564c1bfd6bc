//! `watch`: what happens, a line each, while the account is kept in step.

use super::rows::{MESSAGES, message_json, message_row};
use super::screen::now;
use super::setup::mail;
use super::table::{Cell, Look, table};
use super::text::clean;
use super::{Command, exit, sync};
use crate::error::Result;
use crate::imap::Flag;
use crate::mail::{FollowOptions, Mail};
use crate::session::Message;
use crate::watch::{Event, Since, Watch, WatchEvent, WatchOptions};
use serde_json::{Value, json};

pub(super) async fn run(command: &Command) -> Result<u8> {
    let mailbox = command.args.only()?.map(str::to_owned);
    let mail = mail(&command.args).await?;
    let ended = follow(command, &mail, mailbox).await;
    mail.close().await?;
    ended.map(|()| exit::DONE)
}

/// Prints what happens until Ctrl-C.
pub(super) async fn follow(command: &Command, mail: &Mail, mailbox: Option<String>) -> Result<()> {
    let since = command.args.value("since").map_or(Since::Now, |cursor| Since::Cursor(cursor.to_owned()));
    let mut events = match mailbox {
        Some(name) => mail.mailbox(name)?.watch(WatchOptions { since, poll_seconds: None }),
        None => mail.changes(since),
    };
    events.ready().await?;
    tokio::select! {
        told = tell(command, &mut events) => told,
        ended = keep(command, mail) => ended,
        () = command.stopped() => Ok(()),
    }
}

/// Keeps an account in step; without one nothing is to be done.
pub(super) async fn keep(command: &Command, mail: &Mail) -> Result<()> {
    if mail.account().is_none() {
        return std::future::pending().await;
    }
    mail.keep_in_sync(FollowOptions { sync: sync::options(command)?, ..FollowOptions::default() }).await
}

async fn tell(command: &Command, events: &mut Watch) -> Result<()> {
    while let Some(event) = events.next().await? {
        if command.screen.json {
            command.screen.value(&event_json(&event))?;
        } else if let Some(cells) = line(&event.event) {
            let time = Cell::new(now().strftime("%H:%M:%S").to_string(), Look::Dim);
            let row: Vec<_> = [time].into_iter().chain(cells).collect();
            command.screen.table(&super::watch::columns(row.len()), &[row])?;
        }
    }
    Ok(())
}

/// Columns of one line: the last gives way.
fn columns(count: usize) -> Vec<super::table::Column> {
    let column = |at| super::table::Column { gives: at + 1 == count, ..super::table::Column::default() };
    (0..count).map(column).collect()
}

/// What happened, for a person; what only programs follow is left out.
fn line(event: &Event) -> Option<Vec<Cell>> {
    let told = |look, word: &str, text: String| Some(vec![Cell::new(word, look), Cell::from(text)]);
    match event {
        Event::New(message) => told(Look::Green, "new", described(message)),
        Event::Flags { reference, added, removed } => {
            let flags = signed(added, '+').chain(signed(removed, '-')).collect::<Vec<_>>().join(" ");
            told(Look::Yellow, "flags", format!("{} {}  {flags}", clean(&reference.mailbox), reference.uid))
        }
        Event::Removed(reference) => {
            told(Look::Red, "gone", format!("{} {}", clean(&reference.mailbox), reference.uid))
        }
        Event::Offline(error) => told(Look::Red, "offline", clean(&error.to_string())),
        Event::Online => told(Look::Green, "online", String::from("the server is there again")),
        Event::MailboxAdded(name) => told(Look::Blue, "mailbox", format!("{} is new", clean(name))),
        Event::MailboxRenamed { from, to } => {
            told(Look::Blue, "mailbox", format!("{} is called {} now", clean(from), clean(to)))
        }
        Event::MailboxGone(name) => told(Look::Blue, "mailbox", format!("{} is gone", clean(name))),
        Event::Reset { mailbox, .. } | Event::Gap { mailbox } => {
            told(Look::Blue, "mailbox", format!("{} is read anew", clean(mailbox)))
        }
        Event::MailboxChanged(_) | Event::Pending(_) | Event::Outbox(_) => None,
    }
}

fn described(message: &Message) -> String {
    let row = message_row(message, true, &now());
    // Flags, size and date are of no interest in a message that has just come.
    let row: Vec<_> =
        [2, 1, 4, 5].iter().filter_map(|at| row.get(*at).map(|cell| Cell::from(cell.text.clone()))).collect();
    debug_assert!(MESSAGES.len() == 8, "the places above are those of its columns");
    table(&columns(4), &[row], usize::MAX / 2, false).concat()
}

fn signed(flags: &[Flag], sign: char) -> impl Iterator<Item = String> {
    flags.iter().map(move |flag| format!("{sign}{}", clean(flag.as_str())))
}

fn event_json(event: &WatchEvent) -> Value {
    let place = |kind: &str, mailbox: &str| json!({ "event": kind, "mailbox": mailbox });
    let flags = |flags: &[Flag]| flags.iter().map(Flag::as_str).map(Value::from).collect::<Vec<_>>();
    let mut value = match &event.event {
        Event::New(message) => json!({ "event": "new", "message": message_json(message) }),
        Event::Flags { reference, added, removed } => json!({
            "event": "flags", "mailbox": reference.mailbox.as_ref(), "uid": reference.uid,
            "uid_validity": reference.uid_validity, "added": flags(added), "removed": flags(removed),
        }),
        Event::Removed(reference) => json!({
            "event": "removed", "mailbox": reference.mailbox.as_ref(), "uid": reference.uid,
            "uid_validity": reference.uid_validity,
        }),
        Event::Reset { mailbox, uid_validity } => {
            json!({ "event": "reset", "mailbox": mailbox, "uid_validity": uid_validity })
        }
        Event::Gap { mailbox } => place("gap", mailbox),
        Event::Offline(error) => json!({ "event": "offline", "reason": super::rows::error_json(error) }),
        Event::Online => json!({ "event": "online" }),
        Event::MailboxAdded(name) => place("mailbox_added", name),
        Event::MailboxChanged(name) => place("mailbox_changed", name),
        Event::MailboxRenamed { from, to } => json!({ "event": "mailbox_renamed", "mailbox": to, "from": from }),
        Event::MailboxGone(name) => place("mailbox_gone", name),
        Event::Pending(id) => json!({ "event": "pending", "id": id }),
        Event::Outbox(id) => json!({ "event": "outbox", "id": id }),
    };
    if let Value::Object(fields) = &mut value {
        fields.insert("cursor".to_owned(), event.cursor.to_string().into());
    }
    value
}
