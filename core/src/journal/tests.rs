//! Intents for the tests of this room: messages of INBOX (mailbox 1), which go to Archive (mailbox 2).

use super::{Digest, Entry, Intent, Landing, Place, State, Target};
use crate::imap::{Flag, MailboxName};

pub fn place(id: i64, name: &str) -> Place {
    Place { id, name: MailboxName::new(name, false) }
}

/// The message with our UID `local` in INBOX; on the server it has that UID and a thousand.
pub fn target(local: u32) -> Target {
    let digest = Digest::of_header(format!("Subject: {local}\r\n").as_bytes());
    Target { mailbox: place(1, "INBOX"), local, uid_validity: Some(7), uid: Some(1000 + local), digest }
}

/// The message with our UID `local` in Archive, which the server does not have there yet.
pub fn landed(local: u32, digest: Digest) -> Target {
    Target { mailbox: place(2, "Archive"), local, uid_validity: None, uid: None, digest }
}

pub fn landing(local: u32) -> Landing {
    Landing { mailbox: place(2, "Archive"), local }
}

fn words(flags: &[&str]) -> Vec<Flag> {
    flags.iter().map(|flag| Flag::from_server(flag.as_bytes())).collect()
}

pub fn flag(local: u32, add: &[&str], remove: &[&str]) -> Intent {
    flag_at(target(local), add, remove)
}

pub fn flag_at(target: Target, add: &[&str], remove: &[&str]) -> Intent {
    Intent::Flag { target, add: words(add), remove: words(remove) }
}

pub fn move_to(local: u32, to: u32) -> Intent {
    Intent::Move { target: target(local), to: landing(to) }
}

pub fn copy_to(local: u32, to: u32) -> Intent {
    Intent::Copy { target: target(local), to: landing(to) }
}

pub fn append(to: u32) -> Intent {
    let header = Digest::of_header(format!("Subject: new {to}\r\n").as_bytes());
    Intent::Append { to: landing(to), digest: header, header, size: 100, flags: vec![], internal_date: None }
}

pub fn create(name: &str) -> Intent {
    Intent::CreateMailbox { mailbox: place(3, name), role: None }
}

pub fn rename(from: &str, to: &str) -> Intent {
    Intent::RenameMailbox { mailbox: place(3, from), to: MailboxName::new(to, false) }
}

pub fn remove_mailbox(name: &str, seen: Option<(u32, u32)>) -> Intent {
    Intent::DeleteMailbox { mailbox: place(3, name), seen }
}

pub fn entry(id: i64, intent: Intent) -> Entry {
    Entry { id, intent, state: State::Waiting, attempts: 0, not_before: 0, created: 0 }
}
