//! Messages, as FETCH, VANISHED and the answers to our own commands tell of them.

use crate::error::{Code, MailError, Result};
use crate::imap::{InternalDate, UidSet};
use crate::journal::{Digest, Intent, State};
use crate::store::place::{New, Work, revive};
use crate::store::{
    BodyId, Change, Flags, Frame, Headers, IntentId, Link, Local, MailboxId, MailboxState, MessageId, MessageRow,
    NewMessage, Now, PlacementRow, Reader, Writer, derive, threads,
};

/// All that makes a message visible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// Its UID.
    pub uid: u32,
    /// Its flags on the server.
    pub flags: Flags,
    /// RFC822.SIZE, in bytes.
    pub size: u64,
    /// INTERNALDATE.
    pub internal_date: InternalDate,
    /// Header, ENVELOPE and BODYSTRUCTURE.
    pub headers: Headers,
    /// EMAILID (RFC 8474) or X-GM-MSGID, where the server has such and it is believed.
    pub email_id: Option<String>,
    /// SAVEDATE (RFC 8514), in seconds since 1970; now where the server does not tell.
    pub save_date: Option<i64>,
    /// The message here that it was found to be: somebody moved or copied it. Its header must be the same.
    pub same_as: Option<MessageId>,
}

/// An [`Arrived`] with what is derived from it: the costly part, which need not happen inside the transaction.
#[derive(Clone, Debug)]
pub struct Prepared {
    arrived: Arrived,
    digest: Digest,
    links: Vec<Link>,
    frame: Frame,
}

impl Prepared {
    /// The server's own id of it.
    #[must_use]
    pub fn email_id(&self) -> Option<&str> {
        self.arrived.email_id.as_deref()
    }

    /// It was found to be this message here.
    pub fn is_same_as(&mut self, message: MessageId) {
        self.arrived.same_as = Some(message);
    }
}

/// Makes a message ready to be made visible.
pub fn prepare(reader: &dyn Reader, arrived: Arrived) -> Result<Prepared> {
    let digest = derive::digest(&arrived.headers.header, arrived.size, arrived.internal_date);
    let (links, frame) = (derive::links(&arrived.headers.header), reader.pack_headers(&arrived.headers)?);
    Ok(Prepared { arrived, digest, links, frame })
}

/// Flags that both sides have come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagsArrived {
    /// The UID.
    pub uid: u32,
    /// As they are seen here: what is not sent yet included.
    pub flags: Flags,
    /// As the server has them.
    pub agreed: Flags,
}

/// Takes our UIDs for these, in their order, before anything of them is fetched (decision 6). Those that have one are
/// left alone.
pub fn reserve(writer: &mut dyn Writer, mailbox: MailboxId, uids: &UidSet, now: Now) -> Result<()> {
    let mut work = Work::begin(writer, mailbox, now)?;
    for uid in uids.difference(&writer.remote_uids(mailbox)?).iter() {
        let row = PlacementRow {
            mailbox,
            uid: work.next_uid()?,
            remote_uid: Some(uid),
            message: None,
            flags: Flags::new(),
            agreed: None,
            mod_seq: work.row.mod_seq,
            save_date: now.seconds(),
        };
        writer.insert_placement(&row)?;
    }
    if work.row.state == MailboxState::Fresh {
        work.row.state = MailboxState::Reserved;
    }
    work.end(writer)
}

/// Makes messages visible whose UIDs are reserved; others of `rows` are left out, and so are those visible already.
/// How many became visible.
pub fn headers(writer: &mut dyn Writer, mailbox: MailboxId, rows: &[Arrived], now: Now) -> Result<u64> {
    let rows = rows.iter().map(|row| prepare(writer, row.clone())).collect::<Result<Vec<_>>>()?;
    prepared(writer, mailbox, rows, now)
}

