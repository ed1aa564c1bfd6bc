//! The server's side of OAUTHBEARER (RFC 7628) and XOAUTH2: a user and a token. Whether the token is good, somebody else
//! knows.

use super::scram_server::unescaped;
use crate::secret::Secret;

/// Who wants in, and the token that is to show it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bearer {
    pub user: String,
    pub token: Secret,
}

impl Bearer {
    /// Reads `n,a=user,` and the fields after it. `None` for what is none, and where no user is named.
    pub(crate) fn read(message: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(message).ok()?;
        let (header, fields) = text.split_once('\x01')?;
        // There is no binding of a token.
        let authorize = header.strip_prefix("n,").or_else(|| header.strip_prefix("y,"))?.strip_suffix(',')?;
        Self::new(unescaped(authorize.strip_prefix("a=")?)?, fields)
    }

    /// Reads XOAUTH2's `user=…`.
    pub(crate) fn read_xoauth2(message: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(message).ok()?;
        let (user, fields) = text.strip_prefix("user=")?.split_once('\x01')?;
        Self::new(user.to_owned(), fields)
    }

    /// Fields end with a ^A, and all of them with one more.
    fn new(user: String, fields: &str) -> Option<Self> {
        let fields = fields.strip_suffix("\x01\x01")?;
        let mut found = fields.split('\x01').filter_map(|field| field.strip_prefix("auth="));
        let (scheme, token) = found.next()?.split_once(' ')?;
        let is_whole = scheme.eq_ignore_ascii_case("Bearer") && found.next().is_none();
        let token = token.trim_start_matches(' ');
        (is_whole && !user.is_empty() && !token.is_empty()).then(|| Self { user, token: Secret::from(token) })
    }
}

/// What a client is told of a token that is not taken (RFC 7628 section 3.2.2).
pub(crate) const REFUSED: &str = r#"{"status":"invalid_token"}"#;
/// The same in XOAUTH2.
pub(crate) const REFUSED_XOAUTH2: &str = r#"{"status":"401","schemes":"Bearer","scope":""}"#;

#[cfg(test)]
mod tests {
    use super::super::tests::test_identity;
    use super::super::{Identity, Mechanism, start};
    use super::*;

    #[test]
    fn what_our_own_client_says_is_read() {
        let token = Secret::from("ya29.token=");
        let identity = Identity { user: "a,d=a", ..test_identity(&token) };
        let said = |mechanism| start(mechanism, &identity).unwrap().initial().unwrap();
        let expected = Some(Bearer { user: "a,d=a".to_owned(), token: token.clone() });
        assert_eq!(Bearer::read(&said(Mechanism::OAuthBearer)), expected);
        assert_eq!(Bearer::read_xoauth2(&said(Mechanism::XOAuth2)), expected);
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for wrong in [
            "",
            "n,,\x01auth=Bearer x\x01\x01",
            "n,a=,\x01auth=Bearer x\x01\x01",
            "n,a=ada,\x01auth=Bearer \x01\x01",
            "n,a=ada,\x01auth=Basic x\x01\x01",
            "n,a=ada,\x01auth=Bearer x\x01",
            "n,a=ada,\x01host=h\x01\x01",
            "n,a=ada,\x01auth=Bearer x\x01auth=Bearer y\x01\x01",
            "p=tls-exporter,a=ada,\x01auth=Bearer x\x01\x01",
            "n,a=ada\x01auth=Bearer x\x01\x01",
        ] {
            assert_eq!(Bearer::read(wrong.as_bytes()), None, "{wrong:?}");
        }
        assert_eq!(Bearer::read_xoauth2(b"user=\x01auth=Bearer x\x01\x01"), None);
        assert_eq!(Bearer::read_xoauth2(b"user=ada\x01auth=Bearer x\x01"), None);
    }
}
