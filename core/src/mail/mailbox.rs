//! A mailbox of a local store, with the verbs of a live one.

use super::select::Found;
use super::{Mail, append, fetch, names, write};
use crate::bulk::{BulkResult, MessageRef};
use crate::error::Result;
use crate::session::{
    AppendOptions, AppendSource, FetchOptions, FlagChange, MailboxStatus, Messages, Selection, Target, WriteOptions,
};

/// A mailbox by its name. Making one does no I/O.
///
/// Reads come from the store. A change is there at once, in one transaction, and reaches the server with the next pass.
#[derive(Clone, Debug)]
pub struct LocalMailbox {
    mail: Mail,
    target: Target,
}

impl LocalMailbox {
    pub(super) fn new(mail: Mail, target: Target) -> Self {
        Self { mail, target }
    }

    /// How it was named.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The mail that it is part of.
    #[must_use]
    pub fn mail(&self) -> &Mail {
        &self.mail
    }

    /// The messages of a selection, with what `options` ask for. Nothing is read before the first batch is asked for.
    ///
    /// A query about words of a text that is not held has it fetched, or ends with
    /// [`Code::BodyNotHere`](crate::Code::BodyNotHere).
    #[must_use]
    pub fn fetch(&self, selection: impl Into<Selection>, options: FetchOptions) -> Messages {
        Messages::kept(fetch::Reading::new(self.clone(), selection.into(), options))
    }

    /// How many messages a selection holds.
    pub async fn count(&self, selection: impl Into<Selection>, time_zone: Option<String>) -> Result<u64> {
        Ok(Found::of(self, selection.into(), time_zone).await?.uids.len())
    }

    /// The addresses of the messages of a selection, by ascending UID. Words are always matched as the query language
    /// says; `_exact` is that of a live mailbox.
    pub async fn search(
        &self,
        selection: impl Into<Selection>,
        _exact: bool,
        time_zone: Option<String>,
    ) -> Result<Vec<MessageRef>> {
        let found = Found::of(self, selection.into(), time_zone).await?;
        Ok(found.uids.iter().map(|uid| found.reference(&self.mail, uid)).collect())
    }

    /// Its status, as it is here.
    pub async fn status(&self) -> Result<MailboxStatus> {
        let target = self.target.clone();
        self.mail.handle()?.read(move |reader| names::status(reader, &names::existing(reader, &target)?)).await
    }

    /// Changes flags.
    pub async fn flag(
        &self,
        selection: impl Into<Selection>,
        change: FlagChange,
        options: WriteOptions,
    ) -> Result<BulkResult> {
        write::flag(self, selection.into(), change, options).await
    }

    /// Moves messages.
    pub async fn move_to(
        &self,
        selection: impl Into<Selection>,
        target: impl Into<Target>,
        options: WriteOptions,
    ) -> Result<BulkResult> {
        write::move_to(self, selection.into(), target.into(), options).await
    }

    /// Copies messages.
    pub async fn copy_to(
        &self,
        selection: impl Into<Selection>,
        target: impl Into<Target>,
        options: WriteOptions,
    ) -> Result<BulkResult> {
        write::copy_to(self, selection.into(), target.into(), options).await
    }

    /// Moves messages to the mailbox for deleted ones.
    ///
    /// Where there is none, or this is it, nothing happens and the error names [`LocalMailbox::expunge`].
    pub async fn delete(&self, selection: impl Into<Selection>, options: WriteOptions) -> Result<BulkResult> {
        write::delete(self, selection.into(), options).await
    }

    /// Removes messages for good. For 30 days [`Mail::restore`] can bring them back.
    pub async fn expunge(&self, selection: impl Into<Selection>, options: WriteOptions) -> Result<BulkResult> {
        write::expunge(self, selection.into(), options).await
    }

    /// Adds a message, at most 2 GiB; its address. One of more than 4 MiB is streamed.
    pub async fn append(&self, source: AppendSource, options: AppendOptions) -> Result<Option<MessageRef>> {
        append::append(self, source, options).await.map(Some)
    }

    /// Adds several messages, each in a transaction of its own.
    pub async fn append_many(
        &self,
        sources: Vec<AppendSource>,
        options: AppendOptions,
    ) -> Result<Vec<Option<MessageRef>>> {
        let mut added = Vec::with_capacity(sources.len());
        for source in sources {
            added.push(self.append(source, options.clone()).await?);
        }
        Ok(added)
    }
}
