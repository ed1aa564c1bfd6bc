//! UIDONLY (RFC 9586): a connection without sequence numbers.
//!
//! Yahoo shows only the newest messages of a large mailbox, as many as its MESSAGELIMIT, until UIDONLY is enabled. It
//! cannot be turned off again, and what follows sequence numbers (a watch) does not work with it.

use super::{Extension, enable};
use crate::error::Result;
use crate::imap::Capabilities;
use crate::wire::Command;

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "UIDONLY",
    rfc: 9586,
    about: "Large mailboxes of a server with a MESSAGELIMIT are seen whole (Yahoo)",
    fallback: "What the server shows is taken for a part: nothing is deleted for being absent",
};

/// The command that turns it on, for a server that has a limit on messages; `None` elsewhere: it brings nothing there.
pub fn enable(caps: &Capabilities) -> Result<Option<Command>> {
    if caps.message_limit().is_none() {
        return Ok(None);
    }
    enable::plan(caps, &["UIDONLY"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::extension::tests::{responses, rows, text};
    use crate::imap::{Flag, Response, ResponseCode, Untagged};

    #[test]
    fn it_is_turned_on_where_mailboxes_would_be_shown_in_part() {
        let caps = |names: &[&str]| -> Capabilities { names.iter().collect() };
        let yahoo = enable(&caps(&["ENABLE", "UIDONLY", "MESSAGELIMIT=1000"])).unwrap().unwrap();
        assert_eq!(text(&yahoo), "ENABLE UIDONLY");
        assert_eq!(enable(&caps(&["ENABLE", "UIDONLY"])).unwrap(), None);
        assert_eq!(enable(&caps(&["ENABLE", "MESSAGELIMIT=1000"])).unwrap(), None);
    }

    /// RFC 9586 section 3.3 and 3.4.
    #[test]
    fn rows_are_named_by_their_uid_and_what_is_gone_as_well() {
        let rows = rows("* 25996 UIDFETCH (FLAGS (\\Seen))\r\n* 25997 UIDFETCH (FLAGS (\\Flagged \\Answered))\r\n");
        assert_eq!((rows[0].uid, rows[0].seq, rows[1].uid), (Some(25_996), 0, Some(25_997)));
        assert_eq!(rows[0].flags, Some(vec![Flag::SEEN]));
        let gone = responses("* VANISHED 405,407,410,425\r\n");
        assert!(matches!(&gone[0], Response::Data(Untagged::Vanished { uids, .. }) if uids.len() == 4));
    }

    /// RFC 9586 section 3.6.
    #[test]
    fn a_command_with_sequence_numbers_is_refused_by_code() {
        let told = responses("07 BAD [UIDREQUIRED] Message numbers are not allowed once UIDONLY is enabled\r\n");
        assert!(matches!(&told[0], Response::Tagged { code: Some(ResponseCode::UidRequired), .. }));
    }
}
