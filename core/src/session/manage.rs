//! Mailboxes as a whole: list, create, rename, delete, subscribe, status; and what concerns the server.

use super::connection::Extra;
use super::info::{MailboxInfo, MailboxStatus, Namespace, Namespaces, RawReply};
use super::options::{CreateOptions, ListOptions};
use super::pool::Lease;
use super::redact;
use super::route::{Reply, Wants};
use super::selection::Target;
use super::session::Session;
use super::settle::identity;
use crate::error::{Code, MailError, Result, Retry};
use crate::imap::command::{self, ListQuery, StatusItem};
use crate::imap::extension::special_use::{self, Use};
use crate::imap::extension::{self, children, list_extended, list_status, namespace, object_id};
use crate::imap::quirk::Quirks;
use crate::imap::{self, ListRow, MailboxName, Response, Role, StatusItems, Untagged};
use crate::wire::{Encoder, Frame};
use std::collections::{BTreeMap, BTreeSet};

impl Session {
    /// The mailboxes of the account.
    pub async fn mailboxes(&self, options: ListOptions) -> Result<Vec<MailboxInfo>> {
        mailboxes(self, options).await
    }

    /// Creates a mailbox and returns its name on the server.
    pub async fn create_mailbox(&self, target: impl Into<Target>, options: CreateOptions) -> Result<String> {
        let name = self.names().resolve(self, &target.into()).await?;
        create(self, &name, &options).await.map(|()| name)
    }

    /// Renames a mailbox, its children with it. Renaming INBOX moves its messages (RFC 9051 section 6.3.6).
    pub async fn rename_mailbox(&self, from: impl Into<Target>, to: impl Into<Target>) -> Result<()> {
        let from = self.names().resolve(self, &from.into()).await?;
        let to = self.names().resolve(self, &to.into()).await?;
        check_writable(self)?;
        self.pool().leave(&from).await;
        let lease = self.any().await?;
        let (old, new) = (encoded(&lease, &from), encoded(&lease, &to));
        let renamed = lease.connection.run(command::rename(&old, &new)?, Wants::Nothing).await;
        self.pool().forget(&from);
        self.names().forget();
        renamed.map(drop).map_err(|e| e.in_mailbox(&from))
    }

    /// Deletes a mailbox. One that holds messages is refused with [`Code::MailboxNotEmpty`], unless
    /// `even_if_not_empty`.
    pub async fn delete_mailbox(&self, target: impl Into<Target>, even_if_not_empty: bool) -> Result<()> {
        let name = self.names().resolve(self, &target.into()).await?;
        check_writable(self)?;
        self.pool().leave(&name).await;
        let lease = self.any().await?;
        if !even_if_not_empty {
            let count = status_on(&lease, &name).await?.messages.unwrap_or(0);
            if count > 0 {
                let message = format!("The mailbox holds {count} messages");
                return Err(MailError::new(Code::MailboxNotEmpty, message).in_mailbox(&name));
            }
        }
        let deleted = lease.connection.run(command::delete(&encoded(&lease, &name))?, Wants::Nothing).await;
        self.pool().forget(&name);
        self.names().forget();
        deleted.map(drop).map_err(|e| e.in_mailbox(&name))
    }

    /// Subscribes to a mailbox, or ends that.
    pub async fn subscribe(&self, target: impl Into<Target>, on: bool) -> Result<()> {
        let name = self.names().resolve(self, &target.into()).await?;
        let lease = writable(self).await?;
        let encoded = encoded(&lease, &name);
        let command = if on { command::subscribe(&encoded)? } else { command::unsubscribe(&encoded)? };
        self.names().forget();
        lease.connection.run(command, Wants::Nothing).await.map(drop).map_err(|e| e.in_mailbox(&name))
    }

    /// Status of a mailbox, as the server sees it now.
    pub async fn status(&self, target: impl Into<Target>) -> Result<MailboxStatus> {
        status(self, &target.into()).await
    }

