//! What the store knows of a change that is to go to the server, just before its next step.

use crate::error::Result;
use crate::imap::MailboxName;
use crate::journal::steps::At;
use crate::journal::{Entry, Intent};
use crate::store::{MailboxId, MailboxRow, MailboxState, MessageId, Now, Reader};

/// What the store knows of the mailboxes and messages of an entry.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub source: Option<MailboxRow>,
    pub target: Option<MailboxRow>,
    pub at: At,
    pub has_body: bool,
    /// Where its message has arrived already: it was parked after that.
    pub landed: Option<(u32, u32)>,
}

impl Held {
    pub fn of(reader: &dyn Reader, entry: &Entry) -> Result<Self> {
        let target = entry.intent.landing().map(|to| reader.mailbox(MailboxId(to.mailbox.id))).transpose()?.flatten();
        let source = reader.mailbox(MailboxId(entry.intent.mailbox().id))?;
        let has_body = match (&entry.intent, entry.intent.landing()) {
            (Intent::Append { .. }, Some(to)) => {
                let message = message_at(reader, MailboxId(to.mailbox.id), to.local)?;
                let message = message.map(|id| reader.message(id)).transpose()?.flatten();
                message.is_some_and(|row| row.body.is_some())
            }
            _ => false,
        };
        let at = locate(reader, entry, source.as_ref())?;
        let landed = match (entry.intent.landing(), target.as_ref().and_then(|row| row.remote.as_ref())) {
            (Some(to), Some(remote)) => {
                let placed = reader.placement(MailboxId(to.mailbox.id), to.local)?.and_then(|row| row.remote_uid);
                placed.map(|uid| (remote.uid_validity, uid))
            }
            _ => None,
        };
        Ok(Self { source, target, at, has_body, landed })
    }

    /// Whether the UIDs that are known of the source belong to this UIDVALIDITY.
    pub fn is_numbered(&self, uid_validity: u32) -> bool {
        self.source.as_ref().and_then(|row| row.remote.as_ref()).is_some_and(|ours| ours.uid_validity == uid_validity)
    }

    /// Whether the source is deleted here, so that it is not compared with the server's any more.
    pub fn is_deleted(&self) -> bool {
        self.source.as_ref().is_some_and(|row| row.state == MailboxState::Gone)
    }

    /// Whether the source was numbered anew so often today that nothing is believed of its numbers any more.
    pub fn is_unstable(&self, most: u32, now: Now) -> bool {
        self.source.as_ref().is_some_and(|row| is_unstable(row, most, now))
    }

    /// Whether the mailbox that its message goes to is still to be compared under this UIDVALIDITY.
    pub fn awaits_numbers(&self, uid_validity: u32, most: u32, now: Now) -> bool {
        let row = self.target.as_ref().filter(|row| row.state != MailboxState::Gone && !is_unstable(row, most, now));
        let known = row.and_then(|row| row.remote.as_ref()).map_or(0, |remote| remote.uid_validity);
        known != 0 && known != uid_validity
    }
}

/// The message of a placement. One that has left here before it was sent is still wanted there where something follows
/// from it, such as a copy; its content is kept for so long.
pub(super) fn message_at(reader: &dyn Reader, mailbox: MailboxId, local: u32) -> Result<Option<MessageId>> {
    if let Some(placed) = reader.placement(mailbox, local)? {
        return Ok(placed.message);
    }
    let left = reader.tombstones(mailbox, 0)?.into_iter().find(|left| left.uid == local);
    Ok(left.and_then(|left| left.message))
}

fn is_unstable(row: &MailboxRow, most: u32, now: Now) -> bool {
    let today = now.seconds().div_euclid(86_400);
    row.remote.as_ref().is_some_and(|remote| remote.resets_day == today && remote.resets >= most)
}

/// A mailbox's name on the server.
pub(super) fn name_of(row: Option<&MailboxRow>, otherwise: MailboxName) -> MailboxName {
    let remote = row.and_then(|row| row.remote.as_ref());
    remote.map_or(otherwise, |remote| MailboxName::from_server(remote.name.clone(), false))
}

/// Where the message of an entry is on the server, by all that the store knows.
fn locate(reader: &dyn Reader, entry: &Entry, mailbox: Option<&MailboxRow>) -> Result<At> {
    let Some(target) = entry.intent.target() else { return Ok(At::Nowhere) };
    let placed = reader.placement(MailboxId(target.mailbox.id), target.local)?;
    if let Some(uid) = placed.as_ref().and_then(|row| row.remote_uid) {
        return Ok(At::Uid(uid));
    }
    let validity = mailbox.and_then(|row| row.remote.as_ref()).map(|remote| remote.uid_validity);
    match (target.uid, target.uid_validity == validity) {
        // Its row is gone here for good reason: it is moved away or deleted, by this change or a later one.
        (Some(uid), true) if placed.is_none() => Ok(At::Uid(uid)),
        (Some(_), _) if placed.is_some() => Ok(At::Sought),
        (Some(_), _) => Ok(At::Lost),
        (None, _) => Ok(At::Coming),
    }
}
