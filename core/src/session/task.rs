//! Work that goes on while its caller thinks, and ends when the caller is gone.

use crate::error::{Code, MailError, Result};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// A spawned piece of work; dropping it gives it up.
#[derive(Debug)]
pub(crate) struct Task<T>(JoinHandle<Result<T>>);

impl<T: Send + 'static> Task<T> {
    pub fn spawn(runtime: &Handle, work: impl Future<Output = Result<T>> + Send + 'static) -> Self {
        Self(runtime.spawn(work))
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let result = ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(result.unwrap_or_else(|e| {
            let code = if e.is_cancelled() { Code::Cancelled } else { Code::Internal };
            Err(MailError::new(code, "The work was given up"))
        }))
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