    /// The namespaces of the account.
    pub async fn namespaces(&self) -> Result<Namespaces> {
        let said = self.names().namespaces(self).await?;
        let own = |all: &[imap::Namespace]| all.iter().map(Namespace::from).collect();
        let (personal, other_users, shared) = (own(&said.personal), own(&said.other_users), own(&said.shared));
        Ok(Namespaces { personal, other_users, shared })
    }

    /// Tells the server who we are and returns what it says of itself; empty where it says nothing (ID, RFC 2971).
    pub async fn id(&self, fields: Vec<(String, Option<String>)>) -> Result<Vec<(String, Option<String>)>> {
        let lease = self.any().await?;
        let fields: Vec<(&str, &str)> = fields.iter().filter_map(|(k, v)| Some((k.as_str(), v.as_deref()?))).collect();
        let Some(id) = extension::id::plan(&lease.connection.capabilities(), &fields)? else { return Ok(Vec::new()) };
        lease.connection.run(id, Wants::Id).await.map(identity)
    }

    /// What the server can do, as it says after login.
    pub async fn capabilities(&self) -> Result<Vec<String>> {
        Ok(self.any().await?.connection.capabilities().iter().map(str::to_owned).collect())
    }

    /// What is done differently with this server.
    pub(crate) async fn quirks(&self) -> Result<Quirks> {
        Ok(Quirks::clone(&*self.any().await?.connection.quirks()))
    }

    /// Asks for nothing: whether the server is there.
    pub async fn noop(&self) -> Result<()> {
        self.any().await?.connection.run(command::noop(), Wants::Nothing).await.map(drop)
    }

    /// Sends a command as it is written, and returns what the server answers. For what this library does not know yet.
    ///
    /// CR, LF and NUL are refused, and so is what changes the state of a connection that others share.
    pub async fn raw(&self, text: &str) -> Result<RawReply> {
        let word = text.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        if OURS.contains(&word.as_str()) {
            let message = format!("{word} would change a connection that other calls share");
            return Err(MailError::new(Code::UsageArgument, message).hint("Use the method for it"));
        }
        if !word.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return Err(MailError::new(Code::UsageArgument, "A command begins with its name"));
        }
        let mut encoder = Encoder::new("");
        let command = encoder.raw(text)?.clone().finish();
        let reply = self.any().await?.connection.begin(command, Wants::All, slow());
        let reply = reply.answer().await?;
        let untagged = reply.lines.iter().map(|line| redact::received(&Frame::text(line.clone()))).collect();
        Ok(RawReply { untagged, text: reply.text })
    }
}

/// Commands that the session gives itself.
const OURS: &[&str] = &[
    "LOGIN",
    "AUTHENTICATE",
    "STARTTLS",
    "LOGOUT",
    "SELECT",
    "EXAMINE",
    "CLOSE",
    "UNSELECT",
    "IDLE",
    "COMPRESS",
    "ENABLE",
    "NOTIFY",
    "UNAUTHENTICATE",
    "APPEND",
    "EXPUNGE",
];

/// Mailboxes of the account.
pub(super) async fn mailboxes(session: &Session, options: ListOptions) -> Result<Vec<MailboxInfo>> {
    let lease = session.any().await?;
    let capabilities = lease.connection.capabilities();
    let plan = list_extended::plan(&capabilities, &query(&options, &lease))?;
    let sent: Vec<_> = plan.commands.into_iter().map(|c| lease.connection.begin(c, Wants::List, slow())).collect();
    let mut listed = Listed::default();
    for pending in sent {
        listed.read(&pending.answer().await?, session.account().limits.mailboxes)?;
    }
    let without = listed.rows.iter().zip(&listed.statuses).filter(|(_, status)| status.is_none()).map(|(row, _)| row);
    let statuses = list_status::one_by_one(without, &plan.then_status)?;
    let asked: Vec<_> = statuses.into_iter().map(|s| lease.connection.begin(s, Wants::Status, slow())).collect();
    for pending in asked {
        match pending.answer().await {
            Ok(reply) => listed.read(&reply, session.account().limits.mailboxes)?,
            Err(error) if error.retry() == Retry::Reconnect => return Err(error),
            // One that was listed and cannot be asked has no status; the others have.
            Err(_) => {}
        }
    }
    let mut found = listed.infos(plan.subscribed_by_lsub);
    if options.subscribed {
        found.retain(|m| m.subscribed == Some(true));
    }
    Ok(found)
}

