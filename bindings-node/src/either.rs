//! A mailbox of a session or of a local store: the same verbs, so one class for both.

use mailtide::{
    AppendOptions, AppendSource, BulkResult, FetchOptions, FlagChange, LocalMailbox, MailboxStatus, MessageRef,
    Messages, Result, Selection, Target, WriteOptions,
};

/// Either of the two.
#[derive(Clone)]
pub enum Either {
    Live(mailtide::Mailbox),
    Local(LocalMailbox),
}

/// The call on whichever it is.
macro_rules! on {
    ($either:expr, $mailbox:ident => $call:expr) => {
        match $either {
            Either::Live($mailbox) => $call,
            Either::Local($mailbox) => $call,
        }
    };
}

impl Either {
    pub fn fetch(&self, selection: Selection, options: FetchOptions) -> Messages {
        on!(self, m => m.fetch(selection, options))
    }

    pub async fn count(&self, selection: Selection, zone: Option<String>) -> Result<u64> {
        on!(self, m => m.count(selection, zone).await)
    }

    pub async fn search(&self, selection: Selection, exact: bool, zone: Option<String>) -> Result<Vec<MessageRef>> {
        on!(self, m => m.search(selection, exact, zone).await)
    }

    pub async fn status(&self) -> Result<MailboxStatus> {
        on!(self, m => m.status().await)
    }

    pub async fn flag(&self, selection: Selection, change: FlagChange, options: WriteOptions) -> Result<BulkResult> {
        on!(self, m => m.flag(selection, change, options).await)
    }

    pub async fn move_to(&self, selection: Selection, to: Target, options: WriteOptions) -> Result<BulkResult> {
        on!(self, m => m.move_to(selection, to, options).await)
    }

    pub async fn copy_to(&self, selection: Selection, to: Target, options: WriteOptions) -> Result<BulkResult> {
        on!(self, m => m.copy_to(selection, to, options).await)
    }

    pub async fn delete(&self, selection: Selection, options: WriteOptions) -> Result<BulkResult> {
        on!(self, m => m.delete(selection, options).await)
    }

    pub async fn expunge(&self, selection: Selection, options: WriteOptions) -> Result<BulkResult> {
        on!(self, m => m.expunge(selection, options).await)
    }

    pub async fn append_many(
        &self,
        sources: Vec<AppendSource>,
        options: AppendOptions,
    ) -> Result<Vec<Option<MessageRef>>> {
        on!(self, m => m.append_many(sources, options).await)
    }
}
