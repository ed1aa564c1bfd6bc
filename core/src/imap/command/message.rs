//! Commands that change messages or copy them: STORE, COPY, MOVE, EXPUNGE. By UID only.

use super::{flags, mailbox, uids};
use crate::error::{Code, MailError, Result};
use crate::imap::{Flag, MailboxName, UidSet};
use crate::wire::{Command, Encoder};

/// What STORE does with the flags given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreAction {
    /// Adds them.
    Add,
    /// Takes them away.
    Remove,
    /// Puts them in place of all others.
    Replace,
}

/// How STORE does it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreOptions {
    /// Do not send the new flags back. Some servers do so all the same.
    pub silent: bool,
    /// Leave alone what has changed after this MODSEQ (CONDSTORE).
    pub unchanged_since: Option<u64>,
}

/// `UID STORE set [(UNCHANGEDSINCE n)] ±FLAGS[.SILENT] (flags)`.
///
/// Adding or removing no flags is refused: a server may read it as "no flags".
pub fn uid_store(set: &UidSet, action: StoreAction, of: &[Flag], options: StoreOptions) -> Result<Command> {
    if of.is_empty() && action != StoreAction::Replace {
        return Err(MailError::new(Code::UsageFlag, "No flag is given"));
    }
    let mut e = Encoder::new("UID STORE");
    uids(&mut e, set)?;
    if let Some(mod_seq) = options.unchanged_since {
        e.list(|e| {
            e.word("UNCHANGEDSINCE").number(mod_seq);
            Ok(())
        })?;
    }
    flags(e.word(name(action, options.silent)), of)?;
    Ok(e.finish())
}

const fn name(action: StoreAction, silent: bool) -> &'static str {
    match (action, silent) {
        (StoreAction::Add, false) => "+FLAGS",
        (StoreAction::Add, true) => "+FLAGS.SILENT",
        (StoreAction::Remove, false) => "-FLAGS",
        (StoreAction::Remove, true) => "-FLAGS.SILENT",
        (StoreAction::Replace, false) => "FLAGS",
        (StoreAction::Replace, true) => "FLAGS.SILENT",
    }
}

/// `UID COPY`.
pub fn uid_copy(set: &UidSet, to: &MailboxName) -> Result<Command> {
    let mut e = Encoder::new("UID COPY");
    mailbox(uids(&mut e, set)?, to)?;
    Ok(e.finish())
}

/// `UID MOVE` (RFC 6851).
pub fn uid_move(set: &UidSet, to: &MailboxName) -> Result<Command> {
    let mut e = Encoder::new("UID MOVE");
    mailbox(uids(&mut e, set)?, to)?;
    Ok(e.finish())
}

/// `UID EXPUNGE` (UIDPLUS, RFC 4315): removes for good those of the set that are marked `\Deleted`.
///
/// There is no plain EXPUNGE here: it would remove what others have marked.
pub fn uid_expunge(set: &UidSet) -> Result<Command> {
    let mut e = Encoder::new("UID EXPUNGE");
    uids(&mut e, set)?;
    Ok(e.finish())
}
