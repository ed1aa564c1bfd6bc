//! What a client is told unasked: messages that came and went, and flags that changed (RFC 9051 section 7.4).

use super::connection::{Connection, Known};
use super::fetch_rows::{Row, flag_list};
use super::server::Server;
use super::set::compact;
use std::collections::BTreeSet;

/// Tells what has changed in the open mailbox. Expunges only where numbers may change: not at the end of FETCH, STORE and
/// SEARCH by number.
pub fn report(server: &mut Server, c: &mut Connection, expunges: bool) {
    let Some(selected) = &c.selected else { return };
    let Some(mailbox) = server.mailbox(selected.mailbox) else {
        // The mailbox is gone; RFC 2180 lets the server end the connection, most let it look empty.
        return vanish(c, expunges, &[], false);
    };
    if selected.blind {
        return;
    }
    let present: BTreeSet<u32> = mailbox.seen(server.now).map(|s| s.placement.uid).collect();
    let gone: Vec<u32> =
        selected.known.iter().map(|k| k.uid).filter(|uid| !mailbox.placements.contains_key(uid)).collect();
    vanish(c, expunges, &gone, true);
    arrive(server, c, &present);
    keywords(server, c);
    flags(server, c);
}

/// The same, where the server takes its time to tell what others did.
pub fn report_lazily(server: &mut Server, c: &mut Connection, expunges: bool) {
    if !server.personality.lazy_updates {
        report(server, c, expunges);
    }
}

/// Takes what is gone out of the client's list, and says so.
fn vanish(c: &mut Connection, expunges: bool, gone: &[u32], there: bool) {
    let vanished = c.enabled.qresync || c.enabled.uid_only;
    let Some(selected) = c.selected.as_mut().filter(|_| expunges) else { return };
    let gone: Vec<u32> = if there { gone.to_vec() } else { selected.known.iter().map(|k| k.uid).collect() };
    if gone.is_empty() {
        return;
    }
    let mut lines = Vec::new();
    if vanished {
        lines.push(format!("* VANISHED {}", compact(gone.iter().copied())));
    }
    for uid in gone.iter().rev() {
        if let Some(at) = selected.known.iter().position(|k| k.uid == *uid) {
            selected.known.remove(at);
            if !vanished {
                lines.push(format!("* {} EXPUNGE", at + 1));
            }
        }
    }
    lines.iter().for_each(|line| c.line(line));
}

fn arrive(server: &Server, c: &mut Connection, present: &BTreeSet<u32>) {
    let Some(selected) = c.selected.as_mut() else { return };
    let known: BTreeSet<u32> = selected.known.iter().map(|k| k.uid).collect();
    let new: Vec<u32> = present.difference(&known).copied().collect();
    let Some(mailbox) = server.mailbox(selected.mailbox).filter(|_| !new.is_empty()) else { return };
    let modseq = |uid: u32| mailbox.placements.get(&uid).map_or(0, |p| p.modseq);
    selected.known.extend(new.iter().map(|uid| Known { uid: *uid, modseq: modseq(*uid) }));
    selected.known.sort_by_key(|k| k.uid);
    let count = selected.known.len();
    c.line(&format!("* {count} EXISTS"));
    if !c.enabled.rev2 {
        c.line("* 0 RECENT");
    }
}

/// Tells of keywords that are new, before the first row that shows them.
pub fn keywords(server: &Server, c: &mut Connection) {
    let Some(selected) = c.selected.as_mut() else { return };
    let Some(keywords) = server.mailbox(selected.mailbox).map(super::mailbox::Mailbox::keywords) else { return };
    if !keywords.is_subset(&selected.keywords) {
        selected.keywords.extend(keywords);
        let all: Vec<&str> = selected.keywords.iter().map(String::as_str).collect();
        let line = format!("* FLAGS ({} {})", super::select::SYSTEM_FLAGS, all.join(" "));
        c.line(&line);
    }
}

