//! The messages of a fetch, from a live mailbox or from a local one.

use super::fetching::Fetching;
use super::message::Message;
use crate::error::{MailError, Result};
use futures_util::future::BoxFuture;
use std::collections::VecDeque;
use std::fmt;

/// The messages of one [`Mailbox::fetch`](super::Mailbox::fetch), in batches.
///
/// ```no_run
/// # async fn example(session: mailtide::Session) -> mailtide::Result<()> {
/// use mailtide::{FetchOptions, Query};
///
/// let inbox = session.mailbox("INBOX")?;
/// let mut messages = inbox.fetch(Query::parse("is:unread")?, FetchOptions::default());
/// while let Some(batch) = messages.next_batch().await? {
///     for message in batch {
///         println!("{:?}", message.subject());
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Messages {
    from: From,
    ready: VecDeque<Message>,
}

enum From {
    Live(Box<Fetching>),
    Kept(Box<dyn Batches>),
}

/// Messages from elsewhere than a live mailbox. The promises are those of [`Messages::next_batch`] and
/// [`Messages::exact`].
pub(crate) trait Batches: Send + Sync {
    fn next_batch(&mut self) -> BoxFuture<'_, Result<Option<Vec<Message>>>>;
    fn exact(&self) -> Option<bool>;
}

impl Messages {
    pub(super) fn live(fetching: Fetching) -> Self {
        Self { from: From::Live(Box::new(fetching)), ready: VecDeque::new() }
    }

    /// Messages from elsewhere.
    pub(crate) fn kept(batches: impl Batches + 'static) -> Self {
        Self { from: From::Kept(Box::new(batches)), ready: VecDeque::new() }
    }

    /// The next messages, at least one and at most 256; `None` at the end and after an error.
    ///
    /// The future may be dropped and the call made again: nothing is lost or doubled. A message that the server sent in
    /// a form that cannot be read is among them, with its [`problems`](Message::problems).
    pub async fn next_batch(&mut self) -> Result<Option<Vec<Message>>> {
        match &mut self.from {
            From::Live(fetching) => fetching.next_batch().await,
            From::Kept(batches) => batches.next_batch().await,
        }
    }

    /// Whether words were matched as the query language says, not as the server likes. Known after the first batch.
    #[must_use]
    pub fn exact(&self) -> Option<bool> {
        match &self.from {
            From::Live(fetching) => fetching.exact(),
            From::Kept(batches) => batches.exact(),
        }
    }
}

impl fmt::Debug for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Live(fetching) => fetching.fmt(f),
            Self::Kept(_) => f.write_str("Kept"),
        }
    }
}

impl futures_util::Stream for Messages {
    type Item = std::result::Result<Message, MailError>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        if let Some(message) = self.ready.pop_front() {
            return std::task::Poll::Ready(Some(Ok(message)));
        }
        let pull = async { self.next_batch().await };
        let batch = std::task::ready!(std::pin::pin!(pull).poll(cx));
        std::task::Poll::Ready(match batch {
            Ok(None) => None,
            Err(error) => Some(Err(error)),
            Ok(Some(batch)) => {
                self.ready.extend(batch);
                self.ready.pop_front().map(Ok)
            }
        })
    }
}
