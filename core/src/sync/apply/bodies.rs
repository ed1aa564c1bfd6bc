//! Bodies: newest first, in batches by bytes, within the day's budget. A body is whole and verified, or not there.

use super::Pass;
use super::line::rows;
use crate::error::Result;
use crate::imap::command::FetchItem;
use crate::imap::{FetchRow, MailboxName, Section, UidSet};
use crate::journal::Digest;
use crate::planted::{Bug, planted};
use crate::store::{
    Durability, Keep, MailboxId, MailboxRow, MessageId, MessageRow, Now, Reader, Wanted, Writer, arrive, body, upkeep,
};
use crate::sync::books::blocking;
use crate::sync::plan::{Batch, Body, batches};
use bytes::{Bytes, BytesMut};
use std::collections::{BTreeMap, VecDeque};

/// Bytes and messages of one batch.
const BATCH: u64 = 1 << 20;
const MESSAGES: usize = 64;
/// Larger bodies come in stretches of so many bytes.
const LARGE: u64 = 4 << 20;
const STRETCH: u64 = 512 << 10;
/// Batches and stretches under way at once.
const AHEAD: usize = 3;
/// Bodies of one mailbox that are looked up at once.
const LOOKED_UP: usize = 2000;
/// Where the budget of the day is kept.
const BUDGET: &str = "sync.budget";

impl Pass {
    /// Fetches the bodies that are wanted and not here.
    pub(super) async fn bodies(&mut self) -> Result<()> {
        let now = self.books.now();
        if self.options.on_progress.is_some() {
            let all = self.books.read(move |reader| outlook(reader, now)).await?;
            let (count, bytes) = all.iter().fold((0, 0), |(n, size), (_, uids, more)| (n + uids.len(), size + more));
            self.phase("bodies", (count, Some(bytes)));
        }
        loop {
            let (wanted, used) = self.books.read(move |reader| Ok((wanted(reader, now)?, used(reader, now)?))).await?;
            let left = self.options.bytes_a_day.map(|most| most.saturating_sub(used));
            let trusted = wanted.values().filter(|wanted| !self.doubted.contains(&wanted.message));
            let bodies: Vec<Body> = trusted.map(body_of).collect();
            let plan = batches(bodies, BATCH, MESSAGES, left);
            if plan.is_empty() || self.fetch_bodies(plan, &wanted).await? == 0 {
                return Ok(());
            }
        }
    }

    /// Fetches some batches; how many bodies came. None means that going on brings nothing.
    async fn fetch_bodies(&mut self, plan: Vec<Batch>, wanted: &BTreeMap<(i64, u32), Wanted>) -> Result<u64> {
        let (mut done, mut left, mut ahead) = (0, VecDeque::from(plan), VecDeque::new());
        loop {
            // Only batches of the open mailbox are sent ahead.
            while let Some(batch) = left.front().cloned() {
                if batch.bytes > LARGE {
                    if !ahead.is_empty() {
                        break;
                    }
                    left.pop_front();
                    done += self.large(&batch, wanted).await?;
                    continue;
                }
                let is_open = ahead.back().is_none_or(|(last, _): &(Batch, _)| last.mailbox == batch.mailbox);
                if !is_open || ahead.len() >= AHEAD {
                    break;
                }
                left.pop_front();
                let name = self.name(MailboxId(batch.mailbox), &MailboxName::new("", false)).await?;
                if !self.is_open(MailboxId(batch.mailbox), &name).await? {
                    continue;
                }
                let item = FetchItem::Section { section: Section::default(), partial: None };
                for pending in self.line.fetch(&batch.uids, &[FetchItem::Uid, item])? {
                    ahead.push_back((batch.clone(), pending));
                }
            }
            let Some((batch, pending)) = ahead.pop_front() else { return Ok(done) };
            let item = FetchItem::Section { section: Section::default(), partial: None };
            let (rows, bytes) = self.rows_of(&batch.uids, &[FetchItem::Uid, item], pending).await?;
            let came = self.take(&batch, rows, wanted).await?;
            done += came;
            let mailbox = MailboxId(batch.mailbox);
            self.count(mailbox).bytes += bytes;
            self.step(mailbox, (came, bytes));
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
            let (mut count, mut bytes, mut refused) = (0, 0, Vec::new());
            for (wanted, row) in came {
                let (size, is_it) = put(writer, &wanted, row, now)?;
                bytes += size;
                count += u64::from(is_it);
                refused.extend((!is_it).then_some(wanted.message));
            }
            spend(writer, bytes, now).map(|()| (count, refused))
        };
        let (count, refused) = self.books.write(Durability::Bulk, write).await?;
        self.doubted.extend(refused);
        self.count(MailboxId(batch.mailbox)).bodies += count;
        Ok(count)
    }
}

