//! IMAP's extensions: a file each, with what it is used for and what a server without it gets instead.
//!
//! Plans are values: commands in the order in which they are to be sent, each only after the one before it has ended in
//! `OK`. The session carries them out.

pub mod append_limit;
pub mod children;
pub mod condstore;
pub mod enable;
pub mod esearch;
pub mod gmail;
pub mod id;
pub mod idle;
pub mod list_extended;
pub mod list_status;
pub mod literal;
pub mod message_limit;
pub mod r#move;
pub mod multiappend;
pub mod namespace;
pub mod notify;
pub mod object_id;
pub mod qresync;
pub mod sasl_ir;
pub mod search_res;
pub mod special_use;
pub mod status_size;
pub mod uid_only;
pub mod uidplus;
pub mod unselect;

/// An extension that this library knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension {
    /// The name by which a server announces it.
    pub capability: &'static str,
    /// The RFC that defines it, or that it extends where none does.
    pub rfc: u16,
    /// What it is used for.
    pub about: &'static str,
    /// What is done where a server lacks it.
    pub fallback: &'static str,
}

/// Every extension, in the order of their names.
pub const REGISTRY: &[Extension] = &[
    append_limit::EXTENSION,
    children::EXTENSION,
    condstore::EXTENSION,
    enable::EXTENSION,
    esearch::EXTENSION,
    id::EXTENSION,
    idle::EXTENSION,
    list_extended::EXTENSION,
    list_status::EXTENSION,
    literal::PLUS,
    literal::MINUS,
    message_limit::EXTENSION,
    r#move::EXTENSION,
    multiappend::EXTENSION,
    namespace::EXTENSION,
    notify::EXTENSION,
    object_id::EXTENSION,
    qresync::EXTENSION,
    sasl_ir::EXTENSION,
    search_res::EXTENSION,
    special_use::EXTENSION,
    status_size::EXTENSION,
    uid_only::EXTENSION,
    uidplus::EXTENSION,
    unselect::EXTENSION,
    gmail::EXTENSION,
];

#[cfg(test)]
mod tests {
    use super::REGISTRY;
    use crate::imap::{FetchRow, Response, Untagged, parse_response};
    use crate::limits::Limits;
    use crate::wire::tests::frames;
    use crate::wire::{Command, Piece};

    /// A command that has no literals, as it travels.
    pub fn text(command: &Command) -> String {
        match command.pieces() {
            [Piece::Text(text)] => String::from_utf8(text.clone()).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// What a server says.
    pub fn responses(lines: &str) -> Vec<Response> {
        let frames = frames(lines.as_bytes(), lines.len()).unwrap();
        frames.iter().map(|frame| parse_response(frame, &Limits::default(), false).unwrap()).collect()
    }

    /// The rows among it.
    pub fn rows(lines: &str) -> Vec<FetchRow> {
        let row = |response| if let Response::Data(Untagged::Fetch(row)) = response { Some(*row) } else { None };
        responses(lines).into_iter().filter_map(row).collect()
    }

    #[test]
    fn every_extension_is_registered_once_with_its_fallback() {
        assert!(REGISTRY.windows(2).all(|pair| {
            let [a, b] = pair else { return false };
            a.capability.trim_end_matches(['+', '-']) <= b.capability.trim_end_matches(['+', '-'])
        }));
        for extension in REGISTRY {
            assert_eq!(REGISTRY.iter().filter(|e| e.capability == extension.capability).count(), 1);
            assert!(extension.rfc > 1730 && !extension.about.is_empty() && !extension.fallback.is_empty());
        }
    }
}
