//! The commands of the journal's steps. By UID only, in sets of bounded length; never EXPUNGE, never CLOSE.

use super::Pass;
use super::held::{message_at, name_of};
use super::push::{EMPTY_LOOKS, Item};
use crate::error::{Code, MailError, Result};
use crate::imap::command::{self, AppendBody, AppendMessage, StatusItem, StoreAction, StoreOptions};
use crate::imap::extension::literal;
use crate::imap::{Flag, ListRow, MailboxName, Response, ResponseCode, Role, UidSet, Untagged};
use crate::journal::Intent;
use crate::journal::steps::Act;
use crate::planted::{Bug, planted};
use crate::session::{Extra, Reply, SET_TEXT, Wants, pairs};
use crate::store::{MailboxId, body};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use tokio::sync::mpsc;

/// We know what we have set.
const SILENT: StoreOptions = StoreOptions { silent: true, unchanged_since: None };
/// Messages up to this size are appended from memory.
const IN_HAND: u64 = 1 << 20;

/// Where a message was placed by a command that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placed {
    /// There, where the server has told; `None` where it did not tell, or nothing is placed by this command.
    At(Option<(u32, u32)>),
    /// The server has told where it placed others, and not this one: it was not there to be placed.
    Nothing,
}

impl Pass {
    /// Sends the command of a step for all items, and says what became of each.
    pub(super) async fn command(&mut self, items: &[Item], act: &Act) -> Result<Vec<Placed>> {
        let Some(first) = items.first() else { return Ok(Vec::new()) };
        let intent = first.entry.intent.clone();
        match act {
            Act::Store { .. } | Act::Mark | Act::Expunge | Act::Move | Act::Copy => {
                self.on_messages(items, &intent, act).await
            }
            Act::Append => self.append(&intent).await.map(|placed| vec![placed]),
            _ => self.on_mailbox(&intent, act).await.map(|()| vec![Placed::At(None)]),
        }
    }

    async fn on_messages(&mut self, items: &[Item], intent: &Intent, act: &Act) -> Result<Vec<Placed>> {
        let name = self.name(MailboxId(intent.mailbox().id), &intent.mailbox().name).await?;
        let selected = self.line.select(&name).await?;
        if selected.exists == 0 && items.iter().any(|item| item.entry.attempts < EMPTY_LOOKS) {
            // It would say OK and do nothing.
            return Err(MailError::new(Code::ServerUnavailable, "The mailbox looks empty"));
        }
        let uids: UidSet = items.iter().filter_map(|item| item.uid).collect();
        let mut placed = BTreeMap::new();
        let (mut validity, mut told) = (0, false);
        for uids in uids.chunks_by_text(SET_TEXT) {
            for reply in self.on_chunk(&uids, intent, act).await? {
                if let Some((to, pairs)) = pairs(&reply) {
                    (validity, told) = (to, true);
                    placed.extend(pairs);
                }
            }
        }
        if intent.landing().is_some_and(|to| to.mailbox.id == intent.mailbox().id) {
            // Who has it open need not have been told of the copy, and then STORE says OK and does nothing.
            self.line.leave();
        }
        let is_placing = matches!(act, Act::Move | Act::Copy);
        let place = |item: &Item| match item.uid.and_then(|uid| placed.get(&uid)) {
            Some(uid) => Placed::At(Some((validity, *uid))),
            None if is_placing && (told || self.line.step_means().uid_plus) => Placed::Nothing,
            None => Placed::At(None),
        };
        Ok(items.iter().map(place).collect())
    }

    async fn on_chunk(&mut self, uids: &UidSet, intent: &Intent, act: &Act) -> Result<Vec<Reply>> {
        let deleted = [Flag::DELETED];
        let commands = match act {
            Act::Store { add, remove } => {
                let setting = if planted(Bug::FlagsOverwrite) { StoreAction::Replace } else { StoreAction::Add };
                let stores = [(StoreAction::Remove, remove), (setting, add)];
                let stores = stores.into_iter().filter(|(_, flags)| !flags.is_empty());
                stores.map(|(action, flags)| command::uid_store(uids, action, flags, SILENT)).collect::<Result<_>>()?
            }
            Act::Mark => vec![command::uid_store(uids, StoreAction::Add, &deleted, SILENT)?],
            Act::Expunge if planted(Bug::PlainExpunge) => vec![command::close()],
            Act::Expunge => vec![command::uid_expunge(uids)?],
            _ => {
                let to = intent.landing().ok_or_else(|| MailError::from(Code::Internal))?;
                let name = self.name(MailboxId(to.mailbox.id), &to.mailbox.name).await?;
                vec![if *act == Act::Move { command::uid_move(uids, &name)? } else { command::uid_copy(uids, &name)? }]
            }
        };
        let sent: Vec<_> = commands.into_iter().map(|command| self.line.send(command, Wants::Nothing)).collect();
        let mut replies = Vec::new();
        for pending in sent {
            replies.push(pending.answer().await?);
        }
        Ok(replies)
    }