/// The same for messages that were made ready before.
pub fn prepared(writer: &mut dyn Writer, mailbox: MailboxId, rows: Vec<Prepared>, now: Now) -> Result<u64> {
    let mut work = Work::begin(writer, mailbox, now)?;
    let mut count = 0;
    for prepared in rows {
        let arrived = &prepared.arrived;
        let Some(mut row) = writer.placement_by_remote(mailbox, arrived.uid)? else { continue };
        if row.message.is_some() {
            continue;
        }
        row.message = Some(message_of(writer, &prepared)?);
        row.flags = arrived.flags.clone();
        row.agreed = Some(arrived.flags.clone());
        row.mod_seq = work.next_mod_seq();
        row.save_date = arrived.save_date.unwrap_or_else(|| now.seconds());
        writer.update_placement(&row)?;
        work.tell_added(writer, &row)?;
        count += 1;
    }
    work.end(writer)?;
    Ok(count)
}

fn message_of(writer: &mut dyn Writer, prepared: &Prepared) -> Result<MessageId> {
    let Prepared { arrived, digest, links, frame } = prepared;
    if let Some(id) = arrived.same_as
        && writer.headers(id)?.is_some_and(|known| known.header == arrived.headers.header)
    {
        revive(writer, id)?;
        return Ok(id);
    }
    let new = NewMessage {
        size: arrived.size,
        internal_date: arrived.internal_date,
        digest: Some(*digest),
        email_id: arrived.email_id.clone(),
        headers: arrived.headers.clone(),
        links: links.clone(),
    };
    let id = writer.insert_packed(&new, frame)?;
    threads::assign(writer, id, &new.links)?;
    Ok(id)
}

/// The message under a UID is another one than was told at first. What was shown goes; the true one arrives under a UID
/// of its own, since what a UID stands for never changes (RFC 9051 section 2.3.1.1), with the flags and the changes that
/// were made under the number. Its body is fetched as any other.
pub fn replace(writer: &mut dyn Writer, mailbox: MailboxId, arrived: Arrived, now: Now) -> Result<()> {
    let known = writer.placement_by_remote(mailbox, arrived.uid)?;
    let Some(old) = known.filter(|row| row.message.is_some()) else { return Ok(()) };
    let prepared = prepare(writer, arrived)?;
    let message = message_of(writer, &prepared)?;
    let mut work = Work::begin(writer, mailbox, now)?;
    work.remove(writer, &old)?;
    let (flags, agreed) = (old.flags, old.agreed);
    let placed = work.add(writer, New { message, remote_uid: old.remote_uid, flags, agreed })?;
    work.end(writer)?;
    for mut entry in writer.pending_at(mailbox, old.uid)? {
        let target = entry.intent.target_mut();
        if let Some(target) = target.filter(|target| (target.mailbox.id, target.local) == (mailbox.0, old.uid)) {
            (target.local, target.digest) = (placed.uid, prepared.digest);
            writer.update_intent(&entry, now.seconds())?;
        }
    }
    Ok(())
}

/// Writes flags; those of UIDs that are not visible here are left out.
pub fn set_flags(writer: &mut dyn Writer, mailbox: MailboxId, rows: &[FlagsArrived], now: Now) -> Result<()> {
    let mut work = Work::begin(writer, mailbox, now)?;
    for arrived in rows {
        let Some(mut row) = writer.placement_by_remote(mailbox, arrived.uid)? else { continue };
        if row.message.is_some() {
            write_flags(writer, &mut work, &mut row, (&arrived.flags, &arrived.agreed))?;
        }
    }
    work.end(writer)
}

fn write_flags(
    writer: &mut dyn Writer,
    work: &mut Work,
    row: &mut PlacementRow,
    (flags, agreed): (&Flags, &Flags),
) -> Result<()> {
    row.agreed = Some(agreed.clone());
    if row.flags == *flags { writer.update_placement(row) } else { work.change_flags(writer, row, flags.clone()) }
}

