//! `show`: one message as a person reads it, or as its bytes are.

use super::Command;
use super::args::usage;
use super::exit;
use super::rows::{everybody, message_json};
use super::screen::here;
use super::setup::{expanded, mail};
use super::table::Look;
use super::text::{clean, clean_lines, size, wrap};
use crate::error::{Code, MailError, Result};
use crate::imap::{Flag, InternalDate};
use crate::mail::Mail;
use crate::session::{FetchOptions, Message};
use serde_json::Value;

/// The widest text that is read with ease.
const COLUMN: usize = 88;

pub(super) async fn run(command: &Command) -> Result<u8> {
    let mail = mail(&command.args).await?;
    let uid = command.args.only()?.ok_or_else(|| usage("Which message?").hint("Give the UID that ls prints"))?;
    let message = one(command, &mail, uid).await?;
    if command.args.is("raw") {
        command.screen.bytes(&message.raw().await?)?;
    } else if command.screen.json {
        command.screen.value(&json(command, &message).await?)?;
    } else {
        head(command, &message).await?;
        body(command, &message).await?;
    }
    if let Some(folder) = command.args.value("save") {
        save(command, &message, folder).await?;
    }
    mail.close().await?;
    Ok(exit::DONE)
}

/// The message with that UID in the mailbox that is meant.
pub(super) async fn one(command: &Command, mail: &Mail, uid: &str) -> Result<Message> {
    let uid: u32 = uid.parse().map_err(|_| usage(format!("{uid:?} is not a UID")))?;
    let name = command.args.value("mailbox").unwrap_or("INBOX");
    let mut found = mail.mailbox(name)?.fetch(uid, FetchOptions::default());
    let missing = || {
        let error = MailError::new(Code::MessageMissing, format!("There is no message {uid}"));
        error.in_mailbox(name).with(|context| context.uid = Some(uid))
    };
    found.next_batch().await?.and_then(|batch| batch.into_iter().next()).ok_or_else(missing)
}

async fn json(command: &Command, message: &Message) -> Result<Value> {
    let mut value = message_json(message);
    if let Value::Object(fields) = &mut value {
        fields.insert("text".to_owned(), message.text().await?.into());
        if command.args.is("headers") {
            let headers = message.headers().await?;
            let headers = headers.iter().map(|(name, value)| Value::from(vec![name.into_owned(), value]));
            fields.insert("headers".to_owned(), headers.collect());
        }
    }
    Ok(value)
}

async fn head(command: &Command, message: &Message) -> Result<()> {
    let fields: Vec<(String, String)> = if command.args.is("headers") {
        message.headers().await?.iter().map(|(name, value)| (clean(&name), clean(&value))).collect()
    } else {
        let date = message.date().or(message.received()).and_then(InternalDate::timestamp).map(here);
        let flags = message.flags().iter().filter(|flag| **flag != Flag::SEEN).map(|flag| clean(flag.as_str()));
        let fields = [
            ("From", everybody(&message.from_())),
            ("To", everybody(&message.to())),
            ("Cc", everybody(&message.cc())),
            ("Date", date.map(|date| date.strftime("%A, %-d %B %Y, %H:%M").to_string()).unwrap_or_default()),
            ("Subject", message.subject().map(|subject| clean(&subject)).unwrap_or_default()),
            ("Flags", flags.collect::<Vec<_>>().join(" ")),
        ];
        fields.map(|(name, value)| (name.to_owned(), value)).into()
    };
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        let name = Look::Dim.of(&format!("{:>8}", format!("{name}:")), command.screen.colour);
        let is_subject = name.contains("Subject:") && !command.args.is("headers");
        let look = if is_subject { Look::Bold } else { Look::Plain };
        let lines = wrap(value, command.screen.width.saturating_sub(9).max(20));
        let value = look.of(&lines.join("\n         "), command.screen.colour);
        command.screen.line(&format!("{name} {value}"))?;
    }
    command.screen.line("")
}

async fn body(command: &Command, message: &Message) -> Result<()> {
    let width = command.screen.width.min(COLUMN);
    for line in clean_lines(message.text().await?.trim_end()) {
        let look = if line.starts_with('>') { Look::Dim } else { Look::Plain };
        wrap(&line, width).iter().try_for_each(|line| command.screen.styled(look, line))?;
    }
    let attached = message.attachments().into_iter().filter(crate::message::Attachment::is_attached);
    for (number, attachment) in attached.enumerate() {
        if number == 0 {
            command.screen.line("")?;
        }
        let size = attachment.size().map(|bytes| format!(", {}", size(bytes))).unwrap_or_default();
        let name = clean(&attachment.safe_filename());
        command.screen.styled(Look::Blue, &format!("+ {name} ({}{size})", clean(&attachment.media_type)))?;
    }
    Ok(())
}

async fn save(command: &Command, message: &Message, folder: &str) -> Result<()> {
    let folder = expanded(folder);
    let failed = |error| MailError::new(Code::FileIo, format!("{} cannot be made: {error}", folder.display()));
    std::fs::create_dir_all(&folder).map_err(failed)?;
    for attachment in message.attachments().iter().filter(|attachment| attachment.is_attached()) {
        let path = message.save_part(&attachment.path(), &folder, None).await?;
        command.screen.note(&format!("Saved {}", path.display()));
    }
    Ok(())
}
