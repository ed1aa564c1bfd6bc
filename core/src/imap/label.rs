//! Gmail's labels (X-GM-EXT-1): mailbox names in all but name, and a few of the system's own.

use super::{decode_name, encode_name};
use crate::error::Result;
use crate::wire::Encoder;
use bytes::Bytes;
use std::fmt;

/// A label of a message on Gmail, such as `Muy Importante` or `\Important`.
///
/// Its text travels as modified UTF-7, as mailbox names do. A label of the system's begins with a backslash; one that a
/// user has made cannot.
///
/// ```
/// use mailtide::imap::Label;
///
/// let label = Label::from_server(b"Entw&APw-rfe".as_slice());
/// assert_eq!(label.as_str(), "Entwürfe");
/// assert!(Label::new("\\Inbox").is_system() && !label.is_system());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label {
    name: String,
    raw: Bytes,
}

impl Label {
    /// The label that a user gave.
    #[must_use]
    pub fn new(name: &str) -> Self {
        // `INBOX` means nothing here: the inbox is the label \Inbox.
        let raw = if name.eq_ignore_ascii_case("INBOX") { name.into() } else { encode_name(name, false) };
        Self { name: name.to_owned(), raw: raw.into() }
    }

    /// The label that a server sent.
    #[must_use]
    pub fn from_server(raw: impl Into<Bytes>) -> Self {
        let raw = raw.into();
        let plain = || String::from_utf8_lossy(&raw).into_owned();
        let name = if raw.eq_ignore_ascii_case(b"INBOX") { plain() } else { decode_name(&raw, false) };
        Self { name, raw }
    }

    /// Its decoded text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Whether it is one of the system's: `\Inbox`, `\Sent`, `\Important`, `\Starred`, `\Draft`, `\Trash`, `\Muted`.
    #[must_use]
    pub fn is_system(&self) -> bool {
        self.name.starts_with('\\')
    }

    /// Writes it: one of the system's as a flag is written, any other as a string. A user's own never becomes one of the
    /// system's by that: those with a backslash that are no flag are quoted.
    pub(super) fn encode(&self, e: &mut Encoder) -> Result<()> {
        if self.is_system() && e.flag(&self.name).is_ok() {
            return Ok(());
        }
        e.string(&self.raw).map(drop)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Piece;

    fn written(label: &Label) -> String {
        let mut e = Encoder::new("X");
        label.encode(&mut e).unwrap();
        match e.finish().pieces() {
            [Piece::Text(text)] => String::from_utf8(text.clone()).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn labels_travel_as_mailbox_names_do() {
        assert_eq!(written(&Label::new("Muy Importante")), "X \"Muy Importante\"");
        assert_eq!(written(&Label::new("Entwürfe")), "X \"Entw&APw-rfe\"");
        assert_eq!(written(&Label::from_server(b"R&D".as_slice())), "X \"R&D\"");
        assert_eq!(written(&Label::new("inbox")), "X \"inbox\"");
    }

    #[test]
    fn the_systems_labels_are_written_like_flags_and_nothing_else_is() {
        assert_eq!(written(&Label::new("\\Inbox")), "X \\Inbox");
        assert_eq!(written(&Label::new("\\a b) EXPUNGE")), "X \"\\\\a b) EXPUNGE\"");
    }
}
