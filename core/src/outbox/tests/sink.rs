//! A receiver that is strict: what it takes for one message is one, and whatever is not SMTP it remembers.

use crate::error::{Code, Result};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

/// What was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub sender: String,
    pub recipients: Vec<String>,
    pub bytes: Vec<u8>,
}

/// Answers what a rule says, else what a server would.
pub type Rule = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

pub struct Sink {
    pub capabilities: &'static [&'static str],
    /// Asked with `CONNECT`, each command line, `.` for the end of a message, `ENOUGH` where it reads no further.
    pub rule: Option<Rule>,
    /// Of the first connection: bytes that are read, and bytes that are written, before it breaks.
    pub reads: Option<usize>,
    pub writes: Option<usize>,
    pub offline: Mutex<bool>,
    pub connections: AtomicUsize,
    pub state: Arc<Mutex<Seen>>,
}

/// What it has seen.
#[derive(Debug, Default)]
pub struct Seen {
    messages: Vec<Taken>,
    commands: Vec<String>,
    flaws: Vec<String>,
    read: usize,
    written: usize,
}

/// A reply that never comes.
pub const SILENCE: &str = "silence";

pub const USUAL: &[&str] = &["SIZE 1000000", "8BITMIME", "PIPELINING", "SMTPUTF8", "ENHANCEDSTATUSCODES"];

impl Default for Sink {
    fn default() -> Self {
        Self {
            capabilities: USUAL,
            rule: None,
            reads: None,
            writes: None,
            offline: Mutex::new(false),
            connections: AtomicUsize::new(0),
            state: Arc::default(),
        }
    }
}

impl Sink {
    pub fn with_rule(rule: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { rule: Some(Arc::new(rule)), ..Self::default() }
    }

    pub fn messages(&self) -> Vec<Taken> {
        self.state.lock().unwrap().messages.clone()
    }

    pub fn commands(&self) -> Vec<String> {
        self.state.lock().unwrap().commands.clone()
    }

    pub fn flaws(&self) -> Vec<String> {
        self.state.lock().unwrap().flaws.clone()
    }

    /// Bytes read and written on the last connection.
    pub fn traffic(&self) -> (usize, usize) {
        let state = self.state.lock().unwrap();
        (state.read, state.written)
    }

    /// A connection to it.
    pub fn accept(&self) -> Result<DuplexStream> {
        if *self.offline.lock().unwrap() {
            return Err(Code::NetConnect.into());
        }
        let first = self.connections.fetch_add(1, Ordering::SeqCst) == 0;
        let (ours, theirs) = duplex(256 * 1024);
        let of_first = |limit: Option<usize>| limit.filter(|_| first).unwrap_or(usize::MAX);
        let play = Play {
            stream: theirs,
            buffer: Vec::new(),
            reads: of_first(self.reads),
            writes: of_first(self.writes),
            capabilities: self.capabilities,
            rule: self.rule.clone(),
            state: Arc::clone(&self.state),
        };
        {
            let mut state = self.state.lock().unwrap();
            (state.read, state.written) = (0, 0);
        }
        tokio::spawn(play.run());
        Ok(ours)
    }
}

struct Play {
    stream: DuplexStream,
    buffer: Vec<u8>,
    reads: usize,
    writes: usize,
    capabilities: &'static [&'static str],
    rule: Option<Rule>,
    state: Arc<Mutex<Seen>>,
}

