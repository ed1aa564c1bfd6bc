//! APPEND, also of several messages (RFC 9051 section 6.3.12, RFC 3502, RFC 4315, RFC 7889).

use super::args::{Args, Bad};
use super::changes;
use super::command::{End, no, ok};
use super::connection::Connection;
use super::copy::over_quota;
use super::date::Moment;
use super::message::Content;
use super::server::Server;
use super::set::compact;
use std::collections::BTreeSet;
use std::sync::Arc;

struct Message<'a> {
    flags: BTreeSet<String>,
    date: Option<Moment>,
    bytes: &'a [u8],
}

/// Answers APPEND.
pub fn append(server: &mut Server, c: &mut Connection, args: &mut Args<'_>) -> Result<End, Bad> {
    args.space()?;
    let name = args.mailbox()?;
    let mut messages = Vec::new();
    while !args.at_end() {
        messages.push(message(args)?);
    }
    if messages.is_empty() || (messages.len() > 1 && !server.personality.has("MULTIAPPEND")) {
        return Err("Missing or too many messages".into());
    }
    let size = messages.iter().map(|m| m.bytes.len()).sum();
    if let Some(refusal) = refusal(server, &name, size) {
        return no(refusal.trim_start_matches("NO "));
    }
    let Some((id, validity)) = server.named(&name).map(|m| (m.id, m.uid_validity)) else { return no("[TRYCREATE]") };
    let keywords = server.personality.keywords;
    let uids: Vec<u32> = messages
        .into_iter()
        .map(|message| {
            let content = Arc::new(Content::new(message.bytes.to_vec(), server.next_serial()));
            let flags = message.flags.into_iter().filter(|f| keywords || f.starts_with('\\')).collect();
            server.add(c.actor, id, &content, flags, message.date)
        })
        .collect();
    changes::report(server, c, true);
    if server.personality.has("UIDPLUS") {
        return ok(&format!("[APPENDUID {validity} {}] Append completed.", compact(uids)));
    }
    ok("Append completed.")
}

fn message<'a>(args: &mut Args<'a>) -> Result<Message<'a>, Bad> {
    args.space()?;
    let mut flags = BTreeSet::new();
    if args.peek() == Some(b'(') {
        flags = args.list(Args::flag)?.into_iter().filter(|f| !f.eq_ignore_ascii_case("\\Recent")).collect();
        args.space()?;
    }
    let mut date = None;
    if args.peek() == Some(b'"') {
        let text = args.text()?;
        date = Some(Moment::parse_internal(&text).ok_or_else(|| Bad::from("Invalid internal date."))?);
        args.space()?;
    }
    args.has(b'~');
    Ok(Message { flags, date, bytes: args.literal()? })
}

/// Why a message of that size cannot be added.
fn refusal(server: &Server, name: &str, size: usize) -> Option<&'static str> {
    if server.named(name).is_none_or(|m| !m.selectable) {
        return Some("NO [TRYCREATE] Mailbox doesn't exist");
    }
    if server.personality.read_only {
        return Some("NO [NOPERM] Permission denied");
    }
    if server.personality.append_limit.is_some_and(|limit| size as u64 > limit) {
        return Some("NO [TOOBIG] Message is too large");
    }
    over_quota(server, size).then_some("NO [OVERQUOTA] Quota exceeded (mailbox for user is full)")
}

/// Refuses a message when only its size is known, as servers do before they ask for it.
pub fn refuse_early(server: &Server, c: &Connection, command: &[u8], size: u64) -> Option<String> {
    let mut args = Args::new(command);
    args.until(|b| b == b' ');
    args.space().ok()?;
    if !args.keyword().is_ok_and(|word| word == "APPEND") {
        return None;
    }
    args.space().ok()?;
    let name = args.mailbox().ok()?;
    if !c.logged_in {
        return Some("BAD Please log in first".to_owned());
    }
    refusal(server, &name, usize::try_from(size).unwrap_or(usize::MAX / 2)).map(str::to_owned)
}
