//! LIST in its old and its extended form, and LSUB (RFC 9051 section 6.3.9, RFC 5258, RFC 5819, RFC 6154).

use super::args::{Args, Bad};
use super::command::{End, no, ok};
use super::connection::Connection;
use super::server::Server;
use super::{status, text};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
struct Options {
    subscribed: bool,
    special: bool,
    returns_subscribed: bool,
    returns_special: bool,
    returns_status: Option<Vec<String>>,
    extended: bool,
}

/// Answers LIST.
pub fn list(server: &mut Server, c: &mut Connection, args: &mut Args<'_>) -> Result<End, Bad> {
    args.space()?;
    let extended = server.personality.has("LIST-EXTENDED");
    let mut options = Options::default();
    if extended && args.peek() == Some(b'(') {
        options.extended = true;
        for option in args.list(Args::keyword)? {
            options.subscribed |= option == "SUBSCRIBED";
            options.special |= option == "SPECIAL-USE";
        }
        args.space()?;
    }
    let reference = args.mailbox()?;
    args.space()?;
    let patterns = if extended && args.peek() == Some(b'(') {
        options.extended = true;
        args.list(Args::pattern)?
    } else {
        vec![args.pattern()?]
    };
    if args.has_word(" RETURN ") {
        options.extended = true;
        returns(server, args, &mut options)?;
    }
    args.end()?;
    if patterns == [""] {
        c.line(&format!("* LIST (\\Noselect) \"{}\" \"\"", server.personality.delimiter));
        return ok("List completed.");
    }
    let patterns: Vec<String> = patterns.into_iter().map(|p| format!("{reference}{p}")).collect();
    rows(server, c, &patterns, &options)
}

fn returns(server: &Server, args: &mut Args<'_>, options: &mut Options) -> Result<(), Bad> {
    args.list(|args| {
        match args.keyword()?.as_str() {
            "SUBSCRIBED" => options.returns_subscribed = true,
            "SPECIAL-USE" => options.returns_special = true,
            "CHILDREN" => {}
            "STATUS" if server.personality.has("LIST-STATUS") => {
                args.space()?;
                options.returns_status = Some(args.list(Args::keyword)?);
            }
            other => return Err(Bad(format!("unknown return option {other}"))),
        }
        Ok(())
    })?;
    Ok(())
}

fn rows(server: &mut Server, c: &mut Connection, patterns: &[String], options: &Options) -> Result<End, Bad> {
    if std::mem::take(&mut c.blind_list) {
        return ok("List completed.");
    }
    let found = matching(server, patterns, options.subscribed);
    let rate = server.personality.failing_list;
    let fails = server.lies(rate);
    let count = if fails { found.len() / 2 } else { found.len() };
    for (name, mut attributes) in found.into_iter().take(count) {
        let mailbox = server.named(&name).map(|m| (m.id, m.selectable, m.special_use));
        let usage = mailbox.and_then(|(_, _, usage)| usage).filter(|_| server.personality.has("SPECIAL-USE"));
        if options.special && usage.is_none() {
            continue;
        }
        if usage.is_some() && (!options.extended || options.returns_special || options.special) {
            attributes.extend(usage);
        }
        if (options.subscribed || options.returns_subscribed) && server.subscriptions.contains(&name) {
            attributes.push("\\Subscribed");
        }
        write(server, c, "LIST", &attributes, &name);
        if let (Some(items), Some((id, true, _))) = (&options.returns_status, mailbox) {
            status::write(server, c, id, items)?;
        }
    }
    if fails { no("[SERVERBUG] Too many mailboxes") } else { ok("List completed.") }
}

/// Answers LSUB.
pub fn lsub(server: &Server, c: &mut Connection, args: &mut Args<'_>) -> Result<End, Bad> {
    args.space()?;
    let reference = args.mailbox()?;
    args.space()?;
    let pattern = format!("{reference}{}", args.pattern()?);
    args.end()?;
    let names: Vec<String> = server.subscriptions.iter().cloned().collect();
    for name in names.iter().filter(|name| matches(&pattern, name, server.personality.delimiter)) {
        write(server, c, "LSUB", &[], name);
    }
    ok("Lsub completed.")
}

fn write(server: &Server, c: &mut Connection, kind: &str, attributes: &[&str], name: &str) {
    c.write(format!("* {kind} ({}) \"{}\" ", attributes.join(" "), server.personality.delimiter).as_bytes());
    c.write(&text::name(name));
    c.line("");
}

/// Names that match, with what can be said of each; a level that only has others below it is there as well.
fn matching(server: &Server, patterns: &[String], subscribed: bool) -> BTreeMap<String, Vec<&'static str>> {
    let delimiter = server.personality.delimiter;
    let mut names: BTreeSet<String> = BTreeSet::new();
    for mailbox in server.mailboxes() {
        names.insert(mailbox.name.clone());
        let levels = mailbox.name.match_indices(delimiter).map(|(at, _)| mailbox.name[..at].to_owned());
        names.extend(levels);
    }
    if subscribed {
        names.retain(|name| server.subscriptions.contains(name));
        names.extend(server.subscriptions.iter().cloned());
    }
    let parent = |name: &str| server.mailboxes().any(|m| m.name.starts_with(&format!("{name}{delimiter}")));
    let wanted = names.into_iter().filter(|name| patterns.iter().any(|p| matches(p, name, delimiter)));
    let described = wanted.map(|name| {
        let mut attributes = Vec::new();
        match server.named(&name) {
            Some(mailbox) if mailbox.selectable => {}
            Some(_) => attributes.push("\\Noselect"),
            None if subscribed => attributes.push("\\NonExistent"),
            None => attributes.push("\\Noselect"),
        }
        attributes.push(if parent(&name) { "\\HasChildren" } else { "\\HasNoChildren" });
        (name, attributes)
    });
    described.collect()
}

/// `*` is anything, `%` anything within a level; INBOX is itself in any case.
fn matches(pattern: &str, name: &str, delimiter: char) -> bool {
    if name == "INBOX" && pattern.eq_ignore_ascii_case("INBOX") {
        return true;
    }
    let Some(first) = pattern.chars().next() else { return name.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    match first {
        '*' | '%' => {
            let stop = |c: char| first == '%' && c == delimiter;
            let ends = name.char_indices().map(|(at, c)| (at, stop(c))).chain([(name.len(), false)]);
            for (at, stops) in ends {
                if matches(rest, &name[at..], delimiter) {
                    return true;
                }
                if stops {
                    return false;
                }
            }
            false
        }
        c => name.strip_prefix(c).is_some_and(|name| matches(rest, name, delimiter)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_keep_within_their_level() {
        for (pattern, name, expected) in [
            ("*", "a/b", true),
            ("%", "a/b", false),
            ("%", "a", true),
            ("a/%", "a/b", true),
            ("%/b", "a/b", true),
            ("inbox", "INBOX", true),
            ("a*c", "abbc", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, name, '/'), expected, "{pattern} {name}");
        }
    }
}
