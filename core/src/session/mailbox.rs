//! A mailbox of a session.

use super::fetching::Fetching;
use super::messages::Messages;
use super::options::{AppendOptions, FetchOptions, FlagChange, WriteOptions};
use super::selection::{Selection, Target};
use super::session::Session;
use super::{AppendSource, MailboxStatus, append, find, manage, write};
use crate::bulk::{BulkResult, MessageRef};
use crate::error::{Code, MailError, Result};
use std::sync::Arc;

/// A mailbox by its name. Making one does no I/O; every call opens it as it needs to.
#[derive(Clone, Debug)]
pub struct Mailbox {
    session: Session,
    target: Target,
}

impl Mailbox {
    pub(super) fn new(session: Session, target: Target) -> Self {
        Self { session, target }
    }

    /// How it was named.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Its session.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The messages of a selection, with what `options` ask for. No I/O happens before the first batch is asked for.
    ///
    /// Nothing is marked as seen. Other calls on the session may be made between batches, and dropping the
    /// [`Messages`] ends the fetch.
    #[must_use]
    pub fn fetch(&self, selection: impl Into<Selection>, options: FetchOptions) -> Messages {
        Messages::live(Fetching::new(self.clone(), selection.into(), options))
    }

    /// How many messages a selection holds.
    pub async fn count(&self, selection: impl Into<Selection>, time_zone: Option<String>) -> Result<u64> {
        find::count(self, selection.into(), time_zone).await
    }

    /// The addresses of the messages of a selection, by ascending UID.
    ///
    /// With `exact` the engine matches words itself where the server might match them otherwise.
    pub async fn search(
        &self,
        selection: impl Into<Selection>,
        exact: bool,
        time_zone: Option<String>,
    ) -> Result<Vec<MessageRef>> {
        find::search(self, selection.into(), exact, time_zone).await
    }

    /// Its status, as the server sees it now.
    pub async fn status(&self) -> Result<MailboxStatus> {
        manage::status(&self.session, &self.target).await
    }

    /// Changes flags.
    ///
    /// UIDs that are not there are passed over by servers without a word (RFC 9051 section 6.4.9), and count as done.
    pub async fn flag(
        &self,
        selection: impl Into<Selection>,
        change: FlagChange,
        options: WriteOptions,
    ) -> Result<BulkResult> {
        write::flag(self, selection.into(), change, options).await
    }

    /// Moves messages: MOVE (RFC 6851), or COPY, STORE and UID EXPUNGE of just these. Never a plain EXPUNGE.
    pub async fn move_to(
        &self,
        selection: impl Into<Selection>,
        target: impl Into<Target>,
        options: WriteOptions,
    ) -> Result<BulkResult> {
        write::move_to(self, selection.into(), &target.into(), options).await
    }

    /// Copies messages.
    pub async fn copy_to(
        &self,
        selection: impl Into<Selection>,
        target: impl Into<Target>,
        options: WriteOptions,
    ) -> Result<BulkResult> {
        write::copy_to(self, selection.into(), &target.into(), options).await
    }

    /// Moves messages to the mailbox for deleted ones.
    ///
    /// Where there is none, or this is it, nothing happens and the error names [`Mailbox::expunge`].
    pub async fn delete(&self, selection: impl Into<Selection>, options: WriteOptions) -> Result<BulkResult> {
        write::delete(self, selection.into(), options).await
    }

    /// Removes messages for good: `\Deleted` and UID EXPUNGE of just these (UIDPLUS, RFC 4315). On a server without it
    /// this is [`Code::ServerUnsupported`], since a plain EXPUNGE would take what others have marked as well.
    pub async fn expunge(&self, selection: impl Into<Selection>, options: WriteOptions) -> Result<BulkResult> {
        write::expunge(self, selection.into(), options).await
    }

    /// Adds a message; its address where the server tells it (UIDPLUS).
    pub async fn append(&self, source: AppendSource, options: AppendOptions) -> Result<Option<MessageRef>> {
        Ok(append::append(self, vec![source], options).await?.pop().flatten())
    }

    /// Adds several messages, in one command where the server can (MULTIAPPEND, RFC 3502).
    pub async fn append_many(
        &self,
        sources: Vec<AppendSource>,
        options: AppendOptions,
    ) -> Result<Vec<Option<MessageRef>>> {
        append::append(self, sources, options).await
    }

    /// Its decoded name on the server.
    pub(crate) async fn name(&self) -> Result<String> {
        self.session.names().resolve(&self.session, &self.target).await
    }

    /// The address of one of its messages.
    pub(crate) fn reference(&self, name: &Arc<str>, uid_validity: u32, uid: u32) -> MessageRef {
        MessageRef { account: Arc::clone(self.session.label()), mailbox: Arc::clone(name), uid_validity, uid }
    }

    /// Refuses writes on a session that was opened read-only.
    pub(crate) fn writable(&self) -> Result<()> {
        if self.session.account().read_only {
            return Err(MailError::new(Code::UsageReadOnly, "The session was opened read-only"));
        }
        Ok(())
    }
}
