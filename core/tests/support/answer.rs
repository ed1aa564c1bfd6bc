//! What the scripted server answers to a command: enough IMAP for a session, and no more.

use super::faults::Faults;
use super::store::{Folder, Mail, Store};
use super::strict::Token;
use std::fmt::Write;
use std::ops::RangeInclusive;

/// What every connection shares, and the mailbox that this one has open.
pub struct Desk<'a> {
    pub store: &'a mut Store,
    pub faults: &'a mut Faults,
    pub open: &'a mut Option<String>,
    pub selects: &'a mut u32,
}

/// An answer: untagged data, the tagged line without its tag, and what comes after that.
#[derive(Default)]
pub struct Answer {
    pub untagged: Vec<u8>,
    pub tagged: String,
    pub after: Vec<u8>,
}

const CAPABILITIES: &str = "IMAP4rev1 LITERAL+ SASL-IR UIDPLUS MOVE ESEARCH IDLE NAMESPACE ID LIST-EXTENDED \
                            LIST-STATUS SPECIAL-USE MULTIAPPEND UNSELECT ENABLE";

pub fn capabilities(faults: &Faults) -> String {
    let kept: Vec<&str> = CAPABILITIES.split_whitespace().filter(|c| !faults.lacks.contains(c)).collect();
    kept.join(" ")
}

/// The name of a command, with its `UID`.
pub fn name(tokens: &[Token]) -> String {
    let word = |at: usize| tokens.get(at).map(text).unwrap_or_default().to_ascii_uppercase();
    if word(1) == "UID" { format!("UID {}", word(2)) } else { word(1) }
}

pub fn text(token: &Token) -> String {
    String::from_utf8_lossy(token.content()).into_owned()
}

/// Answers a command; `tokens` begin with its tag.
pub fn answer(desk: &mut Desk<'_>, tokens: &[Token]) -> Answer {
    let name = name(tokens);
    let arguments = tokens.get(name.split(' ').count() + 1..).unwrap_or_default();
    let words: Vec<String> = arguments.iter().map(text).collect();
    let first = words.first().cloned().unwrap_or_default();
    let mut out = Answer { tagged: format!("OK {name} done"), ..Answer::default() };
    match name.as_str() {
        "CAPABILITY" => say(&mut out, &format!("CAPABILITY {}", capabilities(desk.faults))),
        "LOGIN" | "AUTHENTICATE" => {
            out.tagged = format!("OK [CAPABILITY {}] logged in", capabilities(desk.faults));
        }
        "NOOP" | "ENABLE" | "LOGOUT" | "UNSELECT" => {}
        "SELECT" | "EXAMINE" => select(desk, &first, &mut out),
        "NAMESPACE" => say(&mut out, "NAMESPACE ((\"\" \"/\")) NIL NIL"),
        "ID" => say(&mut out, "ID (\"name\" \"Scripted\")"),
        "LIST" => list(desk, arguments, &mut out),
        "LSUB" => desk.store.keys().for_each(|name| say(&mut out, &format!("LSUB () \"/\" \"{name}\""))),
        "STATUS" => status(desk, arguments, &mut out),
        "CREATE" | "DELETE" | "RENAME" | "SUBSCRIBE" | "UNSUBSCRIBE" => manage(desk, &name, &words, &mut out),
        "APPEND" => append(desk, arguments, &mut out),
        "UID SEARCH" => search(desk, &tokens.first().map(text).unwrap_or_default(), arguments, &mut out),
        "UID FETCH" => fetch(desk, &first, arguments.get(1), &mut out),
        "UID STORE" => store_flags(desk, arguments, &mut out),
        "UID COPY" | "UID MOVE" => transfer(desk, &name, &words, &mut out),
        "UID EXPUNGE" => expunge(desk, &first, &mut out),
        _ => out.tagged = format!("BAD unknown command {name}"),
    }
    out
}

fn say(out: &mut Answer, line: &str) {
    out.untagged.extend_from_slice(format!("* {line}\r\n").as_bytes());
}

