//! Servers as data: what each kind offers, and what it does otherwise than the RFCs say.
//!
//! The evidence for each trait is the list of facts of real servers that the project keeps; the greeting is that server's
//! own where the engine knows servers by their greeting.

/// One kind of server.
#[derive(Clone, Debug)]
pub struct Personality {
    /// What histories call it.
    pub name: &'static str,
    /// The text of its greeting.
    pub greeting: &'static str,
    /// What it announces, apart from IMAP4rev1 and AUTH=PLAIN.
    pub capabilities: &'static str,
    /// Separates levels of mailbox names.
    pub delimiter: char,
    /// What others did is told at NOOP, CHECK, IDLE and SELECT only (Cyrus).
    pub lazy_updates: bool,
    /// Mailboxes are labels on the messages of one mailbox (Gmail).
    pub labels: bool,
    /// Milliseconds between the rise of HIGHESTMODSEQ and the change that it stands for (Gmail).
    pub late_data: u64,
    /// Longest command line, literals apart; a longer one is refused (Exchange).
    pub command_limit: Option<usize>,
    /// How many commands in a thousand are put off (Exchange).
    pub throttle: u32,
    /// How many QRESYNC answers in a thousand name everything vanished (iCloud).
    pub false_vanished: u32,
    /// ENABLE gets no ENABLED (iCloud).
    pub silent_enable: bool,
    /// Most messages that one command works on (RFC 9738).
    pub message_limit: Option<usize>,
    /// How many rows in a thousand are left out of ranges (Yahoo).
    pub dropped_rows: u32,
    /// How many bodies in a thousand are another message's (Yahoo).
    pub swapped_bodies: u32,
    /// HIGHESTMODSEQ of an empty mailbox is 0 (Purelymail).
    pub zero_modseq: bool,
    /// No UIDNEXT in SELECT, nothing in STATUS (163.com).
    pub no_uid_next: bool,
    /// Every mailbox opens READ-ONLY, and nothing can be added.
    pub read_only: bool,
    /// Bytes that the account may hold.
    pub quota: Option<usize>,
    /// UIDVALIDITY is another one at each SELECT.
    pub restless_validity: bool,
    /// How many LISTs in a thousand end in NO, in the middle.
    pub failing_list: u32,
    /// Bytes and milliseconds: so many come at once, with so long between.
    pub drip: Option<(usize, u64)>,
    /// Longest message that is taken.
    pub append_limit: Option<u64>,
    /// Keywords can be made up by clients.
    pub keywords: bool,
}

const PLAIN: Personality = Personality {
    name: "plain",
    greeting: "IMAP server ready",
    capabilities: "",
    delimiter: '/',
    lazy_updates: false,
    labels: false,
    late_data: 0,
    command_limit: None,
    throttle: 0,
    false_vanished: 0,
    silent_enable: false,
    message_limit: None,
    dropped_rows: 0,
    swapped_bodies: 0,
    zero_modseq: false,
    no_uid_next: false,
    read_only: false,
    quota: None,
    restless_validity: false,
    failing_list: 0,
    drip: None,
    append_limit: None,
    keywords: true,
};

const DOVECOT: &str = "LITERAL+ SASL-IR ENABLE ID NAMESPACE IDLE UNSELECT UIDPLUS MOVE ESEARCH SEARCHRES CONDSTORE QRESYNC \
                       LIST-EXTENDED LIST-STATUS SPECIAL-USE CREATE-SPECIAL-USE STATUS=SIZE CHILDREN MULTIAPPEND";

