//! After a reset: UIDVALIDITY has changed, and every message here is to be found again among the server's, under its new
//! number. All of that is here: what is asked, what is known of both sides, and what is remembered from pass to pass.
//!
//! One list proves nothing. A message that is not found again stays, remembered as unfound, until a later pass has not
//! found it either (`resync::rematch`).

use super::Pass;
use super::headers::Identity;
use super::rows;
use crate::error::Result;
use crate::imap::{MailboxName, UidSet};
use crate::journal::{Digest, Entry, State};
use crate::store::{Durability, MailboxId, MailboxRow, MessageRow, Now, Reader, Writer};
use crate::sync::resync::{Remote, Terms, rematch};
use crate::sync::{Action, Question};
use std::collections::{BTreeMap, BTreeSet};

impl Pass {
    /// After a reset: finds the messages again that are here, and numbers those that are new. Whether the mailbox can go
    /// on, and does not pause.
    pub(super) async fn find_again(
        &mut self,
        mailbox: MailboxId,
        (row, name): (&MailboxRow, &MailboxName),
        uids: &UidSet,
        uid_validity: u32,
    ) -> Result<bool> {
        let mut there = self.identify(name, uids).await?;
        let care = self.care(mailbox, row.role);
        let is_all = there.len() as u64 == uids.len();
        let unfound = self.unfound(mailbox).await?;
        let write = move |writer: &mut dyn Writer, now| {
            let is_all = is_tired(writer, mailbox)? || is_all;
            retarget(writer, mailbox, uid_validity, &mut there, now)?;
            let unlinked = unlinked(writer, mailbox)?;
            let (ours, theirs) = keys(&unlinked, &there);
            let holds = rows::holds(writer, mailbox)?;
            let actions = rematch(&ours, &theirs, &Terms { unfound, care: is_all.then_some(care), holds });
            rows::carry_out(writer, mailbox, &actions, &Remote::default(), now).map(|_| actions)
        };
        let actions = self.books.write(Durability::Bulk, write).await?;
        let is_paused = actions.iter().any(|action| matches!(action, Action::Pause { .. }));
        self.note(row, actions);
        Ok(!is_paused)
    }

    /// What an earlier pass has not found again: two lists of one pass may be the same lie.
    async fn unfound(&mut self, mailbox: MailboxId) -> Result<UidSet> {
        if let Some(known) = self.unfound.get(&mailbox) {
            return Ok(known.clone());
        }
        let known = self.books.read(move |reader| unfound(reader, mailbox)).await?;
        Ok(self.unfound.entry(mailbox).or_insert(known).clone())
    }
}

/// Whether messages are still to be found again: those here that have no number, and those that have left their place
/// here while a change of theirs is about the numbers of before. A pass was broken off after a reset.
pub(super) fn is_under_way(reader: &dyn Reader, row: &MailboxRow, pending: &[Entry]) -> Result<bool> {
    if !unlinked(reader, row.id)?.is_empty() {
        return Ok(true);
    }
    let uid_validity = row.remote.as_ref().map_or(0, |remote| remote.uid_validity);
    Ok(lost(reader, (row.id, uid_validity), pending)?.iter().any(|entry| entry.state == State::Waiting))
}

/// Entries about messages that have left their place here and have no number of this UIDVALIDITY, nor get one by arriving.
fn lost<'a>(
    reader: &dyn Reader,
    (mailbox, uid_validity): (MailboxId, u32),
    pending: &'a [Entry],
) -> Result<Vec<&'a Entry>> {
    let (arriving, mut lost) = (arriving(pending, mailbox), Vec::new());
    for entry in pending {
        let Some(target) = entry.intent.target().filter(|target| target.mailbox.id == mailbox.0) else { continue };
        let is_numbered = match target.uid {
            Some(_) => target.uid_validity == Some(uid_validity),
            None => arriving.contains(&target.local),
        };
        if !is_numbered && reader.placement(mailbox, target.local)?.is_none() {
            lost.push(entry);
        }
    }
    Ok(lost)
}

/// Our UIDs of what is to arrive in a mailbox by changes that are not over.
fn arriving(pending: &[Entry], mailbox: MailboxId) -> BTreeSet<u32> {
    let landings = pending.iter().filter_map(|entry| entry.intent.landing());
    landings.filter(|to| to.mailbox.id == mailbox.0).map(|to| to.local).collect()
}

/// What is new on the server while messages here have lost their numbers, by a reset that was broken off, must be
/// identified first: it may be one of them. Those that this pass has looked for already (`sought`) wait for the next one.
pub(super) fn identify_first(actions: Vec<Action>, remote: &Remote, sought: bool) -> Vec<Action> {
    if remote.partial || actions.iter().any(|action| matches!(action, Action::Reset { .. })) {
        return actions;
    }
    if remote.uids.is_none() {
        return vec![Action::Ask { question: Question::All }];
    }
    let is_new = |action: &Action| if let Action::Reserve { uids } = action { Some(uids.clone()) } else { None };
    match actions.iter().find_map(is_new) {
        None if sought => actions,
        uids => vec![Action::Identify { uids: uids.unwrap_or_default() }],
    }
}

