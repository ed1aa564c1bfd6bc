//! Changes of many messages, each in one transaction: rows, journal and feed.

use super::select::{Found, reference};
use super::{LocalMailbox, Mail, names, now};
use crate::bulk::{BulkResult, Done};
use crate::error::{Code, MailError, Result};
use crate::imap::{Role, UidSet};
use crate::session::{FlagChange, Selection, Target, WriteOptions};
use crate::store::change::{self, FlagDelta};
use crate::store::{Durability, Flags, MailboxId, MailboxRow, Now, Writer};

/// Changes flags.
pub(super) async fn flag(
    mailbox: &LocalMailbox,
    selection: Selection,
    change: FlagChange,
    options: WriteOptions,
) -> Result<BulkResult> {
    check_flags(&change)?;
    let found = find(mailbox, selection, &options).await?;
    let (id, uids) = (found.row.id, found.uids.clone());
    let write = move |writer: &mut dyn Writer| {
        let delta = delta(writer, id, &uids, change)?;
        change::flag(writer, id, &uids, &delta, now()).map(drop)
    };
    mailbox.mail().writable()?.write(Durability::Full, write).await?;
    let done = found.uids.iter().map(|uid| Done { source: found.reference(mailbox.mail(), uid), target: None });
    outcome(mailbox.mail(), &found, done.collect(), options.partial)
}

/// Moves.
pub(super) async fn move_to(
    mailbox: &LocalMailbox,
    selection: Selection,
    target: Target,
    options: WriteOptions,
) -> Result<BulkResult> {
    transfer(mailbox, selection, target, (options, change::move_to)).await
}

/// Copies.
pub(super) async fn copy_to(
    mailbox: &LocalMailbox,
    selection: Selection,
    target: Target,
    options: WriteOptions,
) -> Result<BulkResult> {
    transfer(mailbox, selection, target, (options, change::copy)).await
}

/// Moves to the mailbox for deleted messages.
pub(super) async fn delete(mailbox: &LocalMailbox, selection: Selection, options: WriteOptions) -> Result<BulkResult> {
    let use_expunge = "Use expunge() to remove messages for good";
    let own = mailbox.target().clone();
    let find = move |reader: &dyn crate::store::Reader| {
        let trash = names::existing(reader, &Target::Role(Role::Trash));
        Ok((trash, names::existing(reader, &own)?.id))
    };
    let trash = match mailbox.mail().handle()?.read(find).await? {
        (Err(error), _) if error.code() == Code::MailboxMissing => {
            return Err(MailError::new(error.code(), "There is no mailbox for deleted messages").hint(use_expunge));
        }
        (Ok(trash), own) if trash.id == own => {
            let text = "The messages are in the mailbox for deleted messages already";
            return Err(MailError::new(Code::UsageArgument, text).in_mailbox(&trash.name).hint(use_expunge));
        }
        (trash, _) => trash?,
    };
    move_to(mailbox, selection, Target::Name(trash.name), options).await
}

/// Removes for good.
pub(super) async fn expunge(mailbox: &LocalMailbox, selection: Selection, options: WriteOptions) -> Result<BulkResult> {
    let found = find(mailbox, selection, &options).await?;
    let (id, uids) = (found.row.id, found.uids.clone());
    let write = move |writer: &mut dyn Writer| change::expunge(writer, id, &uids, now());
    let gone = mailbox.mail().writable()?.write(Durability::Full, write).await?;
    let done = gone.iter().map(|uid| Done { source: found.reference(mailbox.mail(), uid), target: None });
    outcome(mailbox.mail(), &found, done.collect(), options.partial)
}

type Verb = fn(&mut dyn Writer, MailboxId, &UidSet, MailboxId, Now) -> Result<Vec<(u32, u32)>>;

async fn transfer(
    mailbox: &LocalMailbox,
    selection: Selection,
    target: Target,
    (options, verb): (WriteOptions, Verb),
) -> Result<BulkResult> {
    let found = find(mailbox, selection, &options).await?;
    let (id, uids, create) = (found.row.id, found.uids.clone(), options.create);
    let write = move |writer: &mut dyn Writer| {
        let to = names::existing_or_new(writer, &target, create)?;
        verb(writer, id, &uids, to.id, now()).map(|pairs| (to, pairs))
    };
    let (to, pairs) = mailbox.mail().writable()?.write(Durability::Full, write).await?;
    let done = pairs.into_iter().map(|pair| placed(mailbox.mail(), (&found.row, &to), pair));
    outcome(mailbox.mail(), &found, done.collect(), options.partial)
}

fn placed(mail: &Mail, (from, to): (&MailboxRow, &MailboxRow), (old, new): (u32, u32)) -> Done {
    Done { source: reference(mail, from, old), target: Some(reference(mail, to, new)) }
}

async fn find(mailbox: &LocalMailbox, selection: Selection, options: &WriteOptions) -> Result<Found> {
    mailbox.mail().writable()?;
    let found = Found::of(mailbox, selection, options.time_zone.clone()).await?;
    let count = found.uids.len();
    if let Some(limit) = options.limit.filter(|limit| count > *limit) {
        let text = format!("The selection holds {count} messages, more than the limit of {limit}");
        return Err(MailError::new(Code::LimitExceeded, text).hint("Nothing was changed"));
    }
    Ok(found)
}

/// What has been done; messages that were named and were not there, or went in between, are failures.
fn outcome(mail: &Mail, found: &Found, done: Vec<Done>, partial: bool) -> Result<BulkResult> {
    let reached: UidSet = done.iter().map(|done| done.source.uid).collect();
    let left = found.uids.difference(&reached).union(&found.missing);
    let missing = || MailError::new(Code::MessageMissing, "The message is not there").in_mailbox(&found.row.name);
    let failed = left.iter().map(|uid| (found.reference(mail, uid), missing().with(|c| c.uid = Some(uid))));
    let result = BulkResult { done, failed: failed.collect(), unknown: Vec::new() };
    if partial { Ok(result) } else { result.complete() }
}

fn check_flags(change: &FlagChange) -> Result<()> {
    let FlagChange { add, remove, set } = change;
    if set.is_some() && !(add.is_empty() && remove.is_empty()) {
        return Err(MailError::new(Code::UsageFlag, "set replaces all flags: it goes without add and remove"));
    }
    if set.is_none() && add.is_empty() && remove.is_empty() {
        return Err(MailError::new(Code::UsageFlag, "No flag was named").hint("Use add, remove or set"));
    }
    match add.iter().chain(remove).chain(set.iter().flatten()).find(|flag| !flag.is_writable()) {
        Some(flag) => Err(MailError::new(Code::UsageFlag, format!("The server alone sets the flag {flag}"))),
        None => Ok(()),
    }
}

/// What `set` replaces is every other flag that any of the messages has.
fn delta(writer: &dyn Writer, mailbox: MailboxId, uids: &UidSet, change: FlagChange) -> Result<FlagDelta> {
    let Some(set) = change.set else {
        // Removing happens first, so a flag that is in both is set.
        let add: Flags = change.add.iter().collect();
        return Ok(FlagDelta { remove: change.remove.iter().collect::<Flags>().difference(&add), add });
    };
    FlagDelta::replacing(writer, mailbox, uids, set.iter().collect())
}
