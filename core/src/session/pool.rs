//! A few connections to one account, shared by all callers.
//!
//! A call holds a [`Lease`] only while its commands are in flight, never while its caller thinks: a fetch takes one for
//! each window. So no caller can wait for another that waits for it.

use super::choose::{Choice, View, Want, choose};
use super::connection::{Connection, closed};
use super::route::Wants;
use super::selected::{Selected, select};
use crate::error::{Code, MailError, Result};
use crate::imap::extension::unselect;
use crate::imap::{MailboxName, command};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

type Opening = Pin<Box<dyn Future<Output = Result<Connection>> + Send>>;
type Opener = Box<dyn Fn() -> Opening + Send + Sync>;

/// How long a server may take to answer LOGOUT.
const FAREWELL: Duration = Duration::from_secs(3);

/// The connections of one session.
pub(crate) struct Pool {
    opener: Opener,
    read_only: bool,
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    slots: Vec<Slot>,
    opening: Vec<Option<String>>,
    max: usize,
    /// Calls that wait, by the mailbox they wait for.
    waiting: BTreeMap<String, usize>,
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
}

/// The use of a connection until it is dropped.
pub(crate) struct Lease {
    pool: Arc<Pool>,
    pub connection: Connection,
    selected: Option<Arc<Selected>>,
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
        Arc::new(Self { opener, read_only, state: Mutex::new(state), changed: Notify::new() })
    }

    /// A connection, for commands that need no open mailbox.
    pub async fn any(self: &Arc<Self>) -> Result<Lease> {
        self.lease(Want::Any).await
    }

    /// A connection with `mailbox` (its decoded name) open.
    pub async fn mailbox(self: &Arc<Self>, mailbox: &str) -> Result<Lease> {
        self.lease(Want::Mailbox(mailbox)).await
    }

    /// Refuses new leases and gives up the connections; those in use end when their calls do.
    pub async fn close(&self) {
        let slots = {
            let mut state = self.lock();
            state.closed = true;
            std::mem::take(&mut state.slots)
        };
        self.changed.notify_waiters();
        let logout = |slot: Slot| async move {
            let logout = slot.connection.run(command::logout(), Wants::Nothing);
            let _ = tokio::time::timeout(FAREWELL, logout).await;
            slot.connection.cut();
        };
        futures_util::future::join_all(slots.into_iter().map(logout)).await;
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
            Lease { pool: Arc::clone(self), connection: slot.connection.clone(), selected: None }
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
            let crowded = state.waiting.keys().any(|name| !views.iter().any(|v| v.mailbox == Some(name)));
            choose(&views, &opening, state.max, want, crowded)
        };
        Ok(match choice {
            Choice::Share(at) => self.take(&mut state, at, None).map_or(Chosen::Wait, Chosen::Ready),
            Choice::Switch(at) => self.take(&mut state, at, Some(want)).map_or(Chosen::Wait, Chosen::Switch),
            Choice::Open => {
                let purpose = if let Want::Mailbox(name) = want { Some(name.to_owned()) } else { None };
                state.opening.push(purpose.clone());
                Chosen::Open(Ticket { pool: Arc::clone(self), purpose })
            }
            Choice::Wait => Chosen::Wait,
        })
    }

    fn take(self: &Arc<Self>, state: &mut State, at: usize, switch: Option<Want<'_>>) -> Option<Lease> {
        let slot = state.slots.get_mut(at)?;
        slot.users += 1;
        if let Some(Want::Mailbox(name)) = switch {
            (slot.selected, slot.switching) = (None, Some(name.to_owned()));
        }
        Some(Lease { pool: Arc::clone(self), connection: slot.connection.clone(), selected: slot.selected.clone() })
    }

    /// Makes a connection. `None` when the server allows no more of them and others are there to share.
    async fn open(self: &Arc<Self>, ticket: Ticket, want: Want<'_>) -> Result<Option<Lease>> {
        let connection = match (self.opener)().await {
            Ok(connection) => connection,
            Err(error) => return self.fewer(&error).then_some(None).ok_or(error),
        };
        let switching = if let Want::Mailbox(name) = want { Some(name.to_owned()) } else { None };
        {
            let mut state = self.lock();
            if state.closed {
                return Err(closed());
            }
            state.slots.push(Slot { connection: connection.clone(), selected: None, switching, users: 1 });
        }
        drop(ticket);
        let lease = Lease { pool: Arc::clone(self), connection, selected: None };
        match want {
            Want::Any => Ok(Some(lease)),
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
        View { mailbox, users: self.users, switching: self.switching.is_some() }
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
            idle |= slot.users == 0;
        }
        let waiting = !state.waiting.is_empty();
        drop(state);
        if idle && waiting {
            self.pool.changed.notify_waiters();
        }
    }
}

/// A call that waits, counted so that others let it have its turn.
struct Waiting<'a> {
    pool: &'a Pool,
    name: Option<String>,
}

impl Waiting<'_> {
    fn count(&mut self, want: Want<'_>) {
        if let (None, Want::Mailbox(name)) = (&self.name, want) {
            *self.pool.lock().waiting.entry(name.to_owned()).or_default() += 1;
            self.name = Some(name.to_owned());
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
