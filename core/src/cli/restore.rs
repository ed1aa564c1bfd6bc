//! `restore`: messages that were deleted, placed in a mailbox again.

use super::args::usage;
use super::setup::mail;
use super::table::Look;
use super::text::clean;
use super::{Command, exit};
use crate::error::Result;
use serde_json::json;

pub(super) async fn run(command: &Command) -> Result<u8> {
    let to = command.args.value("mailbox").unwrap_or("INBOX");
    let number = |word: &String| word.parse().map_err(|_| usage(format!("{word:?} is not an id")));
    let ids = command.args.rest.iter().map(number).collect::<Result<Vec<i64>>>()?;
    if ids.is_empty() {
        return Err(usage("Which message?").hint("Give the id that ls --deleted prints"));
    }
    let mail = mail(&command.args).await?;
    for id in ids {
        let placed = mail.restore(id, to).await?;
        let (mailbox, uid) = (placed.mailbox.as_ref(), placed.uid);
        match command.screen.json {
            true => command.screen.value(&json!({ "id": id, "mailbox": mailbox, "uid": uid }))?,
            false => command.screen.styled(Look::Green, &format!("{id} is in {} again, as {uid}", clean(mailbox)))?,
        }
    }
    mail.close().await?;
    Ok(exit::DONE)
}
