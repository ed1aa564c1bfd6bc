//! The strongest way to log in that the server offers and the credential allows.

use super::{Mechanism, REGISTRY};
use crate::error::{Code, MailError, Result};

/// What the user has given us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CredentialKind {
    Password,
    Token,
}

/// All that the choice depends on.
pub(crate) struct Offer<'a> {
    /// The names after `AUTH=` in the server's capabilities.
    pub mechanisms: &'a [&'a str],
    /// Whether the server forbids the LOGIN command (LOGINDISABLED).
    pub login_disabled: bool,
    /// Whether this connection can be bound to.
    pub binding: bool,
    pub credential: CredentialKind,
    /// The mechanism that the user insists on.
    pub wanted: Option<Mechanism>,
}

/// How to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The LOGIN command.
    LoginCommand,
    /// AUTHENTICATE with this mechanism.
    Sasl(Mechanism),
}

/// Chooses; [`Code::AuthNoMechanism`] where nothing fits.
pub(crate) fn choose(offer: &Offer<'_>) -> Result<Choice> {
    if let Some(wanted) = offer.wanted {
        return if offer.allows(wanted) { Ok(Choice::Sasl(wanted)) } else { Err(not_offered(offer, wanted.name())) };
    }
    let mut sasl = REGISTRY.iter().map(|(m, ..)| *m).filter(|m| offer.allows(*m));
    match sasl.next() {
        // The command says the same as SASL LOGIN in one round trip, and its prompts cannot be odd.
        Some(Mechanism::Login) | None if offer.allows_command() => Ok(Choice::LoginCommand),
        Some(mechanism) => Ok(Choice::Sasl(mechanism)),
        None => Err(nothing_fits(offer)),
    }
}

impl Offer<'_> {
    fn allows(&self, mechanism: Mechanism) -> bool {
        let fits = REGISTRY.iter().any(|(m, _, kind)| *m == mechanism && *kind == self.credential);
        let bound = mechanism != Mechanism::ScramSha256Plus || self.binding;
        fits && bound && self.mechanisms.iter().any(|name| name.eq_ignore_ascii_case(mechanism.name()))
    }

    fn allows_command(&self) -> bool {
        self.credential == CredentialKind::Password && !self.login_disabled
    }
}

fn not_offered(offer: &Offer<'_>, name: &str) -> MailError {
    MailError::new(Code::AuthNoMechanism, format!("The server does not offer {name} for this credential"))
        .hint(offered(offer))
}

fn nothing_fits(offer: &Offer<'_>) -> MailError {
    let message = match offer.credential {
        CredentialKind::Password => "The server offers no way to log in with a password",
        CredentialKind::Token => "The server offers no way to log in with a token",
    };
    MailError::new(Code::AuthNoMechanism, message).hint(offered(offer))
}

/// Names from the server, so only what looks like one is repeated.
fn offered(offer: &Offer<'_>) -> String {
    let names: Vec<&str> = offer.mechanisms.iter().copied().filter(|n| is_name(n)).take(20).collect();
    if names.is_empty() {
        "It offers no mechanism at all".to_owned()
    } else {
        format!("It offers {}", names.join(", "))
    }
}

/// A SASL mechanism's name (RFC 4422 section 3.1).
fn is_name(name: &str) -> bool {
    name.len() <= 20 && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::CredentialKind::{Password, Token};
    use super::*;

    fn pick(names: &str, credential: CredentialKind, login_disabled: bool, binding: bool) -> Result<Choice> {
        let mechanisms: Vec<&str> = names.split_whitespace().collect();
        choose(&Offer { mechanisms: &mechanisms, login_disabled, binding, credential, wanted: None })
    }

    #[test]
    fn the_strongest_that_fits_is_taken() {
        use Choice::{LoginCommand, Sasl};
        use Mechanism::*;
        let all = "LOGIN PLAIN SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-256-PLUS XOAUTH2 OAUTHBEARER";
        let table = [
            (all, Password, false, true, Some(Sasl(ScramSha256Plus))),
            (all, Password, false, false, Some(Sasl(ScramSha256))),
            (all, Token, false, true, Some(Sasl(OAuthBearer))),
            ("XOAUTH2 PLAIN", Token, false, true, Some(Sasl(XOAuth2))),
            ("plain login", Password, false, true, Some(Sasl(Plain))),
            ("PLAIN", Password, true, true, Some(Sasl(Plain))),
            ("LOGIN", Password, false, true, Some(LoginCommand)),
            ("LOGIN", Password, true, true, Some(Sasl(Login))),
            ("SCRAM-SHA-256-PLUS", Password, false, false, Some(LoginCommand)),
            ("", Password, false, true, Some(LoginCommand)),
            ("", Password, true, true, None),
            ("GSSAPI XOAUTH2", Password, true, true, None),
            ("PLAIN LOGIN", Token, false, true, None),
        ];
        for (names, credential, disabled, binding, expected) in table {
            let choice = pick(names, credential, disabled, binding);
            match expected {
                Some(expected) => assert_eq!(choice.unwrap(), expected, "{names} {credential:?}"),
                None => assert_eq!(choice.unwrap_err().code(), Code::AuthNoMechanism, "{names} {credential:?}"),
            }
        }
    }

    #[test]
    fn a_wanted_mechanism_is_used_or_refused_but_never_replaced() {
        let offer = |wanted| Offer {
            mechanisms: &["PLAIN", "SCRAM-SHA-256"],
            login_disabled: false,
            binding: true,
            credential: Password,
            wanted: Some(wanted),
        };
        assert_eq!(choose(&offer(Mechanism::Plain)).unwrap(), Choice::Sasl(Mechanism::Plain));
        for wanted in [Mechanism::ScramSha256Plus, Mechanism::OAuthBearer] {
            assert_eq!(choose(&offer(wanted)).unwrap_err().code(), Code::AuthNoMechanism);
        }
    }

    #[test]
    fn the_error_names_what_is_offered() {
        let error = pick("GSSAPI X<script>", Token, false, false).unwrap_err();
        assert_eq!(error.context().hint.as_deref(), Some("It offers GSSAPI"));
    }
}
