//! Following a mailbox: on a connection of its own, through lost networks, each change told once.
//!
//! What follows a whole account ([`News`]) is only told that something has changed.
//!
//! ```text
//! server -> Live, Tracker (what the server has told) -> Teller (what the user was told) -> Queue -> Watch::next
//! a store's feed -> Events (`mail/feed.rs`) -> Watch::next
//! ```

mod backoff;
mod cursor;
mod diff;
mod event;
mod follow;
mod live;
mod news;
mod queue;
mod snapshot;
mod teller;
mod tracker;

pub use cursor::WatchCursor;
pub use event::{Event, Since, WatchEvent, WatchOptions};
pub(crate) use news::News;

use crate::error::{MailError, Result};
use crate::session::{Mailbox, Task};
use futures_util::future::BoxFuture;
use queue::Queue;
use std::fmt;
use std::sync::Arc;
use tokio::sync::watch;

/// What happens in a mailbox, live ([`Mailbox::watch`]) or local ([`LocalMailbox::watch`](crate::LocalMailbox::watch)),
/// or in a whole store ([`Mail::changes`](crate::Mail::changes)).
///
/// ```no_run
/// # async fn example(session: mailtide::Session) -> mailtide::Result<()> {
/// use mailtide::{Event, WatchOptions};
///
/// let mut watch = session.mailbox("INBOX")?.watch(WatchOptions::default());
/// while let Some(event) = watch.next().await? {
///     if let Event::New(message) = event.event {
///         println!("{:?}", message.subject());
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Watch {
    from: From,
    closer: WatchCloser,
}

enum From {
    /// Dropping the task ends the watch.
    Live {
        queue: Arc<Queue>,
        _task: Task<()>,
    },
    Kept(Box<dyn Events>, watch::Receiver<bool>),
}

/// Events from elsewhere than a live mailbox. The promises are those of [`Watch::ready`] and [`Watch::next`].
pub(crate) trait Events: Send + Sync {
    fn ready(&mut self) -> BoxFuture<'_, Result<()>>;
    fn next(&mut self) -> BoxFuture<'_, Result<Option<WatchEvent>>>;
    fn at_hand(&mut self) -> BoxFuture<'_, Result<Option<WatchEvent>>>;
}

impl Mailbox {
    /// Follows the mailbox on a connection of its own.
    #[must_use]
    pub fn watch(&self, options: WatchOptions) -> Watch {
        Watch::start(self.clone(), options)
    }
}

impl Watch {
    fn start(mailbox: Mailbox, options: WatchOptions) -> Self {
        let queue = Arc::new(Queue::default());
        let runtime = mailbox.session().engine().runtime().clone();
        let task = Task::spawn(&runtime, follow::follow(mailbox, options, Arc::clone(&queue)));
        Self { closer: WatchCloser(Closer::Live(Arc::clone(&queue))), from: From::Live { queue, _task: task } }
    }

    /// Events from elsewhere.
    pub(crate) fn kept(events: impl Events + 'static) -> Self {
        let (sender, closed) = watch::channel(false);
        let closer = WatchCloser(Closer::Kept(Arc::new(sender)));
        Self { from: From::Kept(Box::new(events), closed), closer }
    }

    /// The next event; `None` after the watch, or its session or store, was closed.
    ///
    /// A lost connection is an [`Event::Offline`](crate::Event::Offline), not an error. An error ends the watch: the
    /// password is refused, the mailbox is gone, or a store's feed no longer reaches back to the cursor
    /// ([`Code::CursorExpired`](crate::Code::CursorExpired)). The future may be dropped and the call made again: nothing
    /// is lost or doubled.
    pub async fn next(&mut self) -> Result<Option<WatchEvent>> {
        match &mut self.from {
            From::Live { queue, .. } => queue.next().await,
            From::Kept(events, closed) => tokio::select! {
                biased;
                event = events.next() => event,
                // Its sender is in `closer`, so it can only say that it was closed.
                _ = closed.wait_for(|closed| *closed) => Ok(None),
            },
        }
    }

    /// The next event that is known already; `None` where there is none, and where [`Watch::next`] would say so. For
    /// programs that look from time to time.
    ///
    /// # Errors
    ///
    /// As [`Watch::next`].
    pub async fn at_hand(&mut self) -> Result<Option<WatchEvent>> {
        match &mut self.from {
            From::Live { queue, .. } => queue.at_hand(),
            From::Kept(events, _) => events.at_hand().await,
        }
    }

    /// Returns when the watch stands: what changes from then on will be told.
    pub async fn ready(&mut self) -> Result<()> {
        match &mut self.from {
            From::Live { queue, .. } => queue.ready().await,
            From::Kept(events, _) => events.ready().await,
        }
    }

    /// Something that can end the watch from elsewhere.
    #[must_use]
    pub fn closer(&self) -> WatchCloser {
        self.closer.clone()
    }
}

impl fmt::Debug for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Live { .. } => "Live",
            Self::Kept(..) => "Kept",
        })
    }
}

/// Ends a [`Watch`].
#[derive(Clone, Debug)]
pub struct WatchCloser(Closer);

#[derive(Clone, Debug)]
enum Closer {
    Live(Arc<Queue>),
    Kept(Arc<watch::Sender<bool>>),
}

impl WatchCloser {
    /// Ends it: [`Watch::next`] gives what is already known, then `None`. Closing twice is fine.
    pub fn close(&self) {
        match &self.0 {
            Closer::Live(queue) => queue.close(),
            Closer::Kept(closed) => drop(closed.send_replace(true)),
        }
    }
}

/// Errors after which trying again cannot help by itself.
fn is_final(error: &MailError) -> bool {
    use crate::error::Retry;
    !matches!(error.retry(), Retry::Reconnect | Retry::Later(_))
}
