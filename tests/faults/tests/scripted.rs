//! One scripted sync with everything in it (first sync, flags, upload, move, copy, delete, a mailbox, a message sent), and
//! what is left of it when the process dies, the power fails or the disk does, at every call of the disk.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

#[path = "scripted/crash.rs"]
mod crash;
#[path = "scripted/damage.rs"]
mod damage;
#[path = "scripted/errors.rs"]
mod errors;
#[path = "scripted/record.rs"]
mod record;
#[path = "scripted/script.rs"]
mod script;
#[path = "scripted/state.rs"]
mod state;
#[path = "scripted/upgrade.rs"]
mod upgrade;
#[path = "scripted/world.rs"]
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Every how many points of those that there are one is tried: `STRIDE`, and that unless it is set. `make soak` tries all.
fn stride(otherwise: usize) -> usize {
    std::env::var("STRIDE").ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Tries all of them on all processors; fails with what was wrong with the first few.
fn try_all<T: Sync>(all: &[T], name: impl Fn(&T) -> String + Sync, each: impl Fn(&T) + Sync) {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| each(one))) {
                        let text = panic.downcast::<String>().map_or_else(|_| "a panic".to_owned(), |text| *text);
                        wrong.lock().unwrap().push(format!("{}: {text}", name(one)));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {}: {:#?}", wrong.len(), all.len(), &wrong[..wrong.len().min(12)]);
}
