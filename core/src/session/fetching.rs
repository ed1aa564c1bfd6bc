//! One fetch: windows of rows, a few ahead of the reader.
//!
//! A window is one command on a leased connection, and its rows are read whether or not anybody takes them, so a reader
//! that stalls holds up nothing and costs at most the windows that are ahead.

use super::fetch::{Window, fetch_window};
use super::find::{Found, find};
use super::mailbox::Mailbox;
use super::message::Message;
use super::options::{FetchOptions, Progress};
use super::selection::Selection;
use super::task::Task;
use super::window::Windows;
use crate::error::Result;
use crate::query::Matcher;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Windows under way at once: one being read, two ahead.
const AHEAD: usize = 3;
/// Most messages of one batch.
const BATCH: usize = 256;

/// A fetch from a live mailbox.
#[derive(Debug)]
pub(super) struct Fetching {
    mailbox: Mailbox,
    selection: Selection,
    options: Arc<FetchOptions>,
    run: Option<Run>,
    finished: bool,
    ready: VecDeque<Message>,
    exact: Option<bool>,
    given: u64,
}

#[derive(Debug)]
struct Run {
    found: Arc<Found>,
    windows: Windows,
    ahead: VecDeque<Task<Window>>,
    total: Option<u64>,
    bytes: u64,
    seen: u64,
    reported: Instant,
}

impl Fetching {
    pub(super) fn new(mailbox: Mailbox, selection: Selection, options: FetchOptions) -> Self {
        Self {
            mailbox,
            selection,
            options: Arc::new(options),
            run: None,
            finished: false,
            ready: VecDeque::new(),
            exact: None,
            given: 0,
        }
    }

    /// The messages that were found already.
    pub(super) fn of(mailbox: Mailbox, found: Found, options: FetchOptions) -> Self {
        let mut fetching = Self::new(mailbox, Selection::All, options);
        fetching.run_over(found);
        fetching
    }

    /// The next messages, at least one and at most 256; `None` at the end and after an error.
    ///
    /// The future may be dropped and the call made again: nothing is lost or doubled. A message that the server sent in
    /// a form that cannot be read is among them, with its [`problems`](Message::problems).
    pub async fn next_batch(&mut self) -> Result<Option<Vec<Message>>> {
        while self.ready.is_empty() && !self.finished {
            if let Err(error) = self.pull().await {
                self.finish();
                return Err(error);
            }
        }
        let count = self.ready.len().min(BATCH);
        Ok((count > 0).then(|| self.ready.drain(..count).collect()))
    }

    pub fn exact(&self) -> Option<bool> {
        self.exact
    }

    /// Gets one window further.
    async fn pull(&mut self) -> Result<()> {
        if self.run.is_none() {
            self.begin().await?;
        }
        let Some(run) = self.run.as_mut() else { return Ok(()) };
        run.ask(&self.mailbox, &self.options);
        let Some(next) = run.ahead.front_mut() else {
            self.finish();
            return Ok(());
        };
        let window = next.await;
        run.ahead.pop_front();
        let window = window?;
        run.account_for(&window, &self.options);
        // The next window is asked for before the reader gets this one.
        run.ask(&self.mailbox, &self.options);
        let residual = run.found.residual.clone();
        self.give(window.messages, residual.as_deref()).await
    }

    async fn begin(&mut self) -> Result<()> {
        let zone = self.options.time_zone.as_deref();
        let found = find(&self.mailbox, &self.selection, self.options.exact, zone).await?;
        self.run_over(found);
        Ok(())
    }

    fn run_over(&mut self, found: Found) {
        self.exact = Some(found.exact);
        // A limit can be applied to the numbers only where every number will be a message of the answer.
        let certain = found.residual.is_none() && !matches!(self.selection, Selection::Uids(_) | Selection::Refs(_));
        let uids = match self.options.limit {
            Some(limit) if certain => match self.options.order {
                super::Order::Oldest => found.uids.oldest(limit),
                super::Order::Newest => found.uids.newest(limit),
            },
            _ => found.uids.clone(),
        };
        let total = certain.then(|| uids.len());
        let bodies = self.options.parts != super::Parts::default();
        self.run = Some(Run {
            found: Arc::new(found),
            windows: Windows::new(uids, self.options.order, bodies),
            ahead: VecDeque::new(),
            total,
            bytes: 0,
            seen: 0,
            reported: Instant::now(),
        });
    }

    async fn give(&mut self, mut messages: Vec<Message>, residual: Option<&Matcher>) -> Result<()> {
        if self.options.order == super::Order::Newest {
            messages.reverse();
        }
        for message in messages {
            if self.options.limit.is_some_and(|limit| self.given >= limit) {
                self.finish();
                return Ok(());
            }
            if let Some(residual) = residual
                && !message.matches(residual).await?
            {
                continue;
            }
            self.given += 1;
            self.ready.push_back(message);
        }
        Ok(())
    }

    fn finish(&mut self) {
        if let Some(run) = self.run.take() {
            run.report(&self.options);
        }
        self.finished = true;
    }
}

impl Run {
    /// Has as many windows under way as may be.
    fn ask(&mut self, mailbox: &Mailbox, options: &Arc<FetchOptions>) {
        while self.ahead.len() < AHEAD {
            let Some(uids) = self.windows.next() else { return };
            let (mailbox, found, options) = (mailbox.clone(), Arc::clone(&self.found), Arc::clone(options));
            let runtime = mailbox.session().engine().runtime().clone();
            let work = async move { fetch_window(&mailbox, &found, &uids, &options).await };
            self.ahead.push_back(Task::spawn(&runtime, work));
        }
    }

    fn account_for(&mut self, window: &Window, options: &FetchOptions) {
        let rows = window.messages.len() as u64;
        self.windows.learn(rows, window.bytes);
        self.seen += rows;
        self.bytes += window.bytes;
        if self.reported.elapsed() >= Duration::from_millis(100) {
            self.reported = Instant::now();
            self.report(options);
        }
    }

    fn report(&self, options: &FetchOptions) {
        if let Some(on_progress) = &options.on_progress {
            on_progress.0(Progress { phase: "fetch", done: self.seen, total: self.total, bytes: self.bytes });
        }
    }
}
