//! SELECT, EXAMINE and CLOSE (RFC 9051 section 6.3.2, RFC 7162, RFC 8474).

use super::command::{Qresync, Select};
use super::expunge::expunge_deleted;
use super::list::{delimiter, quoted};
use super::reply::{Handled, Refusal, Reply, mailbox, untagged};
use super::selected::{Edge, Selected};
use super::session::Session;
use super::view::View;
use crate::error::{Code, MailError, Result};
use crate::imap::UidSet;
use crate::store::{Flags, MailboxRow, MailboxState, PlacementRow, Reader};

/// What a mailbox is like when it is opened, all of one moment.
struct Opened {
    row: MailboxRow,
    edge: Edge,
    view: View,
    unseen: Option<u32>,
    keywords: Flags,
    /// What separates levels, as LIST says it; where it is told.
    delimiter: Option<char>,
    resync: Option<Resync>,
}

/// What a client has missed (RFC 7162 section 3.2.5).
struct Resync {
    vanished: UidSet,
    changed: Vec<PlacementRow>,
}

impl Session {
    pub(super) async fn select(&mut self, select: Select) -> Handled {
        if select.qresync.is_some() && !self.enabled.qresync {
            return Err(Refusal::bad("ENABLE QRESYNC first"));
        }
        self.enabled.condstore |= select.condstore;
        let mut out = Vec::new();
        if self.selected.take().is_some() {
            untagged!(out, "OK [CLOSED] The mailbox before is closed");
        }
        let (name, qresync, rev2) = (select.name.clone(), select.qresync.clone(), self.enabled.rev2);
        // The mailbox before is closed also where this one cannot be opened (RFC 9051 section 6.3.2).
        let opened = self.read(move |reader| open(reader, &name, (qresync, rev2))).await?;
        let mut selected = Selected::new(opened.row.id, select.read_only, opened.view.clone(), opened.edge);
        selected.knows_keywords(&opened.keywords);
        self.describe(&mut out, &opened, &selected);
        self.selected = Some(selected);
        let code = if select.read_only { "READ-ONLY" } else { "READ-WRITE" };
        Ok(Reply::with("The mailbox is open", out).code(code))
    }

    fn describe(&self, out: &mut Vec<u8>, opened: &Opened, selected: &Selected) {
        let Opened { row, edge, view, unseen, resync, .. } = opened;
        untagged!(out, "{} EXISTS", view.len());
        if !self.enabled.rev2 {
            untagged!(out, "0 RECENT");
        }
        selected.flags(out);
        if let Some(seq) = unseen.and_then(|uid| view.seq(uid)).filter(|_| !self.enabled.rev2) {
            untagged!(out, "OK [UNSEEN {seq}] The first one that was not seen");
        }
        untagged!(out, "OK [UIDVALIDITY {}] UIDs are valid", row.uid_validity);
        untagged!(out, "OK [UIDNEXT {}] The next UID", edge.uid_next);
        untagged!(out, "OK [HIGHESTMODSEQ {}] The latest change", edge.mod_seq);
        untagged!(out, "OK [MAILBOXID ({})] For ever", row.object_id());
        if let Some(delimiter) = opened.delimiter {
            let mut name = Vec::new();
            mailbox(&mut name, &row.name, self.utf8());
            out.extend_from_slice(format!("* LIST () {} ", quoted(delimiter)).as_bytes());
            out.extend_from_slice(&name);
            out.extend_from_slice(b"\r\n");
        }
        let Some(resync) = resync else { return };
        if !resync.vanished.is_empty() {
            untagged!(out, "VANISHED (EARLIER) {}", resync.vanished);
        }
        for row in &resync.changed {
            if let Some(seq) = view.seq(row.uid) {
                let PlacementRow { uid, flags, mod_seq, .. } = row;
                untagged!(out, "{seq} FETCH (UID {uid} FLAGS ({flags}) MODSEQ ({mod_seq}))");
            }
        }
    }

