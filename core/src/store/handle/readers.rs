//! The threads that read stores: few, and the same ones again. An allocator keeps memory for every thread that has ever
//! asked for some, so that a thousand bodies made ready on a dozen threads take three times what they take on three.

use std::sync::OnceLock;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// Threads of this process that read, on a machine with that many processors or fewer.
const LEAST: usize = 3;
/// How long one waits for more to do.
const IDLE: Duration = Duration::from_secs(10);

/// Does what may block, when a thread is free.
pub(super) fn spawn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    static THREADS: OnceLock<Option<Runtime>> = OnceLock::new();
    match THREADS.get_or_init(threads) {
        Some(threads) => threads.spawn_blocking(work),
        None => tokio::task::spawn_blocking(work),
    }
}

/// Nothing but the blocking threads of this runtime is used.
fn threads() -> Option<Runtime> {
    let count = std::thread::available_parallelism().map_or(LEAST, |count| count.get().max(LEAST));
    let mut builder = Builder::new_current_thread();
    builder.max_blocking_threads(count).thread_keep_alive(IDLE).thread_name("mailtide-read");
    builder.build().ok()
}
