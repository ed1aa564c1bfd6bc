//! A pass: the only part of the synchronisation that does I/O.
//!
//! ```text
//! list -> plan -> mailboxes -> lost answers -> questions -> local changes -> what those changed -> headers -> bodies
//! ```
//!
//! Every transaction leaves the store as a pass could have ended there: a pass that is broken off, or whose process is
//! killed, goes on from what it has committed.

mod ahead;
mod anew;
mod bodies;
mod command;
mod compare;
mod doubt;
mod ends;
mod foresee;
mod headers;
mod held;
mod large;
mod line;
mod list;
mod mailboxes;
mod push;
mod rows;
mod sight;
mod words;

use super::Work;
use super::books::Books;
use super::holder;
use super::options::{Counts, SyncOptions, SyncReport};
use super::paused::{confirmed, paused};
use super::plan::{self, Known, Listing};
use super::progress::Meter;
use crate::error::{Code, MailError, Result, Retry};
use crate::imap::UidSet;
use crate::journal;
use crate::session::Session;
use crate::store::{Handle, MailboxId, MailboxRow, MessageId};
use line::Line;
use push::Which;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One pass over an account: both sides are brought in step, as far as the server lets them.
///
/// A pass can be given up by dropping its future; what it has committed stays. `store.locked` while another process
/// has the lease. A mailbox that cannot be opened is one of [`SyncReport::problems`], and the others go on.
pub async fn sync(session: &Session, store: Handle, options: SyncOptions) -> Result<SyncReport> {
    sync_keeping(session, store, options, &mut Kept::default()).await
}

/// The connection of a pass, kept for the next one. It ends when it is dropped.
#[derive(Default)]
pub(crate) struct Kept(Option<Line>);

/// The same on the connection of an earlier pass, where there is one that still lasts; that of this pass is kept.
pub(crate) async fn sync_keeping(
    session: &Session,
    store: Handle,
    options: SyncOptions,
    kept: &mut Kept,
) -> Result<SyncReport> {
    let books = Books::open(store, (holder::name(), options.lease), Arc::clone(&options.environment.now)).await?;
    let mut guard = GiveBack { books: Some(books.clone()), session: session.clone() };
    let result = run(session, &books, options, kept).await;
    guard.books = None;
    let closed = books.close().await;
    let report = result?;
    closed.map(|()| report)
}

/// Gives the lease back when a pass is given up.
struct GiveBack {
    books: Option<Books>,
    session: Session,
}

impl Drop for GiveBack {
    fn drop(&mut self) {
        if let Some(books) = self.books.take() {
            // What fails here ends with the lease's time.
            self.session.engine().runtime().spawn(async move { books.close().await });
        }
    }
}

async fn run(session: &Session, books: &Books, options: SyncOptions, kept: &mut Kept) -> Result<SyncReport> {
    let line = Line::again(kept.0.take(), session).await?;
    let report = SyncReport::default();
    let (session, books) = (session.clone(), books.clone());
    let mut pass = Pass {
        session,
        books,
        line,
        options,
        report,
        tried: BTreeSet::new(),
        doubted: BTreeSet::new(),
        contradicted: Vec::new(),
        snapshots: BTreeMap::new(),
        confirmed: BTreeSet::new(),
        unfound: BTreeMap::new(),
        counts: BTreeMap::new(),
        names: BTreeMap::new(),
        meter: Meter::default(),
        words: words::Words::default(),
    };
    let result = match pass.run().await {
        Ok(()) => pass.finish().await,
        Err(error) => Err(error),
    };
    // A server that gave another message than the one asked for is asked again on another connection.
    if result.is_ok() && pass.doubted.is_empty() {
        kept.0 = Some(pass.line);
    } else {
        pass.line.connection.cut();
    }
    result
}

