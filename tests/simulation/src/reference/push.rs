//! Tells the server what was done here, in order, each step safe to repeat.

use super::bug::Bug;
use super::client::{Client, Status, quoted};
use super::disk::{Disk, Intent, Kind, Origin};
use super::land::{Found, code};
use super::{Installation, Result};
use crate::device::{Fate, LocalId, Ticket};
use std::collections::BTreeSet;

/// Refusals after which a change is parked.
const TRIES: u8 = 3;

/// How an attempt ended.
enum Attempt {
    /// It is over.
    Over(Fate),
    /// The server has refused it; later perhaps.
    Refused(String),
    /// It has to wait.
    Wait,
}

impl Installation {
    /// Sends what is pending; whether nothing is left.
    pub async fn push(&mut self, client: &mut Client) -> Result<bool> {
        let mut blocked: BTreeSet<LocalId> = BTreeSet::new();
        let pending: Vec<Ticket> = self.disk().pending().map(|(ticket, _)| ticket).collect();
        for ticket in pending {
            let intent = self.disk().intents[&ticket].clone();
            let source = if let Kind::Copy { source, .. } = intent.kind { Some(source) } else { None };
            if blocked.contains(&intent.row) && intent.row != 0 || source.is_some_and(|row| blocked.contains(&row)) {
                blocked.insert(intent.row);
                continue;
            }
            let attempt = self.attempt(client, ticket, &intent).await?;
            let over = self.conclude(ticket, attempt)?;
            if !over {
                blocked.insert(intent.row);
                blocked.extend(source);
            }
        }
        Ok(self.disk().pending().next().is_none())
    }

    fn conclude(&mut self, ticket: Ticket, attempt: Attempt) -> Result<bool> {
        let believes = self.has(Bug::RefusalIsSuccess);
        let fate = match attempt {
            Attempt::Wait => return Ok(false),
            Attempt::Over(fate) => fate,
            Attempt::Refused(_) if believes => Fate::Applied,
            Attempt::Refused(why) => {
                let tries = self.disk().intents[&ticket].tries + 1;
                if tries < TRIES {
                    self.write(|disk| disk.intents.get_mut(&ticket).into_iter().for_each(|i| i.tries = tries))?;
                    return Ok(false);
                }
                Fate::Parked(why)
            }
        };
        self.write(|disk| end(disk, ticket, &fate))?;
        Ok(true)
    }

    async fn attempt(&mut self, client: &mut Client, ticket: Ticket, intent: &Intent) -> Result<Attempt> {
        // It has arrived, and the process died before that was all.
        if intent.copied && (client.has("MOVE") || !matches!(intent.kind, Kind::Move { .. })) {
            return Ok(Attempt::Over(Fate::Applied));
        }
        match &intent.kind {
            Kind::Create { name } => self.create(client, name).await,
            Kind::Append { to } => self.append(client, ticket, intent, *to).await,
            Kind::Send { .. } => Ok(Attempt::Over(Fate::Applied)),
            Kind::Copy { source, to } => {
                let place = self.place(*source, ticket);
                if let Err(attempt) = self.known(*source, place) {
                    return Ok(attempt);
                }
                self.copy(client, ticket, intent, (place, *to)).await
            }
            Kind::Move { from, to } => self.relocate(client, ticket, intent, (*from, *to)).await,
            Kind::Flag { flag, set } => self.flag(client, ticket, intent, (flag, *set)).await,
            Kind::Delete => self.delete(client, ticket, intent).await,
        }
    }

    /// Where the server has a message as far as this change is concerned: before any later move.
    fn place(&self, row: LocalId, ticket: Ticket) -> Option<Origin> {
        let later = self
            .disk()
            .pending()
            .find(|(other, i)| *other > ticket && i.row == row && matches!(i.kind, Kind::Move { .. }));
        if let Some((_, Intent { kind: Kind::Move { from, .. }, .. })) = later {
            return Some(*from);
        }
        let row = self.disk().rows.get(&row)?;
        Some(Origin { mailbox: row.mailbox, uid_validity: self.disk().validity_of(row.mailbox), uid: row.uid })
    }

