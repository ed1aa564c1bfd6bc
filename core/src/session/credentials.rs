//! Passwords, tokens, and those who are asked for them.

use crate::auth::{CredentialKind, Refusal};
use crate::error::{Code, MailError, Result};
use crate::secret::Secret;
use futures_util::future::BoxFuture;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex;

/// What proves that a user is who he says.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Credentials {
    /// Nothing: enough for a server that knows us by our certificate.
    #[default]
    None,
    /// A password.
    Password(Secret),
    /// Somebody who is asked for the password, once; again after the server has refused it.
    PasswordCallback(PasswordCallback),
    /// Somebody who is asked for an OAuth token, and for a newer one when it expires.
    Token(TokenCallback),
}

/// Answers with a password.
pub type PasswordCallback = Arc<dyn Fn(PasswordRequest) -> BoxFuture<'static, Result<Secret>> + Send + Sync>;

/// Answers with a token.
pub type TokenCallback = Arc<dyn Fn(TokenRequest) -> BoxFuture<'static, Result<Token>> + Send + Sync>;

/// Whose password is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PasswordRequest {
    /// The user name.
    pub user: String,
    /// The server.
    pub host: String,
}

/// Whose token is asked for, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenRequest {
    /// The user name.
    pub user: String,
    /// The server.
    pub host: String,
    /// Why it is asked for.
    pub reason: TokenReason,
    /// The token that will not do any more.
    pub previous: Option<Secret>,
}

/// Why a token is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenReason {
    /// There is none yet.
    First,
    /// Its time is over, or the server says that it is no longer valid.
    Expired,
    /// The server refused it.
    Rejected,
}

impl TokenReason {
    /// `first`, `expired` or `rejected`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
        }
    }
}

/// An OAuth access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The token itself.
    pub secret: Secret,
    /// When it ends; `None` where that is not known.
    pub expires_at: Option<SystemTime>,
}

impl Credentials {
    pub(crate) fn kind(&self) -> CredentialKind {
        if matches!(self, Self::Token(_)) { CredentialKind::Token } else { CredentialKind::Password }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Password(_) => "Password(…)",
            Self::PasswordCallback(_) => "PasswordCallback(…)",
            Self::Token(_) => "Token(…)",
        })
    }
}

/// A secret that the server did not take.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub secret: Secret,
    pub reason: TokenReason,
}

impl Refused {
    pub fn new(secret: Secret, refusal: Refusal) -> Self {
        let reason = if refusal == Refusal::Expired { TokenReason::Expired } else { TokenReason::Rejected };
        Self { secret, reason }
    }
}

/// What callbacks have answered. One is asked at a time: whoever comes meanwhile gets the same answer.
#[derive(Debug, Default)]
pub(crate) struct Vault(Mutex<Option<Token>>);

/// A token that ends this soon is not worth logging in with.
const SOON: Duration = Duration::from_secs(30);

impl Vault {
    /// The secret to log in with: what is remembered, or a new one where `refused` or the clock rules that out.
    pub async fn secret(
        &self,
        credentials: &Credentials,
        (user, host): (&str, &str),
        refused: Option<&Refused>,
        now: SystemTime,
    ) -> Result<Secret> {
        if let Credentials::Password(password) = credentials {
            return Ok(password.clone());
        }
        let mut held = self.0.lock().await;
        let stale = |token: &Token| {
            refused.is_some_and(|r| r.secret == token.secret) || token.expires_at.is_some_and(|at| at <= now + SOON)
        };
        if let Some(token) = held.as_ref().filter(|t| !stale(t)) {
            return Ok(token.secret.clone());
        }
        let previous = held.take().map(|t| t.secret).or_else(|| refused.map(|r| r.secret.clone()));
        let reason = match (refused, &previous) {
            (Some(refused), _) => refused.reason,
            (None, Some(_)) => TokenReason::Expired,
            (None, None) => TokenReason::First,
        };
        let request = TokenRequest { user: user.to_owned(), host: host.to_owned(), reason, previous };
        Ok(held.insert(ask(credentials, request).await?).secret.clone())
    }

    /// Forgets a password that the server did not take, so that the next attempt asks again.
    pub async fn forget(&self, secret: &Secret) {
        self.0.lock().await.take_if(|held| held.secret == *secret);
    }
}

