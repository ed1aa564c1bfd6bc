//! Messages of which the server has told two things: a body came whose header is not the one that is known. It is asked
//! for again on the connection of another pass. Two bodies and a header that agree are believed against the one header
//! that came first; where they do not agree, the body is refused until somebody asks for the message again.

use super::Pass;
use crate::error::Result;
use crate::imap::{MailboxName, UidSet};
use crate::journal::Digest;
use crate::store::arrive::{self, Arrived};
use crate::store::{Durability, MailboxId, MessageId, MessageRow, Now, Wanted, Writer};
use std::collections::BTreeMap;

/// A body that came with another header than the one that is known.
#[derive(Clone, Debug)]
pub(super) struct Doubt {
    pub(super) message: MessageId,
    mailbox: MailboxId,
    uid: u32,
    /// The header that came, as a hash.
    header: Digest,
    /// It is the second body with this header, on another connection than the first.
    came_twice: bool,
}

impl Pass {
    /// Notes that bodies were of other messages.
    pub(super) fn doubt(&mut self, doubts: Vec<Doubt>) {
        self.doubted.extend(doubts.iter().map(|doubt| doubt.message));
        self.contradicted.extend(doubts.into_iter().filter(|doubt| doubt.came_twice));
    }

    /// Asks for the headers of which two bodies have told another thing. Whether a message arrived anew, whose body is
    /// wanted now.
    pub(super) async fn settle_doubts(&mut self) -> Result<bool> {
        let mut by_mailbox: BTreeMap<MailboxId, Vec<Doubt>> = BTreeMap::new();
        for doubt in std::mem::take(&mut self.contradicted) {
            by_mailbox.entry(doubt.mailbox).or_default().push(doubt);
        }
        let mut has_replaced = false;
        for (mailbox, doubts) in by_mailbox {
            let name = self.name(mailbox, &MailboxName::new("", false)).await?;
            if !self.is_open(mailbox, &name).await? {
                continue;
            }
            let uids: UidSet = doubts.iter().map(|doubt| doubt.uid).collect();
            let fresh = self.told(&name, &uids).await?;
            let settle = move |writer: &mut dyn Writer, now: Now| {
                let mut has_replaced = false;
                for doubt in &doubts {
                    has_replaced |= settle(writer, doubt, &fresh, now)?;
                }
                Ok(has_replaced)
            };
            has_replaced |= self.books.write(Durability::Bulk, settle).await?;
        }
        Ok(has_replaced)
    }
}

/// Notes that a body was of another message.
pub(super) fn refuse(writer: &mut dyn Writer, wanted: Wanted, header: Digest) -> Result<Doubt> {
    let Wanted { message, mailbox, remote_uid: uid, .. } = wanted;
    let known = writer.note(&note(message))?;
    let came_twice = known.as_deref() == Some(&header.as_bytes()[..]);
    if known.is_none() {
        writer.set_note(&note(message), Some(header.as_bytes()))?;
    } else if !came_twice {
        give_up(writer, message)?;
    }
    Ok(Doubt { message, mailbox, uid, header, came_twice })
}

/// Where the header told now is that of the bodies, the one told first was another message's.
fn settle(writer: &mut dyn Writer, doubt: &Doubt, fresh: &[Arrived], now: Now) -> Result<bool> {
    let is_it = |row: &&Arrived| row.uid == doubt.uid && Digest::of_header(&row.headers.header) == doubt.header;
    let Some(row) = fresh.iter().find(is_it) else {
        return give_up(writer, doubt.message).map(|()| false);
    };
    writer.set_note(&note(doubt.message), None)?;
    arrive::replace(writer, doubt.mailbox, row.clone(), now).map(|()| true)
}

/// From now on the body is asked for only when somebody wants it.
fn give_up(writer: &mut dyn Writer, message: MessageId) -> Result<()> {
    writer.set_note(&note(message), None)?;
    let Some(row) = writer.message(message)? else { return Ok(()) };
    let problem = Some("The server sent another message than the one asked for".to_owned());
    writer.update_message(&MessageRow { problem, ..row })
}

/// Where the header of the first body that was refused is remembered.
fn note(message: MessageId) -> String {
    format!("sync.other.{message}")
}
