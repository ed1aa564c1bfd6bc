//! The loop behind a watch: connect, look, listen, and begin again when the connection is lost.

use super::backoff::Backoff;
use super::cursor::{Step, WatchCursor};
use super::diff::{Changes, diff};
use super::event::{Event, Since, WatchOptions};
use super::is_final;
use super::live::Live;
use super::queue::{Entry, Queue};
use super::snapshot::Snapshot;
use crate::bulk::MessageRef;
use crate::error::{Code, MailError, Result, Retry};
use crate::imap::extension::idle::{self, Follow};
use crate::imap::{FetchRow, command};
use crate::session::{Loaded, Mailbox, Message};
use crate::wire::Command;
use ring::rand::{SecureRandom, SystemRandom};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A server that ends IDLE sooner than this by itself does not listen, and is asked from time to time.
const LASTING: Duration = Duration::from_secs(10);

/// Follows a mailbox until the watch or the session is closed, or nothing more can be done.
pub(super) async fn follow(mailbox: Mailbox, options: WatchOptions, queue: Arc<Queue>) -> Result<()> {
    let mut closing = mailbox.session().closing();
    let result = {
        let mut follower = Follower { mailbox: &mailbox, options: &options, queue: &queue, told: None, offline: false };
        tokio::select! {
            error = follower.run() => Some(error),
            () = queue.closed() => None,
            _ = closing.wait_for(|closed| *closed) => None,
        }
    };
    queue.end(result);
    Ok(())
}

struct Follower<'a> {
    mailbox: &'a Mailbox,
    options: &'a WatchOptions,
    queue: &'a Queue,
    /// What the user has been told, or will have been when he has emptied the queue.
    told: Option<Snapshot>,
    /// Whether the user knows that the connection is lost.
    offline: bool,
}

