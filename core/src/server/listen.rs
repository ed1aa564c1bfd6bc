//! Listening: who is let in, and one task for each.

use super::access::Access;
use super::connection::{Guest, Line, Shared, serve};
use super::keep::keep;
use super::manage::begin;
use super::options::{ServerOptions, TlsMode};
use super::tls::Tls;
use super::users::Users;
use crate::auth::Bindings;
use crate::error::{Code, MailError, Result};
use crate::net::escaped;
use crate::secret::Secret;
use crate::store::{BodySource, Durability, Handle, SqliteOptions, SqliteStore};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// An IMAP server over one store, running until it is closed or dropped.
///
/// ```
/// use mailtide::server::{Server, ServerOptions};
///
/// # async fn run() -> mailtide::Result<()> {
/// let mut options = ServerOptions::default();
/// options.user = Some(("ada".to_owned(), "secret".into()));
/// let server = Server::open("ada.mail".as_ref(), options).await?;
/// println!("imap://ada@{}", server.address());
/// server.close().await;
/// # Ok(())
/// # }
/// ```
pub struct Server {
    address: SocketAddr,
    login: Option<(String, Secret)>,
    /// In PEM.
    certificate: Option<String>,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
    shared: Arc<Shared>,
}

impl Server {
    /// Serves the store in that file, which is made where there is none. One without an account behind it gets an inbox
    /// and the usual mailboxes beside it. Errors as of [`Server::start`], and those of opening a store.
    pub async fn open(path: &Path, options: ServerOptions) -> Result<Self> {
        Self::start(store_in(path).await?, options).await
    }

    /// Serves the store of an account whose bodies are not all held: `bodies` is asked for those, such as the
    /// [`Mail`](crate::Mail) that keeps the store in step. Else as [`Server::start`].
    pub async fn gateway(store: Handle, bodies: Arc<dyn BodySource>, options: ServerOptions) -> Result<Self> {
        Self::begin(store, Some(bodies), options).await
    }

    /// Serves a store. To be called inside a tokio runtime. A body that is not held is `NO [UNAVAILABLE]`.
    ///
    /// Errors: `usage.argument` for an address beyond loopback without TLS and a password, for a certificate that cannot
    /// be used and for a user without name or password; `net.connect` where the address cannot be listened on.
    pub async fn start(store: Handle, options: ServerOptions) -> Result<Self> {
        Self::begin(store, None, options).await
    }

    async fn begin(store: Handle, bodies: Option<Arc<dyn BodySource>>, options: ServerOptions) -> Result<Self> {
        let access = Access::new(store.clone())?;
        if options.tls.is_none() && options.tls_mode == TlsMode::StartTls {
            return Err(MailError::new(Code::UsageArgument, "STARTTLS takes tls, a certificate"));
        }
        for (name, password) in options.user.iter().chain(&options.users).cloned() {
            access.users().set(&name, password).await?;
        }
        let is_guarded = options.tls.is_some() && (options.tokens.is_some() || access.has_users().await?);
        if !options.address.ip().is_loopback() && !is_guarded {
            let text = "Beyond this machine a server needs TLS and a password";
            return Err(MailError::new(Code::UsageArgument, text).hint("Set tls and user, or listen on 127.0.0.1"));
        }
        let tls = options.tls.as_ref().map(|tls| Tls::new(tls, options.tls_mode)).transpose()?;
        let (login, certificate) = (options.user.clone(), tls.as_ref().map(|tls| tls.certificate.clone()));
        store.write(Durability::Full, begin).await?;
        let refused =
            |error| MailError::new(Code::NetConnect, format!("{} is not to be had: {error}", options.address));
        let listener = TcpListener::bind(options.address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let (stop, stopped) = watch::channel(false);
        let seats = Arc::new(Semaphore::new(options.connections));
        let door = Door { tls, seats, waiting: Arc::default(), stopped };
        let shared = Arc::new(Shared { access, bodies, options, arrived: Arc::default(), lately: Arc::default() });
        let task = tokio::spawn(door.keep(listener, Arc::clone(&shared)));
        Ok(Self { address, login, certificate, stop, task: Mutex::new(Some(task)), shared })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client on this machine connects to: `imap://ada@127.0.0.1:1143`; `imaps://` and `imap+starttls://` with TLS.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = match (&self.certificate, self.shared.options.tls_mode) {
            (None, _) => "imap",
            (Some(_), TlsMode::Implicit) => "imaps",
            (Some(_), TlsMode::StartTls) => "imap+starttls",
        };
        let user = self.user().map(|user| format!("{}@", escaped(user))).unwrap_or_default();
        match self.address {
            address if address.ip().is_unspecified() => format!("{scheme}://{user}localhost:{}", address.port()),
            address => format!("{scheme}://{user}{address}"),
        }
    }

    /// The user that it was started with.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.login.as_ref().map(|(user, _)| user.as_str())
    }

    /// The password of that user, given or made. It is not in the store.
    #[must_use]
    pub fn password(&self) -> Option<&Secret> {
        self.login.as_ref().map(|(_, password)| password)
    }

