//! Faults of servers, as data: who has them, how we know, and what is done about it.
//!
//! What can be read leniently by everyone is not here but in the parsers. A quirk is only what would make a correct
//! server worse off. Every field of [`Quirks`] is public, so that a user can put it right where a server has changed
//! ([`Account::quirks`](crate::Account::quirks)).

use super::Capabilities;
use std::time::Duration;

/// What to do differently with a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// Capabilities that are announced and do not work.
    pub hidden: Vec<String>,
    /// Send ID before anything else: the server refuses to work otherwise.
    pub id_first: bool,
    /// Ask for the capabilities again after login: those on the greeting or the login are not all.
    pub capability_again: bool,
    /// A fetch of part of a body gives the whole body, every time.
    pub whole_parts: bool,
    /// How long an IDLE lasts at most, where that is less than usual.
    pub idle_renew: Option<Duration>,
    /// NOOP does not keep the connection alive; STATUS does.
    pub status_keeps_alive: bool,
    /// A login that succeeded may still have failed: the first command after it tells.
    pub probe_after_login: bool,
    /// Which rules have matched, by name.
    pub matched: Vec<&'static str>,
}

impl Quirks {
    /// What the server announces, less what does not work.
    #[must_use]
    pub fn believe(&self, announced: Capabilities) -> Capabilities {
        if self.hidden.is_empty() { announced } else { announced.without(&self.hidden) }
    }

    fn hide(&mut self, capabilities: &[&str]) {
        self.hidden.extend(capabilities.iter().map(ToString::to_string));
    }
}

/// One known fault.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Who has it.
    pub name: &'static str,
    /// Where it is on record.
    pub evidence: &'static str,
    matches: fn(&Server<'_>) -> bool,
    apply: fn(&mut Quirks),
}

/// What is known of a server when quirks are looked up.
struct Server<'a> {
    host: &'a str,
    greeting: &'a str,
    id: &'a [(String, Option<String>)],
}

impl Server<'_> {
    /// Whether the host is one of these domains or below it.
    fn at(&self, domains: &[&str]) -> bool {
        domains.iter().any(|domain| {
            let host = self.host.to_ascii_lowercase();
            host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }

    /// Whether the greeting or the name in its ID says so.
    fn says(&self, words: &str) -> bool {
        let contains = |text: &str| lower(text).contains(words);
        contains(self.greeting) || self.field("name").is_some_and(contains)
    }

    /// Whether it is this version of a program: by its greeting, or by name and version in its ID.
    fn is(&self, program: &str, version: &str) -> bool {
        let starts = |field: &str, with: &str| self.field(field).is_some_and(|f| lower(f).starts_with(with));
        lower(self.greeting).contains(&format!("{program} {version}"))
            || starts("name", program) && starts("version", version)
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.id.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, value)| value.as_deref())
    }
}

fn lower(text: &str) -> String {
    text.to_ascii_lowercase()
}

