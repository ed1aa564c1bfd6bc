//! Adding messages: from bytes, a file or a stream.

use super::connection::{Extra, Pending};
use super::mailbox::Mailbox;
use super::options::{AppendOptions, OnProgress, Progress};
use super::pool::Lease;
use super::route::{Reply, Wants};
use super::sender::BodySource;
use super::spool::{Prepared, prepare};
use crate::bulk::MessageRef;
use crate::error::{Code, MailError, Result};
use crate::imap::command::{self, AppendBody, AppendMessage};
use crate::imap::{MailboxName, ResponseCode};
use bytes::Bytes;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Where the bytes of a new message come from.
#[derive(Debug)]
pub enum AppendSource {
    /// Memory. Bare line feeds become CRLF, as a message on the wire has them (RFC 5322 section 2.1).
    Bytes(Bytes),
    /// A file, read as it is sent. Bare line feeds become CRLF.
    File(PathBuf),
    /// Chunks as they come, sent as they are. Without a length they are kept in a temporary file first, since IMAP
    /// announces the size.
    Stream {
        /// Sum of the chunks' lengths, where it is known.
        len: Option<u64>,
        /// The chunks. An error among them fails the call, and nothing is added.
        chunks: mpsc::Receiver<Result<Bytes>>,
    },
}

/// Most messages of one MULTIAPPEND, and most bytes: a refused one is sent for nothing.
const TOGETHER: usize = 100;
const TOGETHER_BYTES: u64 = 8 << 20;

/// Adds messages; the address of each, where the server tells it.
pub(super) async fn append(
    mailbox: &Mailbox,
    sources: Vec<AppendSource>,
    options: AppendOptions,
) -> Result<Vec<Option<MessageRef>>> {
    mailbox.writable()?;
    if let Some(flag) = options.flags.iter().find(|f| !f.is_writable()) {
        return Err(MailError::new(Code::UsageFlag, format!("The server alone sets the flag {flag}")));
    }
    let name = if options.create {
        mailbox.session().names().resolve_or_create(mailbox.session(), mailbox.target(), true).await?
    } else {
        mailbox.name().await?
    };
    let mut prepared = Vec::with_capacity(sources.len());
    for source in sources {
        prepared.push(prepare(source).await?);
    }
    let lease = mailbox.session().any().await?;
    check(&lease, &prepared)?;
    let mut report =
        Report { on_progress: options.on_progress.clone(), done: 0, total: prepared.len() as u64, bytes: 0 };
    let mut pending = Vec::new();
    for group in groups(prepared, lease.connection.capabilities().has("MULTIAPPEND")) {
        pending.push(send(&lease, &name, group, &options)?);
    }
    let mut added = Vec::new();
    for (count, bytes, pending) in pending {
        let reply = pending.answer().await.map_err(|e| e.in_mailbox(&name))?;
        added.extend(references(mailbox, &name, count, &reply));
        report.add(count as u64, bytes);
    }
    Ok(added)
}

/// Refuses beforehand what the server has said it will refuse (APPENDLIMIT, RFC 7889) or cannot take.
fn check(lease: &Lease, prepared: &[Prepared]) -> Result<()> {
    let capabilities = lease.connection.capabilities();
    let limit = capabilities.append_limit();
    if let (Some(limit), Some(message)) = (limit, prepared.iter().find(|p| limit.is_some_and(|l| p.len > l))) {
        let text = format!("The message has {} bytes, and the server takes at most {limit}", message.len);
        return Err(MailError::new(Code::LimitExceeded, text));
    }
    if prepared.iter().any(|p| p.binary) && !capabilities.has("BINARY") {
        let text = "The message holds NUL bytes, and the server takes none (it lacks BINARY, RFC 3516)";
        return Err(MailError::new(Code::ServerUnsupported, text));
    }
    Ok(())
}

/// Messages that go into one command.
fn groups(prepared: Vec<Prepared>, together: bool) -> Vec<Vec<Prepared>> {
    let mut groups: Vec<Vec<Prepared>> = Vec::new();
    let mut bytes = 0;
    for message in prepared {
        bytes += message.len;
        match groups.last_mut().filter(|g| together && g.len() < TOGETHER && bytes <= TOGETHER_BYTES) {
            Some(group) => group.push(message),
            None => {
                bytes = message.len;
                groups.push(vec![message]);
            }
        }
    }
    groups
}

fn send(lease: &Lease, name: &str, group: Vec<Prepared>, options: &AppendOptions) -> Result<(usize, u64, Pending)> {
    let utf8 = lease.connection.capabilities().is_rev2_only();
    let bytes = group.iter().map(|p| p.len).sum();
    let count = group.len();
    let mut messages = Vec::with_capacity(count);
    let mut bodies: VecDeque<BodySource> = VecDeque::new();
    for message in group {
        let body = match message.source.into_bytes() {
            Ok(whole) => AppendBody::Bytes(whole),
            Err(chunks) => {
                bodies.push_back(chunks);
                AppendBody::Stream(message.len)
            }
        };
        let (flags, internal_date) = (options.flags.clone(), options.received);
        messages.push(AppendMessage { flags, internal_date, body, binary: message.binary });
    }
    let append = command::append(&MailboxName::new(name, utf8), &messages)?;
    let extra = Extra { slow: true, bodies, ..Extra::default() };
    Ok((count, bytes, lease.connection.begin(append, Wants::Nothing, extra)))
}

fn references(mailbox: &Mailbox, name: &str, count: usize, reply: &Reply) -> Vec<Option<MessageRef>> {
    let name: Arc<str> = name.into();
    if let Some(ResponseCode::AppendUid { validity, uids }) = &reply.code {
        if uids.len() == count as u64 {
            return uids.iter().map(|uid| Some(mailbox.reference(&name, *validity, uid))).collect();
        }
    }
    vec![None; count]
}

struct Report {
    on_progress: Option<OnProgress>,
    done: u64,
    total: u64,
    bytes: u64,
}

impl Report {
    fn add(&mut self, count: u64, bytes: u64) {
        self.done += count;
        self.bytes += bytes;
        if let Some(on_progress) = &self.on_progress {
            on_progress.0(Progress { phase: "append", done: self.done, total: Some(self.total), bytes: self.bytes });
        }
    }
}
