//! Learns what the server has: mailboxes, then messages and flags, then bodies.

use super::bug::Bug;
use super::client::{Client, Fetched, Selected, Status, text};
use super::disk::{Disk, Kind, Mailbox, Row};
use super::land::alike;
use super::{Installation, Result};
use crate::device::Fate;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Seconds between two passes that look at everything.
const AUDIT: i64 = 24 * 3600;

impl Installation {
    /// Compares the mailboxes. One that two lists do not show is gone.
    pub async fn list(&mut self, client: &mut Client) -> Result<()> {
        let reply = client.run("LIST \"\" \"*\"").await?;
        let names: BTreeSet<String> = reply.untagged.iter().filter_map(|line| listed(&text(line))).collect();
        let trusts = self.has(Bug::ListTrusted);
        // INBOX is always there: a list without it is none.
        let whole = (reply.status == Status::Ok && names.contains("INBOX")) || trusts;
        let known: BTreeSet<String> = self.disk().mailboxes.iter().map(|m| m.name.clone()).collect();
        let new: Vec<String> = names.difference(&known).cloned().collect();
        for name in new {
            let absent = self.disk().mailboxes.iter().any(|m| m.remote && !names.contains(&m.name));
            let renamed = if absent { self.renamed(client, &name, &names).await? } else { None };
            self.write(|disk| match renamed.and_then(|id| disk.mailbox(id)) {
                Some(mailbox) => name.clone_into(&mut mailbox.name),
                None => {
                    let id = disk.add_mailbox(&name);
                    disk.mailbox(id).into_iter().for_each(|m| m.remote = true);
                }
            })?;
        }
        if whole {
            self.write(|disk| absent(disk, &names, if trusts { 1 } else { 2 }))?;
        }
        Ok(())
    }

    /// The mailbox that had another name before: it has the same UIDVALIDITY.
    async fn renamed(&mut self, client: &mut Client, name: &str, names: &BTreeSet<String>) -> Result<Option<u64>> {
        let Some(before) = self.before(client, name).await? else { return Ok(None) };
        let mut absent = self.disk().mailboxes.iter().filter(|m| m.remote && !names.contains(&m.name));
        Ok(absent.find(|m| m.uid_validity == Some(before.uid_validity)).map(|m| m.id))
    }

    /// Brings every mailbox up to date; whether all came.
    pub async fn pull(&mut self, client: &mut Client) -> Result<bool> {
        let due = self.disk().audited.is_none_or(|at| (self.now() - at).abs() >= AUDIT) && !self.has(Bug::NoAudit);
        let mailboxes: Vec<Mailbox> = self.disk().mailboxes.iter().filter(|m| m.remote).cloned().collect();
        let mut whole = true;
        for mailbox in mailboxes.iter().filter(|m| m.absent == 0) {
            let lands = |kind: &Kind| match kind {
                Kind::Move { to, .. } | Kind::Copy { to, .. } | Kind::Append { to } => *to == mailbox.id,
                _ => false,
            };
            // A message on its way there would be taken for somebody else's.
            if self.disk().pending().any(|(_, i)| i.begun.is_some() && lands(&i.kind)) {
                whole = false;
                continue;
            }
            whole &= self.pull_one(client, mailbox, due).await?;
        }
        if due && whole {
            let now = self.now();
            self.write(|disk| disk.audited = Some(now))?;
        }
        Ok(self.bodies(client).await? && whole)
    }

    async fn pull_one(&mut self, client: &mut Client, mailbox: &Mailbox, audit: bool) -> Result<bool> {
        let since = mailbox.uid_validity.filter(|_| mailbox.modseq > 0 && !audit).map(|v| (v, mailbox.modseq));
        let quick = since.filter(|_| client.has("QRESYNC"));
        let Some(selected) = client.select(&mailbox.name, quick).await? else { return Ok(false) };
        if self.has(Bug::CursorEarly) {
            self.write(|disk| cursor(disk, mailbox.id, &selected))?;
        }
        let same = mailbox.uid_validity == Some(selected.uid_validity) || self.has(Bug::ValidityIgnored);
        let usable = same && selected.modseq >= mailbox.modseq && mailbox.modseq > 0 && !audit;
        if usable && client.has("QRESYNC") {
            if self.quick(client, mailbox, &selected).await? {
                return Ok(true);
            }
        } else if usable && client.has("CONDSTORE") {
            return self.middle(client, mailbox, &selected).await;
        }
        self.full(client, mailbox, &selected, same).await
    }

