//! Finds the messages that match: all that is held in one snapshot, and then one after another those whose body has to be
//! fetched, where somebody can.

use super::look::{Lacking, Look};
use super::matching::{cost, matches};
use super::{Program, ROWS, texts};
use crate::error::{Code, MailError, Result};
use crate::imap::UidSet;
use crate::server::command::{Clock, Key, Search};
use crate::server::reply::Refusal;
use crate::server::session::Session;
use crate::store::search::Searcher;
use crate::store::{Fetched, MailboxId, MessageId, Reader, ShownParts, ShownRow};

/// A search under way.
struct SearchRun<T, F> {
    program: Program,
    /// What is wanted of a message that matches.
    each: F,
    found: Vec<(u32, T)>,
    /// Messages of which only the body can tell, and that is not held.
    undecided: UidSet,
}

impl Session {
    /// What `each` makes of the messages that match, by UID. Where that cannot be told nothing is saved, nor is what was
    /// saved before (RFC 5182 section 2.1).
    pub(in crate::server) async fn found<T, F>(
        &mut self,
        search: &Search,
        program: Program,
        each: F,
    ) -> Result<Vec<(u32, T)>, Refusal>
    where
        T: Send + 'static,
        F: Fn(&Look<'_>) -> T + Send + 'static,
    {
        let found = self.find(program, each).await;
        if found.is_err() && search.wanted.is_some_and(|wanted| wanted.save) {
            self.save(UidSet::new());
        }
        found
    }

    async fn find<T, F>(&self, program: Program, each: F) -> Result<Vec<(u32, T)>, Refusal>
    where
        T: Send + 'static,
        F: Fn(&Look<'_>) -> T + Send + 'static,
    {
        let run = SearchRun { program, each, found: Vec::new(), undecided: UidSet::new() };
        let (store, can_fetch) = (self.store().clone(), self.can_fetch());
        let mut run = self.read(move |reader| run.look(reader, store.searcher(), can_fetch)).await?;
        let mailbox = run.program.mailbox;
        for uid in std::mem::take(&mut run.undecided).iter() {
            let message = self.store().glance(|reader| Ok(placed(reader, mailbox, uid)?.map(|row| row.message)))?;
            let Some(message) = message else { continue };
            let body = self.body(message).await.ok_or_else(undecided)?;
            run = self.read(move |reader| run.judge(reader, (uid, message), body)).await?;
        }
        run.found.sort_by_key(|(uid, _)| *uid);
        Ok(run.found)
    }
}

impl<T, F: Fn(&Look<'_>) -> T> SearchRun<T, F> {
    /// Looks at all that is held. `searcher` knows the index of words.
    fn look(mut self, reader: &dyn Reader, searcher: &Searcher, can_fetch: bool) -> Result<Self> {
        let lacking = self.program.lacking(reader, searcher)?;
        let bound = self.program.bound(&*reader.flag_sets(self.program.mailbox)?);
        let parts = ShownParts { facts: false, headers: begins_with_header(&self.program.key) };
        for uids in bound.chunks(ROWS) {
            for row in reader.shown(self.program.mailbox, &uids, parts)? {
                if self.tell(&Look::new(reader, &row).with_index(&lacking))? {
                    continue;
                }
                if !can_fetch {
                    return Err(undecided());
                }
                self.undecided.insert(row.placement.uid);
            }
        }
        Ok(self)
    }

    /// Looks at a message whose body was fetched; one in memory is dropped with that.
    fn judge(mut self, reader: &dyn Reader, (uid, message): (u32, MessageId), body: Fetched) -> Result<Self> {
        let row = placed(reader, self.program.mailbox, uid)?.filter(|row| row.message == message);
        // It may have gone meanwhile.
        let Some(row) = row else { return Ok(self) };
        let look = match body {
            Fetched::Bytes(body) => Look::new(reader, &row).with_body(body),
            Fetched::Held => Look::new(reader, &row),
        };
        match self.tell(&look)? {
            true => Ok(self),
            false => Err(undecided()),
        }
    }

    /// Whether it can be told if a message matches; it is noted where it does.
    fn tell(&mut self, look: &Look<'_>) -> Result<bool> {
        match look.end(matches(&self.program.key, look, self.program.now))? {
            Some(true) => self.found.push((look.placement().uid, look.end((self.each)(look))?)),
            Some(false) => {}
            None => return Ok(false),
        }
        Ok(true)
    }
}

impl Program {
    fn lacking(&self, reader: &dyn Reader, searcher: &Searcher) -> Result<Lacking> {
        let texts = texts(&self.key).into_iter();
        texts.map(|text| Ok((text.to_owned(), searcher.lacking(reader, text)?))).collect()
    }
}

fn placed(reader: &dyn Reader, mailbox: MailboxId, uid: u32) -> Result<Option<ShownRow>> {
    Ok(reader.shown(mailbox, &UidSet::range(uid, uid), ShownParts::default())?.into_iter().next())
}

/// Whether each message's header is looked at, whatever the message is: then headers are read together with the rows.
fn begins_with_header(key: &Key) -> bool {
    match key {
        Key::Header(..) | Key::Text(_) | Key::Day(Clock::Sent, ..) => true,
        Key::Not(key) => begins_with_header(key),
        Key::Or(first, _) => begins_with_header(first),
        // What costs nothing has narrowed the messages already.
        Key::And(keys) => keys.iter().find(|key| cost(key) > 0).is_some_and(begins_with_header),
        _ => false,
    }
}

/// "No match" would be a guess (decision 11 of the architecture).
fn undecided() -> MailError {
    MailError::new(Code::BodyNotHere, "The search hangs on a body that is not held here for now")
}
