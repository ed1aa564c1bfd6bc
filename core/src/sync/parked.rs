//! What becomes of parked changes: tried again, or dropped, which takes them back here as well.

use crate::error::{Code, MailError, Result};
use crate::journal::{Cause, Entry, Intent, State, order};
use crate::store::{Change, Flags, IntentId, MailboxId, MailboxState, Now, Writer, arrive};

/// Lets a parked change be tried again, from its beginning. Anything else than a parked one is
/// [`Code::UsageArgument`].
pub fn retry(writer: &mut dyn Writer, intent: IntentId, now: Now) -> Result<()> {
    let entry = parked(writer, intent)?;
    let entry = Entry { state: State::Waiting, attempts: 0, not_before: 0, ..entry };
    writer.update_intent(&entry, now.seconds())?;
    writer.insert_feed(now.seconds(), &Change::Intent { intent }).map(drop)
}

/// Gives a parked change up: what it did here is taken back, and the server's state is what is seen again, from the
/// next pass on. Changes that depend on it are given up with it; which are dropped.
///
/// A message that was only here stays restorable for 30 days. Anything else than a parked change is
/// [`Code::UsageArgument`].
pub fn give_up(writer: &mut dyn Writer, intent: IntentId, now: Now) -> Result<Vec<IntentId>> {
    let entry = parked(writer, intent)?;
    let mut dropped = Vec::new();
    end(writer, &entry, now, &mut dropped)?;
    Ok(dropped)
}

fn parked(writer: &dyn Writer, intent: IntentId) -> Result<Entry> {
    let entry = writer.intent(intent)?.filter(|entry| matches!(entry.state, State::Parked { .. }));
    entry.ok_or_else(|| MailError::new(Code::UsageArgument, format!("There is no parked change {intent}")))
}

fn end(writer: &mut dyn Writer, entry: &Entry, now: Now, dropped: &mut Vec<IntentId>) -> Result<()> {
    arrive::settle(writer, IntentId(entry.id), State::Superseded { by: Cause::Dropped }, now)?;
    dropped.push(IntentId(entry.id));
    // What was to happen to a message at a place that it now never comes to.
    if let Some(to) = entry.intent.landing() {
        for later in writer.pending_at(MailboxId(to.mailbox.id), to.local)? {
            let is_at = later.intent.target().is_some_and(|at| (at.mailbox.id, at.local) == (to.mailbox.id, to.local));
            if is_at && later.id > entry.id {
                end(writer, &later, now, dropped)?;
            }
        }
    }
    if let Intent::CreateMailbox { mailbox, .. } = &entry.intent {
        end_of_mailbox(writer, (mailbox.id, entry.id), now, dropped)?;
    }
    undo(writer, &entry.intent, now)
}

/// What was to become on the server of a mailbox that will not be there. Here it stays as it is, and so does what is in it.
fn end_of_mailbox(
    writer: &mut dyn Writer,
    (mailbox, created): (i64, i64),
    now: Now,
    dropped: &mut Vec<IntentId>,
) -> Result<()> {
    for later in writer.pending()?.iter().filter(|later| later.id > created && later.intent.mailbox().id == mailbox) {
        if order::is_about_mailbox(&later.intent) {
            arrive::settle(writer, IntentId(later.id), State::Superseded { by: Cause::Dropped }, now)?;
            dropped.push(IntentId(later.id));
        }
    }
    Ok(())
}

fn undo(writer: &mut dyn Writer, intent: &Intent, now: Now) -> Result<()> {
    match intent {
        Intent::Flag { target, add, remove } => {
            let (add, remove): (Flags, Flags) = (add.iter().collect(), remove.iter().collect());
            unflag(writer, (MailboxId(target.mailbox.id), target.local), (&add, &remove), now)
        }
        Intent::Move { target, to } => {
            unplace(writer, MailboxId(to.mailbox.id), to.local, now)?;
            look_again(writer, MailboxId(target.mailbox.id), now)
        }
        Intent::Copy { to, .. } | Intent::Append { to, .. } => unplace(writer, MailboxId(to.mailbox.id), to.local, now),
        Intent::Delete { target } => look_again(writer, MailboxId(target.mailbox.id), now),
        Intent::CreateMailbox { mailbox, .. } => {
            let Some(mut row) = writer.mailbox(MailboxId(mailbox.id))? else { return Ok(()) };
            // It stays as a mailbox of our own, with all that is in it.
            row.remote = None;
            writer.update_mailbox(&row)
        }
        Intent::RenameMailbox { mailbox, .. } => {
            let Some(mut row) = writer.mailbox(MailboxId(mailbox.id))? else { return Ok(()) };
            let from = std::mem::replace(&mut row.name, mailbox.name.as_str().to_owned());
            writer.update_mailbox(&row)?;
            let change = Change::MailboxRenamed { mailbox: row.id, from };
            writer.insert_feed(now.seconds(), &change).map(drop)
        }
        // The next list of the server's names it as a new one.
        Intent::DeleteMailbox { .. } => Ok(()),
        Intent::Subscribe { mailbox } => writer.set_subscription(None, mailbox.name.as_str(), false),
        Intent::Unsubscribe { mailbox } => writer.set_subscription(None, mailbox.name.as_str(), true),
    }
}

fn unflag(
    writer: &mut dyn Writer,
    (mailbox, local): (MailboxId, u32),
    (add, remove): (&Flags, &Flags),
    now: Now,
) -> Result<()> {
    let Some(row) = writer.placement(mailbox, local)? else { return Ok(()) };
    let agreed = row.agreed.clone().unwrap_or_default();
    let restored = remove.difference(&remove.difference(&agreed));
    let flags = row.flags.difference(&add.difference(&agreed)).union(&restored);
    match row.remote_uid {
        Some(uid) => arrive::set_flags(writer, mailbox, &[arrive::FlagsArrived { uid, flags, agreed }], now),
        None => Ok(()),
    }
}

/// Takes a placement away that never reached the server.
fn unplace(writer: &mut dyn Writer, mailbox: MailboxId, local: u32, now: Now) -> Result<()> {
    let is_live = writer.mailbox(mailbox)?.is_some_and(|row| row.state != MailboxState::Gone);
    match writer.placement(mailbox, local)?.filter(|row| is_live && row.remote_uid.is_none()) {
        Some(_) => arrive::quarantine(writer, mailbox, &[local].into_iter().collect(), now),
        None => Ok(()),
    }
}

/// The next pass compares the whole mailbox: what had left here is there still.
fn look_again(writer: &mut dyn Writer, mailbox: MailboxId, now: Now) -> Result<()> {
    if writer.mailbox(mailbox)?.is_none_or(|row| row.state == MailboxState::Gone) {
        return Ok(());
    }
    arrive::advance(writer, mailbox, |remote| remote.audited = 0, now)
}