    async fn append(&mut self, intent: &Intent) -> Result<Placed> {
        let Intent::Append { to, flags, internal_date, .. } = intent else {
            return Err(MailError::from(Code::Internal));
        };
        let (mailbox, local) = (MailboxId(to.mailbox.id), to.local);
        let name = self.name(mailbox, &to.mailbox.name).await?;
        let message = self.books.read(move |reader| {
            message_at(reader, mailbox, local)?
                .ok_or_else(|| MailError::new(Code::MessageMissing, "The message is no longer here"))
        });
        let message = message.await?;
        let content = self.books.read(move |reader| body::open(reader, message)).await?;
        let (size, mut bodies) = (content.size(), VecDeque::new());
        let body = if size <= IN_HAND {
            AppendBody::Bytes(self.books.read(move |reader| body::read(reader, message, IN_HAND)).await?)
        } else {
            bodies.push_back(self.stream(content));
            AppendBody::Stream(size)
        };
        let binary = matches!(&body, AppendBody::Bytes(bytes) if bytes.contains(&0));
        literal::check_nul(&self.line.connection.capabilities(), binary)?;
        let flags = flags.iter().filter(|flag| flag.is_settable()).cloned().collect();
        let append = command::append(&name, &[AppendMessage { flags, internal_date: *internal_date, body, binary }])?;
        let extra = Extra { slow: true, bodies, ..Extra::default() };
        let reply = self.line.connection.begin(append, Wants::Nothing, extra).answer().await?;
        self.count(mailbox).bytes += size;
        Ok(Placed::At(appended(&reply)))
    }

    /// A content in pieces, read as the connection takes them.
    fn stream(&self, mut content: body::Content) -> mpsc::Receiver<Result<Bytes>> {
        let (sender, receiver) = mpsc::channel(2);
        let books = self.books.clone();
        self.session.engine().runtime().spawn(async move {
            loop {
                let read = books.read(move |reader| {
                    let piece = content.next(reader)?;
                    Ok((content, piece))
                });
                match read.await {
                    Ok((rest, Some(piece))) => {
                        content = rest;
                        if sender.send(Ok(piece)).await.is_err() {
                            return;
                        }
                    }
                    Ok((_, None)) => return,
                    Err(error) => {
                        let _ = sender.send(Err(error)).await;
                        return;
                    }
                }
            }
        });
        receiver
    }

    async fn on_mailbox(&mut self, intent: &Intent, act: &Act) -> Result<()> {
        let name = &intent.mailbox().name;
        self.line.leave();
        let command = match (act, intent) {
            (Act::Create, Intent::CreateMailbox { role, .. }) => {
                let offered = self.line.connection.capabilities().has("CREATE-SPECIAL-USE");
                let role = role.as_deref().and_then(Role::from_attribute).filter(|_| offered);
                command::create(name, role)?
            }
            (Act::Rename, Intent::RenameMailbox { to, .. }) => command::rename(name, to)?,
            (Act::Remove, _) => command::delete(name)?,
            (Act::Subscribe, _) => command::subscribe(name)?,
            _ => command::unsubscribe(name)?,
        };
        // Some servers refuse to touch a mailbox that is open: another one takes its place.
        if matches!(act, Act::Rename | Act::Remove) {
            self.line.reopen(&MailboxName::new(crate::imap::INBOX, false)).await?;
        }
        match self.line.send(command, Wants::Nothing).answer().await {
            // Courier refuses to make what is there and does not say that it is.
            Err(error) if matches!(act, Act::Create) && error.code() == Code::ServerRefused => {
                let is_there = self.is_listed(name).await?;
                Err(if is_there { MailError::new(Code::MailboxExists, "The mailbox is there already") } else { error })
            }
            Err(error) if matches!(act, Act::Rename) && error.code() == Code::MailboxMissing => {
                self.rename_below(intent, error).await
            }
            answer => answer.map(drop),
        }
    }