/// Every known fault, for documentation.
pub const RULES: &[Rule] = &[
    Rule {
        name: "NetEase and Coremail",
        evidence: "\"Unsafe Login\" without ID (nylas, himalaya id.auto); SASL-IR answered BAD (himalaya #729)",
        matches: |s| s.at(&["163.com", "126.com", "yeah.net", "188.com"]) || s.says("coremail"),
        apply: |q| {
            q.id_first = true;
            q.status_keeps_alive = true;
            q.hide(&["SASL-IR"]);
        },
    },
    Rule {
        name: "Tencent Exmail and QQ",
        evidence: "Partial fetches give the whole part (ImapFlow #396)",
        matches: |s| s.at(&["exmail.qq.com", "imap.qq.com"]),
        apply: |q| q.whole_parts = true,
    },
    Rule {
        name: "Strato RZimapd",
        evidence: "After ENABLE IMAP4rev2 every SEARCH answers ESEARCH without ALL (ImapFlow #411)",
        matches: |s| s.at(&["strato.de", "rzone.de"]) || s.says("rzimapd"),
        apply: |q| q.hide(&["IMAP4REV2"]),
    },
    Rule {
        name: "iCloud",
        evidence: "QRESYNC without ENABLED and with malformed VANISHED (Mozilla 1747311); capabilities replaced by a proxy (Mailspring PR #91)",
        matches: |s| s.at(&["mail.me.com", "icloud.com"]),
        apply: |q| {
            q.hide(&["QRESYNC"]);
            q.capability_again = true;
        },
    },
    Rule {
        name: "Apache James",
        evidence: "QRESYNC reports all old mail as vanished (james-project PR #629)",
        matches: |s| s.says("james"),
        apply: |q| q.hide(&["QRESYNC"]),
    },
    Rule {
        name: "Cyrus IMAP 3.6",
        evidence: "LIST RETURN (STATUS (MAILBOXID)) gives freed memory, line feeds too (3.6.1 of Debian, measured here)",
        matches: |s| s.is("cyrus imap", "3.6"),
        apply: |q| q.hide(&["OBJECTID"]),
    },
    Rule {
        name: "Yahoo and AOL",
        evidence: "IDLE ends after five minutes, AOL sooner (EmailEngine; imapfilter #311)",
        matches: |s| s.at(&["mail.yahoo.com", "mail.yahoo.co.jp", "imap.aol.com"]),
        apply: |q| q.idle_renew = Some(Duration::from_secs(180)),
    },
    Rule {
        name: "Rambler",
        evidence: "IDLE ends after a minute (EmailEngine)",
        matches: |s| s.at(&["rambler.ru"]),
        apply: |q| q.idle_renew = Some(Duration::from_secs(55)),
    },
    Rule {
        name: "Exchange and Office 365",
        evidence: "LOGIN succeeds, the next command says \"User is authenticated but not connected\" (ImapFlow #314, MailKit #1494)",
        matches: |s| s.at(&["outlook.com", "office365.com", "outlook.de"]) || s.says("microsoft exchange"),
        apply: |q| q.probe_after_login = true,
    },
    Rule {
        name: "Naver",
        evidence: "Neither NOOP nor IDLE shows new mail; STATUS or SELECT does (EmailEngine)",
        matches: |s| s.at(&["imap.naver.com"]),
        apply: |q| q.status_keeps_alive = true,
    },
];

/// The quirks of a server, by its name, the text of its greeting, and what it says to ID (nothing yet before that).
#[must_use]
pub fn quirks_for(host: &str, greeting: &str, id: &[(String, Option<String>)]) -> Quirks {
    let server = Server { host, greeting, id };
    let mut quirks = Quirks::default();
    for rule in RULES.iter().filter(|rule| (rule.matches)(&server)) {
        (rule.apply)(&mut quirks);
        quirks.matched.push(rule.name);
    }
    quirks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_known_by_host_greeting_or_id() {
        assert!(quirks_for("imap.163.com", "", &[]).id_first);
        assert!(quirks_for("mail.example.org", "Coremail System IMap Server Ready(163com)", &[]).id_first);
        let id = [("name".to_owned(), Some("Microsoft Exchange Server".to_owned()))];
        assert!(quirks_for("mail.example.org", "", &id).probe_after_login);
        let id = |version: &str| {
            [("name", "Cyrus IMAPD"), ("version", version)].map(|(k, v)| (k.to_owned(), Some(v.to_owned())))
        };
        assert_eq!(quirks_for("h", "", &id("3.6.1-4+deb12u3")).hidden, ["OBJECTID"]);
        assert_eq!(quirks_for("h", "h Cyrus IMAP 3.6.1-4+deb12u3 server ready", &[]).hidden, ["OBJECTID"]);
        assert!(quirks_for("h", "h Cyrus IMAP 3.8.0 server ready", &id("3.8.0")).hidden.is_empty());
        assert_eq!(quirks_for("Imap.Strato.DE", "", &[]).hidden, ["IMAP4REV2"]);
        assert_eq!(quirks_for("notstrato.de", "", &[]), Quirks::default());
    }

    #[test]
    fn what_does_not_work_is_not_believed() {
        let caps: Capabilities = ["IMAP4rev1", "IMAP4rev2"].into_iter().collect();
        assert!(!quirks_for("imap.strato.de", "", &[]).believe(caps.clone()).has("IMAP4rev2"));
        assert_eq!(Quirks::default().believe(caps.clone()), caps);
    }

    #[test]
    fn every_rule_changes_something_and_says_why() {
        for rule in RULES {
            let mut quirks = Quirks::default();
            (rule.apply)(&mut quirks);
            assert_ne!(quirks, Quirks::default(), "{}", rule.name);
            assert!(!rule.evidence.is_empty());
        }
    }
}
