//! The thread that writes. What waits for its turn is put into one transaction, so that many who write at once wait for
//! the disk once: each in a part of its own, which is undone alone where it fails, and each answered after the commit.

use super::{Inner, panicked};
use crate::error::{Code, MailError, Result};
use crate::store::{Durability, Writer};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Most changes in one transaction: the first of them waits for the last.
const TOGETHER: usize = 32;

/// A change that waits for its turn, and whoever waits for it.
pub(super) trait Job: Send {
    fn inner(&self) -> &Arc<Inner>;
    fn durability(&self) -> Durability;
    /// Whether somebody still waits for it.
    fn is_wanted(&self) -> bool;
    /// Does it in a transaction that is open, without ending that; what went wrong.
    fn run(&mut self, writer: &mut dyn Writer) -> Option<MailError>;
    /// What it has done cannot be kept.
    fn fail(&mut self, error: MailError);
    /// Tells whoever waits what became of it; `committed` is how the transaction ended.
    fn end(self: Box<Self>, committed: Result<()>);
}

/// A [`Job`] of a closure.
pub(super) struct Change<T, F> {
    inner: Arc<Inner>,
    durability: Durability,
    change: Option<F>,
    done: Result<T>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Change<T, F> {
    pub(super) fn new(inner: Arc<Inner>, durability: Durability, change: F, reply: oneshot::Sender<Result<T>>) -> Self {
        Self { inner, durability, change: Some(change), done: Err(panicked()), reply }
    }
}

impl<T: Send, F: FnOnce(&mut dyn Writer) -> Result<T> + Send> Job for Change<T, F> {
    fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    fn durability(&self) -> Durability {
        self.durability
    }

    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }

    fn run(&mut self, writer: &mut dyn Writer) -> Option<MailError> {
        let change = self.change.take()?;
        self.done = catch_unwind(AssertUnwindSafe(|| change(writer))).unwrap_or_else(|_| {
            log::error!("a write of the store panicked and was rolled back");
            Err(panicked())
        });
        self.done.as_ref().err().cloned()
    }

    fn fail(&mut self, error: MailError) {
        self.done = Err(error);
    }

    fn end(self: Box<Self>, committed: Result<()>) {
        let Self { inner, done, reply, .. } = *self;
        // Whoever waits may be the last who has the store, and its file is closed with that, not some time after.
        drop(inner);
        // Nobody waits any more: what was done is done.
        drop(reply.send(done.and_then(|done| committed.map(|()| done))));
    }
}

/// Does what comes, until nobody is left who could ask for something.
pub(super) fn work(mut queue: mpsc::Receiver<Box<dyn Job>>) {
    let mut next = None;
    while let Some(first) = next.take().or_else(|| queue.blocking_recv()) {
        let mut jobs = vec![first];
        next = gather(&mut jobs, &mut queue);
        jobs.retain(|job| job.is_wanted());
        if catch_unwind(AssertUnwindSafe(|| run(jobs))).is_err() {
            log::error!("the end of a write of the store panicked");
        }
    }
}

/// Adds what waits and can go into the same transaction; what comes next and cannot. Bulk is large, and goes alone.
fn gather(jobs: &mut Vec<Box<dyn Job>>, queue: &mut mpsc::Receiver<Box<dyn Job>>) -> Option<Box<dyn Job>> {
    if !jobs.iter().all(|job| is_full(&**job)) {
        return None;
    }
    while jobs.len() < TOGETHER {
        let job = queue.try_recv().ok()?;
        if !is_full(&*job) {
            return Some(job);
        }
        jobs.push(job);
    }
    None
}

fn is_full(job: &dyn Job) -> bool {
    job.durability() == Durability::Full
}

fn run(mut jobs: Vec<Box<dyn Job>>) {
    let Some(first) = jobs.first() else { return };
    let (inner, durability) = (Arc::clone(first.inner()), first.durability());
    let committed = transact(&inner, durability, &mut jobs);
    if matches!(committed, Ok(true)) {
        inner.tell();
        inner.look_after(durability);
    }
    drop(inner);
    jobs.into_iter().for_each(|job| job.end(committed.clone().map(drop)));
}

/// One transaction. Where all have failed there is nothing to commit.
fn transact(inner: &Inner, durability: Durability, jobs: &mut [Box<dyn Job>]) -> Result<bool> {
    let mut writer = inner.store.write(durability)?;
    let is_any = match jobs {
        [only] => only.run(&mut *writer).is_none(),
        all => parts(&mut *writer, all)?,
    };
    if is_any {
        writer.commit()?;
    }
    Ok(is_any)
}

/// Each in a part of its own; whether anything is to be kept.
fn parts(writer: &mut dyn Writer, jobs: &mut [Box<dyn Job>]) -> Result<bool> {
    let mut is_any = false;
    for job in jobs {
        writer.begin_part()?;
        let failed = job.run(writer);
        let is_kept = match writer.end_part(failed.is_none()) {
            Ok(is_kept) => is_kept,
            // All is undone, by what this one has met: a disk that is full, or broken.
            Err(error) => return Err(failed.unwrap_or(error)),
        };
        if failed.is_none() && !is_kept {
            job.fail(MailError::new(Code::Internal, "Something failed in this change: it cannot be kept"));
        }
        is_any |= is_kept;
    }
    Ok(is_any)
}
