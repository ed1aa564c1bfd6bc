//! FETCH and UID FETCH (RFC 9051 section 6.4.5, RFC 7162).

use super::args::{Args, Bad};
use super::changes;
use super::command::{End, no, ok};
use super::connection::Connection;
use super::fetch_items::{self, Item, Section};
use super::fetch_rows::{Row, Target, flag_list, targets, within_limit};
use super::mailbox::{Placement, Seen};
use super::message::Content;
use super::server::Server;
use super::set::compact;
use super::text::string;
use std::sync::Arc;

/// `(CHANGEDSINCE n VANISHED)`.
#[derive(Default)]
struct Since {
    modseq: Option<u64>,
    vanished: bool,
}

/// Answers FETCH.
pub fn fetch(server: &mut Server, c: &mut Connection, args: &mut Args<'_>, uid: bool) -> Result<End, Bad> {
    args.space()?;
    let at_set = args.clone();
    let (targets, single) = targets(c, args, uid)?;
    args.space()?;
    let mut items = fetch_items::read(args)?;
    let since = if args.has(b' ') { since(server, args)? } else { Since::default() };
    args.end()?;
    if uid && !items.contains(&Item::Uid) {
        items.insert(0, Item::Uid);
    }
    if since.modseq.is_some() || items.contains(&Item::ModSeq) {
        if !server.personality.has("CONDSTORE") {
            return Err("Unknown parameter MODSEQ".into());
        }
        c.enabled.condstore = true;
        if !items.contains(&Item::ModSeq) {
            items.push(Item::ModSeq);
        }
    }
    if since.vanished {
        earlier(server, c, &since, at_set)?;
    }
    let asked = if since.modseq.is_some() { changed(server, c, targets, &since) } else { targets };
    let (asked, code) = within_limit(server, asked);
    let missing = rows(server, c, &asked, &items, single);
    changes::report_lazily(server, c, uid);
    if missing && !uid {
        return no("[EXPUNGEISSUED] Some of the requested messages no longer exist.");
    }
    ok(&format!("{code}Fetch completed."))
}

fn since(server: &Server, args: &mut Args<'_>) -> Result<Since, Bad> {
    let mut since = Since::default();
    args.list(|args| match args.keyword()?.as_str() {
        "CHANGEDSINCE" => {
            args.space()?;
            since.modseq = Some(args.number()?).filter(|n| *n > 0);
            since.modseq.ok_or_else(|| Bad::from("Invalid CHANGEDSINCE")).map(drop)
        }
        "VANISHED" if server.personality.has("QRESYNC") => {
            since.vanished = true;
            Ok(())
        }
        _ => Err("Unknown FETCH modifier".into()),
    })?;
    Ok(since)
}

/// What has gone since, of the UIDs asked for.
fn earlier(server: &mut Server, c: &mut Connection, since: &Since, mut at_set: Args<'_>) -> Result<(), Bad> {
    let set = super::set::Set::read(&mut at_set)?;
    let rate = server.personality.false_vanished;
    if server.lies(rate) {
        c.line("* VANISHED (EARLIER) 1:*");
        return Ok(());
    }
    let mailbox = c.selected.as_ref().and_then(|s| server.mailbox(s.mailbox));
    let Some(mailbox) = mailbox else { return Ok(()) };
    let modseq = since.modseq.unwrap_or_default();
    let gone =
        mailbox.vanished.iter().filter(|(uid, at)| *at > modseq && set.has(*uid, mailbox.uid_next.saturating_sub(1)));
    let mut gone: Vec<u32> = gone.map(|(uid, _)| *uid).collect();
    gone.sort_unstable();
    if !gone.is_empty() {
        c.line(&format!("* VANISHED (EARLIER) {}", compact(gone)));
    }
    Ok(())
}

fn changed(server: &Server, c: &Connection, targets: Vec<Target>, since: &Since) -> Vec<Target> {
    let Some(mailbox) = c.selected.as_ref().and_then(|s| server.mailbox(s.mailbox)) else { return Vec::new() };
    let modseq = |uid| mailbox.placements.get(&uid).and_then(|p| p.seen(server.now)).map_or(0, |s| s.modseq);
    targets.into_iter().filter(|(_, uid)| modseq(*uid) > since.modseq.unwrap_or_default()).collect()
}

/// Writes the rows; whether one was of a message that is gone.
fn rows(server: &mut Server, c: &mut Connection, targets: &[Target], items: &[Item], single: bool) -> bool {
    let mut missing = false;
    let dropped = server.personality.dropped_rows;
    for target in targets {
        if !single && server.lies(dropped) {
            continue;
        }
        missing |= !row(server, c, *target, items);
    }
    missing
}

