//! Brings the rows of one mailbox in step: asks, lets the pure side judge the answer, and puts down what it says.

use super::line::Asked;
use super::list::{self, Listings};
use super::{Pass, anew, concerns_all, held, rows};
use crate::error::{Code, MailError, Result};
use crate::imap::{MailboxName, Role, UidSet};
use crate::store::{Durability, MailboxId, MailboxRow, MailboxState, Now, Writer};
use crate::sync::plan;
use crate::sync::resync::{Care, Remote, resync};
use crate::sync::{Action, Cursor, Question, Work};
use std::collections::VecDeque;

/// How often one mailbox may be asked again within a pass, for its answers not fitting together.
const MOST_QUESTIONS: usize = 4;
/// How many mailboxes are asked before the first has answered.
const ASKED_AHEAD: usize = 8;

impl Pass {
    /// Asks what the plan says of every mailbox, those that are new in it.
    pub(super) async fn questions(&mut self, listings: &Listings) -> Result<()> {
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
    pub(super) async fn compare(
        &mut self,
        mailbox: MailboxId,
        question: Option<(Question, Option<Asked>)>,
    ) -> Result<()> {
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
            let write = move |writer: &mut dyn Writer, now| carry_out(writer, mailbox, &told, (care, sought), now);
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
        self.books.write(Durability::Bulk, move |writer, _| anew::tire(writer, mailbox)).await?;
        let message = "The server's answers do not fit together; the mailbox is looked at again next time";
        self.report.problems.push(MailError::new(Code::ServerProtocol, message).in_mailbox(&row.name));
        Ok(())
    }

    async fn open_row(&self, mailbox: MailboxId) -> Result<Option<(MailboxRow, UidSet)>> {
        let found = self.books.read(move |reader| {
            let row = reader.mailbox(mailbox)?.filter(|row| row.state != MailboxState::Gone && row.remote.is_some());
            row.map(|row| Ok((row, reader.remote_uids(mailbox)?))).transpose()
        });
        found.await
    }

    async fn cursor(&self, mailbox: MailboxId) -> Result<Cursor> {
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

    pub(super) fn care(&self, mailbox: MailboxId, role: Option<Role>) -> Care {
        // People empty these at one stroke.
        let is_emptied = matches!(role, Some(Role::Trash | Role::Junk));
        let by_user = self.confirmed.contains(&mailbox);
        let confirmed = self.options.care.confirmed || is_emptied || by_user;
        let resets = if by_user { u32::MAX } else { self.options.care.resets };
        Care { confirmed, resets, ..self.options.care }
    }

    pub(super) fn note(&mut self, row: &MailboxRow, actions: Vec<Action>) {
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
}

/// What the answer comes to, done: `sought` is whether this pass has looked for messages that lost their numbers.
fn carry_out(
    writer: &mut dyn Writer,
    mailbox: MailboxId,
    told: &Remote,
    (care, sought): (Care, bool),
    now: Now,
) -> Result<(Vec<Action>, rows::Left)> {
    let row = writer.mailbox(mailbox)?.ok_or_else(|| MailError::from(Code::MailboxMissing))?;
    let pending = writer.pending()?;
    let (base, local) = (rows::base(writer, &row, now)?, rows::local(writer, &row, told, &pending)?);
    let mut actions = resync(&base, &local, told, care);
    if local.hold.is_none() && anew::is_under_way(writer, &row, &pending)? {
        actions = anew::identify_first(actions, told, sought);
    }
    rows::carry_out(writer, mailbox, &actions, told, now).map(|left| (actions, left))
}
