//! STATUS (RFC 9051 section 6.3.11), also as LIST returns it (RFC 5819).

use super::args::{Args, Bad};
use super::command::{End, no, ok};
use super::connection::Connection;
use super::select::highest;
use super::server::Server;
use super::text;

/// Answers STATUS.
pub fn status(server: &Server, c: &mut Connection, args: &mut Args<'_>) -> Result<End, Bad> {
    args.space()?;
    let name = args.mailbox()?;
    args.space()?;
    let items = args.list(Args::keyword)?;
    args.end()?;
    let Some(id) = server.named(&name).filter(|m| m.selectable).map(|m| m.id) else {
        return no(&format!("[NONEXISTENT] Mailbox doesn't exist: {name}"));
    };
    write(server, c, id, &items)?;
    ok("Status completed.")
}

/// Writes the line of one mailbox.
pub fn write(server: &Server, c: &mut Connection, id: u64, items: &[String]) -> Result<(), Bad> {
    let Some(mailbox) = server.mailbox(id) else { return Ok(()) };
    let has = |name: &str| server.personality.has(name);
    let seen = || mailbox.seen(server.now);
    let without = |flag: &str| seen().filter(|s| !s.flags.iter().any(|f| f.eq_ignore_ascii_case(flag))).count();
    let mut values = Vec::new();
    for item in items {
        let value = match item.as_str() {
            "MESSAGES" => seen().count().to_string(),
            "RECENT" => "0".to_owned(),
            "UIDNEXT" => mailbox.uid_next.to_string(),
            "UIDVALIDITY" => mailbox.uid_validity.to_string(),
            "UNSEEN" => without("\\Seen").to_string(),
            "DELETED" if has("IMAP4rev2") => (seen().count() - without("\\Deleted")).to_string(),
            "SIZE" if has("STATUS=SIZE") => mailbox.size().to_string(),
            "HIGHESTMODSEQ" if has("CONDSTORE") => {
                c.enabled.condstore = true;
                highest(server, id).to_string()
            }
            "MAILBOXID" if has("OBJECTID") => format!("(M{id})"),
            "APPENDLIMIT" if server.personality.capabilities.contains("APPENDLIMIT") => {
                server.personality.append_limit.map_or_else(|| "NIL".to_owned(), |limit| limit.to_string())
            }
            _ => return Err(Bad(format!("unknown status item {item}"))),
        };
        values.push(format!("{item} {value}"));
    }
    if server.personality.no_uid_next {
        values.clear();
    }
    c.write(b"* STATUS ");
    c.write(&text::name(&mailbox.name));
    c.line(&format!(" ({})", values.join(" ")));
    Ok(())
}