    /// CLOSE removes what is marked as deleted without a word, where the mailbox may be changed.
    pub(super) async fn close(&mut self) -> Handled {
        let selected = self.mailbox()?;
        let (id, view, read_only) = (selected.mailbox, selected.view.clone(), selected.read_only);
        let mut reply = Reply::ok("The mailbox is closed");
        if !read_only {
            let (gone, mod_seq) = self.write(move |writer| expunge_deleted(writer, id, view.uids())).await?;
            if self.enabled.qresync && !gone.is_empty() {
                reply = reply.code(format!("HIGHESTMODSEQ {mod_seq}"));
            }
        }
        self.selected = None;
        Ok(reply)
    }
}

/// A mailbox that can be opened.
pub(super) fn usable(reader: &dyn Reader, name: &str) -> Result<MailboxRow> {
    let missing = || MailError::new(Code::MailboxMissing, "There is no such mailbox");
    let row = reader.mailbox_named(name)?.ok_or_else(missing)?;
    let is_container =
        |attribute: &String| ["\\Noselect", "\\NonExistent"].iter().any(|word| attribute.eq_ignore_ascii_case(word));
    if row.attributes.iter().any(is_container) {
        return Err(MailError::new(Code::UsageArgument, "This name is no mailbox, only others stand below it"));
    }
    // UIDs must be known before they are told (decision 6 of the architecture).
    if matches!(row.state, MailboxState::Fresh | MailboxState::Reserved) {
        return Err(MailError::new(Code::BodyNotHere, "The mailbox is still being fetched"));
    }
    Ok(row)
}

fn open(reader: &dyn Reader, name: &str, (qresync, rev2): (Option<Qresync>, bool)) -> Result<Opened> {
    let row = usable(reader, name)?;
    let edge = Edge::of(reader, &row)?;
    let sets = reader.flag_sets(row.id)?;
    let (view, unseen) = (View::new(edge.cut(sets.all())), sets.first_unseen());
    let resync = qresync.filter(|known| known.uid_validity == row.uid_validity && known.mod_seq > 0);
    let resync = resync.map(|known| missed(reader, (&row, &view), &known)).transpose()?;
    let keywords = reader.keywords(row.id)?;
    let delimiter = rev2.then(|| reader.mailboxes().map(|rows| delimiter(&rows))).transpose()?;
    Ok(Opened { row, edge, view, unseen, keywords, delimiter, resync })
}

fn missed(reader: &dyn Reader, (row, view): (&MailboxRow, &View), known: &Qresync) -> Result<Resync> {
    let vanished = vanished(reader, row, view.uids(), known.mod_seq)?;
    let asked = known.known.as_ref().map(|known| known.resolve(row.uid_next.max(2) - 1, &UidSet::new()));
    let mut changed = reader.changed_since(row.id, known.mod_seq)?;
    changed.retain(|row| asked.as_ref().is_none_or(|asked| asked.contains(row.uid)));
    changed.sort_by_key(|row| row.uid);
    Ok(Resync { vanished: asked.map_or(vanished.clone(), |asked| vanished.intersection(&asked)), changed })
}

/// The UIDs that are gone since a MODSEQ. Where the tombstones no longer reach so far, all that are not there.
pub(super) fn vanished(reader: &dyn Reader, row: &MailboxRow, there: &UidSet, mod_seq: u64) -> Result<UidSet> {
    if row.tombstones_from <= mod_seq {
        return Ok(reader.tombstones(row.id, mod_seq)?.iter().map(|tombstone| tombstone.uid).collect());
    }
    let given = UidSet::range(1, row.uid_next.max(2) - 1);
    let given = if row.uid_next > 1 { given } else { UidSet::new() };
    // What is only reserved is not gone.
    let placed: UidSet = reader.placements(row.id, &given.difference(there))?.iter().map(|row| row.uid).collect();
    Ok(given.difference(there).difference(&placed))
}
