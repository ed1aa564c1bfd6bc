//! What a session and a local mailbox have alike: their mailboxes.

use crate::error::thrown;
use crate::info::{info_json, status_json};
use crate::mailbox::Mailbox;
use crate::queue::Queue;
use crate::reply::Reply;
use crate::selection::{TargetInput, role};
use mailtide::{CreateOptions, ListOptions, Result};
use napi_derive::napi;
use std::sync::Arc;

/// The part of a session or a store that both have.
#[napi]
pub struct Mailboxes {
    queue: Arc<Queue>,
    inner: mailtide::Mailboxes,
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
impl Mailboxes {
    #[napi(getter)]
    pub fn closed(&self) -> bool {
        self.inner.is_closed()
    }

    #[napi]
    pub fn mailbox(&self, target: TargetInput) -> napi::Result<Mailbox> {
        let mailbox = self.inner.mailbox(target.into_target()?).map_err(|e| thrown(&e))?;
        Ok(Mailbox::new(Arc::clone(&self.queue), mailbox))
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
        self.start(id, async move |m| Ok(Reply::json(&status_json(&m.status(target).await?))));
        Ok(())
    }

    #[napi]
    pub fn close(&self, id: u32) {
        self.start(id, async move |m| m.close().await.map(Reply::from));
    }
}

impl Mailboxes {
    pub fn new(queue: Arc<Queue>, inner: mailtide::Mailboxes) -> Self {
        Self { queue, inner }
    }

    fn start<F>(&self, id: u32, call: impl FnOnce(mailtide::Mailboxes) -> F)
    where
        F: Future<Output = Result<Reply>> + Send + 'static,
    {
        self.queue.start(id, call(self.inner.clone()));
    }
}
