//! CREATE, DELETE, RENAME, SUBSCRIBE, EXPUNGE, CLOSE (RFC 9051 sections 6.3 and 6.4).

use super::args::{Args, Bad};
use super::changes;
use super::command::{End, no, ok};
use super::connection::Connection;
use super::select::highest;
use super::server::Server;
use super::set::Set;

/// Makes a mailbox.
pub fn create(server: &mut Server, c: &Connection, args: &mut Args<'_>) -> Result<End, Bad> {
    args.space()?;
    let name = args.mailbox()?;
    let delimiter = server.personality.delimiter;
    let name = name.strip_suffix(delimiter).unwrap_or(&name);
    if name.is_empty() || name.contains(&format!("{delimiter}{delimiter}")) {
        return no("[CANNOT] Invalid mailbox name");
    }
    if server.personality.read_only {
        return no("[NOPERM] Permission denied");
    }
    let usage = special_use(args)?;
    if !server.create(c.actor, name) {
        return no("[ALREADYEXISTS] Mailbox already exists");
    }
    server.use_for(name, usage);
    match server.named(name).filter(|_| server.personality.has("OBJECTID")) {
        Some(mailbox) => ok(&format!("[MAILBOXID (M{})] Create completed.", mailbox.id)),
        None => ok("Create completed."),
    }
}

/// What it is made for: ` (USE (\Flagged))` (RFC 6154 section 3).
fn special_use(args: &mut Args<'_>) -> Result<Option<&'static str>, Bad> {
    if args.at_end() {
        return Ok(None);
    }
    args.space()?;
    args.expect(b'(')?;
    if !args.has_word("USE ") {
        return Err("expected USE".into());
    }
    let usages = args.list(Args::flag)?;
    args.expect(b')')?;
    let known = ["\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Junk", "\\Sent", "\\Trash"];
    Ok(known.into_iter().find(|known| usages.iter().any(|usage| usage.eq_ignore_ascii_case(known))))
}

/// Deletes a mailbox.
pub fn delete(server: &mut Server, c: &Connection, args: &mut Args<'_>) -> Result<End, Bad> {
    args.space()?;
    let name = args.mailbox()?;
    let Some(id) = server.named(&name).map(|m| m.id) else {
        return no("[NONEXISTENT] Mailbox doesn't exist");
    };
    if server.personality.read_only || !server.delete(c.actor, id) {
        return no("[CANNOT] This mailbox can't be deleted");
    }
    server.subscriptions.remove(&name);
    ok("Delete completed.")
}

/// Gives a mailbox another name.
pub fn rename(server: &mut Server, c: &Connection, args: &mut Args<'_>) -> Result<End, Bad> {
    args.space()?;
    let (from, to) = (args.mailbox()?, args.space().and_then(|()| args.mailbox())?);
    let Some(id) = server.named(&from).map(|m| m.id) else {
        return no("[NONEXISTENT] Mailbox doesn't exist");
    };
    if server.named(&to).is_some() {
        return no("[ALREADYEXISTS] Target mailbox already exists");
    }
    if server.personality.read_only || !server.rename(c.actor, id, &to) {
        return no("[CANNOT] This mailbox can't be renamed");
    }
    ok("Rename completed.")
}

/// Adds a name to the subscriptions or takes it away; it need not exist.
pub fn subscribe(server: &mut Server, args: &mut Args<'_>, add: bool) -> Result<End, Bad> {
    args.space()?;
    let name = args.mailbox()?;
    args.end()?;
    if add {
        server.subscriptions.insert(name);
    } else {
        server.subscriptions.remove(&name);
    }
    ok("Done.")
}

/// Expunges what is marked `\Deleted`, of the UIDs given or of all.
pub fn expunge(server: &mut Server, c: &mut Connection, only: Option<&Set>) -> Result<End, Bad> {
    let Some(selected) = &c.selected else { return no("No mailbox") };
    if selected.read_only {
        return no("[READ-ONLY] Mailbox is read-only");
    }
    let id = selected.mailbox;
    expunge_marked(server, c, id, only);
    changes::report(server, c, true);
    if c.enabled.condstore {
        return ok(&format!("[HIGHESTMODSEQ {}] Expunge completed.", highest(server, id)));
    }
    ok("Expunge completed.")
}

fn expunge_marked(server: &mut Server, c: &Connection, id: u64, only: Option<&Set>) {
    let Some(mailbox) = server.mailbox(id) else { return };
    let highest = mailbox.placements.keys().next_back().copied().unwrap_or_default();
    let marked = mailbox.placements.values().filter(|p| p.has("\\Deleted"));
    let uids: Vec<u32> = marked.map(|p| p.uid).filter(|uid| only.is_none_or(|set| set.has(*uid, highest))).collect();
    let limit = server.personality.message_limit.unwrap_or(usize::MAX);
    for uid in uids.into_iter().rev().take(limit) {
        server.expunge(c.actor, id, uid);
    }
}

/// CLOSE expunges without telling; UNSELECT does not expunge.
pub fn close(server: &mut Server, c: &mut Connection, expunges: bool) -> Result<End, Bad> {
    let Some(selected) = c.selected.take() else { return no("No mailbox") };
    if expunges && !selected.read_only {
        expunge_marked(server, c, selected.mailbox, None);
    }
    c.saved.clear();
    ok("Close completed.")
}
