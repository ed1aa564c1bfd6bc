//! From a selection to UIDs.

use super::fetching::Fetching;
use super::mailbox::Mailbox;
use super::message::Message;
use super::options::{Columns, FetchOptions};
use super::pool::Lease;
use super::route::{Reply, Wants};
use super::selection::Selection;
use super::window::SET_TEXT;
use crate::bulk::MessageRef;
use crate::error::{Code, MailError, Result};
use crate::imap::command::{self, SearchReturn};
use crate::imap::extension::{esearch, message_limit};
use crate::imap::{Capabilities, Response, ResponseCode, SearchKey, UidSet, Untagged};
use crate::query::{Matcher, SearchFacts, SearchPlan};
use std::sync::Arc;

/// The UIDs of a selection, and what is still to be asked of each message.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub name: Arc<str>,
    pub uid_validity: u32,
    pub uids: UidSet,
    /// Whether the server has named them as messages that are there; else the caller has.
    pub there: bool,
    /// What the server could not decide.
    pub residual: Option<Arc<Matcher>>,
    /// Whether words were matched as the query language says.
    pub exact: bool,
    /// The most messages that one command may be about, where the server says (MESSAGELIMIT, RFC 9738).
    pub limit: Option<u64>,
}

/// How many messages a selection holds.
pub(super) async fn count(mailbox: &Mailbox, selection: Selection, time_zone: Option<String>) -> Result<u64> {
    if matches!(selection, Selection::All)
        && let Some(messages) = mailbox.status().await?.messages
    {
        return Ok(messages);
    }
    Ok(search(mailbox, selection, false, time_zone).await?.len() as u64)
}

/// The messages of a selection that are there, by ascending UID.
pub(super) async fn search(
    mailbox: &Mailbox,
    selection: Selection,
    exact: bool,
    time_zone: Option<String>,
) -> Result<Vec<MessageRef>> {
    let found = find(mailbox, &selection, exact, time_zone.as_deref()).await?;
    let uids = if found.residual.is_some() {
        decide(mailbox, found.clone()).await?
    } else if found.there {
        found.uids
    } else {
        let lease = mailbox.session().lease(&found.name).await?;
        check_validity(&lease, found.uid_validity)?;
        present(&lease, &found.uids).await?
    };
    Ok(uids.iter().map(|uid| mailbox.reference(&found.name, found.uid_validity, uid)).collect())
}

/// Matches in the engine what the server could not decide, and asks for no more than that takes.
pub(super) async fn decide(mailbox: &Mailbox, found: Found) -> Result<UidSet> {
    let mut messages =
        Fetching::of(mailbox.clone(), found, FetchOptions { columns: Columns::NONE, ..Default::default() });
    let mut uids = UidSet::default();
    while let Some(batch) = messages.next_batch().await? {
        uids.extend(batch.iter().map(Message::uid));
    }
    Ok(uids)
}

/// Which of the caller's own numbers are there.
pub(super) async fn present(lease: &Lease, uids: &UidSet) -> Result<UidSet> {
    let mut present = UidSet::default();
    for chunk in uids.chunks_by_text(SET_TEXT) {
        present = present.union(&ask(lease, &SearchKey::Uid(chunk)).await?);
    }
    Ok(present)
}

/// Asks the server as far as it is needed; numbers that the caller gave are taken as they are.
pub(super) async fn find(mailbox: &Mailbox, selection: &Selection, exact: bool, tz: Option<&str>) -> Result<Found> {
    let name: Arc<str> = mailbox.name().await?.into();
    let lease = mailbox.session().lease(&name).await?;
    let (uid_validity, exists) = (lease.selected()?.uid_validity, u64::from(lease.selected()?.exists));
    let (limit, name_of) = (lease.connection.capabilities().message_limit(), || Arc::clone(&name));
    let found = |uids| Found { name: name_of(), uid_validity, uids, there: true, residual: None, exact: true, limit };
    match selection {
        Selection::All => Ok(found(ask(&lease, &SearchKey::All).await?)),
        // Most of them are not there: 1:4294967295 would be asked for in millions of windows.
        Selection::Uids(uids) if uids.len() > exists => Ok(found(present(&lease, uids).await?)),
        Selection::Uids(uids) => Ok(Found { there: false, ..found(uids.clone()) }),
        Selection::Refs(refs) => Ok(Found { there: false, ..found(uids_of(mailbox, &name, uid_validity, refs)?) }),
        Selection::Query(query) => {
            let now = now(tz)?;
            let mut facts = facts(&name, exact, &lease.connection.capabilities());
            let mut plan = query.plan(&now, &facts)?;
            let mut asked = ask(&lease, &plan.key).await;
            if asked.as_ref().is_err_and(is_bad_charset) {
                // Exchange searches in US-ASCII only: the rest is matched by us.
                facts.ascii_only = true;
                plan = query.plan(&now, &facts)?;
                asked = ask(&lease, &plan.key).await;
            }
            let SearchPlan { residual, exact, .. } = plan;
            Ok(Found { residual: residual.map(Arc::new), exact, ..found(asked?) })
        }
    }
}

