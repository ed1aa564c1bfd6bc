//! `search`: messages that a query finds, in one mailbox or in all.

use super::Command;
use super::args::usage;
use super::exit;
use super::ls::{LIMIT, newest, show};
use super::setup::mail;
use crate::error::Result;
use crate::query::Query;
use crate::session::{ListOptions, Message};

pub(super) async fn run(command: &Command) -> Result<u8> {
    if command.args.rest.is_empty() {
        return Err(usage("What is searched for?").hint("Such as: mailtide search from:ada is:unread"));
    }
    let query = Query::parse(&command.args.rest.join(" "))?;
    let limit: u64 = command.args.parsed("limit")?.unwrap_or(LIMIT);
    let mail = mail(&command.args).await?;
    let names = match command.args.value("mailbox") {
        Some(name) => vec![name.to_owned()],
        None => {
            let all = mail.mailboxes(ListOptions::default()).await?;
            all.into_iter().filter(|info| info.selectable).map(|info| info.name).collect()
        }
    };
    let mut found: Vec<Message> = Vec::new();
    for name in &names {
        found.extend(newest(&mail.mailbox(name.as_str())?, query.clone().into(), limit).await?);
    }
    let received = |message: &Message| message.received().map(|date| date.seconds);
    found.sort_by_key(|message| std::cmp::Reverse(received(message)));
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    show(command, &found, names.len() > 1)?;
    if found.is_empty() {
        command.screen.note("Nothing matches");
    }
    mail.close().await?;
    Ok(exit::DONE)
}
