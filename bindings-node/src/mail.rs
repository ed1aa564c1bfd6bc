//! Local mailboxes.

use crate::account::AccountInput;
use crate::archive::{ExportInput, ImportInput, exported_json, imported_json};
use crate::bridge::Bridge;
use crate::draft::{AddressInput, DraftInput};
use crate::error::{bad_argument, thrown};
use crate::local::{
    FollowInput, KeepInput, SendInput, SyncInput, TidyInput, deleted_json, keep_json, outgoing_json, paused_json,
    pending_json, repaired_json, report_json, sent_json, usage_json,
};
use crate::mailboxes::Mailboxes;
use crate::options::since;
use crate::queue::Queue;
use crate::reply::{Reply, reference_json};
use crate::search::{self, FindInput};
use crate::selection::{Selection, TargetInput};
use crate::server::ServeInput;
use crate::watch::Watch;
use mailtide::outbox::Decision;
use mailtide::{MailOptions, Result, SmtpAccount};
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
    pub sender: Option<AddressInput>,
    pub keep: Option<KeepInput>,
}

impl OpenInput {
    /// The engine's options.
    pub fn into_options(self, queue: &Arc<Queue>) -> napi::Result<MailOptions> {
        let account = self.account.map(|account| account.into_account(queue)).transpose()?;
        let keep = self.keep.map(KeepInput::into_rule).transpose()?;
        let submission = |server: String| SmtpAccount::named(&server, account.as_ref()).map_err(|e| thrown(&e));
        let smtp = self.smtp.map(submission).transpose()?;
        let sender = self.sender.map(|sender| sender.into_sender().map_err(|e| thrown(&e))).transpose()?;
        Ok(MailOptions { account, smtp, sender, keep, engine: None })
    }
}

/// Saves what can be saved of a damaged file.
#[napi]
pub fn repair(bridge: &Bridge, id: u32, path: String) {
    let call = async move { Ok(Reply::json(&repaired_json(&mailtide::Mail::repair(path).await?))) };
    bridge.queue().start(id, call);
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
        self.start(id, async move |m| Ok(Reply::json(&report_json(&m.sync(options).await?))));
    }

    #[napi]
    pub fn keep_in_sync(&self, id: u32, options: FollowInput) {
        let options = options.into_options(&self.queue);
        self.start(id, async move |m| m.keep_in_sync(options).await.map(Reply::from));
    }

    #[napi]
    pub fn changes(&self, begin: String) -> Watch {
        Watch::new(Arc::clone(&self.queue), self.inner.changes(since(begin)))
    }

    #[napi]
    pub fn cursor(&self, id: u32) {
        self.start(id, async move |m| Ok(Reply::Text(m.cursor().await?)));
    }

    /// Ends with a [`Batch`](crate::messages::Batch) of hits.
    #[napi]
    pub fn search(&self, id: u32, query: &Selection, options: FindInput) -> napi::Result<()> {
        let (query, options, queue) = (search::query(query.inner())?, options.into_options()?, Arc::clone(&self.queue));
        self.start(id, async move |m| Ok(search::found(m.search(query, options).await?, queue)));
        Ok(())
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
    pub fn deleted(&self, id: u32, limit: Option<u32>) {
        let limit = limit.map(|limit| limit as usize);
        self.start(id, async move |m| Ok(Reply::json(&m.deleted(limit).await?.iter().map(deleted_json).collect())));
    }

    #[napi]
    pub fn restore(&self, id: u32, message: i64, target: TargetInput) -> napi::Result<()> {
        let target = target.into_target()?;
        self.start(id, async move |m| Ok(Reply::json(&reference_json(&m.restore(message, target).await?))));
        Ok(())
    }

    #[napi]
    pub fn paused(&self, id: u32) {
        self.start(id, async move |m| Ok(Reply::json(&m.paused().await?.iter().map(paused_json).collect())));
    }

    #[napi]
    pub fn confirm(&self, id: u32, target: TargetInput) -> napi::Result<()> {
        let target = target.into_target()?;
        self.start(id, async move |m| m.confirm(target).await.map(Reply::from));
        Ok(())
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
    pub fn outgoing(&self, id: u32, message: i64) {
        self.start(id, async move |m| {
            Ok(Reply::json(&m.outgoing(message).await?.as_ref().map_or(json!(null), outgoing_json)))
        });
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
    pub fn send_due(&self, id: u32) {
        self.start(id, async move |m| Ok(Reply::json(&sent_json(&m.send_due().await?))));
    }

    #[napi]
    pub fn keep(&self, id: u32, target: Option<TargetInput>) -> napi::Result<()> {
        let target = target.map(TargetInput::into_target).transpose()?;
        self.start(id, async move |m| Ok(Reply::json(&keep_json(&m.keep(target).await?))));
        Ok(())
    }

    #[napi]
    pub fn set_keep(&self, id: u32, keep: Option<KeepInput>, target: Option<TargetInput>) -> napi::Result<()> {
        let target = target.map(TargetInput::into_target).transpose()?;
        let rule = keep.map(KeepInput::into_rule).transpose()?;
        self.start(id, async move |m| m.set_keep(target, rule).await.map(Reply::from));
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
    pub fn tidy(&self, id: u32, options: TidyInput) {
        self.start(id, async move |m| Ok(Reply::Number(m.tidy(options.into()).await? as f64)));
    }

    #[napi]
    pub fn backup(&self, id: u32, path: String) {
        self.start(id, async move |m| m.backup(path).await.map(Reply::from));
    }

    /// Serves it to other mail clients.
    #[napi]
    pub fn serve(&self, id: u32, options: ServeInput) -> napi::Result<()> {
        let (options, queue) = (options.into_options(self.inner.path(), &self.queue)?, Arc::clone(&self.queue));
        self.start(id, async move |m| Ok(Reply::Server(m.serve(options).await?.into(), queue)));
        Ok(())
    }

    #[napi]
    pub fn check(&self, id: u32) {
        self.start(id, async move |m| Ok(Reply::json(&json!(m.check().await?))));
    }

    #[napi]
    pub fn export(&self, id: u32, path: String, query: &Selection, options: ExportInput) -> napi::Result<()> {
        let options = options.into_options(query.inner(), &self.queue)?;
        self.start(id, async move |m| Ok(Reply::json(&exported_json(m.export(path, options).await?))));
        Ok(())
    }

    #[napi]
    pub fn import(&self, id: u32, path: String, options: ImportInput) -> napi::Result<()> {
        let options = options.into_options(&self.queue)?;
        self.start(id, async move |m| Ok(Reply::json(&imported_json(m.import(path, options).await?))));
        Ok(())
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