async fn ask(credentials: &Credentials, request: TokenRequest) -> Result<Token> {
    match credentials {
        Credentials::Token(callback) => callback(request).await,
        Credentials::PasswordCallback(callback) => {
            let TokenRequest { user, host, .. } = request;
            Ok(Token { secret: callback(PasswordRequest { user, host }).await?, expires_at: None })
        }
        Credentials::Password(password) => Ok(Token { secret: password.clone(), expires_at: None }),
        Credentials::None => Err(missing()),
    }
}

fn missing() -> MailError {
    MailError::new(Code::AuthMissing, "No password or token was given").hint("Give password= or token=")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Answers token-1, token-2, … and remembers how often and why it was asked.
    fn callback(expires_at: Option<SystemTime>) -> (Credentials, Arc<std::sync::Mutex<Vec<TokenRequest>>>) {
        let asked = Arc::new(std::sync::Mutex::new(Vec::new()));
        let requests = Arc::clone(&asked);
        let ask: TokenCallback = Arc::new(move |request| {
            let mut requests = requests.lock().unwrap();
            requests.push(request);
            let secret = Secret::from(format!("token-{}", requests.len()));
            Box::pin(async move {
                tokio::task::yield_now().await;
                Ok(Token { secret, expires_at })
            })
        });
        (Credentials::Token(ask), asked)
    }

    const WHO: (&str, &str) = ("ada", "host");

    #[tokio::test]
    async fn many_askers_share_one_call() {
        let (credentials, asked) = callback(None);
        let (vault, now) = (Vault::default(), SystemTime::now());
        let ask = || vault.secret(&credentials, WHO, None, now);
        let (a, b, c) = tokio::join!(ask(), ask(), ask());
        assert_eq!([a.unwrap(), b.unwrap(), c.unwrap()], [(); 3].map(|()| Secret::from("token-1")));
        assert_eq!(asked.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_refused_token_is_replaced_once_for_all_who_had_it() {
        let (credentials, asked) = callback(None);
        let (vault, now) = (Vault::default(), SystemTime::now());
        let first = vault.secret(&credentials, WHO, None, now).await.unwrap();
        let refused = Refused::new(first.clone(), Refusal::Rejected);
        let ask = || vault.secret(&credentials, WHO, Some(&refused), now);
        let (a, b) = tokio::join!(ask(), ask());
        assert_eq!([a.unwrap(), b.unwrap()], [Secret::from("token-2"), Secret::from("token-2")]);
        let asked = asked.lock().unwrap();
        assert_eq!(asked.len(), 2);
        assert_eq!((asked[1].reason, asked[1].previous.as_ref()), (TokenReason::Rejected, Some(&first)));
    }

    #[tokio::test]
    async fn a_token_whose_time_is_over_is_not_tried() {
        let now = SystemTime::now();
        let (credentials, asked) = callback(Some(now + Duration::from_secs(100)));
        let vault = Vault::default();
        for (later, expected) in [(0, "token-1"), (60, "token-1"), (80, "token-2")] {
            let secret = vault.secret(&credentials, WHO, None, now + Duration::from_secs(later)).await.unwrap();
            assert_eq!(secret, Secret::from(expected), "{later} s later");
        }
        assert_eq!(asked.lock().unwrap()[1].reason, TokenReason::Expired);
    }

    #[tokio::test]
    async fn a_password_is_asked_for_again_only_after_it_was_refused() {
        let count = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&count);
        let credentials = Credentials::PasswordCallback(Arc::new(move |request| {
            assert_eq!((request.user.as_str(), request.host.as_str()), WHO);
            let number = counted.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move { Ok(Secret::from(format!("password-{number}"))) })
        }));
        let (vault, now) = (Vault::default(), SystemTime::now());
        for _ in 0..2 {
            vault.secret(&credentials, WHO, None, now).await.unwrap();
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
        vault.forget(&Secret::from("another")).await;
        vault.forget(&Secret::from("password-0")).await;
        assert_eq!(vault.secret(&credentials, WHO, None, now).await.unwrap(), Secret::from("password-1"));
    }

    #[tokio::test]
    async fn without_credentials_the_error_says_what_to_do() {
        let error = Vault::default().secret(&Credentials::None, WHO, None, SystemTime::now()).await.unwrap_err();
        assert_eq!(error.code(), Code::AuthMissing);
        assert!(error.context().hint.is_some());
    }
}
