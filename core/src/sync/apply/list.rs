//! The server's list of mailboxes with their numbers, and what the store has of them.

use super::line::Line;
use crate::error::{Code, MailError, Result, Retry};
use crate::imap::command::{self, ListQuery, StatusItem};
use crate::imap::extension::special_use::{self, Use};
use crate::imap::extension::{list_extended, list_status, object_id};
use crate::imap::{ListRow, MailboxName, Response, StatusItems, UidSet, Untagged};
use crate::journal::{Entry, Intent, State};
use crate::session::{Reply, Wants};
use crate::store::{MailboxRow, MailboxState, Reader, arrive};
use crate::sync::Cursor;
use crate::sync::plan::{Known, Listed, Listing, Numbers};
use std::collections::{BTreeMap, BTreeSet};

/// What is asked of every mailbox.
const ITEMS: &[StatusItem] = &[
    StatusItem::Messages,
    StatusItem::UidNext,
    StatusItem::UidValidity,
    StatusItem::HighestModSeq,
    StatusItem::MailboxId,
];

/// RFC 5258 section 3.4.
const SUBSCRIBED: &str = "\\Subscribed";

/// The list, for planning and for the store.
#[derive(Clone, Debug, Default)]
pub(super) struct Listings {
    pub listing: Listing,
    pub rows: Vec<arrive::Listed>,
    /// The names that the user is subscribed to; `None` where the server did not say.
    pub subscribed: Option<BTreeSet<Vec<u8>>>,
}

/// Asks for the list: one command with LIST-STATUS (RFC 5819), else a STATUS of each, sent without waiting. Subscriptions
/// come with it, or by LSUB, whose failure is no reason to fail.
pub(super) async fn list(line: &mut Line, most: usize) -> Result<Listings> {
    let caps = line.connection.capabilities();
    let query = ListQuery {
        utf8: line.connection.utf8(),
        return_subscribed: true,
        return_special_use: true,
        return_children: true,
        return_status: list_status::offered(&caps, ITEMS),
        ..ListQuery::default()
    };
    let plan = list_extended::plan(&caps, &query)?;
    let sent: Vec<_> = plan.commands.into_iter().map(|command| line.send(command, Wants::List)).collect();
    line.settle().await?;
    let mut said = Said::default();
    // What was sent for subscriptions alone follows the list.
    let mut is_known = true;
    for (n, pending) in sent.into_iter().enumerate() {
        match pending.answer().await {
            Ok(reply) => said.read(&reply, most)?,
            Err(error) if n == 0 || error.retry() == Retry::Reconnect => return Err(error),
            Err(_) => is_known = false,
        }
    }
    let unasked = said.rows.iter().filter(|row| row.is_selectable() && !said.status.contains_key(row.mailbox.raw()));
    let mut asked = Vec::new();
    for row in unasked.filter(|_| !plan.then_status.is_empty()) {
        asked.push(line.send(command::status(&row.mailbox, &plan.then_status)?, Wants::Status));
    }
    for pending in asked {
        match pending.answer().await {
            Ok(reply) => said.read(&reply, most)?,
            Err(error) if error.retry() == Retry::Reconnect => return Err(error),
            // One that is listed and tells no numbers is opened to learn them.
            Err(_) => {}
        }
    }
    let mut listings = said.listings();
    listings.subscribed = listings.subscribed.filter(|_| is_known);
    Ok(listings)
}

#[derive(Default)]
struct Said {
    rows: Vec<ListRow>,
    names: BTreeSet<Vec<u8>>,
    subscribed: BTreeSet<Vec<u8>>,
    status: BTreeMap<Vec<u8>, StatusItems>,
}

impl Said {
    fn read(&mut self, reply: &Reply, most: usize) -> Result<()> {
        for response in &reply.untagged {
            match response {
                // Some servers list a mailbox twice.
                Response::Data(Untagged::List(row)) if self.names.insert(row.mailbox.raw().to_vec()) => {
                    self.rows.push(row.clone());
                    if row.has_attribute(SUBSCRIBED) {
                        self.subscribed.insert(row.mailbox.raw().to_vec());
                    }
                }
                Response::Data(Untagged::Lsub(row)) => {
                    self.subscribed.insert(row.mailbox.raw().to_vec());
                }
                Response::Data(Untagged::Status(status)) => {
                    self.status.insert(status.mailbox.raw().to_vec(), status.items.clone());
                }
                _ => {}
            }
        }
        if self.rows.len() > most {
            let message = format!("The server lists more than {most} mailboxes");
            return Err(MailError::new(Code::LimitExceeded, message));
        }
        Ok(())
    }

