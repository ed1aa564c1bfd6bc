//! FETCHes under way, of one mailbox after the other: where another one has to be open, that is sent ahead as well, so
//! that a slow line is not waited for twice.

use super::line::{Line, Turn, rows};
use super::{Pass, concerns_all};
use crate::error::{MailError, Result};
use crate::imap::command::FetchItem;
use crate::imap::{FetchRow, MailboxName, UidSet};
use crate::session::Pending;
use crate::store::MailboxId;
use std::collections::{BTreeMap, VecDeque};

/// What is under way, oldest first, each with what the caller knows it by.
pub(super) struct Ahead<T> {
    items: Vec<FetchItem>,
    flying: VecDeque<Flight<T>>,
}

struct Flight<T> {
    what: T,
    mailbox: MailboxId,
    name: MailboxName,
    uids: UidSet,
    turn: Turn,
    pending: Pending,
}

/// What came of a FETCH: rows and their bytes, or the mailbox could not be opened, or is numbered anew.
pub(super) enum Landed {
    Rows(BTreeMap<u32, FetchRow>, u64),
    Closed,
}

impl Landed {
    /// How many bytes came.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Rows(_, bytes) => *bytes,
            Self::Closed => 0,
        }
    }
}

impl<T: Clone> Ahead<T> {
    /// None yet, of these items.
    pub fn new(items: Vec<FetchItem>) -> Self {
        Self { items, flying: VecDeque::new() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.flying.len()
    }

    /// Sends one, in several commands where the set is long.
    pub fn send(
        &mut self,
        line: &mut Line,
        what: &T,
        (mailbox, name, uids): (MailboxId, &MailboxName, &UidSet),
    ) -> Result<()> {
        let mut turn = line.turn_to(name)?;
        for pending in line.fetch(uids, &self.items)? {
            let (what, name, uids) = (what.clone(), name.clone(), uids.clone());
            let turn = std::mem::replace(&mut turn, Turn::Sent);
            self.flying.push_back(Flight { what, mailbox, name, uids, turn, pending });
        }
        Ok(())
    }

    /// Lets go what was sent into the mailbox whose turn it is.
    fn skip(&mut self) {
        while self.flying.front().is_some_and(|next| matches!(next.turn, Turn::Sent)) {
            self.flying.pop_front();
        }
    }
}

impl Pass {
    /// Waits for the oldest; `None` where there is none.
    pub(super) async fn land<T: Clone>(&mut self, ahead: &mut Ahead<T>) -> Result<Option<(T, Landed)>> {
        let Some(flight) = ahead.flying.pop_front() else { return Ok(None) };
        let Flight { what, mailbox, name, uids, turn, pending } = flight;
        if !self.has_turned(mailbox, turn).await? {
            ahead.skip();
            return Ok(Some((what, Landed::Closed)));
        }
        let (rows, bytes) = self.rows_of((mailbox, &name, &uids), &ahead.items, pending).await?;
        Ok(Some((what, Landed::Rows(rows, bytes))))
    }

    /// Opens a mailbox; whether its numbers are those that are known here.
    pub(super) async fn is_open(&mut self, mailbox: MailboxId, name: &MailboxName) -> Result<bool> {
        let there = self.line.select(name).await?.uid_validity;
        self.is_numbered(mailbox, there).await
    }

    async fn has_turned(&mut self, mailbox: MailboxId, turn: Turn) -> Result<bool> {
        let there = match turn {
            Turn::Sent => return Ok(true),
            Turn::Open(uid_validity) => uid_validity,
            Turn::Opening(opening) => match self.line.opened(opening).await {
                Ok((selected, _)) => selected.uid_validity,
                Err(error) => return self.unopened(error).map(|()| false),
            },
        };
        self.is_numbered(mailbox, there).await
    }

    /// Whether a mailbox is known here by this UIDVALIDITY. It may have been numbered anew since this pass has listed it:
    /// the next one finds that out.
    async fn is_numbered(&self, mailbox: MailboxId, uid_validity: u32) -> Result<bool> {
        let row = self.books.read(move |reader| reader.mailbox(mailbox)).await?;
        Ok(row.and_then(|row| row.remote).is_some_and(|remote| remote.uid_validity == uid_validity))
    }

    fn unopened(&mut self, error: MailError) -> Result<()> {
        if concerns_all(&error) {
            return Err(error);
        }
        self.report.problems.push(error);
        Ok(())
    }

    /// The rows of a FETCH. Some servers refuse the whole of it for one message that they cannot read (Yahoo): that one
    /// is found by halves, and reported; the others arrive.
    async fn rows_of(
        &mut self,
        (mailbox, name, uids): (MailboxId, &MailboxName, &UidSet),
        items: &[FetchItem],
        pending: Pending,
    ) -> Result<(BTreeMap<u32, FetchRow>, u64)> {
        let error = match pending.answer().await {
            Ok(reply) => return Ok((rows(&reply), reply.bytes)),
            Err(error) if concerns_all(&error) => return Err(error),
            Err(error) => error,
        };
        let (mut all, mut bytes, mut left) = (BTreeMap::new(), 0, halves(uids));
        if left.is_empty() {
            self.report.problems.push(error.with(|context| context.uid = uids.first()));
        }
        while let Some(uids) = left.pop() {
            // Another one may be open by now.
            if !self.is_open(mailbox, name).await? {
                break;
            }
            for pending in self.line.fetch(&uids, items)? {
                match pending.answer().await {
                    Ok(reply) => {
                        bytes += reply.bytes;
                        all.extend(rows(&reply));
                    }
                    Err(error) if concerns_all(&error) => return Err(error),
                    Err(error) if uids.len() == 1 => {
                        self.report.problems.push(error.with(|context| context.uid = uids.first()));
                    }
                    Err(_) => left.extend(halves(&uids)),
                }
            }
        }
        Ok((all, bytes))
    }
}

/// A set cut in two; nothing for a single message.
fn halves(uids: &UidSet) -> Vec<UidSet> {
    if uids.len() < 2 {
        return Vec::new();
    }
    let newer = uids.newest(uids.len() / 2);
    vec![uids.difference(&newer), newer]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_the_whole() {
        let uids: UidSet = "1:3,7".parse().unwrap();
        let cut = halves(&uids);
        assert_eq!(cut.iter().map(ToString::to_string).collect::<Vec<_>>(), ["1:2", "3,7"]);
        assert!(halves(&"5".parse().unwrap()).is_empty() && halves(&UidSet::new()).is_empty());
    }
}
