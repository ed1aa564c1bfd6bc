//! Bodies: newest first, in batches by bytes, within the day's budget. A body is whole and verified, or not there.

use super::Pass;
use super::ahead::{Ahead, Landed};
use super::doubt::{Doubt, refuse};
use super::words::Indexable;
use crate::error::Result;
use crate::imap::command::FetchItem;
use crate::imap::{FetchRow, MailboxName, Section, UidSet};
use crate::journal::Digest;
use crate::planted::{Bug, planted};
use crate::session::Task;
use crate::store::body::{self, Packed};
use crate::store::search::Texts;
use crate::store::{Durability, Keep, MailboxId, MailboxRow, Now, Reader, Wanted, Writer, arrive, upkeep};
use crate::sync::plan::{Batch, Body, LARGE, batches};
use std::collections::{BTreeMap, VecDeque};

/// Bytes and messages of one batch.
const BATCH: u64 = 1 << 20;
const MESSAGES: usize = 64;
/// Batches under way at once.
const AHEAD: usize = 3;
/// Batches that have come and are being put down, and their bytes: what is in memory is bounded by all of these.
const BEHIND: usize = 4;
const HELD: u64 = 6 << 20;
/// Bodies that are looked up at once, over all mailboxes, and the least of one mailbox.
const LOOKED_UP: usize = 20_000;
const LEAST: usize = 500;
/// Where the budget of the day is kept.
const BUDGET: &str = "sync.budget";

/// Bodies that are wanted, by mailbox and UID.
pub(super) type WantedBodies = BTreeMap<(i64, u32), Wanted>;
/// Our UIDs from which on downwards each mailbox is still to be looked through.
type Rest = BTreeMap<i64, u32>;

/// What became of a batch.
struct Taken {
    count: u64,
    refused: Vec<Doubt>,
}

/// A batch under way to the disk, and what came with it.
struct Behind {
    mailbox: MailboxId,
    bytes: u64,
    written: Task<Taken>,
}

impl Pass {
    /// Fetches the bodies that are wanted and not here, each at most once.
    pub(super) async fn bodies(&mut self) -> Result<()> {
        self.wanted_bodies().await?;
        if self.settle_doubts().await? {
            self.wanted_bodies().await?;
        }
        self.words.index(&self.books).await
    }

    async fn wanted_bodies(&mut self) -> Result<()> {
        let now = self.books.now();
        if self.options.on_progress.is_some() {
            let all = self.books.read(move |reader| outlook(reader, now)).await?;
            let (count, bytes) = all.iter().fold((0, 0), |(n, size), (_, uids, more)| (n + uids.len(), size + more));
            self.phase("bodies", (count, Some(bytes)));
        }
        let mut rest = None;
        loop {
            let asked = rest.take();
            let (wanted, below) = self.books.read(move |reader| wanted(reader, asked.as_ref(), now)).await?;
            let left = self.left_today().await?;
            let trusted = wanted.values().filter(|wanted| !self.doubted.contains(&wanted.message));
            let bodies: Vec<Body> = trusted.map(body_of).collect();
            let count = bodies.len() as u64;
            let plan = batches(bodies, BATCH, MESSAGES, left);
            // What is left over waits for another day's budget.
            let is_all = plan.iter().map(|batch| batch.uids.len()).sum::<u64>() == count;
            self.fetch_bodies(plan, &wanted).await?;
            if below.is_empty() || !is_all {
                return Ok(());
            }
            rest = Some(below);
        }
    }

    /// What the day's budget has left, in bytes; `None` without one.
    pub(super) async fn left_today(&self) -> Result<Option<u64>> {
        let Some(most) = self.options.bytes_a_day else { return Ok(None) };
        let now = self.books.now();
        let used = self.books.read(move |reader| used(reader, now)).await?;
        Ok(Some(most.saturating_sub(used)))
    }

