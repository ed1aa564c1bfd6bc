//! LITERAL+ and LITERAL- (RFC 7888): sending a literal without waiting to be asked for it.

use super::Extension;

/// The line of LITERAL+ in the registry.
pub const PLUS: Extension = Extension {
    capability: "LITERAL+",
    rfc: 7888,
    about: "Literals up to 100 KB are sent without waiting; larger ones wait, lest a refused message be sent for nothing",
    fallback: "Each literal waits for the server's +",
};

/// The line of LITERAL- in the registry.
pub const MINUS: Extension = Extension {
    capability: "LITERAL-",
    rfc: 7888,
    about: "Literals up to 4,096 bytes are sent without waiting",
    fallback: "Each literal waits for the server's +",
};

pub use crate::imap::LiteralMode;
