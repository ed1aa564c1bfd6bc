//! One connection: a handle for callers, and the task that alone owns the socket.

use super::driver::Driver;
use super::observer::Observer;
use super::open::Opened;
use super::options::LogLine;
use super::route::{Reply, Wants};
use super::sender::{BodySource, Job};
use crate::error::{Code, MailError, Result};
use crate::imap::quirk::Quirks;
use crate::imap::{Capabilities, Response, Untagged, command};
use crate::limits::Limits;
use crate::wire::Command;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, RwLock};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};

/// Receives redacted protocol lines.
pub(crate) type Logger = Arc<dyn Fn(LogLine) + Send + Sync>;

/// How long a server may take to answer what is under way and LOGOUT.
const FAREWELL: Duration = Duration::from_secs(3);

/// What the task tells everybody.
pub(crate) struct Shared {
    /// Number of the connection within its engine.
    pub id: u64,
    pub limits: Limits,
    pub logger: Option<Logger>,
    pub capabilities: RwLock<Arc<Capabilities>>,
    /// Known faults of this server.
    pub quirks: RwLock<Arc<Quirks>>,
    /// Ends the connection, whatever it waits for.
    pub cut: Notify,
    /// Told when all commands are answered but LOGOUT, and that is on the wire.
    pub parted: Notify,
    /// Why the connection ended.
    pub ended: OnceLock<MailError>,
    /// The UIDVALIDITY that the server last announced for the open mailbox; 0 for none.
    pub uid_validity: AtomicU32,
    pub counters: Arc<Counters>,
}

/// What an engine counts over all its connections.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub connections: AtomicU64,
    pub opened: AtomicU64,
    pub commands: AtomicU64,
    pub bytes_in: AtomicU64,
    pub bytes_out: AtomicU64,
}

/// What a connection is told of itself.
pub(crate) struct About {
    pub id: u64,
    pub limits: Limits,
    pub logger: Option<Logger>,
    pub counters: Arc<Counters>,
    pub quirks: Quirks,
}

/// A handle to one connection. Cheap to clone; the connection ends when the last handle is gone.
#[derive(Clone)]
pub(crate) struct Connection {
    /// Boxed, since a channel keeps room for 32 of what it carries: an idle connection would pay for that.
    jobs: mpsc::UnboundedSender<Box<Job>>,
    shared: Arc<Shared>,
}

/// A command handed over, to be awaited. Dropping it gives up the answer; the connection reads it all the same.
pub(crate) struct Pending {
    done: oneshot::Receiver<Result<Reply>>,
    shared: Arc<Shared>,
}

/// How a command differs from a plain one.
#[derive(Default)]
pub(crate) struct Extra {
    /// Servers may be silent for long while they do it.
    pub slow: bool,
    pub bodies: VecDeque<BodySource>,
    pub until: Option<oneshot::Receiver<()>>,
}

impl Connection {
    /// Starts the task of an opened connection. What nobody asks for goes to `observer`.
    pub fn start(
        mut opened: Opened,
        about: About,
        observer: Option<Observer>,
        runtime: &tokio::runtime::Handle,
    ) -> Self {
        let About { id, limits, logger, counters, quirks } = about;
        let (jobs, queue) = mpsc::unbounded_channel();
        opened.capabilities = quirks.believe(opened.capabilities);
        let capabilities = RwLock::new(Arc::new(opened.capabilities.clone()));
        let shared = Arc::new(Shared {
            id,
            limits,
            logger,
            capabilities,
            quirks: RwLock::new(Arc::new(quirks)),
            cut: Notify::new(),
            parted: Notify::new(),
            ended: OnceLock::new(),
            uid_validity: AtomicU32::new(0),
            counters,
        });
        let driver = Driver::new(opened, Arc::clone(&shared), queue, observer);
        runtime.spawn(driver.run());
        Self { jobs, shared }
    }

    /// Hands a command over and waits for its answer.
    pub async fn run(&self, command: Command, wants: Wants) -> Result<Reply> {
        self.begin(command, wants, Extra::default()).answer().await
    }

    /// The same for a command that may take long.
    pub async fn run_slow(&self, command: Command, wants: Wants) -> Result<Reply> {
        self.begin(command, wants, Extra { slow: true, ..Extra::default() }).answer().await
    }

