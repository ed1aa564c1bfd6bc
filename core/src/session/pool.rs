//! A few connections to one account, shared by all callers.
//!
//! A call holds a [`Lease`] only while its commands are in flight, never while its caller thinks: a fetch takes one for
//! each window. So no caller can wait for another that waits for it.

use super::choose::{Choice, View, Want, choose};
use super::connection::{Connection, closed};
use super::route::Wants;
use super::selected::{Selected, select};
use crate::error::{Code, MailError, Result};
use crate::imap::MailboxName;
use crate::imap::extension::unselect;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

type Opening = Pin<Box<dyn Future<Output = Result<Connection>> + Send>>;
type Opener = Box<dyn Fn() -> Opening + Send + Sync>;

/// The connections of one session.
pub(crate) struct Pool {
    opener: Opener,
    read_only: bool,
    state: Mutex<State>,
    changed: Notify,
    /// Bodies that may be on their way at once: one connection fewer than there may be, so that whatever they come from
    /// finds a connection that does not wait for them.
    bodies: Semaphore,
}

struct State {
    slots: Vec<Slot>,
    opening: Vec<Option<String>>,
    max: usize,
    /// Calls that wait, by the mailbox they wait for; `None` for a connection of their own.
    waiting: BTreeMap<Option<String>, usize>,
    closed: bool,
    /// How many attempts to connect have failed, and how the last one did: those who wait for it fail with it, instead
    /// of trying a wrong password again each.
    failures: u64,
    failure: Option<MailError>,
}

struct Slot {
    connection: Connection,
    selected: Option<Arc<Selected>>,
    /// The mailbox being opened.
    switching: Option<String>,
    users: usize,
    /// Whether a body is being sent on it.
    sending: bool,
}

/// The use of a connection until it is dropped.
pub(crate) struct Lease {
    pool: Arc<Pool>,
    pub connection: Connection,
    selected: Option<Arc<Selected>>,
    /// Whether it is for a body.
    sending: bool,
}

/// The use of a connection for bodies that come from elsewhere.
pub(crate) struct BodyLease<'a> {
    pub lease: Lease,
    _permit: SemaphorePermit<'a>,
}

impl Lease {
    /// The mailbox that is open, for a lease that asked for one.
    pub fn selected(&self) -> Result<&Arc<Selected>> {
        self.selected.as_ref().ok_or_else(|| MailError::new(Code::Internal, "No mailbox is open on this connection"))
    }
}

impl Pool {
    pub fn new(max: usize, read_only: bool, opener: Opener) -> Arc<Self> {
        let state = State {
            slots: Vec::new(),
            opening: Vec::new(),
            max,
            waiting: BTreeMap::new(),
            closed: false,
            failures: 0,
            failure: None,
        };
        let bodies = Semaphore::new(max.saturating_sub(1));
        Arc::new(Self { opener, read_only, state: Mutex::new(state), changed: Notify::new(), bodies })
    }

    /// A connection, for commands that need no open mailbox.
    pub async fn any(self: &Arc<Self>) -> Result<Lease> {
        self.lease(Want::Any).await
    }

    /// A connection with `mailbox` (its decoded name) open.
    pub async fn mailbox(self: &Arc<Self>, mailbox: &str) -> Result<Lease> {
        self.lease(Want::Mailbox(mailbox)).await
    }

