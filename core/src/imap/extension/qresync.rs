//! QRESYNC (RFC 7162): what has changed in a mailbox and what is gone, with opening it.
//!
//! What a server says is gone is a claim, not a proof: iCloud and Apache James have told of all old mail that it had
//! vanished, and a hosted Cyrus named `1:26183` at a first SELECT. [`Changes::agrees`] is the check that any deletion
//! needs, and [`quirk`](crate::imap::quirk) hides the extension where the fault is known.

use super::{Extension, condstore, enable};
use crate::error::Result;
use crate::imap::command::{self, FetchItem, FetchModifiers, Known};
use crate::imap::{Capabilities, FetchRow, MailboxName, UidSet, Untagged};
use crate::wire::Command;
use std::collections::BTreeMap;

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "QRESYNC",
    rfc: 7162,
    about: "Opening a mailbox tells what has changed in it and what is gone",
    fallback: "CONDSTORE tells what has changed, and a search of all UIDs what is gone",
};

/// Whether the server offers it, with the ENABLE that turns it on. Apache James announces QRESYNC without CONDSTORE.
#[must_use]
pub fn is_offered(caps: &Capabilities) -> bool {
    caps.has("QRESYNC") && caps.has("ENABLE")
}

/// The command that turns it on, before any mailbox is opened with it; `None` for a server that does not offer it.
pub fn enable(caps: &Capabilities) -> Result<Option<Command>> {
    enable::plan(caps, &["QRESYNC"])
}

/// How to learn what has changed in a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// This SELECT: its answer holds [`Changes`], the expunged ones too.
    Opening(Command),
    /// A plain SELECT, and then a FETCH of all flags with these modifiers; what is gone is told by a search of all UIDs
    /// only. Without modifiers the answer holds every message.
    Fetching(FetchModifiers),
}

/// How to ask for what has changed in `mailbox` since `known`. `enabled` is what ENABLE has named: iCloud announces
/// QRESYNC and does not name it, and then a SELECT with it is refused.
pub fn question(
    caps: &Capabilities,
    enabled: &[String],
    mailbox: (&MailboxName, bool),
    known: Option<&Known>,
) -> Result<Question> {
    let valid = known.filter(|known| condstore::valid(known.mod_seq).is_some() && known.uid_validity > 0);
    let (name, read_only) = mailbox;
    match valid {
        Some(known) if is_offered(caps) && enable::is_on(enabled, "QRESYNC") => {
            command::select_since(name, read_only, known).map(Question::Opening)
        }
        known => Ok(Question::Fetching(condstore::changed_since(caps, known.map(|k| k.mod_seq)))),
    }
}

/// `UID FETCH 1:4294967295 (UID FLAGS) (CHANGEDSINCE n VANISHED)`: the same for a mailbox that is open.
///
/// The range is never `1:*`: there Cyrus leaves out the highest of the UIDs that are gone.
pub fn fetch(known: &Known) -> Result<Command> {
    let modifiers = FetchModifiers { changed_since: condstore::valid(known.mod_seq), vanished: true };
    command::uid_fetch(&UidSet::range(1, u32::MAX), &[FetchItem::Uid, FetchItem::Flags], modifiers)
}

/// What a server has told of a mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// What is gone, as ranges: they may be open-ended (`12:*`) and hold UIDs that never were. Never to be expanded.
    pub vanished: UidSet,
    /// Changed and new messages, by UID.
    pub rows: BTreeMap<u32, FetchRow>,
}

impl Changes {
    /// Takes in a response, in the order in which they come; whether it was of this kind.
    pub fn take(&mut self, data: &Untagged) -> bool {
        match data {
            Untagged::Vanished { uids, .. } => {
                self.vanished.merge(uids);
                self.rows.retain(|uid, _| !uids.contains(*uid));
                true
            }
            Untagged::Fetch(row) => {
                // A row without its UID tells nothing that could be kept.
                let Some(uid) = row.uid else { return false };
                match self.rows.get_mut(&uid) {
                    Some(known) => known.merge((**row).clone()),
                    None => drop(self.rows.insert(uid, (**row).clone())),
                }
                true
            }
            _ => false,
        }
    }