impl Pass {
    /// Fetches one large body in stretches, staged as they come and published whole.
    async fn large(&mut self, batch: &Batch, wanted: &BTreeMap<(i64, u32), Wanted>) -> Result<u64> {
        let uid = batch.uids.first().unwrap_or_default();
        let Some(wanted) = wanted.get(&(batch.mailbox, uid)).copied() else { return Ok(0) };
        let name = self.name(MailboxId(batch.mailbox), &MailboxName::new("", false)).await?;
        if !self.is_open(MailboxId(batch.mailbox), &name).await? {
            return Ok(0);
        }
        let message = wanted.message;
        let header = self.books.read(move |reader| reader.headers(message)).await?.unwrap_or_default().header;
        let staging = body::Staging::new(self.books.store(), header.clone(), self.books.now());
        let (staging, came) = self.stretches(uid, staging, &header).await?;
        let Some(mut staging) = staging else {
            self.books.write(Durability::Bulk, move |writer, _| refuse(writer, message)).await?;
            self.doubted.insert(message);
            return Ok(0);
        };
        let publish = move |writer: &mut dyn Writer, now: Now| {
            let id = staging.publish(writer)?;
            arrive::body(writer, message, id, now)?;
            spend(writer, came, now)
        };
        self.books.write(Durability::Bulk, publish).await?;
        let mailbox = MailboxId(batch.mailbox);
        let counted = self.count(mailbox);
        counted.bodies += 1;
        counted.bytes += came;
        self.step(mailbox, (1, came));
        Ok(1)
    }

    /// The stretches of a body, in order, some asked for ahead; no staging where it is another message.
    async fn stretches(
        &mut self,
        uid: u32,
        mut staging: body::Staging,
        header: &Bytes,
    ) -> Result<(Option<body::Staging>, u64)> {
        let (mut asked, mut came, mut ahead) = (0, 0, VecDeque::new());
        let mut beginning = BytesMut::new();
        loop {
            while ahead.len() < AHEAD {
                let item = FetchItem::Section { section: Section::default(), partial: Some((asked, STRETCH)) };
                ahead.extend(self.line.fetch(&[uid].into_iter().collect(), &[FetchItem::Uid, item])?);
                asked += STRETCH;
            }
            let Some(pending) = ahead.pop_front() else { break };
            let row = rows(&pending.answer().await?).remove(&uid);
            let section = row.and_then(|row| row.sections.into_iter().find(|data| data.section == Section::default()));
            // A row that does not come is a message that is gone, which the next comparison finds out.
            let Some(data) = section else { return Ok((None, came)) };
            let is_part = data.origin.is_some() || data.data.is_none();
            let piece = data.data.map(crate::wire::Octets::into_bytes).unwrap_or_default();
            let length = piece.len() as u64;
            came += length;
            if beginning.len() <= header.len() {
                beginning.extend_from_slice(&piece);
            }
            staging = blocking(move || staging.push(&piece).map(|()| staging)).await?;
            // Some servers give the whole, whatever stretch is asked for (Exmail).
            if !is_part || length < STRETCH {
                break;
            }
        }
        if Digest::of_header(&beginning) != Digest::of_header(header) {
            blocking(move || staging.abandon()).await?;
            return Ok((None, came));
        }
        staging = blocking(move || staging.finish().map(|()| staging)).await?;
        Ok((Some(staging), came))
    }
}

/// The server's bytes were those of another message. It is asked for once more, on the connection of another pass, and
/// then no longer by itself.
fn refuse(writer: &mut dyn Writer, message: MessageId) -> Result<()> {
    let Some(row) = writer.message(message)? else { return Ok(()) };
    let note = format!("sync.other.{message}");
    if writer.note(&note)?.is_none() {
        return writer.set_note(&note, Some(b"1"));
    }
    writer.set_note(&note, None)?;
    let problem = Some("The server sent another message than the one asked for".to_owned());
    writer.update_message(&MessageRow { problem, ..row })
}

/// Takes bytes from the budget of the day.
fn spend(writer: &mut dyn Writer, bytes: u64, now: Now) -> Result<()> {
    let total = used(writer, now)?.saturating_add(bytes);
    let note = format!("{} {total}", now.seconds().div_euclid(86_400));
    writer.set_note(BUDGET, Some(note.as_bytes()))
}

/// Puts one body down, or the reason why it is refused: what came must have the header that is known. Its size, and
/// whether it was taken.
fn put(writer: &mut dyn Writer, wanted: &Wanted, row: FetchRow, now: Now) -> Result<(u64, bool)> {
    let header = writer.headers(wanted.message)?.map(|headers| headers.header).unwrap_or_default();
    let section = row.sections.into_iter().find(|data| data.section == Section::default());
    let content = section.and_then(|data| data.data).map(crate::wire::Octets::into_bytes).unwrap_or_default();
    let size = content.len() as u64;
    // RFC822.SIZE may differ (Exchange computes it); another header is another message (Yahoo).
    if Digest::of_header(&content) != Digest::of_header(&header) && !planted(Bug::BodyUnchecked) {
        return refuse(writer, wanted.message).map(|()| (size, false));
    }
    let id = body::put(writer, &content, &header, now)?;
    arrive::body(writer, wanted.message, id, now)?;
    Ok((size, true))
}

/// Bodies that are wanted by what is to be kept, by mailbox and UID: so many of each mailbox as one round takes.
fn wanted(reader: &dyn Reader, now: Now) -> Result<BTreeMap<(i64, u32), Wanted>> {
    let mut all = BTreeMap::new();
    for row in held(reader)? {
        let (mut found, mut before) = (0, None);
        loop {
            let (some, next) = upkeep::wanted(reader, row.id, (before, LOOKED_UP), now)?;
            found += some.len();
            all.extend(some.into_iter().map(|wanted| ((row.id.0, wanted.remote_uid), wanted)));
            before = next;
            if next.is_none() || found >= LOOKED_UP {
                break;
            }
        }
    }
    Ok(all)
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
