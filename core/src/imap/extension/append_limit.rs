//! APPENDLIMIT (RFC 7889): the largest message that a server takes.

use super::Extension;
use crate::error::{Code, MailError, Result};
use crate::imap::Capabilities;

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "APPENDLIMIT",
    rfc: 7889,
    about: "A message that is too big is refused before it is sent",
    fallback: "The server refuses it after it was sent",
};

/// Whether STATUS can tell the limit of a mailbox: the server has limits, and not one for all.
#[must_use]
pub fn is_per_mailbox(caps: &Capabilities) -> bool {
    caps.announces("APPENDLIMIT") && caps.append_limit().is_none()
}

/// Refuses a message of `size` bytes that is above the limit of the mailbox (from STATUS) or else of the server.
pub fn check(caps: &Capabilities, mailbox: Option<u64>, size: u64) -> Result<()> {
    match mailbox.or(caps.append_limit()).filter(|limit| size > *limit) {
        Some(limit) => {
            let message = format!("The message has {size} bytes; the server takes {limit} at most");
            Err(MailError::new(Code::ServerRefused, message))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mailboxs_limit_goes_before_the_servers() {
        let caps: Capabilities = ["APPENDLIMIT=100"].into_iter().collect();
        assert!(check(&caps, None, 100).is_ok());
        assert_eq!(check(&caps, None, 101).unwrap_err().code(), Code::ServerRefused);
        assert!(check(&caps, Some(200), 101).is_ok());
        assert!(check(&Capabilities::default(), None, u64::MAX).is_ok());
        assert!(!is_per_mailbox(&caps) && is_per_mailbox(&["APPENDLIMIT"].into_iter().collect()));
    }
}
