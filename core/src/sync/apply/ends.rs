//! How a local change ended, put down: the entry, what both sides agree on now, and where a message has arrived.

use super::rows::settle;
use crate::error::Result;
use crate::imap::MailboxName;
use crate::journal::{Entry, Intent, State};
use crate::store::{Flags, IntentId, Local, MailboxId, MailboxState, Now, Writer, arrive};

/// Writes how an entry ended, and where its message is now.
pub(super) fn write_end(
    writer: &mut dyn Writer,
    entry: &Entry,
    state: State,
    placed: Option<(u32, u32)>,
    now: Now,
) -> Result<()> {
    if !is_open(writer, entry)? {
        return Ok(());
    }
    let is_applied = matches!(state, State::Applied { .. });
    // How often it was tried is written with it.
    writer.update_intent(entry, now.seconds())?;
    settle(writer, IntentId(entry.id), state, now)?;
    if !is_applied && placed.is_none() {
        return Ok(());
    }
    match &entry.intent {
        Intent::Flag { target, add, remove } => {
            let (add, remove): (Flags, Flags) = (add.iter().collect(), remove.iter().collect());
            agree(writer, MailboxId(target.mailbox.id), target.local, (&add, &remove))
        }
        Intent::RenameMailbox { mailbox, to } => rename(writer, mailbox.name.raw(), to),
        intent => match (intent.landing(), placed) {
            (Some(to), Some(at)) => {
                let flags = if let Intent::Append { flags, .. } = intent { Some(flags.iter().collect()) } else { None };
                land(writer, MailboxId(to.mailbox.id), (to.local, at), flags, now)
            }
            _ => Ok(()),
        },
    }
}

/// Whether a change is still to be made; see [`merge`](crate::journal::merge).
pub(super) fn is_open(writer: &dyn Writer, entry: &Entry) -> Result<bool> {
    Ok(writer.intent(IntentId(entry.id))?.is_some_and(|now| !now.state.is_over()))
}

/// Both sides agree on these flags now.
fn agree(writer: &mut dyn Writer, mailbox: MailboxId, local: u32, (add, remove): (&Flags, &Flags)) -> Result<()> {
    let Some(mut row) = writer.placement(mailbox, local)? else { return Ok(()) };
    row.agreed = Some(row.agreed.unwrap_or_default().union(add).difference(remove));
    writer.update_placement(&row)
}

/// A message has arrived on the server: its placement has a number there, and what waits for it is told.
fn land(
    writer: &mut dyn Writer,
    mailbox: MailboxId,
    (local, (validity, uid)): (u32, (u32, u32)),
    flags: Option<Flags>,
    now: Now,
) -> Result<()> {
    let Some(mut row) = writer.mailbox(mailbox)? else { return Ok(()) };
    if row.state == MailboxState::Gone {
        arrived_to_be_removed(writer, mailbox, (validity, uid), now)?;
    }
    let Some(remote) = row.remote.as_mut() else { return Ok(()) };
    if remote.uid_validity == 0 {
        // The first that is known of it.
        remote.uid_validity = validity;
        writer.update_mailbox(&row)?;
    } else if remote.uid_validity != validity {
        // Numbered anew: the next comparison finds it by its digest.
        return Ok(());
    }
    let known = writer.placement(mailbox, local)?.and_then(|row| row.agreed);
    let agreed = flags.or(known).unwrap_or_default();
    arrive::placed(writer, Local { mailbox, uid: local }, uid, &agreed, now)?;
    for mut entry in writer.pending_at(mailbox, local)? {
        if let Some(target) = entry.intent.target_mut()
            && (target.mailbox.id, target.local) == (mailbox.0, local)
        {
            (target.uid_validity, target.uid) = (Some(validity), Some(uid));
            writer.update_intent(&entry, now.seconds())?;
        }
    }
    Ok(())
}

/// What the user had moved into a mailbox before removing it has arrived there, and is the next one after what was seen of
/// it, or the first of one that is new: no surprise to who decided that the mailbox goes with all in it.
fn arrived_to_be_removed(
    writer: &mut dyn Writer,
    mailbox: MailboxId,
    (validity, uid): (u32, u32),
    now: Now,
) -> Result<()> {
    for mut entry in writer.pending()? {
        if let Intent::DeleteMailbox { mailbox: place, seen } = &mut entry.intent
            && place.id == mailbox.0
            && seen.map_or(uid == 1, |seen| seen == (validity, uid))
        {
            *seen = Some((validity, uid.saturating_add(1)));
            writer.update_intent(&entry, now.seconds())?;
        }
    }
    Ok(())
}

/// A mailbox has its new name on the server, and those below it theirs.
fn rename(writer: &mut dyn Writer, from: &[u8], to: &MailboxName) -> Result<()> {
    for mut row in writer.mailboxes()? {
        let delimiter = row.delimiter;
        let Some(remote) = row.remote.as_mut() else { continue };
        let rest = remote.name.strip_prefix(from).map(<[u8]>::to_vec);
        let Some(rest) = rest else { continue };
        let is_below = delimiter.is_some_and(|d| rest.starts_with(d.to_string().as_bytes()));
        if rest.is_empty() || is_below {
            remote.name = [to.raw(), &rest].concat();
            remote.unlisted = 0;
            writer.update_mailbox(&row)?;
        }
    }
    Ok(())
}
