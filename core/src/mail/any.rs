//! A mailbox, and what holds mailboxes, of a server or of a store: the same verbs, for who does not care which.

use super::{LocalMailbox, Mail};
use crate::bulk::{BulkResult, MessageRef};
use crate::error::Result;
use crate::session::{
    AppendOptions, AppendSource, CreateOptions, FetchOptions, FlagChange, ListOptions, Mailbox, MailboxInfo,
    MailboxStatus, Messages, Selection, Session, Target, WriteOptions,
};
use crate::watch::{Watch, WatchOptions};

/// The same call on whichever it is.
macro_rules! on {
    ($any:expr, $one:ident => $call:expr) => {
        match $any {
            Self::Live($one) => $call,
            Self::Local($one) => $call,
        }
    };
}

/// A [`Mailbox`] of a session or a [`LocalMailbox`] of a store. Its verbs are theirs, and say what theirs do.
#[derive(Clone, Debug)]
pub enum AnyMailbox {
    /// Of a session.
    Live(Mailbox),
    /// Of a store.
    Local(LocalMailbox),
}

impl AnyMailbox {
    /// How it was named.
    #[must_use]
    pub fn target(&self) -> &Target {
        on!(self, mailbox => mailbox.target())
    }

    /// The messages of a selection.
    #[must_use]
    pub fn fetch(&self, selection: impl Into<Selection>, options: FetchOptions) -> Messages {
        on!(self, mailbox => mailbox.fetch(selection, options))
    }

    /// How many messages a selection holds.
    pub async fn count(&self, selection: impl Into<Selection>, time_zone: Option<String>) -> Result<u64> {
        on!(self, mailbox => mailbox.count(selection, time_zone).await)
    }

    /// The addresses of the messages of a selection, by ascending UID.
    pub async fn search(
        &self,
        selection: impl Into<Selection>,
        exact: bool,
        time_zone: Option<String>,
    ) -> Result<Vec<MessageRef>> {
        on!(self, mailbox => mailbox.search(selection, exact, time_zone).await)
    }

    /// Its status.
    pub async fn status(&self) -> Result<MailboxStatus> {
        on!(self, mailbox => mailbox.status().await)
    }

    /// Changes flags.
    pub async fn flag(
        &self,
        selection: impl Into<Selection>,
        change: FlagChange,
        options: WriteOptions,
    ) -> Result<BulkResult> {
        on!(self, mailbox => mailbox.flag(selection, change, options).await)
    }

    /// Moves messages.
    pub async fn move_to(
        &self,
        selection: impl Into<Selection>,
        target: impl Into<Target>,
        options: WriteOptions,
    ) -> Result<BulkResult> {
        on!(self, mailbox => mailbox.move_to(selection, target, options).await)
    }

    /// Copies messages.
    pub async fn copy_to(
        &self,
        selection: impl Into<Selection>,
        target: impl Into<Target>,
        options: WriteOptions,
    ) -> Result<BulkResult> {
        on!(self, mailbox => mailbox.copy_to(selection, target, options).await)
    }

    /// Moves messages to the mailbox for deleted ones.
    pub async fn delete(&self, selection: impl Into<Selection>, options: WriteOptions) -> Result<BulkResult> {
        on!(self, mailbox => mailbox.delete(selection, options).await)
    }

    /// Removes messages for good.
    pub async fn expunge(&self, selection: impl Into<Selection>, options: WriteOptions) -> Result<BulkResult> {
        on!(self, mailbox => mailbox.expunge(selection, options).await)
    }

    /// Adds a message; its address where that is told.
    pub async fn append(&self, source: AppendSource, options: AppendOptions) -> Result<Option<MessageRef>> {
        on!(self, mailbox => mailbox.append(source, options).await)
    }

    /// Adds several messages.
    pub async fn append_many(
        &self,
        sources: Vec<AppendSource>,
        options: AppendOptions,
    ) -> Result<Vec<Option<MessageRef>>> {
        on!(self, mailbox => mailbox.append_many(sources, options).await)
    }

    /// Follows it.
    #[must_use]
    pub fn watch(&self, options: WatchOptions) -> Watch {
        on!(self, mailbox => mailbox.watch(options))
    }
}

/// What holds mailboxes: a [`Session`] or a [`Mail`]. Its verbs are theirs, and say what theirs do.
#[derive(Clone, Debug)]
pub enum Mailboxes {
    /// On the server.
    Live(Session),
    /// In a store.
    Local(Mail),
}

impl Mailboxes {
    /// A mailbox. No I/O happens.
    pub fn mailbox(&self, target: impl Into<Target>) -> Result<AnyMailbox> {
        match self {
            Self::Live(session) => session.mailbox(target).map(AnyMailbox::Live),
            Self::Local(mail) => mail.mailbox(target).map(AnyMailbox::Local),
        }
    }

    /// The mailboxes that there are.
    pub async fn mailboxes(&self, options: ListOptions) -> Result<Vec<MailboxInfo>> {
        on!(self, holder => holder.mailboxes(options).await)
    }

    /// Makes a mailbox and returns its name.
    pub async fn create_mailbox(&self, target: impl Into<Target>, options: CreateOptions) -> Result<String> {
        on!(self, holder => holder.create_mailbox(target, options).await)
    }

    /// Gives a mailbox another name.
    pub async fn rename_mailbox(&self, from: impl Into<Target>, to: impl Into<Target>) -> Result<()> {
        on!(self, holder => holder.rename_mailbox(from, to).await)
    }

    /// Takes a mailbox away; one that is not empty only if told.
    pub async fn delete_mailbox(&self, target: impl Into<Target>, even_if_not_empty: bool) -> Result<()> {
        on!(self, holder => holder.delete_mailbox(target, even_if_not_empty).await)
    }

    /// Subscribes to a mailbox, or no longer.
    pub async fn subscribe(&self, target: impl Into<Target>, on: bool) -> Result<()> {
        on!(self, holder => holder.subscribe(target, on).await)
    }

    /// The status of a mailbox.
    pub async fn status(&self, target: impl Into<Target>) -> Result<MailboxStatus> {
        self.mailbox(target)?.status().await
    }

    /// Whether it has been closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        on!(self, holder => holder.is_closed())
    }

    /// Closes it. Closing twice is fine.
    pub async fn close(&self) -> Result<()> {
        on!(self, holder => holder.close().await)
    }
}
