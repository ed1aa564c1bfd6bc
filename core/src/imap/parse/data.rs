//! Untagged data that begins with a name.

use super::{Context, Result, admin, mailbox, search};
use crate::imap::{MailboxName, Namespace, Namespaces, UidSet, Untagged};
use crate::wire::{Cursor, Octets, Value};
use bytes::Bytes;

/// The data called `name`.
pub(super) fn named(c: &mut Cursor<'_>, name: Bytes, context: Context<'_>) -> Result<Untagged> {
    Ok(match name.to_ascii_uppercase().as_slice() {
        b"CAPABILITY" => Untagged::Capability(words(c).iter().collect()),
        b"ENABLED" => Untagged::Enabled(words(c).iter().map(|w| w.to_ascii_uppercase()).collect()),
        b"LIST" | b"XLIST" => Untagged::List(mailbox::list(c, context)?),
        b"LSUB" => Untagged::Lsub(mailbox::list(c, context)?),
        b"STATUS" => Untagged::Status(mailbox::status(c, context)?),
        b"FLAGS" => Untagged::Flags(super::fetch::flags(c)?),
        b"SEARCH" => search::search(c)?,
        b"ESEARCH" => Untagged::Esearch(search::esearch(c, context)?),
        b"SORT" => Untagged::Sort(search::numbers(c)?),
        b"THREAD" => Untagged::Thread(search::thread(c)?),
        b"VANISHED" => vanished(c)?,
        b"NAMESPACE" => Untagged::Namespace(namespaces(c, context)?),
        b"ACL" => Untagged::Acl(admin::acl(c, context)?),
        b"LISTRIGHTS" => Untagged::ListRights(admin::list_rights(c, context)?),
        b"MYRIGHTS" => Untagged::MyRights(admin::my_rights(c, context)?),
        b"QUOTA" => Untagged::Quota(admin::quota(c)?),
        b"QUOTAROOT" => Untagged::QuotaRoot(admin::quota_root(c, context)?),
        b"METADATA" => Untagged::Metadata(admin::metadata(c, context)?),
        b"ID" => Untagged::Id(id(c)?),
        _ => Untagged::Other { name, values: values(c) },
    })
}

/// Whatever is left, value by value; what cannot be read as one is kept as a last string.
pub(super) fn values(c: &mut Cursor<'_>) -> Vec<Value> {
    let mut values = Vec::new();
    while !c.is_at_end() {
        let before = c.clone();
        match c.value() {
            Ok(value) => values.push(value),
            Err(_) => {
                *c = before;
                c.spaces();
                values.push(Value::String(Octets::Whole(c.take_rest())));
                break;
            }
        }
    }
    values
}

/// Words up to the end of the line or the first that is none.
pub(super) fn words(c: &mut Cursor<'_>) -> Vec<String> {
    let mut words = Vec::new();
    while let Ok(word) = c.astring()
        && c.keep(2).is_ok()
    {
        words.push(String::from_utf8_lossy(&word).into_owned());
    }
    words
}

fn vanished(c: &mut Cursor<'_>) -> Result<Untagged> {
    let mut earlier = false;
    if c.peek_value() == Some(b'(') {
        c.list(|c| {
            earlier |= c.astring()?.eq_ignore_ascii_case(b"EARLIER");
            Ok(())
        })?;
    }
    // Apache James names none where nothing is gone (james-project PR #909).
    let uids = if c.is_at_end() { Some(UidSet::new()) } else { UidSet::from_server(&c.astring()?) };
    let uids = uids.ok_or_else(|| c.expected("a set of UIDs"))?;
    Ok(Untagged::Vanished { earlier, uids })
}

fn namespaces(c: &mut Cursor<'_>, context: Context<'_>) -> Result<Namespaces> {
    Ok(Namespaces {
        personal: namespace(c, context)?,
        other_users: namespace(c, context)?,
        shared: namespace(c, context)?,
    })
}

fn namespace(c: &mut Cursor<'_>, context: Context<'_>) -> Result<Vec<Namespace>> {
    let mut all = Vec::new();
    // Some leave out what is NIL at the end.
    if c.is_at_end() || c.nil() {
        return Ok(all);
    }
    c.list(|c| {
        c.keep(3)?;
        c.open()?;
        let prefix = c.nstring()?.map(Octets::into_bytes).unwrap_or_default();
        let delimiter = mailbox::delimiter(c)?;
        while !c.close()? {
            c.value()?;
        }
        all.push(Namespace { prefix: MailboxName::from_server(prefix, context.utf8), delimiter });
        Ok(())
    })?;
    Ok(all)
}

fn id(c: &mut Cursor<'_>) -> Result<Vec<(String, Option<String>)>> {
    let mut fields = Vec::new();
    if c.is_at_end() || c.nil() {
        return Ok(fields);
    }
    let text = |octets: Octets| String::from_utf8_lossy(&octets.into_bytes()).into_owned();
    c.list(|c| {
        c.keep(3)?;
        let name = c.nstring()?.map(text).unwrap_or_default();
        let value = if c.peek_value() == Some(b')') { None } else { c.nstring()?.map(text) };
        fields.push((name, value));
        Ok(())
    })?;
    Ok(fields)
}
