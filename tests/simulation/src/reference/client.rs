//! IMAP as far as the reference engine needs it: one command at a time, and answers read by looking for words.

use super::{Result, Stop};
use crate::model::Actor;
use crate::network::{Network, Wire};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// A connection that is logged in.
pub struct Client {
    wire: Wire,
    buffer: Vec<u8>,
    tag: u32,
    capabilities: String,
    pub selected: Option<Selected>,
}

/// The mailbox that is open.
#[derive(Clone, Debug, Default)]
pub struct Selected {
    pub name: String,
    pub exists: usize,
    pub uid_validity: u32,
    pub uid_next: Option<u32>,
    pub modseq: u64,
    pub read_only: bool,
    /// What QRESYNC has said.
    pub vanished: Option<String>,
    pub changed: Vec<Fetched>,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Ok,
    No,
    Bad,
}

/// The answer to a command.
#[derive(Debug)]
pub struct Reply {
    pub untagged: Vec<Vec<u8>>,
    pub status: Status,
    pub text: String,
}

/// A row of FETCH.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    pub uid: u32,
    pub flags: Option<BTreeSet<String>>,
    pub size: usize,
    pub date: String,
    pub envelope: Vec<u8>,
    pub body: Option<Vec<u8>>,
}

impl Client {
    /// Connects and logs in.
    pub async fn open(network: &Network, actor: Actor) -> Result<Self> {
        let wire = network.connect(actor);
        let mut client = Self { wire, buffer: Vec::new(), tag: 0, capabilities: String::new(), selected: None };
        let greeting = client.response().await?;
        if !greeting.starts_with(b"* OK") {
            return Err(Stop::Lost("refused".to_owned()));
        }
        client.demand("LOGIN ada secret").await?;
        let reply = client.demand("CAPABILITY").await?;
        client.capabilities = reply.untagged.iter().map(|line| text(line)).collect::<Vec<_>>().join(" ");
        if client.has("QRESYNC") {
            client.demand("ENABLE QRESYNC").await?;
        }
        Ok(client)
    }

    pub fn has(&self, capability: &str) -> bool {
        self.capabilities.split_ascii_whitespace().any(|word| word == capability)
    }

    pub async fn log_out(&mut self) {
        let _ = self.run("LOGOUT").await;
    }

    /// A command that must end in OK.
    pub async fn demand(&mut self, command: &str) -> Result<Reply> {
        let reply = self.run(command).await?;
        if reply.status == Status::Ok { Ok(reply) } else { Err(Stop::Lost(format!("{command:.20}: {}", reply.text))) }
    }

    pub async fn run(&mut self, command: &str) -> Result<Reply> {
        self.run_with(command, None).await
    }

    /// A command that perhaps ends in a literal.
    pub async fn run_with(&mut self, command: &str, literal: Option<&[u8]>) -> Result<Reply> {
        self.tag += 1;
        let tag = format!("r{} ", self.tag);
        self.send(format!("{tag}{command}\r\n").as_bytes()).await?;
        let mut untagged = Vec::new();
        loop {
            let response = self.response().await?;
            if response.starts_with(b"+") {
                self.send(&[literal.unwrap_or_default(), b"\r\n"].concat()).await?;
            } else if let Some(rest) = response.strip_prefix(tag.as_bytes()) {
                return Ok(ended(untagged, &text(rest)));
            } else {
                untagged.push(response);
            }
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.wire.write_all(bytes).await.map_err(|e| Stop::Lost(e.to_string()))
    }

    /// A whole response, literals included.
    async fn response(&mut self) -> Result<Vec<u8>> {
        loop {
            if let Some(end) = response_end(&self.buffer) {
                let rest = self.buffer.split_off(end);
                return Ok(std::mem::replace(&mut self.buffer, rest));
            }
            let read = self.wire.read_buf(&mut self.buffer);
            match tokio::time::timeout(PATIENCE, read).await {
                Ok(Ok(count)) if count > 0 => {}
                Ok(_) => return Err(Stop::Lost("the connection ended".to_owned())),
                Err(_) => return Err(Stop::Lost("no answer".to_owned())),
            }
        }
    }

    /// Opens a mailbox; `None` where the server will not.
    pub async fn select(&mut self, name: &str, since: Option<(u32, u64)>) -> Result<Option<Selected>> {
        let resync = since.map(|(validity, modseq)| format!(" (QRESYNC ({validity} {modseq}))")).unwrap_or_default();
        let reply = self.run(&format!("SELECT {}{resync}", quoted(name))).await?;
        self.selected = (reply.status == Status::Ok).then(|| selected(name, &reply));
        if reply.status == Status::Bad {
            return Err(Stop::Lost(reply.text));
        }
        Ok(self.selected.clone())
    }

    /// Rows of a set, asked for again where the server stops at its limit.
    pub async fn fetch(&mut self, set: &str, items: &str, suffix: &str) -> Result<Vec<Fetched>> {
        let (mut rows, mut set) = (Vec::new(), set.to_owned());
        loop {
            let reply = self.demand(&format!("UID FETCH {set} ({items}){suffix}")).await?;
            rows.extend(reply.untagged.iter().filter_map(|line| fetched(line)));
            match limit(&reply.text).filter(|lowest| *lowest > 1) {
                Some(lowest) => set = format!("1:{}", lowest - 1),
                None => return Ok(rows),
            }
        }
    }

    /// All UIDs of the open mailbox.
    pub async fn uids(&mut self) -> Result<BTreeSet<u32>> {
        let (mut uids, mut key) = (BTreeSet::new(), "ALL".to_owned());
        loop {
            let reply = self.demand(&format!("UID SEARCH {key}")).await?;
            let lines = reply.untagged.iter().map(|line| text(line));
            for line in lines.filter(|line| line.starts_with("* SEARCH")) {
                uids.extend(line.split_ascii_whitespace().filter_map(|word| word.parse::<u32>().ok()));
            }
            match limit(&reply.text).filter(|lowest| *lowest > 1) {
                Some(lowest) => key = format!("UID 1:{}", lowest - 1),
                None => return Ok(uids),
            }
        }
    }
}

fn ended(untagged: Vec<Vec<u8>>, text: &str) -> Reply {
    let (word, rest) = text.trim_end().split_once(' ').unwrap_or((text, ""));
    let status = match word {
        "OK" => Status::Ok,
        "NO" => Status::No,
        _ => Status::Bad,
    };
    Reply { untagged, status, text: rest.to_owned() }
}

/// The lowest UID that was worked on, where the server stopped at its limit.
fn limit(text: &str) -> Option<u32> {
    text.strip_prefix("[MESSAGELIMIT ")?.split_once(']')?.0.split_once(' ')?.1.parse().ok()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

fn response_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let end = at + bytes.get(at..)?.iter().position(|b| *b == b'\n')?;
        let line = text(&bytes[at..end]);
        at = end + 1;
        let announced = line.trim_end().strip_suffix('}').and_then(|l| l.rsplit_once('{'));
        match announced.and_then(|(_, size)| size.parse::<usize>().ok()) {
            Some(size) => at += size,
            None => return Some(at),
        }
    }
}