fn select(desk: &mut Desk<'_>, name: &str, out: &mut Answer) {
    *desk.open = None;
    let Some(folder) = desk.store.get_mut(name) else {
        out.tagged = "NO [NONEXISTENT] no such mailbox".to_owned();
        return;
    };
    *desk.selects += 1;
    if desk.faults.renumbers && *desk.selects > 1 {
        folder.validity += 100;
    }
    say(out, "FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)");
    say(out, &format!("{} EXISTS", folder.mails.len()));
    say(out, "OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] kept");
    say(out, &format!("OK [UIDVALIDITY {}] valid", folder.validity));
    say(out, &format!("OK [UIDNEXT {}] next", folder.next));
    out.tagged = "OK [READ-WRITE] open".to_owned();
    *desk.open = Some(name.to_owned());
}

fn list(desk: &Desk<'_>, arguments: &[Token], out: &mut Answer) {
    let pattern = arguments.iter().map(text).find(|a| !a.is_empty());
    if pattern.is_none() {
        return say(out, "LIST (\\Noselect) \"/\" \"\"");
    }
    let statuses =
        arguments.iter().any(|a| matches!(a, Token::List(items) if items.iter().any(|i| text(i) == "STATUS")));
    for (name, folder) in desk.store.iter() {
        say(out, &format!("LIST (\\HasNoChildren {}) \"/\" \"{name}\"", folder.role));
        if statuses {
            say(out, &status_line(name, folder));
        }
    }
}

fn status_line(name: &str, folder: &Folder) -> String {
    let Folder { validity, next, mails, .. } = folder;
    let (count, unseen) = (mails.len(), folder.unseen());
    format!("STATUS \"{name}\" (MESSAGES {count} UIDNEXT {next} UIDVALIDITY {validity} UNSEEN {unseen})")
}

fn status(desk: &Desk<'_>, arguments: &[Token], out: &mut Answer) {
    let name = arguments.first().map(text).unwrap_or_default();
    match desk.store.get(&name) {
        Some(folder) => say(out, &status_line(&name, folder)),
        None => out.tagged = "NO [NONEXISTENT] no such mailbox".to_owned(),
    }
}

fn manage(desk: &mut Desk<'_>, verb: &str, words: &[String], out: &mut Answer) {
    let name = words.first().cloned().unwrap_or_default();
    match verb {
        "CREATE" if desk.store.contains_key(&name) => out.tagged = "NO [ALREADYEXISTS] there".to_owned(),
        "CREATE" => drop(desk.store.insert(name, Folder::new(50, 0, ""))),
        _ if !desk.store.contains_key(&name) => out.tagged = "NO [NONEXISTENT] no such mailbox".to_owned(),
        "DELETE" => drop(desk.store.remove(&name)),
        "RENAME" => {
            let folder = desk.store.remove(&name).unwrap_or_default();
            desk.store.insert(words.get(1).cloned().unwrap_or_default(), folder);
        }
        _ => {}
    }
}

fn append(desk: &mut Desk<'_>, arguments: &[Token], out: &mut Answer) {
    let name = arguments.first().map(text).unwrap_or_default();
    let Some(folder) = desk.store.get_mut(&name) else {
        out.tagged = "NO [TRYCREATE] no such mailbox".to_owned();
        return;
    };
    let (mut uids, mut flags) = (Vec::new(), Vec::new());
    for argument in arguments.iter().skip(1) {
        match argument {
            Token::List(items) => flags = items.iter().map(text).collect(),
            Token::Literal(content) => uids.push(folder.add(std::mem::take(&mut flags), Some(content.clone()))),
            _ => {}
        }
    }
    if !desk.faults.lacks.contains(&"UIDPLUS") {
        out.tagged = format!("OK [APPENDUID {} {}] added", folder.validity, joined(&uids));
    }
}

