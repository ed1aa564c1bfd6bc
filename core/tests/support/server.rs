//! A scripted IMAP server in this process, which does wrong what it is told to.
//!
//! It reads strictly: a command that RFC 9051 does not allow is kept in [`State::offences`].

use super::answer::{Answer, Desk, answer, capabilities, name};
use super::faults::{Faults, How, Idle, Which};
use super::store::{Store, store};
use super::strict;
use mailtide::{Account, Engine, EngineOptions, Session};
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// The password that everybody logs in with; it must never be seen outside of the login.
pub const PASSWORD: &str = "planted-s3cret";

/// What the connections of a server share.
#[derive(Default)]
pub struct State {
    pub store: Mutex<Store>,
    pub faults: Mutex<Faults>,
    pub written: AtomicU64,
    pub commands: AtomicUsize,
    /// Names of the commands read, in order.
    pub names: Mutex<Vec<String>>,
    /// The commands themselves, as they came.
    pub wire: Mutex<Vec<Vec<u8>>>,
    /// What came and is no command.
    pub offences: Mutex<Vec<String>>,
    pub connections: AtomicUsize,
    /// Untagged data for whoever is idle or asks with NOOP.
    pub news: Mutex<Vec<u8>>,
    pub changed: Notify,
    selects: AtomicUsize,
}

pub struct Server {
    pub port: u16,
    pub state: Arc<State>,
    task: JoinHandle<()>,
}

