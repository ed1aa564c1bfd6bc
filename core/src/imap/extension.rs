//! IMAP's extensions: a file each, with what it is used for and what a server without it gets instead.
//!
//! Plans are values: commands in the order in which they are to be sent, each only after the one before it has ended in
//! `OK`. The session carries them out.

pub mod append_limit;
pub mod children;
pub mod condstore;
pub mod enable;
pub mod esearch;
pub mod id;
pub mod idle;
pub mod list_extended;
pub mod list_status;
pub mod literal;
pub mod r#move;
pub mod multiappend;
pub mod namespace;
pub mod sasl_ir;
pub mod special_use;
pub mod status_size;
pub mod uidplus;
pub mod unselect;

/// An extension that this library knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension {
    /// The name by which a server announces it.
    pub capability: &'static str,
    /// The RFC that defines it.
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
    r#move::EXTENSION,
    multiappend::EXTENSION,
    namespace::EXTENSION,
    sasl_ir::EXTENSION,
    special_use::EXTENSION,
    status_size::EXTENSION,
    uidplus::EXTENSION,
    unselect::EXTENSION,
];

#[cfg(test)]
mod tests {
    use super::REGISTRY;

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