    /// QRESYNC: what has vanished and changed. False where the numbers do not agree.
    async fn quick(&mut self, client: &mut Client, mailbox: &Mailbox, selected: &Selected) -> Result<bool> {
        let ours = self.uids_of(mailbox.id);
        let gone: BTreeSet<u32> = ours.iter().copied().filter(|uid| vanished(selected, *uid)).collect();
        let new: BTreeSet<u32> = selected.changed.iter().map(|r| r.uid).filter(|uid| !ours.contains(uid)).collect();
        let skipped = self.elsewhere(mailbox.id);
        let expected = ours.len() - gone.len() + new.len() + skipped.difference(&new).count();
        // A mailbox that is empty all at once is looked at twice.
        let suspicious = expected != selected.exists || (selected.exists == 0 && !gone.is_empty());
        if suspicious && !self.has(Bug::VanishedTrusted) {
            return Ok(false);
        }
        let details = self.details(client, &new).await?;
        let id = mailbox.id;
        let changed = selected.changed.clone();
        let bug = self.bug;
        self.write(|disk| {
            disk.rows
                .retain(|_, row| row.hidden || row.mailbox != id || row.uid.is_none_or(|uid| !gone.contains(&uid)));
            add(disk, id, &details, &skipped, bug);
            flags(disk, id, &changed, bug);
            cursor(disk, id, selected);
        })?;
        Ok(true)
    }

    /// CONDSTORE: flags that have changed, and a list of all UIDs.
    async fn middle(&mut self, client: &mut Client, mailbox: &Mailbox, selected: &Selected) -> Result<bool> {
        let changed = client.fetch("1:*", "UID FLAGS", &format!(" (CHANGEDSINCE {})", mailbox.modseq)).await?;
        let list = client.uids().await?;
        if list.len() < selected.exists {
            return Ok(false);
        }
        self.apply(client, mailbox.id, (list, changed), selected).await
    }

    /// Everything.
    async fn full(&mut self, client: &mut Client, mailbox: &Mailbox, selected: &Selected, same: bool) -> Result<bool> {
        let rows = client.fetch("1:*", "UID FLAGS", "").await?;
        let list: BTreeSet<u32> = rows.iter().map(|r| r.uid).collect();
        if list.len() < selected.exists {
            return Ok(false);
        }
        if !same && mailbox.uid_validity.is_some() {
            let details = self.details(client, &list).await?;
            if details.len() < list.len() {
                return Ok(false);
            }
            let (id, bug) = (mailbox.id, self.bug);
            self.write(|disk| relink(disk, id, &details, bug))?;
        }
        self.apply(client, mailbox.id, (list, rows), selected).await
    }

    /// A whole list of UIDs, and rows with flags.
    async fn apply(
        &mut self,
        client: &mut Client,
        id: u64,
        (list, rows): (BTreeSet<u32>, Vec<Fetched>),
        selected: &Selected,
    ) -> Result<bool> {
        let (ours, skipped) = (self.uids_of(id), self.elsewhere(id));
        let new: BTreeSet<u32> = list.difference(&ours).copied().collect();
        let details = self.details(client, &new).await?;
        let (at_once, bug) = (self.has(Bug::OneListDeletes), self.bug);
        let waiting = self.write(|disk| {
            let waiting = missing(disk, id, &list, at_once);
            add(disk, id, &details, &skipped, bug);
            flags(disk, id, &rows, bug);
            cursor(disk, id, selected);
            waiting
        })?;
        Ok(!waiting && details.len() == new.len())
    }

    fn uids_of(&self, id: u64) -> BTreeSet<u32> {
        self.disk().rows.values().filter(|row| row.mailbox == id).filter_map(|row| row.uid).collect()
    }

    /// UIDs of a mailbox that are shown elsewhere already: a move has taken them away here.
    fn elsewhere(&self, id: u64) -> BTreeSet<u32> {
        let from = |kind: &Kind| if let Kind::Move { from, .. } = kind { Some(*from) } else { None };
        let origins = self.disk().pending().filter_map(|(_, intent)| from(&intent.kind));
        let validity = self.disk().validity_of(id);
        origins.filter(|from| from.mailbox == id && from.uid_validity == validity).filter_map(|from| from.uid).collect()
    }

