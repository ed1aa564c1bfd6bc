//! Fetches, and the batches in which their messages cross.

use crate::columns;
use crate::draft::{ForwardInput, ReplyInput};
use crate::error::{bad_argument, thrown};
use crate::options::progress;
use crate::queue::Queue;
use crate::reply::{Reply, headers_json};
use crate::stream::Stream;
use mailtide::{Message, Result};
use napi::Env;
use napi::bindgen_prelude::BufferSlice;
use napi_derive::napi;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Mutex as AsyncMutex;

/// The messages of one fetch.
#[napi]
pub struct Messages {
    queue: Arc<Queue>,
    /// `None` once closed: the fetch ends.
    inner: Arc<AsyncMutex<Option<mailtide::Messages>>>,
    exact: Arc<Mutex<Option<bool>>>,
}

#[napi]
impl Messages {
    #[napi(getter)]
    pub fn exact(&self) -> Option<bool> {
        *self.exact.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends with a [`Batch`], or with null at the end.
    #[napi]
    pub fn next(&self, id: u32) {
        let (queue, inner, exact) = (Arc::clone(&self.queue), Arc::clone(&self.inner), Arc::clone(&self.exact));
        self.queue.start(id, async move {
            let mut messages = inner.lock().await;
            let Some(messages) = messages.as_mut() else { return Ok(Reply::Null) };
            let batch = messages.next_batch().await?;
            *exact.lock().unwrap_or_else(PoisonError::into_inner) = messages.exact();
            Ok(batch.map_or(Reply::Null, |batch| Reply::Batch(columns::batch(&batch), batch, queue)))
        });
    }

    #[napi]
    pub fn close(&self) {
        let inner = Arc::clone(&self.inner);
        // Behind a call that is under way, if there is one: JavaScript has given that up before.
        self.queue.runtime().spawn(async move { inner.lock().await.take() });
    }
}

impl Messages {
    pub fn new(queue: Arc<Queue>, inner: mailtide::Messages) -> Self {
        Self { queue, inner: Arc::new(AsyncMutex::new(Some(inner))), exact: Arc::default() }
    }
}

/// Messages that crossed together, or an event and its message.
#[napi]
pub struct Batch {
    queue: Arc<Queue>,
    rows: String,
    messages: Vec<Message>,
}

#[napi]
impl Batch {
    /// The rows, as JSON; they are given once.
    #[napi]
    pub fn rows(&mut self) -> String {
        std::mem::take(&mut self.rows)
    }

    #[napi]
    pub fn text(&self, id: u32, index: u32) -> napi::Result<()> {
        self.start(id, index, async move |m| Ok(Reply::Text(m.text().await?)))
    }

    #[napi]
    pub fn html(&self, id: u32, index: u32) -> napi::Result<()> {
        self.start(id, index, async move |m| Ok(m.html().await?.map_or(Reply::Null, Reply::Text)))
    }

    #[napi]
    pub fn headers(&self, id: u32, index: u32) -> napi::Result<()> {
        self.start(id, index, async move |m| Ok(Reply::json(&headers_json(&m.headers().await?))))
    }

    #[napi]
    pub fn raw(&self, id: u32, index: u32) -> napi::Result<()> {
        self.start(id, index, async move |m| Ok(Reply::Bytes(m.raw().await?)))
    }

    /// What was loaded ahead crosses at once: a call that has nothing to wait for would cost more than the copy.
    #[napi]
    pub fn raw_at_hand<'env>(&self, env: &'env Env, index: u32) -> napi::Result<Option<BufferSlice<'env>>> {
        let raw = self.messages.get(index as usize).and_then(Message::raw_at_hand);
        raw.map(|bytes| BufferSlice::copy_from(env, bytes)).transpose()
    }

    #[napi]
    pub fn part(&self, id: u32, index: u32, path: String) -> napi::Result<()> {
        self.start(id, index, async move |m| Ok(Reply::Bytes(m.part(&path).await?)))
    }

    #[napi]
    pub fn save(&self, id: u32, index: u32, path: String, folder: String, told: Option<u32>) -> napi::Result<()> {
        let on_progress = told.map(|id| progress(self.queue.callback(id)));
        let folder = PathBuf::from(folder);
        self.start(id, index, async move |m| {
            Ok(Reply::Text(m.save_part(&path, &folder, on_progress).await?.to_string_lossy().into_owned()))
        })
    }

    /// Ends with a draft.
    #[napi]
    pub fn reply(&self, id: u32, index: u32, options: ReplyInput) -> napi::Result<()> {
        let options = options.into_options().map_err(|e| thrown(&e))?;
        self.start(id, index, async move |m| Ok(Reply::Draft(m.reply(&options).await?.into())))
    }

    /// Ends with a draft.
    #[napi]
    pub fn forward(&self, id: u32, index: u32, options: ForwardInput) -> napi::Result<()> {
        let options = options.into_options().map_err(|e| thrown(&e))?;
        self.start(id, index, async move |m| Ok(Reply::Draft(m.forward(&options).await?.into())))
    }

    #[napi]
    pub fn stream(&self, index: u32, path: Option<String>) -> napi::Result<Stream> {
        let inner = self.message(index)?.stream(path.as_deref()).map_err(|e| thrown(&e))?;
        Ok(Stream::new(Arc::clone(&self.queue), inner))
    }
}

impl Batch {
    pub fn new(queue: Arc<Queue>, rows: String, messages: Vec<Message>) -> Self {
        Self { queue, rows, messages }
    }

    fn message(&self, index: u32) -> napi::Result<Message> {
        self.messages.get(index as usize).cloned().ok_or_else(|| bad_argument("There is no such message"))
    }

    fn start<F>(&self, id: u32, index: u32, call: impl FnOnce(Message) -> F) -> napi::Result<()>
    where
        F: Future<Output = Result<Reply>> + Send + 'static,
    {
        self.queue.start(id, call(self.message(index)?));
        Ok(())
    }
}
