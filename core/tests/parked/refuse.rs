//! Stands between a client and a server and answers one command in the server's place.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream, tcp};

/// What is done differently.
#[derive(Clone, Copy, Debug, Default)]
pub enum Fault {
    #[default]
    None,
    /// Commands with this word are not passed on, and get this answer.
    Answer(&'static str, &'static str),
    /// The answer to a command with this word is lost, with the connection.
    Lose(&'static str),
    /// Every mailbox opens read-only.
    ReadOnly,
}

pub struct Refuser {
    pub port: u16,
    fault: Arc<Mutex<Fault>>,
}

impl Refuser {
    pub async fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let fault = Arc::new(Mutex::new(Fault::None));
        let ours = Arc::clone(&fault);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                tokio::spawn(connect(client, server, Arc::clone(&ours)));
            }
        });
        Self { port, fault }
    }

    pub fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }
}

async fn connect(client: TcpStream, server: TcpStream, fault: Arc<Mutex<Fault>>) {
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let to_client = Arc::new(tokio::sync::Mutex::new(to_client));
    // The tag whose answer is lost.
    let lost = Arc::new(Mutex::new(None));
    let up = up(from_client, to_server, Arc::clone(&to_client), (Arc::clone(&fault), Arc::clone(&lost)));
    tokio::select! { () = up => {}, () = down(from_server, to_client, (fault, lost)) => {} }
}

type State = (Arc<Mutex<Fault>>, Arc<Mutex<Option<String>>>);

async fn up(
    from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    client: Arc<tokio::sync::Mutex<tcp::OwnedWriteHalf>>,
    (fault, lost): State,
) {
    let (mut from, mut line) = (BufReader::new(from), Vec::new());
    while let Ok(1..) = from.read_until(b'\n', &mut line).await {
        let text = String::from_utf8_lossy(&line).into_owned();
        let tag = text.split(' ').next().unwrap_or_default().to_owned();
        let fault = *fault.lock().unwrap();
        match fault {
            Fault::Answer(word, answer) if text.contains(word) => {
                let answer = format!("{tag} {answer}\r\n");
                client.lock().await.write_all(answer.as_bytes()).await.unwrap();
            }
            fault => {
                if matches!(fault, Fault::Lose(word) if text.contains(word)) {
                    *lost.lock().unwrap() = Some(tag);
                }
                if to.write_all(&line).await.is_err() {
                    return;
                }
            }
        }
        line.clear();
    }
}

async fn down(
    mut from: tcp::OwnedReadHalf,
    client: Arc<tokio::sync::Mutex<tcp::OwnedWriteHalf>>,
    (fault, lost): State,
) {
    let (mut buffer, mut kept) = (vec![0; 16 << 10], Vec::new());
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..count]);
        let Some(end) = kept.iter().rposition(|byte| *byte == b'\n') else { continue };
        let rest = kept.split_off(end + 1);
        let mut text = std::mem::replace(&mut kept, rest);
        let tag = lost.lock().unwrap().clone();
        if tag.is_some_and(|tag| text.windows(tag.len() + 3).any(|window| window == format!("{tag} OK").as_bytes())) {
            return;
        }
        if matches!(*fault.lock().unwrap(), Fault::ReadOnly) {
            text = String::from_utf8(text).unwrap().replace("[READ-WRITE]", "[READ-ONLY]").into_bytes();
        }
        if client.lock().await.write_all(&text).await.is_err() {
            return;
        }
    }
}