impl Server {
    pub async fn start(faults: Faults) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, faults)
    }

    fn on(listener: TcpListener, faults: Faults) -> Self {
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State { store: store().into(), faults: faults.into(), ..State::default() });
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(Connection::new(stream, Arc::clone(&shared)).serve());
            }
        });
        Self { port, state, task }
    }

    pub fn account(&self) -> Account {
        Account::from_url(&format!("imap://ada:{PASSWORD}@127.0.0.1:{}", self.port)).unwrap()
    }

    /// A session with at most `connections`.
    pub async fn session(&self, connections: usize) -> mailtide::Result<Session> {
        let options = EngineOptions { max_connections: connections, ..EngineOptions::default() };
        Engine::new(options, tokio::runtime::Handle::current()).connect(self.account()).await
    }

    pub fn written(&self) -> u64 {
        self.state.written.load(Ordering::Relaxed)
    }

    pub fn names(&self) -> Vec<String> {
        lock(&self.state.names).clone()
    }

    pub fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.state.store)
    }

    pub fn set(&self, faults: Faults) {
        *lock(&self.state.faults) = faults;
    }

    /// Says something to whoever is idle or asks with NOOP.
    pub fn tell(&self, lines: &str) {
        lock(&self.state.news).extend_from_slice(lines.as_bytes());
        self.state.changed.notify_waiters();
        self.state.changed.notify_one();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

struct Connection {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    state: Arc<State>,
    open: Option<String>,
}

impl Connection {
    fn new(stream: TcpStream, state: Arc<State>) -> Self {
        stream.set_nodelay(true).unwrap();
        let (reader, writer) = stream.into_split();
        Self { reader: BufReader::new(reader), writer, state, open: None }
    }

    async fn serve(mut self) {
        let greeting = format!("* OK [CAPABILITY {}] ready\r\n", capabilities(&lock(&self.state.faults)));
        if self.write(greeting.as_bytes()).await.is_ok() {
            while let Ok(true) = self.next().await {}
        }
    }

    /// One command; whether there may be another.
    async fn next(&mut self) -> io::Result<bool> {
        let Some(raw) = self.read().await? else { return Ok(false) };
        let tokens = match strict::commands(&raw, false) {
            Ok(commands) if commands.len() == 1 => commands.into_iter().next().unwrap_or_default(),
            other => {
                let why = other.err().unwrap_or_else(|| "several commands".to_owned());
                lock(&self.state.offences).push(format!("{why}: {}", String::from_utf8_lossy(&raw)));
                return Ok(false);
            }
        };
        lock(&self.state.wire).push(raw);
        let (tag, name) = (super::answer::text(&tokens[0]), name(&tokens));
        lock(&self.state.names).push(name.clone());
        let instead = lock(&self.state.faults).instead.clone().filter(|(n, _)| *n == name);
        if let Some((_, bytes)) = instead {
            self.write(&bytes).await?;
            return Ok(false);
        }
        let refusal = self.refusal(&name);
        let mut answer = match refusal {
            Some(How::No) => plain("NO not today"),
            Some(How::Bad) => plain("BAD what is this"),
            Some(How::Bye) => {
                self.write(b"* BYE going down\r\n").await?;
                return Ok(false);
            }
            None if name == "IDLE" => return self.idle(&tag).await.map(|()| true),
            Some(How::NoAfterData) | None => self.answer(&tokens),
        };
        if refusal == Some(How::NoAfterData) {
            answer.tagged = "NO not after all".to_owned();
        }
        let before = lock(&self.state.faults).before.clone().filter(|(n, _)| *n == name);
        let mut bytes = before.map_or(answer.untagged, |(_, bytes)| bytes);
        bytes.extend_from_slice(format!("{tag} {}\r\n", answer.tagged).as_bytes());
        bytes.extend_from_slice(&answer.after);
        self.write(&bytes).await?;
        Ok(name != "LOGOUT")
    }

    fn answer(&mut self, tokens: &[strict::Token]) -> Answer {
        let (mut store, mut faults) = (lock(&self.state.store), lock(&self.state.faults));
        let mut selects = self.state.selects.load(Ordering::Relaxed) as u32;
        let mut desk = Desk { store: &mut store, faults: &mut faults, open: &mut self.open, selects: &mut selects };
        let mut answer = answer(&mut desk, tokens);
        if name(tokens) == "NOOP" {
            answer.untagged = std::mem::take(&mut *lock(&self.state.news));
        }
        self.state.selects.store(selects as usize, Ordering::Relaxed);
        answer
    }

    fn refusal(&self, name: &str) -> Option<How> {
        let nth = self.state.commands.fetch_add(1, Ordering::Relaxed);
        let mut faults = lock(&self.state.faults);
        let hit = faults
            .refuse
            .as_ref()
            .is_some_and(|r| r.which == Which::Nth(nth) || matches!(r.which, Which::Named(n) if n == name));
        if hit { faults.refuse.take().map(|r| r.how) } else { None }
    }

    async fn idle(&mut self, tag: &str) -> io::Result<()> {
        let how = lock(&self.state.faults).idle;
        if how == Idle::Refused {
            return self.write(format!("{tag} NO not idle\r\n").as_bytes()).await;
        }
        self.write(b"+ idling\r\n").await?;
        if how == Idle::EndsItself {
            return self.write(format!("{tag} OK enough\r\n").as_bytes()).await;
        }
        let (state, mut line) = (Arc::clone(&self.state), Vec::new());
        loop {
            let news = std::mem::take(&mut *lock(&state.news));
            self.write(&news).await?;
            tokio::select! {
                read = self.reader.read_until(b'\n', &mut line) => {
                    read?;
                    if line != b"DONE\r\n" {
                        lock(&state.offences).push(format!("in IDLE: {}", String::from_utf8_lossy(&line)));
                    }
                    return self.write(format!("{tag} OK IDLE done\r\n").as_bytes()).await;
                }
                () = state.changed.notified() => {}
            }
        }
    }

    /// A whole command, its literals with it; `None` where the client has gone.
    async fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut raw = Vec::new();
        loop {
            let from = raw.len();
            if self.reader.read_until(b'\n', &mut raw).await? == 0 {
                return Ok(None);
            }
            let Some((size, waits)) = literal(&raw[from..]) else { break };
            if waits {
                self.write(b"+ go on\r\n").await?;
            }
            let at = raw.len();
            raw.resize(at + size, 0);
            self.reader.read_exact(&mut raw[at..]).await?;
        }
        Ok(Some(raw))
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (cut, drip, bytes) = {
            let mut faults = lock(&self.state.faults);
            let bytes = bent(bytes, &faults);
            let before = self.state.written.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            let room = faults.cut.map(|at| at.saturating_sub(before)).filter(|room| *room < bytes.len() as u64);
            if room.is_some() {
                faults.cut = None;
            }
            (room.map(|room| (room as usize, faults.reset)), faults.drip, bytes)
        };
        if let Some((room, reset)) = cut {
            self.writer.write_all(&bytes[..room]).await?;
            if reset {
                self.writer.as_ref().set_zero_linger()?;
            }
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        if !drip {
            return self.writer.write_all(&bytes).await;
        }
        for byte in bytes {
            self.writer.write_all(&[byte]).await?;
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

fn plain(tagged: &str) -> Answer {
    Answer { tagged: tagged.to_owned(), ..Answer::default() }
}

/// The bytes as a server with these faults writes them. Only for text: a literal would change its length.
fn bent(bytes: &[u8], faults: &Faults) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    if faults.nul_padding && !bytes.is_empty() {
        out.extend_from_slice(&[0; 3]);
    }
    match faults.bare_lf {
        true => out.extend(bytes.iter().filter(|b| **b != b'\r')),
        false => out.extend_from_slice(bytes),
    }
    out
}

/// Size of the literal that a line ends with, and whether its sender waits for `+`.
fn literal(line: &[u8]) -> Option<(usize, bool)> {
    let inner = line.strip_suffix(b"}\r\n")?;
    let at = inner.iter().rposition(|b| *b == b'{')?;
    let digits = std::str::from_utf8(&inner[at + 1..]).ok()?;
    let size = digits.strip_suffix('+').unwrap_or(digits).parse().ok()?;
    Some((size, !digits.ends_with('+')))
}
