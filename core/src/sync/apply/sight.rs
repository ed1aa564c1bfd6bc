//! A look at what a lost answer has left on the server, for `journal::steps::doubt` to judge.

use super::Pass;
use super::headers::Identity;
use super::line::found;
use crate::error::{Code, Result};
use crate::imap::command::{self, ListQuery};
use crate::imap::{Flag, ListRow, MailboxName, Response, SearchKey, UidSet, Untagged};
use crate::journal::steps::Sighting;
use crate::journal::{Digest, Entry, Intent, Step};
use crate::session::{Wants, nothing_listed};
use crate::store::{LinkKind, MailboxId, MessageId, PlacementRow, Reader, derive};
use std::collections::BTreeMap;

/// Whether a mailbox has to be looked at anew: after a command of this pass, which was answered, or else once for all
/// answers that were lost before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Once,
    Anew,
}

/// A mailbox as it was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    uid_validity: u32,
    uid_next: u32,
    uids: UidSet,
    identities: BTreeMap<u32, Identity>,
}

impl Snapshot {
    /// What its numbers belong to.
    pub(super) fn uid_validity(&self) -> u32 {
        self.uid_validity
    }

    pub(super) fn uid_next(&self) -> u32 {
        self.uid_next
    }

    /// How many messages there are.
    pub(super) fn len(&self) -> u64 {
        self.uids.len()
    }
}

impl Pass {
    /// What is there now of an intent whose step may have been done.
    pub(super) async fn sight(
        &mut self,
        entry: &Entry,
        step: Step,
        (uid, look): (Option<u32>, Look),
    ) -> Result<Sighting> {
        let mut sighting = Sighting { answered: look == Look::Anew, ..Sighting::default() };
        if let Intent::RenameMailbox { mailbox, to } = &entry.intent {
            sighting.names = (self.is_listed(&mailbox.name).await?, self.is_listed(to).await?);
            return Ok(sighting);
        }
        if let (Some(target), Some(uid)) = (entry.intent.target(), uid) {
            let name = self.name(MailboxId(target.mailbox.id), &target.mailbox.name).await?;
            let uids = self.snapshot(&name, look).await?.uids;
            (sighting.original, sighting.is_empty) = (uids.contains(uid), uids.is_empty());
        }
        if let (Some(to), Step::Place { uid_validity, uid_next, .. } | Step::Find { uid_validity, uid_next, .. }) =
            (entry.intent.landing(), step)
        {
            let (id, name) = (to.mailbox.id, &to.mailbox.name);
            self.copies(MailboxId(id), name, (entry, look), (uid_validity, uid_next), &mut sighting).await?;
        }
        Ok(sighting)
    }

    /// A mailbox as it is, or as it was found earlier in this pass.
    pub(super) async fn snapshot(&mut self, name: &MailboxName, look: Look) -> Result<Snapshot> {
        if let Some(known) = self.snapshots.get(name.raw()).filter(|_| look == Look::Once) {
            return Ok(known.clone());
        }
        let selected = self.line.reopen(name).await?;
        let uids = found(&self.line.search(&SearchKey::All).await?, selected.exists)?;
        let uid_next = selected.uid_next.unwrap_or_else(|| uids.last().unwrap_or(0).saturating_add(1));
        let snapshot = Snapshot { uid_validity: selected.uid_validity, uid_next, uids, identities: BTreeMap::new() };
        self.snapshots.insert(name.raw().to_vec(), snapshot.clone());
        Ok(snapshot)
    }

    /// Copies from that UIDNEXT on that are the same and that no placement here has.
    async fn copies(
        &mut self,
        mailbox: MailboxId,
        name: &MailboxName,
        (entry, look): (&Entry, Look),
        (uid_validity, uid_next): (u32, u32),
        sighting: &mut Sighting,
    ) -> Result<()> {
        let name = self.name(mailbox, name).await?;
        let snapshot = match self.snapshot(&name, look).await {
            Ok(snapshot) => snapshot,
            Err(error) if error.code() == Code::MailboxMissing => return Ok(()),
            // A bare NO may mean anything: the list says whether it is there.
            Err(error) if error.code() == Code::ServerRefused && !self.is_listed(&name).await? => return Ok(()),
            Err(error) => return Err(error),
        };
        let from = if snapshot.uid_validity == uid_validity { uid_next.max(1) } else { 1 };
        let validity = snapshot.uid_validity;
        let known = self.books.read(move |reader| {
            let row = reader.mailbox(mailbox)?.and_then(|row| row.remote);
            // What is known under other numbers says nothing.
            let is_same = row.is_some_and(|remote| remote.uid_validity == validity);
            if is_same { reader.remote_uids(mailbox) } else { Ok(UidSet::new()) }
        });
        let fresh = snapshot.uids.intersection(&UidSet::range(from, u32::MAX)).difference(&known.await?);
        let seen = self.identities(&name, &fresh, snapshot.identities).await?;
        sighting.uid_validity = Some(validity);
        sighting.uid_next = snapshot.uid_next;
        let copies = seen.values().filter(|copy| fresh.contains(copy.uid) && is_same(&entry.intent, copy));
        sighting.copies = copies.map(|copy| copy.uid).collect();
        if sighting.copies.is_empty() && snapshot.uid_next > from {
            let entry = entry.clone();
            sighting.moved_on = self.books.read(move |reader| has_arrived_elsewhere(reader, &entry)).await?;
        }
        Ok(())
    }

