//! The bridge to one JavaScript thread: it wakes the thread, which then takes everything that waits.
//!
//! One a thread, since each `worker_threads` thread has an environment of its own; the runtime behind is shared.

use crate::error::error_json;
use crate::queue::{Entry, Queue};
use crate::reply::JsValue;
use napi::bindgen_prelude::{Either8, Function, Null};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status};
use napi_derive::napi;
use std::sync::{Arc, OnceLock};
use tokio::runtime::{Builder, Runtime};

/// Weak: it does not keep the event loop alive by itself.
type Wake = ThreadsafeFunction<(), (), (), Status, false, true>;

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// The bridge of one JavaScript thread.
#[napi]
pub struct Bridge {
    queue: Arc<Queue>,
    /// Never called; while it is referred to, the event loop stays alive.
    hold: Wake,
}

#[napi]
impl Bridge {
    /// `wake` is called on the JavaScript thread when there is something to take.
    #[napi(constructor)]
    pub fn new(env: Env, wake: Function<(), ()>) -> napi::Result<Self> {
        let hold: Wake = wake.build_threadsafe_function().weak::<true>().build()?;
        let wake: Wake = wake.build_threadsafe_function().weak::<true>().build()?;
        let queue = Queue::new(runtime()?.handle().clone(), move || {
            wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
        });
        // Hooks run last in, first out: the calls end before Node closes the functions above. To wake a thread whose
        // function is being closed would touch memory that is no longer there.
        env.add_env_cleanup_hook(Arc::clone(&queue), |queue| queue.end())?;
        Ok(Self { queue, hold })
    }

    /// Everything that waits, flat: kind, id, value. Kinds: 0 done, 1 failed, 2 told, 3 released, 4 and up:
    /// asked, under the number of kind - 4.
    #[napi]
    pub fn take<'env>(&self, env: &'env Env) -> napi::Result<Vec<JsValue<'env>>> {
        let entries = self.queue.take();
        let mut flat = Vec::with_capacity(entries.len() * 3);
        for entry in entries {
            let (kind, id, value) = split(entry, env)?;
            flat.extend([Either8::B(f64::from(kind)), Either8::B(f64::from(id)), value]);
        }
        Ok(flat)
    }

    /// Drops a call. Nothing more comes of it.
    #[napi]
    pub fn cancel(&self, id: u32) {
        self.queue.cancel(id);
    }

    /// Answers a callback that was asked: JSON, or the reason why there is none.
    #[napi]
    pub fn answer(&self, ask: u32, ok: bool, value: String) {
        self.queue.answer(ask, if ok { Ok(value) } else { Err(value) });
    }

    /// Whether the event loop stays alive for what is under way.
    #[napi]
    #[allow(deprecated)] // there is no other safe way to ref and unref after creation
    pub fn hold(&mut self, env: Env, on: bool) -> napi::Result<()> {
        if on { self.hold.refer(&env) } else { self.hold.unref(&env) }
    }
}

impl Drop for Bridge {
    /// The thread ends: its calls must not outlive it.
    fn drop(&mut self) {
        self.queue.end();
    }
}

impl Bridge {
    /// For the classes whose calls end here.
    pub fn queue(&self) -> Arc<Queue> {
        Arc::clone(&self.queue)
    }
}

fn split(entry: Entry, env: &Env) -> napi::Result<(u32, u32, JsValue<'_>)> {
    Ok(match entry {
        Entry::Reply(id, Ok(reply)) => (0, id, reply.into_js(env)?),
        Entry::Reply(id, Err(error)) => (1, id, Either8::C(error_json(&error).to_string())),
        Entry::Tell(callback, json) => (2, callback, Either8::C(json)),
        Entry::Release(callback) => (3, callback, Either8::A(Null)),
        Entry::Ask(callback, ask, json) => (ask.saturating_add(4), callback, Either8::C(json)),
    })
}

/// One runtime for all threads of the process, started by the first call. Two workers: it moves bytes, and parses.
fn runtime() -> napi::Result<&'static Runtime> {
    if RUNTIME.get().is_none() {
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("mailtide").enable_all().build();
        // Another thread may have been first; its runtime is used and this one dropped.
        let _ = RUNTIME.set(runtime.map_err(|error| napi::Error::from_reason(error.to_string()))?);
    }
    RUNTIME.get().ok_or_else(|| napi::Error::from_reason("no runtime"))
}
