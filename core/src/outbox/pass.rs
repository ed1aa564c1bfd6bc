//! One pass: everything that is due is sent, looked for, filed. The only place where states meet the network.

use super::connection::{Commits, Connect, Connection, Submitted};
use super::copy::{CopyStep, NEWEST, copy_step, filing};
use super::entry::{CopyState, Entry, State};
use super::ledger::{Ledger, SentFolder};
use super::moment::Moment;
use super::smtp::{Envelope, Facts, Fate, Stage, Stuffed};
use crate::error::{Code, MailError, Result, Retry};
use crate::planted::{Bug, planted};
use futures_util::future::BoxFuture;
use tokio::time::Instant;

/// What a pass has done.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PassReport {
    /// The messages whose state has changed, as they are now.
    pub changed: Vec<Entry>,
    /// When there is something to do again, in seconds since 1970; `None` until something is queued or decided, or
    /// somebody has mended the trouble (its advice is to ask him).
    pub next: Option<i64>,
    /// What kept messages from being sent that has nothing to do with them: no network, a login refused.
    pub trouble: Option<MailError>,
}

pub(super) struct Pass<'a> {
    pub ledger: &'a dyn Ledger,
    pub connect: &'a dyn Connect,
    pub sent: Option<&'a dyn SentFolder>,
    pub host: &'a str,
    pub moment: &'a dyn Moment,
    pub report: PassReport,
    connection: Option<Connection>,
    /// Connections that have broken in the middle of a message.
    broken: u8,
    /// No connection can be had, or nobody is logged in on it: there is no use in asking for the next message.
    is_blocked: bool,
    greeting: String,
}

/// Connections that may break in one pass before it is left for later: one message must not keep the others back.
const MOST_BROKEN: u8 = 3;
/// How long a finished message is kept, in seconds: 30 days, as deleted mail is.
const KEPT: i64 = 30 * 86_400;
/// With trouble, nothing is due sooner than this, in seconds.
const LATER: i64 = 30;

impl<'a> Pass<'a> {
    pub fn new(ledger: &'a dyn Ledger, connect: &'a dyn Connect, moment: &'a dyn Moment) -> Self {
        let (report, greeting) = (PassReport::default(), String::new());
        Self {
            ledger,
            connect,
            sent: None,
            host: "",
            moment,
            report,
            connection: None,
            broken: 0,
            is_blocked: false,
            greeting,
        }
    }

    /// Works through all that is unfinished. An error is the ledger's: what the network does is in the report.
    pub async fn run(mut self) -> Result<PassReport> {
        let mut left = Vec::new();
        for entry in self.ledger.unfinished().await? {
            left.push(self.work(entry).await?);
        }
        if let Some(connection) = self.connection.take() {
            connection.quit().await;
        }
        self.ledger.prune(self.moment.now() - KEPT).await?;
        self.report.next = self.due(&left);
        Ok(self.report)
    }

    /// When it is worth doing this again. What somebody has to mend first is not tried by itself: servers lock accounts
    /// whose password is wrong again and again.
    fn due(&self, left: &[Entry]) -> Option<i64> {
        let retry = self.report.trouble.as_ref().map(MailError::retry);
        let hopeless = self.is_blocked && matches!(retry, Some(Retry::AskUser | Retry::Never));
        let waits = |e: &&Entry| !(e.is_finished() || hopeless && e.state == State::Queued);
        let due = left.iter().filter(waits).map(|e| e.not_before).filter(|at| *at < i64::MAX).min();
        let pause = match retry {
            None => return due,
            Some(Retry::Later(Some(delay))) => i64::try_from(delay.as_secs()).unwrap_or(LATER).max(LATER),
            Some(_) => LATER,
        };
        due.map(|at| at.max(self.moment.now() + pause))
    }