    /// Hands a command over; commands go out in the order of these calls.
    pub fn begin(&self, command: Command, wants: Wants, extra: Extra) -> Pending {
        let (reply, done) = oneshot::channel();
        let Extra { slow, bodies, until } = extra;
        self.shared.counters.commands.fetch_add(1, Ordering::Relaxed);
        // A closed channel drops the job, and with it `reply`: the answer is then the reason the connection ended for.
        let _ = self.jobs.send(Box::new(Job { command, wants, slow, bodies, until, done: reply }));
        Pending { done, shared: Arc::clone(&self.shared) }
    }

    /// Sends LOGOUT behind all that is under way and waits until nothing else is owed. The server's answer to LOGOUT itself
    /// concerns nobody; it is read in the background (RFC 9051 section 6.1.3), and the connection ends with it.
    pub async fn part(self) {
        let pending = self.begin(command::logout(), Wants::Farewell, Extra::default());
        let shared = Arc::clone(&self.shared);
        let answered = tokio::spawn(async move {
            let _ = tokio::time::timeout(FAREWELL, pending.answer()).await;
            self.cut();
        });
        tokio::select! {
            () = shared.parted.notified() => {}
            _ = answered => {}
        }
    }

    /// Number of the connection within its engine.
    pub fn id(&self) -> u64 {
        self.shared.id
    }

    /// Why it has ended.
    pub fn reason(&self) -> MailError {
        self.shared.ended.get().cloned().unwrap_or_else(closed)
    }

    /// Ends it at once; calls that wait fail with [`Code::UsageClosed`].
    pub fn cut(&self) {
        self.shared.cut.notify_one();
    }

    pub fn is_alive(&self) -> bool {
        self.shared.ended.get().is_none() && !self.jobs.is_closed()
    }

    /// What the server is known to do otherwise.
    pub fn quirks(&self) -> Arc<Quirks> {
        self.shared.quirks()
    }

    /// The server is known better now. What it has announced and does not work is no longer believed.
    pub fn set_quirks(&self, quirks: Quirks) {
        let believed = quirks.believe((*self.capabilities()).clone());
        if let (Ok(mut known), Ok(mut capabilities)) = (self.shared.quirks.write(), self.shared.capabilities.write()) {
            (*known, *capabilities) = (Arc::new(quirks), Arc::new(believed));
        }
    }

    /// Turns extensions on; those that the server then names are on. A refusal leaves them off.
    pub async fn enable(&self, enable: Command) -> Result<Vec<String>> {
        enabled(self.run(enable, Wants::Capability).await)
    }

    /// Whether mailbox names go out as UTF-8.
    pub fn utf8(&self) -> bool {
        self.capabilities().is_rev2_only()
    }

    /// The UIDVALIDITY announced last on this connection, 0 for none.
    pub fn uid_validity(&self) -> u32 {
        self.shared.uid_validity.load(Ordering::Acquire)
    }

    pub fn capabilities(&self) -> Arc<Capabilities> {
        self.shared.capabilities.read().map(|c| Arc::clone(&c)).unwrap_or_default()
    }
}

impl Shared {
    pub fn quirks(&self) -> Arc<Quirks> {
        self.quirks.read().map(|quirks| Arc::clone(&quirks)).unwrap_or_default()
    }
}

impl Pending {
    /// Waits for the answer.
    pub async fn answer(mut self) -> Result<Reply> {
        match (&mut self.done).await {
            Ok(Ok(mut reply)) => match reply.malformed.pop() {
                // Rows have their own way to report what could not be read; for all else it is the answer.
                Some(error) if !reply.untagged.iter().any(is_row) => Err(error),
                Some(error) => {
                    reply.malformed.push(error);
                    Ok(reply)
                }
                None => Ok(reply),
            },
            Ok(Err(error)) => Err(error),
            Err(_) => Err(self.shared.ended.get().cloned().unwrap_or_else(closed)),
        }
    }
}

/// The error of a call on something that has been closed.
pub(crate) fn closed() -> MailError {
    MailError::new(Code::UsageClosed, "The session has been closed")
}

/// What the answer to ENABLE has turned on: nothing where the server refuses what it announces.
pub(crate) fn enabled(answer: Result<Reply>) -> Result<Vec<String>> {
    let reply = match answer {
        Err(error) if matches!(error.code(), Code::ServerRefused | Code::ServerBad) => return Ok(Vec::new()),
        reply => reply?,
    };
    let named = reply.untagged.into_iter().filter_map(|response| match response {
        Response::Data(Untagged::Enabled(names)) => Some(names),
        _ => None,
    });
    Ok(named.flatten().collect())
}

fn is_row(response: &Response) -> bool {
    matches!(response, Response::Data(Untagged::Fetch(_)))
}