    /// A connection of one's own, for commands whose bodies come from elsewhere, maybe from other calls of this session.
    /// `None` where the session may have only one.
    pub async fn body(self: &Arc<Self>) -> Result<Option<BodyLease<'_>>> {
        if !self.has_spare() {
            return Ok(None);
        }
        let permit = self.bodies.acquire().await.map_err(|_| closed())?;
        Ok(Some(BodyLease { lease: self.lease(Want::Body).await?, _permit: permit }))
    }

    /// Takes a connection out that is there and has no mailbox open, for a caller who needs one alone.
    pub fn claim(&self) -> Option<Connection> {
        let mut state = self.lock();
        let is_free = |slot: &Slot| slot.users == 0 && slot.view().mailbox.is_none() && slot.connection.is_alive();
        let at = state.slots.iter().position(is_free)?;
        Some(state.slots.swap_remove(at).connection)
    }

    /// Whether others find a connection while one sends a body.
    pub fn has_spare(&self) -> bool {
        self.lock().max > 1
    }

    /// Refuses new leases and gives up the connections; those in use end when their calls do.
    pub async fn close(&self) {
        let slots = {
            let mut state = self.lock();
            state.closed = true;
            std::mem::take(&mut state.slots)
        };
        self.changed.notify_waiters();
        futures_util::future::join_all(slots.into_iter().map(|slot| slot.connection.part())).await;
    }

    /// Leaves a mailbox that is to be renamed or deleted, where it is open and nobody uses it: some servers refuse to touch
    /// one that is. What fails here is no harm, since the server then says what it minds.
    pub async fn leave(self: &Arc<Self>, mailbox: &str) {
        for lease in self.leaving(mailbox) {
            let capabilities = lease.connection.capabilities();
            let name = MailboxName::new(mailbox, lease.connection.utf8());
            for command in unselect::plan(&capabilities, &name, self.read_only).unwrap_or_default() {
                if lease.connection.run(command, Wants::Nothing).await.is_err() {
                    break;
                }
            }
        }
    }

    fn leaving(self: &Arc<Self>, mailbox: &str) -> Vec<Lease> {
        let mut state = self.lock();
        let is_open = |slot: &Slot| slot.selected.as_ref().is_some_and(|s| s.name == mailbox);
        let slots = state.slots.iter_mut().filter(|s| is_open(s) && s.users == 0 && s.switching.is_none());
        let leave = |slot: &mut Slot| {
            (slot.selected, slot.users) = (None, 1);
            self.lend(slot)
        };
        slots.map(leave).collect()
    }

    /// Forgets a mailbox that was renamed or deleted: the next call opens it anew.
    pub fn forget(&self, mailbox: &str) {
        for slot in &mut self.lock().slots {
            if slot.selected.as_ref().is_some_and(|s| s.name == mailbox) {
                slot.selected = None;
            }
        }
    }

    async fn lease(self: &Arc<Self>, want: Want<'_>) -> Result<Lease> {
        let mut waited = Waiting { pool: self, name: None };
        let failures = self.lock().failures;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.choose(want)? {
                Chosen::Ready(lease) => return Ok(lease),
                Chosen::Switch(lease) => return self.switch(lease, want).await,
                Chosen::Open(ticket) => {
                    if let Some(lease) = self.open(ticket, want).await? {
                        return Ok(lease);
                    }
                }
                Chosen::Wait => {
                    waited.count(want);
                    changed.await;
                    self.check(failures)?;
                }
            }
        }
    }

    fn choose(self: &Arc<Self>, want: Want<'_>) -> Result<Chosen> {
        let mut state = self.lock();
        if state.closed {
            return Err(closed());
        }
        state.slots.retain(|slot| slot.connection.is_alive());
        let choice = {
            let views: Vec<View<'_>> = state.slots.iter().map(Slot::view).collect();
            let opening: Vec<Option<&str>> = state.opening.iter().map(Option::as_deref).collect();
            let crowded =
                state.waiting.keys().any(|name| name.is_none() || !views.iter().any(|v| v.mailbox == name.as_deref()));
            choose(&views, &opening, state.max, want, crowded)
        };
        Ok(match choice {
            Choice::Share(at) => self.take(&mut state, at, want).map_or(Chosen::Wait, Chosen::Ready),
            Choice::Switch(at) => self.switching(&mut state, at, want).map_or(Chosen::Wait, Chosen::Switch),
            Choice::Open => {
                let purpose = if let Want::Mailbox(name) = want { Some(name.to_owned()) } else { None };
                state.opening.push(purpose.clone());
                Chosen::Open(Ticket { pool: Arc::clone(self), purpose })
            }
            Choice::Wait => Chosen::Wait,
        })
    }

    fn take(self: &Arc<Self>, state: &mut State, at: usize, want: Want<'_>) -> Option<Lease> {
        let slot = state.slots.get_mut(at)?;
        slot.users += 1;
        slot.sending |= want == Want::Body;
        Some(self.lend(slot))
    }

    fn switching(self: &Arc<Self>, state: &mut State, at: usize, want: Want<'_>) -> Option<Lease> {
        let slot = state.slots.get_mut(at)?;
        slot.users += 1;
        if let Want::Mailbox(name) = want {
            (slot.selected, slot.switching) = (None, Some(name.to_owned()));
        }
        Some(self.lend(slot))
    }

    fn lend(self: &Arc<Self>, slot: &Slot) -> Lease {
        let (connection, selected) = (slot.connection.clone(), slot.selected.clone());
        Lease { pool: Arc::clone(self), connection, selected, sending: slot.sending }
    }

    /// Makes a connection. `None` when the server allows no more of them and others are there to share.
    async fn open(self: &Arc<Self>, ticket: Ticket, want: Want<'_>) -> Result<Option<Lease>> {
        let connection = match (self.opener)().await {
            Ok(connection) => connection,
            Err(error) => return self.fewer(&error).then_some(None).ok_or(error),
        };
        let switching = if let Want::Mailbox(name) = want { Some(name.to_owned()) } else { None };
        let slot = Slot { connection, selected: None, switching, users: 1, sending: want == Want::Body };
        let lease = self.lend(&slot);
        {
            let mut state = self.lock();
            if state.closed {
                return Err(closed());
            }
            state.slots.push(slot);
        }
        drop(ticket);
        match want {
            Want::Any | Want::Body => Ok(Some(lease)),
            Want::Mailbox(_) => self.switch(lease, want).await.map(Some),
        }
    }

    /// The error of a connection that has failed since there were so many `failures`.
    fn check(&self, failures: u64) -> Result<()> {
        let state = self.lock();
        let failure = state.failure.clone().filter(|_| state.failures > failures && state.slots.is_empty());
        failure.map_or(Ok(()), Err)
    }

    /// Whether to go on with the connections that there are, since the server refuses more (Gmail 15, Exchange 20, …).
    fn fewer(&self, error: &MailError) -> bool {
        let refused = matches!(
            error.code(),
            Code::ServerThrottled | Code::ServerRefused | Code::ServerUnavailable | Code::ServerBye
        );
        let mut state = self.lock();
        let fewer = refused && !state.slots.is_empty();
        if fewer {
            state.max = state.slots.len();
        } else {
            (state.failures, state.failure) = (state.failures + 1, Some(error.clone()));
        }
        fewer
    }

    async fn switch(&self, mut lease: Lease, want: Want<'_>) -> Result<Lease> {
        let Want::Mailbox(name) = want else { return Ok(lease) };
        let switching = Switching { pool: self, id: lease.connection.id() };
        let selected = Arc::new(select(&lease.connection, name, self.read_only).await?);
        switching.done(&selected);
        lease.selected = Some(selected);
        Ok(lease)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn view(&self) -> View<'_> {
        let mailbox = self.switching.as_deref().or_else(|| self.selected.as_ref().map(|s| s.name.as_str()));
        View { mailbox, users: self.users, switching: self.switching.is_some(), sending: self.sending }
    }
}