/// Messages that lost their number and are to be found again, with what each is known by.
pub(super) fn unlinked(reader: &dyn Reader, mailbox: MailboxId) -> Result<Vec<(u32, MessageRow)>> {
    let numbered = reader.remote_uids(mailbox)?.len().saturating_sub(reader.reserved(mailbox)?.len());
    if reader.uids(mailbox)?.len() == numbered {
        return Ok(Vec::new());
    }
    let arriving = arriving(&reader.pending()?, mailbox);
    let mut unlinked = Vec::new();
    for row in reader.placements(mailbox, &UidSet::range(1, u32::MAX))? {
        let Some(message) = row.message.filter(|_| row.remote_uid.is_none() && !arriving.contains(&row.uid)) else {
            continue;
        };
        if let Some(message) = reader.message(message)? {
            unlinked.push((row.uid, message));
        }
    }
    Ok(unlinked)
}

/// Remembers that the server left something untold for a whole pass. What is found again in the next one is all that there is.
pub(super) fn tire(writer: &mut dyn Writer, mailbox: MailboxId) -> Result<()> {
    writer.set_note(&untold_note(mailbox), Some(b"1"))
}

/// Whether it is time to believe that a message is gone which the server does not tell of.
fn is_tired(writer: &mut dyn Writer, mailbox: MailboxId) -> Result<bool> {
    let is_tired = writer.note(&untold_note(mailbox))?.is_some();
    if is_tired {
        writer.set_note(&untold_note(mailbox), None)?;
    }
    Ok(is_tired)
}

/// Messages by our UIDs that an earlier pass has not found again after a reset, and that are still here without a number.
pub(super) fn unfound(reader: &dyn Reader, mailbox: MailboxId) -> Result<UidSet> {
    let Some(note) = reader.note(&unfound_note(mailbox))? else { return Ok(UidSet::new()) };
    let left: UidSet = unlinked(reader, mailbox)?.into_iter().map(|(local, _)| local).collect();
    Ok(UidSet::from_server(&note).unwrap_or_default().intersection(&left))
}

pub(super) fn set_unfound(writer: &mut dyn Writer, mailbox: MailboxId, locals: &UidSet) -> Result<()> {
    let note = (!locals.is_empty()).then(|| locals.to_string());
    writer.set_note(&unfound_note(mailbox), note.as_ref().map(String::as_bytes))
}

fn unfound_note(mailbox: MailboxId) -> String {
    format!("sync.unfound.{mailbox}")
}

fn untold_note(mailbox: MailboxId) -> String {
    format!("sync.untold.{mailbox}")
}

/// What each message is known by on both sides: the server's own id where both have it, else the digest.
fn keys(unlinked: &[(u32, MessageRow)], there: &[Identity]) -> (Keys, Keys) {
    let theirs: BTreeSet<&str> = there.iter().filter_map(|identity| identity.email_id.as_deref()).collect();
    let ours: BTreeSet<&str> = unlinked.iter().filter_map(|(_, row)| row.email_id.as_deref()).collect();
    let key = |email_id: Option<&str>, digest: Option<&Digest>| match (email_id, digest) {
        (Some(id), _) if theirs.contains(id) && ours.contains(id) => id.as_bytes().to_vec(),
        (_, Some(digest)) => digest.as_bytes().to_vec(),
        _ => Vec::new(),
    };
    // What is known by nothing is found by nothing.
    let here = unlinked.iter().map(|(local, row)| match key(row.email_id.as_deref(), row.digest.as_ref()) {
        key if key.is_empty() => (*local, format!("message {}", row.id).into_bytes()),
        key => (*local, key),
    });
    let there = there.iter().map(|row| (row.uid, key(row.email_id.as_deref(), Some(&row.digest))));
    (here.collect(), there.collect())
}

type Keys = Vec<(u32, Vec<u8>)>;

/// After a reset: changes of messages that have left their place here, found again by digest; those that are the same in
/// their order, among them those that are here still. What they are about is taken out of `there`, so that it is not
/// taken for new.
fn retarget(
    writer: &mut dyn Writer,
    mailbox: MailboxId,
    uid_validity: u32,
    there: &mut Vec<Identity>,
    now: Now,
) -> Result<()> {
    let (here, pending) = (unlinked(writer, mailbox)?, writer.pending()?);
    let mut lost: Vec<Entry> = lost(writer, (mailbox, uid_validity), &pending)?.into_iter().cloned().collect();
    lost.sort_by_key(|entry| entry.intent.target().map(|target| target.local));
    // Several changes may be about one message.
    let mut found: BTreeMap<u32, u32> = BTreeMap::new();
    for mut entry in lost {
        let Some(target) = entry.intent.target_mut() else { continue };
        let known = found.get(&target.local).copied();
        let Some(uid) = known.or_else(|| take_twin(&here, (target.local, &target.digest), there)) else { continue };
        found.insert(target.local, uid);
        (target.uid_validity, target.uid) = (Some(uid_validity), Some(uid));
        writer.update_intent(&entry, now.seconds())?;
    }
    Ok(())
}

/// Takes the message out of `there` that is this one of those that are the same: in their order, as they are `here`.
fn take_twin(here: &[(u32, MessageRow)], (local, digest): (u32, &Digest), there: &mut Vec<Identity>) -> Option<u32> {
    let before = here.iter().filter(|(other, row)| *other < local && row.digest.as_ref() == Some(digest)).count();
    let twins = there.iter().enumerate().filter(|(_, identity)| identity.digest == *digest);
    let (at, _) = twins.take(before + 1).last()?;
    Some(there.remove(at).uid)
}
