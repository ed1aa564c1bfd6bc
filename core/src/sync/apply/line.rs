//! The connection of a pass: what its server can do, which mailbox is open, and the questions asked of it.

mod question;

pub(super) use question::{Asked, found};

use crate::error::{MailError, Result, Retry};
use crate::imap::command::{self, FetchItem, FetchModifiers, Known};
use crate::imap::extension::qresync::{self, Changes};
use crate::imap::extension::{condstore, enable};
use crate::imap::{FetchRow, MailboxName, Response, UidSet, Untagged};
use crate::journal::steps;
use crate::planted::{Bug, planted};
use crate::session::{Connection, Extra, Pending, Reply, Rows, SET_TEXT, Selected, Selecting, Session, Wants, enabled};
use crate::store::Flags;
use crate::sync::plan::Means;
use crate::wire::Command;
use std::collections::BTreeMap;

/// A mailbox that is being opened.
pub(super) struct Opening {
    name: MailboxName,
    number: u64,
    selecting: Selecting,
}

/// How a mailbox comes to be the one that is open.
pub(super) enum Turn {
    /// It is, and has this UIDVALIDITY.
    Open(u32),
    /// By what was sent now.
    Opening(Opening),
    /// By what was sent before.
    Sent,
}

pub(super) struct Line {
    pub connection: Connection,
    enabling: Option<Pending>,
    enabled: Vec<String>,
    /// UNSELECT, until it is answered: what nobody waits for may not be sent at all.
    leaving: Option<Pending>,
    /// The mailbox that is open once all that was sent is answered, by the bytes of its name, and what is known of it.
    open: Option<(MailboxName, Option<Selected>)>,
    /// How often one was opened.
    openings: u64,
    read_only: bool,
    /// Whether it was made some time ago: the server may have ended it since without our having noticed.
    is_old: bool,
}

impl Line {
    /// Logs in, or takes a connection that the session has and does not use. What has to be turned on is sent, and not
    /// waited for.
    pub async fn open(session: &Session) -> Result<Self> {
        let (connection, is_old) = session.own().await?;
        Self::begin(session, connection, is_old)
    }

    /// The one of an earlier pass, as long as it lasts.
    pub async fn again(kept: Option<Self>, session: &Session) -> Result<Self> {
        match kept.filter(|line| line.connection.is_alive()).and_then(Self::left) {
            Some(line) => Ok(Self { is_old: true, ..line }),
            None => Self::open(session).await,
        }
    }

    /// With no mailbox open: of one that is, STATUS may tell what was so when it was opened (Dovecot). `None` where that
    /// takes a CLOSE, which must not be sent before it is known that it expunges nothing.
    fn left(mut self) -> Option<Self> {
        if self.open.take().is_some() {
            self.connection.capabilities().has("UNSELECT").then_some(())?;
            self.leaving = Some(self.send(command::unselect(), Wants::Nothing));
        }
        Some(self)
    }

    /// Another one, where this was found to have ended.
    pub async fn renew(&mut self, session: &Session) -> Result<()> {
        let connection = session.engine().open(session.account(), None).await?;
        *self = Self::begin(session, connection, false)?;
        Ok(())
    }

    /// Whether this error may only mean that the server has ended it while nobody looked.
    pub fn has_aged(&self, error: &MailError) -> bool {
        self.is_old && error.retry() == Retry::Reconnect
    }

    fn begin(session: &Session, connection: Connection, is_old: bool) -> Result<Self> {
        let command = qresync::enable(&connection.capabilities())?;
        let enabling = command.map(|command| connection.begin(command, Wants::Capability, Extra::default()));
        let read_only = session.account().read_only;
        let (enabled, leaving) = (Vec::new(), None);
        Ok(Self { connection, enabling, enabled, leaving, open: None, openings: 0, read_only, is_old })
    }

    /// Waits for what was turned on, and left.
    pub async fn settle(&mut self) -> Result<()> {
        if let Some(leaving) = self.leaving.take() {
            // Whatever the answer is, a mailbox is opened before something is done in one.
            drop(leaving.answer().await);
        }
        if let Some(enabling) = self.enabling.take() {
            self.enabled.extend(enabled(enabling.answer().await)?);
        }
        Ok(())
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
        match &self.open {
            Some((open, Some(selected))) if is_it(open, name) => Ok(selected.clone()),
            _ => self.reopen(name).await,
        }
    }

    /// Opens a mailbox anew: its numbers are those of now.
    pub async fn reopen(&mut self, name: &MailboxName) -> Result<Selected> {
        let opening = self.begin_opening(name, None)?;
        Ok(self.opened(opening).await?.0)
    }

    /// Sends what opens a mailbox, where it is not open or about to be. What is sent next is about it.
    pub fn turn_to(&mut self, name: &MailboxName) -> Result<Turn> {
        match self.open.as_ref().filter(|(open, _)| is_it(open, name)) {
            Some((_, Some(selected))) => Ok(Turn::Open(selected.uid_validity)),
            Some((_, None)) => Ok(Turn::Sent),
            None => self.begin_opening(name, None).map(Turn::Opening),
        }
    }

    /// Sends what opens a mailbox, with QRESYNC where there is something to be known `since`.
    fn begin_opening(&mut self, name: &MailboxName, since: Option<&Known>) -> Result<Opening> {
        let selecting = match since {
            Some(since) => Selecting::since(&self.connection, name, (self.read_only, since))?,
            None => Selecting::begin(&self.connection, name, self.read_only)?,
        };
        self.open = Some((name.clone(), None));
        self.openings += 1;
        Ok(Opening { name: name.clone(), number: self.openings, selecting })
    }

    /// Waits for a mailbox to be open; with what has changed where that was asked for.
    pub async fn opened(&mut self, opening: Opening) -> Result<(Selected, Changes)> {
        let Opening { name, number, selecting } = opening;
        let answer = selecting.answer().await;
        // Another one may have been sent for since.
        if number == self.openings && self.open.as_ref().is_some_and(|(open, _)| *open == name) {
            self.open = answer.as_ref().ok().map(|(selected, _)| (name, Some(selected.clone())));
        }
        answer
    }

    /// Forgets which mailbox is open: it is renamed or removed.
    pub fn leave(&mut self) {
        self.open = None;
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

/// Whether the mailbox that is open is this one.
fn is_it(open: &MailboxName, name: &MailboxName) -> bool {
    open == name || planted(Bug::MailboxNotOpened)
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