    /// A row that has gone was taken by somebody else, or was never more than a wish.
    fn known(&self, row: LocalId, place: Option<Origin>) -> std::result::Result<Origin, Attempt> {
        place.ok_or_else(|| {
            let parked = |i: &Intent| i.row == row && matches!(i.fate, Fate::Parked(_));
            let own = self.disk().intents.values().any(parked);
            Attempt::Over(if own { Fate::Parked("it was never there".to_owned()) } else { Fate::Superseded })
        })
    }

    /// Opens the mailbox of a place and makes sure that its UID still means the message.
    async fn open(
        &mut self,
        client: &mut Client,
        row: LocalId,
        place: Option<Origin>,
    ) -> Result<std::result::Result<u32, Attempt>> {
        let place = match self.known(row, place) {
            Ok(place) => place,
            Err(attempt) => return Ok(Err(attempt)),
        };
        let Some(uid) = place.uid else {
            return Ok(Err(Attempt::Over(Fate::Parked("the message is only here".to_owned()))));
        };
        let Some(name) = self.disk().name_of(place.mailbox) else {
            return Ok(Err(Attempt::Over(Fate::Superseded)));
        };
        let Some(selected) = client.select(&name, None).await? else {
            return Ok(Err(Attempt::Refused("the mailbox cannot be opened".to_owned())));
        };
        if selected.read_only {
            return Ok(Err(Attempt::Over(Fate::Parked("the mailbox is read-only".to_owned()))));
        }
        if place.uid_validity == Some(selected.uid_validity) || self.has(Bug::ValidityIgnored) {
            return Ok(Ok(uid));
        }
        self.locate(client, row, selected.exists).await
    }

    /// Finds a message among those of the open mailbox, whose UIDs mean something else now.
    async fn locate(
        &mut self,
        client: &mut Client,
        row: LocalId,
        exists: usize,
    ) -> Result<std::result::Result<u32, Attempt>> {
        let Some(ours) = self.disk().rows.get(&row).cloned() else {
            return Ok(Err(Attempt::Over(Fate::Superseded)));
        };
        let rows = client.fetch("1:*", "UID RFC822.SIZE INTERNALDATE ENVELOPE", "").await?;
        if rows.len() < exists {
            return Ok(Err(Attempt::Wait));
        }
        let hits: Vec<u32> = rows.iter().filter(|r| super::land::alike(&ours, r, false)).map(|r| r.uid).collect();
        Ok(match hits.as_slice() {
            [uid] => Ok(*uid),
            [] => Err(Attempt::Refused("the message is not to be found".to_owned())),
            _ => Err(Attempt::Over(Fate::Parked("several messages look like it".to_owned()))),
        })
    }

    async fn create(&mut self, client: &mut Client, name: &str) -> Result<Attempt> {
        let reply = client.run(&format!("CREATE {}", quoted(name))).await?;
        Ok(match reply.status {
            Status::Ok => Attempt::Over(Fate::Applied),
            Status::No if reply.text.contains("ALREADYEXISTS") => Attempt::Over(Fate::Applied),
            Status::No => Attempt::Refused(reply.text),
            Status::Bad => Attempt::Wait,
        })
    }

    async fn flag(
        &mut self,
        client: &mut Client,
        ticket: Ticket,
        intent: &Intent,
        (flag, set): (&str, bool),
    ) -> Result<Attempt> {
        let place = self.place(intent.row, ticket);
        let uid = match self.open(client, intent.row, place).await? {
            Ok(uid) => uid,
            Err(attempt) => return Ok(attempt),
        };
        let sign = if set { '+' } else { '-' };
        let mut command = format!("UID STORE {uid} {sign}FLAGS.SILENT ({flag})");
        if self.has(Bug::FlagsOverwrite) {
            let flags =
                self.disk().rows.get(&intent.row).map(|r| r.flags.iter().cloned().collect::<Vec<_>>().join(" "));
            command = format!("UID STORE {uid} FLAGS.SILENT ({})", flags.unwrap_or_default());
        }
        if self.has(Bug::SequenceNumbers) {
            let mailbox = place.map_or(0, |p| p.mailbox);
            let below = self.disk().rows.values().filter(|r| r.mailbox == mailbox && r.uid.is_some_and(|u| u <= uid));
            command = format!("STORE {} {sign}FLAGS.SILENT ({flag})", below.count());
        }
        let reply = client.run(&command).await?;
        match reply.status {
            Status::Ok => {}
            Status::No => return Ok(Attempt::Refused(reply.text)),
            Status::Bad => return Ok(Attempt::Wait),
        }
        let there = client.fetch(&uid.to_string(), "UID FLAGS", "").await?;
        if there.iter().any(|r| r.uid == uid) {
            return Ok(Attempt::Over(Fate::Applied));
        }
        self.unseen(ticket, Fate::Superseded)
    }

