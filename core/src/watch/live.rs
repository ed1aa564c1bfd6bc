//! A connection with the watched mailbox open, and what its server has told.

use super::tracker::Tracker;
use crate::error::{Code, MailError, Result};
use crate::imap::command::{self, FetchItem, FetchModifiers};
use crate::imap::extension::idle::{self, Follow};
use crate::imap::{MailboxName, Response, UidSet};
use crate::session::{Connection, Extra, Mailbox, Observed, Pending, SET_TEXT, Wants, observer, select};
use crate::wire::Command;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long the answer to DONE may take; after that the peer is gone without having said so.
const DONE_WITHIN: Duration = Duration::from_secs(15);

const FLAGS: &[FetchItem] = &[FetchItem::Uid, FetchItem::Flags];
const EVERYTHING: &[FetchItem] = &[
    FetchItem::Uid,
    FetchItem::Flags,
    FetchItem::InternalDate,
    FetchItem::Size,
    FetchItem::Envelope,
    FetchItem::BodyStructure,
];

pub(super) struct Live {
    connection: Connection,
    pub responses: Observed,
    pub tracker: Tracker,
    pub name: Arc<str>,
    /// Whether the server has told of a message and then not said which it is.
    pub gap: bool,
}

pub(super) type Answer = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// An IDLE under way.
pub(super) struct Idle {
    end: oneshot::Sender<()>,
    pub answer: Answer,
}

impl Idle {
    /// Sends DONE; what is left to wait for.
    pub fn end(self) -> Answer {
        let _ = self.end.send(());
        self.answer
    }
}

impl Live {
    /// Connects, and learns what is in the mailbox; with `everything` the envelopes too.
    pub async fn open(mailbox: &Mailbox, everything: bool) -> Result<Self> {
        let session = mailbox.session();
        let name: Arc<str> = mailbox.name().await?.into();
        let (observer, responses) = observer();
        let connection = session.engine().open(session.account(), Some(observer)).await?;
        let selected = select(&connection, &name, session.account().read_only).await?;
        let tracker = Tracker::new(selected.uid_validity, selected.exists);
        let mut live = Self { connection, responses, tracker, name, gap: false };
        if live.tracker.has_unknown() {
            let items = if everything { EVERYTHING } else { FLAGS };
            let rows = live.ask(&UidSet::range(1, u32::MAX), items)?;
            live.rows(Some(rows)).await?;
        }
        Ok(live)
    }

    /// How to follow this server.
    pub fn plan(&self) -> Result<Follow> {
        let mailbox = MailboxName::new(&self.name, self.connection.utf8());
        idle::plan(&self.connection.capabilities(), &self.connection.quirks(), &mailbox)
    }

    /// Begins to listen.
    pub fn idle(&self) -> Idle {
        let (end, until) = oneshot::channel();
        let pending =
            self.connection.begin(command::idle(), Wants::Nothing, Extra { until: Some(until), ..Extra::default() });
        Idle { end, answer: Box::pin(async move { pending.answer().await.map(drop) }) }
    }

    /// Lets the server say what has happened.
    pub async fn poll(&mut self, question: Command) -> Result<()> {
        let pending = self.connection.begin(question, Wants::Status, Extra::default());
        self.hear(Box::pin(async move { pending.answer().await.map(drop) })).await
    }

    /// Takes a response, and all that came with it.
    pub fn take(&mut self, response: Option<Response>) -> Result<()> {
        self.tracker.take(response.ok_or_else(|| self.connection.reason())?);
        self.drain();
        Ok(())
    }

    /// Asks for the messages that the server has told of and that are not known, if there are any.
    ///
    /// `from` is where messages that the user does not know begin.
    pub fn ask_new(&self, from: u32) -> Result<Option<Pending>> {
        if !self.tracker.has_unknown() {
            return Ok(None);
        }
        self.ask(&UidSet::range(from, u32::MAX), EVERYTHING).map(Some)
    }

    /// Waits for the answer to DONE.
    pub async fn done(&mut self, answer: Answer) -> Result<()> {
        let late = |_| MailError::new(Code::NetTimeout, "The server did not answer DONE");
        tokio::time::timeout(DONE_WITHIN, self.hear(answer)).await.map_err(late)?
    }

    /// Waits for the rows that were asked for. They come the way of all untagged data, so that their order among it
    /// is kept.
    pub async fn rows(&mut self, asked: Option<Pending>) -> Result<()> {
        let Some(asked) = asked else { return Ok(()) };
        self.hear(Box::pin(async move { asked.answer().await.map(drop) })).await?;
        self.gap |= !self.tracker.asked();
        Ok(())
    }

    /// Gets the envelopes of messages of which only UID and flags are known.
    pub async fn complete(&mut self, new: &UidSet) -> Result<()> {
        let known: UidSet = self.tracker.arrived.keys().copied().collect();
        for bare in new.difference(&known).chunks_by_text(SET_TEXT) {
            let rows = self.ask(&bare, EVERYTHING)?;
            self.rows(Some(rows)).await?;
        }
        Ok(())
    }

    /// Whether what the server says still makes sense.
    pub fn check(&self) -> Result<()> {
        let announced = self.connection.uid_validity();
        if self.tracker.lost || announced != self.tracker.seen.uid_validity {
            let message = "The server's message numbers no longer make sense";
            return Err(MailError::new(Code::ServerProtocol, message).in_mailbox(&self.name));
        }
        Ok(())
    }

    /// Waits for an answer, and listens meanwhile: the connection would wait for us otherwise.
    async fn hear(&mut self, mut answer: Answer) -> Result<()> {
        loop {
            tokio::select! {
                biased;
                Some(response) = self.responses.next() => self.tracker.take(response),
                answer = &mut answer => break answer?,
            }
        }
        self.drain();
        Ok(())
    }

    fn ask(&self, uids: &UidSet, items: &[FetchItem]) -> Result<Pending> {
        let fetch = command::uid_fetch(uids, items, FetchModifiers::default())?;
        Ok(self.connection.begin(fetch, Wants::Nothing, Extra::default()))
    }

    fn drain(&mut self) {
        while let Some(response) = self.responses.ready() {
            self.tracker.take(response);
        }
    }
}
