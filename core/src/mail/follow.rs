//! Bringing the store in step: one pass, or one after another for as long as somebody waits.

use super::Mail;
use super::listen::Listener;
use crate::error::{Code, MailError, Result, Retry};
use crate::outbox::Entry as Outgoing;
use crate::store::search::{self, Gathered};
use crate::store::upkeep::Retention;
use crate::store::{Durability, MessageId, Now, Reader, Writer};
use crate::sync::{Kept, SyncOptions, SyncReport};
use std::time::{Duration, Instant};

/// Messages that are indexed in one transaction.
const INDEXED: usize = 2000;
/// The first wait after a failure, and the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);
/// How often what the retention no longer holds is taken away.
const TIDY_EVERY: Duration = Duration::from_secs(24 * 3600);
/// The shortest and the longest time between two passes that were not asked for.
const OFTENEST: Duration = Duration::from_secs(1);
const RAREST: Duration = Duration::from_secs(24 * 3600);
/// How soon after a pass a message that it has kept back asks for another one.
const SOONEST: Duration = Duration::from_secs(30);

/// Options of [`Mail::keep_in_sync`].
#[derive(Clone, Debug)]
pub struct FollowOptions {
    /// How each pass goes; `dry_run` is not looked at.
    pub sync: SyncOptions,
    /// How long after a pass the next one begins where nothing was heard: a second at least, a day at most. 5 minutes.
    pub every: Duration,
}

impl Default for FollowOptions {
    fn default() -> Self {
        Self { sync: SyncOptions::default(), every: Duration::from_secs(300) }
    }
}

impl Mail {
    /// One pass: what changed here goes to the server, what changed there comes, new words are indexed, and what is due in
    /// the outbox is sent. What the pass did, or would do with [`SyncOptions::dry_run`].
    ///
    /// A pass can be given up by dropping its future; what it has committed stays.
    ///
    /// # Errors
    ///
    /// [`Code::UsageArgument`](crate::Code::UsageArgument) without an account,
    /// [`Code::StoreLocked`](crate::Code::StoreLocked) while another process has the lease, and what the server, the
    /// network or the store say. What could not be sent is among [`SyncReport::problems`].
    pub async fn sync(&self, options: SyncOptions) -> Result<SyncReport> {
        self.pass(options, &mut Kept::default()).await
    }

    async fn pass(&self, options: SyncOptions, kept: &mut Kept) -> Result<SyncReport> {
        let session = self.live().await?;
        let is_real = !options.dry_run;
        let mut report = crate::sync::sync_keeping(&session, self.handle()?.clone(), options, kept).await?;
        self.reached(None);
        if is_real {
            self.index().await?;
            report.problems.extend(self.hand_in().await?);
        }
        Ok(report)
    }

    /// Keeps both sides in step until the future is dropped or the mailbox closed: a pass at once, and another one
    /// whenever the server has news, something was changed or decided here, or `every` has gone by. A server with NOTIFY
    /// (RFC 5465) tells of all mailboxes, others of INBOX alone. A lost network is waited for, and told
    /// to those who follow ([`Mail::changes`], [`LocalMailbox::watch`](super::LocalMailbox::watch)) as
    /// [`Event::Offline`](crate::Event::Offline) and [`Event::Online`](crate::Event::Online).
    ///
    /// # Errors
    ///
    /// What trying again cannot help: the password is refused, the disk is full.
    pub async fn keep_in_sync(&self, options: FollowOptions) -> Result<()> {
        let mut closing = self.0.closing.subscribe();
        let followed = tokio::select! {
            result = self.follow(options) => result,
            _ = closing.wait_for(|closed| *closed) => Ok(()),
        };
        match followed {
            // What was under way may be told of it first.
            Err(error) if error.code() == Code::UsageClosed && self.is_closed() => Ok(()),
            followed => followed,
        }
    }

    async fn follow(&self, mut options: FollowOptions) -> Result<()> {
        options.sync.dry_run = false;
        options.every = options.every.clamp(OFTENEST, RAREST);
        let (mut failures, mut listener, mut kept, mut tidied) = (0, None, Kept::default(), None);
        loop {
            let known = self.newest().await?;
            let wait = match self.heard_pass(&mut listener, &mut kept, &options).await {
                Ok(()) => {
                    failures = 0;
                    let news = self.until_news(&mut listener, known, (options.every, &mut tidied)).await;
                    let Err(error) = news else { continue };
                    pause(&error, failures, (options.sync.environment.random)())?
                }
                Err(error) => {
                    let wait = pause(&error, failures, (options.sync.environment.random)())?;
                    self.reached(Some(error));
                    wait
                }
            };
            failures += 1;
            (listener, kept) = (None, Kept::default());
            tokio::time::sleep(wait).await;
        }
    }

    /// Tells those who follow whether the server can be reached. What the store says has nothing to do with that.
    fn reached(&self, lost: Option<MailError>) {
        if lost.as_ref().is_some_and(|error| error.code().as_str().starts_with("store.")) {
            return;
        }
        self.0.network.send_if_modified(|known| {
            let is_new = known.is_some() != lost.is_some();
            *known = lost;
            is_new
        });
    }

    /// A pass, with somebody listening: what comes after it has asked is heard.
    async fn heard_pass(
        &self,
        listener: &mut Option<Listener>,
        kept: &mut Kept,
        options: &FollowOptions,
    ) -> Result<()> {
        if listener.is_none() {
            *listener = Some(Listener::begin(&self.live().await?).await?);
        }
        self.pass(options.sync.clone(), kept).await.map(drop)
    }

