//! The loop behind a watch: connect, look, listen, and begin again when the connection is lost.
//!
//! ```text
//! follow: one connection after the other, with back-off between them
//!   once: one connection, from its making to its end
//!     idle: listens; every so often, or when a message has come, DONE, a question and IDLE again
//!     poll: asks, where the server cannot or will not be listened to
//! ```
//!
//! What is heard goes to the [`Live`] connection's tracker, and from there, by way of the [`Teller`], to the user.

use super::backoff::Backoff;
use super::event::WatchOptions;
use super::is_final;
use super::live::{Idle, Live};
use super::queue::Queue;
use super::teller::Teller;
use crate::error::{Code, MailError, Result, Retry};
use crate::imap::command;
use crate::imap::extension::idle::{self, Follow};
use crate::session::Mailbox;
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
        let teller = Teller::new(&mailbox, &options.since, &queue);
        let mut follower = Follower { mailbox: &mailbox, options: &options, teller };
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
    teller: Teller<'a>,
}

/// Why listening was interrupted.
enum Woken {
    /// The server has said something, and it is taken in.
    Said,
    /// It is time for a new IDLE.
    Due,
    /// The server has ended IDLE by itself.
    Ended,
    /// It offers IDLE and will not do it.
    Unwilling,
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
            self.teller.lost(&error);
            let wait = match error.retry() {
                Retry::Later(Some(delay)) => delay,
                _ => backoff.next(since.elapsed(), random()),
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// One connection, from its making to its end.
    async fn once(&mut self) -> Result<Infallible> {
        let mut live = Live::open(self.mailbox, self.teller.needs_everything()).await?;
        self.teller.connected(&live)?;
        // Before the first IDLE, whose end a question would have to wait for.
        live.complete(&self.teller.unknown(&live)).await?;
        match live.plan()? {
            Follow::Idle(renew) => self.idle(&mut live, renew).await,
            Follow::Poll(question, every) => self.poll(&mut live, question, every).await,
        }
    }

    async fn idle(&mut self, live: &mut Live, renew_after: Duration) -> Result<Infallible> {
        self.teller.tell(live)?;
        let (mut idle, mut begun) = (live.idle(), Instant::now());
        loop {
            let is_due = match listen(live, &mut idle, renew_after).await? {
                Woken::Said => live.tracker.has_unknown(),
                Woken::Due => true,
                Woken::Ended if begun.elapsed() >= LASTING => {
                    idle.has_ended();
                    true
                }
                // Beginning again at once would ask without end.
                Woken::Ended | Woken::Unwilling => return self.poll(live, command::noop(), idle::POLL).await,
            };
            if is_due {
                (idle, begun) = (self.renew(live, idle).await?, Instant::now());
            }
            self.teller.tell(live)?;
        }
    }

    /// Ends IDLE, asks for what has come, and listens again: all of it leaves in one write.
    async fn renew(&self, live: &mut Live, idle: Idle) -> Result<Idle> {
        let before = idle.end();
        let rows = live.ask_new(self.teller.uid_next())?;
        let next = live.idle();
        live.done(before).await?;
        live.rows(rows).await?;
        Ok(next)
    }

    async fn poll(&mut self, live: &mut Live, question: Command, every: Duration) -> Result<Infallible> {
        let every = self.options.poll_seconds.map_or(every, |s| Duration::from_secs(u64::from(s.max(1))));
        loop {
            self.teller.tell(live)?;
            tokio::time::sleep(every).await;
            live.poll(question.clone()).await?;
            let rows = live.ask_new(self.teller.uid_next())?;
            live.rows(rows).await?;
        }
    }
}

/// Listens until something happens.
async fn listen(live: &mut Live, idle: &mut Idle, renew_after: Duration) -> Result<Woken> {
    tokio::select! {
        // First, since it says why a connection was lost: a BYE, not just its end.
        biased;
        ended = &mut idle.answer => match ended {
            Ok(()) => Ok(Woken::Ended),
            Err(e) if matches!(e.code(), Code::ServerRefused | Code::ServerBad) => Ok(Woken::Unwilling),
            Err(e) => Err(e),
        },
        response = live.responses.next() => live.take(response).map(|()| Woken::Said),
        () = tokio::time::sleep(renew_after) => Ok(Woken::Due),
    }
}

fn random() -> f64 {
    let mut bytes = [0u8; 4];
    // Without randomness all clients wait the longest time, which is safe.
    SystemRandom::new().fill(&mut bytes).map_or(1.0, |()| f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
}
