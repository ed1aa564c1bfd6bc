//! What was deleted and is not forgotten yet: listed, and placed again.

use super::select::reference;
use super::{Mail, names, now};
use crate::bulk::MessageRef;
use crate::error::Result;
use crate::imap::{AddressList, Envelope, InternalDate};
use crate::message::{EmailAddress, decode_addresses, decode_header, parse_date};
use crate::session::Target;
use crate::store::{Durability, MailboxId, MessageId, MessageRow, Reader, Writer, change};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// A message that is in no mailbox any more. It has no UID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedMessage {
    /// What [`Mail::restore`] takes.
    pub id: i64,
    /// `Subject`, decoded.
    pub subject: Option<String>,
    /// `From`.
    pub from: Vec<EmailAddress>,
    /// When its sender says it was written.
    pub date: Option<InternalDate>,
    /// `Message-ID`, with its angle brackets.
    pub message_id: Option<String>,
    /// When it was received (INTERNALDATE).
    pub received: InternalDate,
    /// Its size in bytes.
    pub size: u64,
    /// When it left the last mailbox here, in seconds since 1970.
    pub deleted_at: i64,
    /// The mailboxes that it was in, the one it left last first (to the second); empty where that is forgotten.
    pub mailboxes: Vec<String>,
    /// Whether its body is held. Only then can it be restored.
    pub held: bool,
}

impl Mail {
    /// Messages that were deleted, here or on the server, and are not forgotten yet: they are for 30 days, or what
    /// [`Mail::tidy`] is told. Those deleted last come first, at most `limit`.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use mailtide::{AppendOptions, AppendSource, Mail, MailOptions, WriteOptions};
    ///
    /// let folder = tempfile::tempdir().unwrap();
    /// let mail = Mail::open(folder.path().join("ada.mail"), MailOptions::default()).await?;
    /// let inbox = mail.mailbox("INBOX")?;
    /// inbox.append(AppendSource::Bytes("Subject: moth\r\n\r\n".into()), AppendOptions::default()).await?;
    /// inbox.expunge(1, WriteOptions::default()).await?;
    /// let deleted = mail.deleted(None).await?;
    /// assert_eq!(deleted[0].subject.as_deref(), Some("moth"));
    /// assert_eq!(mail.restore(deleted[0].id, "INBOX").await?.uid, 2);
    /// # mail.close().await
    /// # }).unwrap();
    /// ```
    pub async fn deleted(&self, limit: Option<usize>) -> Result<Vec<DeletedMessage>> {
        self.handle()?.read(move |reader| list(reader, limit.unwrap_or(usize::MAX))).await
    }

    /// Places a message again that was deleted: in that mailbox, under a UID of its own, with the flags that it had in the
    /// mailbox it left last, except `\Deleted`; its address. It reaches the server as one that was added.
    ///
    /// # Errors
    ///
    /// [`Code::MessageMissing`](crate::Code::MessageMissing) where it is forgotten or never was,
    /// [`Code::UsageArgument`](crate::Code::UsageArgument) where it was not deleted,
    /// [`Code::BodyNotHere`](crate::Code::BodyNotHere) where its body was not held when it was deleted.
    pub async fn restore(&self, id: i64, mailbox: impl Into<Target>) -> Result<MessageRef> {
        let target = mailbox.into();
        let restore = move |writer: &mut dyn Writer| {
            let row = names::existing(writer, &target)?;
            change::restore(writer, MessageId(id), row.id, now()).map(|uid| (row, uid))
        };
        let (row, uid) = self.writable()?.write(Durability::Full, restore).await?;
        Ok(reference(self, &row, uid))
    }
}

fn list(reader: &dyn Reader, limit: usize) -> Result<Vec<DeletedMessage>> {
    let mut rows = reader.deleted(MessageId(0), usize::MAX)?;
    rows.sort_by_key(|row| Reverse((row.deleted_at, row.id)));
    rows.truncate(limit);
    let mut names = HashMap::new();
    rows.iter().map(|row| described(reader, row, places(reader, row.id, &mut names)?)).collect()
}

/// The names of the mailboxes that a message was in, the one it left last first; also of one that is deleted by now.
fn places(reader: &dyn Reader, id: MessageId, names: &mut HashMap<MailboxId, Option<String>>) -> Result<Vec<String>> {
    let mut places = Vec::new();
    for left in reader.tombstones_of(id)?.iter().rev() {
        let name = match names.entry(left.mailbox) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(reader.mailbox(left.mailbox)?.map(|row| row.name)),
        };
        places.extend(name.clone().filter(|name| !places.contains(name)));
    }
    Ok(places)
}

fn described(reader: &dyn Reader, row: &MessageRow, mailboxes: Vec<String>) -> Result<DeletedMessage> {
    let text = reader.headers(row.id)?.unwrap_or_default().envelope;
    // One that cannot be read tells nothing; the rest stands.
    let envelope = Envelope::parse(text).unwrap_or_default();
    Ok(DeletedMessage {
        id: row.id.0,
        subject: envelope.subject().map(decode_header),
        from: decode_addresses(envelope.addresses(AddressList::From)),
        date: envelope.date().and_then(parse_date),
        message_id: envelope.message_id().map(|id| String::from_utf8_lossy(id).into_owned()),
        received: row.internal_date,
        size: row.size,
        deleted_at: row.deleted_at.unwrap_or_default(),
        mailboxes,
        held: row.body.is_some(),
    })
}