    /// Those of `known` that the server says are gone.
    #[must_use]
    pub fn gone(&self, known: &UidSet) -> UidSet {
        known.intersection(&self.vanished)
    }

    /// Rows of messages that are not among `known`.
    #[must_use]
    pub fn new(&self, known: &UidSet) -> UidSet {
        self.rows.keys().copied().filter(|uid| !known.contains(*uid)).collect()
    }

    /// Whether what is left of `known`, with the new messages, comes to the number that the mailbox holds (EXISTS).
    ///
    /// Only then may what is gone be taken for gone. `new` is how many messages beyond `known` there are: those of
    /// [`Changes::new`], or as a search has found them, since a server need not tell of UIDs that it was not asked about.
    #[must_use]
    pub fn agrees(&self, known: &UidSet, new: u64, exists: u32) -> bool {
        known.difference(&self.vanished).len() + new == u64::from(exists)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::extension::tests::{responses, text};
    use crate::imap::{Response, ResponseCode};

    fn caps(names: &[&str]) -> Capabilities {
        names.iter().collect()
    }

    fn known(uids: &str) -> Known {
        Known { uid_validity: 67_890_007, mod_seq: 90_060_115_194_045_000, uids: UidSet::parse(uids).unwrap() }
    }

    fn heard(lines: &str) -> Changes {
        let mut changes = Changes::default();
        for response in responses(lines) {
            if let Response::Data(data) = response {
                changes.take(&data);
            }
        }
        changes
    }

    /// RFC 7162 section 3.2.5.1.
    #[test]
    fn a_mailbox_is_opened_with_what_is_known_of_it() {
        let inbox = MailboxName::new("INBOX", false);
        let on = ["QRESYNC".to_owned()];
        let asked = |enabled: &[String], caps: &Capabilities, known: &Known| {
            question(caps, enabled, (&inbox, false), Some(known)).unwrap()
        };
        let offered = caps(&["QRESYNC", "ENABLE"]);
        let Question::Opening(select) = asked(&on, &offered, &known("41:211,214:541")) else { panic!("not opened") };
        assert_eq!(text(&select), "SELECT INBOX (QRESYNC (67890007 90060115194045000 41:211,214:541))");
        let since = FetchModifiers { changed_since: Some(90_060_115_194_045_000), vanished: false };
        assert_eq!(asked(&[], &offered, &known("1")), Question::Fetching(since));
        assert_eq!(asked(&on, &caps(&["CONDSTORE"]), &known("1")), Question::Fetching(since));
        assert_eq!(asked(&on, &caps(&[]), &known("1")), Question::Fetching(FetchModifiers::default()));
        for nothing in [Known { mod_seq: 0, ..known("1") }, Known { mod_seq: 1 << 63, ..known("1") }] {
            assert_eq!(asked(&on, &offered, &nothing), Question::Fetching(FetchModifiers::default()));
        }
    }

    #[test]
    fn a_set_that_is_too_long_for_a_command_is_left_out() {
        let many = Known { uids: (1..=4000).map(|n| n * 2).collect(), ..known("1") };
        let select = command::select_since(&MailboxName::new("a", false), true, &many).unwrap();
        assert_eq!(text(&select), "EXAMINE a (QRESYNC (67890007 90060115194045000))");
        assert!(command::select_since(&MailboxName::new("a", false), true, &Known::default()).is_err());
    }

    /// RFC 7162 section 3.2.5.1.
    #[test]
    fn the_answer_tells_what_is_gone_and_what_has_changed() {
        let changes = heard(
            "* OK [CLOSED]\r\n* 100 EXISTS\r\n* OK [UIDVALIDITY 67890007] UIDVALIDITY\r\n\
             * VANISHED (EARLIER) 41,43:116,118,120:211,214:540\r\n\
             * 49 FETCH (UID 117 FLAGS (\\Seen \\Answered) MODSEQ (90060115194045001))\r\n\
             * 50 FETCH (UID 119 FLAGS (\\Draft $MDNSent) MODSEQ (90060115194045308))\r\n\
             * 100 FETCH (UID 541 FLAGS (\\Seen $Forwarded) MODSEQ (90060115194045001))\r\n",
        );
        let known = UidSet::parse("41:211,214:541").unwrap();
        assert_eq!(known.difference(&changes.gone(&known)).to_string(), "42,117,119,541");
        assert_eq!(changes.rows.keys().copied().collect::<Vec<_>>(), [117, 119, 541]);
        assert!(changes.new(&known).is_empty());
        assert!(changes.agrees(&known, 0, 4) && changes.agrees(&known, 96, 100) && !changes.agrees(&known, 0, 100));
    }

    /// Dovecot, as MailKit has recorded it: with everything forgotten but one UID.
    #[test]
    fn what_dovecot_says_agrees_with_what_it_holds() {
        let changes = heard(
            "* 7 EXISTS\r\n* VANISHED (EARLIER) 8\r\n* 1 FETCH (UID 1 FLAGS (\\Answered) MODSEQ (4))\r\n\
             * 7 FETCH (UID 7 FLAGS (\\Seen) MODSEQ (3))\r\n",
        );
        let known = UidSet::parse("1:6,8").unwrap();
        assert_eq!((changes.gone(&known).to_string(), changes.new(&known).to_string()), ("8".into(), "7".into()));
        assert!(changes.agrees(&known, changes.new(&known).len(), 7));
    }

    #[test]
    fn a_claim_that_all_is_gone_does_not_agree() {
        let known = UidSet::parse("1:26183").unwrap();
        for lie in ["* VANISHED (EARLIER) 1:26183\r\n", "* VANISHED (EARLIER) 1:*\r\n", "* VANISHED 12:*\r\n"] {
            let changes = heard(lie);
            assert!(!changes.agrees(&known, 0, 26_183), "{lie}");
        }
        assert_eq!(heard("* VANISHED 12:*\r\n").gone(&UidSet::parse("1:20").unwrap()).to_string(), "12:20");
        // Open-ended, and never expanded.
        assert_eq!(heard("* VANISHED 12:*\r\n").vanished.ranges(), [(12, u32::MAX)]);
    }

    #[test]
    fn a_message_that_vanishes_after_its_row_is_gone() {
        let changes = heard("* 1 FETCH (UID 5 FLAGS ())\r\n* 1 FETCH (FLAGS ())\r\n* VANISHED 5\r\n");
        assert!(changes.rows.is_empty() && changes.vanished.contains(5));
    }

    /// RFC 7162 section 3.2.6, and Cyrus' fault with `1:*`.
    #[test]
    fn an_open_mailbox_is_asked_by_numbers() {
        let expected = "UID FETCH 1:4294967295 (UID FLAGS) (CHANGEDSINCE 90060115194045000 VANISHED)";
        assert_eq!(text(&fetch(&known("1")).unwrap()), expected);
    }

    #[test]
    fn only_what_enabled_names_is_on() {
        assert_eq!(text(&enable(&caps(&["QRESYNC", "ENABLE"])).unwrap().unwrap()), "ENABLE QRESYNC");
        assert_eq!(enable(&caps(&["QRESYNC"])).unwrap(), None);
        let Some(Response::Data(Untagged::Enabled(named))) = responses("* ENABLED QRESYNC CONDSTORE\r\n").pop() else {
            panic!("not read")
        };
        assert!(enable::is_on(&named, "QRESYNC") && !enable::is_on(&named, "UIDONLY"));
    }

    #[test]
    fn a_new_uidvalidity_says_that_nothing_told_is_of_what_was_known() {
        // RFC 7162 section 3.2.5: the server then ignores the parameter, and only this code tells.
        let told = responses("* OK [UIDVALIDITY 3857529045] UIDVALIDITY\r\n");
        assert!(matches!(told[0], Response::Status { code: Some(ResponseCode::UidValidity(3_857_529_045)), .. }));
    }
}
