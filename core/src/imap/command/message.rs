//! Commands that change messages or copy them: STORE, COPY, MOVE, EXPUNGE. By UID only.

use super::{Chosen, flags, mailbox, uids};
use crate::error::{Code, MailError, Result};
use crate::imap::{Flag, Label, MailboxName};
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
pub fn uid_store<'a>(
    set: impl Into<Chosen<'a>>,
    action: StoreAction,
    of: &[Flag],
    options: StoreOptions,
) -> Result<Command> {
    if of.is_empty() && action != StoreAction::Replace {
        return Err(MailError::new(Code::UsageFlag, "No flag is given"));
    }
    let mut e = store(set.into(), options)?;
    flags(e.word(name(action, options.silent)), of)?;
    Ok(e.finish())
}

/// `UID STORE set [(UNCHANGEDSINCE n)] ±X-GM-LABELS[.SILENT] (labels)` (Gmail's X-GM-EXT-1).
///
/// Adding or removing no labels is refused, as for flags.
pub fn uid_store_labels<'a>(
    set: impl Into<Chosen<'a>>,
    action: StoreAction,
    of: &[Label],
    options: StoreOptions,
) -> Result<Command> {
    if of.is_empty() && action != StoreAction::Replace {
        return Err(MailError::new(Code::UsageFlag, "No label is given"));
    }
    let mut e = store(set.into(), options)?;
    e.word(label_name(action, options.silent)).list(|e| of.iter().try_for_each(|label| label.encode(e)))?;
    Ok(e.finish())
}

/// The command up to what it stores: modifiers stand before the flags.
fn store(set: Chosen<'_>, options: StoreOptions) -> Result<Encoder> {
    let mut e = Encoder::new("UID STORE");
    uids(&mut e, set)?;
    if let Some(mod_seq) = options.unchanged_since {
        e.list(|e| {
            e.word("UNCHANGEDSINCE").number(mod_seq);
            Ok(())
        })?;
    }
    Ok(e)
}

const fn label_name(action: StoreAction, silent: bool) -> &'static str {
    match (action, silent) {
        (StoreAction::Add, false) => "+X-GM-LABELS",
        (StoreAction::Add, true) => "+X-GM-LABELS.SILENT",
        (StoreAction::Remove, false) => "-X-GM-LABELS",
        (StoreAction::Remove, true) => "-X-GM-LABELS.SILENT",
        (StoreAction::Replace, false) => "X-GM-LABELS",
        (StoreAction::Replace, true) => "X-GM-LABELS.SILENT",
    }
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
pub fn uid_copy<'a>(set: impl Into<Chosen<'a>>, to: &MailboxName) -> Result<Command> {
    let mut e = Encoder::new("UID COPY");
    mailbox(uids(&mut e, set.into())?, to)?;
    Ok(e.finish())
}

/// `UID MOVE` (RFC 6851).
pub fn uid_move<'a>(set: impl Into<Chosen<'a>>, to: &MailboxName) -> Result<Command> {
    let mut e = Encoder::new("UID MOVE");
    mailbox(uids(&mut e, set.into())?, to)?;
    Ok(e.finish())
}

/// `UID EXPUNGE` (UIDPLUS, RFC 4315): removes for good those of the set that are marked `\Deleted`.
///
/// There is no plain EXPUNGE here: it would remove what others have marked.
pub fn uid_expunge<'a>(set: impl Into<Chosen<'a>>) -> Result<Command> {
    let mut e = Encoder::new("UID EXPUNGE");
    uids(&mut e, set.into())?;
    Ok(e.finish())
}
