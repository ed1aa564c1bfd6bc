//! `ls`: the mailboxes, or the messages of one.

use super::Command;
use super::rows::{MAILBOXES, MESSAGES, mailbox_json, mailbox_row, message_json, message_row};
use super::screen::now;
use super::setup::mail;
use super::{exit, text};
use crate::error::Result;
use crate::mail::{LocalMailbox, Mail};
use crate::query::Query;
use crate::session::{FetchOptions, ListOptions, Message, Order, Selection};

/// How many messages are listed unless it is said.
pub(super) const LIMIT: u64 = 20;

pub(super) async fn run(command: &Command) -> Result<u8> {
    let mail = mail(&command.args).await?;
    match command.args.only()? {
        Some(mailbox) => messages(command, &mail.mailbox(mailbox)?).await?,
        None => mailboxes(command, &mail).await?,
    }
    mail.close().await?;
    Ok(exit::DONE)
}

async fn mailboxes(command: &Command, mail: &Mail) -> Result<()> {
    let all = mail.mailboxes(ListOptions { status: true, ..ListOptions::default() }).await?;
    if command.screen.json {
        return all.iter().try_for_each(|info| command.screen.value(&mailbox_json(info)));
    }
    let rows: Vec<_> = all.iter().map(mailbox_row).collect();
    command.screen.table(MAILBOXES, &rows)?;
    if all.is_empty() {
        command.screen.note("There is nothing here yet; mailtide sync brings it");
    }
    Ok(())
}

async fn messages(command: &Command, mailbox: &LocalMailbox) -> Result<()> {
    let selection: Selection = match command.args.is("unread") {
        true => Query::parse("is:unread")?.into(),
        false => Selection::All,
    };
    let limit = command.args.parsed("limit")?.unwrap_or(LIMIT);
    let total = mailbox.count(selection.clone(), None).await?;
    let found = newest(mailbox, selection, limit).await?;
    show(command, &found, false)?;
    let left = total.saturating_sub(found.len() as u64);
    if left > 0 {
        command.screen.note(&format!("{}; -n {total} lists all", text::count(left, "more message")));
    }
    Ok(())
}

/// The newest messages, newest first.
pub(super) async fn newest(mailbox: &LocalMailbox, selection: Selection, limit: u64) -> Result<Vec<Message>> {
    let options = FetchOptions { limit: Some(limit), order: Order::Newest, ..FetchOptions::default() };
    let (mut messages, mut found) = (mailbox.fetch(selection, options), Vec::new());
    while let Some(batch) = messages.next_batch().await? {
        found.extend(batch);
    }
    Ok(found)
}

/// Shows a list of messages.
pub(super) fn show(command: &Command, messages: &[Message], with_mailbox: bool) -> Result<()> {
    if command.screen.json {
        return messages.iter().try_for_each(|message| command.screen.value(&message_json(message)));
    }
    let now = now();
    let rows: Vec<_> = messages.iter().map(|message| message_row(message, with_mailbox, &now)).collect();
    command.screen.table(MESSAGES, &rows)
}
