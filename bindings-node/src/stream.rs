//! Bytes that come in pieces.

use crate::queue::Queue;
use crate::reply::Reply;
use mailtide::PartStream;
use napi_derive::napi;
use std::sync::Arc;
use tokio::sync::Mutex;

/// The bytes of a message or part.
#[napi]
pub struct Stream {
    queue: Arc<Queue>,
    /// `None` once closed: the transfer ends.
    inner: Arc<Mutex<Option<PartStream>>>,
}

#[napi]
impl Stream {
    /// Ends with a piece, or with null at the end.
    #[napi]
    pub fn next(&self, id: u32) {
        let inner = Arc::clone(&self.inner);
        self.queue.start(id, async move {
            let mut stream = inner.lock().await;
            let Some(stream) = stream.as_mut() else { return Ok(Reply::Null) };
            Ok(stream.next().await?.map_or(Reply::Null, Reply::Bytes))
        });
    }

    #[napi]
    pub fn close(&self) {
        let inner = Arc::clone(&self.inner);
        self.queue.runtime().spawn(async move { inner.lock().await.take() });
    }
}

impl Stream {
    pub fn new(queue: Arc<Queue>, inner: PartStream) -> Self {
        Self { queue, inner: Arc::new(Mutex::new(Some(inner))) }
    }
}
