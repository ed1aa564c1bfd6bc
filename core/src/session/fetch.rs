//! One window of a fetch: rows, and the parts to be loaded ahead with them.

use super::connection::Extra;
use super::find::{Found, check_validity, rest};
use super::mailbox::Mailbox;
use super::message::{Loaded, Message};
use super::options::{Columns, FetchOptions, Parts};
use super::pool::Lease;
use super::route::{Reply, Rows, Wants};
use crate::error::Result;
use crate::imap::command::{self, FetchItem, FetchModifiers};
use crate::imap::extension::object_id;
use crate::imap::{Capabilities, FetchRow, Response, Section, UidSet, Untagged};
use crate::message::parts;
use crate::query::Needs;
use std::collections::BTreeMap;

/// Bytes that one window may load ahead; what goes beyond is fetched when it is asked for.
const LOAD: u64 = 4 << 20;

/// What a window has come to.
#[derive(Debug)]
pub(super) struct Window {
    /// By ascending UID.
    pub messages: Vec<Message>,
    pub bytes: u64,
}

/// Fetches one window.
pub(super) async fn fetch_window(
    mailbox: &Mailbox,
    found: &Found,
    uids: &UidSet,
    options: &FetchOptions,
) -> Result<Window> {
    let lease = mailbox.session().lease(&found.name).await?;
    check_validity(&lease, found.uid_validity)?;
    let needs = found.residual.as_ref().map(|m| m.needs()).unwrap_or_default();
    let items = items(options, &needs, &lease.connection.capabilities());
    let mut reply = rows(&lease, uids, &items).await?;
    let mut rows = merge(std::mem::take(&mut reply.untagged));
    if found.there && uids.len() > (rows.len() + reply.malformed.len()) as u64 {
        again(&lease, uids, &items, &mut rows, &mut reply).await?;
    }
    let mut bytes = reply.bytes;
    let mut loaded = BTreeMap::new();
    if options.parts != Parts::default() {
        bytes += load(&lease, &rows, options.parts, &mut loaded).await?;
    }
    drop(lease);
    let mut unread = reply.malformed.iter();
    let mut messages = Vec::with_capacity(rows.len());
    let missing = if reply.malformed.is_empty() { UidSet::default() } else { uids.clone() };
    for uid in missing.iter().filter(|uid| !rows.contains_key(uid)).collect::<Vec<_>>() {
        let Some(error) = unread.next() else { break };
        let problems = vec![(bytes::Bytes::from_static(b"FETCH"), error.to_string())];
        rows.insert(uid, Box::new(FetchRow { uid: Some(uid), problems, ..FetchRow::default() }));
    }
    for (uid, row) in rows {
        let reference = mailbox.reference(&found.name, found.uid_validity, uid);
        messages.push(Message::new(mailbox.clone(), reference, row, loaded.remove(&uid).unwrap_or_default()));
    }
    Ok(Window { messages, bytes })
}

/// Asks once more for rows that did not come: Yahoo leaves some out of a range, James sends them after its OK. A message
/// that is not among them now either has been expunged.
async fn again(
    lease: &Lease,
    uids: &UidSet,
    items: &[FetchItem],
    known: &mut BTreeMap<u32, Box<FetchRow>>,
    reply: &mut Reply,
) -> Result<()> {
    let missing = uids.difference(&known.keys().copied().collect());
    let wants = || Wants::Rows(Rows::of(&missing, items));
    let fetch = command::uid_fetch(&missing, items, FetchModifiers::default())?;
    let second = lease.connection.begin(fetch, wants(), Extra::default());
    // The command that late rows come before the end of.
    let after = lease.connection.begin(command::noop(), wants(), Extra::default());
    reply.malformed.clear();
    for pending in [second, after] {
        let came = pending.answer().await?;
        known.extend(merge(came.untagged));
        reply.bytes += came.bytes;
        reply.malformed.extend(came.malformed);
    }
    Ok(())
}

/// `UID FETCH` of some items; several where the server stops at its MESSAGELIMIT (RFC 9738).
pub(super) async fn rows(lease: &Lease, uids: &UidSet, items: &[FetchItem]) -> Result<Reply> {
    let mut reply = some_rows(lease, uids, items).await?;
    let mut left = rest(uids, reply.code.as_ref())?;
    while let Some(uids) = left {
        let more = some_rows(lease, &uids, items).await?;
        left = rest(&uids, more.code.as_ref())?;
        reply.untagged.extend(more.untagged);
        reply.malformed.extend(more.malformed);
        reply.bytes += more.bytes;
    }
    Ok(reply)
}

