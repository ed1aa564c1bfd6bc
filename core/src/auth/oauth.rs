//! What OAUTHBEARER and XOAUTH2 share: the JSON that a server sends when it does not take a token.

use serde_json::Value;

/// Why a server does not take a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Expired, revoked or malformed: a newer one may do.
    Expired,
    /// The token is good, but not for reading mail.
    Scope,
    /// For any other reason.
    Rejected,
}

/// Reads the error of RFC 7628 section 3.2.2, or XOAUTH2's, whose status is an HTTP number: Google says 400 or 401 for a
/// token that has expired. The text itself is dropped, since it may quote the token.
pub(super) fn refusal(challenge: &[u8]) -> Refusal {
    let status = serde_json::from_slice::<Value>(challenge).ok().and_then(|v| v.get("status").cloned());
    let status = match status {
        Some(Value::String(status)) => status,
        Some(Value::Number(status)) => status.to_string(),
        _ => return Refusal::Rejected,
    };
    match status.to_ascii_lowercase().as_str() {
        "invalid_token" | "400" | "401" => Refusal::Expired,
        "insufficient_scope" | "403" => Refusal::Scope,
        _ => Refusal::Rejected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expired_tokens_are_told_from_refused_ones() {
        let cases = [
            (r#"{"status":"invalid_token","scope":"mail","openid-configuration":"https://x"}"#, Refusal::Expired),
            (r#"{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}"#, Refusal::Expired),
            (r#"{"status":401}"#, Refusal::Expired),
            (r#"{"status":"insufficient_scope"}"#, Refusal::Scope),
            (r#"{"status":"invalid_request"}"#, Refusal::Rejected),
            (r#"{"status":"#, Refusal::Rejected),
            ("", Refusal::Rejected),
        ];
        for (challenge, expected) in cases {
            assert_eq!(refusal(challenge.as_bytes()), expected, "{challenge}");
        }
        assert_eq!(refusal("[".repeat(100_000).as_bytes()), Refusal::Rejected);
    }
}
