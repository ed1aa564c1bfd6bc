//! SASL-IR (RFC 4959): the first answer of a login travels with the command.

use super::Extension;
use crate::imap::Capabilities;

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "SASL-IR",
    rfc: 4959,
    about: "A login costs one round trip less",
    fallback: "The first answer waits for the server's +",
};

/// Longest initial response that is sent along: some servers bound the line of AUTHENTICATE.
const LONGEST: usize = 8000;

/// Whether an initial response of so many bytes of base64 is sent with AUTHENTICATE.
#[must_use]
pub fn is_used(caps: &Capabilities, length: usize) -> bool {
    caps.has("SASL-IR") && length <= LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_tokens_wait() {
        let caps: Capabilities = ["SASL-IR"].into_iter().collect();
        assert!(is_used(&caps, LONGEST) && !is_used(&caps, LONGEST + 1));
        assert!(!is_used(&Capabilities::default(), 1));
    }
}
