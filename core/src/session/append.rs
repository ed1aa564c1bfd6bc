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
use crate::imap::extension::{append_limit, literal, multiappend};
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
        /// Sum of the chunks' lengths, where it is known. They may come from other calls of the same session; one that
        /// may have a single connection keeps them in a temporary file as well.
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
    let spare = mailbox.session().pool().has_spare();
    for source in sources {
        prepared.push(prepare(source, spare).await?);
    }
    let streamed = prepared.iter().any(Prepared::is_streamed);
    let own = if streamed { mailbox.session().body().await? } else { None };
    match own {
        Some(own) => send_all(mailbox, &own.lease, &name, prepared, options).await,
        None => send_all(mailbox, &mailbox.session().any().await?, &name, prepared, options).await,
    }
}

async fn send_all(
    mailbox: &Mailbox,
    lease: &Lease,
    name: &str,
    prepared: Vec<Prepared>,
    options: AppendOptions,
) -> Result<Vec<Option<MessageRef>>> {
    let total = prepared.len() as u64;
    let (messages, mut bodies) = messages(prepared, &options);
    check(lease, &messages)?;
    let mut report = Report { on_progress: options.on_progress.clone(), done: 0, total, bytes: 0 };
    let mut sent = Vec::new();
    for batch in multiappend::batches(&lease.connection.capabilities(), messages, TOGETHER, TOGETHER_BYTES) {
        let bytes = batch.iter().map(|m| m.body.len()).sum();
        sent.push((batch.len(), bytes, send(lease, name, &batch, &mut bodies)?));
    }
    let mut added = Vec::new();
    for (count, bytes, pending) in sent {
        let reply = pending.answer().await.map_err(|e| e.in_mailbox(name))?;
        added.extend(references(mailbox, name, count, &reply));
        report.add(count as u64, bytes);
    }
    Ok(added)
}

/// Refuses beforehand what the server has said it will refuse (APPENDLIMIT, RFC 7889) or cannot take.
fn check(lease: &Lease, messages: &[AppendMessage]) -> Result<()> {
    let capabilities = lease.connection.capabilities();
    messages.iter().try_for_each(|m| {
        literal::check_nul(&capabilities, m.binary)?;
        append_limit::check(&capabilities, None, m.body.len())
    })
}

/// What to append, and for those that are streams the chunks, in order.
fn messages(prepared: Vec<Prepared>, options: &AppendOptions) -> (Vec<AppendMessage>, VecDeque<BodySource>) {
    let mut bodies = VecDeque::new();
    let message = |prepared: Prepared| {
        let body = match prepared.source.into_bytes() {
            Ok(whole) => AppendBody::Bytes(whole),
            Err(chunks) => {
                bodies.push_back(chunks);
                AppendBody::Stream(prepared.len)
            }
        };
        let (flags, internal_date) = (options.flags.clone(), options.received);
        AppendMessage { flags, internal_date, body, binary: prepared.binary }
    };
    (prepared.into_iter().map(message).collect(), bodies)
}

fn send(lease: &Lease, name: &str, batch: &[AppendMessage], bodies: &mut VecDeque<BodySource>) -> Result<Pending> {
    let append = command::append(&MailboxName::new(name, lease.connection.utf8()), batch)?;
    let streams = batch.iter().filter(|m| matches!(m.body, AppendBody::Stream(_))).count();
    let bodies = bodies.drain(..streams.min(bodies.len())).collect();
    let extra = Extra { slow: true, bodies, ..Extra::default() };
    Ok(lease.connection.begin(append, Wants::Nothing, extra))
}

fn references(mailbox: &Mailbox, name: &str, count: usize, reply: &Reply) -> Vec<Option<MessageRef>> {
    let name: Arc<str> = name.into();
    if let Some(ResponseCode::AppendUid { validity, uids }) = &reply.code
        && uids.len() == count as u64
    {
        return uids.iter().map(|uid| Some(mailbox.reference(&name, *validity, uid))).collect();
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