fn slow() -> Extra {
    Extra { slow: true, ..Extra::default() }
}

fn query(options: &ListOptions, lease: &Lease) -> ListQuery {
    let status = if options.status { status_items(lease) } else { Vec::new() };
    ListQuery {
        patterns: options.pattern.iter().cloned().collect(),
        utf8: lease.connection.utf8(),
        subscribed_only: options.subscribed,
        return_subscribed: true,
        return_children: true,
        return_special_use: true,
        return_status: status,
        ..ListQuery::default()
    }
}

/// What a listing has told so far.
#[derive(Default)]
struct Listed {
    rows: Vec<ListRow>,
    statuses: Vec<Option<StatusItems>>,
    places: BTreeMap<String, usize>,
    subscribed: BTreeSet<String>,
}

impl Listed {
    fn read(&mut self, reply: &Reply, most: usize) -> Result<()> {
        for response in &reply.untagged {
            match response {
                Response::Data(Untagged::List(row)) => self.row(row),
                Response::Data(Untagged::Lsub(row)) => drop(self.subscribed.insert(row.mailbox.as_str().to_owned())),
                Response::Data(Untagged::Status(status)) => self.status(&status.mailbox, &status.items),
                _ => {}
            }
            if self.rows.len() > most {
                return Err(MailError::new(
                    Code::LimitExceeded,
                    format!("The server lists more than {most} mailboxes"),
                ));
            }
        }
        Ok(())
    }

    /// Some servers list a mailbox twice.
    fn row(&mut self, row: &ListRow) {
        if !self.places.contains_key(row.mailbox.as_str()) {
            self.places.insert(row.mailbox.as_str().to_owned(), self.rows.len());
            self.rows.push(row.clone());
            self.statuses.push(None);
        }
    }

    fn status(&mut self, mailbox: &MailboxName, items: &StatusItems) {
        let place = self.places.get(mailbox.as_str()).and_then(|at| self.statuses.get_mut(*at));
        if let Some(status) = place {
            *status = Some(items.clone());
        }
    }

    fn infos(&self, by_lsub: bool) -> Vec<MailboxInfo> {
        let info = |((row, status), known): ((&ListRow, &Option<StatusItems>), Option<Use>)| {
            let name = row.mailbox.as_str().to_owned();
            let path = match row.delimiter {
                Some(delimiter) => name.split(delimiter).map(str::to_owned).collect(),
                None => vec![name.clone()],
            };
            let subscribed = if by_lsub { self.subscribed.contains(&name) } else { row.has_attribute("\\Subscribed") };
            MailboxInfo {
                path,
                delimiter: row.delimiter,
                role: known.map(|u| u.role),
                role_guessed: known.is_some_and(|u| u.guessed),
                selectable: row.is_selectable(),
                has_children: Some(children::has_children(row, &self.rows)),
                subscribed: Some(subscribed),
                attributes: row.attributes.clone(),
                status: status.as_ref().map(status_of),
                name,
            }
        };
        self.rows.iter().zip(&self.statuses).zip(special_use::uses(&self.rows)).map(info).collect()
    }
}

/// Status of one mailbox.
pub(super) async fn status(session: &Session, target: &Target) -> Result<MailboxStatus> {
    let name = session.names().resolve(session, target).await?;
    let lease = session.any().await?;
    status_on(&lease, &name).await
}

