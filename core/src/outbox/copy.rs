//! The copy in Sent, once: which servers file it themselves, and what to do next. Pure.

use super::entry::CopyState;

/// Who puts the copy of a message into Sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Filing {
    /// The server does, some time after it has accepted the message.
    ByServer,
    /// Nobody, unless we do.
    ByUs,
}

/// A provider whose submission server files copies.
struct Provider {
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever reads the table"))]
    name: &'static str,
    /// Its hosts, or domains of hosts where they begin with a dot.
    hosts: &'static [&'static str],
    /// Words of its greeting.
    greetings: &'static [&'static str],
}

/// To be in this table wrongly costs a minute of looking; to be missing costs a second copy where the server is not quick
/// enough for one look.
const PROVIDERS: &[Provider] = &[
    // Smtp-relay.gmail.com is another service, which knows no mailbox.
    Provider { name: "Gmail", hosts: &["smtp.gmail.com", "smtp.googlemail.com"], greetings: &[] },
    // Quirk 33: chatmail #5013, nextcloud #4831, DavMail #269. Exchange on premises says the same words.
    Provider {
        name: "Outlook and Exchange",
        hosts: &[
            "smtp.office365.com",
            "smtp-mail.outlook.com",
            "outlook.office365.com",
            "smtp.live.com",
            ".hotmail.com",
        ],
        greetings: &["Microsoft ESMTP MAIL Service"],
    },
];

/// Who files copies at this server.
pub(crate) fn filing(host: &str, greeting: &str) -> Filing {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_host = |name: &&'static str| if name.starts_with('.') { host.ends_with(name) } else { host == **name };
    let is_one = |p: &Provider| p.hosts.iter().any(is_host) || p.greetings.iter().any(|g| greeting.contains(g));
    if PROVIDERS.iter().any(is_one) { Filing::ByServer } else { Filing::ByUs }
}

/// How long a server is given to file a copy, and how often it is looked for meanwhile, in seconds.
const GRACE: i64 = 60;
const LOOK_AGAIN: i64 = 10;

/// What to do about a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CopyStep {
    /// Nothing.
    Done,
    /// Look for it; where it is not there, look again at this time (seconds since 1970).
    Look(i64),
    /// Look for it among so many of the newest; where it is not there, add it.
    LookAndAppend(u64),
}

/// How many of the newest messages are looked through: of one that a server is known to file, or that may have been sent;
/// and of one that nobody is known to file, to be sure that somebody has not (quirk 106).
pub(super) const NEWEST: u64 = 500;
pub(super) const GLANCE: u64 = 20;

/// Decides. `accepted` is when the server took the message, `copy` what was committed.
pub(crate) fn copy_step(filing: Filing, copy: Option<CopyState>, accepted: i64, now: i64) -> CopyStep {
    match (copy, filing) {
        (None | Some(CopyState::Filed), _) => CopyStep::Done,
        // Whoever crashed while adding it may have added it.
        (Some(CopyState::Appending), _) => CopyStep::LookAndAppend(NEWEST),
        (Some(CopyState::Wanted), Filing::ByUs) => CopyStep::LookAndAppend(GLANCE),
        (Some(CopyState::Wanted), Filing::ByServer) if now < accepted + GRACE => CopyStep::Look(now + LOOK_AGAIN),
        (Some(CopyState::Wanted), Filing::ByServer) => CopyStep::LookAndAppend(NEWEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_that_file_copies_are_known_by_host_or_greeting() {
        for (host, greeting, expected) in [
            ("smtp.gmail.com", "", Filing::ByServer),
            ("SMTP.Gmail.com.", "", Filing::ByServer),
            ("smtp-relay.gmail.com", "smtp-relay.gmail.com ESMTP x - gsmtp", Filing::ByUs),
            ("smtp.office365.com", "", Filing::ByServer),
            ("mail.example.org", "mail.example.org Microsoft ESMTP MAIL Service ready at", Filing::ByServer),
            ("evilsmtp.gmail.com.example.org", "", Filing::ByUs),
            ("mail.example.org", "mail.example.org ESMTP Postfix", Filing::ByUs),
        ] {
            assert_eq!(filing(host, greeting), expected, "{host} {greeting}");
        }
        assert!(PROVIDERS.iter().all(|p| !p.name.is_empty() && !p.hosts.is_empty()));
    }

    #[test]
    fn a_copy_is_looked_for_before_it_is_added() {
        use CopyState::{Appending, Filed, Wanted};
        for (filing, copy, now, expected) in [
            (Filing::ByUs, None, 0, CopyStep::Done),
            (Filing::ByUs, Some(Filed), 0, CopyStep::Done),
            (Filing::ByUs, Some(Wanted), 0, CopyStep::LookAndAppend(GLANCE)),
            (Filing::ByUs, Some(Appending), 0, CopyStep::LookAndAppend(NEWEST)),
            (Filing::ByServer, Some(Wanted), 0, CopyStep::Look(10)),
            (Filing::ByServer, Some(Wanted), 59, CopyStep::Look(69)),
            (Filing::ByServer, Some(Wanted), 60, CopyStep::LookAndAppend(NEWEST)),
            (Filing::ByServer, Some(Appending), 0, CopyStep::LookAndAppend(NEWEST)),
            (Filing::ByServer, Some(Filed), 99, CopyStep::Done),
        ] {
            assert_eq!(copy_step(filing, copy, 0, now), expected, "{filing:?} {copy:?} {now}");
        }
    }
}