async fn some_rows(lease: &Lease, uids: &UidSet, items: &[FetchItem]) -> Result<Reply> {
    let fetch = command::uid_fetch(uids, items, FetchModifiers::default())?;
    lease.connection.run(fetch, Wants::Rows(Rows::of(uids, items))).await
}

/// The rows of a reply by UID. A server may tell of one message in several rows.
pub(super) fn merge(untagged: Vec<Response>) -> BTreeMap<u32, Box<FetchRow>> {
    let mut rows: BTreeMap<u32, Box<FetchRow>> = BTreeMap::new();
    for response in untagged {
        let Response::Data(Untagged::Fetch(row)) = response else { continue };
        let Some(uid) = row.uid else { continue };
        match rows.get_mut(&uid) {
            Some(known) => known.merge(*row),
            None => drop(rows.insert(uid, row)),
        }
    }
    rows
}

/// What to ask of each message: for its properties, for its parts, and for what the query still needs.
fn items(options: &FetchOptions, needs: &Needs, caps: &Capabilities) -> Vec<FetchItem> {
    let Columns { flags, received, size, envelope, structure, thread } = options.columns;
    let parts = options.parts;
    let wanted = [
        (true, FetchItem::Uid),
        (flags || needs.flags, FetchItem::Flags),
        (received || needs.received, FetchItem::InternalDate),
        (size || needs.size || parts.raw, FetchItem::Size),
        (envelope || needs.envelope, FetchItem::Envelope),
        (structure || needs.structure || needs.body || parts.text || parts.html, FetchItem::BodyStructure),
    ];
    let thread = object_id::thread_item(caps).filter(|_| thread || needs.thread).cloned();
    wanted.into_iter().filter(|(on, _)| *on).map(|(_, item)| item).chain(thread).collect()
}

/// Loads parts ahead, grouped by section so that a window costs a few commands; returns the bytes that came.
async fn load(
    lease: &Lease,
    rows: &BTreeMap<u32, Box<FetchRow>>,
    wanted: Parts,
    loaded: &mut BTreeMap<u32, Loaded>,
) -> Result<u64> {
    let groups = group(rows, wanted);
    let fetch = |(section, uids): (Section, UidSet)| async move {
        let items = [FetchItem::Uid, FetchItem::Section { section, partial: None }];
        rows_of(lease, &uids, &items).await
    };
    let mut bytes = 0;
    for (fetched, came) in futures_util::future::try_join_all(groups.into_iter().map(fetch)).await? {
        bytes += came;
        for (uid, row) in fetched {
            let slot = loaded.entry(uid).or_default();
            for data in row.sections {
                slot.insert(data);
            }
        }
    }
    Ok(bytes)
}

async fn rows_of(lease: &Lease, uids: &UidSet, items: &[FetchItem]) -> Result<(BTreeMap<u32, Box<FetchRow>>, u64)> {
    let reply = rows(lease, uids, items).await?;
    Ok((merge(reply.untagged), reply.bytes))
}

/// Which section of which messages to load, within the budget.
fn group(rows: &BTreeMap<u32, Box<FetchRow>>, wanted: Parts) -> BTreeMap<Section, UidSet> {
    let mut groups: BTreeMap<Section, UidSet> = BTreeMap::new();
    let mut budget = LOAD;
    let mut add = |section: Section, uid: u32, size: u64| {
        if size <= budget {
            budget -= size;
            groups.entry(section).or_default().insert(uid);
        }
    };
    for (uid, row) in rows {
        if wanted.raw {
            add(Section::default(), *uid, row.size.unwrap_or(LOAD / 4));
        }
        if wanted.headers {
            add(Section::header(), *uid, 4096);
        }
        let Some(text) = row.body_structure.as_ref().filter(|_| wanted.text || wanted.html) else { continue };
        let chosen = text.read().as_ref().map(parts).unwrap_or_default();
        let texts = chosen.text.iter().filter(|_| wanted.text);
        for part in texts.chain(chosen.html.iter().filter(|_| wanted.html)) {
            add(Section::part(&part.section), *uid, part.octets.unwrap_or(LOAD / 4));
        }
    }
    groups
}
