//! A connection that ends after a given number of bytes, as cables and processes do.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, tcp};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    ToServer,
    FromServer,
}

#[derive(Debug, Default)]
struct Counter {
    /// Bytes that went since the last call of `cut`, and how many may.
    went: AtomicU64,
    most: AtomicU64,
    /// What went to the server.
    said: Mutex<Vec<u8>>,
}

/// Passes bytes on, until it is told to stop.
pub struct Proxy {
    pub port: u16,
    to_server: Arc<Counter>,
    from_server: Arc<Counter>,
}

impl Proxy {
    pub async fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let counter = || Arc::new(Counter { most: AtomicU64::new(u64::MAX), ..Counter::default() });
        let proxy = Self { port, to_server: counter(), from_server: counter() };
        let (to, from) = (Arc::clone(&proxy.to_server), Arc::clone(&proxy.from_server));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(upstream) = TcpStream::connect(("127.0.0.1", server)).await else { return };
                let (to, from) = (Arc::clone(&to), Arc::clone(&from));
                tokio::spawn(async move {
                    let ((mut client_in, client_out), (server_in, server_out)) =
                        (client.into_split(), upstream.into_split());
                    // One way that ends ends both.
                    tokio::select! {
                        () = pass(&mut client_in, server_out, (Way::ToServer, to)) => {}
                        () = pass(server_in, client_out, (Way::FromServer, from)) => {
                            // A connection closed with something unread is reset, and takes away what has come before.
                            let _ = tokio::io::copy(&mut client_in, &mut tokio::io::sink()).await;
                        }
                    }
                });
            }
        });
        proxy
    }

    /// Ends connections after so many more bytes of one way.
    pub fn cut(&self, way: Way, most: u64) {
        for counter in [&self.to_server, &self.from_server] {
            counter.went.store(0, Ordering::SeqCst);
            counter.most.store(u64::MAX, Ordering::SeqCst);
            counter.said.lock().unwrap().clear();
        }
        self.counter(way).most.store(most, Ordering::SeqCst);
    }

    pub fn went(&self, way: Way) -> u64 {
        self.counter(way).went.load(Ordering::SeqCst)
    }

    /// Where the stretches of whole messages began that were asked for since the last call of `cut`.
    pub fn offsets(&self) -> Vec<u64> {
        let said = String::from_utf8_lossy(&self.to_server.said.lock().unwrap()).into_owned();
        let stretches = said.split("BODY.PEEK[]<").skip(1);
        stretches.map(|rest| rest.split('.').next().unwrap().parse().unwrap()).collect()
    }

    fn counter(&self, way: Way) -> &Counter {
        if way == Way::ToServer { &self.to_server } else { &self.from_server }
    }
}

async fn pass(mut from: impl AsyncRead + Unpin, mut to: tcp::OwnedWriteHalf, (way, counter): (Way, Arc<Counter>)) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let went = counter.went.fetch_add(count as u64, Ordering::SeqCst);
        let left = counter.most.load(Ordering::SeqCst).saturating_sub(went);
        let count = count.min(usize::try_from(left).unwrap_or(usize::MAX));
        if way == Way::ToServer {
            counter.said.lock().unwrap().extend_from_slice(&buffer[..count]);
        }
        if to.write_all(&buffer[..count]).await.is_err() || count as u64 == left {
            return;
        }
    }
}
