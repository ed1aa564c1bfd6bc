//! Messages that arrive on the server: what is written down before, and how one is found again when the answer is lost.

use super::bug::Bug;
use super::client::{Client, Fetched, Reply, Status, quoted, text};
use super::disk::{Before, Disk, Kind, Origin, Row};
use super::{Installation, Result};
use crate::device::{LocalId, Ticket};

/// What a search for an arrival came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is there.
    There(u32),
    /// It is certainly not there.
    NotThere,
    /// Nobody can know.
    Unsure,
}

impl Installation {
    /// What there is in a mailbox before something is added.
    pub async fn before(&mut self, client: &mut Client, name: &str) -> Result<Option<Before>> {
        let reply = client.run(&format!("STATUS {} (UIDVALIDITY UIDNEXT)", quoted(name))).await?;
        let line = reply.untagged.iter().map(|l| text(l)).find(|l| l.starts_with("* STATUS")).unwrap_or_default();
        let number = |word: &str| line.split_once(word)?.1.split([' ', ')']).next()?.parse::<u32>().ok();
        if let (Some(uid_validity), Some(uid_next)) = (number("UIDVALIDITY "), number("UIDNEXT ")) {
            return Ok(Some(Before { uid_validity, uid_next }));
        }
        if reply.status != Status::Ok {
            return Ok(None);
        }
        let open = client.selected.clone();
        let Some(selected) = client.select(name, None).await? else { return Ok(None) };
        let highest = client.uids().await?.last().copied().unwrap_or_default();
        if let Some(open) = open {
            client.select(&open.name, None).await?;
        }
        Ok(Some(Before { uid_validity: selected.uid_validity, uid_next: highest + 1 }))
    }

    /// Looks for a message that may have arrived.
    pub async fn find(&mut self, client: &mut Client, to: u64, row: LocalId, before: Before) -> Result<Found> {
        let (Some(name), Some(wanted)) = (self.disk().name_of(to), self.disk().rows.get(&row).cloned()) else {
            return Ok(Found::Unsure);
        };
        let Some(selected) = client.select(&name, None).await? else { return Ok(Found::Unsure) };
        let same = selected.uid_validity == before.uid_validity;
        let first = if same { before.uid_next } else { 1 };
        let rows = client.fetch(&format!("{first}:*"), "UID RFC822.SIZE ENVELOPE", "").await?;
        let rows: Vec<Fetched> = rows.into_iter().filter(|r| r.uid >= first).collect();
        let current = self.disk().validity_of(to) == Some(selected.uid_validity);
        let taken = |uid: u32| current && self.disk().rows.values().any(|r| r.mailbox == to && r.uid == Some(uid));
        let loose = self.has(Bug::MessageIdIsIdentity);
        let mut hits: Vec<u32> =
            rows.iter().filter(|r| !taken(r.uid) && alike(&wanted, r, loose)).map(|r| r.uid).collect();
        hits.dedup();
        let seen: std::collections::BTreeSet<u32> = rows.iter().map(|r| r.uid).collect();
        let all = selected.uid_next.is_some_and(|next| (first..next).all(|uid| seen.contains(&uid)));
        Ok(match hits.as_slice() {
            [uid] => Found::There(*uid),
            [uid, ..] if loose => Found::There(*uid),
            [] if all && same => Found::NotThere,
            _ => Found::Unsure,
        })
    }

    /// A message has arrived: its row gets the UID, or the move that has taken it away again.
    pub fn arrived(
        disk: &mut Disk,
        ticket: Ticket,
        row: LocalId,
        (to, begun): (u64, Option<Before>),
        uid: Option<u32>,
    ) {
        let next = disk.intents.iter_mut().find(|(other, intent)| {
            **other > ticket
                && intent.row == row
                && matches!(intent.kind, Kind::Move { from, .. } if from.uid.is_none())
        });
        if let Some((_, intent)) = next {
            if let Kind::Move { from, .. } = &mut intent.kind {
                let uid_validity = begun.map(|before| before.uid_validity);
                *from = Origin { mailbox: to, uid_validity, uid };
            }
            return;
        }
        let same = |(id, r): &(&LocalId, &Row)| **id != row && r.mailbox == to && uid.is_some() && r.uid == uid;
        let twin = disk.rows.iter().find(same).map(|(id, _)| *id);
        match (disk.rows.get_mut(&row), twin) {
            // A label that was there already, or a message that has been seen before its answer was.
            (Some(_), Some(twin)) => merge(disk, row, twin),
            (Some(row), None) => row.uid = uid,
            (None, _) => {}
        }
    }
}

/// Two rows are the same message: one stays, with what was done to the other.
fn merge(disk: &mut Disk, row: LocalId, twin: LocalId) {
    disk.rows.remove(&row);
    for intent in disk.intents.values_mut() {
        if intent.row == row {
            intent.row = twin;
        }
        if let Kind::Copy { source, .. } = &mut intent.kind {
            *source = if *source == row { twin } else { *source };
        }
    }
}

/// The UID that APPENDUID or COPYUID names.
pub fn code(reply: &Reply, word: &str) -> Option<u32> {
    let lines = reply.untagged.iter().map(|line| text(line)).chain([reply.text.clone()]);
    let mut codes = lines.filter_map(|line| {
        let rest = line.split_once(&format!("[{word} "))?.1.split_once(']')?.0.to_owned();
        rest.rsplit_once(' ')?.1.parse().ok()
    });
    codes.next_back()
}

/// Whether a row on the server is the message of ours.
pub fn alike(ours: &Row, theirs: &Fetched, loose: bool) -> bool {
    let envelope = text(&theirs.envelope);
    let header = |name: &str| {
        let body = text(ours.body.as_ref()?);
        let value = body.split_once(name)?.1.split_once("\r\n")?.0.to_owned();
        Some(value)
    };
    let has = |name: &str| header(name).is_some_and(|value| envelope.contains(&value));
    let message_id = |e: &[u8]| text(e).rsplit_once('<').map(|(_, id)| id.to_owned());
    if loose {
        return if ours.envelope.is_empty() {
            has("Message-ID: ")
        } else {
            message_id(&ours.envelope) == message_id(&theirs.envelope)
        };
    }
    let same = if ours.envelope.is_empty() {
        has("Subject: ") && has("Message-ID: ")
    } else {
        ours.envelope == theirs.envelope
    };
    same && ours.size == theirs.size
}
