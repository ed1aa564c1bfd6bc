//! STORE and UID STORE (RFC 9051 section 6.4.6, RFC 7162 section 3.1.3).

use super::args::{Args, Bad};
use super::changes;
use super::command::{End, no, ok};
use super::connection::Connection;
use super::fetch_rows::{Row, Target, flag_list, targets, within_limit};
use super::server::Server;
use super::set::compact;
use std::collections::BTreeSet;

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Replace,
    Add,
    Remove,
}

/// Answers STORE.
pub fn store(server: &mut Server, c: &mut Connection, args: &mut Args<'_>, uid: bool) -> Result<End, Bad> {
    args.space()?;
    let (targets, _) = targets(c, args, uid)?;
    args.space()?;
    let unchanged = unchanged_since(server, args)?;
    let how = if args.has(b'+') {
        How::Add
    } else if args.has(b'-') {
        How::Remove
    } else {
        How::Replace
    };
    let silent = match args.keyword()?.as_str() {
        "FLAGS" => false,
        "FLAGS.SILENT" => true,
        _ => return Err("Unknown STORE item".into()),
    };
    args.space()?;
    let flags = flags(args)?;
    args.end()?;
    if c.selected.as_ref().is_none_or(|s| s.read_only) {
        return no("[READ-ONLY] Mailbox is read-only");
    }
    c.enabled.condstore |= unchanged.is_some();
    let (targets, limit) = within_limit(server, targets);
    let late = apply(server, c, &targets, (how, &flags), unchanged, silent, uid);
    changes::report_lazily(server, c, uid);
    let late: Vec<u32> = late.iter().map(|t| if uid { t.1 } else { u32::try_from(t.0).unwrap_or_default() }).collect();
    if late.is_empty() {
        return ok(&format!("{limit}Store completed."));
    }
    ok(&format!("[MODIFIED {}] Conditional store failed.", compact(late)))
}

fn unchanged_since(server: &Server, args: &mut Args<'_>) -> Result<Option<u64>, Bad> {
    if args.peek() != Some(b'(') || !server.personality.has("CONDSTORE") {
        return Ok(None);
    }
    args.expect(b'(')?;
    if args.keyword()? != "UNCHANGEDSINCE" {
        return Err("Unknown STORE modifier".into());
    }
    args.space()?;
    let modseq = args.number()?;
    args.expect(b')')?;
    args.space()?;
    Ok(Some(modseq))
}

fn flags(args: &mut Args<'_>) -> Result<BTreeSet<String>, Bad> {
    if args.peek() == Some(b'(') {
        return args.list(Args::flag).map(|flags| flags.into_iter().collect());
    }
    let mut flags = BTreeSet::from([args.flag()?]);
    while args.has(b' ') {
        flags.insert(args.flag()?);
    }
    Ok(flags)
}

/// Changes the flags; the messages that had changed since.
fn apply(
    server: &mut Server,
    c: &mut Connection,
    targets: &[Target],
    (how, flags): (How, &BTreeSet<String>),
    unchanged: Option<u64>,
    silent: bool,
    uid: bool,
) -> Vec<Target> {
    let Some(id) = c.selected.as_ref().map(|s| s.mailbox) else { return Vec::new() };
    let mut late = Vec::new();
    for target in targets {
        let Some(placement) = server.placement(id, target.1) else { continue };
        if unchanged.is_some_and(|modseq| placement.modseq > modseq) {
            late.push(*target);
            continue;
        }
        // Somebody else's change that has not been told is told with the next report.
        let known = c.selected.as_ref().and_then(|s| s.known.iter().find(|k| k.uid == target.1));
        let told = known.is_some_and(|k| k.modseq >= placement.modseq);
        for (flag, set) in differences(&placement.flags.clone(), how, flags, server.personality.keywords) {
            server.flag(c.actor, id, target.1, &flag, set);
        }
        changes::keywords(server, c);
        answer(server, c, id, *target, (silent, told), uid);
    }
    late
}

fn differences(old: &BTreeSet<String>, how: How, flags: &BTreeSet<String>, keywords: bool) -> Vec<(String, bool)> {
    let among = |set: &BTreeSet<String>, flag: &str| set.iter().any(|f| f.eq_ignore_ascii_case(flag));
    let allowed = |flag: &String| keywords || flag.starts_with('\\');
    let added = flags.iter().filter(|f| how != How::Remove && !among(old, f) && allowed(f)).map(|f| (f.clone(), true));
    let removed = old.iter().filter(|f| match how {
        How::Replace => !among(flags, f),
        How::Add => false,
        How::Remove => among(flags, f),
    });
    added.chain(removed.map(|f| (f.clone(), false))).collect()
}

fn answer(
    server: &Server,
    c: &mut Connection,
    id: u64,
    (number, uid): Target,
    (silent, told): (bool, bool),
    by_uid: bool,
) {
    let Some(placement) = server.placement(id, uid) else { return };
    let known = c.selected.as_mut().and_then(|s| s.known.iter_mut().find(|k| k.uid == uid));
    if let Some(known) = known.filter(|_| !silent || told) {
        known.modseq = placement.modseq;
    }
    if silent && !c.enabled.condstore {
        return;
    }
    let mut row = Row::new(number, uid, c.enabled.uid_only);
    if (by_uid || c.enabled.condstore) && !c.enabled.uid_only {
        row.item(format!("UID {uid}").as_bytes());
    }
    if c.enabled.condstore {
        row.item(format!("MODSEQ ({})", placement.modseq).as_bytes());
    }
    if !silent {
        row.item(&flag_list(&placement.flags));
    }
    c.write(&row.done());
}
