//! Where the bytes of a new message come from.

use crate::bridge::Bridge;
use crate::error::bad_argument;
use crate::queue::Queue;
use crate::reply::Reply;
use bytes::Bytes;
use mailtide::{AppendSource, Code, MailError, Result};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc::{Sender, channel};

/// Pieces of a stream that may wait for the network.
const AHEAD: usize = 4;

/// A source; an append takes it once.
#[napi]
pub struct Source {
    queue: Arc<Queue>,
    inner: Mutex<Option<AppendSource>>,
    /// Of a stream, until its end.
    chunks: Mutex<Option<Sender<Result<Bytes>>>>,
}

#[napi]
impl Source {
    #[napi]
    pub fn bytes(bridge: &Bridge, bytes: Uint8Array) -> Self {
        Self::of(bridge, AppendSource::Bytes(Bytes::copy_from_slice(&bytes)), None)
    }

    #[napi]
    pub fn file(bridge: &Bridge, path: String) -> Self {
        Self::of(bridge, AppendSource::File(path.into()), None)
    }

    #[napi]
    pub fn stream(bridge: &Bridge, size: Option<f64>) -> Self {
        let (sender, chunks) = channel(AHEAD);
        Self::of(bridge, AppendSource::Stream { len: size.map(|n| n as u64), chunks }, Some(sender))
    }

    /// Ends with 1 when the piece was taken, with 0 when nobody takes any more.
    #[napi]
    pub fn write(&self, id: u32, chunk: Uint8Array) {
        let (sender, chunk) = (lock(&self.chunks).clone(), Bytes::copy_from_slice(&chunk));
        self.queue.start(id, async move {
            let Some(sender) = sender else { return Ok(Reply::Number(0.0)) };
            Ok(Reply::Number(if sender.send(Ok(chunk)).await.is_ok() { 1.0 } else { 0.0 }))
        });
    }

    /// Nothing more comes: all was written, or writing failed.
    #[napi]
    pub fn end(&self, failure: Option<String>) {
        drop(lock(&self.inner).take());
        let Some(sender) = lock(&self.chunks).take() else { return };
        if let Some(why) = failure {
            let error = MailError::new(Code::UsageArgument, format!("The stream to append failed: {why}"));
            self.queue.runtime().spawn(async move { sender.send(Err(error)).await });
        }
    }
}

impl Source {
    fn of(bridge: &Bridge, source: AppendSource, chunks: Option<Sender<Result<Bytes>>>) -> Self {
        Self { queue: bridge.queue(), inner: Mutex::new(Some(source)), chunks: Mutex::new(chunks) }
    }

    /// For the append.
    pub fn take(&self) -> napi::Result<AppendSource> {
        lock(&self.inner).take().ok_or_else(|| bad_argument("A source is appended once"))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
