//! Who hears what nobody asked for: the watch of a connection of its own.

use super::route::weight;
use crate::error::{Code, MailError, Result};
use crate::imap::Response;
use crate::wire::Frame;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

/// Memory that unheard responses may take before the connection waits for the watch.
const MOST: u64 = 4 << 20;

/// The connection's end.
#[derive(Debug)]
pub(crate) struct Observer {
    sender: mpsc::UnboundedSender<Box<(Response, u64)>>,
    backlog: Arc<Backlog>,
}

/// The watch's end.
#[derive(Debug)]
pub(crate) struct Observed {
    receiver: mpsc::UnboundedReceiver<Box<(Response, u64)>>,
    backlog: Arc<Backlog>,
}

#[derive(Debug, Default)]
struct Backlog {
    weight: AtomicU64,
    heard: Notify,
}

/// Both ends.
pub(crate) fn observer() -> (Observer, Observed) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let backlog = Arc::<Backlog>::default();
    (Observer { sender, backlog: Arc::clone(&backlog) }, Observed { receiver, backlog })
}

impl Observer {
    pub fn tell(&self, response: Response, frame: &Frame) {
        let weight = weight(&response, frame);
        self.backlog.weight.fetch_add(weight, Ordering::Relaxed);
        let _ = self.sender.send(Box::new((response, weight)));
    }

    /// What came with the login; its amount is bounded already.
    pub fn tell_first(&self, response: Response) {
        let _ = self.sender.send(Box::new((response, 0)));
    }

    /// Waits until the watch has heard enough of what it was told; an error when it does not listen for `patience`.
    pub async fn room(&self, patience: Duration) -> Result<()> {
        let heard = async {
            while self.backlog.weight.load(Ordering::Relaxed) > MOST && !self.sender.is_closed() {
                self.backlog.heard.notified().await;
            }
        };
        let deaf = |_| MailError::new(Code::LimitExceeded, "The server tells of more than can be kept");
        tokio::time::timeout(patience, heard).await.map_err(deaf)
    }
}

impl Observed {
    /// The next response; `None` when the connection has ended. May be given up and called again.
    pub async fn next(&mut self) -> Option<Response> {
        let (response, weight) = *self.receiver.recv().await?;
        self.heard(weight);
        Some(response)
    }

    /// The next response, if there is one already.
    pub fn ready(&mut self) -> Option<Response> {
        let (response, weight) = *self.receiver.try_recv().ok()?;
        self.heard(weight);
        Some(response)
    }

    fn heard(&self, weight: u64) {
        self.backlog.weight.fetch_sub(weight, Ordering::Relaxed);
        // Kept for a connection that begins to wait only now.
        self.backlog.heard.notify_one();
    }
}
