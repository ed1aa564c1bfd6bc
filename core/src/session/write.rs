//! Writes on many messages: flag, copy, move, delete, expunge. By UID only, in commands of bounded length.

use super::connection::Extra;
use super::find::{Found, check_validity, decide, find, present};
use super::mailbox::Mailbox;
use super::options::{FlagChange, WriteOptions};
use super::pool::Lease;
use super::route::{Reply, Wants};
use super::selection::{Selection, Target};
use super::window::SET_TEXT;
use crate::bulk::{BulkResult, Done, MessageRef};
use crate::error::{Code, MailError, Result};
use crate::imap::command::{self, StoreAction, StoreOptions};
use crate::imap::extension::r#move::{self, MovePlan};
use crate::imap::extension::{message_limit, uidplus};
use crate::imap::{Flag, MailboxName, Response, ResponseCode, Role, UidSet, Untagged};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What one command has done: where each message went, for those of which the server says.
#[derive(Debug, Default)]
struct Step {
    target: Option<String>,
    /// UIDVALIDITY of the target, and which UID became which.
    pairs: Option<(u32, BTreeMap<u32, u32>)>,
    /// Without those: messages that are known not to have been there.
    missing: UidSet,
    /// Messages that were to go and are where they were.
    stayed: UidSet,
}

/// What to do with each message.
#[derive(Debug)]
enum Verb {
    Store(Vec<(StoreAction, Vec<Flag>)>),
    Copy(String),
    Move(String),
    Expunge,
}

/// We know what we have set.
const SILENT: StoreOptions = StoreOptions { silent: true, unchanged_since: None };

/// Changes flags.
pub(super) async fn flag(
    mailbox: &Mailbox,
    selection: Selection,
    change: FlagChange,
    options: WriteOptions,
) -> Result<BulkResult> {
    let verb = Verb::Store(stores(change)?);
    Batch::find(mailbox, selection, &options).await?.run(verb, options.partial).await
}

/// Copies.
pub(super) async fn copy_to(
    mailbox: &Mailbox,
    selection: Selection,
    target: &Target,
    options: WriteOptions,
) -> Result<BulkResult> {
    mailbox.writable()?;
    let name = mailbox.session().names().resolve_or_create(mailbox.session(), target, options.create).await?;
    Batch::find(mailbox, selection, &options).await?.run(Verb::Copy(name), options.partial).await
}

/// Moves, in one step where the server can.
pub(super) async fn move_to(
    mailbox: &Mailbox,
    selection: Selection,
    target: &Target,
    options: WriteOptions,
) -> Result<BulkResult> {
    mailbox.writable()?;
    let name = mailbox.session().names().resolve_or_create(mailbox.session(), target, options.create).await?;
    if name == mailbox.name().await? {
        let message = "The messages are in this mailbox already";
        return Err(MailError::new(Code::UsageArgument, message).in_mailbox(&name));
    }
    Batch::find(mailbox, selection, &options).await?.run(Verb::Move(name), options.partial).await
}

/// Moves to the mailbox for deleted messages.
pub(super) async fn delete(mailbox: &Mailbox, selection: Selection, options: WriteOptions) -> Result<BulkResult> {
    mailbox.writable()?;
    let use_expunge = "Use expunge() to remove messages for good";
    let trash = Target::Role(Role::Trash);
    let name = match mailbox.session().names().resolve(mailbox.session(), &trash).await {
        Err(error) if error.code() == Code::MailboxMissing => {
            return Err(MailError::new(error.code(), "There is no mailbox for deleted messages").hint(use_expunge));
        }
        name => name?,
    };
    if name == mailbox.name().await? {
        let message = "The messages are in the mailbox for deleted messages already";
        return Err(MailError::new(Code::UsageArgument, message).in_mailbox(&name).hint(use_expunge));
    }
    Batch::find(mailbox, selection, &options).await?.run(Verb::Move(name), options.partial).await
}

/// Removes for good.
pub(super) async fn expunge(mailbox: &Mailbox, selection: Selection, options: WriteOptions) -> Result<BulkResult> {
    Batch::find(mailbox, selection, &options).await?.run(Verb::Expunge, options.partial).await
}

/// The messages that a write is about.
struct Batch<'a> {
    mailbox: &'a Mailbox,
    found: Found,
}

impl<'a> Batch<'a> {
    async fn find(mailbox: &'a Mailbox, selection: Selection, options: &WriteOptions) -> Result<Self> {
        mailbox.writable()?;
        let zone = options.time_zone.as_deref();
        let mut found = find(mailbox, &selection, false, zone).await?;
        if found.residual.is_some() {
            found.uids = decide(mailbox, found.clone()).await?;
        }
        let count = found.uids.len();
        if let Some(limit) = options.limit.filter(|limit| count > *limit) {
            let message = format!("The selection holds {count} messages, more than the limit of {limit}");
            return Err(MailError::new(Code::LimitExceeded, message).hint("Nothing was changed"));
        }
        Ok(Self { mailbox, found })
    }

