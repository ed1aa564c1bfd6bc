//! ID (RFC 2971): who is who. Some providers let nobody in who does not say.

use super::Extension;
use crate::error::Result;
use crate::imap::{Capabilities, command};
use crate::wire::Command;

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "ID",
    rfc: 2971,
    about: "The server is told which program this is, and says what it is itself",
    fallback: "Nothing is said",
};

/// What this library says of itself.
pub const FIELDS: &[(&str, &str)] = &[("name", "Mailtide"), ("version", env!("CARGO_PKG_VERSION"))];

/// The command; `None` for a server that does not offer it.
pub fn plan(caps: &Capabilities, fields: &[(&str, &str)]) -> Result<Option<Command>> {
    if caps.has("ID") { command::id(fields).map(Some) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Piece;

    #[test]
    fn it_is_sent_where_it_is_offered() {
        let caps: Capabilities = ["ID"].into_iter().collect();
        let command = plan(&caps, &[("name", "x \"y\"")]).unwrap().unwrap();
        assert_eq!(command.pieces(), [Piece::Text(br#"ID ("name" "x \"y\"")"#.to_vec())]);
        assert_eq!(plan(&Capabilities::default(), FIELDS).unwrap(), None);
    }
}