    async fn delete(&mut self, client: &mut Client, ticket: Ticket, intent: &Intent) -> Result<Attempt> {
        let place = self.place(intent.row, ticket);
        let uid = match self.open(client, intent.row, place).await? {
            Ok(uid) => uid,
            Err(attempt) => return Ok(attempt),
        };
        self.remove(client, ticket, uid).await
    }

    /// The server does not show the message. Only the second time is that believed.
    fn unseen(&mut self, ticket: Ticket, fate: Fate) -> Result<Attempt> {
        if self.disk().intents[&ticket].unseen {
            return Ok(Attempt::Over(fate));
        }
        self.write(|disk| disk.intents.get_mut(&ticket).into_iter().for_each(|i| i.unseen = true))?;
        Ok(Attempt::Wait)
    }

    /// Marks a message, and expunges it by its UID where that can be done.
    async fn remove(&mut self, client: &mut Client, ticket: Ticket, uid: u32) -> Result<Attempt> {
        if client.fetch(&uid.to_string(), "UID FLAGS", "").await?.is_empty() {
            return self.unseen(ticket, Fate::Applied);
        }
        let mut commands = vec![format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)")];
        if self.has(Bug::PlainExpunge) {
            commands.push("EXPUNGE".to_owned());
        } else if client.has("UIDPLUS") {
            commands.push(format!("UID EXPUNGE {uid}"));
        }
        for command in commands {
            let reply = client.run(&command).await?;
            match reply.status {
                Status::Ok => {}
                Status::No => return Ok(Attempt::Refused(reply.text)),
                Status::Bad => return Ok(Attempt::Wait),
            }
        }
        Ok(Attempt::Over(Fate::Applied))
    }

    async fn append(&mut self, client: &mut Client, ticket: Ticket, intent: &Intent, to: u64) -> Result<Attempt> {
        let Some(row) = self.disk().rows.get(&intent.row).cloned() else {
            return Ok(Attempt::Over(Fate::Superseded));
        };
        let (Some(name), Some(body)) = (self.disk().name_of(to), row.body) else {
            return Ok(Attempt::Over(Fate::Parked("there is no such mailbox".to_owned())));
        };
        if let Some(attempt) = self.resolve(client, ticket, intent, (to, Bug::BlindAppend)).await? {
            return Ok(attempt);
        }
        let Some(before) = self.begin(client, ticket, &name).await? else {
            return Ok(Attempt::Refused("the mailbox is not there".to_owned()));
        };
        let flags: Vec<String> = self.first_flags(intent.row, ticket).into_iter().collect();
        let command = format!("APPEND {} ({}) {{{}}}", quoted(&name), flags.join(" "), body.len());
        let reply = client.run_with(&command, Some(&body)).await?;
        if reply.status != Status::Ok {
            return self.not_begun(ticket, reply.status, reply.text);
        }
        let believed = self.has(Bug::UidNextBelieved);
        let uid = if believed { Some(before.uid_next) } else { code(&reply, "APPENDUID") };
        self.landed(client, ticket, intent, (to, uid)).await
    }

    /// The flags with which a message begins: without those that are sent afterwards.
    fn first_flags(&self, row: LocalId, ticket: Ticket) -> BTreeSet<String> {
        let mut flags = self.disk().rows.get(&row).map(|r| r.flags.clone()).unwrap_or_default();
        for (_, intent) in self.disk().pending().filter(|(other, i)| *other > ticket && i.row == row) {
            if let Kind::Flag { flag, .. } = &intent.kind {
                flags.retain(|f| !f.eq_ignore_ascii_case(flag));
            }
        }
        flags
    }

