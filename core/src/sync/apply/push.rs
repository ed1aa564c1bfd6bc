//! Local changes on their way to the server: each step is committed before its command, each answer after it.

mod begin;
mod write;

pub(super) use begin::EMPTY_LOOKS;

use super::sight::Look;
use super::{Pass, command, concerns_all};
use crate::error::{Code, MailError, Result, Retry};
use crate::journal::answer::{self, Answer};
use crate::journal::steps::{self, Next};
use crate::journal::{Entry, State, Step, order};
use crate::planted::{Bug, planted};
use crate::store::MailboxId;
use std::collections::BTreeSet;
use write::{Ended, copy_of, started};

/// An entry with the UID of its message on the server, and what comes next for it.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub entry: Entry,
    pub uid: Option<u32>,
    pub next: Next,
}

/// Which entries a round is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Those whose answer was lost: they are judged before the mailboxes are compared.
    Begun,
    /// All that may go.
    All,
}

impl Pass {
    /// Sends what may go, until nothing more may; the mailboxes that were touched.
    pub(super) async fn push(&mut self, which: Which) -> Result<BTreeSet<MailboxId>> {
        let mut touched = BTreeSet::new();
        if self.line.is_read_only() {
            return Ok(touched);
        }
        loop {
            let entries = self.books.read(|reader| reader.pending()).await?;
            let ready = order::ready(&entries, self.books.now().seconds());
            let wanted = |entry: &&Entry| {
                let is_begun = matches!(entry.state, State::Started { .. });
                (which == Which::All || is_begun) && !self.tried.contains(&entry.id)
            };
            let ready: Vec<&Entry> = ready.into_iter().filter(wanted).collect();
            let batches: Vec<Vec<Entry>> =
                order::batches(&ready).into_iter().map(|batch| batch.into_iter().cloned().collect()).collect();
            if batches.is_empty() {
                return Ok(touched);
            }
            self.phase("changes", (batches.iter().map(|batch| batch.len() as u64).sum(), None));
            for batch in batches {
                self.tried.extend(batch.iter().map(|entry| entry.id));
                for entry in &batch {
                    touched.insert(MailboxId(entry.intent.mailbox().id));
                    touched.extend(entry.intent.landing().map(|to| MailboxId(to.mailbox.id)));
                }
                let first = batch.first().map(|entry| MailboxId(entry.intent.mailbox().id));
                let count = batch.len() as u64;
                self.batch(batch).await?;
                self.step(first.unwrap_or(MailboxId(0)), (count, 0));
            }
        }
    }

    /// Entries that share a command, from where they are to their end or to a loss.
    async fn batch(&mut self, entries: Vec<Entry>) -> Result<()> {
        let mut items = match self.start(&entries).await {
            Ok(items) => items,
            Err(error) if concerns_all(&error) => return Err(error),
            Err(error) => {
                for entry in entries {
                    self.unable(entry, &error).await?;
                }
                return Ok(());
            }
        };
        while !items.is_empty() {
            items = self.round(items).await?;
        }
        Ok(())
    }

    /// One step of a batch: what has ended is written, what is to be sent is committed and sent.
    async fn round(&mut self, items: Vec<Item>) -> Result<Vec<Item>> {
        let (mut sending, mut on): (Vec<Item>, Vec<Item>) = (Vec::new(), Vec::new());
        let mut ended = Vec::new();
        for item in items {
            match item.next.clone() {
                Next::End { state, placed } => ended.push(Ended { entry: item.entry, state, placed }),
                Next::Wait { step } => self.wait(item.entry, step).await?,
                Next::Look { step } => {
                    let Some(entry) = self.begun(item.entry, step).await? else { continue };
                    let next = self.look(&entry, step, (item.uid, Look::Anew)).await?;
                    on.push(Item { entry, next, ..item });
                }
                Next::Send { .. } => sending.push(item),
            }
        }
        self.end_all(ended).await?;
        // What is sent together has the same step; the others of a batch follow in rounds of their own.
        let Some(first) = sending.first().map(|item| item.next.clone()) else { return Ok(on) };
        let (now, later): (Vec<Item>, Vec<Item>) = sending.into_iter().partition(|item| item.next == first);
        on.extend(later);
        let Next::Send { step, act } = first else { return Ok(on) };
        on.extend(self.send(now, step, &act).await?);
        Ok(on)
    }

    async fn send(&mut self, items: Vec<Item>, step: Step, act: &steps::Act) -> Result<Vec<Item>> {
        let tried =
            items.iter().any(|item| matches!(item.entry.state, State::Started { .. }) || item.entry.attempts > 0);
        let mut begun = Vec::new();
        for item in items {
            begun.push(Item { entry: started(item.entry, step), ..item });
        }
        if !planted(Bug::StepNotCommitted) {
            let kept = self.keep(begun.iter().map(|item| item.entry.clone()).collect()).await?;
            begun.retain(|item| kept.contains(&item.entry.id));
        }
        if begun.is_empty() {
            return Ok(Vec::new());
        }
        match self.command(&begun, act).await {
            Ok(answers) => Ok(begun
                .into_iter()
                .zip(answers)
                .map(|(item, placed)| {
                    let next = match placed {
                        // The server lists what it placed, and this one is not among it.
                        command::Placed::Nothing => Next::Look { step },
                        command::Placed::At(at) => {
                            steps::confirmed(&item.entry.intent, step, at, self.line.step_means())
                        }
                    };
                    Item { next, ..item }
                })
                .collect()),
            Err(error) => self.refused(begun, step, &error, tried).await,
        }
    }

    /// A command that failed. One NO to many is asked again one by one.
    async fn refused(&mut self, items: Vec<Item>, step: Step, error: &MailError, tried: bool) -> Result<Vec<Item>> {
        let is_many = items.len() > 1;
        let mut alone = Vec::new();
        for item in items {
            match answer::read(&item.entry.intent, error, tried) {
                Answer::End(_) if is_many => alone.push(item),
                Answer::End(state) => self.end(item.entry, state, copy_of(step)).await?,
                Answer::Later(delay) => {
                    let entry = Entry { state: before(step), ..item.entry };
                    self.again(entry, delay).await?;
                }
                Answer::Doubt if error.retry() != Retry::Reconnect => self.wait(item.entry, Some(step)).await?,
                // The connection is gone: what was begun is found out with the next one.
                Answer::Doubt | Answer::Offline => {
                    let mut entry = item.entry;
                    entry.attempts = entry.attempts.saturating_add(1);
                    self.keep(vec![entry]).await?;
                }
            }
        }
        let is_own = answer::is_own(error.code());
        if is_own || matches!(error.retry(), Retry::Reconnect | Retry::AskUser) && !is_answer(error) {
            return Err(error.clone());
        }
        for item in alone {
            let entry = Entry { state: before(step), ..item.entry };
            self.keep(vec![entry.clone()]).await?;
            Box::pin(self.batch(vec![entry])).await?;
        }
        Ok(Vec::new())
    }
}

/// The state of an entry whose command was refused: nothing of this step was done.
fn before(step: Step) -> State {
    match step {
        Step::Send | Step::Place { .. } => State::Waiting,
        later => State::Started { step: later },
    }
}

/// Whether an error is what the server answered to this one command.
fn is_answer(error: &MailError) -> bool {
    matches!(
        error.code(),
        Code::ServerOverQuota | Code::ServerRefused | Code::ServerBad | Code::MailboxMissing | Code::MailboxExists
    )
}
