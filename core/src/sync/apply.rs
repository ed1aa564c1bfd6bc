//! A pass: the only part of the synchronisation that does I/O.
//!
//! ```text
//! list -> plan -> mailboxes -> lost answers -> questions -> local changes -> what those changed -> headers -> bodies
//! ```
//!
//! Every transaction leaves the store as a pass could have ended there: a pass that is broken off, or whose process is
//! killed, goes on from what it has committed.

mod ahead;
mod bodies;
mod command;
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

use super::books::Books;
use super::holder;
use super::options::{Counts, SyncOptions, SyncReport};
use super::paused::{confirmed, paused};
use super::plan::{self, Known, Listing};
use super::progress::Meter;
use super::resync::{Terms, rematch, resync};
use super::{Action, Question, Work};
use crate::error::{Code, MailError, Result, Retry};
use crate::imap::{MailboxName, Role, UidSet};
use crate::journal;
use crate::session::Session;
use crate::store::{Durability, Handle, MailboxId, MailboxRow, MailboxState, MessageId, Writer};
use line::{Asked, Line};
use list::Listings;
use push::Which;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// How often one mailbox may be asked again within a pass, for its answers not fitting together.
const MOST_QUESTIONS: usize = 4;
/// How many mailboxes are asked before the first has answered.
const ASKED_AHEAD: usize = 8;

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

    /// Asks what the plan says of every mailbox, those that are new in it.
    async fn questions(&mut self, listings: &Listings) -> Result<()> {
        let work = self.plan(&listings.listing).await?;
        let asks = work.iter().filter_map(|work| match work.action {
            Action::Ask { question } => Some((MailboxId(work.id?), question)),
            _ => None,
        });
        let mut asks: VecDeque<_> = asks.collect();
        self.phase("mailboxes", (asks.len() as u64, None));
        let mut ahead = VecDeque::new();
        loop {
            while ahead.len() < ASKED_AHEAD
                && let Some((mailbox, question)) = asks.pop_front()
            {
                ahead.push_back((mailbox, question, self.ask_ahead(mailbox, question).await?));
            }
            let Some((mailbox, question, asked)) = ahead.pop_front() else { return Ok(()) };
            self.compare(mailbox, Some((question, asked))).await?;
            self.step(mailbox, (1, 0));
        }
    }

    /// Sends a question before it is its turn, where that can be done.
    async fn ask_ahead(&mut self, mailbox: MailboxId, question: Question) -> Result<Option<Asked>> {
        let Some((row, known)) = self.open_row(mailbox).await? else { return Ok(None) };
        let name = held::name_of(Some(&row), MailboxName::new(&row.name, false));
        self.line.ask_ahead(&name, question, (&list::cursor(&row), &known))
    }

    /// Brings the rows of one mailbox in step. Without a question the cheapest one is asked.
    async fn compare(&mut self, mailbox: MailboxId, question: Option<(Question, Option<Asked>)>) -> Result<()> {
        let is_listed = question.is_some();
        match self.compare_rows(mailbox, question).await {
            // One that is to be made there, or is gone there: the next list tells.
            Err(error) if !is_listed && error.code() == Code::MailboxMissing => Ok(()),
            // The connection and the others are none the worse for a mailbox that cannot be opened.
            Err(error) if !concerns_all(&error) => {
                self.report.problems.push(error);
                Ok(())
            }
            result => result,
        }
    }

    async fn compare_rows(&mut self, mailbox: MailboxId, question: Option<(Question, Option<Asked>)>) -> Result<()> {
        let Some((row, known)) = self.open_row(mailbox).await? else {
            // What was asked ahead may not be sent any more.
            self.line.leave();
            return Ok(());
        };
        let name = held::name_of(Some(&row), MailboxName::new(&row.name, false));
        let (mut question, mut asked) = question.unwrap_or_else(|| (self.cheapest(&row), None));
        let mut known = known;
        for _ in 0..MOST_QUESTIONS {
            let remote = match asked.take() {
                Some(asked) => self.line.told(asked).await?,
                None => {
                    let cursor = self.cursor(mailbox).await?;
                    self.line.ask(&name, question, (&cursor, &known)).await?
                }
            };
            self.count(mailbox).asked += 1;
            let (care, sought) = (self.care(mailbox, row.role), self.unfound.contains_key(&mailbox));
            let told = remote.clone();
            let write = move |writer: &mut dyn Writer, now| {
                let row = writer.mailbox(mailbox)?.ok_or_else(|| MailError::from(Code::MailboxMissing))?;
                let (base, local) = (rows::base(writer, &row, now)?, rows::local(writer, &row, &told)?);
                let mut actions = resync(&base, &local, &told, care);
                if local.hold.is_none() && !rows::unlinked(writer, mailbox)?.is_empty() {
                    actions = rows::identify_first(actions, &told, sought);
                }
                rows::carry_out(writer, mailbox, &actions, &told, now).map(|left| (actions, left))
            };
            // Lost with the power, it is asked for again: the steps of local changes alone have to be on the disk.
            let (actions, left) = self.books.write(Durability::Bulk, write).await?;
            self.note(&row, actions);
            if left.in_step {
                return Ok(());
            }
            let found = match &left.identify {
                Some(uids) => self.find_again(mailbox, (&row, &name), uids, remote.uid_validity).await?,
                None => false,
            };
            // What has been found again is compared whole.
            let Some(next) = left.question.or(found.then_some(Question::All)) else { return Ok(()) };
            question = next;
            known = self.books.read(move |reader| reader.remote_uids(mailbox)).await?;
        }
        self.books.write(Durability::Bulk, move |writer, _| rows::tire(writer, mailbox)).await?;
        let message = "The server's answers do not fit together; the mailbox is looked at again next time";
        self.report.problems.push(MailError::new(Code::ServerProtocol, message).in_mailbox(&row.name));
        Ok(())
    }

    /// After a reset: finds the messages again that are here, and numbers those that are new. Whether the mailbox can go
    /// on, and does not pause.
    async fn find_again(
        &mut self,
        mailbox: MailboxId,
        (row, name): (&MailboxRow, &MailboxName),
        uids: &UidSet,
        uid_validity: u32,
    ) -> Result<bool> {
        let mut there = self.identify(name, uids).await?;
        let care = self.care(mailbox, row.role);
        let is_all = there.len() as u64 == uids.len();
        let unfound = self.unfound(mailbox).await?;
        let write = move |writer: &mut dyn Writer, now| {
            let is_all = rows::is_tired(writer, mailbox)? || is_all;
            rows::retarget(writer, mailbox, uid_validity, &mut there, now)?;
            let unlinked = rows::unlinked(writer, mailbox)?;
            let (ours, theirs) = rows::keys(&unlinked, &there);
            let holds = rows::holds(writer, mailbox)?;
            let actions = rematch(&ours, &theirs, &Terms { unfound, care: is_all.then_some(care), holds });
            rows::carry_out(writer, mailbox, &actions, &super::resync::Remote::default(), now).map(|_| actions)
        };
        let actions = self.books.write(Durability::Bulk, write).await?;
        let is_paused = actions.iter().any(|action| matches!(action, Action::Pause { .. }));
        self.note(row, actions);
        Ok(!is_paused)
    }

    /// What an earlier pass has not found again: two lists of one pass may be the same lie.
    async fn unfound(&mut self, mailbox: MailboxId) -> Result<UidSet> {
        if let Some(known) = self.unfound.get(&mailbox) {
            return Ok(known.clone());
        }
        let known = self.books.read(move |reader| rows::unfound(reader, mailbox)).await?;
        Ok(self.unfound.entry(mailbox).or_insert(known).clone())
    }

    async fn open_row(&self, mailbox: MailboxId) -> Result<Option<(MailboxRow, UidSet)>> {
        let found = self.books.read(move |reader| {
            let row = reader.mailbox(mailbox)?.filter(|row| row.state != MailboxState::Gone && row.remote.is_some());
            row.map(|row| Ok((row, reader.remote_uids(mailbox)?))).transpose()
        });
        found.await
    }

    async fn cursor(&self, mailbox: MailboxId) -> Result<super::Cursor> {
        let row = self.books.read(move |reader| reader.mailbox(mailbox)).await?;
        Ok(row.map(|row| list::cursor(&row)).unwrap_or_default())
    }

    /// What to ask of a mailbox of which nothing new is known: after our own changes.
    fn cheapest(&self, row: &MailboxRow) -> Question {
        let unknown = plan::Listed { name: MailboxName::new(&row.name, false), selectable: true, numbers: None };
        let known = list::of(row);
        let now = self.books.now().seconds();
        plan::question(&known, &unknown, self.line.means(), self.options.rhythm, now).unwrap_or(Question::All)
    }

    fn care(&self, mailbox: MailboxId, role: Option<Role>) -> super::resync::Care {
        // People empty these at one stroke.
        let is_emptied = matches!(role, Some(Role::Trash | Role::Junk));
        let by_user = self.confirmed.contains(&mailbox);
        let confirmed = self.options.care.confirmed || is_emptied || by_user;
        let resets = if by_user { u32::MAX } else { self.options.care.resets };
        super::resync::Care { confirmed, resets, ..self.options.care }
    }

    fn note(&mut self, row: &MailboxRow, actions: Vec<Action>) {
        let counts = rows::count(&actions);
        let of = |name| counts.get(name).copied().unwrap_or_default();
        let counted = self.count(row.id);
        counted.flags += of("flags");
        counted.removed += of("removed");
        let quiet = |action: &Action| matches!(action, Action::Advance { .. });
        let work = actions.into_iter().filter(|action| !quiet(action));
        let id = Some(row.id.0);
        self.report.work.extend(work.map(|action| Work { id, mailbox: row.name.clone(), action }));
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
