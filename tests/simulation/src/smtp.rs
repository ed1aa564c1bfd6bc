//! A modelled submission server: it takes messages, counts them, and can end a connection at any byte of the dialogue
//! (RFC 5321).

use crate::letter;
use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The server. Cheap to clone.
#[derive(Clone, Default)]
pub struct Sink(Arc<Mutex<State>>);

#[derive(Clone, Default)]
struct State {
    /// How often each token was taken.
    taken: BTreeMap<u64, u32>,
    /// Bytes of the next connection's dialogue, both ways, after which it ends.
    cut: Option<usize>,
    /// Whether recipients are refused.
    refuses: bool,
}

/// A client's end of a connection.
pub struct SmtpWire {
    sink: Sink,
    input: Vec<u8>,
    output: Vec<u8>,
    data: Option<Vec<u8>>,
    left: Option<usize>,
    closed: bool,
    waker: Option<Waker>,
}

impl Sink {
    /// A connection, with the greeting on its way.
    #[must_use]
    pub fn connect(&self) -> SmtpWire {
        let left = self.lock().cut.take();
        let mut wire = SmtpWire {
            sink: self.clone(),
            input: Vec::new(),
            output: Vec::new(),
            data: None,
            left,
            closed: left == Some(0),
            waker: None,
        };
        wire.say("220 model.invalid ESMTP");
        wire
    }

    /// A server of its own that has taken what this one has.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.lock().clone())))
    }

    /// How many messages were taken.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.lock().taken.values().sum()
    }

    /// Ends the next connection after so many bytes.
    pub fn cut_next(&self, bytes: usize) {
        self.lock().cut = Some(bytes);
    }

    /// Whether recipients are refused from now on.
    pub fn refuse(&self, refuses: bool) {
        self.lock().refuses = refuses;
    }

    /// Ends nothing any more.
    pub fn calm(&self) {
        self.lock().cut = None;
    }

    /// How often a message was taken.
    #[must_use]
    pub fn taken(&self, token: u64) -> u32 {
        self.lock().taken.get(&token).copied().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SmtpWire {
    fn say(&mut self, line: &str) {
        self.output.extend_from_slice(line.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }

    /// How many of `count` bytes still pass.
    fn pass(&mut self, count: usize) -> usize {
        let Some(left) = &mut self.left else { return count };
        let passed = count.min(*left);
        *left -= passed;
        self.closed |= *left == 0;
        passed
    }

    fn work(&mut self) {
        while let Some(end) = self.input.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = self.input.drain(..=end).collect();
            match &mut self.data {
                Some(data) if line == b".\r\n" => {
                    let token = letter::token(data).unwrap_or_default();
                    self.data = None;
                    *self.sink.lock().taken.entry(token).or_default() += 1;
                    self.say("250 2.0.0 Ok: queued");
                }
                Some(data) => data.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line)),
                None => self.command(&String::from_utf8_lossy(&line).to_ascii_uppercase()),
            }
        }
    }

    fn command(&mut self, line: &str) {
        let refuses = self.sink.lock().refuses;
        match line.split_ascii_whitespace().next().unwrap_or_default() {
            "EHLO" => {
                self.say("250-model.invalid");
                self.say("250 SIZE 10000000");
            }
            "RCPT" if refuses => self.say("550 5.1.1 No such user"),
            "MAIL" | "RCPT" | "RSET" | "NOOP" | "HELO" => self.say("250 2.0.0 Ok"),
            "DATA" => {
                self.data = Some(Vec::new());
                self.say("354 End data with <CR><LF>.<CR><LF>");
            }
            "QUIT" => {
                self.say("221 2.0.0 Bye");
                self.closed = true;
            }
            _ => self.say("500 5.5.2 Unknown command"),
        }
    }
}

impl AsyncRead for SmtpWire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let cut = self.left == Some(0);
        if self.output.is_empty() || cut {
            if self.closed {
                return Poll::Ready(Ok(()));
            }
            self.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let wanted = buf.remaining().min(self.output.len());
        let count = self.pass(wanted);
        let bytes: Vec<u8> = self.output.drain(..count).collect();
        buf.put_slice(&bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for SmtpWire {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let count = self.pass(bytes.len());
        self.input.extend_from_slice(&bytes[..count]);
        self.work();
        self.waker.take().into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.closed = true;
        Poll::Ready(Ok(()))
    }
}