    /// What became of an earlier attempt, where one was begun and its answer was lost.
    async fn resolve(
        &mut self,
        client: &mut Client,
        ticket: Ticket,
        intent: &Intent,
        (to, blind): (u64, Bug),
    ) -> Result<Option<Attempt>> {
        let Some(before) = intent.begun.filter(|_| !self.has(blind)) else { return Ok(None) };
        match self.find(client, to, intent.row, before).await? {
            Found::There(uid) => self.landed(client, ticket, intent, (to, Some(uid))).await.map(Some),
            Found::NotThere => Ok(None),
            Found::Unsure => self.unseen(ticket, Fate::Parked("nobody knows whether it arrived".to_owned())).map(Some),
        }
    }

    async fn begin(&mut self, client: &mut Client, ticket: Ticket, name: &str) -> Result<Option<super::disk::Before>> {
        let Some(before) = self.before(client, name).await? else { return Ok(None) };
        self.write(|disk| disk.intents.get_mut(&ticket).into_iter().for_each(|i| i.begun = Some(before)))?;
        Ok(Some(before))
    }

    fn not_begun(&mut self, ticket: Ticket, status: Status, text: String) -> Result<Attempt> {
        self.write(|disk| disk.intents.get_mut(&ticket).into_iter().for_each(|i| i.begun = None))?;
        Ok(if status == Status::No { Attempt::Refused(text) } else { Attempt::Wait })
    }

    /// It has arrived; without UIDPLUS it is looked for.
    async fn landed(
        &mut self,
        client: &mut Client,
        ticket: Ticket,
        intent: &Intent,
        (to, uid): (u64, Option<u32>),
    ) -> Result<Attempt> {
        let begun = self.disk().intents[&ticket].begun;
        let uid = match (uid, begun) {
            (None, Some(before)) => match self.find(client, to, intent.row, before).await? {
                Found::There(uid) => Some(uid),
                _ if !self.disk().intents[&ticket].unseen => return self.unseen(ticket, Fate::Applied),
                _ => None,
            },
            (uid, _) => uid,
        };
        let row = intent.row;
        self.write(|disk| {
            let Some(intent) = disk.intents.get_mut(&ticket) else { return };
            (intent.begun, intent.copied) = (None, true);
            let made_here = disk.mailbox(to).filter(|m| m.uid_validity.is_none());
            made_here.into_iter().for_each(|m| m.uid_validity = begun.map(|before| before.uid_validity));
            Self::arrived(disk, ticket, row, (to, begun), uid);
            // Nobody knows which it is: the server's list will bring it.
            if uid.is_none() {
                disk.rows.remove(&row);
            }
        })?;
        Ok(Attempt::Over(Fate::Applied))
    }

    async fn copy(
        &mut self,
        client: &mut Client,
        ticket: Ticket,
        intent: &Intent,
        (place, to): (Option<Origin>, u64),
    ) -> Result<Attempt> {
        if let Some(attempt) = self.resolve(client, ticket, intent, (to, Bug::BlindCopy)).await? {
            return Ok(attempt);
        }
        let Some(name) = self.disk().name_of(to) else {
            return Ok(Attempt::Over(Fate::Parked("there is no such mailbox".to_owned())));
        };
        let uid = match self.open(client, intent.row, place).await? {
            Ok(uid) => uid,
            Err(attempt) => return Ok(attempt),
        };
        if client.fetch(&uid.to_string(), "UID FLAGS", "").await?.is_empty() {
            return self.unseen(ticket, Fate::Superseded);
        }
        if self.begin(client, ticket, &name).await?.is_none() {
            return Ok(Attempt::Refused("the mailbox is not there".to_owned()));
        }
        let reply = client.run(&format!("UID COPY {uid} {}", quoted(&name))).await?;
        if reply.status != Status::Ok {
            return self.not_begun(ticket, reply.status, reply.text);
        }
        let copy = code(&reply, "COPYUID");
        if copy.is_none() && client.has("UIDPLUS") {
            return Ok(Attempt::Over(Fate::Superseded));
        }
        self.landed(client, ticket, intent, (to, copy)).await
    }

