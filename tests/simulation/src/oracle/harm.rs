//! No foreign harm: what a device changed on the server, one of its users wanted changed.

use super::{Deed, Violation};
use crate::device::Verb;
use crate::model::{Change, Entry, Server};
use crate::run::Party;
use std::collections::BTreeSet;

/// Looks for changes that nobody asked for.
pub fn judge(server: &Server, devices: &[Party]) -> Vec<Violation> {
    let mut found = Vec::new();
    for actor in devices {
        let own = |e: &&Entry| e.actor == actor.number;
        let made = |e: &Entry| matches!(e.change, Change::Added { .. }).then_some(e.serial);
        let made: BTreeSet<u64> = server.log.iter().filter(own).filter_map(made).collect();
        for entry in server.log.iter().filter(own) {
            if !made.contains(&entry.serial) && !wanted(server, actor, entry) {
                let text = format!(
                    "device {} did {:?} to UID {}, which nobody asked for",
                    actor.number, entry.change, entry.uid
                );
                found.push(Violation::new("harm", text));
            } else if let Some(token) = unasked(actor, entry) {
                let text = format!("device {} added message {token}, which nobody asked for", actor.number);
                found.push(Violation::new("harm", text));
            }
        }
    }
    found
}

/// The message that an entry brings, where no deed brings it.
fn unasked(actor: &Party, entry: &Entry) -> Option<u64> {
    let Change::Added { token, .. } = entry.change else { return None };
    (!actor.deeds.iter().any(|deed| brings(deed, token))).then_some(token)
}

fn brings(deed: &Deed, token: u64) -> bool {
    // A token is unknown to the user of a device that has not seen the header yet.
    let verb = matches!(deed.verb, Verb::Append { .. } | Verb::Copy { .. } | Verb::Move { .. } | Verb::Send { .. });
    verb && (deed.token == token || deed.token == 0)
}

fn wanted(server: &Server, actor: &Party, entry: &Entry) -> bool {
    let token = token_of(server, entry.serial);
    let about = |deed: &&Deed| match deed.serial {
        Some(serial) if !server.personality.labels => serial == entry.serial,
        _ => Some(deed.token) == token || deed.token == 0,
    };
    let mut deeds = actor.deeds.iter().filter(about);
    match &entry.change {
        Change::Expunged { .. } => deeds.any(Deed::removes),
        Change::Flag { flag, set } => deeds.any(|deed| match &deed.verb {
            Verb::Flag { flag: own, set: to, .. } => own.eq_ignore_ascii_case(flag) && to == set,
            _ => deed.removes() && flag.eq_ignore_ascii_case("\\Deleted"),
        }),
        Change::Swept { .. } => removes_mailbox(server, actor, entry),
        Change::Mailbox { gone: true, .. } => removes_mailbox(server, actor, entry),
        Change::Mailbox { name, gone: false } => actor.deeds.iter().any(|deed| match &deed.verb {
            Verb::Create { name: own } => own == name,
            Verb::Rename { name: from, to } => {
                // Of a level that is no mailbox, those below it get their names one by one.
                let below = deed.is_level && name.starts_with(&format!("{to}{}", server.personality.delimiter));
                // Somebody else may have made one of that name as well.
                let is_own = actor.deeds.iter().any(|d| matches!(&d.verb, Verb::Create { name } if name == from));
                (to == name || below) && (is_own || is_about(server, actor, deed, entry.mailbox))
            }
            _ => false,
        }),
        Change::Added { .. } | Change::Renumbered => true,
    }
}

/// Whether a user of the device has removed the mailbox of an entry.
fn removes_mailbox(server: &Server, actor: &Party, entry: &Entry) -> bool {
    let removes = |deed: &&Deed| matches!(deed.verb, Verb::Remove { .. });
    actor.deeds.iter().filter(removes).any(|deed| is_about(server, actor, deed, entry.mailbox))
}

/// Whether a deed is about that mailbox of the server. One that was not there yet is the one that the device makes.
fn is_about(server: &Server, actor: &Party, deed: &Deed, mailbox: u64) -> bool {
    let made = |e: &Entry| e.actor == actor.number && matches!(e.change, Change::Mailbox { gone: false, .. });
    match deed.mailbox {
        Some(id) => id == mailbox,
        None => server.log.iter().any(|e| e.mailbox == mailbox && made(e)),
    }
}

/// The message of a placement.
pub fn token_of(server: &Server, serial: u64) -> Option<u64> {
    let added = server.log.iter().find(|e| e.serial == serial && matches!(e.change, Change::Added { .. }))?;
    if let Change::Added { token, .. } = added.change { Some(token) } else { None }
}
