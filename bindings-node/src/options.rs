//! Options of the verbs of a mailbox, from JavaScript to the engine's.

use crate::error::bad_argument;
use crate::queue::{Callback, Queue};
use crate::selection::flags;
use mailtide::imap::InternalDate;
use mailtide::{AppendOptions, Columns, FetchOptions, OnProgress, Order, Parts, Progress, Since, WriteOptions};
use napi_derive::napi;
use serde_json::json;
use std::sync::Arc;

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

impl FetchInput {
    pub fn into_options(self, queue: &Arc<Queue>) -> napi::Result<FetchOptions> {
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
    pub fn into_options(self) -> WriteOptions {
        let Self { limit, partial, create, time_zone } = self;
        WriteOptions { limit: limit.map(|n| n as u64), partial, create, time_zone }
    }
}

impl AppendInput {
    pub fn into_options(self, queue: &Arc<Queue>) -> napi::Result<AppendOptions> {
        let on_progress = self.progress.map(|id| progress(queue.callback(id)));
        let offset = i16::try_from(self.received_offset.unwrap_or(0));
        let offset = offset.map_err(|_| bad_argument("receivedOffset is in minutes, from -720 to 840"))?;
        let received = self.received_seconds.map(|seconds| InternalDate { seconds: seconds as i64, offset });
        Ok(AppendOptions { flags: flags(&self.flags)?, received, create: self.create, on_progress })
    }
}

/// Where a watch begins: `now`, `all`, or a cursor.
pub fn since(text: String) -> Since {
    match text.as_str() {
        "now" => Since::Now,
        "all" => Since::All,
        _ => Since::Cursor(text),
    }
}

/// A callback for progress.
pub fn progress(callback: Arc<Callback>) -> OnProgress {
    OnProgress(Arc::new(move |p: Progress| {
        callback.tell(&json!({ "phase": p.phase, "done": p.done, "total": p.total, "bytes": p.bytes }));
    }))
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
    let mut columns = Columns::NONE;
    for name in names {
        match name.as_str() {
            "flags" => columns.flags = true,
            "received" => columns.received = true,
            "size" => columns.size = true,
            "envelope" => columns.envelope = true,
            "structure" => columns.structure = true,
            "thread" => columns.thread = true,
            _ => return Err(bad_argument(format!("There is no column {name:?}"))),
        }
    }
    Ok(columns)
}
