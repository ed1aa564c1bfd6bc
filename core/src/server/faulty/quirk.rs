//! The faults of `imap/quirk.rs` as a server has them: its greeting, where it is known by that, and what it does wrong.

use super::offer::edit;
use crate::error::{Code, MailError, Result};
use crate::server::command::{Command, FetchItem};
use crate::server::reply::{Refusal, Reply};
use std::time::Duration;

/// How a rule's server behaves.
#[derive(Debug)]
pub(super) struct Behaviour {
    /// The name of the rule in [`RULES`](crate::imap::quirk::RULES).
    pub rule: &'static str,
    /// What it says of itself; `None` where it is known by its host alone.
    pub greeting: Option<&'static str>,
    /// What it has not got.
    pub without: &'static [&'static str],
    /// Why it refuses a command, or what it takes it for.
    pub command: fn(&mut Seen, &mut Command) -> Option<Refusal>,
    /// What it makes of its answers.
    pub reply: fn(&Seen, &mut Reply),
    /// How long its IDLE lasts.
    pub idle: Option<Duration>,
}

/// What a connection has seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The command that is being done.
    pub name: String,
    /// Whether the client has said who it is.
    pub is_named: bool,
    /// Whether this was the first login of all.
    pub is_first: bool,
    /// Whether news are told by STATUS alone.
    pub wants_status: bool,
    /// Whether IMAP4rev2 is enabled.
    pub rev2: bool,
    /// Whether a mailbox is being opened with QRESYNC.
    pub resyncs: bool,
}

/// A server without faults.
const SOUND: Behaviour =
    Behaviour { rule: "", greeting: None, without: &[], command: |_, _| None, reply: |_, _| {}, idle: None };

const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        rule: "NetEase and Coremail",
        greeting: Some("Coremail System IMap Server Ready(163com)"),
        without: &["IMAP4REV2"],
        command: |seen, command| match command {
            Command::Authenticate { initial: Some(_), .. } => Some(Refusal::bad("Parse command error")),
            Command::Select(_) if !seen.is_named => Some(Refusal::No(None, "SELECT Unsafe Login".to_owned())),
            _ => None,
        },
        ..SOUND
    },
    Behaviour { rule: "Tencent Exmail and QQ", command: whole_parts, ..SOUND },
    Behaviour {
        rule: "Strato RZimapd",
        greeting: Some("RZimapd ready"),
        command: |seen, command| {
            seen.rev2 |= matches!(command, Command::Enable(words) if words.iter().any(|word| word == "IMAP4REV2"));
            None
        },
        reply: |seen, reply| {
            if seen.rev2 && seen.name == "SEARCH" {
                lines(reply, "* ESEARCH ", |line| Some(line.split(" ALL ").next().unwrap_or(line).to_owned()));
            }
        },
        ..SOUND
    },
    Behaviour {
        rule: "iCloud",
        reply: |seen, reply| {
            lines(reply, "* ENABLED", |_| None);
            lines(reply, "* VANISHED (EARLIER) ", |line| Some(line.replace("(EARLIER)", "EARLIER")));
            // The proxy in front of it knows less than the server behind it.
            let is_login = matches!(seen.name.as_str(), "LOGIN" | "AUTHENTICATE");
            if is_login && reply.code.as_deref().is_some_and(|code| code.starts_with("CAPABILITY ")) {
                reply.code = Some("CAPABILITY IMAP4rev1 SASL-IR".to_owned());
            }
        },
        ..SOUND
    },
    Behaviour {
        rule: "Apache James",
        greeting: Some("JAMES IMAP4rev1 Server imap.example.org is ready."),
        command: |seen, command| {
            seen.resyncs = matches!(command, Command::Select(select) if select.qresync.is_some());
            None
        },
        reply: |seen, reply| {
            if seen.resyncs {
                vanish(reply);
            }
        },
        ..SOUND
    },
    Behaviour { rule: "Amazon WorkMail", reply: |_, reply| lines(reply, "* VANISHED ", |_| None), ..SOUND },
    Behaviour {
        rule: "Cyrus IMAP 3.6",
        greeting: Some("imap.example.org Cyrus IMAP 3.6.1-4+deb12u3 server ready"),
        reply: |seen, reply| {
            if seen.name == "LIST" {
                lines(reply, "* STATUS ", |line| {
                    let (before, after) = line.split_once("MAILBOXID (")?;
                    let rest = after.split_once(')').map_or("", |(_, rest)| rest);
                    Some(format!("{before}MAILBOXID (\u{1}\n\u{7f}){rest}"))
                });
            }
        },
        ..SOUND
    },
    Behaviour { rule: "Yahoo and AOL", idle: Some(Duration::from_secs(300)), ..SOUND },
    Behaviour { rule: "Rambler", idle: Some(Duration::from_secs(60)), ..SOUND },
    Behaviour {
        rule: "Exchange and Office 365",
        greeting: Some("The Microsoft Exchange IMAP4 service is ready."),
        command: |seen, command| {
            let is_struck = seen.is_first && !matches!(command, Command::Logout | Command::Capability);
            is_struck.then(|| Refusal::bad("User is authenticated but not connected."))
        },
        ..SOUND
    },
    Behaviour {
        rule: "Naver",
        command: |seen, command| {
            seen.wants_status = matches!(command, Command::Noop | Command::Check | Command::Idle);
            None
        },
        ..SOUND
    },
];

