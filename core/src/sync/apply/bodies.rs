//! Bodies: newest first, in batches by bytes, within the day's budget. A body is whole and verified, or not there.

use super::Pass;
use super::line::rows;
use crate::error::Result;
use crate::imap::command::FetchItem;
use crate::imap::{FetchRow, MailboxName, Section};
use crate::journal::Digest;
use crate::store::{Durability, Keep, MailboxId, MessageRow, Now, Reader, Wanted, Writer, arrive, body};
use crate::sync::Progress;
use crate::sync::plan::{Batch, Body, batches};
use std::collections::{BTreeMap, VecDeque};

/// Bytes and messages of one batch.
const BATCH: u64 = 1 << 20;
const MESSAGES: usize = 64;
/// Batches under way at once.
const AHEAD: usize = 3;
/// Bodies of one mailbox that are looked up at once.
const LOOKED_UP: usize = 2000;
/// Where the budget of the day is kept.
const BUDGET: &str = "sync.budget";

impl Pass {
    /// Fetches the bodies that are wanted and not here.
    pub(super) async fn bodies(&mut self) -> Result<()> {
        let now = self.books.now();
        loop {
            let (wanted, used) = self.books.read(move |reader| Ok((wanted(reader, now)?, used(reader, now)?))).await?;
            let left = self.options.bytes_a_day.map(|most| most.saturating_sub(used));
            let bodies: Vec<Body> = wanted.values().map(body_of).collect();
            let plan = batches(bodies, BATCH, MESSAGES, left);
            if plan.is_empty() || self.fetch_bodies(plan, &wanted).await? == 0 {
                return Ok(());
            }
        }
    }

    /// Fetches some batches; how many bodies came or were refused. None means that going on brings nothing.
    async fn fetch_bodies(&mut self, plan: Vec<Batch>, wanted: &BTreeMap<(i64, u32), Wanted>) -> Result<u64> {
        let total: u64 = plan.iter().map(|batch| batch.uids.len()).sum();
        let (mut done, mut left, mut ahead) = (0, VecDeque::from(plan), VecDeque::new());
        loop {
            // Only batches of the open mailbox are sent ahead.
            while let Some(batch) = left.front().cloned() {
                let is_open = ahead.back().is_none_or(|(last, _): &(Batch, _)| last.mailbox == batch.mailbox);
                if !is_open || ahead.len() >= AHEAD {
                    break;
                }
                left.pop_front();
                let name = self.name(MailboxId(batch.mailbox), &MailboxName::new("", false)).await?;
                self.line.select(&name).await?;
                let item = FetchItem::Section { section: Section::default(), partial: None };
                for pending in self.line.fetch(&batch.uids, &[FetchItem::Uid, item])? {
                    ahead.push_back((batch.clone(), pending));
                }
            }
            let Some((batch, pending)) = ahead.pop_front() else { return Ok(done) };
            let reply = pending.answer().await?;
            let (bytes, rows) = (reply.bytes, rows(&reply));
            let came = self.take(&batch, rows, wanted).await?;
            done += came;
            self.report.bytes += bytes;
            let mailbox = MailboxId(batch.mailbox).to_string();
            self.tell(&Progress { phase: "bodies", mailbox, done, total, bytes });
        }
    }

    /// Puts the bodies of a batch down, in one transaction with what the day's budget has left.
    async fn take(
        &mut self,
        batch: &Batch,
        rows: BTreeMap<u32, FetchRow>,
        wanted: &BTreeMap<(i64, u32), Wanted>,
    ) -> Result<u64> {
        let of = |uid: u32| wanted.get(&(batch.mailbox, uid)).copied();
        let came: Vec<(Wanted, FetchRow)> = rows
            .into_iter()
            .filter_map(|(uid, row)| Some((of(uid).filter(|_| batch.uids.contains(uid))?, row)))
            .collect();
        let write = move |writer: &mut dyn Writer, now: Now| {
            let (mut count, mut bytes) = (0, 0);
            for (wanted, row) in came {
                bytes += put(writer, &wanted, row, now)?;
                count += 1;
            }
            let total = used(writer, now)?.saturating_add(bytes);
            let note = format!("{} {total}", now.seconds().div_euclid(86_400));
            writer.set_note(BUDGET, Some(note.as_bytes()))?;
            Ok(count)
        };
        let count = self.books.write(Durability::Bulk, write).await?;
        self.report.bodies += count;
        Ok(count)
    }
}

/// Puts one body down, or the reason why it is refused: what came must have the header that is known. Its size.
fn put(writer: &mut dyn Writer, wanted: &Wanted, row: FetchRow, now: Now) -> Result<u64> {
    let Some(message) = writer.message(wanted.message)? else { return Ok(0) };
    let header = writer.headers(wanted.message)?.map(|headers| headers.header).unwrap_or_default();
    let section = row.sections.into_iter().find(|data| data.section == Section::default());
    let content = section.and_then(|data| data.data).map(crate::wire::Octets::into_bytes).unwrap_or_default();
    let size = content.len() as u64;
    // RFC822.SIZE may differ (Exchange computes it); another header is another message (Yahoo).
    if Digest::of_header(&content) != Digest::of_header(&header) {
        let problem = Some("The server sent another message than the one asked for".to_owned());
        writer.update_message(&MessageRow { problem, ..message })?;
        return Ok(size);
    }
    let id = body::put(writer, &content, &header, now)?;
    arrive::body(writer, wanted.message, id, now)?;
    Ok(size)
}

/// Bodies that are wanted by what is to be kept, by mailbox and UID.
fn wanted(reader: &dyn Reader, now: Now) -> Result<BTreeMap<(i64, u32), Wanted>> {
    let mut all = BTreeMap::new();
    for row in reader.mailboxes()?.into_iter().filter(|row| row.remote.is_some()) {
        let rule = reader.keep(Some(row.id))?;
        if rule.keep == Keep::Headers {
            continue;
        }
        for wanted in reader.without_body(row.id, None, LOOKED_UP)? {
            let age = now.seconds().saturating_sub(wanted.date).div_euclid(86_400);
            let is_recent = rule.days.is_none_or(|days| age <= i64::from(days));
            if is_recent && rule.largest.is_none_or(|most| wanted.size <= most) {
                all.insert((row.id.0, wanted.remote_uid), wanted);
            }
        }
    }
    Ok(all)
}

fn body_of(wanted: &Wanted) -> Body {
    Body { mailbox: wanted.mailbox.0, uid: wanted.remote_uid, bytes: wanted.size, date: wanted.date }
}

/// Bytes of bodies that came today.
fn used(reader: &(impl Reader + ?Sized), now: Now) -> Result<u64> {
    let note = reader.note(BUDGET)?.and_then(|note| String::from_utf8(note).ok()).unwrap_or_default();
    let (day, bytes) = note.split_once(' ').unwrap_or_default();
    let is_today = day.parse() == Ok(now.seconds().div_euclid(86_400));
    Ok(if is_today { bytes.parse().unwrap_or(0) } else { 0 })
}
