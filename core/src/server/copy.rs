//! COPY and MOVE, with the COPYUID of RFC 4315 (RFC 9051 sections 6.4.7 and 6.4.8).

use super::command::Copy;
use super::now;
use super::reply::{Handled, News, Refusal, Reply, untagged};
use super::select::usable;
use super::session::Session;
use crate::error::Result;
use crate::imap::UidSet;
use crate::store::{MailboxId, Now, Writer, change};

/// Where messages went: UIDVALIDITY, and UIDs before and after.
type Went = (u32, Vec<(u32, u32)>);

/// How messages get from one mailbox to another.
type Verb = fn(&mut dyn Writer, MailboxId, &UidSet, MailboxId, Now) -> Result<Vec<(u32, u32)>>;

impl Session {
    pub(super) async fn copy(&mut self, copy: Copy) -> Handled {
        let selected = self.mailbox()?;
        let (from, uids) = (selected.mailbox, selected.uids(&copy.set, copy.uid)?);
        let news = if copy.uid { News::All } else { News::NoExpunge };
        let done = self.write(move |writer| transfer(writer, from, &uids, &copy.to, change::copy)).await;
        let reply = Reply::ok("Copied").news(news);
        Ok(match code(&done.map_err(Refusal::try_create)?) {
            Some(code) => reply.code(code),
            None => reply,
        })
    }

    /// MOVE (RFC 6851): the COPYUID stands in an untagged OK, before the EXPUNGEs.
    pub(super) async fn move_to(&mut self, copy: Copy) -> Handled {
        let selected = self.writable()?;
        let (from, uids) = (selected.mailbox, selected.uids(&copy.set, copy.uid)?);
        let done = self.write(move |writer| transfer(writer, from, &uids, &copy.to, moved)).await;
        let mut out = Vec::new();
        if let Some(code) = code(&done.map_err(Refusal::try_create)?) {
            untagged!(out, "OK [{code}] Moved");
        }
        Ok(Reply::with("Moved", out).news(News::All))
    }
}

/// Within one mailbox a message moves to its end.
fn moved(writer: &mut dyn Writer, from: MailboxId, uids: &UidSet, to: MailboxId, now: Now) -> Result<Vec<(u32, u32)>> {
    if from != to {
        return change::move_to(writer, from, uids, to, now);
    }
    let pairs = change::copy(writer, from, uids, to, now)?;
    change::expunge(writer, from, uids, now)?;
    Ok(pairs)
}

fn transfer(writer: &mut dyn Writer, from: MailboxId, uids: &UidSet, to: &str, verb: Verb) -> Result<Went> {
    let to = usable(writer, to)?;
    Ok((to.uid_validity, verb(writer, from, uids, to.id, now())?))
}

fn code((uid_validity, pairs): &Went) -> Option<String> {
    let (from, to): (UidSet, UidSet) =
        (pairs.iter().map(|pair| pair.0).collect(), pairs.iter().map(|pair| pair.1).collect());
    // Both ascend, so that the sets pair one by one.
    (!pairs.is_empty()).then(|| format!("COPYUID {uid_validity} {from} {to}"))
}