/// Every personality, in the order in which histories number them; new ones come last.
pub static PERSONALITIES: &[Personality] = &[
    Personality { name: "dovecot", greeting: "Dovecot (Debian) ready.", capabilities: DOVECOT, ..PLAIN },
    Personality {
        name: "cyrus",
        greeting: "Cyrus IMAP 3.6 server ready",
        capabilities: "LITERAL- SASL-IR ENABLE ID NAMESPACE IDLE UNSELECT UIDPLUS MOVE ESEARCH CONDSTORE QRESYNC \
                       LIST-EXTENDED LIST-STATUS SPECIAL-USE STATUS=SIZE OBJECTID SAVEDATE CHILDREN",
        delimiter: '.',
        lazy_updates: true,
        ..PLAIN
    },
    Personality {
        name: "courier",
        greeting: "Courier-IMAP ready.",
        capabilities: "IDLE NAMESPACE UNSELECT CHILDREN",
        delimiter: '.',
        ..PLAIN
    },
    Personality {
        name: "gmail",
        greeting: "Gimap ready for requests",
        capabilities: "LITERAL- SASL-IR ENABLE ID NAMESPACE IDLE UNSELECT UIDPLUS MOVE ESEARCH CONDSTORE LIST-EXTENDED \
                       LIST-STATUS SPECIAL-USE X-GM-EXT-1 CHILDREN",
        labels: true,
        late_data: 4_000,
        append_limit: Some(35_651_584),
        ..PLAIN
    },
    Personality {
        name: "exchange",
        greeting: "The Microsoft Exchange IMAP4 service is ready.",
        capabilities: "LITERAL+ SASL-IR ID NAMESPACE IDLE UNSELECT UIDPLUS MOVE CHILDREN",
        command_limit: Some(10_240),
        throttle: 8,
        keywords: false,
        ..PLAIN
    },
    Personality {
        name: "icloud",
        greeting: "iCloud mail ready",
        capabilities: "SASL-IR ENABLE ID NAMESPACE IDLE UNSELECT UIDPLUS MOVE ESEARCH CONDSTORE QRESYNC SPECIAL-USE",
        false_vanished: 300,
        silent_enable: true,
        ..PLAIN
    },
    Personality {
        name: "yahoo",
        greeting: "IMAP4rev1 imapgate ready",
        capabilities: "SASL-IR ID NAMESPACE IDLE UNSELECT UIDPLUS MOVE ENABLE MESSAGELIMIT=5 LIST-EXTENDED LIST-STATUS \
                       SPECIAL-USE OBJECTID",
        message_limit: Some(5),
        dropped_rows: 20,
        swapped_bodies: 10,
        ..PLAIN
    },
    Personality {
        name: "purelymail",
        greeting: "Purelymail ready",
        capabilities: "LITERAL+ SASL-IR ENABLE ID NAMESPACE IDLE UNSELECT UIDPLUS MOVE CONDSTORE LIST-STATUS \
                       LIST-EXTENDED SPECIAL-USE",
        zero_modseq: true,
        ..PLAIN
    },
    Personality {
        name: "163",
        greeting: "Coremail System IMap Server Ready",
        capabilities: "ID UIDPLUS XLIST",
        no_uid_next: true,
        keywords: false,
        ..PLAIN
    },
    Personality { name: "read-only", capabilities: DOVECOT, read_only: true, ..PLAIN },
    Personality { name: "quota-full", capabilities: DOVECOT, quota: Some(4_000), ..PLAIN },
    Personality { name: "restless", capabilities: "UIDPLUS MOVE IDLE NAMESPACE", restless_validity: true, ..PLAIN },
    Personality { name: "list-fails", capabilities: DOVECOT, failing_list: 400, ..PLAIN },
    Personality { name: "no-idle", capabilities: "LITERAL+ UIDPLUS NAMESPACE CONDSTORE ENABLE", ..PLAIN },
    Personality { name: "slow-drip", capabilities: DOVECOT, drip: Some((7, 40)), ..PLAIN },
    Personality {
        name: "rev2",
        greeting: "IMAP4rev2 ready",
        capabilities: "IMAP4rev2 LITERAL- SASL-IR ENABLE ID NAMESPACE IDLE UNSELECT UIDPLUS MOVE ESEARCH SEARCHRES CONDSTORE \
                       QRESYNC LIST-EXTENDED LIST-STATUS SPECIAL-USE STATUS=SIZE OBJECTID SAVEDATE UIDONLY \
                       MESSAGELIMIT=8 MULTIAPPEND APPENDLIMIT=1000000 NOTIFY",
        message_limit: Some(8),
        append_limit: Some(1_000_000),
        ..PLAIN
    },
    Personality { name: "bare", capabilities: "", ..PLAIN },
    Personality {
        name: "no-uidplus",
        capabilities: "LITERAL+ SASL-IR ENABLE NAMESPACE IDLE UNSELECT ESEARCH CONDSTORE LIST-STATUS LIST-EXTENDED",
        ..PLAIN
    },
];

impl Personality {
    /// The personality of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        PERSONALITIES.iter().find(|p| p.name == name)
    }

    /// Whether it announces a capability.
    #[must_use]
    pub fn has(&self, capability: &str) -> bool {
        self.capabilities.split_ascii_whitespace().any(|c| c == capability)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_enough_of_them_and_each_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = PERSONALITIES.iter().map(|p| p.name).collect();
        assert!(names.len() >= 16 && names.len() == PERSONALITIES.len());
        assert!(Personality::named("cyrus").unwrap().has("QRESYNC"));
        assert!(!Personality::named("courier").unwrap().has("UIDPLUS"));
    }
}
