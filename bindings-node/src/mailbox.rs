//! Mailboxes, of a session and of a local store.

use crate::append::Source;
use crate::info::status_json;
use crate::messages::Messages;
use crate::options::{AppendInput, FetchInput, WriteInput, since};
use crate::queue::Queue;
use crate::reply::{Reply, bulk_json, reference_json, refs_json};
use crate::selection::{Selection, TargetInput, flags};
use crate::watch::Watch;
use mailtide::{AnyMailbox, BulkResult, FlagChange, Result, WatchOptions};
use napi::bindgen_prelude::ClassInstance;
use napi_derive::napi;
use serde_json::json;
use std::sync::Arc;

/// A mailbox.
#[napi]
pub struct Mailbox {
    queue: Arc<Queue>,
    inner: AnyMailbox,
}

#[napi(object)]
pub struct WatchInput {
    pub since: String,
    pub poll_seconds: Option<u32>,
}

#[napi]
impl Mailbox {
    #[napi]
    pub fn fetch(&self, selection: &Selection, options: FetchInput) -> napi::Result<Messages> {
        let options = options.into_options(&self.queue)?;
        Ok(Messages::new(Arc::clone(&self.queue), self.inner.fetch(selection.inner(), options)))
    }

    #[napi]
    pub fn count(&self, id: u32, selection: &Selection, time_zone: Option<String>) {
        let selection = selection.inner();
        self.start(id, async move |m| Ok(Reply::Number(m.count(selection, time_zone).await? as f64)));
    }

    #[napi]
    pub fn search(&self, id: u32, selection: &Selection, exact: bool, time_zone: Option<String>) {
        let selection = selection.inner();
        self.start(id, async move |m| Ok(Reply::json(&refs_json(&m.search(selection, exact, time_zone).await?))));
    }

    #[napi]
    pub fn status(&self, id: u32) {
        self.start(id, async move |m| Ok(Reply::json(&status_json(&m.status().await?))));
    }

    #[napi]
    pub fn flag(
        &self,
        id: u32,
        selection: &Selection,
        add: Vec<String>,
        remove: Vec<String>,
        set: Option<Vec<String>>,
        options: WriteInput,
    ) -> napi::Result<()> {
        let change =
            FlagChange { add: flags(&add)?, remove: flags(&remove)?, set: set.as_deref().map(flags).transpose()? };
        let (selection, options) = (selection.inner(), options.into_options());
        self.start(id, async move |m| bulk(m.flag(selection, change, options).await));
        Ok(())
    }

    #[napi(js_name = "move")]
    pub fn move_to(&self, id: u32, selection: &Selection, to: TargetInput, options: WriteInput) -> napi::Result<()> {
        let (selection, to, options) = (selection.inner(), to.into_target()?, options.into_options());
        self.start(id, async move |m| bulk(m.move_to(selection, to, options).await));
        Ok(())
    }

    #[napi(js_name = "copy")]
    pub fn copy_to(&self, id: u32, selection: &Selection, to: TargetInput, options: WriteInput) -> napi::Result<()> {
        let (selection, to, options) = (selection.inner(), to.into_target()?, options.into_options());
        self.start(id, async move |m| bulk(m.copy_to(selection, to, options).await));
        Ok(())
    }

    #[napi]
    pub fn delete(&self, id: u32, selection: &Selection, options: WriteInput) {
        let (selection, options) = (selection.inner(), options.into_options());
        self.start(id, async move |m| bulk(m.delete(selection, options).await));
    }

    #[napi]
    pub fn expunge(&self, id: u32, selection: &Selection, options: WriteInput) {
        let (selection, options) = (selection.inner(), options.into_options());
        self.start(id, async move |m| bulk(m.expunge(selection, options).await));
    }

    #[napi]
    pub fn append(&self, id: u32, sources: Vec<ClassInstance<Source>>, options: AppendInput) -> napi::Result<()> {
        let options = options.into_options(&self.queue)?;
        let sources = sources.iter().map(|source| source.take()).collect::<napi::Result<Vec<_>>>()?;
        self.start(id, async move |m| {
            let appended = m.append_many(sources, options).await?;
            Ok(Reply::json(&appended.iter().map(|r| r.as_ref().map_or(json!(null), reference_json)).collect()))
        });
        Ok(())
    }

    #[napi]
    pub fn watch(&self, options: WatchInput) -> Watch {
        let options = WatchOptions { since: since(options.since), poll_seconds: options.poll_seconds };
        Watch::new(Arc::clone(&self.queue), self.inner.watch(options))
    }
}

impl Mailbox {
    pub fn new(queue: Arc<Queue>, inner: AnyMailbox) -> Self {
        Self { queue, inner }
    }

    fn start<F>(&self, id: u32, call: impl FnOnce(AnyMailbox) -> F)
    where
        F: Future<Output = Result<Reply>> + Send + 'static,
    {
        self.queue.start(id, call(self.inner.clone()));
    }
}

fn bulk(result: Result<BulkResult>) -> Result<Reply> {
    Ok(Reply::json(&bulk_json(&result?)))
}
