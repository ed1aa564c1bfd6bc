//! Local changes on their way to the server: each step is committed before its command, each answer after it.

use super::rows::settle;
use super::{Pass, concerns_all};
use crate::error::{MailError, Result, Retry};
use crate::imap::MailboxName;
use crate::journal::answer::{self, Answer};
use crate::journal::steps::{self, At, Facts, Next};
use crate::journal::{Cause, Entry, Intent, State, Step, order, retry};
use crate::store::arrive;
use crate::store::{Durability, Flags, IntentId, Local, MailboxId, MailboxRow, MailboxState, Now, Reader, Writer};
use std::collections::BTreeSet;
use std::time::Duration;

/// An entry with the UID of its message on the server, and what comes next for it.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub entry: Entry,
    pub uid: Option<u32>,
    pub next: Next,
}

/// What the store knows of the mailboxes and messages of an entry.
#[derive(Clone, Debug)]
struct Held {
    source: Option<MailboxRow>,
    target: Option<MailboxRow>,
    at: At,
    has_body: bool,
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
            for batch in batches {
                self.tried.extend(batch.iter().map(|entry| entry.id));
                for entry in &batch {
                    touched.insert(MailboxId(entry.intent.mailbox().id));
                    touched.extend(entry.intent.landing().map(|to| MailboxId(to.mailbox.id)));
                }
                self.batch(batch).await?;
            }
        }
    }

    /// Entries that share a command, from where they are to their end or to a loss.
    async fn batch(&mut self, entries: Vec<Entry>) -> Result<()> {
        let mut items = Vec::new();
        for entry in entries {
            match self.start(entry.clone()).await {
                Ok(item) => items.push(item),
                Err(error) if concerns_all(&error) => return Err(error),
                Err(error) => self.unable(entry, &error).await?,
            }
        }
        while !items.is_empty() {
            items = self.round(items).await?;
        }
        Ok(())
    }

    /// An entry whose mailbox cannot be opened, so that nothing can be sent for it.
    async fn unable(&mut self, entry: Entry, error: &MailError) -> Result<()> {
        let mailbox = MailboxId(entry.intent.mailbox().id);
        let row = self.books.read(move |reader| reader.mailbox(mailbox)).await?;
        if row.is_some_and(|row| row.state == MailboxState::Gone) {
            return self.end(entry, State::Superseded { by: Cause::MailboxGone }, None).await;
        }
        match answer::read(&entry.intent, error, true) {
            Answer::End(state) => self.end(entry, state, None).await,
            Answer::Later(delay) => self.again(entry, delay).await,
            Answer::Doubt | Answer::Offline => self.again(entry, None).await,
        }
    }

    /// What comes first for an entry: its first step, or a look at what a lost answer has left.
    async fn start(&mut self, entry: Entry) -> Result<Item> {
        let asked = entry.clone();
        let held = self.books.read(move |reader| hold(reader, &asked)).await?;
        let uid = if let At::Uid(uid) = held.at { Some(uid) } else { None };
        let next = match entry.state {
            State::Started { step } => self.look(&entry, step, uid).await?,
            _ => {
                let facts = self.facts(&entry, held).await?;
                match facts {
                    Some(facts) => steps::begin(&entry.intent, self.line.step_means(), &facts),
                    None => Next::Wait { step: None },
                }
            }
        };
        Ok(Item { entry, uid, next })
    }

    /// Looks for what a lost answer may have left.
    async fn look(&mut self, entry: &Entry, step: Step, uid: Option<u32>) -> Result<Next> {
        let sighting = self.sight(entry, step, uid).await?;
        Ok(steps::doubt(entry, step, &sighting, self.line.step_means(), self.books.now().seconds()))
    }

    /// One step of a batch: what has ended is written, what is to be sent is committed and sent.
    async fn round(&mut self, items: Vec<Item>) -> Result<Vec<Item>> {
        let (mut sending, mut on): (Vec<Item>, Vec<Item>) = (Vec::new(), Vec::new());
        for item in items {
            match item.next.clone() {
                Next::End { state, placed } => self.end(item.entry, state, placed).await?,
                Next::Wait { step } => self.wait(item.entry, step).await?,
                Next::Look { step } => {
                    let entry = self.begun(item.entry, step).await?;
                    let next = self.look(&entry, step, item.uid).await?;
                    on.push(Item { entry, next, ..item });
                }
                Next::Send { .. } => sending.push(item),
            }
        }
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
        self.keep(begun.iter().map(|item| item.entry.clone()).collect()).await?;
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
                Answer::End(state) => self.end(item.entry, state, None).await?,
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
        if matches!(error.retry(), Retry::Reconnect | Retry::AskUser) && !is_answer(error) {
            return Err(error.clone());
        }
        for item in alone {
            let entry = Entry { state: before(step), ..item.entry };
            self.keep(vec![entry.clone()]).await?;
            Box::pin(self.batch(vec![entry])).await?;
        }
        Ok(Vec::new())
    }

    async fn begun(&mut self, entry: Entry, step: Step) -> Result<Entry> {
        let entry = started(entry, step);
        self.keep(vec![entry.clone()]).await?;
        Ok(entry)
    }

    /// Not decided: to be looked at later. What may still turn up is given its time first.
    async fn wait(&mut self, entry: Entry, step: Option<Step>) -> Result<()> {
        let state = step.map_or(State::Waiting, |step| State::Started { step });
        let entry = Entry { state, ..entry };
        let grace = Duration::from_secs(steps::GRACE_SECONDS.unsigned_abs());
        let is_coming = matches!(step, Some(Step::Place { unseen: Some(_), .. }));
        self.again(entry, is_coming.then_some(grace)).await
    }

    async fn again(&mut self, entry: Entry, delay: Option<Duration>) -> Result<()> {
        let random = (self.options.environment.random)();
        let entry = retry::again(entry, self.books.now().seconds(), delay, random);
        if matches!(entry.state, State::Parked { .. }) {
            self.report.parked += 1;
        }
        self.keep(vec![entry]).await
    }

    async fn keep(&self, entries: Vec<Entry>) -> Result<()> {
        let write = move |writer: &mut dyn Writer, now: Now| {
            entries.iter().try_for_each(|entry| writer.update_intent(entry, now.seconds()))
        };
        self.books.write(Durability::Full, write).await
    }

    async fn end(&mut self, entry: Entry, state: State, placed: Option<(u32, u32)>) -> Result<()> {
        match &state {
            State::Applied { .. } => self.report.applied += 1,
            State::Superseded { .. } => self.report.superseded += 1,
            State::Parked { .. } => self.report.parked += 1,
            _ => {}
        }
        self.books.write(Durability::Full, move |writer, now| write_end(writer, &entry, state, placed, now)).await
    }

    /// What is known just before the first step; `None` where the mailbox was numbered anew meanwhile.
    async fn facts(&mut self, entry: &Entry, held: Held) -> Result<Option<Facts>> {
        let mut facts = Facts { at: held.at, has_body: held.has_body, ..Facts::default() };
        facts.unstable =
            held.source.as_ref().is_some_and(|row| is_unstable(row, self.options.care.resets, self.books.now()));
        if let At::Uid(_) = held.at {
            let name = name_of(held.source.as_ref(), entry.intent.mailbox().name.clone());
            let selected = self.line.select(&name).await?;
            let ours = held.source.as_ref().and_then(|row| row.remote.as_ref()).map(|remote| remote.uid_validity);
            if ours != Some(selected.uid_validity) {
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

/// The state of an entry whose command was refused: nothing of this step was done.
fn before(step: Step) -> State {
    match step {
        Step::Send | Step::Place { .. } => State::Waiting,
        later => State::Started { step: later },
    }
}

/// Whether an error is what the server answered to this one command.
fn is_answer(error: &MailError) -> bool {
    use crate::error::Code;
    matches!(
        error.code(),
        Code::ServerOverQuota | Code::ServerRefused | Code::ServerBad | Code::MailboxMissing | Code::MailboxExists
    )
}

pub(super) fn name_of(row: Option<&MailboxRow>, otherwise: MailboxName) -> MailboxName {
    let remote = row.and_then(|row| row.remote.as_ref());
    remote.map_or(otherwise, |remote| MailboxName::from_server(remote.name.clone(), false))
}

fn is_unstable(row: &MailboxRow, most: u32, now: Now) -> bool {
    let today = now.seconds().div_euclid(86_400);
    row.remote.as_ref().is_some_and(|remote| remote.resets_day == today && remote.resets >= most)
}

fn hold(reader: &dyn Reader, entry: &Entry) -> Result<Held> {
    let target = entry.intent.landing().map(|to| reader.mailbox(MailboxId(to.mailbox.id))).transpose()?.flatten();
    let source = reader.mailbox(MailboxId(entry.intent.mailbox().id))?;
    let has_body = match (&entry.intent, entry.intent.landing()) {
        (Intent::Append { .. }, Some(to)) => {
            let placed = reader.placement(MailboxId(to.mailbox.id), to.local)?;
            let message = placed.and_then(|row| row.message).map(|id| reader.message(id)).transpose()?.flatten();
            message.is_some_and(|row| row.body.is_some())
        }
        _ => false,
    };
    let at = locate(reader, entry, source.as_ref())?;
    Ok(Held { source, target, at, has_body })
}

/// Where the message of an entry is on the server, by all that the store knows.
fn locate(reader: &dyn Reader, entry: &Entry, mailbox: Option<&MailboxRow>) -> Result<At> {
    let Some(target) = entry.intent.target() else { return Ok(At::Nowhere) };
    let placed = reader.placement(MailboxId(target.mailbox.id), target.local)?;
    if let Some(uid) = placed.as_ref().and_then(|row| row.remote_uid) {
        return Ok(At::Uid(uid));
    }
    let validity = mailbox.and_then(|row| row.remote.as_ref()).map(|remote| remote.uid_validity);
    match (target.uid, target.uid_validity == validity) {
        // Its row is gone here for good reason: it is moved away or deleted, by this change or a later one.
        (Some(uid), true) if placed.is_none() => Ok(At::Uid(uid)),
        (Some(_), _) => Ok(At::Lost),
        (None, _) => Ok(At::Coming),
    }
}

/// Writes how an entry ended, and where its message is now.
fn write_end(writer: &mut dyn Writer, entry: &Entry, state: State, placed: Option<(u32, u32)>, now: Now) -> Result<()> {
    let is_applied = matches!(state, State::Applied { .. });
    // How often it was tried is written with it.
    writer.update_intent(entry, now.seconds())?;
    settle(writer, IntentId(entry.id), state, now)?;
    if !is_applied {
        return Ok(());
    }
    match &entry.intent {
        Intent::Flag { target, add, remove } => {
            let (add, remove): (Flags, Flags) = (add.iter().collect(), remove.iter().collect());
            agree(writer, MailboxId(target.mailbox.id), target.local, (&add, &remove))
        }
        Intent::RenameMailbox { mailbox, to } => rename(writer, mailbox.name.raw(), to),
        intent => match (intent.landing(), placed) {
            (Some(to), Some(at)) => {
                let flags = if let Intent::Append { flags, .. } = intent { Some(flags.iter().collect()) } else { None };
                land(writer, MailboxId(to.mailbox.id), (to.local, at), flags, now)
            }
            _ => Ok(()),
        },
    }
}

/// Both sides agree on these flags now.
fn agree(writer: &mut dyn Writer, mailbox: MailboxId, local: u32, (add, remove): (&Flags, &Flags)) -> Result<()> {
    let Some(mut row) = writer.placement(mailbox, local)? else { return Ok(()) };
    row.agreed = Some(row.agreed.unwrap_or_default().union(add).difference(remove));
    writer.update_placement(&row)
}

/// A message has arrived on the server: its placement has a number there, and what waits for it is told.
fn land(
    writer: &mut dyn Writer,
    mailbox: MailboxId,
    (local, (validity, uid)): (u32, (u32, u32)),
    flags: Option<Flags>,
    now: Now,
) -> Result<()> {
    let Some(mut row) = writer.mailbox(mailbox)? else { return Ok(()) };
    let Some(remote) = row.remote.as_mut() else { return Ok(()) };
    if remote.uid_validity == 0 {
        // The first that is known of it.
        remote.uid_validity = validity;
        writer.update_mailbox(&row)?;
    } else if remote.uid_validity != validity {
        // Numbered anew: the next comparison finds it by its digest.
        return Ok(());
    }
    let known = writer.placement(mailbox, local)?.and_then(|row| row.agreed);
    let agreed = flags.or(known).unwrap_or_default();
    arrive::placed(writer, Local { mailbox, uid: local }, uid, &agreed, now)?;
    for mut entry in writer.pending_at(mailbox, local)? {
        if let Some(target) = entry.intent.target_mut()
            && (target.mailbox.id, target.local) == (mailbox.0, local)
        {
            (target.uid_validity, target.uid) = (Some(validity), Some(uid));
            writer.update_intent(&entry, now.seconds())?;
        }
    }
    Ok(())
}

/// A mailbox has its new name on the server, and those below it theirs.
fn rename(writer: &mut dyn Writer, from: &[u8], to: &MailboxName) -> Result<()> {
    for mut row in writer.mailboxes()? {
        let delimiter = row.delimiter;
        let Some(remote) = row.remote.as_mut() else { continue };
        let rest = remote.name.strip_prefix(from).map(<[u8]>::to_vec);
        let Some(rest) = rest else { continue };
        let is_below = delimiter.is_some_and(|d| rest.starts_with(d.to_string().as_bytes()));
        if rest.is_empty() || is_below {
            remote.name = [to.raw(), &rest].concat();
            remote.unlisted = 0;
            writer.update_mailbox(&row)?;
        }
    }
    Ok(())
}