    async fn details(&mut self, client: &mut Client, uids: &BTreeSet<u32>) -> Result<Vec<Fetched>> {
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        let set: Vec<String> = uids.iter().map(u32::to_string).collect();
        let mut rows: BTreeMap<u32, Fetched> = BTreeMap::new();
        for piece in set.chunks(50) {
            let fetched = client.fetch(&piece.join(","), "UID FLAGS RFC822.SIZE INTERNALDATE ENVELOPE", "").await?;
            rows.extend(fetched.into_iter().filter(|r| uids.contains(&r.uid) && r.size > 0).map(|r| (r.uid, r)));
        }
        Ok(rows.into_values().collect())
    }

    /// Fetches bodies that are missing; whether all came.
    async fn bodies(&mut self, client: &mut Client) -> Result<bool> {
        let wanted: Vec<(u64, u64, u32)> = self
            .disk()
            .rows
            .iter()
            .filter(|(_, row)| row.body.is_none())
            .filter_map(|(id, row)| Some((row.mailbox, *id, row.uid?)))
            .collect();
        let mut whole = true;
        for (mailbox, id, uid) in wanted {
            let Some(name) = self.disk().name_of(mailbox) else { continue };
            if client.selected.as_ref().is_none_or(|s| s.name != name) && client.select(&name, None).await?.is_none() {
                return Ok(false);
            }
            let validity = self.disk().mailboxes.iter().find(|m| m.id == mailbox).and_then(|m| m.uid_validity);
            if client.selected.as_ref().is_none_or(|s| Some(s.uid_validity) != validity) && !self.restless(mailbox) {
                return Ok(false);
            }
            let rows = client.fetch(&uid.to_string(), "UID BODY.PEEK[]", "").await?;
            let body = rows.into_iter().find(|r| r.uid == uid).and_then(|r| r.body);
            let trusts = self.has(Bug::BodyUnchecked);
            let fits = |row: &Row, body: &Vec<u8>| trusts || fits(row, body);
            let body = body.filter(|body| self.disk().rows.get(&id).is_some_and(|row| fits(row, body)));
            whole &= body.is_some();
            let Some(body) = body.map(Arc::new) else { continue };
            self.write(|disk| disk.rows.get_mut(&id).into_iter().for_each(|row| row.body = Some(Arc::clone(&body))))?;
        }
        Ok(whole)
    }

    /// Whether the UIDVALIDITY of a mailbox is another one each time; bodies are compared with their envelope anyway.
    fn restless(&self, _: u64) -> bool {
        true
    }
}

/// The name of a mailbox that can be opened.
fn listed(line: &str) -> Option<String> {
    let rest = line.strip_prefix("* LIST (")?;
    let (attributes, rest) = rest.split_once(')')?;
    if attributes.contains("\\Noselect") || attributes.contains("\\NonExistent") {
        return None;
    }
    let name = rest.trim_start().split_once(' ')?.1.trim_end();
    Some(name.strip_prefix('"').and_then(|n| n.strip_suffix('"')).unwrap_or(name).to_owned())
}

/// Counts the lists that do not show a mailbox, and takes it away when there are enough.
fn absent(disk: &mut Disk, names: &BTreeSet<String>, enough: u8) {
    for mailbox in &mut disk.mailboxes {
        mailbox.remote |= names.contains(&mailbox.name);
        mailbox.absent = if names.contains(&mailbox.name) { 0 } else { mailbox.absent + u8::from(mailbox.remote) };
    }
    let gone: BTreeSet<u64> = disk.mailboxes.iter().filter(|m| m.absent >= enough).map(|m| m.id).collect();
    disk.rows.retain(|_, row| row.uid.is_none() || !gone.contains(&row.mailbox));
    let left: BTreeSet<u64> = disk.rows.values().map(|row| row.mailbox).collect();
    disk.mailboxes.retain(|m| !gone.contains(&m.id) || left.contains(&m.id));
    disk.mailboxes.iter_mut().filter(|m| gone.contains(&m.id)).for_each(|m| m.remote = false);
}

fn vanished(selected: &Selected, uid: u32) -> bool {
    let Some(set) = &selected.vanished else { return false };
    set.split(',').any(|range| {
        let (first, last) = range.split_once(':').unwrap_or((range, range));
        let number = |text: &str| text.parse().unwrap_or(u32::MAX);
        (number(first)..=number(last)).contains(&uid)
    })
}

fn cursor(disk: &mut Disk, id: u64, selected: &Selected) {
    if let Some(mailbox) = disk.mailbox(id) {
        (mailbox.uid_validity, mailbox.modseq) = (Some(selected.uid_validity), selected.modseq);
    }
}

