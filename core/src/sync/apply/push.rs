//! Local changes on their way to the server: each step is committed before its command, each answer after it.

use super::ends::{is_open, write_end};
use super::held::{Held, name_of};
use super::sight::Look;
use super::{Pass, concerns_all};
use crate::error::{Code, MailError, Result, Retry};
use crate::journal::answer::{self, Answer};
use crate::journal::steps::{self, At, Facts, Next};
use crate::journal::{Cause, Entry, Intent, State, Step, order, retry};
use crate::planted::{Bug, planted};
use crate::store::{Durability, MailboxId, MailboxState, Now, Writer};
use std::collections::BTreeSet;
use std::time::Duration;

/// An entry with the UID of its message on the server, and what comes next for it.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub entry: Entry,
    pub uid: Option<u32>,
    pub next: Next,
}

/// An entry that has ended.
#[derive(Clone, Debug)]
struct Ended {
    entry: Entry,
    state: State,
    placed: Option<(u32, u32)>,
}

/// Which entries a round is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Those whose answer was lost: they are judged before the mailboxes are compared.
    Begun,
    /// All that may go.
    All,
}

/// How often a mailbox that looks empty is waited for before that is believed.
pub(super) const EMPTY_LOOKS: u32 = 2;

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

    /// An entry whose mailbox cannot be opened, so that nothing can be sent for it.
    async fn unable(&mut self, entry: Entry, error: &MailError) -> Result<()> {
        let mailbox = MailboxId(entry.intent.mailbox().id);
        let row = self.books.read(move |reader| reader.mailbox(mailbox)).await?;
        if row.as_ref().is_some_and(|row| row.state == MailboxState::Gone) {
            return self.end(entry, State::Superseded { by: Cause::MailboxGone }, None).await;
        }
        let is_unlisted = row.and_then(|row| row.remote).is_some_and(|remote| remote.unlisted > 0);
        match answer::read(&entry.intent, error, true) {
            // The next list says whether it is gone.
            Answer::End(_) if is_unlisted => self.again(entry, None).await,
            // What may have been done already is not begun anew for a mailbox that would not be opened once.
            Answer::End(State::Parked { .. }) if matches!(entry.state, State::Started { .. }) => {
                self.again(entry, None).await
            }
            Answer::End(state) => self.end(entry, state, None).await,
            Answer::Later(delay) => self.again(entry, delay).await,
            Answer::Doubt | Answer::Offline => self.again(entry, None).await,
        }
    }

    /// What comes first for each entry: its first step, or a look at what a lost answer has left.
    async fn start(&mut self, entries: &[Entry]) -> Result<Vec<Item>> {
        let asked = entries.to_vec();
        let held: Vec<Held> =
            self.books.read(move |reader| asked.iter().map(|entry| Held::of(reader, entry)).collect()).await?;
        let mut items = Vec::new();
        let mut facts = None;
        for (entry, held) in entries.iter().cloned().zip(held) {
            let uid = if let At::Uid(uid) = held.at { Some(uid) } else { None };
            if let State::Started { step } = entry.state {
                let next = match self.lost_track(&entry, &held, step).await? {
                    Some(next) => next,
                    None => self.look(&entry, step, (uid, Look::Once)).await?,
                };
                items.push(Item { entry, uid, next });
                continue;
            }
            // All of a batch are about the same mailboxes, which are asked once.
            if facts.is_none() {
                facts = Some(self.facts(&entry, &held).await?);
            }
            let next = match facts.clone().flatten() {
                Some(common) => {
                    let facts = Facts { at: held.at, has_body: held.has_body, ..common };
                    go_on(steps::begin(&entry.intent, self.line.step_means(), &facts), &entry.intent, held.landed)
                }
                None => Next::Wait { step: None },
            };
            items.push(Item { entry, uid, next });
        }
        Ok(items)
    }

    /// What becomes of a step whose message has no number that can be believed: the mailbox was numbered anew since it
    /// was begun, and the old number may be another message's.
    async fn lost_track(&mut self, entry: &Entry, held: &Held, step: Step) -> Result<Option<Next>> {
        let is_placing = matches!(step, Step::Place { .. } | Step::Find { .. });
        let Some(target) = entry.intent.target() else { return Ok(None) };
        match held.at {
            At::Lost if !is_placing => Ok(Some(steps::lost(step))),
            At::Uid(_) if !held.is_unstable(self.options.care.resets, self.books.now()) => {
                let name = name_of(held.source.as_ref(), target.mailbox.name.clone());
                let there = self.snapshot(&name, Look::Once).await?.uid_validity();
                // The comparison of this pass or the next says where the message is now.
                Ok((!held.is_numbered(there)).then_some(Next::Wait { step: Some(step) }))
            }
            _ => Ok(None),
        }
    }

    /// Looks for what a lost answer may have left.
    async fn look(&mut self, entry: &Entry, step: Step, (uid, look): (Option<u32>, Look)) -> Result<Next> {
        let sighting = match self.sight(entry, step, (uid, look)).await {
            // Who refuses to be looked at has not said what is there: another pass asks again.
            Err(error) if is_refusal(&error) => return Ok(Next::Wait { step: Some(step) }),
            sighting => sighting?,
        };
        let is_odd = sighting.is_empty && steps::leaves_original(&entry.intent, step, self.line.step_means());
        if is_odd && entry.attempts < EMPTY_LOOKS {
            return Ok(Next::Wait { step: Some(step) });
        }
        Ok(steps::doubt(entry, step, &sighting, self.line.step_means(), self.books.now().seconds()))
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
                        super::command::Placed::Nothing => Next::Look { step },
                        super::command::Placed::At(at) => {
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

    async fn begun(&mut self, entry: Entry, step: Step) -> Result<Option<Entry>> {
        let entry = started(entry, step);
        let kept = self.keep(vec![entry.clone()]).await?;
        Ok(kept.contains(&entry.id).then_some(entry))
    }

    /// Not decided: to be looked at later. What may still turn up is given its time first.
    async fn wait(&mut self, entry: Entry, step: Option<Step>) -> Result<()> {
        let state = step.map_or(State::Waiting, |step| State::Started { step });
        let entry = Entry { state, ..entry };
        let grace = Duration::from_secs(steps::GRACE_SECONDS.unsigned_abs());
        let is_coming = matches!(step, Some(Step::Place { unseen: Some(_), .. } | Step::Find { unseen: Some(_), .. }));
        self.again(entry, is_coming.then_some(grace)).await
    }

    async fn again(&mut self, entry: Entry, delay: Option<Duration>) -> Result<()> {
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
    async fn keep(&self, entries: Vec<Entry>) -> Result<BTreeSet<i64>> {
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

    async fn end(&mut self, entry: Entry, state: State, placed: Option<(u32, u32)>) -> Result<()> {
        self.end_all(vec![Ended { entry, state, placed }]).await
    }

    /// Writes how entries ended, all in one transaction.
    async fn end_all(&mut self, ended: Vec<Ended>) -> Result<()> {
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

    /// What is known of the mailboxes just before the first step; `None` where nothing can be done to it now:
    /// it was numbered anew meanwhile, or looks empty.
    async fn facts(&mut self, entry: &Entry, held: &Held) -> Result<Option<Facts>> {
        let unstable = held.is_unstable(self.options.care.resets, self.books.now());
        let mut facts = Facts { unstable, ..Facts::default() };
        if entry.intent.target().is_some() {
            let name = name_of(held.source.as_ref(), entry.intent.mailbox().name.clone());
            let selected = self.line.select(&name).await?;
            // One that is numbered anew all the time is paused with its last numbers, and that is said.
            if !held.is_numbered(selected.uid_validity) && !unstable && !planted(Bug::NumbersTrusted) {
                return Ok(None);
            }
            // A server that shows nothing and says OK to everything has done nothing: the next comparison tells which it is.
            if selected.exists == 0 && matches!(held.at, At::Uid(_)) && entry.attempts < EMPTY_LOOKS {
                return Ok(None);
            }
            let writes_here = !matches!(entry.intent, Intent::Copy { .. });
            facts.read_only = selected.read_only && writes_here;
            facts.keeps = selected.permanent_flags;
        }
        if let Some(to) = entry.intent.landing() {
            let name = name_of(held.target.as_ref(), to.mailbox.name.clone());
            facts.to = self.numbers(&name).await?.map(|(validity, next, _)| (validity, next));
        }
        if let Intent::DeleteMailbox { mailbox, .. } = &entry.intent {
            facts.holds = self.numbers(&mailbox.name).await?;
        }
        Ok(Some(facts))
    }
}

fn started(entry: Entry, step: Step) -> Entry {
    Entry { state: State::Started { step }, ..entry }
}

/// The copy that a step knows of.
fn copy_of(step: Step) -> Option<(u32, u32)> {
    if let Step::Mark { copy } | Step::Expunge { copy } = step { copy } else { None }
}

/// A change that was parked after its message had arrived is never placed again: what is left is to take the original
/// away.
fn go_on(next: Next, intent: &Intent, landed: Option<(u32, u32)>) -> Next {
    match (next, intent, landed) {
        (Next::Send { .. }, Intent::Move { .. }, Some(copy)) => {
            Next::Send { step: Step::Mark { copy: Some(copy) }, act: steps::Act::Mark }
        }
        (Next::Send { .. }, Intent::Copy { .. } | Intent::Append { .. }, Some(_)) => {
            Next::End { state: State::Applied { note: None }, placed: landed }
        }
        (next, _, _) => next,
    }
}

/// The state of an entry whose command was refused: nothing of this step was done.
fn before(step: Step) -> State {
    match step {
        Step::Send | Step::Place { .. } => State::Waiting,
        later => State::Started { step: later },
    }
}

/// Whether the server would not do it just now, which says nothing of what it has.
fn is_refusal(error: &MailError) -> bool {
    matches!(error.code(), Code::ServerRefused | Code::ServerUnavailable | Code::ServerBad)
}

/// Whether an error is what the server answered to this one command.
fn is_answer(error: &MailError) -> bool {
    matches!(
        error.code(),
        Code::ServerOverQuota | Code::ServerRefused | Code::ServerBad | Code::MailboxMissing | Code::MailboxExists
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::MailboxName;
    use crate::journal::{Digest, Landing, Place, Target};

    #[test]
    fn what_has_arrived_is_never_placed_again() {
        let mailbox = Place { id: 1, name: MailboxName::new("A", false) };
        let digest = Digest::of_header(b"");
        let target = Target { mailbox: mailbox.clone(), local: 1, uid_validity: Some(7), uid: Some(5), digest };
        let to = Landing { mailbox, local: 2 };
        let place =
            Next::Send { step: Step::Place { uid_validity: 7, uid_next: 9, unseen: None }, act: steps::Act::Copy };
        let moved = Intent::Move { target: target.clone(), to: to.clone() };
        let mark = Next::Send { step: Step::Mark { copy: Some((7, 6)) }, act: steps::Act::Mark };
        assert_eq!(go_on(place.clone(), &moved, Some((7, 6))), mark);
        assert_eq!(go_on(place.clone(), &moved, None), place);
        let copied = go_on(place, &Intent::Copy { target, to }, Some((7, 6)));
        assert!(matches!(copied, Next::End { state: State::Applied { .. }, .. }));
    }
}