    /// Does it in stretches that fit a command each, and gathers what came of them.
    async fn run(self, verb: Verb, partial: bool) -> Result<BulkResult> {
        let mut result = BulkResult::default();
        let batches = message_limit::batches(self.found.limit, &self.found.uids);
        for uids in batches.iter().flat_map(|batch| batch.chunks_by_text(SET_TEXT)) {
            match self.stretch(&verb, &uids).await {
                Ok(step) => self.gather(&uids, &step, &mut result),
                Err(error) => {
                    let alone = result.done.is_empty() && result.failed.is_empty();
                    if alone && !partial && !is_doubtful(&error) && uids == self.found.uids {
                        return Err(error.in_mailbox(&self.found.name));
                    }
                    self.give_up(&uids, &error, &mut result);
                }
            }
        }
        if partial { Ok(result) } else { result.complete() }
    }

    async fn stretch(&self, verb: &Verb, uids: &UidSet) -> Result<Step> {
        let lease = self.mailbox.session().lease(&self.found.name).await?;
        check_validity(&lease, self.found.uid_validity)?;
        if lease.selected()?.read_only && !matches!(verb, Verb::Copy(_)) {
            return Err(MailError::new(Code::MailboxReadOnly, "The server lets this mailbox only be read"));
        }
        match verb {
            Verb::Store(stores) => store(&lease, uids, stores).await,
            Verb::Copy(name) => copy(&lease, uids, name).await,
            Verb::Move(name) => move_one(&lease, uids, name).await,
            Verb::Expunge => remove(&lease, uids).await,
        }
    }

    fn gather(&self, uids: &UidSet, step: &Step, result: &mut BulkResult) {
        let target: Option<Arc<str>> = step.target.as_deref().map(Into::into);
        for uid in uids.iter() {
            let source = self.reference(uid);
            let Some((validity, pairs)) = &step.pairs else {
                match step.failure(uid) {
                    Some(error) => result.failed.push((source, error)),
                    None => result.done.push(Done { source, target: None }),
                }
                continue;
            };
            match (pairs.get(&uid), &target) {
                (Some(new), Some(name)) => {
                    let target = Some(self.mailbox.reference(name, *validity, *new));
                    result.done.push(Done { source, target });
                }
                // The server lists what it has copied, so this one was not there.
                _ => result.failed.push((source, missing())),
            }
        }
    }

    fn give_up(&self, uids: &UidSet, error: &MailError, result: &mut BulkResult) {
        for uid in uids.iter() {
            let reference = self.reference(uid);
            if is_doubtful(error) {
                result.unknown.push(reference);
            } else {
                result.failed.push((reference, error.clone()));
            }
        }
    }

    fn reference(&self, uid: u32) -> MessageRef {
        self.mailbox.reference(&self.found.name, self.found.uid_validity, uid)
    }
}

impl Step {
    /// Why nothing was done to a message, where that is known.
    fn failure(&self, uid: u32) -> Option<MailError> {
        let stayed = "The server says that it has moved the message, and it is where it was";
        if self.stayed.contains(uid) {
            return Some(MailError::new(Code::ServerRefused, stayed).with(|c| c.uid = Some(uid)));
        }
        self.missing.contains(uid).then(missing)
    }
}

fn missing() -> MailError {
    MailError::new(Code::MessageMissing, "The message is not there")
}

/// Whether after this error nobody can know if the command was done.
fn is_doubtful(error: &MailError) -> bool {
    matches!(error.code(), Code::NetLost | Code::NetTls | Code::NetTimeout | Code::ServerBye | Code::NetTampered)
        || error.code() == Code::LimitExceeded && error.context().command.is_some()
}

fn stores(change: FlagChange) -> Result<Vec<(StoreAction, Vec<Flag>)>> {
    if change.set.is_some() && !(change.add.is_empty() && change.remove.is_empty()) {
        let message = "set replaces all flags: it goes without add and remove";
        return Err(MailError::new(Code::UsageFlag, message));
    }
    let stores: Vec<_> = match change.set {
        Some(flags) => vec![(StoreAction::Replace, flags)],
        None => [(StoreAction::Remove, change.remove), (StoreAction::Add, change.add)]
            .into_iter()
            .filter(|(_, f)| !f.is_empty())
            .collect(),
    };
    if stores.is_empty() {
        return Err(MailError::new(Code::UsageFlag, "No flag was named").hint("Use add, remove or set"));
    }
    if let Some(flag) = stores.iter().flat_map(|(_, flags)| flags).find(|f| !f.is_writable()) {
        return Err(MailError::new(Code::UsageFlag, format!("The server alone sets the flag {flag}")));
    }
    Ok(stores)
}

async fn store(lease: &Lease, uids: &UidSet, stores: &[(StoreAction, Vec<Flag>)]) -> Result<Step> {
    keepable(lease, stores)?;
    let mut sent = Vec::new();
    for (mode, flags) in stores {
        let command = command::uid_store(uids, *mode, flags, SILENT)?;
        sent.push(lease.connection.begin(command, Wants::Nothing, Extra::default()));
    }
    for pending in sent {
        pending.answer().await?;
    }
    Ok(Step::default())
}

