//! EXPUNGE and UID EXPUNGE (RFC 9051 section 6.4.3, RFC 4315).

use super::now;
use super::numbers::Numbers;
use super::reply::{Handled, News, Reply};
use super::session::Session;
use crate::error::Result;
use crate::imap::UidSet;
use crate::store::{Flags, MailboxId, Walk, Writer, change};

impl Session {
    pub(super) async fn expunge(&mut self, set: Option<Numbers>) -> Handled {
        let selected = self.writable()?;
        let uids = match set {
            Some(set) => selected.uids(&set, true)?,
            None => selected.view.uids().clone(),
        };
        let mailbox = selected.mailbox;
        let (gone, mod_seq) = self.write(move |writer| expunge_deleted(writer, mailbox, &uids)).await?;
        let reply = Reply::ok("What was marked is gone").news(News::All);
        if self.enabled.condstore && !gone.is_empty() {
            return Ok(reply.code(format!("HIGHESTMODSEQ {mod_seq}")));
        }
        Ok(reply)
    }
}

/// Removes those of `uids` that are marked as deleted; which, and the MODSEQ of the mailbox.
pub(super) fn expunge_deleted(writer: &mut dyn Writer, mailbox: MailboxId, uids: &UidSet) -> Result<(UidSet, u64)> {
    let mut marked = UidSet::new();
    let walk = Walk { mailbox, with: Flags::DELETED, without: 0, newest_first: false };
    writer.walk(&walk, &|_| true, &mut |row| {
        marked.insert(row.uid);
        Ok(true)
    })?;
    let gone = match marked.intersection(uids) {
        marked if marked.is_empty() => marked,
        marked => change::expunge(writer, mailbox, &marked, now())?,
    };
    let mod_seq = writer.mailbox(mailbox)?.map_or(0, |row| row.mod_seq);
    Ok((gone, mod_seq))
}
