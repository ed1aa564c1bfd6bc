//! The change feed as the events of a [`Watch`]: of a whole store, or of one mailbox; gap-free, and across restarts.
//!
//! ```text
//! begin (where it stands) -> rest (messages that are there, for `Since::All`) -> the feed, a piece at a time
//! ```

use super::changes::{Piece, events};
use super::fetch::load;
use super::{LocalMailbox, Mail, names};
use crate::error::{Code, MailError, Result};
use crate::imap::UidSet;
use crate::session::{FetchOptions, Target};
use crate::store::{Change, Cursor, MailboxId, Reader, feed};
use crate::watch::{Event, Events, Since, Watch, WatchCursor, WatchEvent, WatchOptions};
use futures_util::future::BoxFuture;
use std::collections::VecDeque;
use std::fmt;
use tokio::sync::watch;

/// Entries of the feed, or messages, that are read at once.
const BATCH: usize = 256;

impl Mail {
    /// What has happened since a cursor, or from now on, by a pass, by this process or by another; and that
    /// [`Mail::keep_in_sync`] of this process cannot reach the server, or can again. [`Since::All`] is refused: fetch what
    /// is there, after asking for [`Mail::cursor`].
    #[must_use]
    pub fn changes(&self, since: Since) -> Watch {
        Watch::kept(Feed::new(self.clone(), since, None))
    }

    /// The place in the feed after everything that has happened.
    pub async fn cursor(&self) -> Result<String> {
        let handle = self.handle()?;
        let id = handle.store().id().clone();
        Ok(handle.read(move |reader| feed::now(reader, &id)).await?.to_string())
    }
}

impl LocalMailbox {
    /// Follows the mailbox, as it is here: what [`Mail::changes`] tells of it, with the events of a live one. Nothing
    /// reaches the server by this; [`Mail::keep_in_sync`] does. `poll_seconds` has no meaning here.
    ///
    /// It ends with [`Code::MailboxMissing`] when the mailbox is gone.
    #[must_use]
    pub fn watch(&self, options: WatchOptions) -> Watch {
        Watch::kept(Feed::new(self.mail().clone(), options.since, Some(self.target().clone())))
    }
}

/// One consumer of the feed.
struct Feed {
    mail: Mail,
    since: Since,
    /// The only mailbox that is told of.
    target: Option<Target>,
    stand: Option<Stand>,
    ready: VecDeque<WatchEvent>,
    /// What ends it when `ready` is empty.
    end: Option<MailError>,
    network: watch::Receiver<Option<MailError>>,
    is_offline: bool,
}

/// Where a consumer stands.
#[derive(Clone, Debug)]
struct Stand {
    at: At,
    mailbox: Option<MailboxId>,
    /// Messages that were there at the beginning and are still to be told.
    rest: UidSet,
    /// All of those: the feed does not tell them as new once more.
    told: UidSet,
}

impl Feed {
    fn new(mail: Mail, since: Since, target: Option<Target>) -> Self {
        let network = mail.0.network.subscribe();
        Self { mail, since, target, stand: None, ready: VecDeque::new(), end: None, network, is_offline: false }
    }

    async fn wait(&mut self) -> Result<Option<WatchEvent>> {
        let (mut closing, mut changes) = (self.mail.0.closing.subscribe(), self.mail.0.handle.changes());
        loop {
            if self.mail.is_closed() {
                return Ok(None);
            }
            match self.known().await {
                Ok(None) => {}
                // It was closed in between.
                Err(error) if error.code() == Code::UsageClosed => return Ok(None),
                ready => return ready,
            }
            tokio::select! {
                changed = changes.changed() => changed?,
                // Its sender lives as long as the mail.
                _ = self.network.changed() => {}
                _ = closing.wait_for(|closed| *closed) => return Ok(None),
            }
        }
    }

    async fn known(&mut self) -> Result<Option<WatchEvent>> {
        while self.ready.is_empty() {
            if let Some(error) = &self.end {
                return Err(error.clone());
            }
            let stand = self.begin().await?.clone();
            let is_end = if stand.rest.is_empty() { self.read(stand).await? } else { self.tell_rest(stand).await? };
            if is_end {
                return Ok(self.connectivity());
            }
        }
        Ok(self.ready.pop_front())
    }

    /// Fixes where it begins, once.
    async fn begin(&mut self) -> Result<&mut Stand> {
        if self.stand.is_none() {
            let given = match &self.since {
                Since::Cursor(text) => Some(At::parse(text)?),
                Since::All if self.target.is_none() => {
                    let text = "The feed does not hold all that there is";
                    return Err(
                        MailError::new(Code::UsageArgument, text).hint("Take cursor(), fetch, then go on from it")
                    );
                }
                Since::Now | Since::All => None,
            };
            let (handle, target, is_all) = (self.mail.handle()?, self.target.clone(), self.since == Since::All);
            let store = handle.store().id().clone();
            let begin = move |reader: &dyn Reader| {
                let at = match given {
                    Some(at) => at,
                    None => At { cursor: feed::now(reader, &store)?, rest: None },
                };
                let mailbox = target.map(|target| names::existing(reader, &target)).transpose()?.map(|row| row.id);
                let rest = mailbox.map(|id| rest(reader, id, &at, is_all)).transpose()?.unwrap_or_default();
                Ok(Stand { at, mailbox, told: rest.clone(), rest })
            };
            self.stand = Some(handle.read(begin).await?);
        }
        self.stand.as_mut().ok_or_else(|| MailError::from(Code::Internal))
    }

