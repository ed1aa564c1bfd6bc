//! Which messages of a mailbox have which flags, remembered by MODSEQ: only what has changed since is read.

use super::tx::Tx;
use super::{lock, placements};
use crate::error::Result;
use crate::imap::UidSet;
use crate::store::{FlagSets, MailboxId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Mailboxes of which sets are remembered.
const MOST: usize = 64;
/// More changes than these are not followed: reading all is as quick.
const FOLLOWED: u64 = 1000;

/// Sets by the MODSEQ at which they were true, of snapshots that were committed.
#[derive(Default)]
pub(super) struct Sets(Mutex<HashMap<MailboxId, (u64, Arc<FlagSets>)>>);

impl Sets {
    fn of(&self, mailbox: MailboxId) -> Option<(u64, Arc<FlagSets>)> {
        lock(&self.0).get(&mailbox).cloned()
    }

    fn keep(&self, mailbox: MailboxId, mod_seq: u64, sets: &Arc<FlagSets>) {
        let mut all = lock(&self.0);
        if let Some((known, _)) = all.get(&mailbox)
            && *known > mod_seq
        {
            return;
        }
        if all.len() >= MOST && !all.contains_key(&mailbox) {
            // Whichever: a store with so many mailboxes in use is asked for each of them again and again.
            let other = all.keys().next().copied();
            other.map(|other| all.remove(&other));
        }
        all.insert(mailbox, (mod_seq, Arc::clone(sets)));
    }
}

pub(super) fn all(tx: &Tx<'_>, mailbox: MailboxId) -> Result<Arc<FlagSets>> {
    if let Some(sets) = at_hand(tx, mailbox)? {
        return Ok(sets);
    }
    let sql = "SELECT uid, bits FROM placements WHERE mailbox = ?1 AND message IS NOT NULL ORDER BY uid";
    let sets = Arc::new(collect(tx, sql, [mailbox.0])?);
    if let Some((mod_seq, _)) = marks(tx, mailbox)?.filter(|_| tx.is_snapshot()) {
        tx.store.sets.keep(mailbox, mod_seq, &sets);
    }
    Ok(sets)
}

/// What is remembered, and what has changed since; `None` where that does not do. What is only reserved has no MODSEQ of
/// its own, and is not in it.
pub(super) fn at_hand(tx: &Tx<'_>, mailbox: MailboxId) -> Result<Option<Arc<FlagSets>>> {
    let (Some((mod_seq, tombstones_from)), Some((known, sets))) = (marks(tx, mailbox)?, tx.store.sets.of(mailbox))
    else {
        return Ok(None);
    };
    if known == mod_seq && tx.is_snapshot() {
        return Ok(Some(sets));
    }
    // A transaction that is not committed may give MODSEQs that another one gives as well.
    if !tx.is_snapshot() || known > mod_seq || mod_seq - known > FOLLOWED || tombstones_from > known {
        return Ok(None);
    }
    let sql = "SELECT uid, bits FROM placements WHERE mailbox = ?1 AND mod_seq > ?2 AND message IS NOT NULL";
    let now = collect(tx, sql, (mailbox.0, known))?;
    let gone: UidSet = placements::tombstones(tx, mailbox, known)?.iter().map(|tombstone| tombstone.uid).collect();
    let mut sets = Arc::unwrap_or_clone(sets);
    sets.follow(&now, &gone);
    let sets = Arc::new(sets);
    tx.store.sets.keep(mailbox, mod_seq, &sets);
    Ok(Some(sets))
}

fn collect(tx: &Tx<'_>, sql: &str, params: impl rusqlite::Params) -> Result<FlagSets> {
    let mut sets = FlagSets::default();
    tx.each(sql, params, |row| {
        sets.add(row.get(0)?, row.get(1)?);
        Ok(())
    })?;
    Ok(sets)
}

/// The MODSEQ of a mailbox, and from which one on tombstones are there.
fn marks(tx: &Tx<'_>, mailbox: MailboxId) -> Result<Option<(u64, u64)>> {
    let sql = "SELECT mod_seq, tombstones_from FROM mailboxes WHERE id = ?1";
    tx.one(sql, [mailbox.0], |row| Ok((row.get(0)?, row.get(1)?)))
}
