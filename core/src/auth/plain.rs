//! PLAIN (RFC 4616): user and password in one message.

use super::{Exchange, Identity, Response, free_of};
use crate::error::{Code, MailError, Result};

pub(super) struct Plain(Option<Response>);

impl Plain {
    pub(super) fn new(identity: &Identity<'_>) -> Result<Self> {
        free_of("user name", identity.user, |c| c == '\0')?;
        free_of("password", identity.secret.reveal(), |c| c == '\0')?;
        // No authorization identity: the server takes the user's own.
        Ok(Self(Some(Response::new(["", identity.user, identity.secret.reveal()].join("\0").into_bytes()))))
    }
}

impl Exchange for Plain {
    fn initial(&mut self) -> Option<Response> {
        self.0.take()
    }

    fn step(&mut self, _challenge: &[u8]) -> Result<Response> {
        Err(MailError::new(Code::ServerProtocol, "The server asked for more than PLAIN has to say"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::test_identity;
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn user_and_password_are_separated_by_nul() {
        let secret = Secret::from("pass word");
        let mut plain = Plain::new(&test_identity(&secret)).unwrap();
        assert_eq!(plain.initial().unwrap().as_slice(), b"\0ada\0pass word");
        assert_eq!(plain.step(b"").unwrap_err().code(), Code::ServerProtocol);
    }

    #[test]
    fn a_nul_cannot_move_the_fields() {
        let secret = Secret::from("a\0b");
        assert_eq!(Plain::new(&test_identity(&secret)).err().map(|e| e.code()), Some(Code::UsageArgument));
    }
}
