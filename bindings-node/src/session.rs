//! Sessions.

use crate::info::{namespaces_json, raw_json};
use crate::mailboxes::Mailboxes;
use crate::queue::Queue;
use crate::reply::Reply;
use mailtide::Result;
use napi_derive::napi;
use serde_json::json;
use std::sync::Arc;

/// Live IMAP with one account.
#[napi]
pub struct Session {
    queue: Arc<Queue>,
    inner: mailtide::Session,
}

#[napi]
impl Session {
    #[napi(getter)]
    pub fn account(&self) -> String {
        self.inner.account().label()
    }

    /// What it has in common with a local mailbox.
    #[napi]
    pub fn common(&self) -> Mailboxes {
        Mailboxes::new(Arc::clone(&self.queue), mailtide::Mailboxes::Live(self.inner.clone()))
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
