//! COPY and MOVE (RFC 9051 sections 6.4.7 and 6.4.8, RFC 4315, RFC 6851).

use super::args::{Args, Bad};
use super::changes;
use super::command::{End, no, ok};
use super::connection::Connection;
use super::fetch_rows::{Target, targets, within_limit};
use super::server::Server;
use super::set::compact;

/// What both need: the messages, where they go, and the code for a limit.
struct Order {
    from: u64,
    to: u64,
    targets: Vec<Target>,
    limit: String,
}

/// Copies.
pub fn copy(server: &mut Server, c: &mut Connection, args: &mut Args<'_>, uid: bool) -> Result<End, Bad> {
    let order = match order(server, c, args, uid)? {
        Ok(order) => order,
        Err(refusal) => return no(&refusal),
    };
    let (uids, copies) = copied(server, c, &order);
    changes::report_lazily(server, c, uid);
    if uids.is_empty() {
        return ok("No messages found.");
    }
    // A response has one code; that of a limit is the one that must not be missed.
    let code = if order.limit.is_empty() { code(server, &order, uids, copies) } else { order.limit };
    ok(&format!("{code}Copy completed."))
}

/// Moves.
pub fn take_over(server: &mut Server, c: &mut Connection, args: &mut Args<'_>, uid: bool) -> Result<End, Bad> {
    if c.selected.as_ref().is_none_or(|s| s.read_only) {
        return no("[READ-ONLY] Mailbox is read-only");
    }
    let order = match order(server, c, args, uid)? {
        Ok(order) => order,
        Err(refusal) => return no(&refusal),
    };
    let (uids, copies) = copied(server, c, &order);
    if uids.is_empty() {
        return ok("No messages found.");
    }
    let code = code(server, &order, uids.clone(), copies);
    // Gmail puts the code into the tagged answer.
    let tagged = server.personality.labels;
    if !tagged && !code.is_empty() {
        c.line(&format!("* OK {code}Moved UIDs."));
    }
    for uid in uids {
        server.expunge(c.actor, order.from, uid);
    }
    changes::report(server, c, true);
    ok(&format!("{}{}Move completed.", if tagged { &code } else { "" }, order.limit))
}

fn order(
    server: &Server,
    c: &Connection,
    args: &mut Args<'_>,
    uid: bool,
) -> Result<std::result::Result<Order, String>, Bad> {
    args.space()?;
    let (targets, _) = targets(c, args, uid)?;
    args.space()?;
    let name = args.mailbox()?;
    args.end()?;
    let Some(from) = c.selected.as_ref().map(|s| s.mailbox) else { return Err("no mailbox".into()) };
    if server.personality.read_only {
        return Ok(Err("[NOPERM] Permission denied".to_owned()));
    }
    let Some(to) = server.named(&name).filter(|m| m.selectable).map(|m| m.id) else {
        return Ok(Err(format!("[TRYCREATE] Mailbox doesn't exist: {name}")));
    };
    let size = targets.iter().filter_map(|(_, uid)| server.placement(from, *uid)).map(|p| p.content.bytes.len()).sum();
    if over_quota(server, size) {
        return Ok(Err("[OVERQUOTA] Quota exceeded (mailbox for user is full)".to_owned()));
    }
    let (targets, limit) = within_limit(server, targets);
    Ok(Ok(Order { from, to, targets, limit }))
}

/// Whether so many bytes more are too many.
pub fn over_quota(server: &Server, size: usize) -> bool {
    let used: usize = server.mailboxes().map(super::mailbox::Mailbox::size).sum();
    server.personality.quota.is_some_and(|quota| used + size > quota)
}

fn copied(server: &mut Server, c: &Connection, order: &Order) -> (Vec<u32>, Vec<u32>) {
    let pairs =
        order.targets.iter().filter_map(|(_, uid)| Some((*uid, server.copy(c.actor, order.from, *uid, order.to)?)));
    pairs.collect::<Vec<_>>().into_iter().unzip()
}

fn code(server: &Server, order: &Order, uids: Vec<u32>, copies: Vec<u32>) -> String {
    let validity = server.mailbox(order.to).map_or(0, |m| m.uid_validity);
    if !server.personality.has("UIDPLUS") {
        return String::new();
    }
    format!("[COPYUID {validity} {} {}] ", compact(uids), compact(copies))
}
