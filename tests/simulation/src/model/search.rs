//! SEARCH and UID SEARCH (RFC 9051 section 6.4.4, RFC 4731, RFC 5182, RFC 7162).

use super::args::{Args, Bad};
use super::changes;
use super::command::{End, ok};
use super::connection::Connection;
use super::search_keys::{self, Key, Looked};
use super::server::Server;
use super::set::compact;

/// A message that was found.
struct Hit {
    number: u32,
    uid: u32,
    modseq: u64,
}

/// Answers SEARCH.
pub fn search(server: &mut Server, c: &mut Connection, args: &mut Args<'_>, uid: bool) -> Result<End, Bad> {
    let mut returns = None;
    if server.personality.has("ESEARCH") && args.has_word(" RETURN ") {
        returns = Some(args.list(Args::keyword)?);
    }
    if args.has_word(" CHARSET ") {
        let charset = args.text()?.to_ascii_uppercase();
        if !matches!(charset.as_str(), "UTF-8" | "US-ASCII") {
            return Ok(End::No("[BADCHARSET (UTF-8 US-ASCII)] Unknown charset".to_owned()));
        }
    }
    args.space()?;
    let key = search_keys::read(args)?;
    let modseq = key.asks_modseq();
    c.enabled.condstore |= modseq;
    let (hits, limit) = limited(server, found(server, c, &key));
    let saves = returns.as_ref().is_some_and(|r| r.iter().any(|option| option == "SAVE"));
    if saves {
        c.saved = hits.iter().map(|hit| hit.uid).collect();
    }
    let by_number = |hit: &Hit| if uid { hit.uid } else { hit.number };
    let numbers: Vec<u32> = hits.iter().map(by_number).collect();
    let highest = hits.iter().map(|hit| hit.modseq).max().filter(|_| modseq);
    if returns.is_none() && !c.enabled.rev2 {
        let list: String = numbers.iter().map(|n| format!(" {n}")).collect();
        let modseq = highest.map(|n| format!(" (MODSEQ {n})")).unwrap_or_default();
        c.line(&format!("* SEARCH{list}{modseq}"));
    } else {
        extended(c, uid, &returns.unwrap_or_default(), &numbers, highest);
    }
    changes::report_lazily(server, c, uid);
    ok(&format!("{limit}Search completed."))
}

fn extended(c: &mut Connection, uid: bool, returns: &[String], numbers: &[u32], highest: Option<u64>) {
    let has = |option: &str| returns.iter().any(|r| r == option);
    if returns == ["SAVE"] {
        return;
    }
    let mut out = String::new();
    if let (Some(first), Some(last)) = (numbers.first(), numbers.last()) {
        if has("MIN") {
            out += &format!(" MIN {first}");
        }
        if has("MAX") {
            out += &format!(" MAX {last}");
        }
        if has("ALL") || returns.is_empty() {
            out += &format!(" ALL {}", compact(numbers.iter().copied()));
        }
    }
    if has("COUNT") {
        out += &format!(" COUNT {}", numbers.len());
    }
    if let Some(modseq) = highest {
        out += &format!(" MODSEQ {modseq}");
    }
    let uid = if uid { " UID" } else { "" };
    let tag = c.tag.clone();
    c.line(&format!("* ESEARCH (TAG \"{tag}\"){uid}{out}"));
}

fn found(server: &Server, c: &Connection, key: &Key) -> Vec<Hit> {
    let Some(selected) = &c.selected else { return Vec::new() };
    let Some(mailbox) = server.mailbox(selected.mailbox) else { return Vec::new() };
    let highest = selected.known.last().map_or(0, |k| k.uid);
    let count = u32::try_from(selected.known.len()).unwrap_or(u32::MAX);
    let mut hits = Vec::new();
    for (number, known) in (1..).zip(&selected.known) {
        let Some(seen) = mailbox.placements.get(&known.uid).and_then(|p| p.seen(server.now)) else { continue };
        let looked = Looked { seen, number, count, highest, saved: &c.saved };
        if key.holds(&looked) {
            hits.push(Hit { number, uid: known.uid, modseq: seen.modseq });
        }
    }
    hits
}

/// RFC 9738 limits what is found as well.
fn limited(server: &Server, mut hits: Vec<Hit>) -> (Vec<Hit>, String) {
    let limit = server.personality.message_limit.unwrap_or(usize::MAX);
    if hits.len() <= limit {
        return (hits, String::new());
    }
    let kept = hits.split_off(hits.len() - limit);
    let lowest = kept.first().map_or(0, |hit| hit.uid);
    (kept, format!("[MESSAGELIMIT {limit} {lowest}] "))
}
