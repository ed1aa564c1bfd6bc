//! Following a mailbox: on a connection of its own, through lost networks, each change told once.
//!
//! What follows a whole account ([`News`]) is only told that something has changed.
//!
//! ```text
//! server -> Live, Tracker (what the server has told) -> Teller (what the user was told) -> Queue -> Watch::next
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
use queue::Queue;
use std::sync::Arc;

/// The changes of one mailbox, from [`Mailbox::watch`].
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
    queue: Arc<Queue>,
    /// Dropping it ends the watch.
    _task: Task<()>,
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
        let work = follow::follow(mailbox, options, Arc::clone(&queue));
        Self { queue, _task: Task::spawn(&runtime, work) }
    }

    /// The next event; `None` after the watch or its session was closed.
    ///
    /// A lost connection is an [`Event::Offline`](crate::Event::Offline), not an error. An error ends the watch: the
    /// password is refused, or the mailbox is gone. The future may be dropped and the call made again.
    pub async fn next(&mut self) -> Result<Option<WatchEvent>> {
        self.queue.next().await
    }

    /// Returns when the watch stands: what changes from then on will be told.
    pub async fn ready(&self) -> Result<()> {
        self.queue.ready().await
    }

    /// Something that can end the watch from elsewhere.
    #[must_use]
    pub fn closer(&self) -> WatchCloser {
        WatchCloser(Arc::clone(&self.queue))
    }
}

/// Ends a [`Watch`].
#[derive(Clone, Debug)]
pub struct WatchCloser(Arc<Queue>);

impl WatchCloser {
    /// Ends it: [`Watch::next`] gives what is already known, then `None`. Closing twice is fine.
    pub fn close(&self) {
        self.0.close();
    }
}

/// Errors after which trying again cannot help by itself.
fn is_final(error: &MailError) -> bool {
    use crate::error::Retry;
    !matches!(error.retry(), Retry::Reconnect | Retry::Later(_))
}
