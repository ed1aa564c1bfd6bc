//! Which messages a command is about, and the rows that FETCH answers with.

use super::args::{Args, Bad};
use super::connection::Connection;
use super::server::Server;
use super::set::Set;
use std::collections::BTreeSet;

/// A message that a command is about: its number, and its UID.
pub type Target = (usize, u32);

/// The messages that the next argument names.
pub fn targets(c: &Connection, args: &mut Args<'_>, uid: bool) -> Result<(Vec<Target>, bool), Bad> {
    let Some(selected) = &c.selected else { return Ok((Vec::new(), false)) };
    let all = selected.known.iter().enumerate().map(|(at, known)| (at + 1, known.uid));
    if args.has(b'$') {
        return Ok((all.filter(|(_, uid)| c.saved.contains(uid)).collect(), false));
    }
    let set = Set::read(args)?;
    let count = u32::try_from(selected.known.len()).unwrap_or(u32::MAX);
    let found = if uid {
        let highest = selected.known.last().map_or(0, |k| k.uid);
        all.filter(|(_, uid)| set.has(*uid, highest)).collect()
    } else {
        all.filter(|(at, _)| set.has(u32::try_from(*at).unwrap_or(u32::MAX), count)).collect::<Vec<_>>()
    };
    if !uid && found.is_empty() {
        return Err("Invalid messageset".into());
    }
    Ok((found, set.is_single()))
}

/// As many of them as one command may be about, and the code that says so (RFC 9738).
pub fn within_limit(server: &Server, mut targets: Vec<Target>) -> (Vec<Target>, String) {
    let limit = server.personality.message_limit.unwrap_or(usize::MAX);
    if targets.len() <= limit {
        return (targets, String::new());
    }
    let kept = targets.split_off(targets.len() - limit);
    let lowest = kept.first().map_or(0, |(_, uid)| *uid);
    (kept, format!("[MESSAGELIMIT {limit} {lowest}] "))
}

/// A row being written.
pub struct Row {
    bytes: Vec<u8>,
    empty: bool,
}

impl Row {
    /// Begins a row, numbered by UID where numbers are no longer used (RFC 9586).
    pub fn new(number: usize, uid: u32, uid_only: bool) -> Self {
        let head = if uid_only { format!("* {uid} UIDFETCH (") } else { format!("* {number} FETCH (") };
        Self { bytes: head.into_bytes(), empty: true }
    }

    /// Adds an item with its value.
    pub fn item(&mut self, item: &[u8]) {
        if !std::mem::take(&mut self.empty) {
            self.bytes.push(b' ');
        }
        self.bytes.extend_from_slice(item);
    }

    /// The whole row.
    pub fn done(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(b")\r\n");
        self.bytes
    }
}

/// `FLAGS (…)`.
pub fn flag_list(flags: &BTreeSet<String>) -> Vec<u8> {
    let (system, keywords): (Vec<&str>, Vec<&str>) =
        flags.iter().map(String::as_str).partition(|f| f.starts_with('\\'));
    format!("FLAGS ({})", [system, keywords].concat().join(" ")).into_bytes()
}
