//! Local mailboxes.

use crate::account::AccountInput;
use crate::changes::Changes;
use crate::draft::DraftInput;
use crate::either::Either;
use crate::error::{bad_argument, thrown};
use crate::info::{info_json, status_json};
use crate::local::{KeepInput, SendInput, SyncInput, outgoing_json, pending_json, report_json, smtp, usage_json};
use crate::mailbox::Mailbox;
use crate::queue::Queue;
use crate::reply::Reply;
use crate::selection::{TargetInput, role};
use crate::session::{CreateInput, ListInput};
use mailtide::outbox::Decision;
use mailtide::{CreateOptions, FollowOptions, ListOptions, MailOptions, Result, Since};
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

    #[napi(getter)]
    pub fn closed(&self) -> bool {
        self.inner.is_closed()
    }

    #[napi]
    pub fn mailbox(&self, target: TargetInput) -> napi::Result<Mailbox> {
        let mailbox = self.inner.mailbox(target.into_target()?).map_err(|e| thrown(&e))?;
        Ok(Mailbox::new(Arc::clone(&self.queue), Either::Local(mailbox)))
    }

    #[napi]
    pub fn mailboxes(&self, id: u32, options: ListInput) {
        let options = ListOptions::from(options);
        self.start(id, async move |m| Ok(Reply::json(&m.mailboxes(options).await?.iter().map(info_json).collect())));
    }

    #[napi]
    pub fn create_mailbox(&self, id: u32, target: TargetInput, options: CreateInput) -> napi::Result<()> {
        let (target, role) = (target.into_target()?, options.role.as_deref().map(role).transpose()?);
        let options = CreateOptions { role, exist_ok: options.exist_ok.unwrap_or(false) };
        self.start(id, async move |m| Ok(Reply::Text(m.create_mailbox(target, options).await?)));
        Ok(())
    }

    #[napi]
    pub fn rename_mailbox(&self, id: u32, from: TargetInput, to: TargetInput) -> napi::Result<()> {
        let (from, to) = (from.into_target()?, to.into_target()?);
        self.start(id, async move |m| m.rename_mailbox(from, to).await.map(Reply::from));
        Ok(())
    }

    #[napi]
    pub fn delete_mailbox(&self, id: u32, target: TargetInput, even_if_not_empty: bool) -> napi::Result<()> {
        let target = target.into_target()?;
        self.start(id, async move |m| m.delete_mailbox(target, even_if_not_empty).await.map(Reply::from));
        Ok(())
    }

    #[napi]
    pub fn subscribe(&self, id: u32, target: TargetInput, on: bool) -> napi::Result<()> {
        let target = target.into_target()?;
        self.start(id, async move |m| m.subscribe(target, on).await.map(Reply::from));
        Ok(())
    }

    #[napi]
    pub fn status(&self, id: u32, target: TargetInput) -> napi::Result<()> {
        let target = target.into_target()?;
        self.start(id, async move |m| Ok(Reply::json(&status_json(&m.mailbox(target)?.status().await?))));
        Ok(())
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
    pub fn changes(&self, since: String) -> Changes {
        let since = if since == "now" { Since::Now } else { Since::Cursor(since) };
        Changes::new(Arc::clone(&self.queue), self.inner.changes(since))
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

    #[napi]
    pub fn close(&self, id: u32) {
        self.start(id, async move |m| m.close().await.map(Reply::from));
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
