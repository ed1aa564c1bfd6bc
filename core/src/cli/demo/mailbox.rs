//! The mailbox of the demo, made as a store.

use super::letters::{LETTERS, pattern};
use crate::error::Result;
use crate::imap::{InternalDate, Role};
use crate::mail::{Mail, MailOptions};
use crate::session::{AppendOptions, AppendSource, CreateOptions};
use jiff::{SignedDuration, Zoned};
use std::path::Path;

/// Letters from patterns, beside those that were written by hand.
const PATTERNS: u64 = 240;

/// Makes it in a file where nothing is yet; how many messages it has.
pub(super) async fn fill(path: &Path) -> Result<u64> {
    let mail = Mail::open(path, MailOptions::default()).await?;
    for role in [Role::Archive, Role::Drafts, Role::Junk, Role::Sent, Role::Trash] {
        let (name, options) = (name_of(role), CreateOptions { role: Some(role), exist_ok: true });
        mail.create_mailbox(name, options).await?;
    }
    let now = Zoned::now();
    let letters = LETTERS.iter().enumerate().map(|(number, letter)| (number as u64, *letter, None));
    let patterns = (0..PATTERNS).map(|number| {
        let (letter, subject, text) = pattern(number);
        (number + 1000, letter, Some((subject, text)))
    });
    let mut all: Vec<_> = letters.chain(patterns).collect();
    // UIDs grow as mail comes in.
    all.sort_by_key(|(_, letter, _)| std::cmp::Reverse(letter.minutes));
    let count = all.len() as u64;
    for (number, letter, own) in all {
        let then = now.checked_sub(SignedDuration::from_mins(letter.minutes)).unwrap_or_else(|_| now.clone());
        let received = InternalDate::from_zoned(&then);
        let raw = letter.composed(number, received, own)?.raw;
        let options =
            AppendOptions { flags: letter.flags(), received: Some(received), create: true, ..AppendOptions::default() };
        mail.mailbox(letter.mailbox)?.append(AppendSource::Bytes(raw), options).await?;
    }
    mail.close().await?;
    Ok(count)
}

fn name_of(role: Role) -> &'static str {
    match role {
        Role::Archive => "Archive",
        Role::Drafts => "Drafts",
        Role::Junk => "Junk",
        Role::Sent => "Sent",
        _ => "Trash",
    }
}
