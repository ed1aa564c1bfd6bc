//! Local mailboxes.

use crate::account::AccountInput;
use crate::draft::DraftInput;
use crate::error::{bad_argument, thrown};
use crate::local::{KeepInput, SendInput, SyncInput, outgoing_json, pending_json, report_json, smtp, usage_json};
use crate::mailboxes::Mailboxes;
use crate::options::since;
use crate::queue::Queue;
use crate::reply::Reply;
use crate::watch::Watch;
use mailtide::outbox::Decision;
use mailtide::{FollowOptions, MailOptions, Result};
use napi_derive::napi;
use serde_json::json;
use std::sync::Arc;

/// A store in step with an account.
#[napi]
pub struct Mail {
    queue: Arc<Queue>,
    inner: mailtide::Mail,
}

/// What a store is opened with.
#[napi(object)]
pub struct OpenInput {
    pub account: Option<AccountInput>,
    pub smtp: Option<String>,
    pub keep: Option<KeepInput>,
}

impl OpenInput {
    /// The engine's options.
    pub fn into_options(self, queue: &Arc<Queue>) -> napi::Result<MailOptions> {
        let account = self.account.map(|account| account.into_account(queue)).transpose()?;
        let keep = self.keep.map(KeepInput::into_rule).transpose()?;
        let submission = |server: String| smtp(&server, account.as_ref()).map_err(|e| thrown(&e));
        let smtp = self.smtp.map(submission).transpose()?;
        Ok(MailOptions { account, smtp, keep, engine: None })
    }
}

#[napi]
impl Mail {
    #[napi(getter)]
    pub fn account(&self) -> Option<String> {
        self.inner.account().map(mailtide::Account::label)
    }

    /// What it has in common with a session.
    #[napi]
    pub fn common(&self) -> Mailboxes {
        Mailboxes::new(Arc::clone(&self.queue), mailtide::Mailboxes::Local(self.inner.clone()))
    }

    #[napi]
    pub fn sync(&self, id: u32, options: SyncInput) {
        let options = options.into_options(&self.queue);
        self.start(id, async move |m| Ok(Reply::json(&report_json(&m, m.sync(options).await?).await?)));
    }

    #[napi]
    pub fn keep_in_sync(&self, id: u32) {
        self.start(id, async move |m| m.keep_in_sync(FollowOptions::default()).await.map(Reply::from));
    }

    #[napi]
    pub fn changes(&self, begin: String) -> Watch {
        Watch::new(Arc::clone(&self.queue), self.inner.changes(since(begin)))
    }

    #[napi]
    pub fn cursor(&self, id: u32) {
        self.start(id, async move |m| Ok(Reply::Text(m.cursor().await?)));
    }

    #[napi]
    pub fn pending(&self, id: u32) {
        self.start(id, async move |m| Ok(Reply::json(&m.pending().await?.iter().map(pending_json).collect())));
    }

    #[napi]
    pub fn retry(&self, id: u32, change: i64) {
        self.start(id, async move |m| m.retry(change).await.map(Reply::from));
    }

    #[napi]
    pub fn drop(&self, id: u32, change: i64) {
        self.start(id, async move |m| Ok(Reply::json(&json!(m.drop_pending(change).await?))));
    }

    #[napi]
    pub fn send(&self, id: u32, draft: DraftInput, options: SendInput) -> napi::Result<()> {
        let (draft, options) = (draft.into_draft()?, options.into_options()?);
        self.start(id, async move |m| Ok(Reply::json(&outgoing_json(&m.send(&draft, &options).await?))));
        Ok(())
    }

    #[napi]
    pub fn outbox(&self, id: u32) {
        self.start(id, async move |m| Ok(Reply::json(&m.outbox().await?.iter().map(outgoing_json).collect())));
    }

    #[napi]
    pub fn cancel(&self, id: u32, message: i64) {
        self.start(id, async move |m| Ok(Reply::json(&outgoing_json(&m.cancel(message).await?))));
    }

    #[napi]
    pub fn decide(&self, id: u32, message: i64, decision: String) -> napi::Result<()> {
        let decision = match decision.as_str() {
            "resend" => Decision::Resend,
            "sent" => Decision::Sent,
            "drop" => Decision::Drop,
            _ => return Err(bad_argument("A decision is resend, sent or drop")),
        };
        self.start(id, async move |m| Ok(Reply::json(&outgoing_json(&m.decide(message, decision).await?))));
        Ok(())
    }

    #[napi]
    pub fn usage(&self, id: u32) {
        self.start(id, async move |m| Ok(Reply::json(&usage_json(&m.usage().await?))));
    }

    #[napi]
    pub fn evict(&self, id: u32, bytes: f64) {
        self.start(id, async move |m| {
            let evicted = m.evict(bytes as u64).await?;
            Ok(Reply::json(&json!({ "bodies": evicted.bodies, "bytes": evicted.bytes })))
        });
    }

    #[napi]
    pub fn backup(&self, id: u32, path: String) {
        self.start(id, async move |m| m.backup(path).await.map(Reply::from));
    }

    #[napi]
    pub fn check(&self, id: u32) {
        self.start(id, async move |m| Ok(Reply::json(&json!(m.check().await?))));
    }
}

impl Mail {
    pub fn new(queue: Arc<Queue>, inner: mailtide::Mail) -> Self {
        Self { queue, inner }
    }

    fn start<F>(&self, id: u32, call: impl FnOnce(mailtide::Mail) -> F)
    where
        F: Future<Output = Result<Reply>> + Send + 'static,
    {
        self.queue.start(id, call(self.inner.clone()));
    }
}