    /// Renames what is below a level that is no mailbox itself, which servers list and do not rename. With nothing below,
    /// what the server said of the level stands.
    async fn rename_below(&mut self, intent: &Intent, missing: MailError) -> Result<()> {
        let Intent::RenameMailbox { mailbox, to } = intent else { return Err(missing) };
        let below = below(self.list_names().await?, &mailbox.name);
        if below.is_empty() {
            return Err(missing);
        }
        for name in below {
            let rest = name.raw().strip_prefix(mailbox.name.raw()).unwrap_or_default();
            let to = MailboxName::from_server([to.raw(), rest].concat(), false);
            self.line.send(command::rename(&name, &to)?, Wants::Nothing).answer().await?;
        }
        Ok(())
    }

    /// The name of a mailbox on the server now.
    pub(super) async fn name(&self, id: MailboxId, otherwise: &MailboxName) -> Result<MailboxName> {
        let row = self.books.read(move |reader| reader.mailbox(id)).await?;
        Ok(name_of(row.as_ref(), otherwise.clone()))
    }

    /// UIDVALIDITY, UIDNEXT and message count of a mailbox; `None` where there is none. Without a UIDNEXT (163, Winmail)
    /// everything in it may be newer.
    pub(super) async fn numbers(&mut self, name: &MailboxName) -> Result<Option<(u32, u32, u32)>> {
        let items = [StatusItem::UidValidity, StatusItem::UidNext, StatusItem::Messages];
        let reply = match self.line.send(command::status(name, &items)?, Wants::Status).answer().await {
            Ok(reply) => reply,
            Err(error) if error.code() == Code::MailboxMissing || error.code() == Code::ServerRefused => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let told = reply.untagged.iter().find_map(|response| match response {
            Response::Data(Untagged::Status(status)) => Some(status.items.clone()),
            _ => None,
        });
        let told = told.unwrap_or_default();
        let Some(validity) = told.uid_validity else {
            let selected = self.line.reopen(name).await?;
            return Ok(Some((selected.uid_validity, selected.uid_next.unwrap_or(1), selected.exists)));
        };
        Ok(Some((validity, told.uid_next.unwrap_or(1), told.messages.unwrap_or(u32::MAX))))
    }
}

/// The mailboxes below a level, without those below them: they go with these (RFC 9051 section 6.3.6). None where it is a
/// mailbox itself.
fn below(mut rows: Vec<ListRow>, level: &MailboxName) -> Vec<MailboxName> {
    let is_below = |row: &ListRow, above: &MailboxName| {
        let rest = row.mailbox.raw().strip_prefix(above.raw());
        rest.zip(row.delimiter).is_some_and(|(rest, d)| rest.starts_with(d.to_string().as_bytes()))
    };
    rows.retain(ListRow::is_selectable);
    if rows.iter().any(|row| row.mailbox == *level) {
        return Vec::new();
    }
    rows.sort_by(|left, right| left.mailbox.raw().cmp(right.mailbox.raw()));
    let mut top: Vec<MailboxName> = Vec::new();
    for row in rows.into_iter().filter(|row| is_below(row, level)) {
        if !top.iter().any(|above| is_below(&row, above)) {
            top.push(row.mailbox);
        }
    }
    top
}

/// Where APPEND has put it (RFC 4315).
fn appended(reply: &Reply) -> Option<(u32, u32)> {
    let untagged = reply.untagged.iter().filter_map(|response| match response {
        Response::Status { code, .. } => code.as_ref(),
        _ => None,
    });
    reply.code.iter().chain(untagged).find_map(|code| match code {
        ResponseCode::AppendUid { validity, uids } => uids.iter().next().map(|uid| (*validity, uid)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::extension::children::tests::row;

    #[test]
    fn a_level_is_renamed_by_the_mailboxes_next_below_it() {
        let work = MailboxName::new("Work", false);
        let noselect = &["\\Noselect"][..];
        let rows = vec![
            row("Work/Done/2024", &[]),
            row("Work", noselect),
            row("Work/Done", &[]),
            row("Work/Old", noselect),
            row("Work/Old/2019", &[]),
            row("Workshop", &[]),
            row("INBOX", &[]),
        ];
        let names: Vec<_> = below(rows, &work).iter().map(|name| name.as_str().to_owned()).collect();
        assert_eq!(names, ["Work/Done", "Work/Old/2019"]);
        assert_eq!(below(vec![row("Work", &[]), row("Work/Done", &[])], &work), []);
        assert_eq!(below(vec![row("Workshop", &[])], &work), []);
    }
}