enum Chosen {
    Ready(Lease),
    Switch(Lease),
    Open(Ticket),
    Wait,
}

/// A connection being made; dropped when it is there, or will not be.
struct Ticket {
    pool: Arc<Pool>,
    purpose: Option<String>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        if let Some(at) = state.opening.iter().position(|p| *p == self.purpose) {
            state.opening.swap_remove(at);
        }
        drop(state);
        self.pool.changed.notify_waiters();
    }
}

/// A mailbox being opened; dropped when it is, or when the caller gives up.
struct Switching<'a> {
    pool: &'a Pool,
    id: u64,
}

impl Switching<'_> {
    fn done(&self, selected: &Arc<Selected>) {
        for slot in self.pool.lock().slots.iter_mut().filter(|s| s.connection.id() == self.id) {
            slot.selected = Some(Arc::clone(selected));
        }
    }
}

impl Drop for Switching<'_> {
    fn drop(&mut self) {
        for slot in self.pool.lock().slots.iter_mut().filter(|s| s.connection.id() == self.id) {
            slot.switching = None;
        }
        self.pool.changed.notify_waiters();
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        let mut idle = false;
        for slot in state.slots.iter_mut().filter(|s| s.connection.id() == self.connection.id()) {
            slot.users -= 1;
            slot.sending &= !self.sending;
            idle |= slot.users == 0 || self.sending;
        }
        drop(state);
        if idle {
            self.pool.changed.notify_waiters();
        }
    }
}

/// A call that waits, counted so that others let it have its turn.
struct Waiting<'a> {
    pool: &'a Pool,
    name: Option<Option<String>>,
}

impl Waiting<'_> {
    fn count(&mut self, want: Want<'_>) {
        let name = match want {
            Want::Mailbox(name) => Some(name.to_owned()),
            Want::Body => None,
            Want::Any => return,
        };
        if self.name.is_none() {
            *self.pool.lock().waiting.entry(name.clone()).or_default() += 1;
            self.name = Some(name);
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Some(name) = self.name.take() else { return };
        let mut state = self.pool.lock();
        if let Some(count) = state.waiting.get_mut(&name) {
            *count -= 1;
            if *count == 0 {
                state.waiting.remove(&name);
            }
        }
    }
}
