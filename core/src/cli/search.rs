//! `search`: messages that a query finds, in one mailbox or in all.

use super::Command;
use super::args::usage;
use super::exit;
use super::ls::{LIMIT, show};
use super::setup::mail;
use crate::error::Result;
use crate::mail::MailSearchOptions;
use crate::query::Query;
use crate::session::Target;

pub(super) async fn run(command: &Command) -> Result<u8> {
    if command.args.rest.is_empty() {
        return Err(usage("What is searched for?").hint("Such as: mailtide search from:ada is:unread"));
    }
    let query = Query::parse(&command.args.rest.join(" "))?;
    let limit: u64 = command.args.parsed("limit")?.unwrap_or(LIMIT);
    let mail = mail(&command.args).await?;
    let mailbox = command.args.value("mailbox").map(Target::from);
    let is_one = mailbox.is_some();
    let limit = Some(usize::try_from(limit).unwrap_or(usize::MAX));
    let hits = mail.search(query, MailSearchOptions { mailbox, limit, ..MailSearchOptions::default() }).await?;
    let found: Vec<_> = hits.into_iter().map(|hit| hit.message).collect();
    show(command, &found, !is_one)?;
    if found.is_empty() {
        command.screen.note("Nothing matches");
    }
    mail.close().await?;
    Ok(exit::DONE)
}
