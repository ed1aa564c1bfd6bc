//! LITERAL+ and LITERAL- (RFC 7888): sending a literal without waiting to be asked for it.

use super::Extension;
use crate::error::{Code, MailError, Result};
use crate::imap::Capabilities;

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

/// Refuses a message with NUL bytes where the server has no literal for them (BINARY, RFC 3516).
pub fn check_nul(caps: &Capabilities, has_nul: bool) -> Result<()> {
    if !has_nul || caps.has("BINARY") {
        return Ok(());
    }
    let text = "The message holds NUL bytes, and the server takes none (it lacks BINARY, RFC 3516)";
    Err(MailError::new(Code::ServerUnsupported, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_bytes_need_binary() {
        let binary: Capabilities = ["BINARY"].into_iter().collect();
        assert!(check_nul(&Capabilities::default(), false).is_ok() && check_nul(&binary, true).is_ok());
        assert_eq!(check_nul(&Capabilities::default(), true).unwrap_err().code(), Code::ServerUnsupported);
    }
}
