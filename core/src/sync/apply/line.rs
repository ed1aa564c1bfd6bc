//! The connection of a pass: what its server can do, which mailbox is open, and the questions asked of it.

use crate::error::{Code, MailError, Result};
use crate::imap::command::{self, FetchItem, FetchModifiers, Known, SearchOptions, SearchReturn};
use crate::imap::extension::qresync::{self, Changes};
use crate::imap::extension::{condstore, enable, message_limit};
use crate::imap::{FetchRow, MailboxName, Response, SearchKey, UidSet, Untagged};
use crate::journal::steps;
use crate::planted::{Bug, planted};
use crate::session::{
    Connection, Extra, Pending, Reply, Rows, SET_TEXT, Selected, Session, Wants, select_named, select_since,
};
use crate::store::Flags;
use crate::sync::plan::Means;
use crate::sync::resync::Remote;
use crate::sync::{Cursor, Question};
use crate::wire::Command;
use std::collections::{BTreeMap, VecDeque};

/// Messages whose flags one command asks for: so many fit what one answer may take in memory.
const FLAGS_AT_ONCE: u64 = 10_000;
/// Above so many messages a SELECT with QRESYNC could answer with more than one answer may hold.
const RESYNC_AT_MOST: u64 = 30_000;

const FLAGS: &[FetchItem] = &[FetchItem::Uid, FetchItem::Flags];

pub(super) struct Line {
    pub connection: Connection,
    enabling: Option<Pending>,
    enabled: Vec<String>,
    /// The open mailbox, by the bytes of its name.
    open: Option<(MailboxName, Selected)>,
    read_only: bool,
}

impl Line {
    /// Logs in. What has to be turned on is sent, and not waited for.
    pub async fn open(session: &Session) -> Result<Self> {
        let connection = session.engine().open(session.account(), None).await?;
        let command = qresync::enable(&connection.capabilities())?;
        let enabling = command.map(|command| connection.begin(command, Wants::Capability, Extra::default()));
        let read_only = session.account().read_only;
        Ok(Self { connection, enabling, enabled: Vec::new(), open: None, read_only })
    }