fn row(server: &mut Server, c: &mut Connection, (number, uid): Target, items: &[Item]) -> bool {
    let Some(id) = c.selected.as_ref().map(|s| s.mailbox) else { return false };
    let sees = items.iter().any(|item| matches!(item, Item::Section(s) if !s.peek));
    let read_only = c.selected.as_ref().is_none_or(|s| s.read_only);
    let marked = sees && !read_only && server.flag(c.actor, id, uid, "\\Seen", true);
    let swapped = server.personality.swapped_bodies;
    let whole = |item: &Item| matches!(item, Item::Section(section) if section.path.is_empty());
    let swap = items.iter().any(whole) && server.lies(swapped);
    let now = server.now;
    let server = &*server;
    let Some(mut seen) = server.placement(id, uid).and_then(|p| p.seen(now)) else { return false };
    let shown = items.iter().any(whole) || items.contains(&Item::Envelope);
    let other = if c.swap && shown { another(server, id, seen.placement) } else { None };
    seen.placement = other.as_ref().unwrap_or(seen.placement);
    let mut row = Row::new(number, uid, c.enabled.uid_only);
    for item in items.iter().filter(|item| !(c.enabled.uid_only && **item == Item::Uid)) {
        if let Some(written) = write(server, id, &seen, item, swap) {
            row.item(&written);
        }
    }
    if marked && !items.contains(&Item::Flags) {
        row.item(&flag_list(seen.flags));
    }
    let modseq = seen.modseq;
    c.write(&row.done());
    if marked || items.contains(&Item::Flags) {
        let known = c.selected.as_mut().and_then(|s| s.known.iter_mut().find(|k| k.uid == uid));
        known.into_iter().for_each(|known| known.modseq = modseq);
    }
    true
}

/// A message with the content of another one of its mailbox.
fn another(server: &Server, mailbox: u64, own: &Placement) -> Option<Placement> {
    let other = server.mailbox(mailbox)?.placements.values().find(|p| p.uid != own.uid)?;
    let content = Arc::new(Content::new(other.content.bytes.clone(), own.content.email_id));
    Some(Placement { content, ..own.clone() })
}

fn write(server: &Server, mailbox: u64, seen: &Seen<'_>, item: &Item, swap: bool) -> Option<Vec<u8>> {
    let placement = seen.placement;
    let content = &placement.content;
    let labelled = |name: &str, value: &[u8]| [name.as_bytes(), b" ", value].concat();
    let has = |capability: &str| server.personality.has(capability);
    Some(match item {
        Item::Uid => format!("UID {}", placement.uid).into_bytes(),
        Item::Flags => flag_list(seen.flags),
        Item::InternalDate => format!("INTERNALDATE \"{}\"", placement.date.internal()).into_bytes(),
        Item::Size => format!("RFC822.SIZE {}", content.bytes.len()).into_bytes(),
        Item::Envelope => labelled("ENVELOPE", content.envelope()),
        Item::Structure { extended: true } => labelled("BODYSTRUCTURE", &content.structure(true)),
        Item::Structure { extended: false } => labelled("BODY", &content.structure(false)),
        Item::ModSeq => format!("MODSEQ ({})", seen.modseq).into_bytes(),
        Item::EmailId if has("OBJECTID") => format!("EMAILID (E{})", content.email_id).into_bytes(),
        Item::ThreadId if has("OBJECTID") => b"THREADID NIL".to_vec(),
        Item::SaveDate if has("SAVEDATE") => format!("SAVEDATE \"{}\"", placement.saved.internal()).into_bytes(),
        Item::GmailId if has("X-GM-EXT-1") => format!("X-GM-MSGID {}", content.email_id).into_bytes(),
        Item::GmailThread if has("X-GM-EXT-1") => format!("X-GM-THRID {}", content.email_id).into_bytes(),
        Item::GmailLabels if has("X-GM-EXT-1") => labelled("X-GM-LABELS", &labels(server, mailbox, content.email_id)),
        Item::Section(section) => section_of(server, mailbox, seen, section, swap),
        _ => return None,
    })
}

/// The other mailboxes that a message is in.
fn labels(server: &Server, mailbox: u64, email: u64) -> Vec<u8> {
    let others = server.mailboxes().filter(|m| m.id != mailbox && m.special_use != Some("\\All"));
    let there = others.filter(|m| m.placements.values().any(|p| p.content.email_id == email));
    let names: Vec<Vec<u8>> = there.map(|m| string(m.name.as_bytes())).collect();
    [b"(", names.join(&b' ').as_slice(), b")"].concat()
}

fn section_of(server: &Server, mailbox: u64, seen: &Seen<'_>, section: &Section, swap: bool) -> Vec<u8> {
    let own = seen.placement;
    let other = server.mailbox(mailbox).and_then(|m| m.placements.values().find(|p| p.uid != own.uid)).filter(|_| swap);
    let content = &other.unwrap_or(own).content;
    let Some(bytes) = content.section(&section.path, &section.fields) else {
        return format!("{} NIL", section.label).into_bytes();
    };
    let bytes = match section.partial {
        Some((first, count)) => {
            let rest = bytes.get(first..).unwrap_or_default();
            rest[..count.min(rest.len())].to_vec()
        }
        None => bytes,
    };
    [format!("{} {{{}}}\r\n", section.label, bytes.len()).into_bytes(), bytes].concat()
}
