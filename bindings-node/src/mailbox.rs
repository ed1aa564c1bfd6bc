//! Mailboxes.

use crate::append::Source;
use crate::messages::Messages;
use crate::queue::{Callback, Queue};
use crate::reply::{Reply, bulk_json, reference_json, refs_json};
use crate::selection::{Selection, TargetInput, flags};
use crate::watch::Watch;
use crate::{error::bad_argument, info::status_json};
use mailtide::imap::InternalDate;
use mailtide::{
    AppendOptions, BulkResult, Columns, FetchOptions, FlagChange, OnProgress, Order, Parts, Progress, Result, Since,
    WatchOptions, WriteOptions,
};
use napi::bindgen_prelude::ClassInstance;
use napi_derive::napi;
use serde_json::json;
use std::sync::Arc;

/// A mailbox of a session.
#[napi]
pub struct Mailbox {
    queue: Arc<Queue>,
    inner: mailtide::Mailbox,
}

#[napi(object)]
pub struct FetchInput {
    pub parts: Vec<String>,
    pub columns: Option<Vec<String>>,
    pub limit: Option<f64>,
    pub newest: bool,
    pub exact: bool,
    pub time_zone: Option<String>,
    pub progress: Option<u32>,
}

#[napi(object)]
pub struct WriteInput {
    pub limit: Option<f64>,
    pub partial: bool,
    pub create: bool,
    pub time_zone: Option<String>,
}

#[napi(object)]
pub struct AppendInput {
    pub flags: Vec<String>,
    pub received_seconds: Option<f64>,
    pub received_offset: Option<i32>,
    pub create: bool,
    pub progress: Option<u32>,
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
        let since = match options.since.as_str() {
            "now" => Since::Now,
            "all" => Since::All,
            _ => Since::Cursor(options.since),
        };
        let options = WatchOptions { since, poll_seconds: options.poll_seconds };
        // The watch starts tasks of its own.
        let _entered = self.queue.runtime().enter();
        Watch::new(Arc::clone(&self.queue), self.inner.watch(options))
    }
}

impl Mailbox {
    pub fn new(queue: Arc<Queue>, inner: mailtide::Mailbox) -> Self {
        Self { queue, inner }
    }

    fn start<F>(&self, id: u32, call: impl FnOnce(mailtide::Mailbox) -> F)
    where
        F: Future<Output = Result<Reply>> + Send + 'static,
    {
        self.queue.start(id, call(self.inner.clone()));
    }
}

impl FetchInput {
    fn into_options(self, queue: &Arc<Queue>) -> napi::Result<FetchOptions> {
        let on_progress = self.progress.map(|id| progress(queue.callback(id)));
        Ok(FetchOptions {
            parts: parts(&self.parts)?,
            columns: self.columns.as_deref().map_or(Ok(Columns::default()), columns)?,
            limit: self.limit.map(|n| n as u64),
            order: if self.newest { Order::Newest } else { Order::Oldest },
            exact: self.exact,
            time_zone: self.time_zone,
            on_progress,
        })
    }
}

impl WriteInput {
    fn into_options(self) -> WriteOptions {
        let Self { limit, partial, create, time_zone } = self;
        WriteOptions { limit: limit.map(|n| n as u64), partial, create, time_zone }
    }
}

impl AppendInput {
    fn into_options(self, queue: &Arc<Queue>) -> napi::Result<AppendOptions> {
        let on_progress = self.progress.map(|id| progress(queue.callback(id)));
        let offset = i16::try_from(self.received_offset.unwrap_or(0));
        let offset = offset.map_err(|_| bad_argument("receivedOffset is in minutes, from -720 to 840"))?;
        let received = self.received_seconds.map(|seconds| InternalDate { seconds: seconds as i64, offset });
        Ok(AppendOptions { flags: flags(&self.flags)?, received, create: self.create, on_progress })
    }
}

/// A callback for progress.
pub fn progress(callback: Arc<Callback>) -> OnProgress {
    OnProgress(Arc::new(move |p: Progress| {
        callback.tell(&json!({ "phase": p.phase, "done": p.done, "total": p.total, "bytes": p.bytes }));
    }))
}

fn bulk(result: Result<BulkResult>) -> Result<Reply> {
    Ok(Reply::json(&bulk_json(&result?)))
}

fn parts(names: &[String]) -> napi::Result<Parts> {
    let mut parts = Parts::default();
    for name in names {
        match name.as_str() {
            "text" => parts.text = true,
            "html" => parts.html = true,
            "headers" => parts.headers = true,
            "raw" => parts.raw = true,
            _ => return Err(bad_argument(format!("There is no part {name:?}; there are text, html, headers, raw"))),
        }
    }
    Ok(parts)
}

fn columns(names: &[String]) -> napi::Result<Columns> {
    let mut columns = Columns { flags: false, received: false, size: false, envelope: false, structure: false };
    for name in names {
        match name.as_str() {
            "flags" => columns.flags = true,
            "received" => columns.received = true,
            "size" => columns.size = true,
            "envelope" => columns.envelope = true,
            "structure" => columns.structure = true,
            _ => return Err(bad_argument(format!("There is no column {name:?}"))),
        }
    }
    Ok(columns)
}
