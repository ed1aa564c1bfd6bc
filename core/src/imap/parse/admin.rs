//! ACL, QUOTA and METADATA.

use super::{Context, Result};
use crate::imap::{Acl, ListRights, MailboxName, Metadata, MyRights, Quota, QuotaResource, QuotaRoot};
use crate::wire::{Cursor, Octets};

pub(super) fn acl(c: &mut Cursor<'_>, context: Context<'_>) -> Result<Acl> {
    let mut acl = Acl { mailbox: mailbox(c, context)?, entries: Vec::new() };
    while !c.is_at_end() {
        c.keep(2)?;
        acl.entries.push((text(c)?, text(c)?));
    }
    Ok(acl)
}

pub(super) fn list_rights(c: &mut Cursor<'_>, context: Context<'_>) -> Result<ListRights> {
    Ok(ListRights { mailbox: mailbox(c, context)?, identifier: text(c)?, required: text(c)?, optional: texts(c)? })
}

pub(super) fn my_rights(c: &mut Cursor<'_>, context: Context<'_>) -> Result<MyRights> {
    Ok(MyRights { mailbox: mailbox(c, context)?, rights: text(c)? })
}

pub(super) fn quota(c: &mut Cursor<'_>) -> Result<Quota> {
    let mut quota = Quota { root: text(c)?, resources: Vec::new() };
    c.list(|c| {
        let (name, usage, limit) = (text(c)?.to_ascii_uppercase(), c.number()?, c.number()?);
        c.keep(1)?;
        quota.resources.push(QuotaResource { name, usage, limit });
        Ok(())
    })?;
    Ok(quota)
}

pub(super) fn quota_root(c: &mut Cursor<'_>, context: Context<'_>) -> Result<QuotaRoot> {
    Ok(QuotaRoot { mailbox: mailbox(c, context)?, roots: texts(c)? })
}

pub(super) fn metadata(c: &mut Cursor<'_>, context: Context<'_>) -> Result<Metadata> {
    let mut data = Metadata { mailbox: mailbox(c, context)?, entries: Vec::new(), changed: Vec::new() };
    if c.peek_value() != Some(b'(') {
        data.changed = texts(c)?;
        return Ok(data);
    }
    c.list(|c| {
        c.keep(2)?;
        let entry = text(c)?;
        data.entries.push((entry, c.nstring()?.map(Octets::into_bytes)));
        Ok(())
    })?;
    Ok(data)
}

fn mailbox(c: &mut Cursor<'_>, context: Context<'_>) -> Result<MailboxName> {
    Ok(MailboxName::from_server(c.astring()?, context.utf8))
}

fn text(c: &mut Cursor<'_>) -> Result<String> {
    Ok(String::from_utf8_lossy(&c.astring()?).into_owned())
}

fn texts(c: &mut Cursor<'_>) -> Result<Vec<String>> {
    let mut all = Vec::new();
    while !c.is_at_end() {
        c.keep(2)?;
        all.push(text(c)?);
    }
    Ok(all)
}
