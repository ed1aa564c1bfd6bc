//! Mailboxes as a whole: list, create, rename, delete, subscribe, status; and what concerns the server.

use super::connection::Extra;
use super::info::{MailboxInfo, MailboxStatus, Namespace, Namespaces, RawReply};
use super::options::{CreateOptions, ListOptions};
use super::pool::Lease;
use super::redact;
use super::route::{Reply, Wants};
use super::selection::Target;
use super::session::Session;
use crate::error::{Code, MailError, Result};
use crate::imap::command::{self, ListQuery, StatusItem};
use crate::imap::{Capabilities, ListRow, MailboxName, Response, Role, StatusItems, Untagged};
use crate::wire::{Encoder, Frame};
use std::collections::BTreeMap;

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
        let lease = writable(self).await?;
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
        let lease = writable(self).await?;
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
        self.names().namespaces(self).await.map(|n| (*n).clone())
    }

    /// Tells the server who we are and returns what it says of itself; empty where it says nothing (ID, RFC 2971).
    pub async fn id(&self, fields: Vec<(String, Option<String>)>) -> Result<Vec<(String, Option<String>)>> {
        let lease = self.any().await?;
        if !lease.connection.capabilities().has("ID") {
            return Ok(Vec::new());
        }
        let fields: Vec<(&str, &str)> = fields.iter().filter_map(|(k, v)| Some((k.as_str(), v.as_deref()?))).collect();
        let reply = lease.connection.run(command::id(&fields)?, Wants::Id).await?;
        let said = reply.untagged.into_iter().find_map(|response| match response {
            Response::Data(Untagged::Id(fields)) => Some(fields),
            _ => None,
        });
        Ok(said.unwrap_or_default())
    }

    /// What the server can do, as it says after login.
    pub async fn capabilities(&self) -> Result<Vec<String>> {
        Ok(self.any().await?.connection.capabilities().iter().map(str::to_owned).collect())
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
        let mut encoder = Encoder::new("");
        let command = encoder.raw(text)?.clone().finish();
        let reply = self.any().await?.connection.begin(command, Wants::All, Extra { slow: true, ..Extra::default() });
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
    let query = query(&options, &capabilities);
    let reply = lease.connection.run_slow(command::list(&query)?, Wants::List).await?;
    let mut found = read(&reply, session.account().limits.mailboxes)?;
    if !query.return_subscribed && !query.subscribed_only {
        subscriptions(&lease, &options, &mut found).await?;
    }
    if options.subscribed {
        found.retain(|m| m.subscribed == Some(true));
    }
    if options.status && query.return_status.is_empty() {
        statuses(&lease, &mut found).await?;
    }
    guess_roles(&mut found);
    Ok(found)
}

fn query(options: &ListOptions, capabilities: &Capabilities) -> ListQuery {
    let extended = capabilities.has("LIST-EXTENDED");
    let statuses = extended && options.status && capabilities.has("LIST-STATUS");
    ListQuery {
        patterns: options.pattern.iter().cloned().collect(),
        utf8: capabilities.is_rev2_only(),
        subscribed_only: extended && options.subscribed,
        return_subscribed: extended,
        return_children: extended,
        return_special_use: extended && capabilities.has("SPECIAL-USE"),
        return_status: if statuses { status_items(capabilities) } else { Vec::new() },
        ..ListQuery::default()
    }
}

/// LSUB, for servers without LIST-EXTENDED.
async fn subscriptions(lease: &Lease, options: &ListOptions, found: &mut [MailboxInfo]) -> Result<()> {
    let pattern = options.pattern.as_deref().unwrap_or("*");
    let reply = lease.connection.run_slow(command::lsub("", pattern, false)?, Wants::List).await?;
    let subscribed: Vec<String> = reply
        .untagged
        .iter()
        .filter_map(|response| match response {
            Response::Data(Untagged::Lsub(row)) => Some(row.mailbox.as_str().to_owned()),
            _ => None,
        })
        .collect();
    for mailbox in found {
        mailbox.subscribed = Some(subscribed.contains(&mailbox.name));
    }
    Ok(())
}

/// One STATUS a mailbox, all sent before the first is answered, for servers without LIST-STATUS.
async fn statuses(lease: &Lease, found: &mut [MailboxInfo]) -> Result<()> {
    let items = status_items(&lease.connection.capabilities());
    let mut sent = Vec::new();
    for mailbox in found.iter().filter(|m| m.selectable) {
        let command = command::status(&encoded(lease, &mailbox.name), &items)?;
        sent.push((mailbox.name.clone(), lease.connection.begin(command, Wants::Status, Extra::default())));
    }
    let mut known = BTreeMap::new();
    for (name, pending) in sent {
        // A mailbox that was listed and cannot be asked has no status; the others have.
        match pending.answer().await {
            Ok(reply) => known.extend(status_in(&reply).map(|items| (name, items))),
            Err(error) if matches!(error.code(), Code::NetLost | Code::NetTimeout | Code::ServerBye) => {
                return Err(error);
            }
            Err(_) => {}
        }
    }
    for mailbox in found {
        mailbox.status = known.remove(&mailbox.name);
    }
    Ok(())
}

