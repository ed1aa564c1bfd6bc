//! OAUTHBEARER (RFC 7628).

use super::oauth::{Refusal, refusal};
use super::{Exchange, Identity, Response, free_of, sasl_name};
use crate::error::Result;

pub(super) struct OAuthBearer {
    first: Option<Response>,
    refusal: Option<Refusal>,
}

impl OAuthBearer {
    pub(super) fn new(identity: &Identity<'_>) -> Result<Self> {
        let Identity { user, secret, host, port, .. } = identity;
        free_of("user name", user, char::is_control)?;
        free_of("token", secret.reveal(), char::is_control)?;
        let user = sasl_name(user);
        let first = format!("n,a={user},\x01host={host}\x01port={port}\x01auth=Bearer {}\x01\x01", secret.reveal());
        Ok(Self { first: Some(Response::new(first.into_bytes())), refusal: None })
    }
}

impl Exchange for OAuthBearer {
    fn initial(&mut self) -> Option<Response> {
        self.first.take()
    }

    /// The only challenge is an error; a single ^A acknowledges it, and the tagged NO follows (section 3.2.3).
    fn step(&mut self, challenge: &[u8]) -> Result<Response> {
        self.refusal = Some(refusal(challenge));
        Ok(Response::new(vec![1]))
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
    fn the_message_is_that_of_the_rfc() {
        let secret = Secret::from("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
        let identity = Identity { user: "user=1,x@example.com", port: 143, ..test_identity(&secret) };
        let mut exchange = OAuthBearer::new(&identity).unwrap();
        assert_eq!(
            String::from_utf8(exchange.initial().unwrap().to_vec()).unwrap(),
            "n,a=user=3D1=2Cx@example.com,\x01host=imap.example.org\x01port=143\x01\
             auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01"
        );
        assert_eq!(exchange.step(br#"{"status":"invalid_token"}"#).unwrap().as_slice(), b"\x01");
        assert_eq!(exchange.refusal(), Some(Refusal::Expired));
    }

    #[test]
    fn a_token_with_a_line_end_is_refused_before_it_is_sent() {
        let secret = Secret::from("token\n");
        assert!(OAuthBearer::new(&test_identity(&secret)).is_err());
    }
}
