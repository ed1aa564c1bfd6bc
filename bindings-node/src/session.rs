//! Sessions.

use crate::either::Either;
use crate::error::thrown;
use crate::info::{info_json, namespaces_json, raw_json, status_json};
use crate::mailbox::Mailbox;
use crate::queue::Queue;
use crate::reply::Reply;
use crate::selection::{TargetInput, role};
use mailtide::{CreateOptions, ListOptions, Result};
use napi_derive::napi;
use serde_json::json;
use std::sync::Arc;

/// Live IMAP with one account.
#[napi]
pub struct Session {
    queue: Arc<Queue>,
    inner: mailtide::Session,
}

/// What mailboxes to list.
#[napi(object)]
pub struct ListInput {
    pub pattern: Option<String>,
    pub subscribed: Option<bool>,
    pub status: Option<bool>,
}

impl From<ListInput> for ListOptions {
    fn from(given: ListInput) -> Self {
        let ListInput { pattern, subscribed, status } = given;
        Self { pattern, subscribed: subscribed.unwrap_or(false), status: status.unwrap_or(false) }
    }
}

/// How to create a mailbox.
#[napi(object)]
pub struct CreateInput {
    pub role: Option<String>,
    pub exist_ok: Option<bool>,
}

#[napi]
impl Session {
    #[napi(getter)]
    pub fn account(&self) -> String {
        self.inner.account().label()
    }

    #[napi(getter)]
    pub fn closed(&self) -> bool {
        self.inner.is_closed()
    }

    #[napi]
    pub fn mailbox(&self, target: TargetInput) -> napi::Result<Mailbox> {
        let mailbox = self.inner.mailbox(target.into_target()?).map_err(|e| thrown(&e))?;
        Ok(Mailbox::new(Arc::clone(&self.queue), Either::Live(mailbox)))
    }

    #[napi]
    pub fn mailboxes(&self, id: u32, options: ListInput) {
        let options = ListOptions::from(options);
        self.start(id, async move |s| Ok(Reply::json(&s.mailboxes(options).await?.iter().map(info_json).collect())));
    }

    #[napi]
    pub fn create_mailbox(&self, id: u32, target: TargetInput, options: CreateInput) -> napi::Result<()> {
        let (target, role) = (target.into_target()?, options.role.as_deref().map(role).transpose()?);
        let options = CreateOptions { role, exist_ok: options.exist_ok.unwrap_or(false) };
        self.start(id, async move |s| Ok(Reply::Text(s.create_mailbox(target, options).await?)));
        Ok(())
    }

    #[napi]
    pub fn rename_mailbox(&self, id: u32, from: TargetInput, to: TargetInput) -> napi::Result<()> {
        let (from, to) = (from.into_target()?, to.into_target()?);
        self.start(id, async move |s| s.rename_mailbox(from, to).await.map(Reply::from));
        Ok(())
    }

    #[napi]
    pub fn delete_mailbox(&self, id: u32, target: TargetInput, even_if_not_empty: bool) -> napi::Result<()> {
        let target = target.into_target()?;
        self.start(id, async move |s| s.delete_mailbox(target, even_if_not_empty).await.map(Reply::from));
        Ok(())
    }

    #[napi]
    pub fn subscribe(&self, id: u32, target: TargetInput, on: bool) -> napi::Result<()> {
        let target = target.into_target()?;
        self.start(id, async move |s| s.subscribe(target, on).await.map(Reply::from));
        Ok(())
    }

    #[napi]
    pub fn status(&self, id: u32, target: TargetInput) -> napi::Result<()> {
        let target = target.into_target()?;
        self.start(id, async move |s| Ok(Reply::json(&status_json(&s.status(target).await?))));
        Ok(())
    }

    #[napi]
    pub fn namespaces(&self, id: u32) {
        self.start(id, async move |s| Ok(Reply::json(&namespaces_json(&s.namespaces().await?))));
    }

    #[napi]
    pub fn id(&self, id: u32, fields: Vec<(String, Option<String>)>) {
        self.start(id, async move |s| Ok(Reply::json(&json!(s.id(fields).await?))));
    }

    #[napi]
    pub fn capabilities(&self, id: u32) {
        self.start(id, async move |s| Ok(Reply::json(&json!(s.capabilities().await?))));
    }

    #[napi]
    pub fn noop(&self, id: u32) {
        self.start(id, async move |s| s.noop().await.map(Reply::from));
    }

    #[napi]
    pub fn raw(&self, id: u32, command: String) {
        self.start(id, async move |s| Ok(Reply::json(&raw_json(&s.raw(&command).await?))));
    }

    #[napi]
    pub fn close(&self, id: u32) {
        self.start(id, async move |s| s.close().await.map(Reply::from));
    }
}

impl Session {
    pub fn new(queue: Arc<Queue>, inner: mailtide::Session) -> Self {
        Self { queue, inner }
    }

    fn start<F>(&self, id: u32, call: impl FnOnce(mailtide::Session) -> F)
    where
        F: Future<Output = Result<Reply>> + Send + 'static,
    {
        self.queue.start(id, call(self.inner.clone()));
    }
}