    /// Waits for what was turned on.
    pub async fn settle(&mut self) -> Result<()> {
        let Some(enabling) = self.enabling.take() else { return Ok(()) };
        match enabling.answer().await {
            Ok(reply) => {
                for response in reply.untagged {
                    if let Response::Data(Untagged::Enabled(names)) = response {
                        self.enabled.extend(names);
                    }
                }
                Ok(())
            }
            // A server that refuses what it announces is one without it.
            Err(error) if matches!(error.code(), Code::ServerBad | Code::ServerRefused) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub fn means(&self) -> Means {
        let condstore = condstore::is_offered(&self.connection.capabilities());
        Means { qresync: condstore && enable::is_on(&self.enabled, "QRESYNC"), condstore }
    }

    pub fn step_means(&self) -> steps::Means {
        let caps = self.connection.capabilities();
        let (can_move, uid_plus) = (caps.has("MOVE"), caps.has("UIDPLUS"));
        steps::Means { can_move, uid_plus, append_limit: caps.append_limit() }
    }

    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    pub fn send(&self, command: Command, wants: Wants) -> Pending {
        self.connection.begin(command, wants, Extra { slow: true, ..Extra::default() })
    }

    /// Opens a mailbox, where it is not open.
    pub async fn select(&mut self, name: &MailboxName) -> Result<Selected> {
        if let Some((_, selected)) =
            self.open.as_ref().filter(|(open, _)| open == name || planted(Bug::MailboxNotOpened))
        {
            return Ok(selected.clone());
        }
        self.reopen(name).await
    }

    /// Opens a mailbox anew: its numbers are those of now.
    pub async fn reopen(&mut self, name: &MailboxName) -> Result<Selected> {
        self.open = None;
        let selected = select_named(&self.connection, name, self.read_only).await?;
        self.open = Some((name.clone(), selected.clone()));
        Ok(selected)
    }

    /// Forgets which mailbox is open: it is renamed or removed.
    pub fn leave(&mut self) {
        self.open = None;
    }

    /// Asks a question of a mailbox. `known` are the UIDs that are here.
    pub async fn ask(
        &mut self,
        name: &MailboxName,
        question: Question,
        (cursor, known): (&Cursor, &UidSet),
    ) -> Result<Remote> {
        let is_small = known.len() <= RESYNC_AT_MOST;
        match question {
            Question::Resync { mod_seq } if self.means().qresync && is_small => {
                self.resync(name, (cursor, known), mod_seq).await
            }
            Question::Resync { mod_seq } => self.changes(name, known, (mod_seq, true)).await,
            Question::Changes { mod_seq, uids } => self.changes(name, known, (mod_seq, uids)).await,
            Question::Window { newest, uids } => self.window(name, known, (newest, uids)).await,
            Question::All => self.all(name, cursor).await,
        }
    }

    async fn resync(
        &mut self,
        name: &MailboxName,
        (cursor, known): (&Cursor, &UidSet),
        mod_seq: u64,
    ) -> Result<Remote> {
        self.open = None;
        let since = Known { uid_validity: cursor.uid_validity, mod_seq, uids: and_new(known) };
        let (selected, Changes { vanished, rows }) =
            select_since(&self.connection, name, (self.read_only, &since)).await?;
        self.open = Some((name.clone(), selected.clone()));
        let mut remote = numbers(&selected);
        remote.vanished = vanished;
        remote.flags = rows.into_iter().filter_map(|(uid, row)| Some((uid, flags(&row)?))).collect();
        Ok(remote)
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
        let extended = self.connection.capabilities().has("ESEARCH");
        let returns = if extended { vec![SearchReturn::All] } else { Vec::new() };
        let search = command::uid_search(key, &SearchOptions { returns, utf8: false })?;
        self.send(search, Wants::Search).answer().await
    }

    /// FETCH of some items of some messages.
    pub fn fetch(&self, uids: &UidSet, items: &[FetchItem]) -> Result<Vec<Pending>> {
        let send = |uids: UidSet| {
            let wants = Wants::Rows(Rows::of(&uids, items));
            Ok(self.send(command::uid_fetch(&uids, items, FetchModifiers::default())?, wants))
        };
        uids.chunks_by_text(SET_TEXT).into_iter().map(send).collect()
    }
}

/// The UIDs that a search has found.
pub(super) fn found(reply: &Reply, exists: u32) -> Result<UidSet> {
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

/// The rows of a reply, by UID. A server may tell of one message in several rows.
pub(super) fn rows(reply: &Reply) -> BTreeMap<u32, FetchRow> {
    let mut changes = Changes::default();
    for response in &reply.untagged {
        if let Response::Data(data @ Untagged::Fetch(_)) = response {
            changes.take(data);
        }
    }
    changes.rows
}

pub(super) fn flags(row: &FetchRow) -> Option<Flags> {
    row.flags.as_ref().map(|flags| flags.iter().collect())
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

/// What to be told of: a server that is given the known UIDs tells of those alone (RFC 7162 section 3.2.5.2), so what may
/// have come since is named as well.
fn and_new(known: &UidSet) -> UidSet {
    match known.last().unwrap_or_default().checked_add(1) {
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
    fn a_server_is_asked_of_what_is_known_and_of_what_came_since() {
        assert_eq!(and_new(&UidSet::parse("2:5,7").unwrap()).to_string(), "2:5,7:4294967295");
        assert_eq!(and_new(&UidSet::new()), UidSet::range(1, u32::MAX));
        assert_eq!(and_new(&UidSet::from(u32::MAX)).to_string(), "4294967295");
    }

    #[test]
    fn a_search_without_an_answer_is_not_an_empty_one() {
        assert!(found(&Reply::default(), 3).is_err());
        assert_eq!(found(&Reply::default(), 0).unwrap(), UidSet::new());
    }
}
