//! The task that owns a connection: it reads, applies untagged data in order, answers callers, and writes.

use super::connection::{Shared, closed};
use super::observer::Observer;
use super::open::Opened;
use super::options::LogLine;
use super::route::{Route, Routed};
use super::sender::{Job, Sender, Waiting};
use crate::error::{Code, MailError, Result};
use crate::imap::{Response, ResponseCode, Untagged, parse_response};
use crate::net::{Stream, lost};
use crate::wire::{Assembler, Frame, Framer};
use bytes::{Bytes, BytesMut};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

/// Room kept for reading while nothing happens: it is what an idle connection costs.
const SMALL: usize = 2 * 1024;
/// Room for reading while much is coming.
const LARGE: usize = 256 * 1024;

pub(super) struct Driver {
    reader: ReadHalf<Stream>,
    writer: WriteHalf<Stream>,
    queue: mpsc::UnboundedReceiver<Box<Job>>,
    observer: Option<Observer>,
    core: Core,
    /// Whether the last handle is gone.
    closing: bool,
    flush: bool,
    room: usize,
    heard: Instant,
}

/// Everything but the socket.
struct Core {
    buffer: BytesMut,
    framer: Framer,
    assembler: Assembler,
    route: Route,
    sender: Sender,
    shared: Arc<Shared>,
    utf8: bool,
}

impl Driver {
    pub fn new(
        opened: Opened,
        shared: Arc<Shared>,
        queue: mpsc::UnboundedReceiver<Box<Job>>,
        observer: Option<Observer>,
    ) -> Self {
        let limits = shared.limits.clone();
        let (reader, writer) = tokio::io::split(opened.stream);
        if let Some(observer) = &observer {
            opened.untagged.into_iter().for_each(|response| observer.tell_first(response));
        }
        let literals = opened.capabilities.literals();
        let route = Route::new(limits.response as u64);
        let core = Core {
            buffer: opened.buffer,
            framer: Framer::for_client(limits.clone()),
            assembler: Assembler::new(limits),
            route,
            sender: Sender::new(opened.tag_prefix, literals, shared.logger.is_some()),
            utf8: opened.capabilities.is_rev2_only(),
            shared,
        };
        Self { reader, writer, queue, observer, core, closing: false, flush: false, room: SMALL, heard: Instant::now() }
    }

