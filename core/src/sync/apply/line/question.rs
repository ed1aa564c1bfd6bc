//! The questions asked of mailboxes on a line.

use super::{Line, Opening, flags, rows};
use crate::error::{Code, MailError, Result};
use crate::imap::command::{self, FetchItem, FetchModifiers, Known, SearchOptions, SearchReturn};
use crate::imap::extension::qresync::Changes;
use crate::imap::extension::{condstore, message_limit};
use crate::imap::{MailboxName, Response, SearchKey, UidSet, Untagged};
use crate::session::{Pending, Reply, Rows, Selected, Wants};
use crate::sync::resync::Remote;
use crate::sync::{Cursor, Question};
use std::collections::VecDeque;

/// Messages whose flags one command asks for: so many fit what one answer may take in memory.
const FLAGS_AT_ONCE: u64 = 10_000;
/// Above so many messages a SELECT with QRESYNC could answer with more than one answer may hold.
const RESYNC_AT_MOST: u64 = 30_000;

const FLAGS: &[FetchItem] = &[FetchItem::Uid, FetchItem::Flags];

/// A question that was sent ahead.
pub(in super::super) enum Asked {
    Changes(Opening),
    Uids(Opening, Pending),
}

impl Line {
    /// Asks a question of a mailbox. `known` are the UIDs that are here.
    pub async fn ask(
        &mut self,
        name: &MailboxName,
        question: Question,
        (cursor, known): (&Cursor, &UidSet),
    ) -> Result<Remote> {
        if let Some(asked) = self.ask_ahead(name, question, (cursor, known))? {
            return self.told(asked).await;
        }
        match question {
            Question::Resync { mod_seq } => self.changes(name, known, (mod_seq, true)).await,
            Question::Changes { mod_seq, uids } => self.changes(name, known, (mod_seq, uids)).await,
            Question::Window { newest, uids } => self.window(name, known, (newest, uids)).await,
            Question::All => self.all(name, cursor).await,
        }
    }

    /// Sends a question whose answer needs no other one, so that further ones may be sent behind it; `None` for others.
    pub fn ask_ahead(
        &mut self,
        name: &MailboxName,
        question: Question,
        (cursor, known): (&Cursor, &UidSet),
    ) -> Result<Option<Asked>> {
        match question {
            Question::Resync { mod_seq } if self.means().qresync && known.len() <= RESYNC_AT_MOST => {
                let since = Known { uid_validity: cursor.uid_validity, mod_seq, uids: with_new(known) };
                Ok(Some(Asked::Changes(self.begin_opening(name, Some(&since))?)))
            }
            // At the very first time the flags come with the headers.
            Question::All if cursor.uid_validity == 0 && !self.is_limited() => {
                let opening = self.begin_opening(name, None)?;
                Ok(Some(Asked::Uids(opening, self.send_search(&SearchKey::All)?)))
            }
            _ => Ok(None),
        }
    }

    /// Whether one search may tell a part of what there is (MESSAGELIMIT, RFC 9738).
    fn is_limited(&self) -> bool {
        self.connection.capabilities().message_limit().is_some()
    }

    /// The answer to what was sent ahead.
    pub async fn told(&mut self, asked: Asked) -> Result<Remote> {
        match asked {
            Asked::Changes(opening) => {
                let (selected, Changes { vanished, rows }) = self.opened(opening).await?;
                let mut remote = numbers(&selected);
                remote.vanished = vanished;
                remote.flags = rows.into_iter().filter_map(|(uid, row)| Some((uid, flags(&row)?))).collect();
                Ok(remote)
            }
            Asked::Uids(opening, search) => {
                let mut remote = numbers(&self.opened(opening).await?.0);
                let reply = search.answer().await?;
                let uids = found(&reply, remote.exists)?;
                remote.partial =
                    uids.len() < u64::from(remote.exists) || message_limit::is_partial(reply.code.as_ref());
                remote.all_flags = uids.is_empty();
                remote.uids = Some(uids);
                Ok(remote)
            }
        }
    }

    async fn changes(&mut self, name: &MailboxName, known: &UidSet, (mod_seq, uids): (u64, bool)) -> Result<Remote> {
        let selected = self.reopen(name).await?;
        let modifiers = FetchModifiers { changed_since: condstore::valid(mod_seq), vanished: false };
        let mut remote = numbers(&selected);
        let flags = self.fetch_flags(stretches(known), modifiers)?;
        if uids {
            self.list(&mut remote).await?;
        }
        self.read_flags(flags, modifiers, &mut remote).await?;
        Ok(remote)
    }

    async fn window(&mut self, name: &MailboxName, known: &UidSet, (newest, uids): (u32, bool)) -> Result<Remote> {
        let selected = self.reopen(name).await?;
        let mut remote = numbers(&selected);
        // The newest that are known, and whatever came after them.
        let first = known.newest(newest.into()).first().unwrap_or(1);
        let plain = FetchModifiers::default();
        let flags = self.fetch_flags(vec![UidSet::range(first, u32::MAX)], plain)?;
        if uids {
            self.list(&mut remote).await?;
        }
        self.read_flags(flags, plain, &mut remote).await?;
        Ok(remote)
    }

    /// All UIDs, and all flags; at the very first time the flags come with the headers.
    async fn all(&mut self, name: &MailboxName, cursor: &Cursor) -> Result<Remote> {
        let selected = self.reopen(name).await?;
        let mut remote = numbers(&selected);
        self.list(&mut remote).await?;
        let listed = remote.uids.clone().unwrap_or_default();
        if cursor.uid_validity != selected.uid_validity || listed.is_empty() {
            remote.all_flags = listed.is_empty();
            return Ok(remote);
        }
        let plain = FetchModifiers::default();
        self.read_flags(self.fetch_flags(stretches(&listed), plain)?, plain, &mut remote).await?;
        remote.all_flags = listed.iter().all(|uid| remote.flags.contains_key(&uid));
        Ok(remote)
    }