    /// What these messages are known by, each asked for once.
    async fn identities(
        &mut self,
        name: &MailboxName,
        uids: &UidSet,
        mut seen: BTreeMap<u32, Identity>,
    ) -> Result<BTreeMap<u32, Identity>> {
        let unseen = uids.difference(&seen.keys().copied().collect());
        if !unseen.is_empty() {
            seen.extend(self.identify(name, &unseen).await?.into_iter().map(|identity| (identity.uid, identity)));
            if let Some(snapshot) = self.snapshots.get_mut(name.raw()) {
                snapshot.identities.clone_from(&seen);
            }
        }
        Ok(seen)
    }

    pub(super) async fn is_listed(&mut self, name: &MailboxName) -> Result<bool> {
        Ok(self.list_names().await?.iter().any(|row| row.mailbox.raw() == name.raw()))
    }

    /// What the server lists and has. A list of nothing is none.
    pub(super) async fn list_names(&mut self) -> Result<Vec<ListRow>> {
        let query = ListQuery { utf8: self.line.connection.utf8(), ..ListQuery::default() };
        let reply = self.line.send(command::list(&query)?, Wants::List).answer().await?;
        let mut rows: Vec<ListRow> = Vec::new();
        for response in reply.untagged {
            if let Response::Data(Untagged::List(row)) = response {
                rows.push(row);
            }
        }
        if rows.is_empty() {
            return Err(nothing_listed());
        }
        rows.retain(|row| !row.has_attribute("\\NonExistent"));
        Ok(rows)
    }
}

/// Whether the message that was to be placed has come from the server since then, wherever it is there now. What was
/// here before may be another one that is the same.
fn has_arrived_elsewhere(reader: &dyn Reader, entry: &Entry) -> Result<bool> {
    let Some(to) = entry.intent.landing() else { return Ok(false) };
    let placed = reader.placement(MailboxId(to.mailbox.id), to.local)?;
    let Some(own) = placed.and_then(|row| row.message) else { return Ok(false) };
    let header = reader.headers(own)?.unwrap_or_default().header;
    let Some(id) = derive::links(&header).into_iter().find(|link| link.kind == LinkKind::Own) else {
        return Ok(false);
    };
    for (message, kind) in reader.linked(&id.id)? {
        let is_later = kind == LinkKind::Own && message > own;
        // What is marked as deleted was left behind by a move, without UIDPLUS perhaps by our own.
        let stays = |row: &PlacementRow| row.remote_uid.is_some() && !row.flags.contains(&Flag::DELETED);
        let is_there = is_later && reader.placements_of(message)?.iter().any(stays);
        if is_there && stored(reader, message)?.is_some_and(|identity| is_same(&entry.intent, &identity)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a message here is known by.
fn stored(reader: &dyn Reader, message: MessageId) -> Result<Option<Identity>> {
    let (row, headers) = (reader.message(message)?, reader.headers(message)?);
    let identity = row.zip(headers).and_then(|(row, headers)| {
        let header = Digest::of_header(&headers.header);
        Some(Identity { uid: 0, digest: row.digest?, header, size: row.size, email_id: None })
    });
    Ok(identity)
}

/// Whether a message there is the one that was to be placed. What the server itself copied is the same in everything;
/// of what we sent it may round the date.
fn is_same(intent: &Intent, copy: &Identity) -> bool {
    match intent {
        Intent::Append { header, size, .. } => copy.header == *header && copy.size == *size,
        intent => intent.target().is_some_and(|target| copy.digest == target.digest),
    }
}
