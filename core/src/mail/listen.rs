//! What is listened to between passes: the whole account where the server tells of it (NOTIFY), else INBOX.

use crate::error::{Result, Retry};
use crate::imap::INBOX;
use crate::session::Session;
use crate::watch::{News, Watch, WatchOptions};
use futures_util::FutureExt;

/// Something that hears of changes on the server.
pub(super) enum Listener {
    Account(News),
    Inbox {
        watch: Watch,
        /// Whether what changes from now on is told. What changed before that, a pass has to ask for.
        stands: bool,
    },
}

impl Listener {
    /// Begins to listen.
    pub async fn begin(session: &Session) -> Result<Self> {
        match News::begin(session).await {
            Ok(Some(news)) => return Ok(Self::Account(news)),
            Err(error) if error.retry() == Retry::Reconnect => return Err(error),
            // A server that allows no further connection is watched as well as may be.
            Ok(None) | Err(_) => {}
        }
        let watch = session.mailbox(INBOX)?.watch(WatchOptions::default());
        Ok(Self::Inbox { watch, stands: false })
    }

    /// Returns when another pass is worth it: something was told, or is told only from now on. False when there is nothing
    /// more to listen to.
    pub async fn heard(&mut self) -> bool {
        match self {
            Self::Account(news) => news.next().await.is_ok(),
            Self::Inbox { watch, stands: true } => is_event(watch).await && drained(watch),
            Self::Inbox { watch, stands } => {
                *stands = watch.ready().await.is_ok();
                *stands
            }
        }
    }
}

/// Whether an event came; false at the end of the watch.
async fn is_event(watch: &mut Watch) -> bool {
    matches!(watch.next().await, Ok(Some(_)))
}

/// Takes all events that are there, since one pass is enough for them; false at the end of the watch.
fn drained(watch: &mut Watch) -> bool {
    loop {
        match is_event(watch).now_or_never() {
            Some(true) => {}
            Some(false) => return false,
            None => return true,
        }
    }
}
