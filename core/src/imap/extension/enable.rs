//! ENABLE (RFC 5161): turning on what changes how a server speaks.

use super::Extension;
use crate::error::Result;
use crate::imap::{Capabilities, command};
use crate::wire::Command;

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "ENABLE",
    rfc: 5161,
    about: "Extensions that change what a server says are turned on (UIDONLY, QRESYNC)",
    fallback: "They are not used; CONDSTORE is turned on by SELECT, mailbox by mailbox",
};

/// The command that turns on those of `wanted` that the server offers; `None` where there is nothing to turn on.
///
/// Only what `ENABLED` then names is on ([`is_on`]). IMAP4rev2 and UTF8=ACCEPT are asked for by nobody here: both bring
/// little, cannot be undone, and break several servers (Strato answers every search with nothing; others refuse what they
/// announce).
pub fn plan(caps: &Capabilities, wanted: &[&str]) -> Result<Option<Command>> {
    let offered: Vec<&str> = wanted.iter().copied().filter(|name| caps.has(name)).collect();
    if offered.is_empty() || !caps.has("ENABLE") {
        return Ok(None);
    }
    command::enable(&offered).map(Some)
}

/// Whether `name` is among what `ENABLED` has named. iCloud announces QRESYNC and never names it.
#[must_use]
pub fn is_on(enabled: &[String], name: &str) -> bool {
    enabled.iter().any(|on| on.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Piece;

    #[test]
    fn only_what_is_offered_is_enabled() {
        let caps: Capabilities = ["ENABLE", "CONDSTORE", "IMAP4rev2"].into_iter().collect();
        let command = plan(&caps, &["CONDSTORE", "QRESYNC"]).unwrap().unwrap();
        assert_eq!(command.pieces(), [Piece::Text(b"ENABLE CONDSTORE".to_vec())]);
        assert_eq!(plan(&caps, &["QRESYNC"]).unwrap(), None);
        assert_eq!(plan(&["CONDSTORE"].into_iter().collect(), &["CONDSTORE"]).unwrap(), None);
        assert!(is_on(&["CONDSTORE".to_owned()], "condstore") && !is_on(&["CONDSTORE".to_owned()], "QRESYNC"));
    }
}
