//! News of a whole account as a mere signal, for who asks for everything anyway: by NOTIFY (RFC 5465), on a connection of
//! its own that has no mailbox open, so that every mailbox is told of.

use crate::error::{Code, Result};
use crate::imap::extension::idle::RENEW;
use crate::imap::extension::notify::{self, News as Told};
use crate::imap::extension::qresync;
use crate::imap::{Response, command};
use crate::session::{Connection, Observed, Session, Wants, observer};

/// A server that tells of all mailboxes unasked.
pub(crate) struct News {
    connection: Connection,
    responses: Observed,
    /// The server tells nothing more before it is asked anew (NOTIFICATIONOVERFLOW).
    is_deaf: bool,
}

impl News {
    /// Connects, and asks to be told; `None` where the server does not offer it, or will not do it.
    pub async fn begin(session: &Session) -> Result<Option<Self>> {
        if !session.capabilities().await?.iter().any(|name| name == "NOTIFY") {
            return Ok(None);
        }
        let (observer, responses) = observer();
        let connection = session.engine().open(session.account(), Some(observer)).await?;
        let mut news = Self { connection, responses, is_deaf: true };
        news.enable().await?;
        news.ask().await?;
        Ok((!news.is_deaf).then_some(news))
    }

    /// Says that HIGHESTMODSEQ is understood: of changed flags in a mailbox that is not open, a STATUS with it is all that
    /// tells (RFC 5465 section 5.2), and Dovecot sends it to nobody else.
    async fn enable(&self) -> Result<()> {
        match qresync::enable(&self.connection.capabilities())? {
            Some(command) => self.connection.enable(command).await.map(drop),
            None => Ok(()),
        }
    }

    /// Asks to be told of everything. A server that will not do so leaves this deaf.
    async fn ask(&mut self) -> Result<()> {
        let groups = notify::whole_account();
        let Some(command) = notify::plan(&self.connection.capabilities(), false, &groups)? else { return Ok(()) };
        match self.connection.run(command, Wants::Nothing).await {
            Ok(_) => self.is_deaf = false,
            Err(error) if matches!(error.code(), Code::ServerRefused | Code::ServerBad) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Returns when something has changed in some mailbox; an error when the connection is lost. May be given up and
    /// called again.
    pub async fn next(&mut self) -> Result<()> {
        loop {
            if self.is_deaf {
                self.ask().await?;
            }
            match tokio::time::timeout(RENEW, self.responses.next()).await {
                Ok(Some(response)) if self.hears(&response) => break,
                Ok(Some(_)) => {}
                Ok(None) => return Err(self.connection.reason()),
                // So that nobody between forgets the connection, and we learn whether it is there.
                Err(_) => self.connection.run(command::noop(), Wants::Nothing).await.map(drop)?,
            }
        }
        // All that has been told by now is one piece of news.
        while let Some(response) = self.responses.ready() {
            self.hears(&response);
        }
        Ok(())
    }

    fn hears(&mut self, response: &Response) -> bool {
        let told = notify::news(response);
        self.is_deaf |= matches!(told, Some(Told::Overflow));
        told.is_some()
    }
}

impl Drop for News {
    fn drop(&mut self) {
        self.connection.cut();
    }
}
