//! `send`: a message, written to the disk first and handed in then.

use super::args::usage;
use super::setup::{expanded, open, setup};
use super::show::one;
use super::table::Look;
use super::text::clean;
use super::{Command, exit};
use crate::error::{Code, MailError, Result};
use crate::imap::Flag;
use crate::mail::Mail;
use crate::message::{Draft, DraftAttachment, ReplyOptions};
use crate::outbox::{CopyState, Entry, RecipientState, SendOptions, State};
use crate::session::{FlagChange, Message, WriteOptions};
use serde_json::json;
use std::io::{IsTerminal, Read};

/// Longest text that is read, in bytes.
const LONGEST: u64 = 16 << 20;

pub(super) async fn run(command: &Command) -> Result<u8> {
    let args = &command.args;
    args.apart("store", "account")?;
    if let Some(extra) = args.rest.first() {
        return Err(usage(format!("{extra:?} is one argument too many")).hint("Recipients are given with --to"));
    }
    let mail = open(setup(args)?).await?;
    let original = match args.value("reply") {
        Some(uid) => Some(one(command, &mail, uid).await?),
        None => None,
    };
    let draft = draft(command, original.as_ref()).await?;
    let unknown = |error: MailError| match error.code() {
        Code::UsageAddress if draft.from.is_none() => error.hint("Set from in the configuration of the account"),
        _ => error,
    };
    let entry = mail.send(&draft, &SendOptions::default()).await.map_err(unknown)?;
    if let Some(original) = original {
        let answered = FlagChange { add: vec![Flag::ANSWERED], ..FlagChange::default() };
        let mailbox = mail.mailbox(&*original.reference().mailbox)?;
        mailbox.flag(&original, answered, WriteOptions::default()).await?;
    }
    let (entry, trouble) = if args.is("queue") { (entry, None) } else { hand_in(&mail, entry).await? };
    let exit = say(command, &entry, trouble.as_ref())?;
    mail.close().await?;
    Ok(exit)
}

async fn draft(command: &Command, original: Option<&Message>) -> Result<Draft> {
    let args = &command.args;
    let text = match args.value("text") {
        Some(text) => text.to_owned(),
        None => typed(command).await?,
    };
    let mut draft = match original {
        Some(original) => {
            let options = ReplyOptions { all: args.is("all"), text, ..ReplyOptions::default() };
            original.reply(&options).await?
        }
        None => Draft::new().text(text),
    };
    if let Some(to) = args.value("to") {
        draft = draft.to(to)?;
    }
    if let Some(cc) = args.value("cc") {
        draft = draft.cc(cc)?;
    }
    if let Some(bcc) = args.value("bcc") {
        draft = draft.bcc(bcc)?;
    }
    if let Some(subject) = args.value("subject") {
        draft = draft.subject(subject);
    }
    Ok(args.values("attach").fold(draft, |draft, path| draft.attach(DraftAttachment::file(expanded(path)))))
}

/// The text on standard input.
async fn typed(command: &Command) -> Result<String> {
    if std::io::stdin().is_terminal() {
        command.screen.note("Write the text, and end it with Ctrl-D");
    }
    let read = tokio::task::spawn_blocking(|| {
        let mut text = String::new();
        std::io::stdin().take(LONGEST).read_to_string(&mut text).map(|_| text)
    });
    let read = read.await.map_err(|_| MailError::new(Code::Internal, "Reading the text was interrupted"))?;
    read.map_err(|error| MailError::new(Code::FileIo, format!("The text cannot be read: {error}")))
}

/// Sends what is due; how the message stands then, and what was in the way.
async fn hand_in(mail: &Mail, entry: Entry) -> Result<(Entry, Option<MailError>)> {
    let report = mail.send_due().await?;
    Ok((mail.outgoing(entry.id).await?.unwrap_or(entry), report.trouble))
}

fn say(command: &Command, entry: &Entry, trouble: Option<&MailError>) -> Result<u8> {
    let refused = entry.recipients.iter().filter(|r| r.state == RecipientState::Rejected).count();
    let exit = match entry.state {
        State::Accepted if refused == 0 => exit::DONE,
        State::Rejected => exit::FAILED,
        _ if command.args.is("queue") => exit::DONE,
        _ => exit::PARTIAL,
    };
    if command.screen.json {
        let recipients = entry.recipients.iter().map(|recipient| {
            json!({ "address": recipient.address, "state": recipient.state.as_str(), "reply": recipient.reply })
        });
        command.screen.value(&json!({
            "id": entry.id, "message_id": entry.message_id, "state": entry.state.as_str(),
            "copy": entry.sent_copy.map(CopyState::as_str), "recipients": recipients.collect::<Vec<_>>(),
            "trouble": trouble.map(super::rows::error_json),
        }))?;
        return Ok(exit);
    }
    let copy = if entry.sent_copy == Some(CopyState::Filed) { ", and a copy is in Sent" } else { "" };
    let (look, text) = match entry.state {
        State::Accepted => (Look::Green, format!("Sent{copy}")),
        State::Rejected => (Look::Red, "The server will not take it".to_owned()),
        State::Uncertain => {
            (Look::Yellow, "It may have been sent: it is looked for in Sent with the next sync".to_owned())
        }
        _ => (Look::Yellow, "Queued; it leaves with the next sync".to_owned()),
    };
    command.screen.styled(look, &text)?;
    for recipient in entry.recipients.iter().filter(|r| r.state != RecipientState::Accepted) {
        let reply = recipient.reply.as_deref().map(|reply| format!(": {}", clean(reply))).unwrap_or_default();
        command.screen.line(&format!("  {} {}{reply}", clean(&recipient.address), recipient.state.as_str()))?;
    }
    trouble.map_or(Ok(()), |trouble| command.screen.styled(Look::Yellow, &clean(&trouble.to_string())))?;
    Ok(exit)
}