/// The content of a message is here, published in this transaction or before.
pub fn body(writer: &mut dyn Writer, message: MessageId, body: BodyId, now: Now) -> Result<()> {
    let (row, content) = (existing(writer, message)?, writer.body(body)?);
    let content = content.ok_or_else(|| MailError::new(Code::Internal, "The content was not published"))?;
    if row.size != content.size {
        // What the server said differs from what it sent (Exchange computes RFC822.SIZE).
        writer.update_message(&MessageRow { size: content.size, ..row })?;
    }
    writer.set_body(message, Some(body))?;
    writer.insert_feed(now.seconds(), &Change::BodyHere { message, body }).map(drop)
}

/// Takes messages away that are proven gone from the server; our UIDs of them.
pub fn vanished(writer: &mut dyn Writer, mailbox: MailboxId, uids: &UidSet, now: Now) -> Result<UidSet> {
    let mut work = Work::begin(writer, mailbox, now)?;
    let known = writer.remote_uids(mailbox)?;
    let mut gone = UidSet::new();
    for uid in uids.intersection(&known).iter() {
        let Some(row) = writer.placement_by_remote(mailbox, uid)? else { continue };
        work.remove(writer, &row)?;
        gone.insert(row.uid);
    }
    work.end(writer)?;
    Ok(gone)
}

/// Takes messages away by our UIDs that have lost their number on the server and were not found again.
pub fn quarantine(writer: &mut dyn Writer, mailbox: MailboxId, locals: &UidSet, now: Now) -> Result<()> {
    let mut work = Work::begin(writer, mailbox, now)?;
    for row in writer.placements(mailbox, locals)? {
        work.remove(writer, &row)?;
    }
    work.end(writer)
}

/// A message that lost its number on the server, found again.
pub fn rebind(writer: &mut dyn Writer, at: Local, uid: u32, now: Now) -> Result<()> {
    give_uid(writer, at, uid, None, now)
}

/// What was made here is on the server now, under this UID and with these flags (COPYUID, APPENDUID, or found by its
/// digest). Where it had been taken for a new message meanwhile, that one is the same and goes.
pub fn placed(writer: &mut dyn Writer, at: Local, uid: u32, agreed: &Flags, now: Now) -> Result<()> {
    give_uid(writer, at, uid, Some(agreed), now)
}

fn give_uid(writer: &mut dyn Writer, at: Local, uid: u32, agreed: Option<&Flags>, now: Now) -> Result<()> {
    // Taken away here since: the journal knows, and what is on the server is not lost by our not knowing its number.
    let Some(mut row) = writer.placement(at.mailbox, at.uid)? else { return Ok(()) };
    if let Some(other) = writer.placement_by_remote(at.mailbox, uid)?
        && other.uid != row.uid
    {
        let mut work = Work::begin(writer, at.mailbox, now)?;
        work.remove(writer, &other)?;
        work.end(writer)?;
    }
    row.remote_uid = Some(uid);
    row.agreed = agreed.cloned().or(row.agreed);
    writer.update_placement(&row)
}

/// Writes the state of an entry of the journal, and that it changed.
pub fn settle(writer: &mut dyn Writer, intent: IntentId, state: State, now: Now) -> Result<()> {
    let Some(mut entry) = writer.intent(intent)? else { return Ok(()) };
    entry.state = state;
    writer.update_intent(&entry, now.seconds())?;
    writer.insert_feed(now.seconds(), &Change::Intent { intent }).map(drop)
}

/// What is left of a flag change, after the server was found to have part of it.
pub fn trim(
    writer: &mut dyn Writer,
    intent: IntentId,
    (left_add, left_remove): (&Flags, &Flags),
    now: Now,
) -> Result<()> {
    let Some(mut entry) = writer.intent(intent)? else { return Ok(()) };
    if let Intent::Flag { add, remove, .. } = &mut entry.intent {
        *add = left_add.iter().collect();
        *remove = left_remove.iter().collect();
        writer.update_intent(&entry, now.seconds())?;
    }
    Ok(())
}

fn existing(writer: &dyn Writer, message: MessageId) -> Result<MessageRow> {
    writer.message(message)?.ok_or_else(|| MailError::new(Code::MessageMissing, "The message is no longer there"))
}
