//! A submission server that keeps what it is given, for the reply of the demo (RFC 5321, as far as one client needs it).

use crate::error::{Code, MailError, Result};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Runs until it is dropped.
pub(super) struct Sink {
    pub address: SocketAddr,
    taken: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Sink {
    pub async fn start() -> Result<Self> {
        let failed = |error| MailError::new(Code::NetConnect, format!("No port is to be had: {error}"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let taken = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&taken);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that is gone is nobody's loss here.
                drop(talk(stream, &count).await);
            }
        });
        Ok(Self { address, taken, task })
    }

    /// How many messages it was given.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Acquire)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn talk(stream: TcpStream, taken: &AtomicU64) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut is_data = false;
    write.write_all(b"220 demo\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        if is_data && line != "." {
            continue;
        }
        if is_data {
            taken.fetch_add(1, Ordering::AcqRel);
        }
        let word = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        is_data = word == "DATA";
        let answer: &[u8] = match word.as_str() {
            "DATA" => b"354 go on\r\n",
            "QUIT" => b"221 bye\r\n",
            _ => b"250 fine\r\n",
        };
        write.write_all(answer).await?;
    }
    Ok(())
}
