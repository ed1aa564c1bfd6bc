//! `restore`: messages that were deleted, placed in a mailbox again.

use super::args::ids;
use super::setup::mail;
use super::table::Look;
use super::text::clean;
use super::{Command, exit};
use crate::error::Result;
use serde_json::json;

pub(super) async fn run(command: &Command) -> Result<u8> {
    let to = command.args.value("mailbox").unwrap_or("INBOX");
    let ids = ids(&command.args.rest).map_err(|error| error.hint("Give the id that ls --deleted prints"))?;
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
