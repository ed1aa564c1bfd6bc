//! FETCH (RFC 9051 section 6.4.5): rows read from the store a window at a time, bodies as streams.

mod decoded;
mod large;
mod message;
mod run;
mod section;
mod stream;

pub(super) use large::Large;
pub(super) use run::{FetchRun, Step};

use super::command::{Fetch, FetchItem, SectionItem, SectionKind};
use super::now;
use super::reply::{Handled, News, Refusal, Reply, untagged};
use super::select::vanished;
use super::selected::Selected;
use super::session::Session;
use crate::error::Result;
use crate::imap::{Flag, UidSet};
use crate::store::change::{self, FlagDelta};
use crate::store::{Flags, MailboxId, PlacementRow, Reader, Writer};
use run::Plan;
use std::sync::Arc;

impl Session {
    /// What is to be written; the rows come of [`FetchRun::next`].
    pub(super) async fn fetch(&mut self, fetch: Fetch) -> Result<Box<FetchRun>, Refusal> {
        if fetch.vanished && !self.enabled.qresync {
            return Err(Refusal::bad("ENABLE QRESYNC first"));
        }
        let asks_mod_seq = fetch.changed_since.is_some() || fetch.items.contains(&FetchItem::ModSeq);
        self.enabled.condstore |= asks_mod_seq;
        let selected = self.mailbox()?;
        let (mailbox, view) = (selected.mailbox, selected.view.clone());
        let mut uids = selected.uids(&fetch.set, fetch.uid)?;
        let (read_only, known) = (selected.read_only, view.clone());
        let mut head = Vec::new();
        if let Some(mod_seq) = fetch.changed_since {
            let asked = fetch.set.resolve(view.last_uid(), &selected.saved);
            let (there, asks_vanished) = (uids, fetch.vanished);
            let since = move |reader: &dyn Reader| {
                let gone = if asks_vanished { gone(reader, mailbox, known.uids(), mod_seq)? } else { UidSet::new() };
                let changed = reader.changed_since(mailbox, mod_seq)?;
                let changed: UidSet = changed.iter().map(|row| row.uid).collect();
                Ok((there.intersection(&changed), gone.intersection(&asked)))
            };
            let (changed, gone) = self.read(since).await?;
            uids = changed;
            if !gone.is_empty() {
                untagged!(head, "VANISHED (EARLIER) {gone}");
            }
        }
        let seen =
            if marks_seen(&fetch.items) && !read_only { self.mark_seen(mailbox, &uids).await? } else { UidSet::new() };
        let plan = Plan {
            mailbox,
            view,
            items: items(&fetch, self.enabled.qresync),
            with_mod_seq: fetch.changed_since.is_some(),
            seen,
            is_uid: fetch.uid,
            utf8: self.utf8(),
            condstore: self.enabled.condstore,
            lately: Arc::clone(self.lately()),
        };
        Ok(Box::new(FetchRun::new(plan, uids, head)))
    }

    /// How a FETCH ends whose rows were all written.
    pub(super) fn fetched(&self, run: &FetchRun) -> Handled {
        if run.not_here() > 0 {
            return Err(Refusal::no("UNAVAILABLE", "The body of some messages is not held here for now"));
        }
        if run.unknown_encoding() {
            return Err(Refusal::no("UNKNOWN-CTE", "A transfer encoding is not known"));
        }
        let is_missing = run.is_missing() || self.selected.as_ref().is_some_and(Selected::has_gone);
        let reply = Reply::ok("That is all").news(if run.is_uid() { News::All } else { News::NoExpunge });
        Ok(if is_missing && !run.is_uid() { reply.code("EXPUNGEISSUED") } else { reply })
    }

    /// Sets `\Seen` before the rows are read, so that they say it; which had not had it.
    async fn mark_seen(&mut self, mailbox: MailboxId, uids: &UidSet) -> Result<UidSet, Refusal> {
        let asked = uids.clone();
        let unseen = move |reader: &dyn Reader| {
            let rows = reader.placements(mailbox, &asked)?;
            let unseen = rows.iter().filter(|row| row.message.is_some() && !row.flags.contains(&Flag::SEEN));
            Ok(unseen.map(|row| row.uid).collect::<UidSet>())
        };
        let unseen = self.read(unseen).await?;
        if unseen.is_empty() {
            return Ok(unseen);
        }
        let mark = move |writer: &mut dyn Writer| {
            let delta = FlagDelta { add: [Flag::SEEN].into_iter().collect::<Flags>(), ..FlagDelta::default() };
            let changed = change::flag(writer, mailbox, &unseen, &delta, now())?;
            writer.placements(mailbox, &changed)
        };
        let rows: Vec<PlacementRow> = self.write(mark).await?;
        if let Some(selected) = &mut self.selected {
            rows.iter().for_each(|row| selected.knows(row));
        }
        Ok(rows.iter().map(|row| row.uid).collect())
    }
}

fn gone(reader: &dyn Reader, mailbox: MailboxId, there: &UidSet, mod_seq: u64) -> Result<UidSet> {
    match reader.mailbox(mailbox)? {
        Some(row) => vanished(reader, &row, there, mod_seq),
        None => Ok(UidSet::new()),
    }
}

/// In the order asked for, each once; with UID where the command or QRESYNC wants it (RFC 7162 section 3.2.3).
fn items(fetch: &Fetch, qresync: bool) -> Vec<FetchItem> {
    let mut items = Vec::new();
    if fetch.uid || qresync {
        items.push(FetchItem::Uid);
    }
    for item in &fetch.items {
        if !items.contains(item) {
            items.push(item.clone());
        }
    }
    items
}

fn marks_seen(items: &[FetchItem]) -> bool {
    items.iter().any(|item| matches!(item, FetchItem::Section(SectionItem { peek: false, kind, .. }) if *kind != SectionKind::BinarySize))
}