    /// Tells some of the messages that were there at the beginning.
    async fn tell_rest(&mut self, mut stand: Stand) -> Result<bool> {
        let some = stand.rest.oldest(BATCH as u64);
        let last = stand.rest.last().unwrap_or_default();
        let Some(mailbox) = stand.mailbox else { return Ok(true) };
        let row = self.mail.handle()?.read(move |reader| reader.mailbox(mailbox)).await?;
        let row = row.ok_or_else(|| MailError::from(Code::MailboxMissing))?;
        let messages = load(&self.mail, &row, &some, &FetchOptions::default()).await?;
        let after = |uid: u32| Some((uid, last)).filter(|_| uid != last);
        let cursor = stand.at.cursor.clone();
        self.ready.extend(messages.into_iter().map(|message| {
            let at = At { cursor: cursor.clone(), rest: after(message.uid()) };
            WatchEvent { event: Event::New(message), cursor: WatchCursor::feed(&at.to_string()) }
        }));
        stand.at.rest = some.last().and_then(after);
        stand.rest = stand.rest.difference(&some);
        self.stand = Some(stand);
        Ok(false)
    }

    /// Reads on in the feed; whether its end was reached.
    async fn read(&mut self, mut stand: Stand) -> Result<bool> {
        let piece = Piece::read(&self.mail, stand.at.cursor.clone(), (stand.mailbox, BATCH)).await?;
        let is_end = piece.cursor == stand.at.cursor;
        let gone = piece.rows.iter().find_map(|(_, change)| match change {
            Change::MailboxGone { mailbox } if stand.mailbox == Some(*mailbox) => piece.name(*mailbox),
            _ => None,
        });
        stand.at = At { cursor: piece.cursor.clone(), rest: None };
        let told = stand.told.clone();
        let is_known = |event: &WatchEvent| matches!(&event.event, Event::New(new) if told.contains(new.uid()));
        let events = events(&self.mail, piece).await?;
        self.ready.extend(events.into_iter().filter(|event| !is_known(event)));
        self.end = gone.map(|name| MailError::new(Code::MailboxMissing, "The mailbox is gone").in_mailbox(&name));
        self.stand = Some(stand);
        Ok(is_end)
    }

    /// Whether the server can be reached, where that has changed.
    fn connectivity(&mut self) -> Option<WatchEvent> {
        let lost = self.network.borrow_and_update().clone();
        let is_new = std::mem::replace(&mut self.is_offline, lost.is_some()) != lost.is_some();
        let cursor = WatchCursor::feed(&self.stand.as_ref()?.at.to_string());
        is_new.then(|| WatchEvent { event: lost.map_or(Event::Online, Event::Offline), cursor })
    }
}

impl Events for Feed {
    fn ready(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.begin().await.map(drop) })
    }

    fn next(&mut self) -> BoxFuture<'_, Result<Option<WatchEvent>>> {
        Box::pin(self.wait())
    }

    fn at_hand(&mut self) -> BoxFuture<'_, Result<Option<WatchEvent>>> {
        Box::pin(async move {
            match self.known().await {
                Err(error) if error.code() == Code::UsageClosed => Ok(None),
                known => known,
            }
        })
    }
}

/// Messages of a mailbox that are to be told before the feed.
fn rest(reader: &dyn Reader, mailbox: MailboxId, at: &At, is_all: bool) -> Result<UidSet> {
    let here = reader.uids(mailbox)?;
    Ok(match at.rest {
        _ if is_all => here,
        Some((uid, last)) => here.intersection(&UidSet::range(uid.saturating_add(1), last)),
        None => UidSet::new(),
    })
}

/// A place in the feed, and how far the messages were told that were there then: as text `store:number`, or
/// `store:number/uid-last` where those above `uid` and up to `last` are still to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
struct At {
    cursor: Cursor,
    rest: Option<(u32, u32)>,
}

impl At {
    fn parse(text: &str) -> Result<Self> {
        let (cursor, rest) = text.split_once('/').map_or((text, None), |(cursor, rest)| (cursor, Some(rest)));
        let cursor = Cursor::parse(cursor)?;
        let wrong = || MailError::new(Code::UsageArgument, "This is not a cursor of a mailbox");
        let range =
            |rest: &str| rest.split_once('-').and_then(|(uid, last)| Some((uid.parse().ok()?, last.parse().ok()?)));
        Ok(Self { cursor, rest: rest.map(|rest| range(rest).ok_or_else(wrong)).transpose()? })
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rest {
            None => self.cursor.fmt(f),
            Some((uid, last)) => write!(f, "{}/{uid}-{last}", self.cursor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_being_written_down() {
        for text in ["abc:7", "abc:7/3-9"] {
            assert_eq!(At::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "abc", "abc:7/", "abc:7/3", "abc:7/x-9", "abc:7/3-9-1"] {
            assert_eq!(At::parse(text).unwrap_err().code(), Code::UsageArgument, "{text:?}");
        }
    }
}