    fn fetch_flags(&self, stretches: Vec<UidSet>, modifiers: FetchModifiers) -> Result<Vec<(UidSet, Pending)>> {
        let send = |uids: UidSet| {
            let wants = Wants::Rows(Rows::of(&uids, FLAGS));
            let pending = self.send(command::uid_fetch(&uids, FLAGS, modifiers)?, wants);
            Ok((uids, pending))
        };
        stretches.into_iter().map(send).collect()
    }

    /// The answers to [`Line::fetch_flags`]. Where the server stops at a limit of its own it is asked for the rest: what
    /// it has not come to says nothing of which messages there are (RFC 9738).
    async fn read_flags(
        &self,
        sent: Vec<(UidSet, Pending)>,
        modifiers: FetchModifiers,
        remote: &mut Remote,
    ) -> Result<()> {
        let mut sent = VecDeque::from(sent);
        while let Some((asked, pending)) = sent.pop_front() {
            let reply = pending.answer().await?;
            let rows = rows(&reply).into_iter();
            remote.flags.extend(rows.filter_map(|(uid, row)| Some((uid, flags(&row)?))));
            match message_limit::rest(&asked, reply.code.as_ref()) {
                Some(rest) if rest.len() < asked.len() => sent.extend(self.fetch_flags(vec![rest], modifiers)?),
                rest => remote.partial |= rest.is_some(),
            }
        }
        Ok(())
    }

    /// The list of all UIDs. One that is shorter than the mailbox is a part of it.
    async fn list(&self, remote: &mut Remote) -> Result<()> {
        let (mut uids, mut key) = (UidSet::new(), SearchKey::All);
        let mut asked = UidSet::range(1, u32::MAX);
        loop {
            let reply = self.search(&key).await?;
            uids.merge(&found(&reply, remote.exists)?);
            let Some(rest) = message_limit::rest(&asked, reply.code.as_ref()) else { break };
            (key, asked) = (SearchKey::Uid(rest.clone()), rest);
        }
        if uids.len() < u64::from(remote.exists) {
            remote.partial = true;
        }
        remote.uids = Some(uids);
        Ok(())
    }

    pub async fn search(&self, key: &SearchKey) -> Result<Reply> {
        self.send_search(key)?.answer().await
    }

    fn send_search(&self, key: &SearchKey) -> Result<Pending> {
        let extended = self.connection.capabilities().has("ESEARCH");
        let returns = if extended { vec![SearchReturn::All] } else { Vec::new() };
        let search = command::uid_search(key, &SearchOptions { returns, utf8: false })?;
        Ok(self.send(search, Wants::Search))
    }
}

/// The UIDs that a search has found.
pub(in super::super) fn found(reply: &Reply, exists: u32) -> Result<UidSet> {
    let mut uids = None;
    for response in &reply.untagged {
        match response {
            Response::Data(Untagged::Search { ids, .. }) => uids.get_or_insert_with(UidSet::new).merge(ids),
            Response::Data(Untagged::Esearch(result)) => {
                uids.get_or_insert_with(UidSet::new).merge(&result.all.clone().unwrap_or_default());
            }
            _ => {}
        }
    }
    match uids {
        Some(uids) => Ok(uids),
        None if exists == 0 => Ok(UidSet::new()),
        None => Err(MailError::new(Code::ServerProtocol, "The server gave no answer to a search")),
    }
}

fn numbers(selected: &Selected) -> Remote {
    Remote {
        uid_validity: selected.uid_validity,
        uid_next: selected.uid_next,
        mod_seq: selected.highest_mod_seq,
        exists: selected.exists,
        keeps: selected.permanent_flags.clone(),
        ..Remote::default()
    }
}

/// UIDs that are known, and all that may have come since. Of others than those given, a server tells nothing (RFC 7162
/// section 3.2.5.2; Dovecot), so that what is new would have to be asked for again.
fn with_new(known: &UidSet) -> UidSet {
    match known.last().and_then(|last| last.checked_add(1)) {
        Some(next) => known.union(&UidSet::range(next, u32::MAX)),
        None => known.clone(),
    }
}

/// All UIDs there can be, cut where so many messages are known.
fn stretches(known: &UidSet) -> Vec<UidSet> {
    let (mut from, mut stretches) = (1, Vec::new());
    for chunk in known.chunks(FLAGS_AT_ONCE) {
        if let Some(last) = chunk.last().filter(|last| *last < u32::MAX) {
            stretches.push(UidSet::range(from, last));
            from = last + 1;
        }
    }
    stretches.push(UidSet::range(from, u32::MAX));
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_cover_every_uid_once() {
        assert_eq!(stretches(&UidSet::new()), [UidSet::range(1, u32::MAX)]);
        let cut: Vec<_> = stretches(&UidSet::range(5, 25_004)).iter().map(ToString::to_string).collect();
        assert_eq!(cut, ["1:10004", "10005:20004", "20005:25004", "25005:4294967295"]);
        assert_eq!(stretches(&[u32::MAX].into_iter().collect()), [UidSet::range(1, u32::MAX)]);
    }

    #[test]
    fn what_is_new_is_asked_for_with_what_is_known() {
        assert_eq!(with_new(&"3:5,7".parse().unwrap()).to_string(), "3:5,7:4294967295");
        assert!(with_new(&UidSet::new()).is_empty());
    }

    #[test]
    fn a_search_without_an_answer_is_not_an_empty_one() {
        assert!(found(&Reply::default(), 3).is_err());
        assert_eq!(found(&Reply::default(), 0).unwrap(), UidSet::new());
    }
}