    fn listings(self) -> Listings {
        let uses = special_use::uses(&self.rows);
        let mut listings = Listings::default();
        listings.listing.complete = true;
        listings.subscribed = Some(self.subscribed);
        for (row, role) in self.rows.iter().zip(uses).filter(|(row, _)| !row.has_attribute("\\NonExistent")) {
            let numbers = self.status.get(row.mailbox.raw()).map(numbers);
            let object_id = numbers.as_ref().and_then(|numbers| numbers.object_id.clone());
            listings.rows.push(stored(row, role, object_id));
            let selectable = row.is_selectable();
            listings.listing.mailboxes.push(Listed { name: row.mailbox.clone(), selectable, numbers });
        }
        listings
    }
}

fn stored(row: &ListRow, role: Option<Use>, object_id: Option<String>) -> arrive::Listed {
    arrive::Listed {
        name: row.mailbox.clone(),
        delimiter: row.delimiter,
        role: role.map(|found| found.role),
        // That is the user's, not the mailbox's.
        attributes: row.attributes.iter().filter(|name| !name.eq_ignore_ascii_case(SUBSCRIBED)).cloned().collect(),
        object_id,
    }
}

fn numbers(items: &StatusItems) -> Numbers {
    Numbers {
        uid_validity: items.uid_validity,
        uid_next: items.uid_next,
        mod_seq: items.highest_mod_seq,
        messages: items.messages,
        object_id: items.mailbox_id.as_deref().and_then(object_id::valid).map(str::to_owned),
    }
}

/// The mailboxes that the store mirrors, and those that were deleted here while the server does not know.
pub(super) fn known(reader: &dyn Reader, listing: &Listing) -> Result<Vec<Known>> {
    let pending = reader.pending()?;
    let is_listed = |name: &[u8]| listing.mailboxes.iter().any(|listed| listed.name.raw() == name);
    let mut known = Vec::new();
    for row in reader.mailboxes()? {
        let Some(remote) = row.remote.as_ref().filter(|_| row.state != MailboxState::Gone) else { continue };
        // One that was made here is missing in the list for a good reason.
        if is_to_be_made(&pending, row.id.0) && !is_listed(&remote.name) {
            continue;
        }
        let becoming = becoming(&pending, &remote.name, row.delimiter);
        let own = of(&row);
        let has_suspects = own.has_suspects || !super::anew::unfound(reader, row.id)?.is_empty();
        known.push(Known { reserved: reader.reserved(row.id)?, becoming, has_suspects, ..own });
    }
    let deleted = pending.iter().filter_map(|entry| match &entry.intent {
        Intent::DeleteMailbox { mailbox, .. } => Some(mailbox),
        _ => None,
    });
    known.extend(deleted.map(|place| Known { leaving: true, ..nothing(place.id, place.name.clone()) }));
    Ok(known)
}

/// A mailbox as it is planned for; what is reserved is left out.
pub(super) fn of(row: &MailboxRow) -> Known {
    let remote = row.remote.clone().unwrap_or_default();
    Known {
        cursor: cursor(row),
        object_id: remote.object_id.clone(),
        unlisted: remote.unlisted,
        audited: remote.audited,
        has_suspects: !remote.suspects.is_empty(),
        paused: row.state == MailboxState::Paused,
        ..nothing(row.id.0, MailboxName::from_server(remote.name, false))
    }
}

pub(super) fn cursor(row: &MailboxRow) -> Cursor {
    let remote = row.remote.clone().unwrap_or_default();
    Cursor {
        uid_validity: remote.uid_validity,
        uid_next: remote.uid_next,
        mod_seq: remote.highest_mod_seq,
        exists: remote.exists,
        audited: false,
    }
}

fn nothing(id: i64, name: MailboxName) -> Known {
    Known {
        id,
        name,
        cursor: Cursor::default(),
        object_id: None,
        unlisted: 0,
        audited: 0,
        has_suspects: false,
        paused: false,
        reserved: UidSet::new(),
        leaving: false,
        becoming: None,
    }
}

/// What a mailbox, or one above it, may be called on the server by now: its rename was sent, and the answer is not here.
fn becoming(pending: &[Entry], name: &[u8], delimiter: Option<char>) -> Option<MailboxName> {
    pending.iter().filter(|entry| matches!(entry.state, State::Started { .. })).find_map(|entry| {
        let Intent::RenameMailbox { mailbox, to } = &entry.intent else { return None };
        let rest = name.strip_prefix(mailbox.name.raw())?;
        let is_below = delimiter.is_some_and(|d| rest.starts_with(d.to_string().as_bytes()));
        (rest.is_empty() || is_below).then(|| MailboxName::from_server([to.raw(), rest].concat(), false))
    })
}

fn is_to_be_made(pending: &[Entry], id: i64) -> bool {
    pending.iter().any(|entry| match &entry.intent {
        Intent::CreateMailbox { mailbox, .. } => mailbox.id == id,
        _ => false,
    })
}
