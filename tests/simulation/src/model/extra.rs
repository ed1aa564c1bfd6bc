//! ID, ENABLE and NAMESPACE (RFC 2971, RFC 5161, RFC 2342).

use super::args::{Args, Bad};
use super::command::{End, ok};
use super::connection::Connection;
use super::server::Server;

/// `ID (...)` or `ID NIL`.
pub fn id(server: &Server, c: &mut Connection, args: &mut Args<'_>) -> Result<End, Bad> {
    args.space()?;
    if !args.has_word("NIL") {
        args.list(|a| if a.has_word("NIL") { Ok(Vec::new()) } else { a.astring() })?;
    }
    args.end()?;
    c.line(&format!("* ID (\"name\" \"{}\")", server.personality.name));
    ok("ID completed.")
}

/// `ENABLE CONDSTORE …`.
pub fn enable(server: &mut Server, c: &mut Connection, args: &mut Args<'_>) -> Result<End, Bad> {
    let mut enabled = Vec::new();
    while args.has(b' ') {
        let name = args.keyword()?;
        let known = match name.as_str() {
            "IMAP4REV2" => server.personality.has("IMAP4rev2"),
            _ => server.personality.has(&name),
        };
        if !known {
            continue;
        }
        match name.as_str() {
            "CONDSTORE" => c.enabled.condstore = true,
            "QRESYNC" => (c.enabled.condstore, c.enabled.qresync) = (true, true),
            "IMAP4REV2" => c.enabled.rev2 = true,
            "UIDONLY" => c.enabled.uid_only = true,
            _ => continue,
        }
        enabled.push(if name == "IMAP4REV2" { "IMAP4rev2".to_owned() } else { name });
    }
    args.end()?;
    if !server.personality.silent_enable {
        c.line(&format!("* ENABLED {}", enabled.join(" ")));
    }
    ok("Enabled.")
}

/// One personal namespace without a prefix; Courier's is below INBOX.
pub fn namespace(server: &Server, c: &mut Connection) -> Result<End, Bad> {
    c.line(&format!("* NAMESPACE ((\"\" \"{}\")) NIL NIL", server.personality.delimiter));
    ok("Namespace completed.")
}