impl Play {
    /// Ends when the connection breaks, by whomever.
    async fn run(mut self) -> Option<()> {
        self.say("CONNECT", "220 sink.example ESMTP").await?;
        let (mut sender, mut recipients) = (None, Vec::new());
        loop {
            let command = self.line().await?;
            let verb = command.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => {
                    let mut lines = vec!["sink.example".to_owned()];
                    lines.extend(self.capabilities.iter().map(|c| (*c).to_owned()));
                    let last = lines.pop().unwrap_or_default();
                    let text: String = lines.iter().map(|line| format!("250-{line}\r\n")).collect();
                    self.say(&command, &format!("{text}250 {last}")).await?;
                }
                "MAIL" if self.say(&command, "250 2.1.0 ok").await? => {
                    sender = Some(path(&command));
                    recipients.clear();
                }
                "RCPT" if sender.is_none() => drop(self.say(&command, "503 5.5.1 MAIL first").await?),
                "RCPT" if self.say(&command, "250 2.1.5 ok").await? => recipients.push(path(&command)),
                "MAIL" | "RCPT" => {}
                "DATA" if recipients.is_empty() => drop(self.say(&command, "503 5.5.1 RCPT first").await?),
                "DATA" => {
                    if self.say(&command, "354 go on").await? {
                        let bytes = self.data().await?;
                        let taken =
                            Taken { sender: sender.take()?, recipients: std::mem::take(&mut recipients), bytes };
                        self.end(taken).await?;
                    }
                }
                "RSET" => {
                    (sender, recipients) = (None, Vec::new());
                    self.say(&command, "250 2.0.0 ok").await?;
                }
                "NOOP" => drop(self.say(&command, "250 2.0.0 ok").await?),
                "QUIT" => {
                    self.say(&command, "221 2.0.0 bye").await?;
                    return None;
                }
                _ => {
                    self.flaw(format!("unknown command {command:?}"));
                    self.say(&command, "500 5.5.2 what?").await?;
                }
            }
        }
    }

    /// What is accepted is stored before it is said.
    async fn end(&mut self, taken: Taken) -> Option<bool> {
        let reply = self.reply(".", "250 2.0.0 taken");
        if reply.starts_with('2') || reply == SILENCE {
            self.state.lock().unwrap().messages.push(taken);
        }
        self.write(&reply).await
    }

    fn reply(&self, command: &str, usual: &str) -> String {
        let ruled = self.rule.as_ref().and_then(|rule| rule(command));
        ruled.unwrap_or_else(|| usual.to_owned())
    }

    /// Whether it was a good answer.
    async fn say(&mut self, command: &str, usual: &str) -> Option<bool> {
        if command != "CONNECT" {
            self.state.lock().unwrap().commands.push(command.to_owned());
        }
        let reply = self.reply(command, usual);
        self.write(&reply).await
    }

    async fn write(&mut self, reply: &str) -> Option<bool> {
        if reply == SILENCE {
            std::future::pending::<()>().await;
        }
        let mut bytes = format!("{reply}\r\n").into_bytes();
        let is_cut = bytes.len() > self.writes;
        bytes.truncate(self.writes);
        self.writes -= bytes.len();
        self.state.lock().unwrap().written += bytes.len();
        self.stream.write_all(&bytes).await.ok()?;
        // 421 is the last that is heard of a server.
        if is_cut || self.writes == 0 || reply.starts_with("421") {
            return None;
        }
        Some(reply.starts_with(['2', '3']))
    }

    async fn fill(&mut self) -> Option<()> {
        let mut bytes = [0; 4096];
        let room = self.reads.min(bytes.len());
        if room == 0 {
            let last_words = self.rule.as_ref().and_then(|rule| rule("ENOUGH"));
            if let Some(last_words) = last_words {
                self.write(&last_words).await?;
            }
            return None;
        }
        let count = self.stream.read(&mut bytes[..room]).await.ok().filter(|n| *n > 0)?;
        self.reads -= count;
        self.state.lock().unwrap().read += count;
        self.buffer.extend_from_slice(&bytes[..count]);
        Some(())
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.buffer.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=at).collect();
                let text = String::from_utf8_lossy(&line).into_owned();
                let text = text.strip_suffix("\r\n").map(str::to_owned).unwrap_or_else(|| {
                    self.flaw(format!("a command ends without CRLF: {text:?}"));
                    text.trim_end().to_owned()
                });
                if text.contains('\r') || text.len() > 510 {
                    self.flaw(format!("not a command: {text:?}"));
                }
                return Some(text);
            }
            self.fill().await?;
        }
    }

    /// Up to CRLF, dot, CRLF and nothing else.
    async fn data(&mut self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        loop {
            while let Some(at) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.buffer.drain(..at + 2).collect();
                if line == b".\r\n" {
                    return Some(out);
                }
                let content = &line[..line.len() - 2];
                if content.iter().any(|b| matches!(b, b'\r' | b'\n' | 0)) || content.len() > 999 {
                    self.flaw(format!("not a line: {:?}", String::from_utf8_lossy(content)));
                }
                out.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            }
            self.fill().await?;
        }
    }

    fn flaw(&self, what: String) {
        self.state.lock().unwrap().flaws.push(what);
    }
}

fn path(command: &str) -> String {
    let inside = command.split_once('<').and_then(|(_, rest)| rest.rsplit_once('>')).map(|(inside, _)| inside);
    inside.unwrap_or_default().to_owned()
}