/// UIDs of references, each of which must belong to this mailbox as it is now.
pub(super) fn uids_of(mailbox: &Mailbox, name: &str, uid_validity: u32, refs: &[MessageRef]) -> Result<UidSet> {
    for reference in refs {
        if *reference.account != **mailbox.session().label() || &*reference.mailbox != name {
            let message = format!("The reference {reference} does not belong to the mailbox {name:?} of this session");
            return Err(MailError::new(Code::UsageSelection, message));
        }
        if reference.uid_validity != uid_validity {
            let message = "The mailbox has a new UIDVALIDITY, so this reference no longer names a message";
            return Err(MailError::new(Code::MailboxReset, message)
                .in_mailbox(name)
                .with(|c| c.uid = Some(reference.uid))
                .hint("Search again for the message"));
        }
    }
    Ok(refs.iter().map(|r| r.uid).collect())
}

/// An error when the mailbox is no longer the one whose UIDs these are.
pub(super) fn check_validity(lease: &Lease, expected: u32) -> Result<()> {
    let selected = lease.selected()?;
    let now = match lease.connection.uid_validity() {
        0 => selected.uid_validity,
        announced => announced,
    };
    if selected.uid_validity != expected || now != expected {
        return Err(MailError::new(Code::MailboxReset, "The mailbox has a new UIDVALIDITY").in_mailbox(&selected.name));
    }
    Ok(())
}

/// When the query began, in the zone that its days are meant in.
pub(crate) fn now(tz: Option<&str>) -> Result<jiff::Zoned> {
    let now = jiff::Zoned::now();
    let Some(name) = tz else { return Ok(now) };
    now.in_tz(name).map_err(|_| {
        MailError::new(Code::UsageArgument, format!("There is no time zone {name:?}")).hint("For example Europe/Vienna")
    })
}

fn facts(mailbox: &str, exact: bool, server: &Capabilities) -> SearchFacts {
    SearchFacts {
        mailbox: Some(mailbox.to_owned()),
        within: server.has("WITHIN"),
        object_id: server.has("OBJECTID"),
        gmail: server.has("X-GM-EXT-1"),
        fuzzy_text: server.has("SEARCH=FUZZY"),
        exact,
        ..SearchFacts::default()
    }
}

/// One search, with ESEARCH where there is it: its answer is a set of ranges (RFC 4731). A server that stops at its
/// MESSAGELIMIT is asked for the rest: a part must not look like the whole.
pub(super) async fn ask(lease: &Lease, key: &SearchKey) -> Result<UidSet> {
    let (mut found, mut code) = searched(lease, key).await?;
    let mut left = UidSet::range(1, u32::MAX);
    while let Some(rest) = rest(&left, code.as_ref())? {
        left = rest;
        let key = SearchKey::And(vec![SearchKey::Uid(left.clone()), key.clone()]);
        let (more, next) = searched(lease, &key).await?;
        found.merge(&more);
        code = next;
    }
    Ok(found)
}

/// What is left of `asked` after an answer with this code; an error where the server does not get on.
pub(super) fn rest(asked: &UidSet, code: Option<&ResponseCode>) -> Result<Option<UidSet>> {
    match message_limit::rest(asked, code) {
        Some(rest) if rest == *asked => {
            Err(MailError::new(Code::ServerProtocol, "The server stops at its limit of messages and does not go on"))
        }
        rest => Ok(rest),
    }
}

async fn searched(lease: &Lease, key: &SearchKey) -> Result<(UidSet, Option<ResponseCode>)> {
    let connection = &lease.connection;
    let options = esearch::options(&connection.capabilities(), &[SearchReturn::All], connection.utf8());
    let search = command::uid_search(key, &options)?;
    let reply = connection.run_slow(search, Wants::Search).await?;
    let found = uids_in(&reply).ok_or_else(|| {
        MailError::new(Code::ServerProtocol, "The server says that it has searched, and not what it found")
    })?;
    Ok((found, reply.code))
}

/// `None` where there is no answer: also one that finds nothing has to say so (RFC 9051 section 6.4.4).
fn uids_in(reply: &Reply) -> Option<UidSet> {
    let mut answered = false;
    let mut found = esearch::Found::default();
    for response in &reply.untagged {
        match response {
            Response::Data(Untagged::Esearch(answer)) => found.esearch(answer),
            Response::Data(Untagged::Search { ids, mod_seq }) => found.search(ids, *mod_seq),
            _ => continue,
        }
        answered = true;
    }
    answered.then_some(found.uids)
}

fn is_bad_charset(error: &MailError) -> bool {
    error.context().server_code.as_deref() == Some("BADCHARSET")
}