    async fn work(&mut self, entry: Entry) -> Result<Entry> {
        let now = self.moment.now();
        let mut entry = self.replace(entry.clone(), entry.recovered(now)).await?;
        if !entry.is_due(now) {
            return Ok(entry);
        }
        if entry.state == State::Uncertain {
            entry = self.look(entry).await?;
        }
        if entry.state == State::Queued && entry.is_due(now) && self.may_send() {
            entry = self.send(entry).await?;
        }
        if entry.state == State::Accepted && entry.sent_copy.is_some_and(|copy| copy != CopyState::Filed) {
            entry = self.file(entry).await?;
        }
        Ok(entry)
    }

    /// Writes an entry that has changed.
    async fn replace(&mut self, before: Entry, after: Entry) -> Result<Entry> {
        if before == after {
            return Ok(after);
        }
        self.ledger.commit(before.state, &after).await?;
        self.report.changed.retain(|e| e.id != after.id);
        self.report.changed.push(after.clone());
        Ok(after)
    }

    async fn send(&mut self, entry: Entry) -> Result<Entry> {
        let message = match examined(self.ledger, entry.id).await {
            Ok(message) => message,
            Err(error) if is_of_the_message(&error) => return self.refuse(entry, &error).await,
            Err(error) => return Err(error),
        };
        let mut body = self.ledger.body(entry.id).await?;
        let mut content = Stuffed::new(&mut *body);
        let Some(mut connection) = self.connected().await else { return Ok(entry) };
        let envelope = Envelope { sender: entry.sender.clone(), recipients: entry.waiting(), message };
        let started = (self.moment.now(), Instant::now());
        let mut steps =
            Steps { ledger: self.ledger, original: &entry, in_ledger: State::Queued, started, failure: None };
        let (submitted, error) = connection.submit(envelope, &mut content, &mut steps).await;
        let (in_ledger, failure) = (steps.in_ledger, steps.failure);
        if connection.is_usable() {
            self.connection = Some(connection);
        }
        match (failure, error) {
            // It was taken back just before: what the ledger holds is what is true.
            (Some(failure), _) if failure.code() == Code::Cancelled => {
                Ok(self.ledger.entry(entry.id).await?.unwrap_or(entry))
            }
            (Some(failure), _) => Err(failure),
            // It could be read a moment ago. What was begun is found by the next pass.
            (None, Some(_)) if content.failure.is_some() => {
                Err(content.failure.unwrap_or_else(|| Code::Internal.into()))
            }
            (None, Some(error)) if submitted.reached.is_none() => self.refuse(entry, &error).await,
            (None, error) => self.settle(entry, in_ledger, &submitted, error).await,
        }
    }

    fn may_send(&self) -> bool {
        !self.is_blocked && self.broken < MOST_BROKEN
    }

    async fn settle(
        &mut self,
        entry: Entry,
        in_ledger: State,
        submitted: &Submitted,
        error: Option<MailError>,
    ) -> Result<Entry> {
        let after = entry.ended(submitted, error.as_ref(), self.moment.now(), self.moment.random());
        if let Some(error) = error {
            self.broken += 1;
            self.is_blocked = error.code() == Code::AuthMissing;
            self.report.trouble = Some(error);
        }
        self.replace(Entry { state: in_ledger, ..entry }, after).await
    }

    /// What cannot be sent by anybody is refused without asking.
    async fn refuse(&mut self, entry: Entry, error: &MailError) -> Result<Entry> {
        let fates = vec![Fate::Rejected(error.to_string()); entry.waiting().len()];
        let after = entry.ended(&Submitted { fates, reached: None }, Some(error), self.moment.now(), 0.0);
        self.replace(entry, after).await
    }

    async fn connected(&mut self) -> Option<Connection> {
        if let Some(connection) = self.connection.take() {
            return Some(connection);
        }
        match self.connect.connect().await {
            Ok(connection) => {
                self.greeting.clone_from(&connection.greeting);
                Some(connection)
            }
            Err(error) => {
                (self.report.trouble, self.is_blocked) = (Some(error), true);
                None
            }
        }
    }

