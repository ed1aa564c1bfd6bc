//! A look at what a lost answer has left on the server, for `journal::steps::doubt` to judge.

use super::Pass;
use super::headers::Identity;
use super::line::found;
use crate::error::{Code, Result};
use crate::imap::command::{self, ListQuery};
use crate::imap::{MailboxName, Response, SearchKey, UidSet, Untagged};
use crate::journal::steps::Sighting;
use crate::journal::{Entry, Intent, Step};
use crate::session::Wants;
use crate::store::MailboxId;

impl Pass {
    /// What is there now of an intent whose step may have been done.
    pub(super) async fn sight(&mut self, entry: &Entry, step: Step, uid: Option<u32>) -> Result<Sighting> {
        let mut sighting = Sighting::default();
        if let Intent::RenameMailbox { mailbox, to } = &entry.intent {
            sighting.names = (self.is_listed(&mailbox.name).await?, self.is_listed(to).await?);
            return Ok(sighting);
        }
        if let (Some(target), Some(uid)) = (entry.intent.target(), uid) {
            let name = self.name(MailboxId(target.mailbox.id), &target.mailbox.name).await?;
            sighting.original = self.is_there(&name, uid).await?;
        }
        if let (Some(to), Step::Place { uid_validity, uid_next, .. } | Step::Find { uid_validity, uid_next }) =
            (entry.intent.landing(), step)
        {
            let name = self.name(MailboxId(to.mailbox.id), &to.mailbox.name).await?;
            self.copies(&name, entry, (uid_validity, uid_next), &mut sighting).await?;
        }
        Ok(sighting)
    }

    async fn is_there(&mut self, name: &MailboxName, uid: u32) -> Result<bool> {
        let selected = self.line.reopen(name).await?;
        let key = SearchKey::Uid([uid].into_iter().collect());
        let reply = self.line.search(&key).await?;
        Ok(found(&reply, selected.exists)?.contains(uid))
    }

    /// Copies from that UIDNEXT on that are the same and that no placement here has.
    async fn copies(
        &mut self,
        name: &MailboxName,
        entry: &Entry,
        (uid_validity, uid_next): (u32, u32),
        sighting: &mut Sighting,
    ) -> Result<()> {
        let Some(to) = entry.intent.landing() else { return Ok(()) };
        let selected = match self.line.reopen(name).await {
            Ok(selected) => selected,
            Err(error) if matches!(error.code(), Code::MailboxMissing | Code::ServerRefused) => return Ok(()),
            Err(error) => return Err(error),
        };
        let from = if selected.uid_validity == uid_validity { uid_next.max(1) } else { 1 };
        let key = SearchKey::Uid(UidSet::range(from, u32::MAX));
        // `n:*` holds the last message also where its UID is below n (RFC 9051 section 9, seq-range).
        let there = found(&self.line.search(&key).await?, selected.exists)?;
        let mailbox = MailboxId(to.mailbox.id);
        let known = self.books.read(move |reader| reader.remote_uids(mailbox)).await?;
        let fresh = there.intersection(&UidSet::range(from, u32::MAX)).difference(&known);
        let seen = self.identify(name, &fresh).await?;
        sighting.uid_validity = Some(selected.uid_validity);
        sighting.uid_next = selected.uid_next.unwrap_or_else(|| there.last().unwrap_or(0).saturating_add(1));
        sighting.copies = seen.iter().filter(|copy| is_same(&entry.intent, copy)).map(|copy| copy.uid).collect();
        Ok(())
    }

    async fn is_listed(&mut self, name: &MailboxName) -> Result<bool> {
        let query = ListQuery { utf8: self.line.connection.utf8(), ..ListQuery::default() };
        let reply = self.line.send(command::list(&query)?, Wants::List).answer().await?;
        Ok(reply.untagged.iter().any(|response| match response {
            Response::Data(Untagged::List(row)) => {
                row.mailbox.raw() == name.raw() && !row.has_attribute("\\NonExistent")
            }
            _ => false,
        }))
    }
}

/// Whether a message there is the one that was to be placed. What the server itself copied is the same in everything;
/// of what we sent it may round the date.
fn is_same(intent: &Intent, copy: &Identity) -> bool {
    match intent {
        Intent::Append { header, size, .. } => copy.header == *header && copy.size == *size,
        intent => intent.target().is_some_and(|target| copy.digest == target.digest),
    }
}
