//! The store from async code, under the lease: every write of a pass checks that nobody has taken over meanwhile.

use super::holder;
use crate::error::{Code, MailError, Result};
use crate::planted::{Bug, planted};
use crate::store::{Durability, Handle, Lease, Now, Reader, Store, Writer, lease};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Milliseconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// A store, and the right to sync it.
#[derive(Clone)]
pub(super) struct Books {
    handle: Handle,
    lease: Arc<Mutex<Lease>>,
    clock: Clock,
}

/// How often, and how many times, a lease is asked for that this process has.
const ASKED_EVERY: Duration = Duration::from_millis(25);
const GIVEN_BACK_WITHIN: u32 = 200;

/// Takes the lease of those who bring a store in step or send; `store.locked` while another process has it. One that has
/// died on this machine has it no more. What has been given up in this process gives it back in the background: that is
/// waited for, five seconds at most.
pub(crate) async fn take_lease(
    handle: &Handle,
    (holder, ttl): (&str, Duration),
    now: impl Fn() -> Now,
) -> Result<Lease> {
    for _ in 0..GIVEN_BACK_WITHIN {
        let (now, holder) = (now(), holder.to_owned());
        let take = move |writer: &mut dyn Writer| {
            if let Some(left) = writer.lease(lease::SYNC)?.filter(|lease| holder::is_gone(&lease.holder)) {
                lease::release(writer, &left)?;
            }
            let taken = lease::take(writer, lease::SYNC, &holder, ttl, now)?;
            let is_ours = writer.lease(lease::SYNC)?.is_some_and(|lease| holder::is_ours(&lease.holder));
            Ok((taken, is_ours))
        };
        match handle.write(Durability::Full, take).await? {
            (Some(taken), _) => return Ok(taken),
            (None, true) => tokio::time::sleep(ASKED_EVERY).await,
            (None, false) => break,
        }
    }
    Err(MailError::new(Code::StoreLocked, "Somebody else brings this store in step"))
}

impl Books {
    /// Takes the lease; see [`take_lease`].
    pub async fn open(handle: Handle, (holder, ttl): (String, Duration), clock: Clock) -> Result<Self> {
        let taken = take_lease(&handle, (&holder, ttl), || Now::from_millis(clock())).await?;
        Ok(Self { handle, lease: Arc::new(Mutex::new(taken)), clock })
    }

    pub fn now(&self) -> Now {
        Now::from_millis((self.clock)())
    }

    /// The store itself, for code that may block.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(self.handle.store())
    }

    /// Asks a snapshot.
    pub async fn read<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Reader) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.handle.read(ask).await
    }

    /// Does something in one transaction, or nothing of it.
    pub async fn write<T: Send + 'static>(
        &self,
        durability: Durability,
        change: impl FnOnce(&mut dyn Writer, Now) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (books, now) = (self.clone(), self.now());
        let write = move |writer: &mut dyn Writer| {
            books.hold(writer, now)?;
            change(writer, now)
        };
        self.handle.write(durability, write).await
    }

    /// Gives the lease back.
    pub async fn close(&self) -> Result<()> {
        let lease = self.current();
        self.handle.write(Durability::Bulk, move |writer| lease::release(writer, &lease)).await
    }

    fn hold(&self, writer: &mut dyn Writer, now: Now) -> Result<()> {
        if planted(Bug::LeaseNotFenced) {
            return Ok(());
        }
        let lease = self.current();
        let age = now.millis().saturating_sub(lease.renewed);
        if (0..lease.ttl / 3).contains(&age) {
            return lease::check(writer, &lease);
        }
        let renewed = lease::renew(writer, &lease, now)?;
        *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = renewed;
        Ok(())
    }

    fn current(&self) -> Lease {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Work that blocks, away from the tasks that may not.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(MailError::new(Code::Internal, "A task of the store has ended unexpectedly")))
}
