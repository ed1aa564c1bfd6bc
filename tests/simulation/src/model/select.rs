//! SELECT and EXAMINE, with CONDSTORE and QRESYNC (RFC 9051 section 6.3.2, RFC 7162 sections 3.1.8 and 3.2.5).

use super::args::{Args, Bad};
use super::command::{End, no, ok};
use super::connection::{Connection, Known, Selected};
use super::fetch_rows::{Row, flag_list};
use super::server::Server;
use super::set::{Set, compact};

/// The flags of every mailbox.
pub const SYSTEM_FLAGS: &str = "\\Answered \\Flagged \\Deleted \\Seen \\Draft";

/// What QRESYNC says that the client knows.
struct Resync {
    validity: u32,
    modseq: u64,
    uids: Option<Set>,
}

/// Opens a mailbox.
pub fn select(server: &mut Server, c: &mut Connection, args: &mut Args<'_>, examine: bool) -> Result<End, Bad> {
    args.space()?;
    let name = args.mailbox()?;
    let resync = if args.at_end() { None } else { parameters(server, c, args)? };
    args.end()?;
    let was_open = c.selected.take().is_some();
    let Some(id) = server.named(&name).filter(|m| m.selectable).map(|m| m.id) else {
        return no(&format!("[NONEXISTENT] Mailbox doesn't exist: {name}"));
    };
    if server.personality.restless_validity {
        server.shake_validity(id);
    }
    if was_open && (c.enabled.qresync || c.enabled.rev2) {
        c.line("* OK [CLOSED] Previous mailbox closed.");
    }
    let read_only = examine || server.personality.read_only;
    open(server, c, id, read_only);
    if let Some(resync) = resync {
        catch_up(server, c, id, &resync);
    }
    let code = if read_only { "READ-ONLY" } else { "READ-WRITE" };
    ok(&format!("[{code}] Select completed."))
}

fn parameters(server: &Server, c: &mut Connection, args: &mut Args<'_>) -> Result<Option<Resync>, Bad> {
    args.space()?;
    let mut resync = None;
    args.list(|args| {
        match args.keyword()?.as_str() {
            "CONDSTORE" if server.personality.has("CONDSTORE") => c.enabled.condstore = true,
            "QRESYNC" if c.enabled.qresync => resync = Some(known(args)?),
            _ => return Err("unknown SELECT parameter".into()),
        }
        Ok(())
    })?;
    Ok(resync)
}

/// `(validity modseq [uids [(numbers uids)]])`.
fn known(args: &mut Args<'_>) -> Result<Resync, Bad> {
    args.space()?;
    args.expect(b'(')?;
    let validity = u32::try_from(args.number()?).map_err(|_| Bad::from("UIDVALIDITY"))?;
    args.space()?;
    let modseq = args.number()?;
    let mut uids = None;
    if args.has(b' ') {
        if args.peek() != Some(b'(') {
            uids = Some(Set::read(args)?);
            args.has(b' ');
        }
        if args.has(b'(') {
            Set::read(args)?;
            args.space()?;
            Set::read(args)?;
            args.expect(b')')?;
        }
    }
    args.expect(b')')?;
    Ok(Resync { validity, modseq, uids })
}

fn open(server: &Server, c: &mut Connection, id: u64, read_only: bool) {
    let Some(mailbox) = server.mailbox(id) else { return };
    let blind = std::mem::take(&mut c.blind);
    let known: Vec<Known> = if blind {
        Vec::new()
    } else {
        mailbox.seen(server.now).map(|s| Known { uid: s.placement.uid, modseq: s.modseq }).collect()
    };
    let keywords = mailbox.keywords();
    let all = keywords.iter().fold(SYSTEM_FLAGS.to_owned(), |all, keyword| format!("{all} {keyword}"));
    c.line(&format!("* FLAGS ({all})"));
    let permanent = match (read_only, server.personality.keywords) {
        (true, _) => String::new(),
        (false, true) => format!("{all} \\*"),
        (false, false) => all,
    };
    c.line(&format!("* OK [PERMANENTFLAGS ({permanent})] Flags permitted."));
    c.line(&format!("* {} EXISTS", known.len()));
    if !c.enabled.rev2 {
        c.line("* 0 RECENT");
    }
    c.line(&format!("* OK [UIDVALIDITY {}] UIDs valid", mailbox.uid_validity));
    if !server.personality.no_uid_next {
        c.line(&format!("* OK [UIDNEXT {}] Predicted next UID", mailbox.uid_next));
    }
    if server.personality.has("CONDSTORE") {
        c.line(&format!("* OK [HIGHESTMODSEQ {}] Highest", highest(server, id)));
    }
    if server.personality.has("OBJECTID") {
        c.line(&format!("* OK [MAILBOXID (M{id})] Ok"));
    }
    let uid_validity = mailbox.uid_validity;
    c.selected = Some(Selected { mailbox: id, uid_validity, read_only, known, keywords, blind });
}

/// The HIGHESTMODSEQ that is told.
pub fn highest(server: &Server, id: u64) -> u64 {
    let Some(mailbox) = server.mailbox(id) else { return 0 };
    if server.personality.zero_modseq && mailbox.placements.is_empty() { 0 } else { mailbox.modseq }
}

/// What has changed since (RFC 7162 section 3.2.5).
fn catch_up(server: &mut Server, c: &mut Connection, id: u64, resync: &Resync) {
    let rate = server.personality.false_vanished;
    let lies = server.lies(rate);
    let Some(mailbox) = server.mailbox(id).filter(|m| m.uid_validity == resync.validity) else { return };
    if lies {
        return c.line("* VANISHED (EARLIER) 1:*");
    }
    let wanted = |uid: u32| resync.uids.as_ref().is_none_or(|set| set.has(uid, mailbox.uid_next.saturating_sub(1)));
    let gone = mailbox.vanished.iter().filter(|(uid, modseq)| *modseq > resync.modseq && wanted(*uid));
    let mut gone: Vec<u32> = gone.map(|(uid, _)| *uid).collect();
    gone.sort_unstable();
    if !gone.is_empty() {
        c.line(&format!("* VANISHED (EARLIER) {}", compact(gone)));
    }
    let known = c.selected.as_ref().map(|s| s.known.clone()).unwrap_or_default();
    for (at, uid) in known.iter().map(|k| k.uid).enumerate().filter(|(_, uid)| wanted(*uid)) {
        let Some(seen) = mailbox.placements.get(&uid).and_then(|p| p.seen(server.now)) else { continue };
        if seen.modseq > resync.modseq {
            let mut row = Row::new(at + 1, uid, c.enabled.uid_only);
            row.item(format!("UID {uid}").as_bytes());
            row.item(&flag_list(seen.flags));
            row.item(format!("MODSEQ ({})", seen.modseq).as_bytes());
            c.write(&row.done());
        }
    }
}