/// Refuses flags that the mailbox would forget with the connection (PERMANENTFLAGS, RFC 9051 section 7.1).
fn keepable(lease: &Lease, stores: &[(StoreAction, Vec<Flag>)]) -> Result<()> {
    let Some(kept) = &lease.selected()?.permanent_flags else { return Ok(()) };
    if kept.contains(&Flag::ANY) {
        return Ok(());
    }
    let adding = stores.iter().filter(|(mode, _)| *mode != StoreAction::Remove).flat_map(|(_, flags)| flags);
    match adding.into_iter().find(|flag| !kept.contains(flag)) {
        None => Ok(()),
        Some(flag) => {
            Err(MailError::new(Code::ServerUnsupported, format!("This mailbox does not keep the flag {flag}")))
        }
    }
}

async fn copy(lease: &Lease, uids: &UidSet, name: &str) -> Result<Step> {
    let target = MailboxName::new(name, lease.connection.utf8());
    let reply = lease.connection.run_slow(command::uid_copy(uids, &target)?, Wants::Nothing).await?;
    let mut step = Step { target: Some(name.to_owned()), pairs: pairs(&reply), ..Step::default() };
    if is_untold(lease, &step) {
        step.missing = uids.difference(&present(lease, uids).await?);
    }
    Ok(step)
}

async fn move_one(lease: &Lease, uids: &UidSet, name: &str) -> Result<Step> {
    let plan = r#move::plan(&lease.connection.capabilities());
    if plan == MovePlan::Move {
        return move_at_once(lease, uids, name).await;
    }
    let step = copy(lease, uids, name).await?;
    let copied = match &step.pairs {
        Some((_, pairs)) => pairs.keys().copied().collect(),
        None => uids.difference(&step.missing),
    };
    if !copied.is_empty() {
        mark(lease, &copied).await?;
    }
    // Without UIDPLUS they stay marked: a plain EXPUNGE would take what others have marked as well.
    if !copied.is_empty() && plan == MovePlan::CopyAndExpunge {
        lease.connection.run_slow(command::uid_expunge(&copied)?, Wants::Nothing).await?;
    }
    Ok(step)
}

/// UID MOVE. Where nothing is said of where the messages went, what is still there has not gone, and what is not there
/// was moved only if the server tells that something has left (RFC 6851 section 3.3).
async fn move_at_once(lease: &Lease, uids: &UidSet, name: &str) -> Result<Step> {
    let command = command::uid_move(uids, &MailboxName::new(name, lease.connection.utf8()))?;
    let reply = lease.connection.run_slow(command, Wants::Move).await?;
    let mut step = Step { target: Some(name.to_owned()), pairs: pairs(&reply), ..Step::default() };
    if is_untold(lease, &step) {
        step.stayed = present(lease, uids).await?;
        if !has_left(&reply) {
            step.missing = uids.difference(&step.stayed);
        }
    }
    Ok(step)
}

/// Whether a server that tells where messages go has told nothing: as it does where there was nothing to copy
/// (RFC 4315 section 3).
fn is_untold(lease: &Lease, step: &Step) -> bool {
    step.pairs.is_none() && lease.connection.capabilities().has("UIDPLUS")
}

fn has_left(reply: &Reply) -> bool {
    let left = |response: &Response| {
        matches!(response, Response::Data(Untagged::Expunge(_) | Untagged::Vanished { earlier: false, .. }))
    };
    reply.untagged.iter().any(left)
}

async fn remove(lease: &Lease, uids: &UidSet) -> Result<Step> {
    let expunge = uidplus::expunge(&lease.connection.capabilities(), uids)?;
    mark(lease, uids).await?;
    lease.connection.run_slow(expunge, Wants::Nothing).await?;
    Ok(Step::default())
}

async fn mark(lease: &Lease, uids: &UidSet) -> Result<()> {
    let mark = command::uid_store(uids, StoreAction::Add, &[Flag::DELETED], SILENT)?;
    lease.connection.run(mark, Wants::Nothing).await.map(drop)
}

/// Which UID became which, from COPYUID: on the tagged OK (Gmail and for COPY) or on an untagged one (MOVE elsewhere).
pub(crate) fn pairs(reply: &Reply) -> Option<(u32, BTreeMap<u32, u32>)> {
    let untagged = reply.untagged.iter().filter_map(|response| match response {
        Response::Status { code, .. } => code.as_ref(),
        _ => None,
    });
    let codes = reply.code.iter().chain(untagged);
    codes
        .filter_map(|code| match code {
            ResponseCode::CopyUid { validity, source, target } => Some((*validity, source.pairs(target)?.collect())),
            _ => None,
        })
        .next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_connection_that_broke_nobody_knows_what_was_done() {
        let doubtful = [Code::NetLost, Code::NetTls, Code::NetTimeout, Code::ServerBye, Code::NetTampered];
        assert!(doubtful.into_iter().all(|code| is_doubtful(&code.into())));
        assert!(!is_doubtful(&Code::ServerRefused.into()) && !is_doubtful(&Code::LimitExceeded.into()));
    }
}
