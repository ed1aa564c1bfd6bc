//! What an exit code says. Pure.

use crate::error::{Code, MailError};

pub(super) const DONE: u8 = 0;
pub(super) const FAILED: u8 = 1;
pub(super) const USAGE: u8 = 2;
pub(super) const AUTH: u8 = 3;
pub(super) const NETWORK: u8 = 4;
pub(super) const PARTIAL: u8 = 5;
pub(super) const INTERRUPTED: u8 = 130;

/// All of them, for the help.
pub(super) const EXITS: &[(u8, &str)] = &[
    (DONE, "done"),
    (FAILED, "failed"),
    (USAGE, "what was typed, or the configuration, cannot be used"),
    (AUTH, "the server refused the login, or there is no password"),
    (NETWORK, "the server could not be reached, or is in trouble; trying again may help"),
    (PARTIAL, "some was not done, or waits for somebody to decide"),
    (INTERRUPTED, "interrupted"),
];

/// The code of an error.
pub(super) fn code_of(error: &MailError) -> u8 {
    match error.code() {
        Code::BulkPartial => PARTIAL,
        Code::Cancelled => INTERRUPTED,
        Code::ServerBye | Code::ServerThrottled | Code::ServerUnavailable => NETWORK,
        code => match code.as_str().split_once('.') {
            Some(("usage" | "query", _)) => USAGE,
            Some(("auth", _)) => AUTH,
            Some(("net", _)) => NETWORK,
            _ => FAILED,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_a_code_that_is_documented() {
        for code in Code::ALL {
            let exit = code_of(&MailError::from(*code));
            assert!(exit != DONE && EXITS.iter().any(|(known, _)| *known == exit), "{}", code.as_str());
        }
        assert_eq!(code_of(&Code::AuthRejected.into()), AUTH);
        assert_eq!(code_of(&Code::NetDns.into()), NETWORK);
        assert_eq!(code_of(&Code::QuerySyntax.into()), USAGE);
        assert_eq!(code_of(&Code::MailboxMissing.into()), FAILED);
    }
}