impl Follower<'_> {
    /// Returns the error that ends it.
    async fn run(&mut self) -> MailError {
        let mut backoff = Backoff::default();
        loop {
            let since = Instant::now();
            let Err(error) = self.once().await;
            if is_final(&error) {
                return error;
            }
            if self.told.is_some() && !std::mem::replace(&mut self.offline, true) {
                self.queue.push([Entry { event: Event::Offline(error.clone()), step: None }]);
            }
            let wait = match error.retry() {
                Retry::Later(Some(delay)) => delay,
                _ => backoff.next(since.elapsed(), random()),
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// One connection, from its making to its end.
    async fn once(&mut self) -> Result<Infallible> {
        let everything = matches!(self.options.since, Since::All) && self.told.is_none();
        let mut live = Live::open(self.mailbox, everything).await?;
        self.catch_up(&mut live)?;
        if let Some(told) = &self.told {
            // Before the first IDLE, whose end a question would have to wait for.
            live.complete(&diff(told, &live.tracker.seen).new).await?;
        }
        match live.plan()? {
            Follow::Idle(renew) => self.idle(&mut live, renew).await,
            Follow::Poll(question, every) => self.poll(&mut live, question, every).await,
        }
    }

    /// Tells what has changed since the user was last told, or fixes the point from which he is.
    fn catch_up(&mut self, live: &mut Live) -> Result<()> {
        let seen = &live.tracker.seen;
        let place: Arc<str> = format!("{}/{}", self.mailbox.session().label(), live.name).into();
        if self.told.is_none() {
            let told = match &self.options.since {
                Since::Now => seen.clone(),
                Since::All => Snapshot::new(seen.uid_validity),
                Since::Cursor(cursor) => WatchCursor::read(cursor, &place)?,
            };
            self.queue.begin(place, &told);
            self.told = Some(told);
        } else if std::mem::replace(&mut self.offline, false) {
            self.queue.push([Entry { event: Event::Online, step: None }]);
        }
        if self.told.as_ref().is_some_and(|told| told.uid_validity != live.tracker.seen.uid_validity) {
            self.reset(live);
        }
        Ok(())
    }

    fn reset(&mut self, live: &Live) {
        let seen = live.tracker.seen.clone();
        let event = Event::Reset { mailbox: live.name.to_string(), uid_validity: seen.uid_validity };
        self.queue.push([Entry { event, step: Some(Step::Replace(Arc::new(seen.clone()))) }]);
        self.told = Some(seen);
    }

    async fn idle(&mut self, live: &mut Live, renew_after: Duration) -> Result<Infallible> {
        self.tell(live)?;
        let (mut idle, mut begun) = (live.idle(), Instant::now());
        loop {
            let renew = tokio::select! {
                // First, since it says why a connection was lost: a BYE, not just its end.
                biased;
                ended = &mut idle.answer => match ended {
                    // Beginning again at once would ask without end.
                    Ok(()) if begun.elapsed() < LASTING => {
                        return self.poll(live, command::noop(), idle::POLL).await;
                    }
                    Ok(()) => {
                        // The server has ended it by itself: no answer is left to wait for.
                        idle.answer = Box::pin(std::future::ready(Ok(())));
                        true
                    }
                    // It offers IDLE and will not do it.
                    Err(e) if matches!(e.code(), Code::ServerRefused | Code::ServerBad) => {
                        return self.poll(live, command::noop(), idle::POLL).await;
                    }
                    Err(e) => return Err(e),
                },
                response = live.responses.next() => {
                    live.take(response)?;
                    false
                }
                () = tokio::time::sleep(renew_after) => true,
            };
            if renew || live.tracker.has_unknown() {
                // DONE, the question and the next IDLE leave in one write.
                let before = idle.end();
                let rows = live.ask_new(self.uid_next())?;
                (idle, begun) = (live.idle(), Instant::now());
                live.done(before).await?;
                live.rows(rows).await?;
            }
            self.tell(live)?;
        }
    }

    async fn poll(&mut self, live: &mut Live, question: Command, every: Duration) -> Result<Infallible> {
        let every = self.options.poll_seconds.map_or(every, |s| Duration::from_secs(u64::from(s.max(1))));
        loop {
            self.tell(live)?;
            tokio::time::sleep(every).await;
            live.poll(question.clone()).await?;
            let rows = live.ask_new(self.uid_next())?;
            live.rows(rows).await?;
        }
    }

    /// Where messages that the user does not know begin.
    fn uid_next(&self) -> u32 {
        self.told.as_ref().map_or(1, |told| told.uid_next.max(1))
    }

    /// Tells the user what he does not know yet.
    fn tell(&mut self, live: &mut Live) -> Result<()> {
        live.check()?;
        let Some(told) = &self.told else { return Ok(()) };
        let changes = diff(told, &live.tracker.seen);
        let mut entries = self.entries(live, &changes);
        if std::mem::take(&mut live.gap) {
            entries.push(Entry { event: Event::Gap { mailbox: live.name.to_string() }, step: None });
        }
        live.tracker.arrived.clear();
        if !entries.is_empty() {
            self.told = Some(live.tracker.seen.clone());
            self.queue.push(entries);
        }
        Ok(())
    }

    fn entries(&self, live: &mut Live, changes: &Changes) -> Vec<Entry> {
        let name = Arc::clone(&live.name);
        let uid_validity = live.tracker.seen.uid_validity;
        let reference = |uid| self.mailbox.reference(&name, uid_validity, uid);
        let mut entries = Vec::new();
        for uid in changes.removed.iter() {
            entries.push(Entry { event: Event::Removed(reference(uid)), step: Some(Step::Remove(uid)) });
        }
        for uid in changes.new.iter() {
            let step = Some(Step::Put(uid, live.tracker.seen.flags_of(uid)));
            let row =
                live.tracker.arrived.remove(&uid).unwrap_or_else(|| FetchRow { uid: Some(uid), ..FetchRow::default() });
            entries.push(Entry { event: Event::New(self.message(reference(uid), row)), step });
        }
        for (uid, (added, removed)) in &changes.flags {
            let step = Some(Step::Put(*uid, live.tracker.seen.flags_of(*uid)));
            let event = Event::Flags { reference: reference(*uid), added: added.clone(), removed: removed.clone() };
            entries.push(Entry { event, step });
        }
        entries
    }

    fn message(&self, reference: MessageRef, row: FetchRow) -> Message {
        Message::new(self.mailbox.clone(), reference, Box::new(row), Loaded::default())
    }
}

fn random() -> f64 {
    let mut bytes = [0u8; 4];
    // Without randomness all clients wait the longest time, which is safe.
    SystemRandom::new().fill(&mut bytes).map_or(1.0, |()| f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
}
