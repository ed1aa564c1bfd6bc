//! From a draft to an entry: attachments read, bytes made, once and for all.

use super::OnDoubt;
use super::ledger::NewEntry;
use super::smtp::wire_form;
use crate::error::{Code, MailError, Result};
use crate::imap::InternalDate;
use crate::message::{AddrSpec, Composed, Draft, DraftAttachment, DraftContent, Stamp};
use bytes::Bytes;
use ring::rand::{SecureRandom, SystemRandom};
use std::collections::BTreeSet;
use std::path::Path;

/// Most bytes of one file that is attached. Servers take some 25 to 150 MB.
const LARGEST_FILE: u64 = 512 << 20;

/// How a message is to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendOptions {
    /// Not before this moment, in seconds since 1970.
    pub send_at: Option<i64>,
    /// What to do when it is not known whether it was sent.
    pub on_doubt: OnDoubt,
    /// Leave no copy in Sent.
    pub no_copy: bool,
    /// What names this message: queued again with the same key, it is not sent twice. Its `Message-ID` unless given.
    pub key: Option<String>,
}

/// A draft made ready, with randomness of the system and files from the disk.
///
/// # Errors
///
/// As [`Draft::compose`]; [`Code::FileIo`] where a file cannot be read, [`Code::LimitExceeded`] where it is larger than
/// 512 MiB.
pub(crate) async fn composed(mut draft: Draft, now: InternalDate) -> Result<Composed> {
    for attachment in &mut draft.attachments {
        load(attachment).await?;
    }
    let mut random = [0; 32];
    let failed = |_| MailError::new(Code::Internal, "The system gives no random numbers");
    SystemRandom::new().fill(&mut random).map_err(failed)?;
    // Encoding attachments takes a while.
    let composing = tokio::task::spawn_blocking(move || draft.compose(&Stamp { now, random }));
    composing.await.map_err(|_| MailError::new(Code::Internal, "Composing was interrupted"))?
}

/// What is queued of a message that was made ready.
pub(super) fn entry(message: &Composed, options: &SendOptions, now: i64) -> Result<(NewEntry, Bytes)> {
    let raw = wire_form(&message.raw)?;
    let address = |text: &String| AddrSpec::parse(text).map(|address| address.to_string());
    let mut recipients: Vec<String> = message.recipients.iter().map(address).collect::<Result<_>>()?;
    let mut seen = BTreeSet::new();
    recipients.retain(|recipient| seen.insert(recipient.clone()));
    if recipients.is_empty() {
        return Err(MailError::new(Code::UsageAddress, "The message has no recipient"));
    }
    let new = NewEntry {
        key: options.key.clone().unwrap_or_else(|| message.message_id.clone()),
        message_id: message.message_id.clone(),
        sender: address(&message.sender)?,
        recipients,
        on_doubt: options.on_doubt,
        wants_copy: !options.no_copy,
        created: now,
        not_before: options.send_at.unwrap_or(now),
    };
    Ok((new, raw))
}

async fn load(attachment: &mut DraftAttachment) -> Result<()> {
    let DraftContent::File(path) = &attachment.content else { return Ok(()) };
    let size = tokio::fs::metadata(path).await.map_err(|e| unreadable(path, &e))?.len();
    if size > LARGEST_FILE {
        return Err(MailError::new(
            Code::LimitExceeded,
            format!("The file {} is too large to be sent", path.display()),
        ));
    }
    let content = tokio::fs::read(path).await.map_err(|e| unreadable(path, &e))?;
    attachment.content = DraftContent::Bytes(content.into());
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> MailError {
    MailError::new(Code::FileIo, format!("The file {} cannot be read: {error}", path.display()))
}