/// Adds rows that are new.
fn add(disk: &mut Disk, id: u64, details: &[Fetched], skipped: &BTreeSet<u32>, bug: Option<Bug>) {
    let loose = bug == Some(Bug::MessageIdIsIdentity);
    for row in details.iter().filter(|row| !skipped.contains(&row.uid)) {
        let known = disk.rows.values().any(|r| r.mailbox == id && r.uid == Some(row.uid));
        if known {
            continue;
        }
        let orphan =
            disk.rows.iter().find(|(_, r)| r.mailbox == id && r.uid.is_none() && r.missing && alike(r, row, loose));
        if let Some(orphan) = orphan.map(|(id, _)| *id).and_then(|id| disk.rows.get_mut(&id)) {
            (orphan.uid, orphan.missing) = (Some(row.uid), false);
            continue;
        }
        disk.add(Row {
            mailbox: id,
            uid: Some(row.uid),
            flags: row.flags.clone().unwrap_or_default(),
            size: row.size,
            date: row.date.clone(),
            envelope: row.envelope.clone(),
            ..Row::default()
        });
    }
}

/// Takes over flags, with what is still to be sent.
fn flags(disk: &mut Disk, id: u64, rows: &[Fetched], bug: Option<Bug>) {
    for row in rows {
        let Some(remote) = &row.flags else { continue };
        let ours = disk.rows.iter().find(|(_, r)| r.mailbox == id && r.uid == Some(row.uid)).map(|(id, _)| *id);
        let Some(ours) = ours else { continue };
        let mut merged = disk.merged(ours, remote);
        if bug == Some(Bug::FlagsForgotten) {
            merged.clone_from(remote);
            let flags = |kind: &Kind| matches!(kind, Kind::Flag { .. });
            disk.intents.values_mut().filter(|i| i.row == ours && flags(&i.kind)).for_each(|i| i.fate = Fate::Applied);
        }
        disk.rows.get_mut(&ours).into_iter().for_each(|row| row.flags.clone_from(&merged));
    }
}

/// Takes away what two lists do not show; whether one is still to be heard.
fn missing(disk: &mut Disk, id: u64, list: &BTreeSet<u32>, at_once: bool) -> bool {
    let mut waiting = false;
    disk.rows.retain(|_, row| {
        let gone = row.mailbox == id && !row.hidden && row.uid.is_some_and(|uid| !list.contains(&uid));
        let orphan = row.mailbox == id && row.uid.is_none() && row.missing;
        if gone && !row.missing && !at_once {
            row.missing = true;
            waiting = true;
            return true;
        }
        if row.mailbox == id && row.uid.is_some() && !gone {
            row.missing = false;
        }
        if row.mailbox == id {
            row.lost = if orphan { row.lost + 1 } else { 0 };
        }
        waiting |= orphan;
        !gone && row.lost < 3
    });
    waiting
}

/// UIDs mean something else now: finds each message again, and marks what is not found.
fn relink(disk: &mut Disk, id: u64, details: &[Fetched], bug: Option<Bug>) {
    let loose = bug == Some(Bug::MessageIdIsIdentity);
    let mut left: Vec<&Fetched> = details.iter().collect();
    for row in disk.rows.values_mut().filter(|row| row.mailbox == id && row.uid.is_some()) {
        let at = left
            .iter()
            .position(|theirs| alike(row, theirs, loose) && (loose || theirs.date == row.date || row.date.is_empty()));
        row.uid = at.map(|at| left.remove(at).uid);
        row.missing = row.uid.is_none();
    }
}

/// Whether a body is the one of this message.
fn fits(row: &Row, body: &[u8]) -> bool {
    let text = text(body);
    let header = |name: &str| {
        text.split_once(name).and_then(|(_, rest)| rest.split_once("\r\n")).map(|(value, _)| value.to_owned())
    };
    let envelope = String::from_utf8_lossy(&row.envelope).into_owned();
    body.len() == row.size && header("Subject: ").is_none_or(|subject| envelope.contains(&subject))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_lists() {
        assert_eq!(listed("* LIST (\\HasNoChildren) \"/\" INBOX\r\n").as_deref(), Some("INBOX"));
        assert_eq!(listed("* LIST () \"/\" \"Old mail\"\r\n").as_deref(), Some("Old mail"));
        assert_eq!(listed("* LIST (\\Noselect) \"/\" x\r\n"), None);
    }
}