    /// A message that may have been sent is looked for; what cannot be looked for now is looked for later.
    async fn look(&mut self, entry: Entry) -> Result<Entry> {
        let found = match self.sent {
            None => None,
            Some(sent) => match sent.contains(&entry.message_id, NEWEST).await {
                Ok(found) => Some(found),
                Err(error) => return self.later(entry, error).await,
            },
        };
        let now = self.moment.now();
        let after = match found {
            Some(found) => entry.clone().looked(found, now),
            None => entry.clone().doubted(now),
        };
        self.replace(entry, after).await
    }

    async fn file(&mut self, entry: Entry) -> Result<Entry> {
        let Some(sent) = self.sent else {
            // Nobody files copies here.
            let after = Entry { sent_copy: None, ..entry.clone() };
            return self.replace(entry, after).await;
        };
        let step = self.copy_step(&entry);
        let newest = match step {
            CopyStep::Done => return Ok(entry),
            CopyStep::Look(_) => NEWEST,
            CopyStep::LookAndAppend(newest) => newest,
        };
        let is_there = match sent.contains(&entry.message_id, newest).await {
            Ok(found) => found && !planted(Bug::BlindFiling),
            Err(error) => return self.later(entry, error).await,
        };
        match step {
            CopyStep::Done => Ok(entry),
            _ if is_there => self.filed(entry).await,
            CopyStep::Look(again) => {
                let after = Entry { not_before: again, ..entry.clone() };
                self.replace(entry, after).await
            }
            CopyStep::LookAndAppend(_) => {
                let after = Entry { sent_copy: Some(CopyState::Appending), ..entry.clone() };
                let entry = self.replace(entry, after).await?;
                match sent.append(self.ledger.body(entry.id).await?).await {
                    Ok(()) => self.filed(entry).await,
                    Err(error) => self.later(entry, error).await,
                }
            }
        }
    }

    /// Before anything was sent in this pass the greeting is not known, and whoever files copies may do so too.
    fn copy_step(&self, entry: &Entry) -> CopyStep {
        let filing = filing(self.host, &self.greeting);
        match copy_step(filing, entry.sent_copy, entry.changed, self.moment.now()) {
            CopyStep::LookAndAppend(_) if self.greeting.is_empty() => CopyStep::LookAndAppend(NEWEST),
            step => step,
        }
    }

    async fn filed(&mut self, entry: Entry) -> Result<Entry> {
        let after = Entry { sent_copy: Some(CopyState::Filed), ..entry.clone() };
        self.replace(entry, after).await
    }

    /// Sent cannot be reached: nothing is concluded from that.
    async fn later(&mut self, entry: Entry, error: MailError) -> Result<Entry> {
        self.report.trouble.get_or_insert(error);
        let after = Entry { not_before: self.moment.now() + LATER, ..entry.clone() };
        self.replace(entry, after).await
    }
}

async fn examined(ledger: &dyn Ledger, id: i64) -> Result<Facts> {
    Facts::of(&mut *ledger.body(id).await?).await
}

/// Whether a message can never be sent, whatever becomes of the store and the network.
fn is_of_the_message(error: &MailError) -> bool {
    matches!(
        error.code(),
        Code::UsageArgument | Code::LimitExceeded | Code::StoreDamaged | Code::BodyNotHere | Code::MessageMissing
    )
}

/// Commits the stages of one dialogue.
struct Steps<'a> {
    ledger: &'a dyn Ledger,
    original: &'a Entry,
    in_ledger: State,
    /// The moment when the dialogue began, by both clocks.
    started: (i64, Instant),
    failure: Option<MailError>,
}

impl Commits for Steps<'_> {
    fn commit<'a>(&'a mut self, stage: Stage, fates: &'a [Fate]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            if stage == Stage::DotSent && planted(Bug::DotNotCommitted) {
                return Ok(());
            }
            let elapsed = i64::try_from(self.started.1.elapsed().as_secs()).unwrap_or_default();
            let next = self.original.begun(stage, fates, self.started.0 + elapsed);
            if let Err(error) = self.ledger.commit(self.in_ledger, &next).await {
                self.failure = Some(error.clone());
                return Err(error);
            }
            self.in_ledger = next.state;
            Ok(())
        })
    }
}
