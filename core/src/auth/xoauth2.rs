//! XOAUTH2: Google's form of a bearer token, used by Microsoft and Yahoo as well.

use super::oauth::{Refusal, refusal};
use super::{Exchange, Identity, Response, free_of};
use crate::error::Result;

pub(super) struct XOAuth2 {
    first: Option<Response>,
    refusal: Option<Refusal>,
}

impl XOAuth2 {
    pub(super) fn new(identity: &Identity<'_>) -> Result<Self> {
        free_of("user name", identity.user, char::is_control)?;
        free_of("token", identity.secret.reveal(), char::is_control)?;
        let first = format!("user={}\x01auth=Bearer {}\x01\x01", identity.user, identity.secret.reveal());
        Ok(Self { first: Some(Response::new(first.into_bytes())), refusal: None })
    }
}

impl Exchange for XOAuth2 {
    fn initial(&mut self) -> Option<Response> {
        self.first.take()
    }

    /// The only challenge is an error; an empty line acknowledges it, and the tagged NO follows.
    fn step(&mut self, challenge: &[u8]) -> Result<Response> {
        self.refusal = Some(refusal(challenge));
        Ok(Response::default())
    }

    fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::test_identity;
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn an_error_is_acknowledged_with_an_empty_line() {
        let secret = Secret::from("ya29.token");
        let mut exchange = XOAuth2::new(&test_identity(&secret)).unwrap();
        assert_eq!(exchange.initial().unwrap().as_slice(), b"user=ada\x01auth=Bearer ya29.token\x01\x01");
        assert_eq!(exchange.step(br#"{"status":"401","schemes":"bearer"}"#).unwrap().as_slice(), b"");
        assert_eq!(exchange.refusal(), Some(Refusal::Expired));
    }
}