    async fn relocate(
        &mut self,
        client: &mut Client,
        ticket: Ticket,
        intent: &Intent,
        (from, to): (Origin, u64),
    ) -> Result<Attempt> {
        if client.has("MOVE") {
            return self.move_at_once(client, ticket, intent, (from, to)).await;
        }
        if !intent.copied {
            match self.copy(client, ticket, intent, (Some(from), to)).await? {
                Attempt::Over(Fate::Applied) => {}
                Attempt::Refused(_) if self.has(Bug::MoveWithoutProof) => {}
                other => return Ok(other),
            }
        }
        let uid = match self.open(client, intent.row, Some(from)).await? {
            Ok(uid) => uid,
            // The copy is there; the original is somebody else's affair now.
            Err(Attempt::Over(_)) => return Ok(Attempt::Over(Fate::Applied)),
            Err(attempt) => return Ok(attempt),
        };
        self.remove(client, ticket, uid).await
    }

    async fn move_at_once(
        &mut self,
        client: &mut Client,
        ticket: Ticket,
        intent: &Intent,
        (from, to): (Origin, u64),
    ) -> Result<Attempt> {
        let Some(name) = self.disk().name_of(to) else {
            return Ok(Attempt::Over(Fate::Parked("there is no such mailbox".to_owned())));
        };
        let uid = match self.open(client, intent.row, Some(from)).await? {
            Ok(uid) => uid,
            Err(attempt) => return Ok(attempt),
        };
        if client.fetch(&uid.to_string(), "UID FLAGS", "").await?.is_empty() {
            let Some(before) = intent.begun else { return self.unseen(ticket, Fate::Superseded) };
            if let Attempt::Wait = self.unseen(ticket, Fate::Applied)? {
                return Ok(Attempt::Wait);
            }
            return match self.find(client, to, intent.row, before).await? {
                Found::There(uid) => self.landed(client, ticket, intent, (to, Some(uid))).await,
                _ => self.landed(client, ticket, intent, (to, None)).await,
            };
        }
        if self.begin(client, ticket, &name).await?.is_none() {
            return Ok(Attempt::Refused("the mailbox is not there".to_owned()));
        }
        let reply = client.run(&format!("UID MOVE {uid} {}", quoted(&name))).await?;
        if reply.status != Status::Ok {
            return self.not_begun(ticket, reply.status, reply.text);
        }
        match code(&reply, "COPYUID") {
            None if client.has("UIDPLUS") => Ok(Attempt::Over(Fate::Superseded)),
            copy => self.landed(client, ticket, intent, (to, copy)).await,
        }
    }
}

/// What the end of a change means here.
fn end(disk: &mut Disk, ticket: Ticket, fate: &Fate) {
    let Some(intent) = disk.intents.get_mut(&ticket) else { return };
    intent.fate = fate.clone();
    let intent = intent.clone();
    let id = intent.row;
    match (&intent.kind, fate) {
        (Kind::Delete, Fate::Parked(_)) => disk.rows.get_mut(&id).into_iter().for_each(|row| row.hidden = false),
        (Kind::Delete, _) => drop(disk.rows.remove(&id)),
        (Kind::Copy { .. }, Fate::Parked(_) | Fate::Superseded) => drop(disk.rows.remove(&id)),
        (Kind::Move { .. }, Fate::Superseded) if !intent.copied => drop(disk.rows.remove(&id)),
        (Kind::Move { from, .. }, Fate::Parked(_)) if !intent.copied => revert(disk, id, *from),
        (Kind::Create { name }, Fate::Applied) => {
            disk.mailboxes.iter_mut().filter(|m| m.name == *name).for_each(|m| m.remote = true);
        }
        _ => {}
    }
}

fn revert(disk: &mut Disk, id: LocalId, from: Origin) {
    let there = disk.name_of(from.mailbox).is_some();
    let twin = disk.rows.values().any(|row| row.mailbox == from.mailbox && row.uid == from.uid);
    match disk.rows.get_mut(&id) {
        Some(row) if there && !twin => (row.mailbox, row.uid) = (from.mailbox, from.uid),
        Some(_) => drop(disk.rows.remove(&id)),
        None => {}
    }
}