/// The behaviours of these rules.
pub(super) fn named(names: &[String]) -> Result<Vec<&'static Behaviour>> {
    let unknown = |name: &String| {
        let known: Vec<&str> = BEHAVIOURS.iter().map(|behaviour| behaviour.rule).collect();
        MailError::new(Code::UsageArgument, format!("No server is known by the name {name:?}"))
            .hint(format!("Known: {}", known.join(", ")))
    };
    let find = |name: &String| BEHAVIOURS.iter().find(|behaviour| behaviour.rule.eq_ignore_ascii_case(name));
    names.iter().map(|name| find(name).ok_or_else(|| unknown(name))).collect()
}

/// A fetch of part of a body gives the whole, under the number of its first byte.
fn whole_parts(_: &mut Seen, command: &mut Command) -> Option<Refusal> {
    if let Command::Fetch(fetch) = command {
        for item in &mut fetch.items {
            if let FetchItem::Section(section) = item
                && section.partial.is_some()
            {
                section.partial = Some((0, u32::MAX));
            }
        }
    }
    None
}

/// Says of all mail that was ever there that it has vanished.
fn vanish(reply: &mut Reply) {
    lines(reply, "* VANISHED (EARLIER) ", |_| None);
    let text = String::from_utf8_lossy(&reply.untagged).into_owned();
    let next = text.split("[UIDNEXT ").nth(1).and_then(|rest| rest.split(']').next());
    let last = next.and_then(|next| next.parse::<u32>().ok()).unwrap_or(1).saturating_sub(1);
    if last > 0 {
        reply.untagged.extend_from_slice(format!("* VANISHED (EARLIER) 1:{last}\r\n").as_bytes());
    }
}

/// Rewrites the lines that begin so.
fn lines(reply: &mut Reply, begin: &str, change: impl Fn(&str) -> Option<String>) {
    edit(&mut reply.untagged, |line| if line.starts_with(begin) { change(line) } else { Some(line.to_owned()) });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::quirk::{RULES, quirks_for};

    #[test]
    fn every_rule_can_be_switched_on_and_is_known_by_its_greeting_where_it_has_one() {
        for rule in RULES {
            let found = named(&[rule.name.to_lowercase()]).unwrap();
            if let Some(greeting) = found[0].greeting {
                assert_eq!(quirks_for("127.0.0.1", greeting, &[]).matched, [rule.name]);
            }
        }
        assert_eq!(BEHAVIOURS.len(), RULES.len());
        assert_eq!(named(&["Dovecot".to_owned()]).unwrap_err().code(), Code::UsageArgument);
    }
}
