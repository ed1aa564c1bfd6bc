//! Mailboxes that are paused, and the word of the user that ends it (decision 5).

use crate::error::{Code, MailError, Result};
use crate::store::{Change, MailboxId, MailboxState, Now, Reader, Writer};
use std::collections::BTreeSet;

/// A mailbox in which something is wrong on the server: nothing is taken away here, and nothing is written there by
/// number, until the reason is over or somebody has confirmed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paused {
    /// Its name here.
    pub mailbox: String,
    /// Why, for a person.
    pub reason: String,
    /// What a person can do about it.
    pub advice: &'static str,
}

const LOOK: &str = "If it is right as the server has it, confirm it; else nothing need be done: it goes on by itself when that is over";
const CONFIRMED: &str = "Confirmed: the next pass goes on with it";

/// All of them, by name.
pub fn paused(reader: &dyn Reader) -> Result<Vec<Paused>> {
    let mut paused = Vec::new();
    for row in reader.mailboxes()?.into_iter().filter(|row| row.state == MailboxState::Paused) {
        let advice = if reader.note(&note(row.id))?.is_some() { CONFIRMED } else { LOOK };
        paused.push(Paused { mailbox: row.name, reason: row.reason.unwrap_or_default(), advice });
    }
    Ok(paused)
}

/// The user has looked, and the server is right: what is missing there is gone, and its numbers are to be believed. The
/// next pass goes on with it. A mailbox that is not paused is [`Code::UsageArgument`].
pub fn confirm(writer: &mut dyn Writer, mailbox: MailboxId, now: Now) -> Result<()> {
    if writer.mailbox(mailbox)?.is_none_or(|row| row.state != MailboxState::Paused) {
        return Err(MailError::new(Code::UsageArgument, "The mailbox is not paused: there is nothing to confirm"));
    }
    writer.set_note(&note(mailbox), Some(b"1"))?;
    writer.insert_feed(now.seconds(), &Change::MailboxChanged { mailbox }).map(drop)
}

/// Those that were confirmed and are still paused.
pub(super) fn confirmed(reader: &dyn Reader) -> Result<BTreeSet<MailboxId>> {
    let mut confirmed = BTreeSet::new();
    for row in reader.mailboxes()?.into_iter().filter(|row| row.state == MailboxState::Paused) {
        if reader.note(&note(row.id))?.is_some() {
            confirmed.insert(row.id);
        }
    }
    Ok(confirmed)
}

/// A word of the user holds for one pause: the next one asks again.
pub(super) fn forget(writer: &mut dyn Writer, mailbox: MailboxId) -> Result<()> {
    if writer.note(&note(mailbox))?.is_some() { writer.set_note(&note(mailbox), None) } else { Ok(()) }
}

fn note(mailbox: MailboxId) -> String {
    format!("sync.confirmed.{mailbox}")
}
