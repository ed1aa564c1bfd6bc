//! Streams to the modelled server, for clients that read and write: no socket and no task in between, and time is the
//! runtime's, which a test can pause.

use crate::model::{Actor, ConnectionId, Outgoing, Server};
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::time::{Instant, Sleep, sleep_until};

/// The way to one server. Cheap to clone.
#[derive(Clone)]
pub struct Network(Arc<Inner>);

struct Inner {
    server: Mutex<Server>,
    waiting: Mutex<BTreeMap<ConnectionId, Waker>>,
    start: Instant,
}

/// A client's end of a connection.
pub struct Wire {
    network: Network,
    id: ConnectionId,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Network {
    /// A network with this server in it. Time starts now.
    #[must_use]
    pub fn new(server: Server) -> Self {
        Self(Arc::new(Inner { server: Mutex::new(server), waiting: Mutex::default(), start: Instant::now() }))
    }

    /// Milliseconds since the start.
    #[must_use]
    pub fn now(&self) -> u64 {
        u64::try_from(self.0.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A connection for `actor`.
    #[must_use]
    pub fn connect(&self, actor: Actor) -> Wire {
        let id = self.lock().connect(actor, self.now());
        Wire { network: self.clone(), id, sleep: None }
    }

    /// Looks at the server, or does something to it; clients that idle hear of it.
    pub fn server<T>(&self, work: impl FnOnce(&mut Server) -> T) -> T {
        let mut server = self.lock();
        server.advance(self.now());
        let result = work(&mut server);
        server.tell_idlers();
        drop(server);
        self.wake();
        result
    }

    /// Serves every connection that `listener` takes, as a foreign client's, until it is dropped.
    pub async fn serve(&self, listener: TcpListener) -> io::Result<()> {
        loop {
            let (mut tcp, _) = listener.accept().await?;
            let mut wire = self.connect(crate::model::FOREIGN);
            tokio::spawn(async move {
                let _ = tokio::io::copy_bidirectional(&mut tcp, &mut wire).await;
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Server> {
        self.0.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        let waiting = std::mem::take(&mut *self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.into_values().for_each(Waker::wake);
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            // Registered before looking, so that nothing is missed in between.
            let waiting = &self.network.0.waiting;
            waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(self.id, cx.waker().clone());
            let outgoing = self.network.lock().take(self.id, buf.remaining(), self.network.now());
            match outgoing {
                Outgoing::Bytes(bytes) => {
                    buf.put_slice(&bytes);
                    return Poll::Ready(Ok(()));
                }
                Outgoing::End => return Poll::Ready(Ok(())),
                Outgoing::Nothing => return Poll::Pending,
                Outgoing::Later(due) => {
                    let due = self.network.0.start + Duration::from_millis(due);
                    let mut sleep = Box::pin(sleep_until(due));
                    if sleep.as_mut().poll(cx).is_pending() {
                        self.sleep = Some(sleep);
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.network.lock().feed(self.id, bytes, self.network.now());
        self.network.wake();
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.network.lock().hang_up(self.id);
        Poll::Ready(Ok(()))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.network.lock().hang_up(self.id);
    }
}