    /// Fetches some batches. While one is made ready and put down, the next ones come.
    async fn fetch_bodies(&mut self, plan: Vec<Batch>, wanted: &WantedBodies) -> Result<()> {
        let mut left = VecDeque::from(plan);
        let (mut ahead, mut behind) = (Ahead::new(whole().into()), VecDeque::new());
        loop {
            while ahead.len() < AHEAD
                && let Some(batch) = next_batch(&mut left, ahead.len())
            {
                if batch.bytes > LARGE {
                    // What the budget has left is known when all that came is counted.
                    while let Some(oldest) = behind.pop_front() {
                        self.taken(oldest).await?;
                    }
                    self.large(&batch, wanted).await?;
                    continue;
                }
                let name = self.name(MailboxId(batch.mailbox), &MailboxName::new("", false)).await?;
                let mailbox = MailboxId(batch.mailbox);
                ahead.send(&mut self.line, &batch, (mailbox, &name, &batch.uids))?;
            }
            let landed = self.land(&mut ahead).await?;
            let coming = landed.as_ref().map(|(_, landed)| landed.bytes());
            while !has_room(&behind, coming)
                && let Some(oldest) = behind.pop_front()
            {
                self.taken(oldest).await?;
            }
            match landed {
                Some((batch, Landed::Rows(rows, bytes))) => behind.push_back(self.take(&batch, rows, bytes, wanted)),
                Some((batch, Landed::Closed)) => left.retain(|other| other.mailbox != batch.mailbox),
                None => return Ok(()),
            }
        }
    }

    /// Waits for a batch to be put down.
    async fn taken(&mut self, behind: Behind) -> Result<()> {
        let Behind { mailbox, bytes, written } = behind;
        let Taken { count, refused } = written.await?;
        self.doubt(refused);
        let counted = self.count(mailbox);
        counted.bodies += count;
        counted.bytes += bytes;
        self.step(mailbox, (count, bytes));
        Ok(())
    }

    /// Makes the bodies of a batch ready and puts them down beside the pass, in one transaction with what the day's budget
    /// has left.
    fn take(&self, batch: &Batch, rows: BTreeMap<u32, FetchRow>, bytes: u64, wanted: &WantedBodies) -> Behind {
        let of = |uid: u32| wanted.get(&(batch.mailbox, uid)).copied();
        let came: Vec<(Wanted, FetchRow)> = rows
            .into_iter()
            .filter_map(|(uid, row)| Some((of(uid).filter(|_| batch.uids.contains(uid))?, row)))
            .collect();
        let (books, words) = (self.books.clone(), self.words.clone());
        let work = async move {
            let ready =
                move |reader: &dyn Reader| came.into_iter().map(|(wanted, row)| ready(reader, wanted, row)).collect();
            let mut ready: Vec<Ready> = books.read(ready).await?;
            let indexable = ready.iter_mut().filter_map(Indexable::of).collect();
            let taken = books.write(Durability::Bulk, move |writer, now| put_down(writer, ready, now)).await?;
            words.add(&books, indexable).await.map(|()| taken)
        };
        Behind { mailbox: MailboxId(batch.mailbox), bytes, written: Task::spawn(self.session.engine().runtime(), work) }
    }
}

/// Takes bytes from the budget of the day.
pub(super) fn spend(writer: &mut dyn Writer, bytes: u64, now: Now) -> Result<()> {
    let total = used(writer, now)?.saturating_add(bytes);
    let note = format!("{} {total}", now.seconds().div_euclid(86_400));
    writer.set_note(BUDGET, Some(note.as_bytes()))
}

/// Whether so many bytes may come to what is being put down; after the last ones all of it is waited for.
fn has_room(behind: &VecDeque<Behind>, coming: Option<u64>) -> bool {
    let held: u64 = behind.iter().map(|behind| behind.bytes).sum();
    coming.is_some_and(|coming| behind.len() < BEHIND && (held + coming <= HELD || behind.is_empty()))
}

/// The next batch, while so many are under way. A large body has the connection for itself.
fn next_batch(left: &mut VecDeque<Batch>, ahead: usize) -> Option<Batch> {
    left.front().filter(|batch| batch.bytes <= LARGE || ahead == 0)?;
    left.pop_front()
}