fn search(desk: &Desk<'_>, tag: &str, arguments: &[Token], out: &mut Answer) {
    let Some(folder) = folder(desk) else { return closed(out) };
    let extended = arguments.first().is_some_and(|a| text(a) == "RETURN");
    let words: Vec<String> = arguments.iter().map(text).collect();
    let word = |w: &str| words.iter().any(|x| x == w);
    let after = |w: &str| words.iter().position(|x| x == w).and_then(|at| words.get(at + 1)).cloned();
    let uids: Vec<u32> = folder
        .mails
        .iter()
        .filter(|m| !word("UNSEEN") || !m.has("\\Seen"))
        .filter(|m| !word("SEEN") || m.has("\\Seen"))
        .filter(|m| after("SUBJECT").is_none_or(|s| m.subject().contains(&s)))
        .filter(|m| after("UID").is_none_or(|s| in_set(&s, m.uid)))
        .map(|m| m.uid)
        .collect();
    let line = match (extended, uids.is_empty()) {
        (true, true) => format!("ESEARCH (TAG \"{tag}\") UID"),
        (true, false) => format!("ESEARCH (TAG \"{tag}\") UID ALL {}", joined(&uids)),
        (false, _) => format!("SEARCH {}", uids.iter().map(|uid| format!("{uid} ")).collect::<String>()),
    };
    say(out, line.trim_end());
}

fn fetch(desk: &mut Desk<'_>, set: &str, items: Option<&Token>, out: &mut Answer) {
    let Some(name) = desk.open.clone() else { return closed(out) };
    let items: Vec<String> = match items {
        Some(Token::List(items)) => items.iter().map(text).collect(),
        Some(item) => vec![text(item)],
        None => Vec::new(),
    };
    let Some(folder) = desk.store.get(&name) else { return closed(out) };
    // Once, since there may be 50,000 messages.
    let wanted = ranges(set);
    let mails = folder.mails.iter().enumerate();
    for (at, mail) in mails.filter(|(_, m)| wanted.iter().any(|range| range.contains(&m.uid))) {
        let row = row(desk.faults, at + 1, mail, &items);
        if desk.faults.chatters {
            say(out, &format!("{} FETCH (FLAGS (\\Flagged) UID {})", at + 1, mail.uid));
            say(out, "OK still here");
        }
        match desk.faults.drops.as_mut().filter(|(uid, left)| *uid == mail.uid && *left > 0) {
            Some((_, left)) => *left -= 1,
            None if desk.faults.late == Some(mail.uid) => out.after.extend_from_slice(&row),
            None => out.untagged.extend_from_slice(&row),
        }
    }
    if let Some(uid) = desk.faults.expunges.take() {
        remove(desk, &name, &|m| m.uid == uid, out);
    }
}

fn row(faults: &Faults, seq: usize, mail: &Mail, items: &[String]) -> Vec<u8> {
    if faults.malforms == Some(mail.uid) {
        return format!("* {seq} FETCH (UID {} FLAGS \\Seen) ENVELOPE\r\n", mail.uid).into_bytes();
    }
    let mut row = format!("* {seq} FETCH (UID {}", mail.uid).into_bytes();
    for item in items {
        let value = match item.as_str() {
            "UID" => continue,
            "FLAGS" => format!("({})", mail.flags.join(" ")),
            "INTERNALDATE" => "\" 2-Nov-2026 10:00:00 +0000\"".to_owned(),
            "RFC822.SIZE" => mail.raw().len().to_string(),
            "ENVELOPE" => mail.envelope(),
            "BODYSTRUCTURE" => mail.structure(),
            _ => {
                section(faults, mail, item, &mut row);
                continue;
            }
        };
        row.extend_from_slice(format!(" {item} {value}").as_bytes());
    }
    row.extend_from_slice(b")\r\n");
    row
}

/// `BODY.PEEK[2]<0.100>`
fn section(faults: &Faults, mail: &Mail, item: &str, row: &mut Vec<u8>) {
    let inner = item.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    let (section, partial) = inner.unwrap_or_default();
    let mut stretch = partial.trim_matches(['<', '>']).split('.').filter_map(|n| n.parse::<usize>().ok());
    let asked = stretch.next().zip(stretch.next()).filter(|_| !faults.ignores_partials);
    let origin = asked.map(|(from, _)| format!("<{from}>")).unwrap_or_default();
    row.extend_from_slice(format!(" BODY[{section}]{origin} ").as_bytes());
    let Some(content) = mail.section(section) else {
        row.extend_from_slice(b"NIL");
        return;
    };
    let (from, len) = asked.unwrap_or((0, content.len()));
    let content: Vec<u8> = content.into_iter().skip(from).take(len).collect();
    row.extend_from_slice(format!("{{{}}}\r\n", content.len()).as_bytes());
    row.extend_from_slice(&content);
}

