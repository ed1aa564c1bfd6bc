//! Commands about one mailbox: SELECT and EXAMINE, CREATE, RENAME, DELETE, SUBSCRIBE.

use super::mailbox;
use crate::error::Result;
use crate::imap::{MailboxName, Role};
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
