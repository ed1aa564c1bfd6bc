//! What somebody else does to the mail, with another client, at any moment.

use crate::model::{FOREIGN, Server};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One change by a foreign client. Mailboxes, messages and names are numbers that are taken modulo what there is, so that
/// every list of edits means something, also when other steps have been taken out of it.
#[expect(missing_docs, reason = "the numbers of a variant are what its line says")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Edit {
    /// A new message; `twin` has the Message-ID of another.
    Append { mailbox: u8, flags: u8, twin: bool, size: u16 },
    /// A flag is set or taken away.
    Flag { mailbox: u8, message: u8, flag: u8, set: bool },
    /// A message is expunged.
    Expunge { mailbox: u8, message: u8 },
    /// A message is moved.
    Move { mailbox: u8, message: u8, to: u8 },
    /// A message is copied.
    Copy { mailbox: u8, message: u8, to: u8 },
    /// A mailbox is made.
    Create { name: u8 },
    /// A mailbox gets another name.
    Rename { mailbox: u8, name: u8 },
    /// A mailbox is deleted with all that is in it.
    Delete { mailbox: u8 },
    /// All messages of a mailbox get other UIDs, under another UIDVALIDITY.
    Renumber { mailbox: u8 },
    /// A mailbox counts its changes from the beginning again, as one whose index was made anew.
    Rewind { mailbox: u8 },
}

/// Flags that edits and local verbs use.
pub const FLAGS: [&str; 6] = ["\\Seen", "\\Flagged", "\\Answered", "\\Deleted", "$Work", "\\Draft"];

/// Names that edits and local verbs give to mailboxes.
pub const NAMES: [&str; 6] = ["Work", "Lists", "Old mail", "Work/Done", "Z&APw-rich", "lists"];

/// The flag of that number.
#[must_use]
pub fn flag(number: u8) -> &'static str {
    FLAGS[usize::from(number) % FLAGS.len()]
}

/// The name of that number, with the server's delimiter.
#[must_use]
pub fn name(number: u8, delimiter: char) -> String {
    NAMES[usize::from(number) % NAMES.len()].replace('/', &delimiter.to_string())
}

/// The flags whose bits are set.
#[must_use]
pub fn flags(bits: u8) -> BTreeSet<String> {
    let chosen = FLAGS.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1 && *bit != 3);
    chosen.map(|(_, flag)| (*flag).to_owned()).collect()
}

impl Edit {
    /// Does it, as far as there is something to do it to.
    pub fn apply(&self, server: &mut Server) {
        self.try_apply(server);
    }

    fn try_apply(&self, server: &mut Server) -> Option<()> {
        match *self {
            Self::Append { mailbox, flags: bits, twin, size } => {
                let mailbox = pick_mailbox(server, mailbox)?;
                let token = server.mint(twin, size);
                server.add(FOREIGN, mailbox, &token, flags(bits), None);
            }
            Self::Flag { mailbox, message, flag: number, set } => {
                let (mailbox, uid) = pick_message(server, mailbox, message)?;
                if number != 4 || server.personality.keywords {
                    server.flag(FOREIGN, mailbox, uid, flag(number), set);
                }
            }
            Self::Expunge { mailbox, message } => {
                let (mailbox, uid) = pick_message(server, mailbox, message)?;
                server.expunge(FOREIGN, mailbox, uid);
            }
            Self::Move { mailbox, message, to } => {
                let (mailbox, uid) = pick_message(server, mailbox, message)?;
                let to = pick_mailbox(server, to).filter(|to| *to != mailbox)?;
                server.copy(FOREIGN, mailbox, uid, to);
                server.expunge(FOREIGN, mailbox, uid);
            }
            Self::Copy { mailbox, message, to } => {
                let (mailbox, uid) = pick_message(server, mailbox, message)?;
                let to = pick_mailbox(server, to)?;
                server.copy(FOREIGN, mailbox, uid, to);
            }
            Self::Create { name: number } => {
                let name = name(number, server.personality.delimiter);
                server.create(FOREIGN, &name);
            }
            Self::Rename { mailbox, name: number } => {
                let mailbox = pick_mailbox(server, mailbox)?;
                let name = name(number, server.personality.delimiter);
                server.rename(FOREIGN, mailbox, &name);
            }
            Self::Delete { mailbox } => {
                let mailbox = pick_mailbox(server, mailbox)?;
                server.delete(FOREIGN, mailbox);
            }
            Self::Renumber { mailbox } => {
                let mailbox = pick_mailbox(server, mailbox)?;
                server.renumber(mailbox);
            }
            Self::Rewind { mailbox } => {
                let mailbox = pick_mailbox(server, mailbox)?;
                server.rewind(mailbox);
            }
        }
        Some(())
    }
}

fn pick_mailbox(server: &Server, number: u8) -> Option<u64> {
    let all: Vec<u64> = server.mailboxes().filter(|m| m.selectable).map(|m| m.id).collect();
    all.get(usize::from(number) % all.len().max(1)).copied()
}

fn pick_message(server: &Server, mailbox: u8, message: u8) -> Option<(u64, u32)> {
    let id = pick_mailbox(server, mailbox)?;
    let uids: Vec<u32> = server.mailbox(id)?.placements.keys().copied().collect();
    uids.get(usize::from(message) % uids.len().max(1)).map(|uid| (id, *uid))
}
