//! What is listened to between passes: the whole account where the server tells of it (NOTIFY), else INBOX.

use crate::error::{Code, MailError, Result, Retry};
use crate::imap::INBOX;
use crate::session::Session;
use crate::watch::{News, Watch, WatchOptions};

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

    /// Returns when another pass is worth it: something was told, or is told only from now on. An error when there is
    /// nothing more to listen to.
    pub async fn heard(&mut self) -> Result<()> {
        match self {
            Self::Account(news) => news.next().await,
            Self::Inbox { watch, stands: true } => told(watch).await,
            Self::Inbox { watch, stands } => {
                watch.ready().await?;
                *stands = true;
                Ok(())
            }
        }
    }
}

/// Waits for an event, and takes all that are there, since one pass is enough for them.
async fn told(watch: &mut Watch) -> Result<()> {
    let ended = || MailError::new(Code::NetLost, "The watch of INBOX has ended");
    watch.next().await?.ok_or_else(ended)?;
    while watch.at_hand().await?.is_some() {}
    Ok(())
}
