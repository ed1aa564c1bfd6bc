//! What becomes of a change, written: a step that is begun, a change that waits, and how one ended.

use crate::error::Result;
use crate::journal::{Entry, State, Step, retry, steps};
use crate::store::{Durability, MailboxId, Now, Writer};
use crate::sync::apply::Pass;
use crate::sync::apply::ends::{is_open, write_end};
use std::collections::BTreeSet;
use std::time::Duration;

/// An entry that has ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub entry: Entry,
    pub state: State,
    pub placed: Option<(u32, u32)>,
}

impl Pass {
    pub(super) async fn begun(&mut self, entry: Entry, step: Step) -> Result<Option<Entry>> {
        let entry = started(entry, step);
        let kept = self.keep(vec![entry.clone()]).await?;
        Ok(kept.contains(&entry.id).then_some(entry))
    }

    /// Not decided: to be looked at later. What may still turn up is given its time first.
    pub(super) async fn wait(&mut self, entry: Entry, step: Option<Step>) -> Result<()> {
        let state = step.map_or(State::Waiting, |step| State::Started { step });
        let entry = Entry { state, ..entry };
        let grace = Duration::from_secs(steps::GRACE_SECONDS.unsigned_abs());
        let is_coming = matches!(step, Some(Step::Place { unseen: Some(_), .. } | Step::Find { unseen: Some(_), .. }));
        self.again(entry, is_coming.then_some(grace)).await
    }

    pub(super) async fn again(&mut self, entry: Entry, delay: Option<Duration>) -> Result<()> {
        let random = (self.options.environment.random)();
        let copy = if let State::Started { step } = entry.state { copy_of(step) } else { None };
        let entry = retry::again(entry, self.books.now().seconds(), delay, random);
        match entry.state.clone() {
            state @ State::Parked { .. } => self.end(entry, state, copy).await,
            _ => self.keep(vec![entry]).await.map(drop),
        }
    }

    /// Writes entries, and which: what the user has done meanwhile may have made one part of a later change, and then it
    /// is over.
    pub(super) async fn keep(&self, entries: Vec<Entry>) -> Result<BTreeSet<i64>> {
        let write = move |writer: &mut dyn Writer, now: Now| {
            let mut kept = BTreeSet::new();
            for entry in entries {
                if is_open(writer, &entry)? {
                    writer.update_intent(&entry, now.seconds())?;
                    kept.insert(entry.id);
                }
            }
            Ok(kept)
        };
        self.books.write(Durability::Full, write).await
    }

    pub(super) async fn end(&mut self, entry: Entry, state: State, placed: Option<(u32, u32)>) -> Result<()> {
        self.end_all(vec![Ended { entry, state, placed }]).await
    }

    /// Writes how entries ended, all in one transaction.
    pub(super) async fn end_all(&mut self, ended: Vec<Ended>) -> Result<()> {
        if ended.is_empty() {
            return Ok(());
        }
        for Ended { entry, state, .. } in &ended {
            let counted = self.count(MailboxId(entry.intent.mailbox().id));
            match state {
                State::Applied { .. } => counted.applied += 1,
                State::Superseded { .. } => counted.superseded += 1,
                State::Parked { .. } => counted.parked += 1,
                _ => {}
            }
        }
        let write = move |writer: &mut dyn Writer, now: Now| {
            ended.into_iter().try_for_each(|ended| write_end(writer, &ended.entry, ended.state, ended.placed, now))
        };
        self.books.write(Durability::Full, write).await
    }
}

pub(super) fn started(entry: Entry, step: Step) -> Entry {
    Entry { state: State::Started { step }, ..entry }
}

/// The copy that a step knows of.
pub(super) fn copy_of(step: Step) -> Option<(u32, u32)> {
    if let Step::Mark { copy } | Step::Expunge { copy } = step { copy } else { None }
}