fn selected(name: &str, reply: &Reply) -> Selected {
    let mut out =
        Selected { name: name.to_owned(), read_only: reply.text.contains("[READ-ONLY]"), ..Selected::default() };
    for line in &reply.untagged {
        let line_text = text(line);
        let code = |word: &str| {
            let rest = line_text.split_once(&format!("[{word} "))?.1;
            rest.split_once(']')?.0.parse::<u64>().ok()
        };
        let narrow = |n: u64| u32::try_from(n).unwrap_or_default();
        if let Some(validity) = code("UIDVALIDITY") {
            out.uid_validity = narrow(validity);
        }
        if let Some(next) = code("UIDNEXT") {
            out.uid_next = Some(narrow(next));
        }
        if let Some(modseq) = code("HIGHESTMODSEQ") {
            out.modseq = modseq;
        }
        if let Some(count) = line_text.trim_end().strip_suffix(" EXISTS").and_then(|l| l.strip_prefix("* ")) {
            out.exists = count.parse().unwrap_or_default();
        }
        if let Some(set) = line_text.trim_end().strip_prefix("* VANISHED (EARLIER) ") {
            out.vanished = Some(set.to_owned());
        }
        out.changed.extend(fetched(line));
    }
    out
}

/// A row that has a UID.
fn fetched(line: &[u8]) -> Option<Fetched> {
    let (head, body) = match find(line, b"BODY[] {") {
        Some(at) => {
            let rest = &line[at + 8..];
            let digits = rest.iter().position(|b| *b == b'}')?;
            let size: usize = text(&rest[..digits]).parse().ok()?;
            (&line[..at], Some(rest.get(digits + 3..digits + 3 + size)?.to_vec()))
        }
        None => (line, None),
    };
    find(head, b" FETCH (").or_else(|| find(head, b" UIDFETCH ("))?;
    let head_text = text(head);
    let after = |word: &str| head_text.split_once(word).map(|(_, rest)| rest.to_owned());
    let number = |word: &str| after(word)?.split([' ', ')']).next()?.parse::<usize>().ok();
    let flags = after("FLAGS (").and_then(|rest| Some(rest.split_once(')')?.0.to_owned()));
    Some(Fetched {
        uid: u32::try_from(number("UID ")?).ok()?,
        flags: flags.map(|list| list.split_ascii_whitespace().map(str::to_owned).collect()),
        size: number("RFC822.SIZE ").unwrap_or_default(),
        date: after("INTERNALDATE \"").and_then(|rest| Some(rest.split_once('"')?.0.to_owned())).unwrap_or_default(),
        envelope: after("ENVELOPE ").map(|rest| balanced(&rest)).unwrap_or_default(),
        body,
    })
}

fn find(bytes: &[u8], word: &[u8]) -> Option<usize> {
    bytes.windows(word.len()).position(|w| w == word)
}

/// A parenthesised list from its beginning to its end.
fn balanced(list: &str) -> Vec<u8> {
    let (mut depth, mut quoted) = (0, false);
    for (at, c) in list.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return list.as_bytes()[..=at].to_vec();
        }
    }
    Vec::new()
}
