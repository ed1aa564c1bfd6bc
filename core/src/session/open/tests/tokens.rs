//! Tokens that expire and tokens that are refused.

use super::*;
use crate::session::{Token, TokenReason, TokenRequest};
use futures_util::FutureExt;
use std::sync::{Arc, Mutex};

type Asked = Arc<Mutex<Vec<TokenRequest>>>;

/// Hands out these tokens, the last one again and again, and remembers the requests.
fn tokens(tokens: &'static [&'static str]) -> (Credentials, Asked) {
    let asked = Asked::default();
    let requests = Arc::clone(&asked);
    let credentials = Credentials::Token(Arc::new(move |request| {
        let mut requests = requests.lock().unwrap();
        let secret = tokens[requests.len().min(tokens.len() - 1)].into();
        requests.push(request);
        async move { Ok(Token { secret, expires_at: None }) }.boxed()
    }));
    (credentials, asked)
}

/// One connection: this token, and what is said to it.
fn dialogue(token: &str, answer: &str) -> String {
    format!(
        "TLS
        S: * OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] hi
        C: AUTHENTICATE XOAUTH2 <<user=ada-7\x01auth=Bearer {token}\x01\x01>>
        {answer}"
    )
}

const EXPIRED: &str = "S: + <<{\"status\":\"400\",\"schemes\":\"Bearer\",\"scope\":\"https://mail.google.com/\"}>>
    c:
    S: {tag} NO [AUTHENTICATIONFAILED] Invalid credentials";
const SCOPE: &str = "S: + <<{\"status\":\"insufficient_scope\"}>>\nc: \nS: {tag} NO no";
const REFUSED: &str = "S: {tag} NO AUTHENTICATE failed.";
const IN: &str = "S: {tag} OK [CAPABILITY IMAP4rev1] in";

async fn two(first: String, second: String, credentials: Credentials) -> Result<Opened> {
    let server = Server::start_many(&[first, second], Pace::Whole, Authority::shared().good()).await;
    opened(&account(&server, Security::Tls, credentials)).await
}

#[tokio::test]
async fn an_expired_token_is_replaced() {
    let (credentials, asked) = tokens(&["old", "new"]);
    two(dialogue("old", EXPIRED), dialogue("new", IN), credentials).await.unwrap();
    let asked = asked.lock().unwrap();
    assert_eq!(asked.iter().map(|r| r.reason).collect::<Vec<_>>(), [TokenReason::First, TokenReason::Expired]);
    assert_eq!(asked[1].previous, Some("old".into()));
    assert_eq!((asked[1].user.as_str(), asked[1].host.as_str()), ("ada-7", "127.0.0.1"));
}

#[tokio::test]
async fn a_token_refused_twice_is_rejected() {
    let (credentials, asked) = tokens(&["one", "two"]);
    let error = two(dialogue("one", REFUSED), dialogue("two", EXPIRED), credentials).await.unwrap_err();
    assert_eq!(error.code(), Code::AuthRejected);
    assert_eq!(asked.lock().unwrap()[1].reason, TokenReason::Rejected);
    assert_eq!(asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_callback_with_nothing_newer_is_told_from_a_refusal() {
    let (credentials, _) = tokens(&["old"]);
    let error = two(dialogue("old", EXPIRED), dialogue("old", EXPIRED), credentials).await.unwrap_err();
    assert_eq!(error.code(), Code::AuthTokenExpired);
}

#[tokio::test]
async fn a_token_without_the_right_says_so() {
    let (credentials, _) = tokens(&["one", "two"]);
    let error = two(dialogue("one", SCOPE), dialogue("two", SCOPE), credentials).await.unwrap_err();
    assert_eq!(error.code(), Code::AuthRejected);
    assert!(error.context().hint.as_ref().is_some_and(|h| h.contains("scope")), "{error}");
}

#[tokio::test]
async fn a_callback_that_fails_says_why() {
    let credentials = Credentials::Token(Arc::new(|_| {
        async { Err(MailError::new(Code::AuthMissing, "The browser was closed")) }.boxed()
    }));
    let error = opened(&Account::new("127.0.0.1", "ada-7", credentials)).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::AuthMissing, "The browser was closed"));
}
