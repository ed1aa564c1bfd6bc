//! STORE (RFC 9051 section 6.4.6, RFC 7162 section 3.1.3).

use super::command::{Store, StoreHow};
use super::now;
use super::reply::{Handled, News, Reply, untagged};
use super::session::Session;
use crate::error::Result;
use crate::imap::UidSet;
use crate::store::change::{self, FlagDelta};
use crate::store::{MailboxId, PlacementRow, Writer};

/// What has become of the messages of one STORE.
struct Stored {
    /// As they are now, those that were asked for and not left out.
    rows: Vec<PlacementRow>,
    /// Those that had changed since.
    modified: UidSet,
    changed: UidSet,
}

impl Session {
    pub(super) async fn store_flags(&mut self, store: Store) -> Handled {
        let selected = self.writable()?;
        let (mailbox, uids) = (selected.mailbox, selected.uids(&store.set, store.uid)?);
        self.enabled.condstore |= store.unchanged_since.is_some();
        let asked = store.clone();
        let Stored { rows, modified, changed } =
            self.write(move |writer| apply(writer, mailbox, &uids, &asked)).await?;
        let mut reply = self.stored(&store, &rows, &changed);
        if let Some(selected) = self.selected.as_ref().filter(|_| !modified.is_empty()) {
            reply = reply.code(format!("MODIFIED {}", selected.numbers(&modified, store.uid)));
        }
        Ok(reply)
    }

    /// Says the flags of all, or nothing of what the client knows.
    fn stored(&mut self, store: &Store, rows: &[PlacementRow], changed: &UidSet) -> Reply {
        let (condstore, mut out) = (self.enabled.condstore, Vec::new());
        let is_named = store.uid || self.enabled.qresync;
        let Some(selected) = self.selected.as_mut() else { return Reply::default() };
        selected.name_keywords(&mut out, rows.iter().map(|row| &row.flags));
        for row in rows {
            selected.knows(row);
            let Some(seq) = selected.view.seq(row.uid) else { continue };
            let mut items = Vec::new();
            items.extend(is_named.then(|| format!("UID {}", row.uid)));
            items.extend((!store.silent).then(|| format!("FLAGS ({})", row.flags)));
            let has_changed = !store.silent || changed.contains(row.uid);
            items.extend((condstore && has_changed).then(|| format!("MODSEQ ({})", row.mod_seq)));
            if !store.silent || condstore && has_changed {
                untagged!(out, "{seq} FETCH ({})", items.join(" "));
            }
        }
        let news = if store.uid { News::All } else { News::NoExpunge };
        Reply::with("The flags are set", out).news(news)
    }
}

/// In one transaction: nobody sees half of it, and no change of others is lost.
fn apply(writer: &mut dyn Writer, mailbox: MailboxId, uids: &UidSet, store: &Store) -> Result<Stored> {
    let before = writer.placements(mailbox, uids)?;
    let is_newer = |row: &&PlacementRow| store.unchanged_since.is_some_and(|mod_seq| row.mod_seq > mod_seq);
    let modified: UidSet = before.iter().filter(is_newer).map(|row| row.uid).collect();
    let uids = uids.difference(&modified);
    let flags = store.flags.clone();
    let delta = match store.how {
        StoreHow::Add => FlagDelta { add: flags, ..FlagDelta::default() },
        StoreHow::Remove => FlagDelta { remove: flags, ..FlagDelta::default() },
        StoreHow::Replace => FlagDelta::replacing(writer, mailbox, &uids, flags)?,
    };
    let changed = change::flag(writer, mailbox, &uids, &delta, now())?;
    let mut rows = writer.placements(mailbox, &uids)?;
    rows.retain(|row| row.message.is_some());
    Ok(Stored { rows, modified, changed })
}
