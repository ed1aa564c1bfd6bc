//! ENABLE (RFC 5161): turning on what changes how a server speaks.

use super::Extension;
use crate::error::Result;
use crate::imap::{Capabilities, command};
use crate::wire::Command;

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "ENABLE",
    rfc: 5161,
    about: "CONDSTORE is turned on for the whole session",
    fallback: "SELECT turns CONDSTORE on, mailbox by mailbox",
};

/// What a session turns on of itself. IMAP4rev2 and UTF8=ACCEPT are not among them: both bring little, cannot be undone,
/// and break several servers (Strato answers every search with nothing; others refuse what they announce).
pub const WANTED: &[&str] = &["CONDSTORE"];

/// The command that turns on those of `wanted` that the server offers; `None` where there is nothing to turn on.
///
/// Only what `ENABLED` then names is on.
pub fn plan(caps: &Capabilities, wanted: &[&str]) -> Result<Option<Command>> {
    let offered: Vec<&str> = wanted.iter().copied().filter(|name| caps.has(name)).collect();
    if offered.is_empty() || !caps.has("ENABLE") {
        return Ok(None);
    }
    command::enable(&offered).map(Some)
}

/// Whether names and strings are UTF-8 once this is enabled.
#[must_use]
pub fn is_utf8(enabled: &[String]) -> bool {
    enabled.iter().any(|name| matches!(name.as_str(), "UTF8=ACCEPT" | "UTF8=ONLY" | "IMAP4REV2"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Piece;

    #[test]
    fn only_what_is_offered_is_enabled() {
        let caps: Capabilities = ["ENABLE", "CONDSTORE", "IMAP4rev2"].into_iter().collect();
        let command = plan(&caps, WANTED).unwrap().unwrap();
        assert_eq!(command.pieces(), [Piece::Text(b"ENABLE CONDSTORE".to_vec())]);
        assert_eq!(plan(&caps, &["QRESYNC"]).unwrap(), None);
        assert_eq!(plan(&["CONDSTORE"].into_iter().collect(), WANTED).unwrap(), None);
        assert!(is_utf8(&["UTF8=ACCEPT".to_owned()]) && !is_utf8(&["CONDSTORE".to_owned()]));
    }
}
