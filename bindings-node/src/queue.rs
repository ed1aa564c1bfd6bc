//! What waits to cross to one JavaScript thread, and the tasks that will put something there. Knows no Node.
//!
//! Ids are chosen by JavaScript. Many entries cross with one wake-up: the waker is called when the queue was empty.

use crate::reply::Reply;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use mailtide::{Code, MailError, Result};
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

/// Notices (log lines, progress) that may wait. A thread that is busy for long loses the rest, not its memory.
const MOST_NOTICES: usize = 10_000;

/// Something for JavaScript.
pub enum Entry {
    /// A call has ended.
    Reply(u32, Result<Reply>),
    /// A callback is told something and nobody waits for what it returns.
    Tell(u32, String),
    /// A callback is asked something; the answer comes back under the second number.
    Ask(u32, u32, String),
    /// Nobody can call a callback any more.
    Release(u32),
}

/// The callback's answer: JSON, or why there is none.
pub type Answer = std::result::Result<String, String>;

/// See the module.
pub struct Queue {
    runtime: Handle,
    wake: Box<dyn Fn() + Send + Sync>,
    entries: Mutex<Vec<Entry>>,
    tasks: Mutex<HashMap<u32, AbortHandle>>,
    asks: Mutex<HashMap<u32, oneshot::Sender<Answer>>>,
    next_ask: AtomicU32,
    /// The thread has ended: nothing is kept for it any more.
    ended: AtomicBool,
}

impl Queue {
    pub fn new(runtime: Handle, wake: impl Fn() + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            runtime,
            wake: Box::new(wake),
            entries: Mutex::default(),
            tasks: Mutex::default(),
            asks: Mutex::default(),
            next_ask: AtomicU32::new(0),
            ended: AtomicBool::new(false),
        })
    }

    /// The runtime that calls run on.
    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Runs a call; its end, by panic too, becomes an entry.
    pub fn start<F>(self: &Arc<Self>, id: u32, call: F)
    where
        F: Future<Output = Result<Reply>> + Send + 'static,
    {
        // Boxed, so that the machinery of a task is compiled once and not for each kind of call.
        self.start_boxed(id, Box::pin(call));
    }

    fn start_boxed(self: &Arc<Self>, id: u32, call: BoxFuture<'static, Result<Reply>>) {
        let queue = Arc::clone(self);
        // Held over the spawn, so that a call which ends at once finds itself in the map.
        let mut tasks = lock(&self.tasks);
        let task = self.runtime.spawn(async move {
            let result = AssertUnwindSafe(call).catch_unwind().await.unwrap_or_else(|_| Err(panicked()));
            queue.finish(id, result);
        });
        tasks.insert(id, task.abort_handle());
    }

    /// Ends a call without an entry: whoever waited has been told already.
    pub fn cancel(&self, id: u32) {
        if let Some(task) = lock(&self.tasks).remove(&id) {
            task.abort();
        }
    }

    /// The thread ends, and with it all calls and whatever waits for an answer.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Release);
        for (_, task) in lock(&self.tasks).drain() {
            task.abort();
        }
        lock(&self.asks).clear();
        // Dropped outside the lock: the end of a session may have something to tell.
        drop(self.take());
    }

    /// A callback of the thread.
    pub fn callback(self: &Arc<Self>, id: u32) -> Arc<Callback> {
        Arc::new(Callback { queue: Arc::clone(self), id })
    }

    /// Tells a callback something. Dropped when too much of the kind waits already.
    fn tell(&self, callback: u32, json: String) {
        let mut entries = lock(&self.entries);
        if entries.len() < MOST_NOTICES {
            self.push(&mut entries, Entry::Tell(callback, json));
        }
    }

    /// Asks a callback something and waits for its answer.
    async fn ask(&self, callback: u32, json: String) -> Answer {
        let ask = self.next_ask.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        lock(&self.asks).insert(ask, sender);
        if self.ended.load(Ordering::Acquire) {
            lock(&self.asks).remove(&ask);
        }
        self.push(&mut lock(&self.entries), Entry::Ask(callback, ask, json));
        receiver.await.unwrap_or_else(|_| Err("the callback's thread has ended".to_owned()))
    }

    /// Hands an answer to the one who asked.
    pub fn answer(&self, ask: u32, answer: Answer) {
        if let Some(sender) = lock(&self.asks).remove(&ask) {
            // The call that asked may have been cancelled meanwhile.
            let _ = sender.send(answer);
        }
    }

    /// Everything that waits.
    pub fn take(&self) -> Vec<Entry> {
        std::mem::take(&mut *lock(&self.entries))
    }

    fn finish(&self, id: u32, result: Result<Reply>) {
        if lock(&self.tasks).remove(&id).is_some() {
            self.push(&mut lock(&self.entries), Entry::Reply(id, result));
        }
    }

    fn push(&self, entries: &mut Vec<Entry>, entry: Entry) {
        if self.ended.load(Ordering::Acquire) {
            return;
        }
        entries.push(entry);
        if entries.len() == 1 {
            (self.wake)();
        }
    }
}

/// A function of the user's. When the last handle is dropped, JavaScript lets go of it.
pub struct Callback {
    queue: Arc<Queue>,
    id: u32,
}

impl Callback {
    /// See [`Queue::tell`].
    pub fn tell(&self, json: &serde_json::Value) {
        self.queue.tell(self.id, json.to_string());
    }

    /// See [`Queue::ask`].
    pub async fn ask(&self, json: &serde_json::Value) -> Answer {
        self.queue.ask(self.id, json.to_string()).await
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        self.queue.push(&mut lock(&self.queue.entries), Entry::Release(self.id));
    }
}

fn panicked() -> MailError {
    MailError::new(Code::Internal, "A fault in Mailtide ended this call; please report it")
}

/// A lock whose holder cannot have left it half-changed: all of it are single inserts and removals.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
