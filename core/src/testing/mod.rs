//! A server for the tests of programs that use IMAP.
//!
//! It runs in the process of the test, on a free port of this machine and a store of its own in a temporary folder: a
//! real server, which does what it is told to do wrong.
//!
//! ```
//! use mailtide::testing::{Fault, FaultKind, TestOptions, Server};
//! use mailtide::{Account, Credentials, Engine, EngineOptions};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let mut options = TestOptions::default();
//! options.mail.push(("INBOX".to_owned(), vec!["Subject: moth\r\n\r\nFound in relay 70.\r\n".into()]));
//! options.without.push("MOVE".to_owned());
//! let server = Server::start(options).await?;
//! server.fault(Fault::at("SEARCH", FaultKind::No("Not today".to_owned())))?;
//!
//! let mut account = Account::from_url(&server.url())?;
//! account.credentials = Credentials::Password(server.password().clone());
//! let engine = Engine::new(EngineOptions::default(), tokio::runtime::Handle::current());
//! let session = engine.connect(account).await?;
//! let found = session.mailbox("INBOX")?.search(mailtide::Query::parse("moth")?, false, None).await;
//! assert_eq!(found.unwrap_err().code(), mailtide::Code::ServerRefused);
//! assert!(server.commands().iter().any(|command| command.starts_with("UID SEARCH")));
//! # session.close().await?;
//! # server.close().await
//! # }).unwrap();
//! ```

mod deliver;
mod options;

pub use crate::server::{Fault, FaultKind};
pub use deliver::Letter;
pub use options::TestOptions;

use crate::error::Result;
use crate::imap::Flag;
use crate::mail::{Mail, MailOptions};
use crate::secret::Secret;
use crate::server::{self, Faulty, ServerOptions};
use crate::session::{FetchOptions, Message, Selection, Target};
use std::net::SocketAddr;
use std::sync::Arc;
use tempfile::TempDir;

/// A server for tests, running until it is closed or dropped; its mail goes with it.
pub struct Server {
    server: Arc<server::Server>,
    mail: Mail,
    faulty: Arc<Faulty>,
    user: String,
    password: Secret,
    /// Removed when all of the above is gone.
    folder: TempDir,
}

impl Server {
    /// Starts it on a free port of this machine. To be called inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Code::UsageArgument`](crate::Code::UsageArgument) for a capability that the server does not offer, or a quirk
    /// that nobody has; what composing a draft says; `file.io` and `store.…` where a temporary store cannot be made.
    pub async fn start(options: TestOptions) -> Result<Self> {
        let faulty = Arc::new(Faulty::new(&options.without, &options.quirks)?);
        let folder = tempfile::Builder::new().prefix("mailtide-test-").tempdir();
        let folder = folder.map_err(|error| deliver::unwritten(&error))?;
        let mail = Mail::open(folder.path().join("test.mail"), MailOptions::default()).await?;
        let user = Some((options.user.clone(), options.password.clone()));
        let serving = ServerOptions { user, faulty: Some(Arc::clone(&faulty)), ..ServerOptions::default() };
        let server = Arc::new(mail.serve(serving).await?);
        let made = Self { server, mail, faulty, user: options.user, password: options.password, folder };
        for (mailbox, letters) in options.mail {
            made.put(Target::Name(mailbox), letters, &[]).await?;
        }
        Ok(made)
    }

    /// `imap://user@127.0.0.1:port`
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Who may log in.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// And with which password.
    #[must_use]
    pub fn password(&self) -> &Secret {
        &self.password
    }

    /// The server that clients meet, for all that it has beside this: its users, and their passwords.
    #[must_use]
    pub fn server(&self) -> &Arc<server::Server> {
        &self.server
    }

    /// Puts a message into a mailbox, as a delivery does: clients that wait are told. A mailbox that is missing is made.
    /// The UID of the message.
    ///
    /// # Errors
    ///
    /// [`Code::UsageArgument`](crate::Code::UsageArgument) for an empty message; what composing a draft says.
    pub async fn deliver(&self, mailbox: impl Into<Target>, letter: impl Into<Letter>, flags: &[Flag]) -> Result<u32> {
        let uids = self.put(mailbox.into(), vec![letter.into()], flags).await?;
        uids.into_iter().next().ok_or_else(|| crate::error::Code::Internal.into())
    }

    /// What a mailbox holds, oldest first: what clients have done to it, looked at from the other side.
    ///
    /// # Errors
    ///
    /// [`Code::MailboxMissing`](crate::Code::MailboxMissing).
    pub async fn messages(&self, mailbox: impl Into<Target>) -> Result<Vec<Message>> {
        let mut found = self.mail.mailbox(mailbox)?.fetch(Selection::All, FetchOptions::default());
        let mut all = Vec::new();
        while let Some(batch) = found.next_batch().await? {
            all.extend(batch);
        }
        Ok(all)
    }

    /// Has something go wrong once. Several wait side by side.
    ///
    /// # Errors
    ///
    /// [`Code::UsageArgument`](crate::Code::UsageArgument) for one that cannot happen: number 0, or NO after some bytes
    /// of an answer.
    pub fn fault(&self, fault: Fault) -> Result<()> {
        self.faulty.arm(fault)
    }

    /// The commands of all clients in the order in which they came, without tags, passwords and the contents of messages:
    /// the last 100,000.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        self.faulty.commands()
    }

    /// The mailbox behind it, for all that tests want to do on the other side.
    #[must_use]
    pub fn mail(&self) -> &Mail {
        &self.mail
    }

    /// Ends all connections, and removes the mail. Closing twice is fine.
    ///
    /// # Errors
    ///
    /// `file.io` where the temporary folder cannot be removed.
    pub async fn close(&self) -> Result<()> {
        self.server.close().await;
        self.mail.close().await?;
        match std::fs::remove_dir_all(self.folder.path()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(deliver::unwritten(&error)),
            _ => Ok(()),
        }
    }

    async fn put(&self, mailbox: Target, letters: Vec<Letter>, flags: &[Flag]) -> Result<Vec<u32>> {
        deliver::put(&self.mail, (mailbox, letters), flags, &self.user).await
    }
}

#[cfg(test)]
mod tests;