fn read(reply: &Reply, most: usize) -> Result<Vec<MailboxInfo>> {
    let mut found: Vec<MailboxInfo> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for response in &reply.untagged {
        match response {
            Response::Data(Untagged::List(row)) if !places.contains_key(row.mailbox.as_str()) => {
                places.insert(row.mailbox.as_str().to_owned(), found.len());
                found.push(info(row));
            }
            Response::Data(Untagged::Status(status)) => {
                let place = places.get(status.mailbox.as_str()).and_then(|at| found.get_mut(*at));
                if let Some(mailbox) = place {
                    mailbox.status = Some(status_of(&status.items));
                }
            }
            _ => {}
        }
        if found.len() > most {
            return Err(MailError::new(Code::LimitExceeded, format!("The server lists more than {most} mailboxes")));
        }
    }
    Ok(found)
}

fn info(row: &ListRow) -> MailboxInfo {
    let name = row.mailbox.as_str().to_owned();
    let path = match row.delimiter {
        Some(delimiter) => name.split(delimiter).map(str::to_owned).collect(),
        None => vec![name.clone()],
    };
    let subscribed = row.has_attribute("\\Subscribed");
    MailboxInfo {
        path,
        delimiter: row.delimiter,
        role: row.role(),
        role_guessed: false,
        selectable: row.is_selectable(),
        has_children: row.has_children(),
        subscribed: Some(subscribed),
        attributes: row.attributes.clone(),
        status: None,
        name,
    }
}

/// Roles by well-known names, for those that the server gives to none.
fn guess_roles(found: &mut [MailboxInfo]) {
    let given: Vec<Role> = found.iter().filter_map(|m| m.role).collect();
    let mut guessed: Vec<Role> = Vec::new();
    for mailbox in found.iter_mut().filter(|m| m.role.is_none() && m.selectable) {
        let role = Role::guess(&mailbox.name, mailbox.delimiter);
        if let Some(role) = role.filter(|r| !given.contains(r) && !guessed.contains(r)) {
            (mailbox.role, mailbox.role_guessed) = (Some(role), true);
            guessed.push(role);
        }
    }
}

/// Status of one mailbox.
pub(super) async fn status(session: &Session, target: &Target) -> Result<MailboxStatus> {
    let name = session.names().resolve(session, target).await?;
    let lease = session.any().await?;
    status_on(&lease, &name).await
}

async fn status_on(lease: &Lease, name: &str) -> Result<MailboxStatus> {
    let items = status_items(&lease.connection.capabilities());
    let command = command::status(&encoded(lease, name), &items)?;
    let reply = lease.connection.run_slow(command, Wants::Status).await.map_err(|e| e.in_mailbox(name))?;
    status_in(&reply).ok_or_else(|| MailError::new(Code::ServerProtocol, "The server gave no status").in_mailbox(name))
}

fn status_in(reply: &Reply) -> Option<MailboxStatus> {
    reply.untagged.iter().find_map(|response| match response {
        Response::Data(Untagged::Status(status)) => Some(status_of(&status.items)),
        _ => None,
    })
}

fn status_items(capabilities: &Capabilities) -> Vec<StatusItem> {
    let rev2 = capabilities.has("IMAP4rev2");
    let optional = [
        (capabilities.has("STATUS=SIZE") || rev2, StatusItem::Size),
        (rev2, StatusItem::Deleted),
        (capabilities.has("CONDSTORE") || capabilities.has("QRESYNC"), StatusItem::HighestModSeq),
        (capabilities.announces("APPENDLIMIT"), StatusItem::AppendLimit),
        (capabilities.has("OBJECTID"), StatusItem::MailboxId),
    ];
    let always = [StatusItem::Messages, StatusItem::UidNext, StatusItem::UidValidity, StatusItem::Unseen];
    always.into_iter().chain(optional.into_iter().filter(|(on, _)| *on).map(|(_, item)| item)).collect()
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
        mailbox_id: items.mailbox_id.as_ref().map(|id| String::from_utf8_lossy(id).into_owned()),
    }
}

/// Namespaces; for a server without the command, what an empty LIST tells of the delimiter.
pub(super) async fn namespaces(session: &Session) -> Result<Namespaces> {
    let lease = session.any().await?;
    if !lease.connection.capabilities().has("NAMESPACE") {
        return unnamed(&lease).await;
    }
    let reply = lease.connection.run(command::namespace(), Wants::Namespace).await?;
    let said = reply.untagged.into_iter().find_map(|response| match response {
        Response::Data(Untagged::Namespace(namespaces)) => Some(namespaces),
        _ => None,
    });
    let said = said.ok_or_else(|| MailError::new(Code::ServerProtocol, "The server gave no namespaces"))?;
    let convert = |all: Vec<crate::imap::Namespace>| {
        all.into_iter().map(|n| Namespace { prefix: n.prefix.as_str().to_owned(), delimiter: n.delimiter }).collect()
    };
    let (personal, other_users, shared) = (convert(said.personal), convert(said.other_users), convert(said.shared));
    Ok(Namespaces { personal, other_users, shared })
}

async fn unnamed(lease: &Lease) -> Result<Namespaces> {
    let query = ListQuery { patterns: vec![String::new()], ..ListQuery::default() };
    let reply = lease.connection.run(command::list(&query)?, Wants::List).await?;
    let delimiter = reply.untagged.iter().find_map(|response| match response {
        Response::Data(Untagged::List(row)) => Some(row.delimiter),
        _ => None,
    });
    let personal = vec![Namespace { prefix: String::new(), delimiter: delimiter.flatten() }];
    Ok(Namespaces { personal, ..Namespaces::default() })
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
    if session.account().read_only {
        return Err(MailError::new(Code::UsageReadOnly, "The session was opened read-only"));
    }
    session.any().await
}

fn encoded(lease: &Lease, name: &str) -> MailboxName {
    MailboxName::new(name, lease.connection.capabilities().is_rev2_only())
}
