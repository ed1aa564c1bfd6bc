//! Commands about one mailbox: SELECT and EXAMINE, CREATE, RENAME, DELETE, SUBSCRIBE.

use super::{SET_LENGTH, mailbox};
use crate::error::{Code, MailError, Result};
use crate::imap::{MailboxName, Role, UidSet};
use crate::wire::{Command, Encoder};

/// How to open a mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SelectOptions {
    /// EXAMINE: nothing in it can be changed, and nothing loses `\Recent`.
    pub read_only: bool,
    /// Ask for MODSEQs from the start (RFC 7162). Only where CONDSTORE is offered: others refuse the parameter.
    pub condstore: bool,
}

/// `SELECT` or `EXAMINE`.
pub fn select(name: &MailboxName, options: SelectOptions) -> Result<Command> {
    let mut e = Encoder::new(if options.read_only { "EXAMINE" } else { "SELECT" });
    mailbox(&mut e, name)?;
    if options.condstore {
        e.list(|e| {
            e.word("CONDSTORE");
            Ok(())
        })?;
    }
    Ok(e.finish())
}

/// What is known of a mailbox from before, for [`select_since`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Its UIDVALIDITY.
    pub uid_validity: u32,
    /// The highest MODSEQ up to which everything is known; never 0.
    pub mod_seq: u64,
    /// The UIDs that are known. Empty for all there can be; left out where they do not fit into a command, and then the
    /// server may also name UIDs that were never known.
    pub uids: UidSet,
}

/// `SELECT` or `EXAMINE` with `(QRESYNC (uidvalidity modseq [uids]))` (RFC 7162 section 3.2.5): the answer holds what has
/// changed and what is gone. Only after ENABLE has named QRESYNC.
pub fn select_since(name: &MailboxName, read_only: bool, known: &Known) -> Result<Command> {
    if known.uid_validity == 0 || known.mod_seq == 0 {
        return Err(MailError::new(
            Code::UsageArgument,
            "Without UIDVALIDITY and MODSEQ nothing is known of a mailbox",
        ));
    }
    let mut e = Encoder::new(if read_only { "EXAMINE" } else { "SELECT" });
    mailbox(&mut e, name)?;
    let uids = Some(known.uids.to_string()).filter(|text| (1..=SET_LENGTH).contains(&text.len()));
    e.list(|e| {
        e.word("QRESYNC").list(|e| {
            e.number(known.uid_validity.into()).number(known.mod_seq);
            uids.iter().try_for_each(|uids| e.atom(uids).map(drop))
        })?;
        Ok(())
    })?;
    Ok(e.finish())
}

/// `CREATE`, with a special use where CREATE-SPECIAL-USE is offered (RFC 6154).
pub fn create(name: &MailboxName, role: Option<Role>) -> Result<Command> {
    let mut e = Encoder::new("CREATE");
    mailbox(&mut e, name)?;
    if let Some(attribute) = role.and_then(Role::attribute) {
        e.list(|e| e.word("USE").list(|e| e.raw(attribute).map(drop)).map(drop))?;
    }
    Ok(e.finish())
}

/// `RENAME`.
pub fn rename(from: &MailboxName, to: &MailboxName) -> Result<Command> {
    let mut e = Encoder::new("RENAME");
    mailbox(&mut e, from)?;
    mailbox(&mut e, to)?;
    Ok(e.finish())
}

/// `DELETE`: the mailbox with all its messages.
pub fn delete(name: &MailboxName) -> Result<Command> {
    single("DELETE", name)
}

/// `SUBSCRIBE`.
pub fn subscribe(name: &MailboxName) -> Result<Command> {
    single("SUBSCRIBE", name)
}

/// `UNSUBSCRIBE`.
pub fn unsubscribe(name: &MailboxName) -> Result<Command> {
    single("UNSUBSCRIBE", name)
}

fn single(command: &'static str, name: &MailboxName) -> Result<Command> {
    let mut e = Encoder::new(command);
    mailbox(&mut e, name)?;
    Ok(e.finish())
}