fn store_flags(desk: &mut Desk<'_>, arguments: &[Token], out: &mut Answer) {
    let (set, action) = (arguments.first().map(text), arguments.get(1).map(text));
    let (Some(set), Some(action), Some(name)) = (set, action, desk.open.clone()) else { return closed(out) };
    let flags: Vec<String> = match arguments.get(2) {
        Some(Token::List(items)) => items.iter().map(text).collect(),
        _ => Vec::new(),
    };
    let Some(folder) = desk.store.get_mut(&name) else { return closed(out) };
    for mail in folder.mails.iter_mut().filter(|m| in_set(&set, m.uid)) {
        if !action.starts_with('+') {
            mail.flags.retain(|f| action.starts_with('-') && !flags.contains(f));
        }
        if !action.starts_with('-') {
            mail.flags.extend(flags.iter().cloned());
        }
    }
}

fn transfer(desk: &mut Desk<'_>, verb: &str, words: &[String], out: &mut Answer) {
    let (Some(set), Some(target), Some(name)) = (words.first(), words.get(1), desk.open.clone()) else {
        return closed(out);
    };
    let mails: Vec<Mail> =
        folder(desk).map(|f| f.mails.iter().filter(|m| in_set(set, m.uid)).cloned().collect()).unwrap_or_default();
    let Some(folder) = desk.store.get_mut(target) else {
        out.tagged = "NO [TRYCREATE] no such mailbox".to_owned();
        return;
    };
    let (from, validity): (Vec<u32>, u32) = (mails.iter().map(|m| m.uid).collect(), folder.validity);
    let to: Vec<u32> = mails.into_iter().map(|m| folder.add(m.flags.clone(), Some(m.raw()))).collect();
    let code = match desk.faults.lacks.contains(&"UIDPLUS") || from.is_empty() {
        true => String::new(),
        false => format!("[COPYUID {validity} {} {}] ", joined(&from), joined(&to)),
    };
    if verb == "UID MOVE" {
        say(out, format!("OK {code}moved").as_str());
        remove(desk, &name, &|m| from.contains(&m.uid), out);
    } else {
        out.tagged = format!("OK {code}copied");
    }
}

fn expunge(desk: &mut Desk<'_>, set: &str, out: &mut Answer) {
    match desk.open.clone() {
        Some(name) => remove(desk, &name, &|m| in_set(set, m.uid) && m.has("\\Deleted"), out),
        None => closed(out),
    }
}

fn remove(desk: &mut Desk<'_>, name: &str, which: &dyn Fn(&Mail) -> bool, out: &mut Answer) {
    let Some(folder) = desk.store.get_mut(name) else { return };
    while let Some(at) = folder.mails.iter().position(which) {
        folder.mails.remove(at);
        say(out, &format!("{} EXPUNGE", at + 1));
    }
}

fn folder<'a>(desk: &'a Desk<'_>) -> Option<&'a Folder> {
    desk.store.get(desk.open.as_ref()?)
}

fn closed(out: &mut Answer) {
    out.tagged = "BAD no mailbox is open".to_owned();
}

fn in_set(set: &str, uid: u32) -> bool {
    ranges(set).iter().any(|range| range.contains(&uid))
}

fn ranges(set: &str) -> Vec<RangeInclusive<u32>> {
    let bound = |text: &str| text.parse().unwrap_or(u32::MAX);
    let ends = set.split(',').map(|range| range.split_once(':').unwrap_or((range, range)));
    ends.map(|(from, to)| bound(from)..=bound(to)).collect()
}

/// UIDs as a set of ranges, in the order given.
fn joined(uids: &[u32]) -> String {
    let mut out = String::new();
    let mut rest = uids;
    while let Some(first) = rest.first() {
        let run = rest.iter().zip(*first..).take_while(|(uid, expected)| **uid == *expected).count();
        let comma = if out.is_empty() { "" } else { "," };
        let _ = match run {
            1 => write!(out, "{comma}{first}"),
            _ => write!(out, "{comma}{first}:{}", first + run as u32 - 1),
        };
        rest = rest.get(run..).unwrap_or_default();
    }
    out
}