fn flags(server: &Server, c: &mut Connection) {
    let (condstore, uid_only) = (c.enabled.condstore, c.enabled.uid_only);
    let Some(selected) = c.selected.as_mut() else { return };
    let Some(mailbox) = server.mailbox(selected.mailbox) else { return };
    let mut rows = Vec::new();
    for (at, known) in selected.known.iter_mut().enumerate() {
        let Some(seen) = mailbox.placements.get(&known.uid).and_then(|p| p.seen(server.now)) else { continue };
        if seen.modseq > known.modseq {
            known.modseq = seen.modseq;
            let mut row = Row::new(at + 1, known.uid, uid_only);
            if condstore {
                row.item(format!("UID {}", known.uid).as_bytes());
                row.item(format!("MODSEQ ({})", seen.modseq).as_bytes());
            }
            row.item(&flag_list(seen.flags));
            rows.push(row.done());
        }
    }
    rows.iter().for_each(|row| c.write(row));
}

/// Repeats the rows of an answer; EXPUNGE would mean another message the second time.
pub fn repeat_rows(reply: &mut Vec<u8>) {
    let mut out = Vec::new();
    for response in responses(reply) {
        out.extend_from_slice(response);
        let head = &response[..response.len().min(40)];
        let twice = [&b" FETCH ("[..], b" EXISTS", b"* LIST ", b"* SEARCH", b"* FLAGS"];
        if twice.iter().any(|word| head.windows(word.len()).any(|w| w == *word)) {
            out.extend_from_slice(response);
        }
    }
    *reply = out;
}

/// Data that nobody asked for, before an answer.
pub fn chatter(c: &mut Connection, server: &Server) {
    let mut lines =
        vec!["* OK [ALERT] The server will be maintained tonight".to_owned(), "* XSTATE (a \"b\" 7)".to_owned()];
    if let Some(selected) = &c.selected {
        lines.push(format!("* {} EXISTS", selected.known.len()));
        if let Some((at, known)) = selected.known.iter().enumerate().next_back() {
            let seen = server.placement(selected.mailbox, known.uid).and_then(|p| p.seen(server.now));
            if let Some(seen) = seen.filter(|seen| seen.modseq == known.modseq && !c.enabled.uid_only) {
                let list = String::from_utf8_lossy(&flag_list(seen.flags)).into_owned();
                lines.push(format!("* {} FETCH ({list})", at + 1));
            }
        }
    }
    let answer = std::mem::take(&mut c.reply);
    // The state before the answer is the state before any EXPUNGE in it only if it comes first.
    let shrinks = answer.windows(9).any(|w| w == b" EXPUNGE\r" || w == b" VANISHED");
    let lines = if shrinks { &lines[..2] } else { &lines[..] };
    lines.iter().for_each(|line| c.line(line));
    c.write(&answer);
}

/// The responses of an answer, literals included.
fn responses(reply: &[u8]) -> Vec<&[u8]> {
    let (mut out, mut rest) = (Vec::new(), reply);
    while !rest.is_empty() {
        let end = response_end(rest);
        let (response, after) = rest.split_at(end);
        out.push(response);
        rest = after;
    }
    out
}

fn response_end(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let Some(line) = bytes[at..].iter().position(|b| *b == b'\n') else { return bytes.len() };
        let text = String::from_utf8_lossy(&bytes[at..at + line]).into_owned();
        at += line + 1;
        let announced = text.trim_end().strip_suffix('}').and_then(|t| t.rsplit_once('{'));
        let literal: Option<usize> = announced.and_then(|(_, size)| size.parse().ok());
        match literal {
            Some(size) => at = (at + size).min(bytes.len()),
            None => return at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_repeated_with_their_literals_and_expunges_are_not() {
        let mut reply = b"* 1 FETCH (BODY[] {4}\r\na\r\n))\r\n* 2 EXPUNGE\r\na OK done\r\n".to_vec();
        repeat_rows(&mut reply);
        let expected =
            "* 1 FETCH (BODY[] {4}\r\na\r\n))\r\n* 1 FETCH (BODY[] {4}\r\na\r\n))\r\n* 2 EXPUNGE\r\na OK done\r\n";
        assert_eq!(String::from_utf8(reply).unwrap(), expected);
    }
}