    /// The certificate in PEM, for clients to trust where it is a self-signed one.
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// The users of its store, to be changed while it runs.
    #[must_use]
    pub fn users(&self) -> Users {
        self.shared.access.users()
    }

    /// Stops listening and ends all connections. What was acknowledged is kept. Closing twice is fine.
    pub async fn close(&self) {
        self.stop.send_replace(true);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            // One that has panicked has ended as well.
            drop(task.await);
        }
    }
}

/// The store in that file, which is made where there is none. Errors are those of opening a store.
pub(crate) async fn store_in(path: &Path) -> Result<Handle> {
    let path = path.to_owned();
    // What clients change is little at a time.
    let options = SqliteOptions { cache: 2048, ..SqliteOptions::default() };
    let opened = tokio::task::spawn_blocking(move || SqliteStore::open(&path, options)).await;
    let store = opened.map_err(|_| MailError::new(Code::Internal, "The store could not be opened"))??;
    Handle::new(Arc::new(store))
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// Who may come in.
struct Door {
    tls: Option<Tls>,
    seats: Arc<Semaphore>,
    waiting: Arc<Waiting>,
    stopped: watch::Receiver<bool>,
}

/// How many of each peer have not logged in yet.
#[derive(Default)]
pub(super) struct Waiting(Mutex<HashMap<IpAddr, usize>>);

/// One of them; given back when it has logged in, or is gone.
pub(super) struct Ticket(Arc<Waiting>, IpAddr);

impl Waiting {
    fn take(self: &Arc<Self>, peer: IpAddr, most: usize) -> Option<Ticket> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(peer).or_insert(0);
        (*count < most).then(|| {
            *count += 1;
            Ticket(Arc::clone(self), peer)
        })
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut all = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(&self.1) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(all.remove(&self.1)),
        }
    }
}

impl Door {
    async fn keep(mut self, listener: TcpListener, shared: Arc<Shared>) {
        let mut guests = tokio::task::JoinSet::new();
        guests.spawn(keep(shared.access.store().clone(), Arc::clone(&shared.arrived)));
        guests.spawn(heed(Arc::clone(&shared)));
        loop {
            tokio::select! {
                _ = self.stopped.changed() => break,
                Some(_) = guests.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        if let Some(guest) = self.admit(stream, peer.ip(), &shared) {
                            guests.spawn(guest);
                        }
                    }
                    // Of one connection, or of too many open files: others may go better.
                    Err(error) => {
                        log::warn!("a connection was not taken: {error}");
                        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    }
                },
            }
        }
        guests.shutdown().await;
    }

    /// Lets a client in, or tells it to try later.
    fn admit(&self, stream: TcpStream, peer: IpAddr, shared: &Arc<Shared>) -> Option<impl Future<Output = ()> + use<>> {
        let seat = Arc::clone(&self.seats).try_acquire_owned().ok();
        let ticket = self.waiting.take(peer, shared.options.before_login);
        let (Some(seat), Some(ticket)) = (seat, ticket) else {
            if self.tls.as_ref().is_none_or(|tls| tls.mode == TlsMode::StartTls) {
                // Whoever does not read it has the closed connection to see.
                let _ = stream.try_write(b"* BYE [LIMIT] Too many connections\r\n");
            }
            return None;
        };
        drop(stream.set_nodelay(true));
        let guest = Guest::new(peer, Some(ticket), &shared.options);
        Some(host(stream, self.tls.clone(), (seat, guest), Arc::clone(shared)))
    }
}

async fn heed(shared: Arc<Shared>) {
    shared.access.heed().await;
}

async fn host(stream: TcpStream, tls: Option<Tls>, (_seat, guest): (OwnedSemaphorePermit, Guest), shared: Arc<Shared>) {
    if let Err(error) = attend(stream, tls, guest, shared).await {
        log::debug!("a connection ended: {error}");
    }
}

impl Guest {
    pub(super) fn new(peer: IpAddr, ticket: Option<Ticket>, options: &ServerOptions) -> Self {
        let until = Instant::now() + options.login;
        Self { peer, ticket, until, line: Line::Settled, bindings: Bindings::default() }
    }
}

/// A client from its first byte to its last. What it has said in clear before TLS is forgotten with what it was said to.
pub(super) async fn attend<S>(stream: S, tls: Option<Tls>, mut guest: Guest, shared: Arc<Shared>) -> Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(tls) = tls else { return serve(stream, shared, &mut guest).await.map(drop) };
    let mut stream = stream;
    if tls.mode == TlsMode::StartTls {
        guest.line = Line::BeforeTls;
        let Some(clear) = serve(stream, Arc::clone(&shared), &mut guest).await? else { return Ok(()) };
        (stream, guest.line) = (clear, Line::AfterTls);
    }
    let late = |_| MailError::from(Code::NetTimeout);
    let stream = timeout_at(guest.until, tls.acceptor.accept(stream)).await.map_err(late)?;
    let stream = stream.map_err(|error| crate::net::lost(&error))?;
    guest.bindings = tls.bindings(&stream);
    serve(stream, shared, &mut guest).await.map(drop)
}