/// A pass under way.
struct Pass {
    session: Session,
    books: Books,
    line: Line,
    options: SyncOptions,
    report: SyncReport,
    /// Entries of the journal that this pass has tried.
    tried: BTreeSet<i64>,
    /// Messages for which the server sent another one on this connection.
    doubted: BTreeSet<MessageId>,
    /// Those of them whose header has to be asked for again.
    contradicted: Vec<doubt::Doubt>,
    /// Mailboxes as they were found when lost answers were looked into.
    snapshots: BTreeMap<Vec<u8>, sight::Snapshot>,
    /// Paused mailboxes of which the user has said that the server is right.
    confirmed: BTreeSet<MailboxId>,
    /// What the passes before have not found again, of mailboxes in which this one has looked.
    unfound: BTreeMap<MailboxId, UidSet>,
    counts: BTreeMap<MailboxId, Counts>,
    /// Names of mailboxes, for those who follow the progress.
    names: BTreeMap<MailboxId, String>,
    meter: Meter,
    /// Words of the bodies that came, to be indexed.
    words: words::Words,
}

impl Pass {
    async fn run(&mut self) -> Result<()> {
        let most = self.session.account().limits.mailboxes;
        let listings = match list::list(&mut self.line, most).await {
            Err(error) if self.line.has_aged(&error) => {
                self.line.renew(&self.session).await?;
                list::list(&mut self.line, most).await?
            }
            listings => listings?,
        };
        let work = self.plan(&listings.listing).await?;
        if self.options.dry_run {
            return self.foresee(&listings.listing, work).await;
        }
        self.confirmed = self.books.read(confirmed).await?;
        self.mailboxes(&listings, &work).await?;
        let names = |row: MailboxRow| (row.id, row.name);
        self.names = self.books.read(move |reader| Ok(reader.mailboxes()?.into_iter().map(names).collect())).await?;
        self.push(Which::Begun).await?;
        self.questions(&listings).await?;
        let touched = self.push(Which::All).await?;
        for mailbox in touched {
            self.compare(mailbox, None).await?;
        }
        self.all_headers().await?;
        self.bodies().await
    }

    /// What the list and the store come to.
    async fn plan(&self, listing: &Listing) -> Result<Vec<Work>> {
        let known = self.known(listing).await?;
        let now = self.books.now().seconds();
        Ok(plan::plan(listing, &known, self.line.means(), self.options.rhythm, now))
    }

    async fn known(&self, listing: &Listing) -> Result<Vec<Known>> {
        let listing = listing.clone();
        self.books.read(move |reader| list::known(reader, &listing)).await
    }

    /// The report, with what is left that somebody has to look at.
    async fn finish(&mut self) -> Result<SyncReport> {
        let (counts, mut report) = (std::mem::take(&mut self.counts), std::mem::take(&mut self.report));
        let read = move |reader: &dyn crate::store::Reader| {
            let mut named = Vec::new();
            for (id, counts) in counts {
                // Also one that is gone by now.
                named.extend(reader.mailbox(id)?.map(|row| (row.name, counts)));
            }
            Ok((named, paused(reader)?, journal::pending(reader.pending()?)))
        };
        let (named, paused, pending) = self.books.read(read).await?;
        for (name, counts) in named {
            *report.mailboxes.entry(name).or_default() += counts;
        }
        for counts in report.mailboxes.values() {
            report.total += *counts;
        }
        report.paused = paused;
        report.stuck = pending.into_iter().filter(journal::Pending::is_stuck).collect();
        Ok(report)
    }

    /// What was done in a mailbox.
    fn count(&mut self, mailbox: MailboxId) -> &mut Counts {
        self.counts.entry(mailbox).or_default()
    }

    /// A phase begins, of so many steps, and bytes where that is known.
    fn phase(&mut self, phase: &'static str, size: (u64, Option<u64>)) {
        self.meter.begin(phase, size, self.books.now().millis());
    }

    /// So much of the phase is done, and so many bytes have come with it.
    fn step(&mut self, mailbox: MailboxId, step: (u64, u64)) {
        let Some(on_progress) = &self.options.on_progress else { return };
        let name = self.names.get(&mailbox).map_or("", String::as_str);
        if let Some(progress) = self.meter.step(name, step, self.books.now().millis()) {
            on_progress(&progress);
        }
    }
}

/// Whether after this error nothing more can be asked in this pass.
fn concerns_all(error: &MailError) -> bool {
    let is_store = error.code().as_str().starts_with("store.") || error.code() == Code::Internal;
    let of_one = matches!(error.code(), Code::ServerUnavailable | Code::ServerRefused | Code::ServerBad);
    is_store || !of_one && matches!(error.retry(), Retry::Reconnect | Retry::Later(_) | Retry::AskUser)
}