    pub async fn run(mut self) {
        self.core.shared.counters.connections.fetch_add(1, Ordering::Relaxed);
        let error = match self.drive().await {
            Ok(()) => closed(),
            Err(error) => error,
        };
        if error.code() == Code::NetLost {
            self.last_words().await;
        }
        let error = self.core.route.reason(&error);
        // Before anybody is told, so that whoever tries again is not given this connection.
        let _ = self.core.shared.ended.set(error.clone());
        self.queue.close();
        self.core.route.fail(&error);
        self.core.sender.fail(&error);
        while let Ok(job) = self.queue.try_recv() {
            let _ = job.done.send(Err(error.clone()));
        }
        let _ = tokio::time::timeout(Duration::from_secs(1), self.writer.shutdown()).await;
        self.core.shared.counters.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// A server that hangs up says why (BYE), and that may still wait to be read when writing fails.
    async fn last_words(&mut self) {
        let reading = async {
            while matches!(self.reader.read_buf(&mut self.core.buffer).await, Ok(count) if count > 0) {
                if self.digest().is_err() {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(1), reading).await;
    }

    async fn drive(&mut self) -> Result<()> {
        loop {
            self.digest()?;
            if let Some(observer) = &self.observer {
                observer.room(self.core.shared.limits.progress).await?;
            }
            self.core.sender.fill(&mut self.core.route);
            self.core.log_sent();
            if self.closing && self.core.route.is_empty() && self.core.sender.is_idle() {
                return Ok(());
            }
            self.step().await?;
        }
    }

    /// Waits for the next thing to happen, and takes it.
    async fn step(&mut self) -> Result<()> {
        let deadline = self.deadline();
        let Core { buffer, sender, shared, .. } = &mut self.core;
        let waiting = sender.waiting();
        if buffer.capacity() - buffer.len() < self.room / 4 {
            buffer.reserve(self.room);
        }
        let chunk_wanted = waiting == Waiting::Body && sender.out.len() < LARGE;
        let Sender { out, body, until, .. } = sender;
        tokio::select! {
            read = self.reader.read_buf(buffer) => self.on_read(read),
            written = write(&mut self.writer, out), if !out.is_empty() || self.flush => self.on_written(written),
            () = shared.cut.notified() => Err(closed()),
            job = self.queue.recv(), if !self.closing => {
                self.on_job(job);
                Ok(())
            }
            chunk = next_chunk(body), if chunk_wanted => {
                self.heard = Instant::now();
                self.core.sender.on_chunk(chunk, &mut self.core.route)
            }
            () = ended(until), if waiting == Waiting::Done => {
                self.core.sender.on_done();
                self.heard = Instant::now();
                Ok(())
            }
            () = sleep_until(deadline.unwrap_or(self.heard)), if deadline.is_some() => Err(self.silent()),
        }
    }

    fn on_read(&mut self, read: std::io::Result<usize>) -> Result<()> {
        let count = read.map_err(|e| lost(&e))?;
        if count == 0 {
            return Err(MailError::new(Code::NetLost, "The server closed the connection"));
        }
        self.heard = Instant::now();
        self.core.shared.counters.bytes_in.fetch_add(count as u64, Ordering::Relaxed);
        // Grow while reads fill the room they get; shrink again when the flow is over.
        self.room = if count >= self.room { (self.room * 4).min(LARGE) } else { self.room };
        Ok(())
    }

    /// Some bytes have been written; none where all had been, and now are flushed.
    fn on_written(&mut self, written: std::io::Result<usize>) -> Result<()> {
        let count = written.map_err(|e| lost(&e))?;
        (self.flush, self.heard) = (count > 0, Instant::now());
        self.core.shared.counters.bytes_out.fetch_add(count as u64, Ordering::Relaxed);
        if self.core.sender.out.is_empty() && self.core.sender.out.capacity() > LARGE {
            self.core.sender.out = BytesMut::new();
        }
        Ok(())
    }

    fn on_job(&mut self, job: Option<Box<Job>>) {
        match job {
            Some(job) => {
                if self.core.route.is_empty() {
                    self.heard = Instant::now();
                }
                self.core.sender.push(job);
            }
            None => self.closing = true,
        }
    }

    /// Reads every whole response that the buffer holds.
    fn digest(&mut self) -> Result<()> {
        while let Some(event) = self.core.framer.next(&mut self.core.buffer)? {
            if let Some(frame) = self.core.assembler.push(event)? {
                self.core.receive(&frame, self.observer.as_ref())?;
            }
        }
        if self.core.buffer.is_empty() && self.core.route.is_empty() {
            (self.core.buffer, self.room) = (BytesMut::new(), SMALL);
        }
        Ok(())
    }

    /// When silence becomes an error: only while the server owes an answer.
    fn deadline(&self) -> Option<Instant> {
        let limits = &self.core.shared.limits;
        let idling = self.core.sender.waiting() == Waiting::Done;
        let owed = !self.core.route.is_empty() && !idling && self.core.sender.waiting() != Waiting::Body;
        let patience = if self.core.route.is_slow() { limits.slow_progress } else { limits.progress };
        (owed || !self.core.sender.out.is_empty()).then(|| self.heard + patience)
    }

    fn silent(&self) -> MailError {
        let seconds = self.heard.elapsed().as_secs();
        MailError::new(Code::NetTimeout, format!("The server has been silent for {seconds} seconds"))
    }
}

impl Core {
    fn receive(&mut self, frame: &Frame, observer: Option<&Observer>) -> Result<()> {
        self.log_received(frame);
        let response = match parse_response(frame, &self.shared.limits, self.utf8) {
            Ok(response) => response,
            Err(error) => {
                self.route.malformed(&error.into());
                return Ok(());
            }
        };
        self.note(&response);
        match self.route.take(response, frame)? {
            Routed::Taken => {}
            Routed::Continue => self.sender.on_continue(),
            Routed::Ended { tag } => self.sender.ended(&tag),
            Routed::Unsolicited(response) => {
                if let Some(observer) = observer {
                    observer.tell(*response, frame);
                }
            }
        }
        Ok(())
    }

    /// What concerns everybody, whoever asked.
    fn note(&mut self, response: &Response) {
        let (code, capabilities) = match response {
            Response::Data(Untagged::Capability(capabilities)) => (None, Some(capabilities)),
            Response::Status { code: Some(code), .. } | Response::Tagged { code: Some(code), .. } => (Some(code), None),
            _ => return,
        };
        if let Some(ResponseCode::UidValidity(validity)) = code {
            self.shared.uid_validity.store(*validity, Ordering::Release);
        }
        if let (_, Some(capabilities)) | (Some(ResponseCode::Capability(capabilities)), _) = (code, capabilities) {
            let capabilities = self.shared.quirks().believe(capabilities.clone());
            self.sender.literals = capabilities.literals();
            if let Ok(mut shared) = self.shared.capabilities.write() {
                *shared = Arc::new(capabilities);
            }
        }
    }

    fn log_sent(&mut self) {
        if let Some(logger) = &self.shared.logger {
            for text in self.sender.take_log() {
                logger(LogLine { connection: self.shared.id, sent: true, text });
            }
        }
    }

    fn log_received(&self, frame: &Frame) {
        if let Some(logger) = &self.shared.logger {
            logger(LogLine { connection: self.shared.id, sent: false, text: super::redact::received(frame) });
        }
    }
}

async fn write(writer: &mut WriteHalf<Stream>, out: &mut BytesMut) -> std::io::Result<usize> {
    if out.is_empty() { writer.flush().await.map(|()| 0) } else { writer.write_buf(out).await }
}

async fn next_chunk(body: &mut Option<super::sender::BodySource>) -> Option<Result<Bytes>> {
    match body {
        Some(body) => body.recv().await,
        None => None,
    }
}

async fn ended(until: &mut Option<oneshot::Receiver<()>>) {
    if let Some(until) = until {
        // A dropped sender ends it as well: nobody is left to wait for what IDLE says.
        let _ = until.await;
    }
}
