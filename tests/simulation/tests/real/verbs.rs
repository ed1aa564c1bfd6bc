//! Local verbs as calls of the engine's store, and what the journal says has become of them.

use bytes::Bytes;
use mailtide::imap::{Flag, InternalDate, MailboxName, UidSet};
use mailtide::journal::{Cause, Entry, State, order};
use mailtide::store::{Flags, Headers, MailboxId, NewMessage, Now, Reader, Writer, body, change, derive};
use mailtide::{Code, MailError, Result};
use mailtide_simulation::device::{Fate, LocalId, Verb};
use std::collections::BTreeSet;

/// A placement as the simulation names it.
pub fn local(mailbox: MailboxId, uid: u32) -> LocalId {
    (u64::try_from(mailbox.0).unwrap() << 32) | u64::from(uid)
}

fn placed(id: LocalId) -> (MailboxId, UidSet) {
    let uid = u32::try_from(id & 0xffff_ffff).unwrap();
    (MailboxId(i64::try_from(id >> 32).unwrap()), UidSet::range(uid, uid))
}

/// The mailbox that the simulation calls by its name on the wire.
fn named(reader: &dyn Reader, name: &str) -> Result<MailboxId> {
    let mirrored = reader.mailbox_mirroring(name.as_bytes())?;
    let row = mirrored.map_or_else(|| reader.mailbox_named(name), |row| Ok(Some(row)))?;
    row.map(|row| row.id).ok_or_else(|| MailError::new(Code::MailboxMissing, "There is no such mailbox"))
}

/// Makes a local change. What is sent goes another way.
pub fn apply(writer: &mut dyn Writer, verb: Verb, now: Now) -> Result<()> {
    match verb {
        Verb::Flag { message, flag, set } => {
            let (mailbox, uids) = placed(message);
            let flags: Flags = [&Flag::from_server(flag.as_bytes())].into_iter().collect();
            let (add, remove) = if set { (flags, Flags::new()) } else { (Flags::new(), flags) };
            change::flag(writer, mailbox, &uids, &change::FlagDelta { add, remove }, now).map(drop)
        }
        Verb::Move { message, to } => {
            let ((mailbox, uids), to) = (placed(message), named(writer, &to)?);
            change::move_to(writer, mailbox, &uids, to, now).map(drop)
        }
        Verb::Copy { message, to } => {
            let ((mailbox, uids), to) = (placed(message), named(writer, &to)?);
            change::copy(writer, mailbox, &uids, to, now).map(drop)
        }
        Verb::Delete { message } => {
            let (mailbox, uids) = placed(message);
            change::expunge(writer, mailbox, &uids, now).map(drop)
        }
        Verb::Append { mailbox, bytes, flags } => append(writer, &mailbox, &bytes, &flags, now),
        Verb::Create { name } => {
            let name = MailboxName::from_server(name.into_bytes(), false);
            let delimiter = writer.mailboxes()?.iter().find_map(|row| row.delimiter);
            change::create(writer, name.as_str(), (delimiter, None), now).map(drop)
        }
        Verb::Rename { name, to } => {
            let mailbox = named(writer, &name)?;
            let to = MailboxName::from_server(to.into_bytes(), false);
            change::rename(writer, mailbox, to.as_str(), now)
        }
        Verb::Remove { name } => {
            let mailbox = named(writer, &name)?;
            change::delete(writer, mailbox, now)
        }
        Verb::Send { .. } => Err(MailError::new(Code::UsageArgument, "That is no change of the mailbox")),
    }
}

fn append(writer: &mut dyn Writer, mailbox: &str, bytes: &[u8], flags: &BTreeSet<String>, now: Now) -> Result<()> {
    let to = named(writer, mailbox)?;
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let header = Bytes::copy_from_slice(&bytes[..end]);
    let (size, internal_date) = (bytes.len() as u64, InternalDate { seconds: now.seconds(), offset: 0 });
    let content = body::put(writer, bytes, &header, now)?;
    let new = NewMessage {
        size,
        internal_date,
        digest: Some(derive::digest(&header, size, internal_date)),
        email_id: None,
        links: derive::links(&header),
        headers: Headers { header, ..Headers::default() },
    };
    let flags: Vec<Flag> = flags.iter().map(|flag| Flag::from_server(flag.as_bytes())).collect();
    change::append(writer, to, (&new, content), flags.iter().collect(), now).map(drop)
}

/// Changes that are parked, and those that wait for them.
pub fn held(pending: &[Entry]) -> BTreeSet<i64> {
    let mut held = BTreeSet::new();
    for (at, entry) in pending.iter().enumerate() {
        let waits = order::dependencies(&entry.intent, &pending[..at]).iter().any(|id| held.contains(id));
        if waits || matches!(entry.state, State::Parked { .. }) {
            held.insert(entry.id);
        }
    }
    held
}

/// What has become of a change, in the words of the simulation.
pub fn fate(state: &State) -> Fate {
    match state {
        State::Waiting | State::Started { .. } => Fate::Pending,
        State::Applied { .. } => Fate::Applied,
        State::Superseded { by: Cause::LaterLocal } => Fate::Merged,
        State::Superseded { .. } => Fate::Superseded,
        State::Parked { .. } => Fate::Parked(state.to_string()),
    }
}