/// A body that came: ready to be put down, or of another message.
pub(super) struct Ready {
    pub(super) wanted: Wanted,
    bytes: u64,
    pub(super) packed: std::result::Result<Packed, Digest>,
    pub(super) texts: Option<Texts>,
}

/// Makes one body ready: what came must have the header that is known.
fn ready(reader: &dyn Reader, wanted: Wanted, row: FetchRow) -> Result<Ready> {
    let headers = reader.headers(wanted.message)?.unwrap_or_default();
    let header = headers.header.clone();
    let section = row.sections.into_iter().find(|data| data.section == Section::default());
    let content = section.and_then(|data| data.data).map(crate::wire::Octets::into_bytes).unwrap_or_default();
    // RFC822.SIZE may differ (Exchange computes it); another header is another message (Yahoo).
    let came = Digest::of_header(&content);
    let is_it = came == Digest::of_header(&header) || planted(Bug::BodyUnchecked);
    let packed = if is_it { Ok(body::pack(reader, &content, &header)?) } else { Err(came) };
    let texts = is_it.then(|| Texts::of(&headers, &content));
    Ok(Ready { wanted, bytes: content.len() as u64, packed, texts })
}

/// Puts bodies down, or notes that they are refused.
fn put_down(writer: &mut dyn Writer, bodies: Vec<Ready>, now: Now) -> Result<Taken> {
    let (mut taken, mut bytes) = (Taken { count: 0, refused: Vec::new() }, 0);
    for Ready { wanted, bytes: size, packed, .. } in bodies {
        bytes += size;
        match packed {
            Ok(packed) => {
                let id = packed.put(writer, now)?;
                arrive::body(writer, wanted.message, id, now)?;
                taken.count += 1;
            }
            Err(other) => taken.refused.push(refuse(writer, wanted, other)?),
        }
    }
    spend(writer, bytes, now).map(|()| taken)
}

/// All of a message.
fn whole() -> [FetchItem; 2] {
    [FetchItem::Uid, FetchItem::Section { section: Section::default(), partial: None }]
}

/// Bodies that are wanted by what is to be kept, newest first: as many as may be looked up at once, of all mailboxes or
/// of `rest` alone. What is left to be looked through.
fn wanted(reader: &dyn Reader, rest: Option<&Rest>, now: Now) -> Result<(WantedBodies, Rest)> {
    let rows = held(reader)?;
    let most = (LOOKED_UP / rows.len().max(1)).max(LEAST);
    let (mut all, mut below) = (BTreeMap::new(), Rest::new());
    for row in rows {
        let before = rest.and_then(|rest| rest.get(&row.id.0)).copied();
        if rest.is_some() && before.is_none() {
            continue;
        }
        let (found, next) = upkeep::wanted(reader, row.id, (before, most), now)?;
        all.extend(found.into_iter().map(|wanted| ((row.id.0, wanted.remote_uid), wanted)));
        below.extend(next.map(|next| (row.id.0, next)));
    }
    Ok((all, below))
}

/// All bodies that are wanted of each mailbox: their UIDs on the server, and their bytes.
pub(super) fn outlook(reader: &dyn Reader, now: Now) -> Result<Vec<(MailboxRow, UidSet, u64)>> {
    let mut all = Vec::new();
    for row in held(reader)? {
        let (mut uids, mut bytes, mut before) = (UidSet::new(), 0, None);
        loop {
            let (some, next) = upkeep::wanted(reader, row.id, (before, LOOKED_UP), now)?;
            bytes += some.iter().map(|wanted| wanted.size).sum::<u64>();
            uids.merge(&some.iter().map(|wanted| wanted.remote_uid).collect());
            before = next;
            if next.is_none() {
                break;
            }
        }
        if !uids.is_empty() {
            all.push((row, uids, bytes));
        }
    }
    Ok(all)
}

/// Mailboxes of which bodies are held.
fn held(reader: &dyn Reader) -> Result<Vec<MailboxRow>> {
    let mut held = Vec::new();
    for row in reader.mailboxes()?.into_iter().filter(|row| row.remote.is_some()) {
        if reader.keep(Some(row.id))?.keep != Keep::Headers {
            held.push(row);
        }
    }
    Ok(held)
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
