//! `ls`: the mailboxes, or the messages of one.

use super::Command;
use super::args::usage;
use super::exit;
use super::picture::{Line, Place, picture};
use super::rows::{
    DELETED, MAILBOXES, MESSAGES, deleted_json, deleted_row, mailbox_json, mailbox_row, message_json, message_row, who,
};
use super::screen::{here, now};
use super::setup::{expanded, mail};
use super::text::{clean, count, when};
use crate::error::{Code, MailError, Result};
use crate::imap::{Flag, INBOX, InternalDate};
use crate::mail::{LocalMailbox, Mail};
use crate::query::Query;
use crate::session::{FetchOptions, ListOptions, MailboxInfo, Message, Order, Parts, Selection};
use jiff::Zoned;

/// How many messages are listed unless it is said.
pub(super) const LIMIT: u64 = 20;

pub(super) async fn run(command: &Command) -> Result<u8> {
    let (name, is_deleted) = (command.args.only()?, command.args.is("deleted"));
    if is_deleted && (name.is_some() || command.args.is("unread") || command.args.is("picture")) {
        return Err(usage("--deleted lists what is in no mailbox").hint("Give it alone, or with --limit"));
    }
    let mail = mail(&command.args).await?;
    match name {
        _ if is_deleted => deleted(command, &mail).await?,
        Some(name) => messages(command, &mail, name).await?,
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

/// What was deleted and can be restored, the last first.
async fn deleted(command: &Command, mail: &Mail) -> Result<()> {
    let limit = command.args.parsed("limit")?.unwrap_or(LIMIT);
    let all = mail.deleted(None).await?;
    let found: Vec<_> = all.iter().take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
    if command.screen.json {
        return found.iter().try_for_each(|one| command.screen.value(&deleted_json(one)));
    }
    let now = now();
    command.screen.table(DELETED, &found.iter().map(|one| deleted_row(one, &now)).collect::<Vec<_>>())?;
    more(command, all.len() as u64, found.len() as u64);
    Ok(())
}

async fn messages(command: &Command, mail: &Mail, name: &str) -> Result<()> {
    let mailbox = mail.mailbox(name)?;
    let selection: Selection = match command.args.is("unread") {
        true => Query::parse("is:unread")?.into(),
        false => Selection::All,
    };
    let limit = command.args.parsed("limit")?.unwrap_or(LIMIT);
    let total = mailbox.count(selection.clone(), None).await?;
    let parts = Parts { text: command.args.is("picture"), ..Parts::default() };
    let found = newest(&mailbox, selection, (limit, parts)).await?;
    show(command, &found, false)?;
    draw(command, mail, (name, name), &found).await?;
    more(command, total, found.len() as u64);
    Ok(())
}

/// Says how many are not listed.
fn more(command: &Command, total: u64, listed: u64) {
    if total > listed {
        command.screen.note(&format!("{}; -n {total} lists all", count(total - listed, "more message")));
    }
}

/// The newest messages, newest first, with what is to be loaded of each.
pub(super) async fn newest(
    mailbox: &LocalMailbox,
    selection: Selection,
    (limit, parts): (u64, Parts),
) -> Result<Vec<Message>> {
    let options = FetchOptions { limit: Some(limit), order: Order::Newest, parts, ..FetchOptions::default() };
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

/// Draws a list into the file that is named for it, where one is.
pub(super) async fn draw(command: &Command, mail: &Mail, (name, title): (&str, &str), found: &[Message]) -> Result<()> {
    let Some(file) = command.args.value("picture").map(expanded) else { return Ok(()) };
    let all = mail.mailboxes(ListOptions { status: true, ..ListOptions::default() }).await?;
    let mut places: Vec<_> = all.iter().filter(|info| info.selectable).map(|info| place(info, name)).collect();
    places.sort_by_key(|place| (place.name != INBOX, place.name.clone()));
    let (mut lines, now) = (Vec::new(), now());
    for message in found {
        // What is not held here is left out of a picture, and not fetched for it.
        let preview = if message.raw_at_hand().is_some() { message.text().await? } else { String::new() };
        lines.push(line(message, &preview, &now));
    }
    let failed = |error| MailError::new(Code::FileIo, format!("{} cannot be written: {error}", file.display()));
    std::fs::write(&file, picture(&clean(title), &places, &lines)).map_err(failed)
}

fn place(info: &MailboxInfo, open: &str) -> Place {
    let unread = info.status.as_ref().and_then(|status| status.unseen).unwrap_or(0);
    Place { name: clean(&info.name), unread, is_open: info.name == open }
}

fn line(message: &Message, preview: &str, now: &Zoned) -> Line {
    let has = |flag: &Flag| message.flags().contains(flag);
    let received = message.received().and_then(InternalDate::timestamp).map(here);
    let attachments = message.attachments();
    Line {
        who: who(&message.from_()),
        subject: message.subject().map(|subject| clean(&subject)).unwrap_or_default(),
        preview: clean(&preview.chars().take(400).collect::<String>()),
        when: received.map(|date| when(&date, now)).unwrap_or_default(),
        files: attachments.iter().filter(|attachment| attachment.is_attached()).count(),
        is_unread: !has(&Flag::SEEN),
        is_flagged: has(&Flag::FLAGGED),
    }
}
