//! Stands between a client and a server, counts the bytes of each way, and closes after as many as it is told to: what
//! comes later is kept back until the client is dead.
//!
//! Where it hides UIDPLUS, it takes APPENDUID and COPYUID out of what the server says, so that nobody knows them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, tcp};
use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    ToServer,
    FromServer,
}

#[derive(Debug)]
struct Counter {
    went: AtomicU64,
    most: AtomicU64,
}

impl Counter {
    fn new() -> Self {
        Self { went: AtomicU64::new(0), most: AtomicU64::new(u64::MAX) }
    }
}

#[derive(Debug)]
struct Shared {
    to_server: Counter,
    from_server: Counter,
    /// Whether a bound was reached: nothing goes on, until it is released.
    closed: watch::Sender<bool>,
    /// How many connections to the server are open.
    open: watch::Sender<usize>,
    hides_uids: bool,
}

pub struct Gate {
    pub port: u16,
    shared: Arc<Shared>,
}

impl Gate {
    pub async fn start(server: u16, hides_uids: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (closed, open) = (watch::Sender::new(false), watch::Sender::new(0));
        let (to_server, from_server) = (Counter::new(), Counter::new());
        let shared = Arc::new(Shared { to_server, from_server, closed, open, hides_uids });
        let ours = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let shared = Arc::clone(&ours);
                shared.open.send_modify(|open| *open += 1);
                tokio::spawn(async move {
                    if let Ok(upstream) = TcpStream::connect(("127.0.0.1", server)).await {
                        connect(client, upstream, &shared).await;
                    }
                    shared.open.send_modify(|open| *open -= 1);
                });
            }
        });
        Self { port, shared }
    }

    /// Counts from 0, and closes after so many bytes of a way.
    pub fn close_after(&self, bound: Option<(Way, u64)>) {
        for counter in [&self.shared.to_server, &self.shared.from_server] {
            counter.went.store(0, Ordering::SeqCst);
            counter.most.store(u64::MAX, Ordering::SeqCst);
        }
        self.shared.closed.send_replace(false);
        if let Some((way, most)) = bound {
            self.shared.counter(way).most.store(most, Ordering::SeqCst);
        }
    }

    /// How many bytes went a way.
    pub fn went(&self, way: Way) -> u64 {
        self.shared.counter(way).went.load(Ordering::SeqCst)
    }

    /// Waits until it has closed.
    pub async fn closed(&self) {
        self.shared.closed.subscribe().wait_for(|closed| *closed).await.unwrap();
    }

    /// Waits until the server has read what came through to its end and hung up: it does nothing more for this client.
    pub async fn settled(&self) {
        self.shared.closed.send_replace(true);
        self.shared.open.subscribe().wait_for(|open| *open == 0).await.unwrap();
    }
}

impl Shared {
    fn counter(&self, way: Way) -> &Counter {
        if way == Way::ToServer { &self.to_server } else { &self.from_server }
    }

    /// How many of these bytes may go.
    fn pass(&self, way: Way, count: usize) -> usize {
        if *self.closed.borrow() {
            return 0;
        }
        let counter = self.counter(way);
        let went = counter.went.fetch_add(count as u64, Ordering::SeqCst);
        let left = counter.most.load(Ordering::SeqCst).saturating_sub(went);
        if left <= count as u64 {
            self.closed.send_replace(true);
        }
        count.min(usize::try_from(left).unwrap_or(usize::MAX))
    }
}

async fn connect(client: TcpStream, server: TcpStream, shared: &Shared) {
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::join!(up(from_client, to_server, shared), down(from_server, to_client, shared));
}

/// Ends with the client; the server hears of it.
async fn up(mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf, shared: &Shared) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let may = shared.pass(Way::ToServer, count);
        if to.write_all(&buffer[..may]).await.is_err() {
            return;
        }
    }
}

/// Ends with the server; a client that is not there any more does not end it.
async fn down(mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf, shared: &Shared) {
    let (mut buffer, mut kept) = (vec![0; 16 << 10], Vec::new());
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..count]);
        let told = if shared.hides_uids { without_uids(&mut kept) } else { std::mem::take(&mut kept) };
        let may = shared.pass(Way::FromServer, told.len());
        let _ = to.write_all(&told[..may]).await;
    }
}

/// All whole lines, without the codes that tell UIDs; what is no line yet is kept. Every response ends a line.
fn without_uids(kept: &mut Vec<u8>) -> Vec<u8> {
    let end = kept.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let rest = kept.split_off(end);
    let mut lines = std::mem::replace(kept, rest);
    for code in [&b"[APPENDUID "[..], b"[COPYUID "] {
        while let Some(at) = lines.windows(code.len()).position(|window| window == code) {
            let end = lines[at..].iter().position(|byte| *byte == b']').unwrap();
            lines.drain(at..=at + end + 1);
        }
    }
    lines
}