async fn status_on(lease: &Lease, name: &str) -> Result<MailboxStatus> {
    let command = command::status(&encoded(lease, name), &status_items(lease))?;
    let reply = lease.connection.run_slow(command, Wants::Status).await.map_err(|e| e.in_mailbox(name))?;
    let status = status_in(&reply).map(status_of);
    status.ok_or_else(|| MailError::new(Code::ServerProtocol, "The server gave no status").in_mailbox(name))
}

fn status_in(reply: &Reply) -> Option<&StatusItems> {
    reply.untagged.iter().find_map(|response| match response {
        Response::Data(Untagged::Status(status)) => Some(&status.items),
        _ => None,
    })
}

/// Everything that the server can tell of a mailbox.
fn status_items(lease: &Lease) -> Vec<StatusItem> {
    use StatusItem::{AppendLimit, Deleted, HighestModSeq, MailboxId, Messages, Size, UidNext, UidValidity, Unseen};
    let all = [Messages, UidNext, UidValidity, Unseen, Size, Deleted, HighestModSeq, AppendLimit, MailboxId];
    list_status::offered(&lease.connection.capabilities(), &all)
}

fn status_of(items: &StatusItems) -> MailboxStatus {
    MailboxStatus {
        messages: items.messages.map(u64::from),
        unseen: items.unseen.map(u64::from),
        deleted: items.deleted.map(u64::from),
        uid_next: items.uid_next,
        uid_validity: items.uid_validity,
        size: items.size,
        highest_mod_seq: items.highest_mod_seq,
        append_limit: items.append_limit,
        mailbox_id: items.mailbox_id.as_deref().and_then(object_id::valid).map(str::to_owned),
    }
}

/// Namespaces; for a server without the command, what an empty LIST tells of the delimiter.
pub(super) async fn namespaces(session: &Session) -> Result<imap::Namespaces> {
    let lease = session.any().await?;
    let command = namespace::plan(&lease.connection.capabilities())?;
    let reply = lease.connection.run(command, Wants::Namespace).await?;
    let said = reply.untagged.into_iter().find_map(|response| match response {
        Response::Data(Untagged::Namespace(namespaces)) => Some(namespaces),
        Response::Data(Untagged::List(row)) => Some(namespace::from_list(&row)),
        _ => None,
    });
    said.ok_or_else(|| MailError::new(Code::ServerProtocol, "The server gave no namespaces"))
}

async fn create(session: &Session, name: &str, options: &CreateOptions) -> Result<()> {
    let lease = writable(session).await?;
    let role = options.role.filter(|_| lease.connection.capabilities().has("CREATE-SPECIAL-USE"));
    let created = lease.connection.run(command::create(&encoded(&lease, name), role)?, Wants::Nothing).await;
    session.names().forget();
    match created {
        Err(error) if options.exist_ok && error.code() == Code::MailboxExists => Ok(()),
        other => other.map(drop).map_err(|e| e.in_mailbox(name)),
    }
}

/// Makes a mailbox if the list has none of that name.
pub(super) async fn ensure(session: &Session, name: &str) -> Result<()> {
    let list = session.names().list(session).await?;
    if list.iter().any(|m| m.name == name && m.selectable) {
        return Ok(());
    }
    create(session, name, &CreateOptions { exist_ok: true, ..CreateOptions::default() }).await
}

/// Makes a mailbox for a role, under its English name.
pub(super) async fn create_for_role(session: &Session, role: Role) -> Result<String> {
    let mut name = role.as_str().to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let target = Target::Path(vec![name]);
    session.create_mailbox(target, CreateOptions { role: Some(role), exist_ok: true }).await
}

async fn writable(session: &Session) -> Result<Lease> {
    check_writable(session)?;
    session.any().await
}

fn check_writable(session: &Session) -> Result<()> {
    if session.account().read_only {
        return Err(MailError::new(Code::UsageReadOnly, "The session was opened read-only"));
    }
    Ok(())
}

fn encoded(lease: &Lease, name: &str) -> MailboxName {
    MailboxName::new(name, lease.connection.utf8())
}
