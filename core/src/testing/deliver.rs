//! Messages that a test puts on the server.

use crate::error::{Code, MailError, Result};
use crate::imap::{Flag, InternalDate};
use crate::mail::{Mail, existing_or_new};
use crate::message::{Draft, parse_recipients};
use crate::outbox::composed;
use crate::session::Target;
use crate::store::{Durability, Flags, Now, Writer, body, change, describe};
use bytes::Bytes;
use jiff::Zoned;

/// A message for a test: its bytes, or a draft that they are made of.
#[derive(Clone, Debug)]
pub enum Letter {
    /// As it is.
    Raw(Bytes),
    /// Composed when it is delivered. Where it does not say who writes to whom, Grace Hopper writes to the server's user.
    Draft(Box<Draft>),
}

impl From<&str> for Letter {
    fn from(text: &str) -> Self {
        Self::Raw(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<Bytes> for Letter {
    fn from(raw: Bytes) -> Self {
        Self::Raw(raw)
    }
}

impl From<Draft> for Letter {
    fn from(draft: Draft) -> Self {
        Self::Draft(Box::new(draft))
    }
}

/// Puts messages into a mailbox, in one transaction; their UIDs.
pub(super) async fn put(
    mail: &Mail,
    (mailbox, letters): (Target, Vec<Letter>),
    flags: &[Flag],
    user: &str,
) -> Result<Vec<u32>> {
    let mut raws = Vec::with_capacity(letters.len());
    for letter in letters {
        raws.push(raw(letter, user).await?);
    }
    if raws.iter().any(Bytes::is_empty) {
        return Err(MailError::new(Code::UsageArgument, "A message is not empty"));
    }
    let (flags, moment): (Flags, _) = (flags.iter().collect(), Zoned::now());
    let (now, received) = (Now::from_millis(moment.timestamp().as_millisecond()), InternalDate::from_zoned(&moment));
    let put = move |writer: &mut dyn Writer| {
        let row = existing_or_new(writer, &mailbox, true)?;
        let mut uids = Vec::with_capacity(raws.len());
        for raw in &raws {
            let new = describe(raw, received);
            let body = body::put(writer, raw, &new.headers.header, now)?;
            uids.push(change::append(writer, row.id, (&new, body), flags.clone(), now)?);
        }
        Ok(uids)
    };
    mail.store().write(Durability::Bulk, put).await
}

async fn raw(letter: Letter, user: &str) -> Result<Bytes> {
    let mut draft = match letter {
        Letter::Raw(raw) => return Ok(raw),
        Letter::Draft(draft) => *draft,
    };
    if draft.from.is_none() {
        draft = draft.from("Grace Hopper <grace@example.org>")?;
    }
    if draft.to.is_empty() && draft.cc.is_empty() && draft.bcc.is_empty() {
        let address = if user.contains('@') { user.to_owned() } else { format!("{user}@example.org") };
        draft.to = parse_recipients(&address)?;
    }
    composed(draft, InternalDate::from_zoned(&Zoned::now())).await.map(|composed| composed.raw)
}

/// Of the temporary folder.
pub(super) fn unwritten(error: &std::io::Error) -> MailError {
    MailError::new(Code::FileIo, format!("The folder of a test server could not be made or removed: {error}"))
}
