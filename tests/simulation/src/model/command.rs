//! Which command it is, and whether it may be given now.

use super::args::{Args, Bad};
use super::connection::{Connection, Waiting};
use super::server::Server;
use super::{append, changes, copy, extra, fetch, list, manage, search, select, status, store};

/// How a command ends.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// `OK`, with code and text.
    Ok(String),
    /// `NO`, with code and text.
    No(String),
    /// `BAD`, with its text.
    Bad(String),
    /// Not yet.
    Continues,
    /// With the connection; everything is said.
    Closes,
}

/// Most commands end so.
pub fn ok(text: &str) -> Result<End, Bad> {
    Ok(End::Ok(text.to_owned()))
}

/// A refusal.
pub fn no(text: &str) -> Result<End, Bad> {
    Ok(End::No(text.to_owned()))
}

/// What CAPABILITY says.
pub fn capabilities(server: &Server) -> String {
    let own = server.personality.capabilities;
    if own.is_empty() { "IMAP4rev1 AUTH=PLAIN".to_owned() } else { format!("IMAP4rev1 AUTH=PLAIN {own}") }
}

/// Does a command.
pub fn run(server: &mut Server, connection: &mut Connection, tag: &str, args: &mut Args<'_>) -> End {
    let command = args.space().and_then(|()| args.keyword());
    let end = match command {
        Ok(command) => named(server, connection, tag, &command, args),
        Err(bad) => Err(bad),
    };
    end.unwrap_or_else(|Bad(text)| End::Bad(format!("Error in IMAP command: {text}")))
}

fn named(server: &mut Server, c: &mut Connection, tag: &str, command: &str, args: &mut Args<'_>) -> Result<End, Bad> {
    match command {
        "CAPABILITY" => {
            c.line(&format!("* CAPABILITY {}", capabilities(server)));
            return ok("Capability completed.");
        }
        "NOOP" | "CHECK" => {
            changes::report(server, c, true);
            return ok("NOOP completed.");
        }
        "LOGOUT" => {
            c.line("* BYE Logging out");
            c.line(&format!("{tag} OK Logout completed."));
            return Ok(End::Closes);
        }
        "ID" => return extra::id(server, c, args),
        _ => {}
    }
    if !c.logged_in {
        return log_in(server, c, tag, command, args);
    }
    if let Some(end) = authenticated(server, c, tag, command, args) {
        return end;
    }
    if c.selected.is_none() {
        return Err("no mailbox is selected, or the command is unknown".into());
    }
    selected(server, c, command, args)
}

fn log_in(server: &mut Server, c: &mut Connection, tag: &str, command: &str, args: &mut Args<'_>) -> Result<End, Bad> {
    match command {
        "LOGIN" => {
            args.space()?;
            let user = args.text()?;
            args.space()?;
            let password = args.text()?;
            Ok(c.log_in(server, &user, &password))
        }
        "AUTHENTICATE" => {
            args.space()?;
            if args.keyword()? != "PLAIN" {
                return no("Unsupported authentication mechanism.");
            }
            if args.at_end() {
                c.line("+ ");
                c.waiting = Waiting::Credentials(tag.to_owned());
                return Ok(End::Continues);
            }
            args.space()?;
            if !server.personality.has("SASL-IR") {
                return Err("no initial response is taken".into());
            }
            Ok(c.log_in_plain(server, args.until(|_| false)))
        }
        _ => Err("please log in first".into()),
    }
}

fn authenticated(
    server: &mut Server,
    c: &mut Connection,
    tag: &str,
    command: &str,
    args: &mut Args<'_>,
) -> Option<Result<End, Bad>> {
    let personality = &server.personality;
    Some(match command {
        "ENABLE" if personality.has("ENABLE") => extra::enable(server, c, args),
        "NAMESPACE" if personality.has("NAMESPACE") => extra::namespace(server, c),
        "IDLE" if personality.has("IDLE") => {
            changes::report(server, c, true);
            c.line("+ idling");
            c.waiting = Waiting::Done(tag.to_owned());
            Ok(End::Continues)
        }
        "LIST" => list::list(server, c, args),
        "LSUB" => list::lsub(server, c, args),
        "STATUS" => status::status(server, c, args),
        "SELECT" => select::select(server, c, args, false),
        "EXAMINE" => select::select(server, c, args, true),
        "CREATE" => manage::create(server, c, args),
        "DELETE" => manage::delete(server, c, args),
        "RENAME" => manage::rename(server, c, args),
        "SUBSCRIBE" => manage::subscribe(server, args, true),
        "UNSUBSCRIBE" => manage::subscribe(server, args, false),
        "APPEND" => append::append(server, c, args),
        _ => return None,
    })
}

fn selected(server: &mut Server, c: &mut Connection, command: &str, args: &mut Args<'_>) -> Result<End, Bad> {
    let (uid, command) = if command == "UID" {
        args.space()?;
        (true, args.keyword()?)
    } else {
        (false, command.to_owned())
    };
    let numbered = matches!(command.as_str(), "FETCH" | "STORE" | "COPY" | "MOVE" | "SEARCH");
    if numbered && !uid && c.enabled.uid_only {
        // RFC 9586 section 3
        return Ok(End::Bad("[UIDREQUIRED] Message numbers are not allowed once UIDONLY is enabled".to_owned()));
    }
    if !uid {
        match command.as_str() {
            "CLOSE" => return manage::close(server, c, true),
            "UNSELECT" if server.personality.has("UNSELECT") => return manage::close(server, c, false),
            "EXPUNGE" => return manage::expunge(server, c, None),
            _ => {}
        }
    }
    match command.as_str() {
        "FETCH" => fetch::fetch(server, c, args, uid),
        "SEARCH" => search::search(server, c, args, uid),
        "STORE" => store::store(server, c, args, uid),
        "COPY" => copy::copy(server, c, args, uid),
        "MOVE" if server.personality.has("MOVE") => copy::take_over(server, c, args, uid),
        "EXPUNGE" if uid && server.personality.has("UIDPLUS") => {
            args.space()?;
            let set = super::set::Set::read(args)?;
            manage::expunge(server, c, Some(&set))
        }
        _ => Err("unknown command".into()),
    }
}