    /// Returns when another pass is worth it; an error when nothing is heard any more.
    async fn until_news(
        &self,
        listener: &mut Option<Listener>,
        known: Newest,
        (every, tidied): (Duration, &mut Option<Instant>),
    ) -> Result<()> {
        let every = self.due().await?.map_or(every, |due| every.min(due));
        tokio::select! {
            heard = heard(listener) => heard,
            changed = self.changed_since(known) => changed,
            () = self.quiet(every, tidied) => Ok(()),
        }
    }

    /// Lets that time go by, and uses it once a day to tidy up.
    async fn quiet(&self, time: Duration, tidied: &mut Option<Instant>) {
        let begun = tokio::time::Instant::now();
        if tidied.is_none_or(|last| last.elapsed() >= TIDY_EVERY) {
            *tidied = Some(Instant::now());
            // What fails here is tried again another day, and whoever needs the store is told by it.
            if let Err(error) = self.tidy(Retention::default()).await {
                log::debug!("the store could not be tidied up: {error}");
            }
        }
        tokio::time::sleep_until(begun + time).await;
    }

    /// Returns when somebody has changed something here that the server is to hear of.
    async fn changed_since(&self, known: Newest) -> Result<()> {
        let mut changes = self.handle()?.changes();
        while !self.newest().await?.is_newer(known) {
            changes.changed().await?;
        }
        Ok(())
    }

    /// When the next message is to be sent, from now on, where it can be; what should have left by now and was kept back
    /// is not tried again at once.
    async fn due(&self) -> Result<Option<Duration>> {
        if !self.can_send() {
            return Ok(None);
        }
        let due = self.outbox().await?.into_iter().map(|entry| entry.not_before).min();
        Ok(due.map(|due| until(due, super::now())))
    }

    async fn newest(&self) -> Result<Newest> {
        self.handle()?.read(newest).await
    }

    /// Brings the index of words up to date. While some words are put down, the next ones are gathered.
    pub(super) async fn index(&self) -> Result<()> {
        let mut gathered = self.gather(MessageId(0)).await?;
        while !gathered.is_empty() {
            let next = gathered.next();
            let put = self.handle()?.write(Durability::Bulk, move |writer| gathered.put(writer));
            gathered = match next {
                Some(next) => futures_util::future::try_join(put, self.gather(next)).await?.1,
                None if put.await?.is_more => self.gather(MessageId(0)).await?,
                None => break,
            };
        }
        Ok(())
    }

    async fn gather(&self, after: MessageId) -> Result<Gathered> {
        self.handle()?.read(move |reader| search::gather(reader, after, INDEXED)).await
    }

    /// Sends what is due; what kept messages from being sent.
    async fn hand_in(&self) -> Result<Option<MailError>> {
        if !self.can_send() || self.outbox().await?.iter().all(Outgoing::is_finished) {
            return Ok(None);
        }
        Ok(self.send_due().await?.trouble)
    }
}

/// The newest local change and the newest message to be sent, by their ids, 0 where there is none; and how often a pass
/// was asked for ([`ask`]).
#[derive(Clone, Copy, Debug)]
struct Newest {
    change: i64,
    outgoing: i64,
    asked: u64,
}

/// The note that counts how often a pass was asked for.
const ASKED: &str = "sync.asked";

/// Asks whoever keeps the store in step for a pass, also in another process: something is to be done that is no entry of
/// the journal.
pub(super) fn ask(writer: &mut dyn Writer) -> Result<()> {
    let asked = asked(writer)?.wrapping_add(1);
    writer.set_note(ASKED, Some(&asked.to_be_bytes()))
}

fn asked(reader: &dyn Reader) -> Result<u64> {
    let note = reader.note(ASKED)?.and_then(|note| note.try_into().ok());
    Ok(note.map_or(0, u64::from_be_bytes))
}

/// How long it is until a message is to be sent, at `due` in seconds since 1970.
fn until(due: i64, now: Now) -> Duration {
    let wait = due.saturating_mul(1000).saturating_sub(now.millis());
    u64::try_from(wait).ok().filter(|wait| *wait > 0).map_or(SOONEST, Duration::from_millis)
}

impl Newest {
    /// Whether something came after `known`. Ids only grow, and what is done is no longer among the pending.
    fn is_newer(self, known: Self) -> bool {
        self.change > known.change || self.outgoing > known.outgoing || self.asked != known.asked
    }
}

fn newest(reader: &dyn Reader) -> Result<Newest> {
    let change = reader.pending()?.last().map_or(0, |entry| entry.id);
    let outgoing = reader.outbox_open()?.last().map_or(0, |row| row.id.0);
    Ok(Newest { change, outgoing, asked: asked(reader)? })
}

/// Returns when something was heard; never where nobody listens.
async fn heard(listener: &mut Option<Listener>) -> Result<()> {
    match listener {
        Some(listener) => listener.heard().await,
        None => std::future::pending().await,
    }
}

/// How long to wait after a failure: up to a bound that doubles. What cannot be helped by waiting is the error.
fn pause(error: &MailError, failures: u32, random: f64) -> Result<Duration> {
    let bound = FIRST.saturating_mul(1 << failures.min(16)).min(LONGEST);
    match error.retry() {
        Retry::Later(Some(delay)) => Ok(delay.max(FIRST)),
        Retry::Later(None) | Retry::Reconnect => {
            Ok(bound.mul_f64(random.clamp(0.0, 1.0)).max(Duration::from_millis(50)))
        }
        Retry::AskUser | Retry::Never => Err(error.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheduled_message_is_waited_for_to_the_moment_and_one_that_was_kept_back_for_longer() {
        let now = Now::from_millis(100_250);
        assert_eq!(until(105, now), Duration::from_millis(4_750));
        assert_eq!((until(100, now), until(0, now)), (SOONEST, SOONEST));
    }
}
