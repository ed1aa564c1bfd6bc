//! Large bodies: in stretches, each on the disk as it comes and counted in the day's budget. What was broken off, by the
//! network, the budget or the end of the process, goes on from there in a later pass.

use super::Pass;
use super::bodies::{WantedBodies, spend};
use super::doubt::refuse;
use super::line::rows;
use crate::error::Result;
use crate::imap::command::FetchItem;
use crate::imap::{MailboxName, Section};
use crate::session::Pending;
use crate::store::{Durability, MailboxId, Now, Partial, Stretch, Wanted, Writer};
use crate::sync::books::blocking;
use crate::sync::plan::Batch;
use std::collections::VecDeque;

/// Bytes of a stretch, and how many are under way at once.
const STRETCH: u64 = 512 << 10;
const AHEAD: usize = 3;

/// How far a large body came in this pass.
struct Came {
    bytes: u64,
    is_whole: bool,
}

/// Stretches that are asked for, in order, each with its length.
struct Asked {
    flying: VecDeque<(u64, Pending)>,
    next: u64,
    /// What the budget of the day lets be asked for.
    left: u64,
}

impl Pass {
    /// Fetches one large body, or what the budget allows of it.
    pub(super) async fn large(&mut self, batch: &Batch, wanted: &WantedBodies) -> Result<()> {
        let (uid, mailbox) = (batch.uids.first().unwrap_or_default(), MailboxId(batch.mailbox));
        let Some(wanted) = wanted.get(&(batch.mailbox, uid)).copied() else { return Ok(()) };
        let name = self.name(mailbox, &MailboxName::new("", false)).await?;
        if !self.is_open(mailbox, &name).await? {
            return Ok(());
        }
        let message = wanted.message;
        let partial = self.books.read(move |reader| Partial::of(reader, message, (mailbox, uid))).await?;
        let Some(partial) = partial else { return Ok(()) };
        let came = self.stretches(uid, &partial).await?;
        let is_published = came.is_whole && self.publish(wanted, partial).await?;
        let counted = self.count(mailbox);
        counted.bodies += u64::from(is_published);
        counted.bytes += came.bytes;
        self.step(mailbox, (u64::from(is_published), came.bytes));
        Ok(())
    }

    /// Puts down what comes, from where it was broken off.
    async fn stretches(&mut self, uid: u32, partial: &Partial) -> Result<Came> {
        let known = partial.clone();
        let mut at = self.books.read(move |reader| known.came(reader)).await?;
        let left = self.left_today().await?.unwrap_or(u64::MAX);
        let mut asked = Asked { flying: VecDeque::new(), next: at, left };
        let mut came = Came { bytes: 0, is_whole: false };
        loop {
            // What came before the connection broke off is put down all the same.
            let failed = self.ask(uid, &mut asked).err();
            let Some((length, pending)) = asked.flying.pop_front() else { return failed.map_or(Ok(came), Err) };
            let row = rows(&pending.answer().await?).remove(&uid);
            let section = row.and_then(|row| row.sections.into_iter().find(|data| data.section == Section::default()));
            // A row that does not come is a message that is gone, which the next comparison finds out.
            let Some(data) = section else { return Ok(came) };
            // Some servers give the whole, whatever stretch is asked for (Exmail).
            let is_all = data.origin.is_none() && data.data.is_some();
            let piece = data.data.map(crate::wire::Octets::into_bytes).unwrap_or_default();
            let bytes = piece.len() as u64;
            came.bytes += bytes;
            let stretch = self.books.read(move |reader| Stretch::new(reader, &piece)).await?;
            at = if is_all { 0 } else { at };
            let there = self.put(partial, (at, stretch, is_all), bytes).await?;
            if is_all || there == at + bytes && bytes < length {
                came.is_whole = true;
                return Ok(came);
            }
            if there != at + bytes {
                // Somebody else fetches it as well, such as a reader of the message.
                let known = partial.clone();
                if self.books.read(move |reader| known.is_over(reader)).await? {
                    return Ok(came);
                }
                (asked.next, asked.flying) = (there, VecDeque::new());
            }
            at = there;
        }
    }

    fn ask(&self, uid: u32, asked: &mut Asked) -> Result<()> {
        while asked.flying.len() < AHEAD && asked.left > 0 {
            let length = STRETCH.min(asked.left);
            let item = FetchItem::Section { section: Section::default(), partial: Some((asked.next, length)) };
            let sent = self.line.fetch(&[uid].into_iter().collect(), &[FetchItem::Uid, item])?;
            asked.flying.extend(sent.into_iter().map(|pending| (length, pending)));
            asked.next += length;
            asked.left -= length;
        }
        Ok(())
    }

    /// Puts a stretch down, or the whole in place of what came before, and takes it from the budget of the day.
    async fn put(&self, partial: &Partial, (at, stretch, is_all): (u64, Stretch, bool), bytes: u64) -> Result<u64> {
        let partial = partial.clone();
        let put = move |writer: &mut dyn Writer, now: Now| {
            if is_all {
                partial.forget(writer)?;
            }
            spend(writer, bytes, now)?;
            partial.push(writer, (at, &stretch), now)
        };
        self.books.write(Durability::Bulk, put).await
    }

    /// Gives a message the body that has come; whether it was its own.
    async fn publish(&mut self, wanted: Wanted, partial: Partial) -> Result<bool> {
        let (store, now, known) = (self.books.store(), self.books.now(), partial.clone());
        match blocking(move || known.pack(&store, now)).await? {
            Ok(mut staging) => {
                let publish = move |writer: &mut dyn Writer, now: Now| partial.publish(writer, &mut staging, now);
                self.books.write(Durability::Bulk, publish).await.map(|()| true)
            }
            Err(other) => {
                let refuse = move |writer: &mut dyn Writer, _: Now| {
                    partial.forget(writer)?;
                    refuse(writer, wanted, other)
                };
                let doubt = self.books.write(Durability::Bulk, refuse).await?;
                self.doubt(vec![doubt]);
                Ok(false)
            }
        }
    }
}
